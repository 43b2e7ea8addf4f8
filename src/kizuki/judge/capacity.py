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
from kizuki.judge.promise import Promise, promise


@dataclass(frozen=True, slots=True)
class Step:
    """One capacity: `n` children in one list.

    `staff` = the promise of the staff's own order (the list in force), `learned` = of the order that was learned.
    `households` = how many households the first n children of the staff's order are, on average over the periods.
    """

    n: int
    staff: Promise
    learned: Promise
    households: float
    benefit: tuple[dict[str, Any], ...]


def curve(cases: CaseTable, test: BackTest, staff: Floats, capacities: Sequence[int], seed: int) -> tuple[Step, ...]:
    """One step per capacity; capacities beyond the number of children the next period has are left out."""
    rows_next = len(coming(cases))
    wanted = [n for n in sorted(set(capacities)) if 0 < n <= rows_next]
    # staff points were not made from these cases: their order is out of sample in every period, crossed and rolled alike
    known = np.where(cases.closed, staff, np.nan)
    steps = []
    for n in wanted:
        by_staff = promise(cases, known, known, capacity=n, rows_next=rows_next, seed=seed)
        learned = promise(cases, test.crossed, test.rolled, capacity=n, rows_next=rows_next, seed=seed)
        homes = _households(cases, known, n / max(rows_next, 1)) * n
        steps.append(Step(n, by_staff, learned, homes, net_benefit(cases, test.crossed, staff, n)))
    return tuple(steps)


def _households(cases: CaseTable, score: Floats, share: float) -> float:
    """Households per child among the first `share` of each period: siblings are one visit."""
    found = []
    usable = cases.closed & ~np.isnan(score)
    for t in range(len(cases.periods)):
        rows = np.flatnonzero(usable & (cases.period == t))
        if len(rows):
            first = rows[np.argsort(-score[rows], kind="stable")[: max(1, round(share * len(rows)))]]
            found.append(len(np.unique(cases.household[first])) / len(first))
    return float(np.mean(found)) if found else 1.0
