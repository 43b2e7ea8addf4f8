"""問合せ振分 (pure): to which office a question goes, until when it must be answered, and what may follow what."""

import datetime as dt
from collections.abc import Mapping
from typing import Final

from kizuki.definitions.messages import Calendar
from kizuki.push.workdays import after

OPEN, DOING, DONE = "未対応", "対応中", "対応済み"
NEXT: Final[Mapping[str, frozenset[str]]] = {
    OPEN: frozenset({OPEN, DOING, DONE}),
    DOING: frozenset({OPEN, DOING, DONE}),
    DONE: frozenset(),
}
"""Status → statuses that may follow: handed to another office it is open again there; what is answered stays answered."""


def may_follow(before: str, then: str) -> bool:
    """Whether an enquiry may go from one status to the other."""
    return then in NEXT.get(before, frozenset())


def due_on(opened: dt.date, days: int, calendar: Calendar) -> dt.date:
    """The day to answer by: that many working days after the question came in."""
    return after(opened, days, calendar)


def overdue(due: dt.date, status: str, today: dt.date) -> bool:
    """Whether the answer is late."""
    return status != DONE and today > due
