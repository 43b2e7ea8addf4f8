"""What a rung of the ladder fits on: the items' steps, the staff's own judgement as one column, and one column per period.

Columns stand in this order: [every item's steps and 不明] [staff points] [periods]. The staff points column, where the city has
one, counts linearly with a penalty of its own and becomes an item's table like the others, so that the artefact stays
intercept + Σ items. Period columns take up the base rate of each period and are not scored.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from kizuki.judge.case_table import CaseTable, Floats, Ints, ItemColumn
from kizuki.judge.item_bins import Binned, Codes, Design, Matrix, binned, cut, levels_of
from kizuki.judge.penalised import Fit, Groups, linear, stacked
from kizuki.judge.point_table import ItemTable

STAFF, HYBRID, ADDITIVE = "staff_points", "hybrid", "additive"
"""The rungs: staff points only, staff points with items shrunk together, each item with its own shrinkage."""
_STEPS_FAMILY, _AGREED_FAMILY, _LEVEL_FAMILY, _UNKNOWN_FAMILY, _STAFF_FAMILY, _PERIOD_FAMILY = range(6)
_OWN_DOF = {STAFF: float("inf"), HYBRID: float("inf"), ADDITIVE: 0.3}
_RECENT = 0.7
"""Each earlier period counts this much less for the level the next one starts from."""


@dataclass(frozen=True, slots=True)
class Features:
    """The matrix over all rows, the groups of its columns, and what is needed to turn coefficients back into tables."""

    rung: str
    design: Design
    codes: Codes
    staff: tuple[Binned, Codes, Floats] | None
    matrix: Matrix
    groups: Groups
    periods: int
    left_out: tuple[tuple[str, str], ...]

    @property
    def scored(self) -> int:
        """Columns that count for the score: all but the periods'."""
        return int(self.matrix.shape[1]) - self.periods

    def order(self, fit: Fit, rows: Ints) -> Floats:
        """The points of some rows without the intercept."""
        beta = fit.beta.copy()
        beta[self.scored :] = 0.0
        return linear(self.matrix, rows, beta)

    def level(self, fit: Fit, last: int) -> float:
        """The intercept for the period after `last`: recent periods say most about it."""
        effects = fit.beta[self.scored :][: last + 1]
        weight = _RECENT ** np.arange(last, -1, -1)
        return fit.intercept + float(np.dot(effects, weight) / weight.sum())

    def tables(self, fit: Fit) -> tuple[ItemTable, ...]:
        """The items' tables, the composite folded in; items that add nothing anywhere are left away."""
        made = list(self.design.tables(fit.beta[: self.design.width]))
        if self.staff:
            bins, _, step = self.staff
            values = tuple(float(fit.beta[self.design.width] * s) for s in step)
            made.append(ItemTable(bins.name, bins.kind, bins.edges, bins.levels, values, 0.0))
        return tuple(t for t in made if any(t.values) or t.unknown)


def features(cases: CaseTable, directions: Mapping[str, int], staff: str | None, rung: str) -> Features:
    """Everything a rung fits on; `staff` names the column of staff points, `directions` the agreed signs."""
    own = {c.name: c for c in cases.items}
    items = tuple(c for c in cases.items if c.name != staff)
    rest = CaseTable(items, cases.label, cases.period, cases.periods, cases.household)
    design, left_out = cut(rest, directions)
    points = _staff_column(own[staff]) if staff else None
    if rung == STAFF:
        design = Design(())
    codes = design.codes(cases)
    composite = np.zeros((len(cases), 1 if points else 0), dtype=np.float32)
    if points:
        composite[:, 0] = np.append(points[2], 0.0)[points[1]]
    period = (cases.period[:, None] == np.arange(len(cases.periods))[None, :]).astype(np.float32)
    matrix = np.concatenate([design.matrix(codes), composite, period], axis=1)
    groups = _groups(design, points is not None, len(cases.periods), _OWN_DOF[rung])
    return Features(rung, design, codes, points, matrix, groups, len(cases.periods), left_out)


def _staff_column(column: ItemColumn) -> tuple[Binned, Codes, Floats] | None:
    bins = binned(column, 0, max_steps=200, min_rows=1)
    return None if isinstance(bins, str) else (bins, bins.codes(column), levels_of(bins, column))


def _groups(design: Design, staff: bool, periods: int, own_dof: float) -> Groups:
    parts: list[tuple[int, int, int]] = []
    for b in design.bins:
        family = _LEVEL_FAMILY if b.levels else _AGREED_FAMILY if b.direction else _STEPS_FAMILY
        parts.append((b.width, family, b.direction))
        if b.has_unknown:
            parts.append((1, _UNKNOWN_FAMILY, 0))
    if staff:
        parts.append((1, _STAFF_FAMILY, 1))
    parts.append((periods, _PERIOD_FAMILY, 0))
    return stacked(parts, own_dof)
