"""Working days (pure): Saturdays, Sundays, 国民の祝日 with their substitutes, and the turn of the year are none.

Source: 国民の祝日に関する法律 (2022年以後の祝日), 春分・秋分は国立天文台の計算式の近似 (1980–2099年に有効), 年末年始は
行政機関の休日に関する法律1条 (12月29日〜1月3日).
"""

import datetime as dt
from functools import cache
from typing import Final

_FIXED: Final = ((1, 1), (2, 11), (2, 23), (4, 29), (5, 3), (5, 4), (5, 5), (8, 11), (11, 3), (11, 23))
_MONDAYS: Final = ((1, 2), (7, 3), (9, 3), (10, 2))
"""(month, which Monday): 成人の日, 海の日, 敬老の日, スポーツの日."""
_SUNDAY, _SATURDAY = 6, 5


def working_day(day: dt.date) -> bool:
    """Whether the offices are open."""
    turn = (day.month, day.day) >= (12, 29) or (day.month, day.day) <= (1, 3)
    return day.weekday() < _SATURDAY and not turn and day not in holidays(day.year)


def after(day: dt.date, days: int) -> dt.date:
    """The `days`-th working day after `day` (at least one; the day itself is not counted)."""
    left = max(days, 1)
    while left:
        day += dt.timedelta(days=1)
        left -= working_day(day)
    return day


@cache
def holidays(year: int) -> frozenset[dt.date]:
    """Holidays of a year from 2022 on, with 振替休日 and the day between two holidays."""
    named = {dt.date(year, *day) for day in _FIXED} | {_monday(year, *m) for m in _MONDAYS}
    named |= {dt.date(year, 3, _equinox(year, 20.8431)), dt.date(year, 9, _equinox(year, 23.2488))}
    off = set(named)
    for day in sorted(named):
        if day.weekday() == _SUNDAY:
            while day in named:
                day += dt.timedelta(days=1)
            off.add(day)
    between = {d + dt.timedelta(days=1) for d in named if d + dt.timedelta(days=2) in named}
    return frozenset(off | {d for d in between if d.weekday() != _SUNDAY})


def _monday(year: int, month: int, which: int) -> dt.date:
    first = dt.date(year, month, 1)
    return first + dt.timedelta(days=(-first.weekday()) % 7 + 7 * (which - 1))


def _equinox(year: int, start: float) -> int:
    return int(start + 0.242194 * (year - 1980)) - (year - 1980) // 4
