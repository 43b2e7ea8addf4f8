"""What the served snapshot, and staff since, know of the adults who may be told: the facts `push.safety` decides on."""

import datetime as dt
from collections.abc import Collection, Mapping
from typing import Final

import pyarrow as pa

from kizuki.app import scope
from kizuki.app.snapshot_view import SnapshotView, current_view
from kizuki.engine.sql import bind, load
from kizuki.push.safety import Adult

_CHILD_YEARS: Final = 18
"""Somebody is brought up until the end of the fiscal year in which they turn 18."""


def adults(people: Collection[str], view: SnapshotView | None = None) -> Mapping[str, Adult]:
    """The facts about these persons (present ids) on the served snapshot, and today's seals; unknown ones are blank."""
    view = view or current_view()
    sealed = scope.sealed_now(scope.people_of(view))
    found = {p: _unknown(p, sealed) for p in people}
    if not found:
        return found
    engine = view.cursor()
    query = bind(load("kizuki.app", "notice_adults"), as_of=view.as_of, born_after=born_after(view.as_of))
    with engine.holding(asked=pa.table({"person_id": pa.array(sorted(found), pa.string())})):
        rows = engine.query(query).to_pydict()
    columns = ("person_id", "status", "household_id", "birth_date", "parent", "pending", "receiver", "head")
    for person, status, home, born, *flags in zip(*(rows[c] for c in columns), strict=True):
        parent, pending, receiver, head = (bool(f) for f in flags)
        found[person] = Adult(person, status or "", home or "", born, parent, person in sealed, pending, receiver, head)
    return found


def born_after(as_of: dt.date) -> dt.date:
    """Whoever was born after this day is still before the end of the fiscal year in which they turn 18."""
    fiscal_year = as_of.year - (as_of.month < 4)
    return dt.date(fiscal_year - _CHILD_YEARS, 4, 1)


def _unknown(person: str, sealed: Collection[str]) -> Adult:
    """Somebody the snapshot does not know: never safe to tell."""
    return Adult(person, "", "", None, False, person in sealed, False, False, False)
