"""The tables of a snapshot as one request sees them: only the rows of the persons it is about, in an engine of its own.

A question about named persons is answered from a few hundred rows instead of ten million, and cannot read anybody else's:
what lies outside the door is not in the room.
"""

import threading
from collections import deque
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from kizuki.engine.duck import DuckEngine
from kizuki.engine.keyed import KeyedTable, distinct

HOUSEHOLD_TABLE = "household_member"
PROGRAMME_TABLE = "eligibility"
_MEMORY_LIMIT = "300MB"


class NearTables:
    """Row places of every table with persons, and per thread one small engine that holds what was asked for last."""

    def __init__(self, tables: Mapping[str, pa.Table]) -> None:
        self._by_person = {n: KeyedTable(t, "person_id") for n, t in tables.items() if "person_id" in t.column_names}
        self._whole = {n: t for n, t in tables.items() if n not in self._by_person}
        self._homes = KeyedTable(tables[HOUSEHOLD_TABLE], "household_id")
        self._programmes = KeyedTable(tables[PROGRAMME_TABLE], "household_id")
        self._local = threading.local()
        self._ready: deque[DuckEngine] = deque()

    def prepare(self, threads: int) -> None:
        """Have the engines of so many threads at hand: making one takes as long as half a page."""
        self._ready.extend(_small_engine() for _ in range(threads))

    def about(self, persons: Collection[str], tables: Collection[str]) -> DuckEngine:
        """The named tables with only the rows of these persons; no other table is there."""
        room = self._room()
        room.admit(frozenset(persons))
        for name in tables:
            if name not in room.tables:
                room.put(name, self._whole[name] if name in self._whole else self._rows(name, persons))
        return room.engine

    def living_with(self, persons: Collection[str]) -> DuckEngine:
        """Only the household table, with every row of every household these persons have been in."""
        room = self._room()
        room.admit(None)
        room.put(HOUSEHOLD_TABLE, self._homes.rows(self._homes_of(persons)))
        return room.engine

    def _rows(self, name: str, persons: Collection[str]) -> pa.Table:
        own = self._by_person[name].rows(persons)
        if name != PROGRAMME_TABLE:
            return own
        # a programme answered for a whole household has no person: it belongs to whoever of them has lived there
        shared = self._programmes.rows(self._homes_of(persons))
        return pa.concat_tables([own, shared.filter(pc.is_null(shared.column("person_id")))])

    def _homes_of(self, persons: Collection[str]) -> set[str]:
        return distinct(self._by_person[HOUSEHOLD_TABLE].rows(persons), "household_id")

    def _room(self) -> "_Room":
        if not hasattr(self._local, "room"):
            self._local.room = _Room(taken(self._ready) or _small_engine())
        room: _Room = self._local.room
        return room


def _small_engine() -> DuckEngine:
    return DuckEngine(_MEMORY_LIMIT, threads=1, optimise=False)


def taken(ready: "deque[DuckEngine]") -> DuckEngine | None:
    """One of those at hand, None when there are no more; two threads never take the same."""
    try:
        return ready.popleft()
    except IndexError:
        return None


@dataclass(slots=True)
class _Room:
    """One thread's small engine: whom it is about now (None: nobody in particular), and the tables in it."""

    engine: DuckEngine
    persons: frozenset[str] | None = None
    tables: set[str] = field(default_factory=set)

    def admit(self, persons: frozenset[str] | None) -> None:
        """Empty the room, unless it is about the same persons already."""
        if persons is not None and persons == self.persons:
            return
        for name in self.tables:
            self.engine.unregister(name)
        self.tables.clear()
        self.persons = persons

    def put(self, name: str, table: pa.Table) -> None:
        """A table under its name."""
        self.engine.register(name, table)
        self.tables.add(name)
