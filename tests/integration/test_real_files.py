"""Three real municipal files, drafted and received by the commands staff use: no row lost, no value altered.

The files are open data kept beside the project, not in it; without them these tests are skipped.
"""

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from kizuki.app.deliveries import read_landing
from kizuki.definitions.yaml import read_yaml
from kizuki.engine.keys import KeyRing
from tests.repo.source_tree import ROOT

REAL = ROOT.parent / "shared" / "real"
FILES = {
    "muroran_nurseryData.csv": "cp932",
    "hachioji_nurseryFacilities.csv": "utf-8-sig",
    "toyama_nurseryFacilities.csv": "utf-8-sig",
}
pytestmark = pytest.mark.skipif(not REAL.is_dir(), reason="実在の施設ファイルが隣にない")


def _kizuki(*words: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run([sys.executable, "-m", "kizuki.cli", *words], capture_output=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def _independent(path: Path, encoding: str) -> tuple[list[str], list[list[str]]]:
    rows = list(csv.reader(io.StringIO(path.read_bytes().decode(encoding), newline="")))
    return rows[0], [row for row in rows[1:] if row]


@pytest.mark.parametrize("name", FILES)
def test_a_real_file_is_drafted_and_received_whole(name: str, tmp_path: Path) -> None:
    manifest, home = tmp_path / "draft.yaml", tmp_path / "home"
    manifest.write_text(_kizuki("source", "draft", str(REAL / name)), encoding="utf-8")
    words = ("source", "receive", str(REAL / name), "--manifest", str(manifest), "--home", str(home), "--json")
    outcome = json.loads(_kizuki(*words))

    header, rows = _independent(REAL / name, FILES[name])
    assert outcome["status"] == "accepted"
    assert outcome["quarantined"] == 0
    assert outcome["accepted"] == len(rows)
    assert outcome["lines"] == outcome["accepted"] + outcome["quarantined"] + outcome["declared"]

    landed = read_landing(home, KeyRing.load(home), outcome["delivery"])
    names = _columns(manifest)
    assert [names[title] for title in header] == [c for c in landed.column_names if c != "_line"]
    got = landed.sort_by("_line").drop_columns(["_line"]).to_pydict().values()
    assert [["" if v is None else v for v in row] for row in zip(*got, strict=True)] == rows


def _columns(manifest: Path) -> dict[str, str]:
    """Title → column name, read from the draft's own text."""
    assert read_yaml(manifest)
    found = {}
    for line in manifest.read_text(encoding="utf-8").splitlines():
        if line.startswith("  - {名: "):
            name = line.removeprefix("  - {名: ").split(",")[0]
            title = json.loads(line.split("見出し: ")[1].split(", 型")[0])
            found[title] = name
    return found
