"""Past cases as columns: one row per child × as-of day, with what was known that day and what came after.

`label` is NaN where the outcome window has not closed; an item is NaN (number) or −1 (category) where unknown.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kizuki.judge.point_table import CATEGORY, NUMBER

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class ItemColumn:
    """One item over all rows: numbers with NaN = unknown, or codes into `levels` with −1 = unknown."""

    name: str
    kind: str
    values: Floats
    levels: tuple[str, ...] = ()

    @property
    def known(self) -> Flags:
        """Where a value was written."""
        return ~np.isnan(self.values) if self.kind == NUMBER else self.values >= 0

    def take(self, rows: Ints | Flags) -> "ItemColumn":
        """The same column over some rows."""
        return ItemColumn(self.name, self.kind, self.values[rows], self.levels)


@dataclass(frozen=True, slots=True)
class CaseTable:
    """Everything `judge learn` reads; `period` counts up with time, `household` is the cluster of the bootstrap."""

    items: tuple[ItemColumn, ...]
    label: Floats
    period: Ints
    periods: tuple[str, ...]
    household: Ints

    def __len__(self) -> int:
        return len(self.label)

    @property
    def closed(self) -> Flags:
        """Rows whose outcome is known."""
        return ~np.isnan(self.label)

    def take(self, rows: Ints | Flags) -> "CaseTable":
        """The same table over some rows."""
        items = tuple(i.take(rows) for i in self.items)
        return CaseTable(items, self.label[rows], self.period[rows], self.periods, self.household[rows])


def number_item(name: str, values: Floats) -> ItemColumn:
    """A numeric item."""
    return ItemColumn(name, NUMBER, values)


def category_item(name: str, values: list[str | None]) -> ItemColumn:
    """A category from its words; None = unknown."""
    levels = tuple(sorted({v for v in values if v is not None}))
    at = {v: float(k) for k, v in enumerate(levels)}
    return ItemColumn(name, CATEGORY, np.array([-1.0 if v is None else at[v] for v in values]), levels)
