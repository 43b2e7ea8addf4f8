"""効果: the funnel, the drawn weeks with Newcombe's own figures, 判定できない where data are thin, conditions to review."""

import datetime as dt
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kizuki.push.effect import (
    BEYOND_DATA,
    FEWER,
    MORE,
    NO_ANSWER,
    NOT_YET,
    TOO_FEW,
    Arm,
    Fate,
    difference,
    funnel,
    newcombe,
    to_review,
    wilson,
)

FIRST, LAST = dt.date(2026, 10, 5), dt.date(2026, 11, 2)
BETWEEN, AFTER = dt.date(2026, 10, 20), dt.date(2026, 11, 9)


def fate(number: int, wave: int = 0, *, applied: dt.date | None = None, **more: object) -> Fate:
    told = {"sent": True, "opened": False} | more
    day = FIRST if wave == 0 else LAST
    return Fate("school_aid", 1, wave, f"h{number}", day, applied_on=applied, **told)  # type: ignore[arg-type]


def batch(early: int, early_applied: int, late: int, late_applied: int) -> list[Fate]:
    first = [fate(n, applied=BETWEEN if n < early_applied else None) for n in range(early)]
    return first + [fate(1000 + n, 1, applied=BETWEEN if n < late_applied else None) for n in range(late)]


def test_the_interval_is_newcombes() -> None:
    """Newcombe 1998, table II, (a) 56/70 − 48/80 and (g) 10/10 − 0/20, 95 %, method 10."""
    low, high = newcombe(Arm(70, 56), Arm(80, 48), 1.959964)
    assert (round(low, 4), round(high, 4)) == (0.0524, 0.3339)
    low, high = newcombe(Arm(10, 10), Arm(20, 0), 1.959964)
    assert (round(low, 4), round(high, 4)) == (0.6791, 1.0)
    assert wilson(0, 0) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("told", "answer"),
    [
        ((200, 60, 200, 20), MORE),
        ((200, 20, 200, 60), FEWER),
        ((200, 20, 200, 21), NO_ANSWER),
        ((29, 20, 200, 0), TOO_FEW),
        ((200, 2, 200, 2), TOO_FEW),
    ],
)
def test_the_answer_of_two_weeks(told: tuple[int, int, int, int], answer: str) -> None:
    found = difference(batch(*told), AFTER)
    assert found.answer == answer
    assert (found.low is None) == (answer == TOO_FEW)


def test_nothing_counts_from_the_day_the_last_week_was_sent() -> None:
    told = [*batch(100, 30, 100, 0), *(fate(2000 + n, 1, applied=LAST) for n in range(50))]
    assert difference(told, AFTER).late == Arm(150, 0)


def test_before_the_last_week_and_in_one_week_alone_nothing_is_measured() -> None:
    assert difference(batch(100, 50, 100, 0), BETWEEN).answer == NOT_YET
    assert difference(batch(100, 50, 0, 0), AFTER).answer == NOT_YET


def test_two_notices_of_one_household_count_once_and_the_unsent_stay_in_their_week() -> None:
    told = [*batch(40, 10, 40, 0), fate(0, applied=None), fate(5000, sent=False)]
    assert difference(told, AFTER).early == Arm(41, 10)


def test_where_the_notice_does_nothing_a_difference_is_seldom_seen() -> None:
    """A thousand draws without any effect: the 90 % interval leaves zero out in about one in ten, never far more."""
    draw = random.Random(5)
    seen = 0
    for _ in range(1000):
        a, b = (sum(draw.random() < 0.2 for _ in range(150)) for _ in range(2))
        low, high = newcombe(Arm(150, a), Arm(150, b))
        seen += low > 0 or high < 0
    assert 60 <= seen <= 130


@given(st.integers(0, 60), st.integers(0, 60), st.integers(1, 60), st.integers(1, 60))
def test_an_interval_holds_the_difference_and_is_turned_by_turning(a: int, b: int, m: int, n: int) -> None:
    one, other = Arm(m, min(a, m)), Arm(n, min(b, n))
    low, high = newcombe(one, other)
    assert low <= one.share - other.share <= high
    turned = newcombe(other, one)
    assert turned == pytest.approx((-high, -low))


def test_the_funnel_counts_what_was_sent() -> None:
    told = [
        fate(1, opened=True, applied=BETWEEN, received_on=AFTER),
        fate(2, applied=BETWEEN, refused=True),
        fate(3, contradicted=("小中学生である",)),
        fate(4, sent=False, applied=BETWEEN),
    ]
    found = funnel(told)
    assert (found.made, found.sent, found.opened, found.applied, found.received, found.wrong) == (4, 3, 1, 2, 1, 2)


def test_a_condition_is_named_when_surely_more_than_one_in_twenty_was_wrong() -> None:
    good = [fate(n) for n in range(60)]
    wrong = [fate(100 + n, contradicted=("要件",)) for n in range(10)]
    refused = [fate(200 + n, refused=True) for n in range(4)]
    found = to_review([*good, *wrong, *refused])
    assert [(s.condition, s.wrong, s.sent) for s in found] == [("要件", 10, 74)]
    assert to_review([*good, *wrong[:4]]) == ()
    assert [s.condition for s in to_review([*good[:20], *(fate(300 + n, refused=True) for n in range(9))])] == [BEYOND_DATA]
    assert to_review([fate(n, sent=False, contradicted=("要件",)) for n in range(50)]) == ()
