"""Three real municipal files, drafted and received: no line lost, no value altered. Skipped where the files are not at hand."""

import csv
import datetime as dt
import io
from pathlib import Path

import pytest

from kizuki.app.deliveries import read_landing
from kizuki.app.desk import Handover
from kizuki.app.drafting import draft_file
from kizuki.app.receive import receive_file
from kizuki.definitions.loader import load_manifest
from kizuki.engine.keys import KeyRing
from tests.repo.source_tree import ROOT

REAL = ROOT.parent / "shared" / "real"
FILES = {
    "hachioji_nurseryFacilities.csv": "utf-8",
    "muroran_nurseryData.csv": "cp932",
    "toyama_nurseryFacilities.csv": "utf-8-sig",
}

pytestmark = pytest.mark.skipif(not REAL.is_dir(), reason="the real files are not part of the project")


@pytest.mark.parametrize("name", FILES)
def test_a_real_file_is_drafted_and_received_whole(name: str, tmp_path: Path) -> None:
    draft = tmp_path / "draft.yaml"
    draft.write_text(draft_file(REAL / name, {}), encoding="utf-8")
    manifest = load_manifest(draft)
    home = tmp_path / "home"
    outcome = receive_file(home, REAL / name, manifest, Handover("試験", "upload", dt.datetime(2026, 4, 1, tzinfo=dt.UTC)))
    independent = list(csv.reader(io.StringIO((REAL / name).read_bytes().decode(FILES[name]), newline="")))
    assert (outcome["status"], outcome["quarantined"], outcome["declared"]) == ("accepted", 0, 1)
    assert outcome["rows"] == len(independent) - 1
    table = read_landing(home, KeyRing.load(home), outcome["delivery"])
    assert list(manifest.titles(manifest.layouts[0])) == independent[0]
    received = [list(row.values())[1:] for row in table.to_pylist()]
    assert received == independent[1:]
