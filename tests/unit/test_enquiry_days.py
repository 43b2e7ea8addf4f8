"""Days to answer in: working days only, by the law's own holidays; statuses that may follow; small counts stay untold."""

import datetime as dt
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kizuki.definitions.messages import load
from kizuki.definitions.shipped import shipped_definitions
from kizuki.push import enquiry, small_cells
from kizuki.push.workdays import after, holidays, working_day

D = dt.date
CALENDAR = load(shipped_definitions() / "messages").calendar


def test_the_calendar_of_the_city_holds_the_holidays_of_the_law() -> None:
    for year in CALENDAR.years:
        assert {h.day for h in year.days} == holidays(year.year)


def test_the_holidays_of_known_years() -> None:
    """内閣府「国民の祝日について」の 2026年・2027年の一覧."""
    assert sorted(holidays(2026)) == [
        D(2026, 1, 1), D(2026, 1, 12), D(2026, 2, 11), D(2026, 2, 23), D(2026, 3, 20), D(2026, 4, 29), D(2026, 5, 3),
        D(2026, 5, 4), D(2026, 5, 5), D(2026, 5, 6), D(2026, 7, 20), D(2026, 8, 11), D(2026, 9, 21), D(2026, 9, 22),
        D(2026, 9, 23), D(2026, 10, 12), D(2026, 11, 3), D(2026, 11, 23),
    ]  # fmt: skip
    assert {D(2027, 3, 21), D(2027, 3, 22), D(2027, 9, 23), D(2024, 9, 22), D(2024, 9, 23), D(2025, 2, 24)} <= (
        holidays(2027) | holidays(2024) | holidays(2025)
    )


@pytest.mark.parametrize(
    ("opened", "days", "due"),
    [
        (D(2026, 11, 20), 1, D(2026, 11, 24)),  # 金曜日。月曜日は勤労感謝の日
        (D(2026, 4, 28), 3, D(2026, 5, 7)),  # 連休をまたぐ
        (D(2026, 12, 28), 2, D(2027, 1, 5)),  # 年末年始
        (D(2026, 11, 22), 1, D(2026, 11, 24)),  # 日曜日に届いた
    ],
)
def test_the_day_to_answer_by_counts_open_days_only(opened: dt.date, days: int, due: dt.date) -> None:
    assert enquiry.due_on(opened, days, CALENDAR) == due


@given(st.dates(D(2022, 1, 1), D(2060, 1, 1)), st.integers(1, 30))
def test_exactly_that_many_working_days_lie_between(day: dt.date, days: int) -> None:
    due = after(day, days, CALENDAR)
    passed = [day + dt.timedelta(days=n) for n in range(1, (due - day).days + 1)]
    assert sum(working_day(d, CALENDAR) for d in passed) == days and working_day(due, CALENDAR)


def test_what_is_answered_stays_answered_and_only_what_waits_is_late() -> None:
    assert not any(enquiry.may_follow(enquiry.DONE, then) for then in enquiry.NEXT)
    assert enquiry.may_follow(enquiry.DOING, enquiry.OPEN)
    assert enquiry.overdue(D(2026, 1, 5), enquiry.OPEN, D(2026, 1, 6))
    assert not enquiry.overdue(D(2026, 1, 5), enquiry.OPEN, D(2026, 1, 5))
    assert not enquiry.overdue(D(2026, 1, 5), enquiry.DONE, D(2026, 2, 6))


def test_one_to_four_are_not_told_and_cannot_be_reckoned_from_neighbours() -> None:
    assert [small_cells.shown(n) for n in (0, 1, 4, 5, 1234)] == ["0", "1〜4", "1〜4", "5", "1,234"]
    assert small_cells.row((100, 98, 60, 3)) == ("100", "—", "60", "1〜4")
    assert small_cells.row((100, 100, 95)) == ("100", "100", "95")


@given(st.lists(st.integers(0, 40), min_size=2, max_size=6))
def test_no_two_numbers_told_differ_by_one_to_four(steps: list[int]) -> None:
    counts = tuple(sorted(steps, reverse=True))
    told = [int(t) for t in small_cells.row(counts) if t.isdigit()]
    assert not any(0 < a - b < small_cells.LEAST for a, b in itertools.pairwise(told))
