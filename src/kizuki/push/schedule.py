"""When a notice may be sent (pure): within one open stretch of one day in Japan, never assumed of a year nobody has entered.

A notice is given to the relay with the start and end of one such stretch. Whatever the relay's clock, file transport or retries
do, nothing can then leave in the night, on a weekend or on a holiday, and the month it counts in is known beforehand.
"""

import datetime as dt
import hashlib
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

from kizuki.definitions.messages import Calendar, SendingRules

JAPAN: Final = ZoneInfo("Asia/Tokyo")
_LOOK_AHEAD_DAYS: Final = 60


@dataclass(frozen=True, slots=True)
class Stretch:
    """An open stretch of one day: from `start` (may be sent) to `end` (no longer), both with their time zone."""

    start: dt.datetime
    end: dt.datetime


@dataclass(frozen=True, slots=True)
class Clock:
    """The rules and the calendar notices are sent by."""

    rules: SendingRules
    calendar: Calendar


def stretch_of(day: dt.date, clock: Clock) -> Stretch | None:
    """The open stretch of a day; None where nothing may be sent (also where the year's holidays are not entered)."""
    rules = clock.rules
    if not clock.calendar.knows(day) or (day.weekday() >= 5 and not rules.weekends):
        return None
    if clock.calendar.holiday(day) and not rules.holidays:
        return None
    return Stretch(dt.datetime.combine(day, rules.quiet_to, JAPAN), dt.datetime.combine(day, rules.quiet_from, JAPAN))


def next_stretch(at: dt.datetime, clock: Clock) -> Stretch | None:
    """The first stretch at or after `at` with room enough; it begins at `at` where that lies inside one.

    None where a year nobody has entered comes first: nothing is sent until somebody enters it.
    """
    here = at.astimezone(JAPAN)
    room = dt.timedelta(minutes=clock.rules.least_room_minutes)
    for ahead in range(_LOOK_AHEAD_DAYS):
        day = here.date() + dt.timedelta(days=ahead)
        if not clock.calendar.knows(day):
            return None
        open_ = stretch_of(day, clock)
        if open_ is not None and open_.end - max(open_.start, here) >= room:
            return Stretch(max(open_.start, here), open_.end)
    return None


def may_send_at(at: dt.datetime, clock: Clock) -> bool:
    """Whether this very instant is open."""
    here = at.astimezone(JAPAN)
    open_ = stretch_of(here.date(), clock)
    return open_ is not None and open_.start <= here < open_.end


def leaves_at(now: dt.datetime, earlier: dt.datetime | None, rules: SendingRules) -> dt.datetime:
    """When an approved batch may leave; a clock that was set back does not shorten the time to cancel."""
    return max(now, earlier or now) + dt.timedelta(minutes=rules.cancel_minutes)


def wave_of(seed: str, household_id: str, waves: int) -> int:
    """The week a household is drawn into (from 0): the same for every programme of a batch, and the same at every look."""
    return int.from_bytes(hashlib.sha256(f"{seed}\0{household_id}".encode()).digest()[:8]) % waves


def month_of(at: dt.datetime) -> tuple[int, int]:
    """Year and month in Japan: what the cap counts by."""
    here = at.astimezone(JAPAN)
    return here.year, here.month


def year_alarm(today: dt.date, calendar: Calendar, days: int) -> dt.date | None:
    """The last day whose holidays are known, if it has passed or passes within `days`; None while there is time."""
    last = calendar.last_day
    if last is None or last < today + dt.timedelta(days=days):
        return last or today - dt.timedelta(days=1)
    return None
