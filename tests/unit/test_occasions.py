"""来庁・健診の機会: by law's ages and months, from birth dates alone."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kizuki.push.occasions import AHEAD_DAYS, coming, months_after

D = dt.date
ON = D(2026, 11, 20)
SCHOOL_EDGES = (D(2020, 4, 1), D(2020, 4, 2), D(2021, 4, 1), D(2021, 4, 2))


@pytest.mark.parametrize(
    ("born", "told"),
    [
        (D(2025, 6, 15), [("1歳6か月児健診", D(2026, 12, 15))]),
        (D(2024, 1, 10), [("3歳児健診", D(2027, 1, 10))]),
        (D(2015, 5, 1), []),
        (D(2022, 4, 2), []),  # 2029年度に就学
    ],
)
def test_what_comes_by_age(born: dt.date, told: list[tuple[str, dt.date]]) -> None:
    assert [(o.title, o.since) for o in coming([born], ON, renews=False)] == told


def test_the_check_before_school_is_in_the_autumn_before_it() -> None:
    """School year 2027 takes in those born from 2020-04-02 to 2021-04-01 (学校教育法17条, 年齢計算ニ関スル法律)."""
    on = D(2026, 9, 20)
    told = {born: [o.title for o in coming([born], on, renews=False)] for born in SCHOOL_EDGES}
    assert list(told.values()) == [[], ["就学時健診"], ["就学時健診"], []]


def test_the_renewal_is_each_august() -> None:
    assert coming([], ON, renews=True) == ()
    assert [o.since for o in coming([], D(2027, 5, 1), renews=True)] == [D(2027, 8, 1)]


@given(st.dates(D(2005, 1, 1), D(2030, 1, 1)), st.integers(0, 60))
def test_months_are_calendar_months(day: dt.date, months: int) -> None:
    later = months_after(day, months)
    assert (later.year - day.year) * 12 + later.month - day.month == months
    assert later.day == day.day or (later.day < day.day and (later + dt.timedelta(days=1)).day == 1)


@given(st.lists(st.dates(D(2005, 1, 1), D(2026, 11, 20)), max_size=4), st.booleans())
def test_nothing_far_ahead_or_long_past(births: list[dt.date], renews: bool) -> None:
    found = coming(births, ON, renews=renews)
    assert list(found) == sorted(found)
    assert all(-30 <= (o.since - ON).days <= AHEAD_DAYS for o in found)
