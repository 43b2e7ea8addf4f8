"""kill −9 at random points of every step of 1,000 notices: run again it converges, 0 twice, 0 lost (G8)."""

import os
import random
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COUNT = 1000


def start(home: Path, step: str) -> subprocess.Popen[str]:
    environ = os.environ | {"PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"}
    environ.pop("DJANGO_SETTINGS_MODULE", None)
    command = [sys.executable, "-m", "tests.integration.notice_driver", str(home), step]
    return subprocess.Popen(command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def killed_after(home: Path, step: str, seconds: float) -> None:
    """Start the step and kill −9 it so long after its work has begun."""
    with start(home, step) as process:
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(seconds)
        process.kill()


def finished(home: Path, step: str) -> None:
    with start(home, step) as process:
        _, complaint = process.communicate(timeout=120)
    assert process.returncode == 0, complaint[-2000:]


def test_killed_anywhere_nothing_is_sent_twice_or_lost(tmp_path: Path) -> None:
    lot = random.Random(20261127)
    for step in ("approve", "hand", "take_in"):
        for _ in range(3):
            killed_after(tmp_path, step, lot.uniform(0.0, 0.6))
        finished(tmp_path, step)
    with sqlite3.connect(tmp_path / "app.db") as database:
        rows = database.execute("SELECT notice_id, retry_key, household_id, status FROM records_notice").fetchall()
        accepted = database.execute("SELECT COUNT(*) FROM records_noticeevent WHERE status = 'accepted'").fetchone()[0]
    assert len(rows) == len({r[0] for r in rows}) == len({r[1] for r in rows}) == len({r[2] for r in rows}) == COUNT
    assert {r[3] for r in rows} == {"accepted"} and accepted == COUNT
