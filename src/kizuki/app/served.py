"""What every screen starts from: the served snapshot, its as-of date, and the words of the definitions it was made with."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlglot import exp

from kizuki.app import explanation as words
from kizuki.app.city_definitions import definitions_of as definitions_in_force
from kizuki.app.freshness import CADENCE_DAYS
from kizuki.app.release import MASKED
from kizuki.app.snapshot_view import SnapshotView, current_view
from kizuki.definitions.criteria import CriteriaSet
from kizuki.definitions.expression import terms_of
from kizuki.definitions.loader import Definitions as Loaded
from kizuki.definitions.programmes import Programme
from kizuki.definitions.sources import Cadence


@dataclass(frozen=True, slots=True)
class Source:
    """One source as the screens name it."""

    id: str
    title: str
    owner: str
    cadence: str
    grace_days: int
    enabled: bool

    @property
    def cadence_title(self) -> str:
        """毎月, 毎年 …"""
        return words.CADENCE_TITLES.get(self.cadence, self.cadence)

    @property
    def fresh_days(self) -> int | None:
        """Days a value may ordinarily be old: the feed's longest interval and its grace; None for a feed that comes once."""
        if self.cadence == Cadence.ONCE:
            return None
        return CADENCE_DAYS[Cadence(self.cadence)] + self.grace_days


class Definitions:
    """Titles of criteria, programmes and sources; an id without a definition is shown as it is."""

    def __init__(self, loaded: Loaded, as_of: dt.date = dt.date.max, used: Mapping[str, str] | None = None) -> None:
        """`used` = the version of each set the snapshot was judged with; any other set is shown as its file says."""
        self.loaded, self.as_of = loaded, as_of
        self._used = used or {}

    def in_use(self, criteria: str) -> CriteriaSet | None:
        """The version the snapshot was judged with; None for a set that no longer exists."""
        main: CriteriaSet | None = self.loaded.criteria.get(criteria)
        if main is None:
            return None
        return next((v for v in main.versions if v.version == self._used.get(criteria)), main)

    def criteria_title(self, criteria: str) -> str:
        """類型の名前 (貧困, 不登校 …)."""
        found = self.in_use(criteria)
        return found.name if found else criteria

    def entry_title(self, criteria: str, entry: str) -> str:
        """Name of one entry of a criteria set."""
        found = self.in_use(criteria)
        return next((e.name for e in found.entries if e.id == entry), entry) if found else entry

    def similar_wording(self, criteria: str) -> bool:
        """Whether the points were learned from past cases: then a reason says what is alike, not what is wrong."""
        found = self.in_use(criteria)
        return bool(found and found.text.learned_from)

    def to_ask(self, criteria: str, entry: str) -> tuple[str, ...]:
        """What to ask, and where, to answer an entry that is unknown: 値の意味 → 聞き先 of each item it reads."""
        found = self.in_use(criteria)
        terms = [t for e in found.entries if e.id == entry for t in terms_of(e.condition)] if found else []
        items = [self.loaded.items[t.id] for t in terms if t.id in self.loaded.items]
        return tuple(dict.fromkeys(f"{i.meaning}か → {i.ask}" for i in items))

    def unknowable(self, criteria: str) -> tuple[str, ...]:
        """What no data can tell about this difficulty, as the criteria's owner wrote it."""
        found = self.in_use(criteria)
        return tuple(found.text.unknowable) if found else ()

    def programme(self, programme: str) -> Programme | None:
        """The text of a programme that answered the snapshot."""
        found: Programme | None = self.loaded.programmes.get(programme)
        return found.on(self.as_of) if found is not None else None

    def programme_title(self, programme: str) -> str:
        """制度の名前."""
        found = self.programme(programme)
        return found.name if found else programme

    def received_as(self, programme: str) -> tuple[str, tuple[str, ...]]:
        """Kind of spell (and its statuses; none = any) that shows this programme in use on the timeline."""
        found = self.programme(programme)
        if found is None or found.text.receipt is None:  # nobody here knows of its receipt
            return programme, ()
        return found.text.receipt.kind, found.text.receipt.statuses

    def sources(self) -> tuple[Source, ...]:
        """All sources in the order of their files."""
        return tuple(self.source(s) for s in self.loaded.sources)

    def source(self, source: str | None) -> Source:
        """One source; an unknown id gets a monthly cadence, so that old values are still marked."""
        manifest = self.loaded.sources.get(source or "")
        if manifest is None:
            return Source(source or "", words.source_title(source or ""), "", "monthly", 0, enabled=True)
        return Source(
            manifest.id,
            words.SOURCE_TITLES.get(manifest.id, manifest.name),
            manifest.owner,
            str(manifest.cadence),
            manifest.grace_days,
            enabled=manifest.enabled,
        )


@dataclass(frozen=True, slots=True)
class Served:
    """The snapshot the page is about, with its definitions."""

    view: SnapshotView
    definitions: Definitions

    @property
    def as_of(self) -> dt.date:
        """Everything on the page is as known on this day."""
        return self.view.as_of


def served(home: Path) -> Served:
    """The current snapshot; raises RunFailed (K710) before the first run."""
    view = current_view(home)
    return Served(view, definitions_of(home, view.id, view.as_of))


@lru_cache(maxsize=4)
def definitions_of(home: Path, snapshot: str, as_of: dt.date = dt.date.max) -> Definitions:
    """The definitions in force at a snapshot: read once for each, so that a change shows with the first run that used it."""
    return Definitions(definitions_in_force(home), as_of, _versions(current_view(home)))


def _versions(view: SnapshotView) -> dict[str, str]:
    """The version each set was judged with that night."""
    rows = view.cursor().query(exp.select("criteria", "version").distinct().from_("judgement")).to_pylist()
    return {r["criteria"]: r["version"] for r in rows}


def shown(value: Any) -> str | None:
    """Text of a cell, or None where it is blank or masked (for words that must not be built on a masked cell)."""
    return None if value is None or value is MASKED else str(value)
