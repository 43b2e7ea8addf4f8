"""`clean audit`: the distinct writings of one source leave by the command line only, recorded before they do."""

import csv
import io
from pathlib import Path
from typing import Any

import pytest

from kizuki.cli.main import app, call


@pytest.fixture
def run(tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> Any:
    """Run a verb in a home of its own; returns exit code, standard output and standard error."""

    def verb(*words: str) -> tuple[int, str, str]:
        code = call(lambda: app([*words, "--home", str(tmp_path / "home")], standalone_mode=False))
        told = capsysbinary.readouterr()
        return code, told.out.decode("utf-8-sig"), told.err.decode()

    return verb


@pytest.fixture
def events(app_home: Path, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What was recorded, without a database of its own."""
    from kizuki.app import release, startup

    told: list[dict[str, Any]] = []
    monkeypatch.setattr(startup, "open_app", lambda home: None)
    monkeypatch.setattr(release, "record_output", lambda actor, action, **event: told.append(event | {"action": action}))
    return told


def childcare(tmp_path: Path) -> str:
    path = tmp_path / "childcare_20260131_diff.csv"
    head = "対象年月,児童宛名番号,認定区分,施設,必要時間,階層,滞納月数,欠席日数"
    rows = [f"2026/01,{n:010d},2号,園,標準,D1,,１" for n in range(5)] + ["令和8年1月,77,2号,=1+1,標準,D1,,2"]
    path.write_bytes("\r\n".join([head, *rows, ""]).encode("cp932"))
    return str(path)


def test_writings_are_written_out_with_what_became_of_them(run: Any, tmp_path: Path, events: list[dict[str, Any]]) -> None:
    assert run("source", "receive", childcare(tmp_path), "--source", "childcare")[0] == 0
    code, out, _ = run("clean", "audit", "childcare")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert code == 0
    assert (events[0]["action"], events[0]["subjects"], events[0]["count"]) == (
        "source.export",
        ["childcare/writings"],
        len(rows),
    )
    found = {(r["field"], r["raw"]): (r["clean"], r["flags"]) for r in rows}
    assert found["days_absent", "１"] == ("1", "全角・半角をそろえた")
    assert all(r["flags"] for r in rows)
    narrowed = list(csv.DictReader(io.StringIO(run("clean", "audit", "childcare", "--flag", "leading_zero")[1])))
    assert [(r["raw"], r["clean"]) for r in narrowed] == [("77", "0000000077")]
    one = list(csv.DictReader(io.StringIO(run("clean", "audit", "childcare", "--field", "facility", "--every")[1])))
    assert {r["raw"] for r in one} == {"園", "'=1+1"}, "a spreadsheet must not run a name"
    target = tmp_path / "writings.csv"
    assert run("clean", "audit", "childcare", "--out", str(target))[1] == ""
    assert target.read_bytes().startswith(b"\xef\xbb\xbf")


def test_what_cannot_be_asked_is_refused_and_says_what_to_do(run: Any, events: list[dict[str, Any]]) -> None:
    assert "K203" in run("clean", "audit", "childcare")[2]
    code, _, told = run("clean", "audit", "childcare", "--flag", "nonsense")
    assert code == 2 and "K204" in told and "gaiji_unknown" in told
    assert not events
