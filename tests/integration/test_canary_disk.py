"""G7: after a night and a day of use, no personal text lies on disk in the clear — and the scan that says so can find one."""

import base64
import os
from pathlib import Path

import pytest

from kizuki.engine.keys import KeyRing
from tests.canaries import Canary, Found, read_canaries, scan, writings

MARK = Canary("T1", "address_extra", "マーカー荘D4N5-101")


@pytest.mark.parametrize("encoding", ["utf-8", "cp932", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("shift", range(3))
@pytest.mark.parametrize("coded", [False, True])
def test_the_scan_finds_every_writing_at_every_place(encoding: str, shift: int, coded: bool, tmp_path: Path) -> None:
    body = os.urandom(3000) + b"x" * shift + MARK.marker.encode(encoding) + os.urandom(999)
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "c.bin").write_bytes(base64.b64encode(body[3000:]) if coded else body)
    found = scan(tmp_path, [MARK])
    assert any(encoding in f.writing and ("base64" in f.writing) == coded for f in found)


def test_the_scan_reads_file_names_and_leaves_the_citys_own_folders_out(tmp_path: Path) -> None:
    for folder in ("truth", "inbox", "landing"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / f"{MARK.marker}.txt").write_text("", encoding="utf-8")
    assert {f.path.split("/")[0] for f in scan(tmp_path, [MARK])} == {"landing"}


def test_sealed_bytes_carry_no_writing(tmp_path: Path) -> None:
    keys = KeyRing(b"k" * 32)
    (tmp_path / "held.bin").write_bytes(keys.seal(b"".join(text for _, text in writings(MARK.marker)), "held"))
    assert scan(tmp_path, [MARK]) == []


@pytest.mark.slow
def test_no_canary_on_disk_after_a_night_and_a_day(used_home: Path) -> None:
    canaries = read_canaries(used_home)
    assert len(canaries) >= 40
    places = {p.parts[0] for p in (f.relative_to(used_home) for f in used_home.rglob("*") if f.is_file())}
    assert {"landing", "snapshots", "cache", "ledger", "app.db", "audit"} <= places
    found: list[Found] = scan(used_home, canaries)
    assert found == []
