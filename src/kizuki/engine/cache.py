"""Results of steps, kept encrypted and named by what they are made of, so that only what changed is computed again.

Two kinds of file: a memo per step key (what the step gave, by digest) and one encrypted Parquet file per table content.
A memo is written after its tables are on disk; a kill in between costs a recomputation and nothing else.
"""

import json
import os
from collections import OrderedDict
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Lock
from weakref import WeakValueDictionary

import pyarrow as pa

from kizuki.engine.keys import KeyRing
from kizuki.engine.store import read_table, sync_file, sync_folder, unfinished, write_table
from kizuki.engine.tables import digest
from kizuki.terms.errors import RunFailed

PURPOSE = "snapshot"
"""One purpose key for cache and snapshots: publishing is then a hard link, not a second encryption."""

_DIGEST = b"kizuki.digest"
_RECENT_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class Entry:
    """One stored table: its content digest and number of rows."""

    digest: str
    rows: int


class TableCache:
    """The cache folder of one home."""

    def __init__(self, folder: Path, keys: KeyRing) -> None:
        self.folder = folder
        self.keys = keys
        self._recent = _Recent()

    def path(self, entry: Entry) -> Path:
        """Where a stored table lies."""
        return self.folder / f"{entry.digest}.parquet"

    def lookup(self, step: str, key: str) -> dict[str, Entry] | None:
        """What the step gave for this key, or None if it must run (memo missing, cut short, or a table gone)."""
        memo = self._memo(step, key)
        try:
            found = {name: Entry(**e) for name, e in json.loads(memo.read_bytes()).items()}
            for path in (memo, *(self.path(e) for e in found.values())):
                os.utime(path)
        except (OSError, ValueError, TypeError, AttributeError):
            return None
        return found

    def store(self, step: str, key: str, tables: Mapping[str, pa.Table]) -> dict[str, Entry]:
        """Keep a step's tables, then the memo that vouches for them."""
        self.folder.mkdir(parents=True, exist_ok=True)
        entries = {name: self._keep(table) for name, table in tables.items()}
        body = json.dumps({name: asdict(e) for name, e in sorted(entries.items())}).encode()
        write_atomic(self._memo(step, key), body)
        return entries

    def load(self, entry: Entry, columns: Collection[str] | None = None) -> pa.Table:
        """A stored table, or those of `columns` it has; raises RunFailed if a byte was altered or another table lies there."""
        key = entry.digest if columns is None else f"{entry.digest} {' '.join(sorted(columns))}"
        found = self._recent.get(key)
        if found is None:
            found = read_stored(self.path(entry), entry, self.keys, columns)
            self._recent.put(key, found)
        return found

    def sweep(self, unused_since: float) -> int:
        """Delete whatever no run has touched since that instant (seconds of the epoch); returns how many files went."""
        stale = [p for p in self.folder.glob("*") if p.is_file() and p.stat().st_mtime < unused_since]
        for path in stale:
            path.unlink(missing_ok=True)
        return len(stale)

    def _keep(self, table: pa.Table) -> Entry:
        entry = Entry(digest(table), table.num_rows)
        path = self.path(entry)
        if path.exists():
            os.utime(path)
        else:
            write_table(path, table.replace_schema_metadata({_DIGEST: entry.digest}), self.keys, PURPOSE)
        return entry

    def _memo(self, step: str, key: str) -> Path:
        return self.folder / f"{step}-{key}.json"


class _Recent:
    """Tables read lately, by digest and columns: steps in a row read the same few, and two at once need not each hold theirs.

    What is in use anywhere is found; of what is not, the last few are kept up to `_RECENT_BYTES`.
    """

    def __init__(self) -> None:
        self._in_use: WeakValueDictionary[str, pa.Table] = WeakValueDictionary()
        self._kept: OrderedDict[str, pa.Table] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()

    def get(self, key: str) -> pa.Table | None:
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._in_use.get(key)

    def put(self, key: str, table: pa.Table) -> None:
        with self._lock:
            self._in_use[key] = table
            if table.nbytes > _RECENT_BYTES or key in self._kept:
                return
            self._kept[key] = table
            self._bytes += table.nbytes
            while self._bytes > _RECENT_BYTES:
                _, oldest = self._kept.popitem(last=False)
                self._bytes -= oldest.nbytes


def read_stored(path: Path, entry: Entry, keys: KeyRing, columns: Collection[str] | None = None) -> pa.Table:
    """Read one stored table and hold it to its digest (the footer that carries it is authenticated)."""
    table = read_table(path, keys, PURPOSE, columns, dictionary=True)
    if (table.schema.metadata or {}).get(_DIGEST) != entry.digest.encode():
        raise RunFailed("K904", "保存したデータが別のものに入れ替わっています。", path.name, "控えから戻してください。")
    return table.replace_schema_metadata(None)


def write_atomic(path: Path, body: bytes) -> None:
    """Write a small file whole or not at all, and wait for the disk."""
    temporary = unfinished(path)
    temporary.write_bytes(body)
    sync_file(temporary)
    os.replace(temporary, path)
    sync_folder(path.parent)
