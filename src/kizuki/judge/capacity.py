"""What staff may expect at each number of cases they can look at: the promise, the ties, the households, the staff's own list.

One row per capacity. The scores are those nobody was trained on, so the figures are about the next period and not about the
past fitted again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kizuki.judge.backtest import BackTest
from kizuki.judge.case_table import CaseTable, Floats
from kizuki.judge.ladder import coming
from kizuki.judge.net_benefit import net_benefit
from kizuki.judge.promise import Promise, promise, tied


@dataclass(frozen=True, slots=True)
class Step:
    """One capacity: `n` children in one list; finds are counts of the last closed period, the promise is about the next.

    `households` = how many households those children are, on average over the periods; `share_listed` of ties is in
    `ties` (worst, expected, best). None where there is no staff list or nothing to promise.
    """

    n: int
    promise: Promise
    households: float
    staff: dict[str, float] | None
    benefit: tuple[dict[str, Any], ...]


def curve(cases: CaseTable, test: BackTest, staff: Floats | None, capacities: Sequence[int], seed: int) -> tuple[Step, ...]:
    """One step per capacity; capacities beyond the number of children the next period has are left out."""
    rows_next = len(coming(cases))
    wanted = [n for n in sorted(set(capacities)) if 0 < n <= rows_next]
    return tuple(_step(cases, test, staff, n, seed=seed, rows_next=rows_next) for n in wanted)


def _step(cases: CaseTable, test: BackTest, staff: Floats | None, n: int, *, seed: int, rows_next: int) -> Step:
    promised = promise(cases, test.crossed, test.rolled, capacity=n, rows_next=rows_next, seed=seed)
    return Step(
        n,
        promised,
        households=_households(cases, test.crossed, n / max(rows_next, 1)),
        staff=None if staff is None else _staff(cases, staff, n / max(rows_next, 1)),
        benefit=net_benefit(cases, test.crossed, staff, n),
    )


def _periods(cases: CaseTable, score: Floats) -> list[np.ndarray]:
    """Rows of each closed period that have a score."""
    usable = cases.closed & ~np.isnan(score)
    return [rows for t in range(len(cases.periods)) if len(rows := np.flatnonzero(usable & (cases.period == t)))]


def _households(cases: CaseTable, score: Floats, share: float) -> float:
    """Households per child among the first `share` of each period, times the children: siblings are one visit."""
    found = []
    for rows in _periods(cases, score):
        first = rows[np.argsort(-score[rows], kind="stable")[: max(1, round(share * len(rows)))]]
        found.append(len(np.unique(cases.household[first])) / len(first))
    return float(np.mean(found)) if found else 1.0


def _staff(cases: CaseTable, staff: Floats, share: float) -> dict[str, float]:
    """What the staff's own order found at the same capacity, summed over the periods, with both ends of the ties."""
    total = dict.fromkeys(("worst", "expected", "best", "cases", "looked"), 0.0)
    for rows in _periods(cases, staff):
        n = max(1, round(share * len(rows)))
        ends = tied(staff[rows], cases.label[rows], n)
        for kind in ("worst", "expected", "best"):
            total[kind] += ends[kind]
        total["cases"] += float(cases.label[rows].sum())
        total["looked"] += n
    return total
