"""A learned table as whole points a criteria set can carry: what staff read, change and approve, and the night then uses.

Learned values are log-odds; a criteria set counts whole points. Twenty points are one log-odd, so rounding moves nobody by more
than a fortieth per line. An item becomes at most `MAX_STEPS` lines (「X ≥ 5」 adds so many more), cut where the learned steps
jump; the column of staff points becomes one factor by which the staff's own lines are multiplied. What being unknown had been
worth to the learner is left out on purpose: a criteria set counts an unknown as open, and asks (G2).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np

from kizuki.judge.case_table import CaseTable, Floats, Ints
from kizuki.judge.drift import table_points
from kizuki.judge.point_table import NUMBER, ItemTable, PointTable

UNIT: Final = 20
"""Points per log-odd."""
LEAST: Final = 3
"""A jump of fewer points (0.15 log-odds) is no line of its own: it would move hardly anybody and be read by everybody."""
MAX_STEPS: Final = 6
MAX_LINES: Final = 60
"""More nobody reads; those that tell children apart most are kept."""
AGREEMENT: Final = 0.8
"""Of the children both would list, at least so many must be the same, else the promise is not about this table."""


@dataclass(frozen=True, slots=True)
class Line:
    """`points` more where the item is `at_least` or above."""

    item: str
    at_least: float
    points: int


@dataclass(frozen=True, slots=True)
class Written:
    """The lines, what one staff point is worth (0 = the table has none of them), the threshold for the capacity, the agreement.

    `agreement` = share of the first `capacity` children of the newest day that the learned table and the lines have in common.
    """

    lines: tuple[Line, ...]
    staff_factor: float
    threshold: int
    agreement: float

    def as_dict(self) -> dict[str, Any]:
        """As the result of a back-test keeps it."""
        lines = [{"item": x.item, "at_least": x.at_least, "points": x.points} for x in self.lines]
        told = {"staff_factor": self.staff_factor, "threshold": self.threshold, "agreement": round(self.agreement, 4)}
        return {"lines": lines, **told}


def read(told: Mapping[str, Any]) -> Written:
    """The other way round."""
    lines = tuple(Line(str(x["item"]), float(x["at_least"]), int(x["points"])) for x in told["lines"])
    return Written(lines, float(told["staff_factor"]), int(told["threshold"]), float(told["agreement"]))


def written(table: PointTable, cases: CaseTable, rows: Ints, *, staff: str, sayable: Collection[str]) -> Written:
    """The table as lines, with the threshold that lists `table.capacity` of the given rows for certain.

    `sayable` = the items a condition can name; `staff` the column of staff points.
    """
    part = cases.take(rows)
    numbers = (item for item in table.items if item.name in sayable and item.kind == NUMBER)
    lines = _telling([line for item in numbers for line in _lines(item)], part)
    factor = next((_slope(i) * UNIT for i in table.items if i.name == staff), 0.0)
    points = certain(lines, part)
    own = next((c for c in part.items if c.name == staff), None)
    if own is not None and factor:
        points = points + np.round(factor * np.nan_to_num(own.values))
    n = min(table.capacity, len(rows))
    limit = int(np.sort(points)[::-1][n - 1]) if n else 1
    learned = np.argsort(-table_points(table, part), kind="stable")[:n]
    mine = np.argsort(-points, kind="stable")[:n]
    agreement = len(np.intersect1d(learned, mine)) / n if n else 0.0
    return Written(lines, factor, max(limit, 1), agreement)


def certain(lines: tuple[Line, ...], cases: CaseTable) -> Floats:
    """The points that hold whatever the unknowns are, as a criteria set counts them: an unknown protective line counts."""
    at = {c.name: c.values for c in cases.items}
    total = np.zeros(len(cases))
    for line in lines:
        values = at[line.item]
        unknown = np.isnan(values)
        holds = np.where(unknown, line.points < 0, np.nan_to_num(values) >= line.at_least)
        total += np.where(holds, line.points, 0)
    return total


def _telling(lines: list[Line], cases: CaseTable) -> tuple[Line, ...]:
    """At most `MAX_LINES`, in their order: those whose points differ most from child to child."""
    spread = [float(certain((line,), cases).std()) for line in lines]
    kept = sorted(range(len(lines)), key=lambda k: -spread[k])[:MAX_LINES]
    return tuple(lines[k] for k in sorted(kept) if spread[k] > 0)


def _lines(item: ItemTable) -> list[Line]:
    """The largest jumps of the rounded steps; what lies between two of them goes to the nearer one's level."""
    levels = np.round(UNIT * (np.array(item.values) - item.values[0])).astype(int)
    kept: list[int] = []
    while len(kept) < MAX_STEPS:
        cut = _next_cut(levels, kept)
        if cut is None:
            break
        kept = sorted([*kept, cut])
    means = _means(levels, kept)
    found = [Line(item.name, item.edges[k - 1], round(b - a)) for k, (a, b) in zip(kept, pairwise(means), strict=True)]
    return [line for line in found if abs(line.points) >= LEAST]


def _next_cut(levels: Ints, kept: list[int]) -> int | None:
    """The cut that brings the steps nearest to their level's mean; None where no jump is worth a line."""
    best, gain = None, 0.0
    now = _spread(levels, kept)
    for k in range(1, len(levels)):
        if k in kept:
            continue
        cuts = sorted([*kept, k])
        means = _means(levels, cuts)
        place = cuts.index(k)
        better = now - _spread(levels, cuts)
        if abs(means[place + 1] - means[place]) >= LEAST and better > gain:
            best, gain = k, better
    return best


def _spread(levels: Ints, cuts: list[int]) -> float:
    return float(sum(((part - part.mean()) ** 2).sum() for part in np.split(levels, cuts)))


def _means(levels: Ints, cuts: list[int]) -> list[float]:
    """The level of each stretch, the first one at 0 as the lines count from it."""
    found = [float(part.mean()) for part in np.split(levels, cuts)]
    return [m - found[0] for m in found]


def _slope(item: ItemTable) -> float:
    """Log-odds per staff point: the column counts linearly, step by step of whole points."""
    if len(item.edges) < 2:
        return (item.values[-1] - item.values[0]) / item.edges[0] if item.edges and item.edges[0] else 0.0
    return (item.values[-1] - item.values[1]) / (item.edges[-1] - item.edges[0])
