"""A thousand notices through a relay that is killed again and again: each allowed one arrives once, every one ends (G8)."""

import datetime as dt
import json
import multiprocessing
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kizuki.push.exchange import FIRST, file_name, pack, public_key, public_text, unpack
from kizuki.push.lines import Cancel, Line, Outcome, Send, Silence, Template
from tests import relay_driver
from tests.line_double import Faults, LineDouble

JST = dt.timezone(dt.timedelta(hours=9))
START = dt.datetime(2026, 11, 18, 12, 0, tzinfo=JST)
CORE = Ed25519PrivateKey.from_private_bytes(b"c" * 32)
STEPS = (
    "file applied", "file taken away", "trying written", "answer received", "answer written",
    "file staged", "file numbered", "file named",
)  # fmt: skip


@dataclass(frozen=True)
class Plan:
    """Lines for the relay and, by notice, how each may end."""

    lines: tuple[Line, ...]
    ends: dict[str, str]
    linked: list[str]
    refused: frozenset[str]

    def allowed(self) -> set[str]:
        """Retry keys of the notices that must arrive."""
        return {s.retry_key for s in self.lines if isinstance(s, Send) and self.ends[s.notice_id] == "accepted"}


def plan(seed: int, people: int) -> Plan:
    """`people` recipients with one notice and, among them in proportion, every reason not to send."""
    rng = random.Random(seed)
    lines: list[Line] = [Template("t-0a", "2026.1", "市からお知らせがあります。{リンク}", False)]
    ends: dict[str, str] = {}
    linked: list[str] = []
    refused: set[str] = set()

    def send(recipient: str, end: str, hours: float = 6) -> str:
        notice = str(uuid.UUID(int=rng.getrandbits(128), version=4))
        key = str(uuid.UUID(int=rng.getrandbits(128), version=4))
        until = START + dt.timedelta(hours=hours)
        lines.append(Send(notice, recipient, "t-0a", "2026.1", key, START.isoformat(), until.isoformat()))
        ends[notice] = end
        return notice

    for n in range(people):
        recipient = f"{rng.getrandbits(128):032x}"
        kind = n % 25
        if kind != 1:
            linked.append(recipient)
        if kind == 0:
            lines.append(Silence(recipient, True))
            send(recipient, "held")
        elif kind == 1:
            send(recipient, "blocked")
        elif kind == 2:
            refused.add(f"U{recipient}")
            send(recipient, "failed")
        elif kind == 3:
            lines.append(Cancel(send(recipient, "cancelled")))
        elif kind == 4:
            send(recipient, "accepted")
            send(recipient, "accepted")
            send(recipient, "expired", hours=0.05)
        else:
            send(recipient, "accepted")
    return Plan(tuple(lines), ends, linked, frozenset(refused))


@dataclass
class Relay:
    """A relay's folder and its clock, which goes on between two processes."""

    home: Path
    host: str
    now: dt.datetime = START
    began: float = 0.0

    def run(self, kill_step: str, kill_at: int, patience: float | None = None) -> int:
        """One process; its exit code. With `patience`, it is killed from outside after so many seconds."""
        self.began = time.monotonic()
        args = [str(self.home), self.host, self.now.isoformat(), kill_step, str(kill_at)]
        with subprocess.Popen(
            [sys.executable, "-m", "tests.relay_driver", *args],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(os.environ),
        ) as process:
            try:
                _, errors = process.communicate(timeout=patience)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
                errors = b""
        assert process.returncode in (0, -signal.SIGKILL), errors.decode()
        self.now += dt.timedelta(seconds=(time.monotonic() - self.began) * 100)
        return process.returncode

    def query(self, sql: str) -> list[tuple[object, ...]]:
        """Rows of the relay's database."""
        with sqlite3.connect(self.home / "relay.db") as db:
            return db.execute(sql).fetchall()

    def outcomes(self) -> Counter[tuple[str, str]]:
        """What the files tell the core: how often each notice is told to have ended how."""
        key = public_key((self.home / "relay.pub").read_text())
        told: Counter[tuple[str, str]] = Counter()
        before = FIRST
        for n, path in enumerate(sorted((self.home / "out").glob("*.kzr")), 1):
            found = unpack(path.read_bytes(), "from_relay", key=key)
            assert (found.seq, found.previous) == (n, before)
            before = found.digest
            told.update((line.notice_id, line.status) for line in found.lines if isinstance(line, Outcome))
        return told


def opened(home: Path, plan: Plan, host: str) -> Relay:
    """The relay with its accounts linked and the core's file lying there."""
    child = multiprocessing.get_context("spawn").Process(target=relay_driver.prepare, args=(home, plan.linked))
    child.start()
    child.join()
    assert child.exitcode == 0
    (home / "core.pub").write_text(public_text(CORE.public_key()))
    data = pack("to_relay", 1, FIRST, START.isoformat(), plan.lines, key=CORE)
    (home / "in" / file_name(1)).write_bytes(data)
    return Relay(home, host)


def run_to_the_end(relay: Relay, kills: Sequence[tuple[str, int, float | None]]) -> int:
    """Kill as told, then let it finish; how often it was killed."""
    killed = sum(relay.run(step, at, patience) != 0 for step, at, patience in kills)
    assert relay.run("never", 1) == 0
    return killed


@pytest.mark.slow
def test_a_thousand_notices_through_kills_cuts_and_refusals(tmp_path: Path) -> None:
    what = plan(seed=20261118, people=926)
    rng = random.Random(7)
    assert len(what.ends) == 1000
    faults = Faults(cut=13, lost=29, busy=31, broken=37, refused=what.refused)
    with LineDouble(faults=faults) as line:
        relay = opened(tmp_path / "relay", what, line.host)
        line.blocked = {f"U{what.linked[10]}"}
        kills: list[tuple[str, int, float | None]] = [(s, 1, None) for s in STEPS[:3]]
        kills += [(s, rng.randint(2, 60), None) for s in STEPS[2:5] for _ in range(2)]
        kills += [("any", rng.randint(5, 300), None) for _ in range(2)]
        kills += [("any", 10**9, 1.2 + rng.random()) for _ in range(2)]
        kills += [(s, 1, None) for s in STEPS[5:]]
        killed = run_to_the_end(relay, kills)
        keys = Counter(key for _, _, key in line.deliveries)
    assert line.wrong == []
    assert killed >= len(STEPS)
    assert max(keys.values()) == 1
    silent = {k for k in line.accepted if k not in keys}  # accepted by LINE for the one who had blocked the account
    assert set(keys) | silent == what.allowed()
    assert len(silent) <= 1
    told = relay.outcomes()
    refused_after_doubt = {(n, end) for n, end in told if (what.ends[n], end) == ("failed", "unknown")}
    assert set(told.values()) == {1} and {n for n, _ in told} == set(what.ends)
    assert {(n, end) for n, end in told if end != what.ends[n]} == refused_after_doubt
    assert line.statuses[409] > 0 and line.statuses[429] > 0 and line.statuses[500] > 0 and line.statuses[0] > 0
    assert relay.query("select count(*) from relay_pending where seq is null") == [(0,)]


@pytest.mark.slow
def test_a_clock_set_back_and_forth_sends_nothing_twice_and_loses_nothing(tmp_path: Path) -> None:
    what = plan(seed=5, people=75)
    with LineDouble(faults=Faults(cut=3, refused=what.refused)) as line:
        relay = opened(tmp_path / "relay", what, line.host)
        for jump in (dt.timedelta(minutes=30), dt.timedelta(minutes=-40), dt.timedelta(hours=2), dt.timedelta(hours=-1)):
            relay.run("trying written" if jump < dt.timedelta() else "answer received", 12)
            relay.now += jump
        assert run_to_the_end(relay, []) == 0
        keys = Counter(key for _, _, key in line.deliveries)
    told = relay.outcomes()
    assert set(keys.values()) == {1} and set(keys) <= what.allowed()
    assert {n for n, _ in told} == set(what.ends) and set(told.values()) == {1}
    differing = {end for (n, end) in told if end != what.ends[n]}
    assert differing <= {"unknown", "expired"}
    sends = {s.notice_id: s.retry_key for s in what.lines if isinstance(s, Send)}
    for notice, status in told:
        assert status != "accepted" or keys[sends[notice]] == 1
        assert status not in ("expired", "held", "blocked", "failed", "cancelled") or sends[notice] not in keys
    assert any(status == "unknown" for _, status in told)


@pytest.mark.slow
def test_what_the_relay_keeps_and_says_names_nobody(tmp_path: Path) -> None:
    what = plan(seed=9, people=50)
    with LineDouble(faults=Faults(refused=what.refused)) as line:
        relay = opened(tmp_path / "relay", what, line.host)
        run_to_the_end(relay, [])
        bodies = [json.loads(body) for body in line.bodies]
    users = [f"U{r}".encode() for r in what.linked]
    kept = b"".join(p.read_bytes() for p in sorted((tmp_path / "relay").rglob("*")) if p.is_file())
    assert [u for u in users if u in kept] == []
    assert {tuple(sorted(b)) for b in bodies} <= {("messages", "notificationDisabled", "to")}
    for body in bodies:
        said = body["messages"][0]["text"]
        assert said.startswith("市からお知らせがあります。http://localhost:8080/n/")
        assert all(s.notice_id not in said and s.recipient_no not in said for s in what.lines if isinstance(s, Send))
