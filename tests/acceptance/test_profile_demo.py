"""A profile runs from the first command on: its sources only, its difficulties only, remembered by the home."""

import json
from pathlib import Path

import pytest

from tests.acceptance.test_demo import _kizuki

SETS = [("aizumisato", {"school_maladjustment"}), ("toda", {"absence", "poverty", "abuse"})]


@pytest.mark.parametrize(("profile", "judged"), SETS)
def test_the_demo_of_a_profile(tmp_path: Path, profile: str, judged: set[str]) -> None:
    home = tmp_path / "var"
    words = ("demo", "--people", "1200", "--no-serve", "--json", "--home", str(home), "--profile", profile)
    done = _kizuki(*words)
    assert done.returncode == 0, done.stderr[-2000:]
    told = json.loads(done.stdout)
    assert told["snapshot"] and told["children"] > 0
    exported = _kizuki("judge", "export", "--home", str(home))
    assert {json.loads(line)["criteria"] for line in exported.stdout.splitlines()} == judged
    again = _kizuki(*words[:-1], "izumi")
    assert again.returncode == 2 and "K407" in again.stderr


def test_an_unknown_profile_makes_no_city(tmp_path: Path) -> None:
    done = _kizuki("demo", "--people", "300", "--no-serve", "--home", str(tmp_path / "var"), "--profile", "atlantis")
    assert done.returncode == 3 and "K808" in done.stderr
    assert not (tmp_path / "var" / "inbox").exists()
