"""Households and people as tables: everyone who lived in the city at some time in the window, with when they came and went.

`settlement` draws them; `hard_cases` makes some of them hard to tell apart; what happened on the way is in `life_events`.
"""

from dataclasses import dataclass, fields
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from kizuki.synth.calendar import parts

Array = npt.NDArray[Any]
Table = TypeVar("Table", "Units", "People")

FAMILY, COUPLE, YOUNG, MIDDLE, OLD, OLD_COUPLE = range(6)
"""Kinds of household: parents with children of any age; couple; one person of 18-39, 40-64, 65+; couple of 65+."""

HEAD, PARTNER, CHILD, GRANDPARENT, LEFT_PARENT, NEW_PARTNER = range(6)
"""Roles in the household as drawn. LEFT_PARENT left at the split; NEW_PARTNER came at the remarriage."""

STAYED, MOVED_OUT, DIED = range(3)

CAUSES = ("離婚", "死別", "未婚", "障害", "DV等")


@dataclass
class Units:
    """One row per household as drawn. Days are day numbers, `NEVER` when it did not happen."""

    kind: Array
    enter: Array
    exit: Array
    exit_died: Array
    foreign: Array
    family: Array
    single: Array  # 0 two parents or no children, 1 mother, 2 father
    cause: Array  # position in CAUSES, -1
    split_on: Array
    mother_moves: Array
    joined_on: Array
    sealed: Array
    rented: Array
    hardship: Array
    young_mother: Array
    children: Array

    def __len__(self) -> int:
        return len(self.kind)


@dataclass
class People:
    """One row per person."""

    unit: Array
    role: Array
    sex: Array
    birth: Array
    family: Array
    maiden: Array  # family name before marriage, -1
    given: Array
    foreign: Array
    enter: Array
    leave: Array
    leave_reason: Array
    birth_order: Array  # 0 for the first child, -1 for adults
    unregistered: Array  # lives here, known to offices, without a row in the resident register
    earlier_of: Array  # for an earlier stay under another 宛名番号: the row of the later stay of the same human; -1
    away_from: Array  # moved out for a while and came back under the same number
    away_to: Array

    def __len__(self) -> int:
        return len(self.unit)

    def resident_on(self, number: int) -> Array:
        """Whether each person lives in the city on a day."""
        return (self.enter <= number) & (self.leave > number) & ~self.away_on(np.arange(len(self)), number)

    def away_on(self, persons: Array, days: Array | int) -> Array:
        """Whether people live elsewhere for the time being on a day of theirs."""
        away: Array = (self.away_from[persons] <= days) & (self.away_to[persons] > days)
        return away

    def registered_on(self, number: int) -> Array:
        """Whether each person stands in the resident register as living here on a day."""
        registered: Array = self.resident_on(number) & ~self.unregistered
        return registered

    def identity(self) -> Array:
        """Per row the human it stands for: the row of that human's latest stay."""
        return np.where(self.earlier_of >= 0, self.earlier_of, np.arange(len(self)))

    def age_on(self, number: int) -> Array:
        """Completed years on a day."""
        year, month, dom = parts(self.birth)
        y, m, d = (int(v[0]) for v in parts(np.array([number])))
        years: Array = y - year - ((month > m) | ((month == m) & (dom > d)))
        return years


def concat(blocks: list[Table]) -> Table:
    """Rows of several tables of one class under each other."""
    kind: Any = type(blocks[0])
    out: Table = kind(**{f.name: np.concatenate([getattr(b, f.name) for b in blocks]) for f in fields(kind)})
    return out
