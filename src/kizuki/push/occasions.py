"""来庁・健診の機会 (pure): when a household will next come by, from birth dates and the yearly renewals alone.

No health record is read: who attends is the health office's to know. Source: 母子保健法12条 (1歳6か月を超え2歳に達しない,
3歳を超え4歳に達しない), 学校保健安全法施行令1条 (就学時健診は11月30日まで), 児童扶養手当法施行規則4条 (現況届は8月1日〜31日).
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

AHEAD_DAYS: Final = 120
"""How far ahead an occasion is worth a line on the list."""
_CHECKUPS: Final = (("1歳6か月児健診", 18), ("3歳児健診", 36))


@dataclass(frozen=True, slots=True, order=True)
class Occasion:
    """One coming occasion: from when, and what."""

    since: dt.date
    title: str


def coming(births: Iterable[dt.date], on: dt.date, *, renews: bool) -> tuple[Occasion, ...]:
    """Occasions that begin within the days ahead or are going on, soonest first; `renews` = a 現況届 is due each August."""
    found = {o for born in births for o in _of_child(born)}
    found |= {Occasion(dt.date(year, 8, 1), "児童扶養手当の現況届") for year in (on.year, on.year + 1) if renews}
    lasting = dt.timedelta(days=30)
    ahead = on + dt.timedelta(days=AHEAD_DAYS)
    return tuple(sorted(o for o in found if o.since <= ahead and on <= o.since + lasting))


def _of_child(born: dt.date) -> Iterable[Occasion]:
    for title, months in _CHECKUPS:
        yield Occasion(months_after(born, months), title)
    enters = born.year + (6 if (born.month, born.day) <= (4, 1) else 7)
    yield Occasion(dt.date(enters - 1, 10, 1), "就学時健診")


def months_after(day: dt.date, months: int) -> dt.date:
    """The same day of a later month, or its last day where that month is shorter."""
    year, month = divmod(day.month - 1 + months, 12)
    first = dt.date(day.year + year, month + 1, 1)
    following = dt.date(first.year + first.month // 12, first.month % 12 + 1, 1)
    return min(first + dt.timedelta(days=day.day - 1), following - dt.timedelta(days=1))
