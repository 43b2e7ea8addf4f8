"""Working days (pure): neither Saturdays and Sundays, nor what the city's calendar closes.

The calendar (`definitions.messages.Calendar`) is the one by which notices are sent, too. An answer needs a day to be given by
also in a year nobody has entered: there the law's own holidays are reckoned.

Source: 国民の祝日に関する法律 (2022年以後の祝日), 春分・秋分は国立天文台の計算式の近似 (1980–2099年に有効).
"""

import datetime as dt
from functools import cache
from typing import Final

from kizuki.definitions.messages import Calendar

_FIXED: Final = ((1, 1), (2, 11), (2, 23), (4, 29), (5, 3), (5, 4), (5, 5), (8, 11), (11, 3), (11, 23))
_MONDAYS: Final = ((1, 2), (7, 3), (9, 3), (10, 2))
"""(month, which Monday): 成人の日, 海の日, 敬老の日, スポーツの日."""
_SUNDAY, _SATURDAY = 6, 5


def working_day(day: dt.date, calendar: Calendar) -> bool:
    """Whether the offices are open."""
    closed = calendar.holiday(day) or (not calendar.knows(day) and day in holidays(day.year))
    return day.weekday() < _SATURDAY and not closed


def after(day: dt.date, days: int, calendar: Calendar) -> dt.date:
    """The `days`-th working day after `day` (at least one; the day itself is not counted)."""
    left = max(days, 1)
    while left:
        day += dt.timedelta(days=1)
        left -= working_day(day, calendar)
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
