"""効果測定 (pure): what became of notices, whether sending early made a difference, and which conditions to look at again.

The difference is read where chance alone decided who was told first: the households of the first and of the last week, up to
the day the last were sent. The interval is Newcombe's hybrid score interval (1998, method 10) at 90 %, as elsewhere in
the product.
"""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Final

LEAST_ARM, LEAST_OUTCOMES = 30, 5
"""Fewer households in one week, or fewer who applied in both together, and nothing can be said."""
LEAST_FALSE, REVIEW_ABOVE = 5, 0.05
"""A condition is looked at again from five wrong notices on, when surely more than one in twenty was wrong."""
_Z: Final = 1.6448536269514722
NOT_YET, TOO_FEW = "まだ測れない", "判定できない"
MORE, FEWER, NO_ANSWER = "先に送った組のほうが多い", "先に送った組のほうが少ない", "差があるとは言えない"
BEYOND_DATA: Final = "（データに無い条件）"


@dataclass(frozen=True, slots=True)
class Fate:
    """One notice and what is known of it since; `contradicted` = names of the conditions that turned out otherwise.

    `applied_on` = the first day a delivery showed an application, a receipt or a refusal; `received_on` a receipt.
    """

    programme: str
    batch: int
    wave: int
    household_id: str
    not_before: dt.date
    sent: bool
    opened: bool
    applied_on: dt.date | None = None
    received_on: dt.date | None = None
    refused: bool = False
    contradicted: tuple[str, ...] = ()

    @property
    def wrong(self) -> bool:
        """Whether the household was told of something that was refused, or that the data now say it cannot use."""
        return self.refused or bool(self.contradicted)


@dataclass(frozen=True, slots=True)
class Funnel:
    """How many notices got how far."""

    made: int
    sent: int
    opened: int
    applied: int
    received: int
    wrong: int


def funnel(fates: Iterable[Fate]) -> Funnel:
    """送達→開封→申請→受給; every step after 送達 counts only what was sent."""
    told = list(fates)
    sent = [f for f in told if f.sent]
    return Funnel(
        len(told),
        len(sent),
        sum(f.opened for f in sent),
        sum(f.applied_on is not None for f in sent),
        sum(f.received_on is not None for f in sent),
        sum(f.wrong for f in sent),
    )


@dataclass(frozen=True, slots=True)
class Arm:
    """The households of one week: how many, and how many applied by the day the last week was sent."""

    households: int
    applied: int

    @property
    def share(self) -> float:
        """Applied among all, whether the notice reached them or not (as drawn)."""
        return self.applied / self.households if self.households else 0.0


@dataclass(frozen=True, slots=True)
class Difference:
    """First against last week of one batch; the bounds are shares, None where nothing can be said."""

    early: Arm
    late: Arm
    until: dt.date | None
    answer: str
    low: float | None = None
    high: float | None = None


def difference(fates: Sequence[Fate], known_until: dt.date) -> Difference:
    """One batch's first and last week compared as they were drawn, by what was known before the last week was sent."""
    waves = sorted({f.wave for f in fates})
    if len(waves) < 2:
        return Difference(Arm(0, 0), Arm(0, 0), None, NOT_YET)
    until = min(f.not_before for f in fates if f.wave == waves[-1])
    early, late = (_arm([f for f in fates if f.wave == w], until) for w in (waves[0], waves[-1]))
    if known_until < until:
        return Difference(early, late, until, NOT_YET)
    if min(early.households, late.households) < LEAST_ARM or early.applied + late.applied < LEAST_OUTCOMES:
        return Difference(early, late, until, TOO_FEW)
    low, high = newcombe(early, late)
    answer = MORE if low > 0 else FEWER if high < 0 else NO_ANSWER
    return Difference(early, late, until, answer, low, high)


def _arm(fates: Sequence[Fate], until: dt.date) -> Arm:
    applied = {f.household_id for f in fates if f.applied_on is not None and f.applied_on < until}
    return Arm(len({f.household_id for f in fates}), len(applied))


def newcombe(one: Arm, other: Arm, z: float = _Z) -> tuple[float, float]:
    """Interval (90 %) of the difference of two shares (one − other)."""
    (low1, high1), (low2, high2) = wilson(one.applied, one.households, z), wilson(other.applied, other.households, z)
    gap = one.share - other.share
    low = gap - sqrt((one.share - low1) ** 2 + (high2 - other.share) ** 2)
    high = gap + sqrt((high1 - one.share) ** 2 + (other.share - low2) ** 2)
    return low, high


def wilson(hits: int, of: int, z: float = _Z) -> tuple[float, float]:
    """Wilson score interval (90 %) of a share; (0, 1) of nothing."""
    if of == 0:
        return 0.0, 1.0
    share, z2 = hits / of, z * z
    centre = (share + z2 / (2 * of)) / (1 + z2 / of)
    half = z * sqrt(share * (1 - share) / of + z2 / (4 * of * of)) / (1 + z2 / of)
    return max(centre - half, 0.0), min(centre + half, 1.0)


@dataclass(frozen=True, slots=True)
class Suspect:
    """One condition of one programme: how many notices that were sent rested on it, and how many of them were wrong by it."""

    programme: str
    condition: str
    wrong: int
    sent: int


def to_review(fates: Iterable[Fate]) -> tuple[Suspect, ...]:
    """見直す条件: those by which surely more than one in twenty of the notices was wrong, the most wrong first."""
    sent: Counter[str] = Counter()
    wrong: dict[tuple[str, str], int] = defaultdict(int)
    for fate in fates:
        if not fate.sent:
            continue
        sent[fate.programme] += 1
        blamed = fate.contradicted or ((BEYOND_DATA,) if fate.refused else ())
        for condition in blamed:
            wrong[fate.programme, condition] += 1
    found = [Suspect(p, c, n, sent[p]) for (p, c), n in wrong.items()]
    kept = [s for s in found if s.wrong >= LEAST_FALSE and wilson(s.wrong, s.sent)[0] > REVIEW_ABOVE]
    return tuple(sorted(kept, key=lambda s: (-s.wrong / s.sent, s.programme, s.condition)))
