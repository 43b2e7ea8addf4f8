"""The snapshot being served, loaded once per process and replaced when another is published.

Requests keep the view they started with; a new one is loaded beside it and takes its place when it is ready.
"""

import datetime as dt
import threading
from collections import deque
from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa

from kizuki.app.near_tables import NearTables, taken
from kizuki.engine.duck import DuckEngine
from kizuki.engine.keys import KeyRing
from kizuki.engine.snapshots import Manifest, SnapshotStore
from kizuki.engine.tables import empty
from kizuki.terms.errors import RunFailed
from kizuki.terms.tables import ALL_TABLES

SNAPSHOTS = "snapshots"
_MEMORY_LIMIT = "4GB"


class SnapshotView:
    """One published snapshot in memory, read-only by convention: every table of the snapshot under its own name.

    The tables stay as they were read, text as codes: a copy inside the engine would take twice the memory and the time, and
    only sums over the whole city would be faster by it. `near` serves what is asked about persons.
    """

    def __init__(self, manifest: Manifest, tables: Mapping[str, pa.Table]) -> None:
        self.manifest = manifest
        self.engine = DuckEngine(memory_limit=_MEMORY_LIMIT)
        self.near = NearTables(tables)
        self._tables = tables
        self._local = threading.local()
        self._ready: deque[DuckEngine] = deque()
        self.threads = 0

    def prepare(self, threads: int) -> None:
        """Have what each of so many serving threads needs at hand, so that no first page of a thread waits for it."""
        self.threads = threads
        self._ready.extend(self._handle() for _ in range(threads))
        self.near.prepare(threads)

    @property
    def id(self) -> str:
        """Snapshot id."""
        return self.manifest.id

    @property
    def as_of(self) -> dt.date:
        """The day the snapshot describes."""
        return dt.date.fromisoformat(self.manifest.as_of)

    @property
    def published_at(self) -> dt.datetime:
        """When it was published."""
        return dt.datetime.fromisoformat(self.manifest.published_at)

    @property
    def synthetic(self) -> bool:
        """Whether every row comes from the synthetic city."""
        return self.manifest.synthetic

    def tables(self, *names: str) -> Mapping[str, pa.Table]:
        """Tables of the snapshot as they were read, to be computed with in an engine of one's own."""
        return {name: self._tables[name] for name in names}

    def cursor(self) -> DuckEngine:
        """A handle on the tables for the calling thread."""
        found = getattr(self._local, "cursor", None)
        if found is None:
            found = self._local.cursor = taken(self._ready) or self._handle()
        cursor: DuckEngine = found
        return cursor

    def _handle(self) -> DuckEngine:
        made = self.engine.cursor()
        for name, table in self._tables.items():
            made.register(name, table)
        return made


class Server:
    """Keeps the current view of one home, following CURRENT."""

    def __init__(self, home: Path) -> None:
        self.store = SnapshotStore(home / SNAPSHOTS, KeyRing.load(home))
        self._view: SnapshotView | None = None
        self._lock = threading.Lock()
        self._loading: threading.Thread | None = None

    def view(self) -> SnapshotView:
        """The view to serve now. The first call loads it; after a publication the old one serves until the new is ready.

        Raises RunFailed K401 before the first publication.
        """
        wanted = self.store.current_id()
        view = self._view
        if view is None:
            with self._lock:
                return self._view or self._replace(wanted)
        if wanted != view.id:
            self._load_beside(wanted)
        return view

    def refresh(self) -> SnapshotView:
        """The view of the newest publication, waiting until it is loaded."""
        with self._lock:
            wanted = self.store.current_id()
            return self._view if self._view is not None and self._view.id == wanted else self._replace(wanted)

    def _replace(self, wanted: str | None) -> SnapshotView:
        if wanted is None:
            raise RunFailed("K401", "公開されたデータがまだありません。", SNAPSHOTS, "kizuki run を実行してください。")
        view = load_view(self.store, wanted)
        if self._view is not None:
            view.prepare(self._view.threads)
        self._view = view
        return view

    def _load_beside(self, wanted: str | None) -> None:
        with self._lock:
            if wanted is None or (self._loading is not None and self._loading.is_alive()):
                return
            self._loading = threading.Thread(target=self._load_quietly, name=f"snapshot-{wanted}", daemon=True)
            self._loading.start()

    def _load_quietly(self) -> None:
        try:
            self.refresh()
        except RunFailed:
            return  # the view in memory goes on serving; doctor and the next run say what is wrong


def load_view(store: SnapshotStore, snapshot: str) -> SnapshotView:
    """Load one snapshot into memory."""
    manifest = store.manifest(snapshot)
    tables = {name: empty(schema) for name, schema in ALL_TABLES.items()}  # one an earlier version did not publish is empty
    return SnapshotView(manifest, tables | {table: store.load(manifest, table) for table in manifest.tables})


_SERVERS: dict[Path, Server] = {}
_SERVERS_LOCK = threading.Lock()


def server_of(home: Path) -> Server:
    """The one server of a home in this process."""
    with _SERVERS_LOCK:
        if home not in _SERVERS:
            _SERVERS[home] = Server(home)
        return _SERVERS[home]


def current_view(home: Path | None = None) -> SnapshotView:
    """The snapshot being served by the given home, or by the home Django was started with."""
    if home is None:
        from django.conf import settings

        home = Path(settings.KIZUKI_HOME)
    return server_of(home).view()
