"""前回から: what changed in the judgements since the run of an earlier day, child by child and set by set.

Compared are only which sets list a child, by which version, for which entries; no sentence of the earlier run is shown.
"""

import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from django.conf import settings

from kizuki.app import audit
from kizuki.app import explanation as words
from kizuki.app.served import Definitions, Served
from kizuki.app.snapshot_view import SNAPSHOTS
from kizuki.engine.duck import DuckEngine
from kizuki.engine.snapshots import Manifest, SnapshotStore
from kizuki.engine.sql import load
from kizuki.terms.errors import RunFailed

NEW: Final = "new"
CHANGED: Final = "changed"
LEFT: Final = "left"
_MEMORY_LIMIT: Final = "1GB"


@dataclass(frozen=True, slots=True)
class Listing:
    """Why one set lists one child: its version and the entries that hold."""

    version: str
    entries: frozenset[str]


@dataclass(frozen=True, slots=True)
class Change:
    """What happened to one child: sets that list it newly or no longer, entries that came or went, versions that changed."""

    kind: str
    entered: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    added: tuple[tuple[str, str], ...] = ()
    removed: tuple[tuple[str, str], ...] = ()
    versions: tuple[str, ...] = ()

    @property
    def word(self) -> str:
        """The marker in the list."""
        if self.kind == NEW:
            return "新"
        if self.kind == LEFT:
            return "出た"
        return "類型が変わった" if self.entered or self.left else "理由が変わった"

    def sentences(self, definitions: Definitions) -> tuple[str, ...]:
        """The change in words, set by set."""
        title, entry = definitions.criteria_title, definitions.entry_title
        return (
            *(f"{title(c)}に新しく入りました" for c in self.entered),
            *(f"{title(c)}から出ました" for c in self.left),
            *(f"{title(c)}：「{entry(c, e)}」が加わりました" for c, e in self.added),
            *(f"{title(c)}：「{entry(c, e)}」が当てはまらなくなりました" for c, e in self.removed),
            *(f"{title(c)}の基準の版が変わりました" for c in self.versions),
        )


@dataclass(frozen=True, slots=True)
class Since:
    """All changes since the earlier run; `earlier` blank = there is none to compare with, and nothing is marked."""

    earlier: str = ""
    by_person: Mapping[str, Change] = field(default_factory=dict)

    def of(self, person_id: str) -> Change | None:
        """What happened to one child; None = nothing."""
        return self.by_person.get(person_id)


_LOCK = threading.Lock()
_LATEST: list[tuple[str, frozenset[str], Since]] = []


def since_last(served: Served, stopped: frozenset[str]) -> Since:
    """Changes since the newest run of an earlier day, without the stopped sets; worked out once per publication and stop."""
    with _LOCK:
        if not _LATEST or _LATEST[0][:2] != (served.view.id, stopped):
            _LATEST[:] = [(served.view.id, stopped, _work_out(served, stopped))]
        return _LATEST[0][2]


def _work_out(served: Served, stopped: frozenset[str]) -> Since:
    store = SnapshotStore(Path(settings.KIZUKI_HOME) / SNAPSHOTS, audit.keys())
    earlier = _earlier(store, served)
    if earlier is None:
        return Since()
    engine = DuckEngine(_MEMORY_LIMIT, threads=1)
    try:
        for table in ("judgement", "judgement_reason"):
            engine.register(table, store.load(earlier, table))
        before = _listings(engine, stopped)
    finally:
        engine.close()
    now = _listings(served.view.cursor(), stopped)
    return Since(words.instant_text(earlier.as_of), compare(before, now))


def _earlier(store: SnapshotStore, served: Served) -> Manifest | None:
    """The newest readable publication about an earlier day."""
    for name in reversed(store.ids()):
        try:
            manifest = store.manifest(name)
        except RunFailed:
            continue
        if manifest.as_of < served.as_of.isoformat() and {"judgement", "judgement_reason"} <= manifest.tables.keys():
            return manifest
    return None


def _listings(engine: DuckEngine, stopped: Collection[str]) -> dict[str, dict[str, Listing]]:
    """Child → set → why it lists the child."""
    found: dict[str, dict[str, tuple[str, set[str]]]] = {}
    for row in engine.query(load("kizuki.app", "listed_reasons")).to_pylist():
        if row["criteria"] in stopped:
            continue
        sets = found.setdefault(row["person_id"], {})
        entries = sets.setdefault(row["criteria"], (row["version"], set()))[1]
        if row["entry"] is not None:
            entries.add(row["entry"])
    return {p: {c: Listing(v, frozenset(e)) for c, (v, e) in sets.items()} for p, sets in found.items()}


def compare(before: Mapping[str, Mapping[str, Listing]], now: Mapping[str, Mapping[str, Listing]]) -> dict[str, Change]:
    """Change of every child listed in one of the two runs; a child listed for the same reasons has none."""
    nothing: dict[str, Any] = {}
    changes = {}
    for person in before.keys() | now.keys():
        change = _change(before.get(person, nothing), now.get(person, nothing))
        if change is not None:
            changes[person] = change
    return changes


def _change(before: Mapping[str, Listing], now: Mapping[str, Listing]) -> Change | None:
    entered, left = tuple(sorted(now.keys() - before.keys())), tuple(sorted(before.keys() - now.keys()))
    if not before:
        return Change(NEW, entered)
    if not now:
        return Change(LEFT, left=left)
    both = sorted(before.keys() & now.keys())
    added = tuple((c, e) for c in both for e in sorted(now[c].entries - before[c].entries))
    removed = tuple((c, e) for c in both for e in sorted(before[c].entries - now[c].entries))
    versions = tuple(c for c in both if now[c].version != before[c].version)
    if not (entered or left or added or removed or versions):
        return None
    return Change(CHANGED, entered, left, added, removed, versions)
