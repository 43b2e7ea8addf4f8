"""A wrong clock sends nothing: LINE is asked the time before a round, and a clock moved during it moves nothing."""

import datetime as dt
from collections.abc import Iterator

import pytest

from kizuki.app.relay_clock import agreed
from kizuki.app.relay_line import LineMessenger, NobodyThere
from kizuki.terms.errors import RunFailed
from tests.line_double import LineDouble

NOON = dt.datetime(2026, 11, 20, 3, 0, tzinfo=dt.UTC)


@pytest.fixture
def line() -> Iterator[LineDouble]:
    with LineDouble() as double:
        double.clock = lambda: NOON
        yield double


@pytest.mark.parametrize("hours", [-9, -1, -0.05, 0.05, 7, 24])
def test_a_clock_that_differs_from_lines_sends_nothing(line: LineDouble, hours: float) -> None:
    wrong = NOON + dt.timedelta(hours=hours)
    with pytest.raises(RunFailed, match="K664"):
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
    with pytest.raises(RunFailed, match="K665"):
        agreed(LineMessenger(host, "test-token"), lambda: NOON)


def test_a_dry_run_goes_by_its_own_clock() -> None:
    assert abs(agreed(NobodyThere())() - dt.datetime.now(dt.UTC)) < dt.timedelta(seconds=5)
