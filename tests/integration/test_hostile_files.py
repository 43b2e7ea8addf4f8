"""Files nobody should send: each is named a reason, none is lost, and none stops the others or touches what is served."""

import datetime as dt
import gzip
import io
import os
import threading
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest

from kizuki.app.deliveries import delivery_ledger, read_quarantine
from kizuki.app.receive import receive_inbox
from kizuki.definitions.loader import load_definitions
from kizuki.definitions.shipped import shipped_definitions
from kizuki.engine.keys import KeyRing
from kizuki.sources.mynumber import passes

NOW = dt.datetime(2026, 11, 20, 22, tzinfo=dt.UTC)
DEFINITIONS = load_definitions(shipped_definitions())
CARE = DEFINITIONS.sources["childcare"]
HEADER = ",".join(CARE.titles(CARE.layouts[0]))
GOOD_NAME = "childcare_20261031_diff.csv"
MYNUMBERS = [n for n in (f"{i * 7919:012d}" for i in range(13, 2000)) if passes(n)][:25]


def rows(count: int, first: int = 1) -> str:
    return "".join(f"2026/10,{n},1号,さくら園,標準,B2,0,1\r\n" for n in range(first, first + count))


def care(count: int = 30, header: str = HEADER, first: int = 1) -> bytes:
    return f"{header}\r\n{rows(count, first)}".encode("cp932")


def zipped() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as z:
        z.writestr(GOOD_NAME, care())
    return out.getvalue()


def drop(home: Path, name: str, data: bytes, source: str = "childcare") -> Path:
    folder = home / "inbox" / source
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)
    return folder / name


def night(home: Path, later: float = 3600) -> dict[str, dict[str, Any]]:
    """One receipt as if every file had been lying there; outcomes by file name."""
    found = receive_inbox(home, DEFINITIONS, NOW, wall=lambda: time.time() + later)
    for outcome in found:
        told = outcome["accepted"] + outcome["quarantined"] + outcome["declared"]
        assert outcome["lines"] == told
        for reason in outcome["reasons"]:
            assert reason["code"].startswith("K1") and any("ぁ" <= c <= "ん" for c in reason["message"]) and reason["fix"]
    return {outcome["file"]: outcome for outcome in found}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home that serves a snapshot."""
    (tmp_path / "snapshots").mkdir()
    (tmp_path / "snapshots" / "CURRENT").write_text("20261119-abc", encoding="ascii")
    return tmp_path


HOSTILE = {
    "png": (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8, "refused", "K102"),
    "zip": (zipped(), "refused", "K102"),
    "gzip-bomb": (gzip.compress(bytes(20 << 20)), "refused", "K102"),
    "elf": (b"\x7fELF\x02\x01\x01" + bytes(500), "refused", "K102"),
    "script": (b"#!/bin/sh\nrm -rf /\n", "refused", "K102"),
    "html": (b"<!DOCTYPE html><html><body>404</body></html>", "refused", "K102"),
    "empty": (b"", "refused", "K101"),
    "blank-lines": (b"\r\n\r\n  \r\n", "refused", "K101"),
    "giant-line": (care(1) + b"x" * (5 << 20), "refused", "K102"),
    "giant-header": (b"x" * (5 << 20), "refused", "K102"),
    "utf-16": (f"{HEADER}\r\n{rows(3)}".encode("utf-16"), "refused", "K103"),
    "utf-16-no-bom": ("abc,def\r\n".encode("utf-16-le") * 50, "refused", "K103"),
    "binary": (bytes(range(1, 256)) * 40, "refused", "K102"),
    "utf-8-for-cp932": (f"{HEADER}\r\n{rows(30)}".encode(), "held", "K110"),
    "bom-before-cp932": (b"\xef\xbb\xbf" + care(), "held", "K110"),
    "changed-header": (care(header=HEADER.replace("施設", "園名")), "held", "K110"),
    "no-header": (rows(30).encode("cp932"), "held", "K110"),
    "mynumber-header": (care(header=HEADER + ",個人番号"), "refused", "K116"),
    "mynumber-column": (
        care(0) + "".join(f"2026/10,1,1号,園,標準,{n},0,1\r\n" for n in MYNUMBERS).encode("cp932"), "refused", "K116",
    ),
    "mixed-encodings": (care(5) + rows(30).encode("utf-8"), "held", "K112"),
}  # fmt: skip


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_file_gets_its_reason_and_harms_nothing(home: Path, kind: str) -> None:
    data, status, code = HOSTILE[kind]
    drop(home, "childcare_20261030_diff.csv", data)
    drop(home, GOOD_NAME, care())

    outcomes = night(home)

    bad = outcomes["childcare_20261030_diff.csv"]
    assert (bad["status"], bad["reasons"][0]["code"]) == (status, code)
    assert (outcomes[GOOD_NAME]["status"], outcomes[GOOD_NAME]["rows"]) == ("accepted", 30)
    assert (home / "snapshots" / "CURRENT").read_text(encoding="ascii") == "20261119-abc"
    note = home / "inbox" / "childcare" / "返却" / "childcare_20261030_diff.csv.理由.txt"
    assert note.exists() == (status == "refused")
    if status == "held":
        assert (home / "held" / f"{bad['delivery']}.bin").stat().st_size > len(data)
    if code == "K116":
        assert not note.with_name("childcare_20261030_diff.csv.sealed").exists()
        assert not any(n in note.read_text(encoding="utf-8") for n in MYNUMBERS)


def test_only_a_header_is_an_empty_delivery(home: Path) -> None:
    drop(home, GOOD_NAME, care(0))
    outcome = night(home)[GOOD_NAME]
    assert (outcome["status"], outcome["rows"], outcome["declared"]) == ("accepted", 0, 1)


def test_bad_lines_are_set_aside_and_the_rest_is_taken(home: Path) -> None:
    bad = b"2026/10,900,1\x8d\x86,\x00,,,,\r\n2026/10,901,\xff,,,,,\r\n2026/10,902\r\n"
    secret = f"2026/10,903,1号,番号は{MYNUMBERS[0]}です,標準,,0,1\r\n".encode("cp932")
    drop(home, GOOD_NAME, care() + bad + secret)
    outcome = night(home)[GOOD_NAME]
    assert (outcome["status"], outcome["accepted"], outcome["quarantined"]) == ("accepted", 30, 4)
    assert [r["code"] for r in outcome["reasons"]] == ["K133", "K132", "K130", "K117"]
    kept = read_quarantine(home, KeyRing.load(home), outcome["delivery"])["row"].to_pylist()
    assert kept[2] == "2026/10,902" and kept[3] is None


STRANGE_NAMES = [
    "改 行\n.csv",
    "x..csv",
    "'; drop.csv",
    "a" * 250 + ".csv",
    "あ" * 83 + ".csv",
    os.fsdecode(b"\xff\xfe.csv"),
    "con.csv",
]


@pytest.mark.parametrize("name", STRANGE_NAMES, ids=range(len(STRANGE_NAMES)))
def test_a_strange_name_is_refused_and_harms_nothing(home: Path, name: str) -> None:
    try:
        drop(home, name, care())
    except OSError:
        pytest.skip("this file system has no such names")
    drop(home, GOOD_NAME, care())
    outcomes = night(home)
    strange = next(o for n, o in outcomes.items() if n != GOOD_NAME)
    assert (strange["status"], strange["reasons"][0]["code"]) == ("refused", "K104")
    assert outcomes[GOOD_NAME]["status"] == "accepted"
    assert len(list((home / "inbox" / "childcare" / "返却").glob("*.理由.txt"))) == 1
    assert [p.name for p in (home / "inbox" / "childcare").iterdir()] == ["返却"]


def test_what_is_no_finished_file_is_left_alone(home: Path) -> None:
    target = home / "elsewhere.csv"
    target.write_bytes(care())
    folder = drop(home, GOOD_NAME, care()).parent
    (folder / "childcare_20260930_diff.csv").symlink_to(target)
    (folder / "childcare_20260831_diff.csv").mkdir()
    drop(home, "childcare_20260731_diff.csv.part", care())
    assert list(night(home)) == [GOOD_NAME]
    assert target.read_bytes() == care() and len(list(folder.iterdir())) == 3


def test_a_growing_file_waits_for_the_next_run(home: Path) -> None:
    growing = drop(home, GOOD_NAME, care())
    stop = threading.Event()

    def grow() -> None:
        while not stop.wait(0.05):
            with open(growing, "ab") as f:
                f.write(b"2026/10,99,")

    writer = threading.Thread(target=grow)
    writer.start()
    try:
        assert night(home, later=0) == {}
    finally:
        stop.set()
        writer.join()
    assert growing.exists()


def test_an_unreadable_file_is_told_and_left_in_place(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    locked = drop(home, "childcare_20260930_diff.csv", care())
    drop(home, GOOD_NAME, care())
    read = Path.read_bytes

    def denied(path: Path) -> bytes:
        if path == locked:
            raise PermissionError(13, "denied")
        return read(path)

    with monkeypatch.context() as m:
        m.setattr(Path, "read_bytes", denied)
        outcomes = night(home)
    assert outcomes[locked.name]["reasons"][0]["code"] == "K106"
    assert outcomes[GOOD_NAME]["status"] == "accepted" and locked.read_bytes() == care()


def test_the_same_file_twice_is_a_duplicate(home: Path) -> None:
    for expected in ("accepted", "duplicate"):
        drop(home, GOOD_NAME, care())
        assert night(home)[GOOD_NAME]["status"] == expected
    assert [e["status"] for e in delivery_ledger(home).read()] == ["accepted", "duplicate"]


@pytest.mark.parametrize(
    ("before", "after", "code"),
    [
        ((GOOD_NAME, 30), ("childcare_20260930_diff.csv", 30), "K113"),
        (("childcare_20260930_full.csv", 100), ("childcare_20261031_full.csv", 300), "K114"),
        (("childcare_20260930_diff.csv", 1000), ("childcare_20261031_diff.csv", 10), "K114"),
        (("childcare_20260930_full.csv", 100), ("childcare_20261031_full.csv", 80), "K115"),
    ],
)
def test_a_delivery_that_does_not_follow_is_held(
    home: Path, before: tuple[str, int], after: tuple[str, int], code: str
) -> None:
    drop(home, before[0], care(before[1]))
    assert night(home)[before[0]]["status"] == "accepted"
    drop(home, after[0], care(after[1]))
    outcome = night(home)[after[0]]
    assert (outcome["status"], outcome["reasons"][0]["code"]) == ("held", code)
