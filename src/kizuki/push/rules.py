"""Rules that look at what a household has already been told (pure): interval, monthly cap, periods of application."""

import datetime as dt
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from kizuki.definitions.messages import SendingRules
from kizuki.push.schedule import JAPAN, month_of
from kizuki.push.states import REACHED, UNDER_WAY

Key = tuple[str, str, str]
"""(programme, household, child): one notice at a time for each."""


@dataclass(frozen=True, slots=True)
class Past:
    """One notice of before: `at` = when it may be or was sent; `child_id` blank = of the whole household."""

    household_id: str
    child_id: str
    programme: str
    status: str
    at: dt.datetime

    @property
    def key(self) -> Key:
        """What it was about."""
        return (self.programme, self.household_id, self.child_id)


@dataclass(slots=True)
class Told:
    """What every household has been told, and is being told while more are chosen."""

    days: dict[Key, list[dt.date]] = field(default_factory=dict)
    under_way: set[Key] = field(default_factory=set)
    monthly: Counter[tuple[str, tuple[int, int]]] = field(default_factory=Counter)

    def add(self, past: Past) -> None:
        """Count one notice, if it reached or may still reach the household."""
        if past.status not in REACHED:
            return
        self.days.setdefault(past.key, []).append(past.at.astimezone(JAPAN).date())
        self.monthly[(past.household_id, month_of(past.at))] += 1
        if past.status in UNDER_WAY:
            self.under_way.add(past.key)

    def too_soon(self, key: Key, at: dt.datetime, rules: SendingRules) -> bool:
        """Whether the same household was, or will be, told of the same within the interval."""
        day = at.astimezone(JAPAN).date()
        return any(abs((day - other).days) < rules.cooldown_days for other in self.days.get(key, ()))

    def full(self, household_id: str, at: dt.datetime, rules: SendingRules) -> bool:
        """Whether the household has had what one month allows."""
        return self.monthly[(household_id, month_of(at))] >= rules.monthly_cap


def told(past: Iterable[Past]) -> Told:
    """What has been told, from the notices of before."""
    found = Told()
    for one in past:
        found.add(one)
    return found


def taking_applications(programme: str, day: dt.date, rules: SendingRules) -> bool:
    """Whether the programme takes applications on `day`, with time left to apply; one without periods always does."""
    own = [o for o in rules.openings if o.programme == programme]
    return not own or any(o.start <= day <= o.end - dt.timedelta(days=rules.closing_days) for o in own)


def deadline(programme: str, day: dt.date, rules: SendingRules) -> dt.date | None:
    """Until when one can apply, of the period running on `day`; None without one."""
    return min((o.end for o in rules.openings if o.programme == programme and o.start <= day <= o.end), default=None)
