"""The app database in production is PostgreSQL: every page as every user, and a log the database itself defends."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.postgresql import running, server_folder

pytestmark = pytest.mark.skipif(server_folder() is None, reason="PostgreSQL is not installed")
ROOT = Path(__file__).resolve().parents[2]
PERSONS = "3"
ATTACKS = (
    "UPDATE records_auditevent SET actor = 'x'",
    "DELETE FROM records_auditevent WHERE seq = 2",
    "TRUNCATE records_auditevent CASCADE",
    "UPDATE records_auditsubject SET subject = 'x'",
    "DELETE FROM records_auditsubject",
    "TRUNCATE records_auditsubject",
)


def test_the_whole_product_runs_on_it_and_its_log_cannot_be_changed(used_home: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(used_home, home, ignore=shutil.ignore_patterns("app.db*", "audit", "crawl.jsonl"))
    with running() as url:
        lines = [
            json.loads(x) for x in _driven("tests.integration.night_and_crawl", str(home), PERSONS, database=url).splitlines()
        ]
        summary = lines.pop()
        assert [line for line in lines if line["status"] >= 500] == []
        assert summary["log"] is True and summary["events"] > summary["pages"] / 2
        answers = json.loads(_driven("tests.integration.attack_the_log", str(home), *ATTACKS, database=url))
    assert answers["refused"] == [True] * len(ATTACKS)
    assert answers["log"] is True and answers["events"] == summary["events"]


def _driven(module: str, *arguments: str, database: str) -> str:
    """A driver in a process of its own on that database; what it printed."""
    environment = os.environ | {"PYTHONPATH": f"{ROOT}/src{os.pathsep}{ROOT}", "KIZUKI_DATABASE_URL": database}
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout
