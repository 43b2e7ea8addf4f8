"""Whether the relay may try a notice at this instant (pure). The core checked everything before; this is the last door (G8).

Source: facts/push §5 (20時〜9時と土日は送らない, 月の上限).
"""

import datetime as dt
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

JAPAN: Final = ZoneInfo("Asia/Tokyo")
QUIET_FROM: Final = dt.time(20)
QUIET_TO: Final = dt.time(9)
MONTHLY_CAP: Final = 2
_FIRST_WEEKEND_DAY: Final = 5


@dataclass(frozen=True, slots=True)
class Door:
    """What stands around one notice: the recipient's link and silence, the stop, and first attempts made to them this month.

    `linked` None = no account was ever linked here. `unnamed_only` = the text may name a programme, and what they last answered
    here does not cover that (a wider answer on paper does not count here: the narrower one wins).
    """

    linked: bool | None
    silenced: bool
    stopped: bool
    tried_this_month: int
    cap: int = MONTHLY_CAP
    unnamed_only: bool = False


def is_quiet(at: dt.datetime) -> bool:
    """Whether nothing may be sent: evening to morning, and weekends, in Japan."""
    here = at.astimezone(JAPAN)
    return here.weekday() >= _FIRST_WEEKEND_DAY or not QUIET_TO <= here.time() < QUIET_FROM


def quiet_ends(at: dt.datetime) -> dt.datetime:
    """The first instant at or after `at` that is not quiet."""
    if not is_quiet(at):
        return at
    here = at.astimezone(JAPAN)
    day = here.date() if here.time() < QUIET_TO else here.date() + dt.timedelta(days=1)
    while day.weekday() >= _FIRST_WEEKEND_DAY:
        day += dt.timedelta(days=1)
    return dt.datetime.combine(day, QUIET_TO, JAPAN)


def month_starts(at: dt.datetime) -> dt.datetime:
    """The first instant of the month in Japan; attempts at or after it count, even those a clock dates after `at`."""
    return at.astimezone(JAPAN).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def next_month(at: dt.datetime) -> dt.datetime:
    """The first instant of the month after."""
    return month_starts(month_starts(at) + dt.timedelta(days=32))
