"""中程度の抽出: a random slice of the children below the list, drawn with recorded probabilities, and what it says
without bias.

Children are drawn with probability in proportion to the square root of their estimated chance, by systematic sampling
over a random order, so that each child's inclusion probability is known exactly and is written down at the draw. What
the draw finds is weighted by 1/probability. The interval is a stratified bootstrap: Wald intervals cover too little
here and are not offered.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from kizuki.judge.case_table import Floats, Ints

_REPLICATES = 2000
_FLOOR = 1e-4


@dataclass(frozen=True, slots=True)
class Draw:
    """Which rows were drawn, each row's probability of having been drawn, and the seed to draw again."""

    rows: Ints
    inclusion: Floats
    seed: int


def draw(chance: Floats, band: Ints, n: int, seed: int) -> Draw:
    """Draw n of the rows of `band`; `inclusion` goes with `band`."""
    n = min(n, len(band))
    inclusion = _inclusion(np.sqrt(np.maximum(chance[band], _FLOOR)), n)
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(band))
    filled = np.cumsum(inclusion[order])
    # a point every 1.0 from a random start: row k is hit exactly when its stretch of length inclusion[k] holds a point
    start = rng.random()
    hits = np.floor(filled - start).astype(np.int64) - np.floor(np.concatenate([[0.0], filled[:-1]]) - start).astype(np.int64)
    return Draw(np.sort(band[order[hits > 0]]), inclusion, seed)


def estimate(found_on_list: float, drawn: Ints, inclusion: Floats, label: Floats, seed: int) -> dict[str, Any]:
    """Cases below the list, and the share of all cases the list reached, from the drawn rows' outcomes.

    `drawn` are positions whose `inclusion` and `label` are given alike; a 90 % interval by bootstrap of the drawn rows within
    quarters of their probability.
    """
    weight = label / inclusion
    total = float(weight.sum())
    rng = np.random.default_rng(seed)
    strata = np.array_split(np.argsort(inclusion, kind="stable"), 4)
    totals = np.zeros(_REPLICATES)
    for part in strata:
        if len(part):
            totals += weight[part][rng.integers(0, len(part), (_REPLICATES, len(part)))].sum(axis=1)
    low, high = (float(v) for v in np.quantile(totals, (0.05, 0.95)))
    # a draw that found nobody does not show that nobody is there: rule of three at 90 % (ln 10) over the smallest probability
    high = max(high, float(np.log(10) / inclusion.min())) if not label.sum() else high

    def share(missed: float) -> float | None:
        return round(found_on_list / (found_on_list + missed), 4) if found_on_list + missed else None

    return {
        "drawn": len(drawn),
        "found": int(label.sum()),
        "below_list": round(total, 1),
        "interval": [round(low, 1), round(high, 1)],
        "recall": share(total),
        "recall_interval": [share(high), share(low)],
    }


def _inclusion(size: Floats, n: int) -> Floats:
    """Probabilities in proportion to size that sum to n, none above one."""
    out = np.zeros(len(size))
    left = np.ones(len(size), dtype=np.bool_)
    remaining = float(n)
    while left.any() and remaining > 0:
        share = size * remaining / size[left].sum()
        full = left & (share >= 1)
        if not full.any():
            out[left] = share[left]
            break
        out[full] = 1.0
        remaining -= float(full.sum())
        left &= ~full
    return out
