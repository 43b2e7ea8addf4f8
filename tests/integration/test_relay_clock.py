"""A wrong clock sends nothing: LINE is asked the time before a round, and a clock moved during it moves nothing."""

import datetime as dt
import uuid
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.utils import timezone

from kizuki.app import relay_rounds
from kizuki.app.relay_clock import agreed
from kizuki.app.relay_home import Relay
from kizuki.app.relay_line import LineMessenger, NobodyThere
from kizuki.engine.keys import KeyRing
from kizuki.push.exchange import FIRST, file_name, pack, public_text
from kizuki.push.lines import Send, Template
from kizuki.push.schedule import JAPAN
from kizuki.records.relay.models import Link, Outgoing, Seen
from kizuki.terms.errors import RunFailed
from tests.line_double import LineDouble

CORE = Ed25519PrivateKey.from_private_bytes(b"c" * 32)
NOON = dt.datetime(2026, 11, 20, 3, 0, tzinfo=dt.UTC)


@pytest.fixture
def line() -> Iterator[LineDouble]:
    with LineDouble() as double:
        double.clock = lambda: NOON
        yield double


@pytest.mark.parametrize("hours", [-9, -1, -0.05, 0.05, 7, 24])
def test_a_clock_that_differs_from_lines_sends_nothing(line: LineDouble, hours: float) -> None:
    wrong = NOON + dt.timedelta(hours=hours)
    with pytest.raises(RunFailed, match="K666"):
        agreed(LineMessenger(line.host, "test-token"), lambda: wrong)


def test_a_clock_moved_during_the_round_moves_nothing(line: LineDouble) -> None:
    wall, counter = [NOON + dt.timedelta(seconds=20)], [100.0]
    clock = agreed(LineMessenger(line.host, "test-token"), lambda: wall[0], lambda: counter[0])
    for jump in (dt.timedelta(hours=9), dt.timedelta(days=-2)):
        wall[0] += jump
        counter[0] += 5
    assert clock() == NOON + dt.timedelta(seconds=30)


def test_even_a_refusal_of_lines_tells_the_time(line: LineDouble) -> None:
    assert LineMessenger(line.host, "withdrawn-token").time() == NOON


def test_where_line_does_not_answer_nothing_is_sent() -> None:
    with LineDouble() as gone:
        host = gone.host
    with pytest.raises(RunFailed, match="K667"):
        agreed(LineMessenger(host, "test-token"), lambda: NOON)


def test_a_dry_run_goes_by_its_own_clock() -> None:
    assert abs(agreed(NobodyThere())() - dt.datetime.now(dt.UTC)) < dt.timedelta(seconds=5)


@pytest.mark.django_db(databases=["default", "relay"])
@pytest.mark.parametrize(("here", "there", "status"), [(12, 12, "accepted"), (12, 3, ""), (3, 3, ""), (3, 12, "")])
def test_no_round_sends_outside_the_hours_by_whichever_clock_is_wrong(
    tmp_path: Path, line: LineDouble, monkeypatch: pytest.MonkeyPatch, here: int, there: int, status: str
) -> None:
    """`here` and `there` = the hour in Japan this machine and LINE show; the core's stretch is (wrongly) the whole day."""
    relay = Relay(tmp_path, KeyRing.load(tmp_path))
    (tmp_path / "core.pub").write_text(public_text(CORE.public_key()))
    for place in (relay.incoming, relay.outgoing):
        place.mkdir()
    day = dt.datetime(2026, 11, 20, tzinfo=JAPAN)
    Link.objects.create(recipient_no="r1", user_sealed=relay.seal_user("U1", "r1"), user_token="t", since=day)
    handed = [
        Template("t-0a", "1", "お知らせがあります。{リンク}", False),
        Send("n1", "r1", "t-0a", "1", str(uuid.uuid4()), day.isoformat(), (day + dt.timedelta(hours=23)).isoformat()),
    ]
    (relay.incoming / file_name(1)).write_bytes(pack("to_relay", 1, FIRST, day.isoformat(), handed, key=CORE))
    monkeypatch.setattr(timezone, "localtime", lambda *_: day.replace(hour=here))
    monkeypatch.setattr(relay_rounds, "agreed", partial(agreed, wall=lambda: day.replace(hour=here)))
    line.clock = lambda: day.replace(hour=there)
    with suppress(RunFailed):
        relay_rounds.one_round(relay, LineMessenger(line.host, "test-token"))
    assert len(line.deliveries) == (status == "accepted")
    assert [o.state for o in Outgoing.objects.all()] == [status or "waiting"]


@pytest.mark.django_db(databases=["default", "relay"])
def test_a_wrong_clock_clears_nothing_that_still_counts(line: LineDouble, monkeypatch: pytest.MonkeyPatch) -> None:
    wall = [NOON + dt.timedelta(days=365)]
    monkeypatch.setattr(relay_rounds, "agreed", partial(agreed, wall=lambda: wall[0]))
    Seen.objects.create(event_id="new", at=NOON - dt.timedelta(days=1))
    Seen.objects.create(event_id="old", at=NOON - dt.timedelta(days=31))
    teller = LineMessenger(line.host, "test-token")
    with pytest.raises(RunFailed, match="K666"):
        relay_rounds.tidied(teller, None, wall[0])
    assert Seen.objects.count() == 2
    wall[0] = NOON
    assert relay_rounds.tidied(teller, None, NOON) == NOON
    assert [s.event_id for s in Seen.objects.all()] == ["new"]
    assert relay_rounds.tidied(teller, NOON, NOON + dt.timedelta(hours=1)) == NOON
