"""Two lists over the same children: how much better one finds whom it should, with an interval that knows they overlap.

Children on both lists count in both shares, so the difference is taken within each draw. Households are drawn whole:
siblings are not independent.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Flags = NDArray[np.bool_]

LEVEL = 0.9
MIN_APART = 10
"""Fewer known outcomes than this among the children only one list holds say nothing about the difference."""
_DRAWS = 2000
_BATCH = 200
BETTER, WORSE, NOT_SHOWN, UNDECIDED = "新しい版が高い", "新しい版が低い", "差があるとはいえない", "判定できない"


@dataclass(frozen=True, slots=True)
class Paired:
    """Precision of both lists among children whose outcome is known, the difference (new minus old) and its 90 % interval.

    `known` = children with a known outcome on either list, `apart` = those on one list only. None where there is nothing to
    divide by; `answer` in words.
    """

    old: float | None
    new: float | None
    difference: float | None
    interval: tuple[float, float] | None
    known: int
    apart: int
    answer: str


def paired(old: Flags, new: Flags, outcome: Flags, household: Sequence[str], *, seed: int = 20_260_401) -> Paired:
    """Compare two lists; one element per child whose outcome is known, `outcome` = what the list is to find."""
    known, apart = int((old | new).sum()), int((old ^ new).sum())
    shares = [float(outcome[listed].mean()) if listed.any() else None for listed in (old, new)]
    before, after = shares
    if before is None or after is None or apart < MIN_APART:
        return Paired(before, after, None, None, known, apart, UNDECIDED)
    drawn = _differences(old, new, outcome, household, seed)
    low, high = (float(q) for q in np.quantile(drawn, ((1 - LEVEL) / 2, (1 + LEVEL) / 2)))
    answer = BETTER if low > 0 else WORSE if high < 0 else NOT_SHOWN
    return Paired(before, after, after - before, (low, high), known, apart, answer)


def _differences(old: Flags, new: Flags, outcome: Flags, household: Sequence[str], seed: int) -> NDArray[np.float64]:
    """New minus old precision in each draw of households with replacement."""
    _, home = np.unique(np.asarray(household), return_inverse=True)
    homes = int(home.max()) + 1
    columns = (old & outcome, old, new & outcome, new)
    sums = np.stack([np.bincount(home, weights=c.astype(float), minlength=homes) for c in columns], axis=1)
    rng = np.random.default_rng(seed)
    chance = np.full(homes, 1 / homes)
    found = []
    for _ in range(_DRAWS // _BATCH):
        total = rng.multinomial(homes, chance, size=_BATCH) @ sums
        held = (total[:, 1] > 0) & (total[:, 3] > 0)
        found.append(total[held, 2] / total[held, 3] - total[held, 0] / total[held, 1])
    return np.concatenate(found)
