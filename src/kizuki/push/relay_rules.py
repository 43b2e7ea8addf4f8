"""Whether the relay may try a notice at this instant (pure). The core checked everything before; this is the last door (G8).

The city's own rules come as a line (`push.lines.Rules`), the newest of which holds. Until the first has come the safe ones
hold: nights, Saturdays, Sundays and the law's own holidays are closed, two notices a month.

Source: facts/push §5 (20時〜9時と土日は送らない, 月の上限, 同一制度180日).
"""

import datetime as dt
from dataclasses import dataclass
from typing import Final

from kizuki.definitions.messages import Calendar, SendingRules
from kizuki.push.lines import Rules
from kizuki.push.schedule import JAPAN
from kizuki.push.workdays import holidays

LATEST_EVENING, EARLIEST_MORNING = dt.time(21), dt.time(8)
"""Outside these nothing is ever sent, whatever a line says (the core's definitions may not say otherwise either)."""
_FIRST_WEEKEND_DAY: Final = 5
_LOOK_AHEAD_DAYS: Final = 60


@dataclass(frozen=True, slots=True)
class RelayRules:
    """The city's rules as far as the relay applies them; times are those of Japan.

    `years` = years whose holidays are entered: in any other nothing is sent. None = no line has come, and the law's own
    holidays are reckoned. `closed_days` = every holiday and day of closing of those years on which nothing is sent.
    """

    quiet_from: dt.time
    quiet_to: dt.time
    weekends: bool
    years: frozenset[int] | None
    closed_days: frozenset[dt.date]
    monthly_cap: int
    cooldown_days: int


SAFE: Final = RelayRules(dt.time(20), dt.time(9), False, None, frozenset(), 2, 180)
"""What holds until the core has told the city's own."""


@dataclass(frozen=True, slots=True)
class Door:
    """What stands around one notice: the recipient's link and silence, the stop, and first attempts made to them this month.

    `linked` None = no account was ever linked here. `unnamed_only` = the text may name a programme, and what they last answered
    here does not cover that (a wider answer on paper does not count here: the narrower one wins). `told_already` = another
    notice about the same went to them, or may have, within the interval.
    """

    linked: bool | None
    silenced: bool
    stopped: bool
    tried_this_month: int
    rules: RelayRules = SAFE
    unnamed_only: bool = False
    told_already: bool = False


def to_line(rules: SendingRules, calendar: Calendar, number: int, since: dt.datetime) -> Rules:
    """The city's definitions as the relay is told them: days spelt out, so that the relay has nothing to interpret."""
    closed = [] if rules.holidays else calendar.closed_days
    return Rules(
        number=number,
        since=since.isoformat(),
        quiet_from=f"{rules.quiet_from:%H:%M}",
        quiet_to=f"{rules.quiet_to:%H:%M}",
        weekends=rules.weekends,
        years=tuple(sorted(year.year for year in calendar.years)),
        closed_days=tuple(day.isoformat() for day in closed),
        monthly_cap=rules.monthly_cap,
        cooldown_days=rules.cooldown_days,
    )


def from_line(line: Rules) -> RelayRules:
    """The rules a line says; raises ValueError where it cannot be read, or would allow the night or no limit."""
    found = RelayRules(
        dt.time.fromisoformat(line.quiet_from),
        dt.time.fromisoformat(line.quiet_to),
        line.weekends,
        frozenset(line.years),
        frozenset(dt.date.fromisoformat(day) for day in line.closed_days),
        line.monthly_cap,
        line.cooldown_days,
    )
    if not EARLIEST_MORNING <= found.quiet_to < found.quiet_from <= LATEST_EVENING:
        raise ValueError("the night must stay quiet")
    if found.monthly_cap < 1 or found.cooldown_days < 1 or dt.datetime.fromisoformat(line.since).tzinfo is None:
        raise ValueError("a rule without a measure")
    return found


def closed(day: dt.date, rules: RelayRules) -> bool:
    """Whether nothing may be sent on that day at all."""
    if day.weekday() >= _FIRST_WEEKEND_DAY and not rules.weekends:
        return True
    if rules.years is None:
        return day in holidays(day.year)
    return day.year not in rules.years or day in rules.closed_days


def is_quiet(at: dt.datetime, rules: RelayRules = SAFE) -> bool:
    """Whether nothing may be sent: evening to morning, and on closed days, in Japan."""
    here = at.astimezone(JAPAN)
    return closed(here.date(), rules) or not rules.quiet_to <= here.time() < rules.quiet_from


def quiet_ends(at: dt.datetime, rules: RelayRules = SAFE) -> dt.datetime:
    """The first instant at or after `at` that is not quiet; where none is within two months, the end of what was looked at."""
    if not is_quiet(at, rules):
        return at
    here = at.astimezone(JAPAN)
    day = here.date() if here.time() < rules.quiet_to else here.date() + dt.timedelta(days=1)
    last = day + dt.timedelta(days=_LOOK_AHEAD_DAYS)
    while day < last and closed(day, rules):
        day += dt.timedelta(days=1)
    return dt.datetime.combine(day, rules.quiet_to, JAPAN)


def interval_starts(at: dt.datetime, days: int) -> dt.datetime:
    """From this instant on something told counts as told too recently; whole days, as the core counts them."""
    day = at.astimezone(JAPAN).date() - dt.timedelta(days=days - 1)
    return dt.datetime.combine(day, dt.time(), JAPAN)


def month_starts(at: dt.datetime) -> dt.datetime:
    """The first instant of the month in Japan; attempts at or after it count, even those a clock dates after `at`."""
    return at.astimezone(JAPAN).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def next_month(at: dt.datetime) -> dt.datetime:
    """The first instant of the month after."""
    return month_starts(month_starts(at) + dt.timedelta(days=32))
