"""The desk end to end: drop folder, ledger, hold, correction, freshness, export; killed at any point it ends the same."""

import datetime as dt
import hashlib
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kizuki.app import corrections
from kizuki.app.deliveries import accepted_deliveries, delivery_ledger, read_landing, read_quarantine, standing
from kizuki.app.desk import RETURN_FOLDER, Handover
from kizuki.app.freshness import feed_state, feed_table
from kizuki.app.held_files import release_held, return_held
from kizuki.app.receive import receive_file, receive_inbox
from kizuki.app.source_export import export_delivery
from kizuki.definitions.loader import Definitions, load_sources
from kizuki.definitions.shipped import shipped_definitions
from kizuki.engine.keys import KeyRing
from kizuki.sources.mynumber import passes
from kizuki.terms.errors import InputRefused, RunFailed, UsageError

SOURCES = load_sources([shipped_definitions()])
DEFINITIONS = Definitions(sources=SOURCES, version="test")
CHILDCARE = SOURCES["childcare"]
NOW = dt.datetime(2026, 2, 1, 3, 0, tzinfo=dt.UTC)
BY_HAND = Handover("職員", "upload", NOW)
MARK = "ひみつの園"


def childcare(month: str, rows: int = 5, *, facility: str = MARK, extra: str = "") -> bytes:
    header = ",".join(CHILDCARE.titles(CHILDCARE.layouts[0])) + extra
    lines = [f"{month},{n:010d},2号,{facility},標準,D{n % 3},,{n % 4}" + (f",{n}" if extra else "") for n in range(rows)]
    return "\r\n".join([header, *lines, ""]).encode("cp932")


def drop(home: Path, name: str, data: bytes, source: str = "childcare", *, age: float = 60) -> Path:
    path = home / "inbox" / source / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    os.utime(path, (path.stat().st_mtime - age,) * 2)
    return path


def night(home: Path) -> list[dict[str, Any]]:
    return receive_inbox(home, DEFINITIONS, NOW)


def plaintext(home: Path) -> list[Path]:
    marks = (MARK.encode(), MARK.encode("cp932"))
    return [p for p in home.rglob("*") if p.is_file() and any(m in p.read_bytes() for m in marks)]


def test_a_file_becomes_a_delivery_and_its_plaintext_is_gone(tmp_path: Path) -> None:
    drop(tmp_path, "childcare_20260131_diff.csv", childcare("2026/01"))
    told: list[tuple[int, int, str]] = []
    (outcome,) = receive_inbox(tmp_path, DEFINITIONS, NOW, lambda *x: told.append(x))
    assert (outcome["status"], outcome["lines"], outcome["rows"]) == ("accepted", 6, 5)
    assert told == [(1, 1, "保育")]
    (delivery,) = accepted_deliveries(tmp_path)
    assert (delivery.source, delivery.as_of, delivery.kind) == ("childcare", dt.date(2026, 1, 31), "diff")
    table = read_landing(tmp_path, KeyRing.load(tmp_path), delivery.delivery)
    assert table["facility"].to_pylist() == [MARK] * 5
    assert plaintext(tmp_path) == []
    assert list((tmp_path / "inbox" / "childcare").iterdir()) == []


def test_files_are_taken_in_the_order_of_their_data(tmp_path: Path) -> None:
    for month in ("03", "01", "02"):
        drop(tmp_path, f"childcare_2026{month}28_diff.csv", childcare(f"2026/{month}"))
    assert [o["as_of"] for o in night(tmp_path)] == ["2026-01-28", "2026-02-28", "2026-03-28"]
    assert [d.as_of.month for d in accepted_deliveries(tmp_path, until=dt.date(2026, 2, 28))] == [1, 2]


def test_the_same_content_twice_counts_once(tmp_path: Path) -> None:
    drop(tmp_path, "childcare_20260131_diff.csv", childcare("2026/01"))
    drop(tmp_path, "childcare_20260131_diff_2.csv", childcare("2026/01"))
    assert sorted(o["status"] for o in night(tmp_path)) == ["accepted", "duplicate"]
    drop(tmp_path, "childcare_20260131_diff.csv", childcare("2026/01"))
    assert [o["status"] for o in night(tmp_path)] == ["duplicate"]
    assert len(accepted_deliveries(tmp_path)) == 1
    assert plaintext(tmp_path) == []


HOSTILE: dict[str, Callable[[], bytes]] = {
    "写真.png": lambda: b"\x89PNG\r\n\x1a\n" + bytes(100),
    "名簿.xlsx": lambda: b"PK\x03\x04" + bytes(100),
    "run.sh": lambda: b"#!/bin/sh\nrm -rf ~\n",
    "bomb.gz": lambda: b"\x1f\x8b\x08" + bytes(100),
    "empty.csv": lambda: b"",
    "名前の違う表.csv": lambda: childcare("2026/01"),
    "childcare_20260131_diff.csv": lambda: b"\0" * 5000,
    "childcare_20260228_diff.csv": lambda: os.urandom(4000),
    "childcare_20260331_diff.csv": lambda: b"a" * 3_000_000,
}


def test_nothing_dropped_into_the_folder_stops_the_night(tmp_path: Path) -> None:
    for name, content in HOSTILE.items():
        drop(tmp_path, name, content())
    drop(tmp_path, "childcare_20260430_diff.csv", childcare("2026/04"))
    (tmp_path / "inbox" / "childcare" / "フォルダ").mkdir()
    os.symlink("/etc/hostname", tmp_path / "inbox" / "childcare" / "link.csv")
    by_name = {o["file"]: o for o in night(tmp_path)}
    assert by_name.pop("childcare_20260430_diff.csv")["status"] == "accepted"
    assert {o["status"] for o in by_name.values()} == {"refused"}
    assert len(by_name) == len(HOSTILE)
    for name in HOSTILE:
        note = (tmp_path / "inbox" / "childcare" / RETURN_FOLDER / f"{name}.理由.txt").read_text(encoding="utf-8")
        assert "[K1" in note and "対応：" in note
    assert plaintext(tmp_path) == []
    assert night(tmp_path) == []


def test_a_fault_of_ours_holds_one_file_and_the_others_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from kizuki.sources.receive import inspect_bytes as real

    def faulty(data: bytes, name: str, *rest: Any) -> Any:
        if "0131" in name:
            raise ZeroDivisionError("secret value")
        return real(data, name, *rest)

    monkeypatch.setattr("kizuki.app.receive.inspect_bytes", faulty)
    for month in ("0131", "0228"):
        drop(tmp_path, f"childcare_2026{month}_diff.csv", childcare("2026/01"))
    first, second = night(tmp_path)
    assert (first["status"], first["reasons"][0]["code"], second["status"]) == ("held", "K190", "accepted")
    assert "secret" not in str(first)


def test_my_number_leaves_only_the_note(tmp_path: Path) -> None:
    numbers = [n for n in (f"{i * 31_337:012d}" for i in range(4000)) if passes(n)][:30]
    path = drop(tmp_path, "childcare_20260131_diff.csv", childcare("2026/01", extra=",個人番号"))
    (outcome,) = night(tmp_path)
    assert (outcome["status"], outcome["reasons"][0]["code"]) == ("refused", "K116")
    assert [p.name for p in (path.parent / RETURN_FOLDER).iterdir()] == [f"{path.name}.理由.txt"]
    assert plaintext(tmp_path) == []
    assert len(numbers) == 30


def test_a_file_still_being_written_waits(tmp_path: Path) -> None:
    part = drop(tmp_path, "childcare_20260131_diff.csv.part", childcare("2026/01"))
    wrong = drop(tmp_path, "childcare_20260228_diff.csv", childcare("2026/02"))
    wrong.with_name(wrong.name + ".sha256").write_text("0" * 64)
    right = drop(tmp_path, "childcare_20260331_diff.csv", childcare("2026/03"), age=0)
    right.with_name(right.name + ".sha256").write_text(hashlib.sha256(right.read_bytes()).hexdigest() + "  x.csv\n")
    done = drop(tmp_path, "childcare_20260430_diff.csv", childcare("2026/04"), age=0)
    done.with_name(done.name + ".done").touch()
    assert [o["file"] for o in night(tmp_path)] == [right.name, done.name]
    assert sorted(p.name for p in part.parent.iterdir()) == [part.name, wrong.name, wrong.name + ".sha256"]
    later = receive_inbox(tmp_path, DEFINITIONS, NOW, wall=lambda: wrong.stat().st_mtime + 3600)
    assert [(o["status"], o["reasons"][0]["code"]) for o in later] == [("refused", "K107")]


KILLED = """
    import datetime as dt, os, sys
    from pathlib import Path
    from kizuki.app import desk, receive
    from kizuki.definitions.loader import Definitions, load_sources
    from kizuki.definitions.shipped import shipped_definitions
    from kizuki.engine import ledger, store
    left = int(sys.argv[2])
    def counted(real):
        def call(*args, **kwargs):
            global left
            left -= 1
            if left == 0:
                os._exit(9)
            return real(*args, **kwargs)
        return call
    os.fsync, os.replace = counted(os.fsync), counted(os.replace)
    Path.unlink = counted(Path.unlink)
    definitions = Definitions(sources=load_sources([shipped_definitions()]), version="test")
    receive.receive_inbox(Path(sys.argv[1]), definitions, dt.datetime(2026, 2, 1, 3, 0, tzinfo=dt.UTC))
"""


def _content(home: Path) -> dict[str, list[dict[str, Any]]]:
    keys = KeyRing.load(home)
    return {d.delivery: read_landing(home, keys, d.delivery).to_pylist() for d in accepted_deliveries(home)}


def test_killed_at_any_write_a_rerun_ends_the_same(tmp_path: Path) -> None:
    files = {f"childcare_2026{m:02d}28_diff.csv": childcare(f"2026/{m:02d}", rows=3) for m in (1, 2)}
    files |= {"childcare_20260330_diff.csv": b"\x89PNG\r\n", "childcare_20260331_diff.csv": childcare("2026/03", extra=",列")}
    calm = tmp_path / "calm"
    for name, data in files.items():
        drop(calm, name, data)
    night(calm)
    wanted = {k: sorted(str(r) for r in v) for k, v in _content(calm).items()}
    status = {e["file"]: e["status"] for e in standing(calm).values()}
    script = textwrap.dedent(KILLED)
    for step in range(1, 60, 3):
        home = tmp_path / f"killed-{step}"
        for name, data in files.items():
            drop(home, name, data)
        done = subprocess.run([sys.executable, "-c", script, str(home), str(step)], check=False, capture_output=True)
        night(home)
        assert {k: sorted(str(r) for r in v) for k, v in _content(home).items()} == wanted, step
        assert {e["file"]: e["status"] for e in standing(home).values()} == status, step
        assert plaintext(home) == [], step
        if done.returncode == 0:
            break
    else:
        pytest.fail("the run was never let through")


def test_a_held_file_waits_sealed_until_someone_decides(tmp_path: Path) -> None:
    receive_file(tmp_path, drop(tmp_path, "childcare_20260131_diff.csv", childcare("2026/01", 100)), CHILDCARE, BY_HAND)
    path = drop(tmp_path, "childcare_20260228_diff.csv", childcare("2026/02", 900))
    outcome = receive_file(tmp_path, path, CHILDCARE, BY_HAND)
    assert (outcome["status"], outcome["reasons"][0]["code"]) == ("held", "K114")
    assert [d.as_of.month for d in accepted_deliveries(tmp_path)] == [1]
    with pytest.raises(UsageError):
        release_held(tmp_path, SOURCES, outcome["delivery"], decision=" ", actor="長", at=NOW)
    told = release_held(tmp_path, SOURCES, outcome["delivery"], decision="R8-1", actor="長", at=NOW)
    assert (told["status"], told["rows"], told["delivery"]) == ("accepted", 900, outcome["delivery"])
    assert [d.as_of.month for d in accepted_deliveries(tmp_path)] == [1, 2]
    last = list(delivery_ledger(tmp_path).read())[-1]
    assert (last["event"], last["decision"], last["actor"]) == ("released", "R8-1", "長")
    assert list((tmp_path / "held").iterdir()) == []
    assert receive_file(tmp_path, path, CHILDCARE, BY_HAND)["status"] == "duplicate"


def test_a_held_file_can_be_sent_back_and_delivered_again(tmp_path: Path) -> None:
    path = drop(tmp_path, "childcare_20260228_diff.csv", childcare("2026/02", extra=",新しい列"))
    outcome = receive_file(tmp_path, path, CHILDCARE, BY_HAND)
    with pytest.raises(InputRefused) as error:
        release_held(tmp_path, SOURCES, outcome["delivery"], decision="R8-2", actor="長", at=NOW)
    assert error.value.code == "K143"
    return_held(tmp_path, outcome["delivery"], decision="出し直し", actor="長", at=NOW)
    assert list((tmp_path / "held").iterdir()) == []
    with pytest.raises(UsageError):
        return_held(tmp_path, outcome["delivery"], decision="出し直し", actor="長", at=NOW)
    assert receive_file(tmp_path, path, CHILDCARE, BY_HAND)["status"] == "held"


def test_a_new_layout_lets_a_held_file_in(tmp_path: Path) -> None:
    path = drop(tmp_path, "childcare_20260228_diff.csv", childcare("2026/02", extra=",新しい列"))
    outcome = receive_file(tmp_path, path, CHILDCARE, BY_HAND)
    old = CHILDCARE.layouts[0]
    wider = old.model_copy(update={"id": "v2", "header": (*CHILDCARE.titles(old), "新しい列"), "ignored": ("新しい列",)})
    changed = {"childcare": CHILDCARE.model_copy(update={"layouts": (old, wider)})}
    assert release_held(tmp_path, changed, outcome["delivery"], decision="R8-3", actor="長", at=NOW)["layout"] == "v2"
    assert read_landing(tmp_path, KeyRing.load(tmp_path), outcome["delivery"]).num_rows == 5


def test_two_cannot_receive_at_once(tmp_path: Path) -> None:
    from kizuki.engine.lock import exclusive

    path = drop(tmp_path, "childcare_20260131_diff.csv", childcare("2026/01"))
    with exclusive(tmp_path / "ledger" / "receive.lock"), pytest.raises(RunFailed):
        receive_file(tmp_path, path, CHILDCARE, BY_HAND)


def test_quarantined_lines_are_sealed_with_their_reasons(tmp_path: Path) -> None:
    data = childcare("2026/01", 50).replace("2号".encode("cp932"), "9号".encode("cp932"), 2)
    outcome = receive_file(tmp_path, drop(tmp_path, "childcare_20260131_diff.csv", data), CHILDCARE, BY_HAND)
    assert (outcome["status"], outcome["quarantined"]) == ("accepted", 2)
    rows = read_quarantine(tmp_path, KeyRing.load(tmp_path), outcome["delivery"]).to_pylist()
    assert [(r["line"], r["column"], r["code"]) for r in rows] == [(2, "認定区分", "K123"), (3, "認定区分", "K123")]
    assert MARK in rows[0]["row"]
    assert MARK not in (tmp_path / "ledger" / "deliveries.jsonl").read_text(encoding="utf-8")


def test_a_trial_by_a_draft_reaches_no_stage(tmp_path: Path) -> None:
    path = drop(tmp_path, "childcare_20260131_diff.csv", childcare("2026/01"))
    outcome = receive_file(tmp_path, path, CHILDCARE, BY_HAND, trial=True)
    assert outcome["status"] == "accepted"
    assert accepted_deliveries(tmp_path) == []
    assert receive_file(tmp_path, path, CHILDCARE, BY_HAND, trial=True)["status"] == "duplicate"
    assert receive_file(tmp_path, path, CHILDCARE, BY_HAND)["status"] == "accepted"


# 補正 ---------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def corrected(tmp_path: Path) -> tuple[Path, str]:
    path = drop(tmp_path, "childcare_20260131_diff.csv", childcare("2026/01"))
    return tmp_path, receive_file(tmp_path, path, CHILDCARE, BY_HAND)["delivery"]


def _correct(home: Path, place: corrections.Place, value: str, day: int) -> corrections.Correction:
    at = dt.datetime(2026, 2, day, tzinfo=dt.UTC)
    return corrections.correct(home, CHILDCARE, place, value, reason="電話で確認", actor="職員", at=at)


def _in_force(home: Path, day: int) -> list[tuple[str, dt.date]]:
    table = corrections.corrections_table(home, KeyRing.load(home), "childcare", until=dt.date(2026, 2, day))
    return [] if table is None else [(r["value"], r["corrected_on"]) for r in table.to_pylist()]


def test_a_correction_is_known_from_its_day_and_can_be_withdrawn(corrected: tuple[Path, str]) -> None:
    home, delivery = corrected
    place = corrections.Place(delivery, 3, "facility")
    first = _correct(home, place, MARK, 5)
    second = _correct(home, place, "別の園", 8)
    assert _in_force(home, 4) == []
    assert _in_force(home, 6) == [(MARK, dt.date(2026, 2, 5))]
    assert _in_force(home, 9) == [("別の園", dt.date(2026, 2, 8))]
    with pytest.raises(UsageError):  # replaced, so no longer in force
        corrections.undo(home, first.id, reason="誤り", actor="職員", at=NOW)
    corrections.undo(home, second.id, reason="誤り", actor="職員", at=dt.datetime(2026, 2, 10, tzinfo=dt.UTC))
    assert _in_force(home, 11) == []
    assert _in_force(home, 9) == [("別の園", dt.date(2026, 2, 8))]
    assert len(corrections.all_corrections(home, KeyRing.load(home))) == 3
    (home / "inbox" / "childcare" / "childcare_20260131_diff.csv").unlink()
    assert plaintext(home) == []
    with pytest.raises(UsageError):
        corrections.undo(home, second.id, reason="誤り", actor="職員", at=NOW)


@pytest.mark.parametrize(
    ("line", "field", "value"),
    [
        (99, "facility", "x"),
        (3, "child_no", "1"),
        (3, "nothing", "x"),
        (3, "facility", ""),
        (3, "certification", "9号"),
        (3, "days_absent", "多い"),
    ],
)
def test_a_correction_passes_the_same_checks(corrected: tuple[Path, str], line: int, field: str, value: str) -> None:
    home, delivery = corrected
    with pytest.raises((UsageError, InputRefused)):
        _correct(home, corrections.Place(delivery, line, field), value, 5)
    with pytest.raises(UsageError):
        _correct(home, corrections.Place("nowhere", 3, "facility"), "x", 5)


# 鮮度 ---------------------------------------------------------------------------------------------------------------------


def test_freshness_says_off_never_late_and_fresh(tmp_path: Path) -> None:
    receive_file(tmp_path, drop(tmp_path, "childcare_20260131_diff.csv", childcare("2026/01")), CHILDCARE, BY_HAND)
    rows = {r["source"]: r for r in feed_table(tmp_path, SOURCES, dt.date(2026, 2, 20)).to_pylist()}
    assert len(rows) == 16
    assert rows["municipal_tax"]["state"] == "off"
    assert rows["resident_register"]["state"] == "never"
    assert (rows["childcare"]["state"], rows["childcare"]["rows"]) == ("fresh", 5)
    assert feed_state(CHILDCARE, dt.date(2026, 1, 31), dt.date(2026, 3, 13)) == "fresh"
    assert feed_state(CHILDCARE, dt.date(2026, 1, 31), dt.date(2026, 3, 14)) == "late"
    before = {r["source"]: r for r in feed_table(tmp_path, SOURCES, dt.date(2026, 1, 30)).to_pylist()}
    assert before["childcare"]["state"] == "never"


# 書き出し -----------------------------------------------------------------------------------------------------------------


def test_an_export_carries_states_and_is_recorded_first(tmp_path: Path) -> None:
    path = drop(tmp_path, "childcare_20260131_diff.csv", childcare("2026/01", facility="=1+1"))
    delivery = receive_file(tmp_path, path, CHILDCARE, BY_HAND)["delivery"]
    events: list[dict[str, Any]] = []
    out = export_delivery(tmp_path, SOURCES, delivery, form="csv", record=lambda **e: events.append(e)).decode("utf-8-sig")
    header, first = out.splitlines()[:2]
    assert header.startswith("_line,month,child_no,certification,facility,hours,hours_state")
    assert "'=1+1" in first and first.endswith(",zero,0,known")
    assert (events[0]["count"], events[0]["reason"]) == (5, f"source export {delivery}")
    exact = export_delivery(tmp_path, SOURCES, delivery, form="csv", record=lambda **e: None, exact=True).decode("utf-8-sig")
    assert ",=1+1," in exact

    def refuse(**_: Any) -> None:
        raise RunFailed("K703", "操作ログに書けません。")

    with pytest.raises(RunFailed):
        export_delivery(tmp_path, SOURCES, delivery, form="parquet", record=refuse)
