"""What a list is worth: cases found less the price of looking in vain, against the staff's own list and against no list.

Net benefit = found/n − looked-in-vain/n × w/(1−w) (Vickers & Elkin 2006), n all children; w is the share of finds at
which one more look is just worth it. At equal capacity the staff list pays the same looks, so the difference is the
difference in finds.
"""

from typing import Any

import numpy as np

from kizuki.judge.case_table import CaseTable, Floats
from kizuki.judge.promise import tied

WORTH = (0.02, 0.05, 0.1, 0.2)
"""One find in 50, 20, 10 and 5 looks."""


def net_benefit(cases: CaseTable, learned: Floats, staff: Floats | None, capacity: int) -> tuple[dict[str, Any], ...]:
    """One dict per worth: per 1,000 children, the net finds of the learned list, the staff list (if any), and none
    (always 0).
    """
    rows = looked = found = by_staff = 0.0
    for t in range(len(cases.periods)):
        here = (cases.period == t) & ~np.isnan(learned)
        if staff is not None:
            here &= ~np.isnan(staff)
        if not here.any():
            continue
        rows += float(here.sum())
        looked += min(capacity, float(here.sum()))
        found += tied(learned[here], cases.label[here], capacity)["expected"]
        by_staff += tied(staff[here], cases.label[here], capacity)["expected"] if staff is not None else 0.0
    if not rows:
        return ()

    def worth(finds: float, share: float) -> float:
        return round(1000 * (finds - (looked - finds) * share / (1 - share)) / rows, 3)

    return tuple(
        {"worth": w, "learned": worth(found, w), "staff": None if staff is None else worth(by_staff, w), "none": 0.0}
        for w in WORTH
    )
