"""What every screen starts from: the served snapshot, its as-of date, and the words of the definitions it was made with."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from kizuki.app import explanation as words
from kizuki.app.release import MASKED
from kizuki.app.snapshot_view import SnapshotView, current_view
from kizuki.definitions.loader import Definitions as Loaded
from kizuki.definitions.loader import load_definitions
from kizuki.definitions.shipped import shipped_definitions

RECEIVED_AS: Final[Mapping[str, frozenset[str]]] = {
    "single_parent_allowance": frozenset({"single_parent_allowance"}),
    "school_aid": frozenset({"school_aid"}),
    "medical_single_parent": frozenset({"medical_subsidy:ひとり親"}),
    "single_parent_medical": frozenset({"medical_subsidy:ひとり親"}),
}
"""Programme → spell kinds (with `:status` where the kind is shared) that show its receipt on the timeline."""


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


class Definitions:
    """Titles of criteria, programmes and sources; an id without a definition is shown as it is."""

    def __init__(self, loaded: Loaded) -> None:
        self.loaded = loaded

    def criteria_title(self, criteria: str) -> str:
        """類型の名前 (貧困, 不登校 …)."""
        return str(getattr(self.loaded.criteria.get(criteria), "name", criteria))

    def programme_title(self, programme: str) -> str:
        """制度の名前."""
        return str(getattr(self.loaded.programmes.get(programme), "name", programme))

    def received_as(self, programme: str) -> frozenset[str]:
        """Spell kinds that show this programme in use."""
        return RECEIVED_AS.get(programme, frozenset({programme}))

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
    view = current_view()
    return Served(view, _definitions(home, view.id))


@lru_cache(maxsize=4)
def _definitions(home: Path, snapshot: str) -> Definitions:
    # keyed by snapshot: a changed definition shows together with the first run that used it
    overlay = home / "definitions"
    roots = [shipped_definitions(), *([overlay] if overlay.is_dir() else [])]
    return Definitions(load_definitions(*roots))


def shown(value: Any) -> str | None:
    """Text of a cell, or None where it is blank or masked (for words that must not be built on a masked cell)."""
    return None if value is None or value is MASKED else str(value)
