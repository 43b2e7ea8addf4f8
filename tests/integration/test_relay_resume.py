"""A core put back from a copy of its home joins its relay again: nothing twice, nothing lost, every withdrawal kept."""

import datetime as dt
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.integration.resume_driver import COUNT, number
from tests.line_double import Faults, LineDouble

ROOT = Path(__file__).resolve().parents[2]
DAY = dt.datetime(2026, 11, 25, tzinfo=dt.timezone(dt.timedelta(hours=9)))  # a Wednesday
FIRST, SECOND = "school_aid", "medical_single_parent"
WITHDRAWN = [number(n) for n in range(5)]


@dataclass
class World:
    """A core's home, a relay's home, LINE, and whoever carries files between them."""

    place: Path
    line: LineDouble

    def __post_init__(self) -> None:
        self.core, self.relay, self.copy = (self.place / name for name in ("core", "relay", "copy"))

    def step(self, role: str, at: dt.datetime, step: str, *more: str) -> Any:
        environ = {
            **os.environ,
            "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}",
            "KIZUKI_LINE_HOST": self.line.host,
        }
        environ.pop("DJANGO_SETTINGS_MODULE", None)
        home = self.core if role == "core" else self.relay
        command = [sys.executable, "-m", "tests.integration.resume_driver", role, str(home), at.isoformat(), step, *more]
        done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False, timeout=300)
        assert done.returncode == 0, done.stderr[-3000:]
        return json.loads(done.stdout)

    def carry(self) -> None:
        for here, there in ((self.core / "relay" / "out", self.relay / "in"), (self.relay / "out", self.core / "relay" / "in")):
            there.mkdir(parents=True, exist_ok=True)
            for path in sorted(here.glob("*.kzr")):
                shutil.move(path, there / path.name)

    def trade(self, at: dt.datetime) -> list[str]:
        """Core, carry, relay, carry, core: what either side refused."""
        refused = list(self.step("core", at, "exchange")["refused"])
        self.carry()
        refused += self.step("relay", at, "exchange")
        self.carry()
        return refused + list(self.step("core", at, "exchange")["refused"])

    def put_back(self) -> None:
        shutil.rmtree(self.core)
        shutil.copytree(self.copy, self.core)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """After a morning's work the core is lost and a copy of the early morning put back.

    Since the copy: thirty notices about one programme went, four people withdrew on LINE and one on paper, a new recipient
    linked, and of twenty-five notices about a second programme twelve went and thirteen wait at the relay.
    """
    with LineDouble(faults=Faults(cut=7)) as line:
        found = World(tmp_path, line)
        script = f"from tests.relay_driver import prepare; prepare(__import__('pathlib').Path({str(found.relay)!r}), {[number(n) for n in range(COUNT)]!r})"  # noqa: E501
        environ = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"}
        environ.pop("DJANGO_SETTINGS_MODULE", None)
        subprocess.run([sys.executable, "-c", script], cwd=ROOT, env=environ, check=True, capture_output=True)
        morning(found)
        yield found
    assert line.wrong == []


def morning(world: World) -> None:
    def at(hour: int, minute: int) -> dt.datetime:
        return DAY.replace(hour=hour, minute=minute)

    world.step("core", at(10, 0), "set_up")
    (world.core / "relay").mkdir()
    shutil.copy(world.relay / "relay.pub", world.core / "relay" / "relay.pub")
    assert world.step("core", at(10, 0), "batch", FIRST) == COUNT
    assert world.step("core", at(10, 5), "exchange")["written"] == 1
    shutil.copy(world.core / "relay" / "core.pub", world.relay / "core.pub")
    world.carry()
    shutil.copytree(world.core, world.copy)
    assert world.trade(at(10, 20)) == []
    for minute in (30, 40, 50):
        world.step("relay", at(10, minute), "send", "99")
    world.step("core", at(10, 51), "on_paper")
    assert world.trade(at(10, 53)) == []
    world.step("relay", at(10, 55), "residents")
    assert world.trade(at(10, 58)) == []
    assert world.step("core", at(11, 0), "batch", SECOND) == COUNT - len(WITHDRAWN)
    assert world.trade(at(11, 15)) == []
    assert world.step("relay", at(11, 20), "send", "12") == 12
    assert world.trade(at(11, 25)) == []
    assert len(world.line.deliveries) == COUNT + 12
    world.put_back()


def joined(world: World, at: dt.datetime) -> dict[str, Any]:
    """Two people join the core again by the relay's state; what it came to."""
    world.step("relay", at, "state")
    state = str(world.relay / "state.kzs")
    asked = world.step("core", at, "resume", state, "it")
    assert asked.pop("done") is False
    assert world.step("core", at, "resume", state, "it") == "K701", "one person alone cannot"
    assert world.step("core", at, "resume", state, "notice_officer") == "K701"
    done = world.step("core", at, "resume", state, "steering")
    assert done.pop("done") is True and done == asked
    assert world.step("core", at, "resume", state, "it") == "K668", "not a second time"
    return {name: count for name, count in done.items() if count}


@pytest.mark.slow
@pytest.mark.parametrize("noticed", ["at once", "by the relay's refusal"])
def test_nothing_goes_twice_nothing_is_lost_and_withdrawals_stand(world: World, noticed: str) -> None:
    noon = DAY.replace(hour=11, minute=40)
    if noticed == "by the relay's refusal":
        assert any("K654" in said for said in world.trade(noon)), "its sequence is behind the relay's"
    found = joined(world, noon)
    assert found["kept_silent"] == 1, "the one on paper, of whom nothing else is left"
    assert (found["unknown_notices"], found["unknown_recipients"], found["unknown_codes"]) == (25, 1, 1)
    if noticed == "at once":
        assert found["found_handed"] == COUNT
    assert "differing" not in found
    assert world.trade(noon + dt.timedelta(minutes=5)) == []
    world.step("relay", noon + dt.timedelta(minutes=30), "send", "99")
    assert world.trade(noon + dt.timedelta(minutes=40)) == []
    after = world.step("core", noon + dt.timedelta(minutes=50), "report")
    assert after["notices"] == {f"{FIRST} accepted": COUNT}
    assert after["told"] == [number(n) for n in range(COUNT) if number(n) not in WITHDRAWN]
    assert after["log"] == [True, 2]
    assert len(world.line.deliveries) == COUNT + 12, "the thirteen that waited were taken back"
    states = Counter(state for _, state, _ in world.step("relay", noon, "report")["rows"])
    assert states == {"accepted": COUNT + 12, "cancelled": 13}
    quiet, living = world.step("relay", noon, "report")["stranger"]
    assert quiet and living == ["d"], "the code that linked is used; the other links nobody"

    december = dt.datetime(2026, 12, 1, 10, tzinfo=DAY.tzinfo)
    assert world.step("core", december, "batch", SECOND) == 25, "what was sent in the forgotten time is not known by name"
    assert world.trade(december + dt.timedelta(minutes=20)) == []
    for minute in (30, 45, 59):
        world.step("relay", december.replace(minute=minute), "send", "99")
    assert world.trade(december.replace(hour=11, minute=5)) == []
    end = world.step("core", december.replace(hour=12), "report")
    assert end["notices"] == {f"{FIRST} accepted": COUNT, f"{SECOND} accepted": 13, f"{SECOND} held": 12}
    assert end["held"] == {"told_before_restore": 12}
    users = Counter(user for user, _, _ in world.line.deliveries)
    assert users == {f"U{number(n)}": 1 if number(n) in WITHDRAWN else 2 for n in range(COUNT)}
    about = Counter(row[0] for row in world.step("relay", noon, "report")["rows"] if row[1] == "accepted")
    assert len(about) == COUNT + 25 and set(about.values()) == {1}, "each subject once to each"
