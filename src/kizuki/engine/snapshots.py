"""Published snapshots: immutable folders of encrypted tables and one pointer file, replaced atomically (G4).

`snapshots/<id>/` holds Parquet files and `manifest.json`; `snapshots/CURRENT` holds the id being served. A table may be
stored in several files (parts); their rows together are the table. The manifest carries a keyed seal, and every file
its own digest inside its authenticated footer, so a swapped or altered file is noticed on reading.
"""

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import pyarrow as pa

from kizuki.engine.cache import Entry, TableCache, read_stored, write_atomic
from kizuki.engine.keys import KeyRing
from kizuki.engine.store import sync_folder
from kizuki.engine.tables import empty
from kizuki.terms.errors import RunFailed
from kizuki.terms.tables import ALL_TABLES

KEEP = 14
_MANIFEST, _CURRENT, _SEAL = "manifest.json", "CURRENT", "manifest"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a snapshot is: its id, the day it describes, when it was published, and its tables as files."""

    id: str
    as_of: str
    published_at: str
    definitions: str
    synthetic: bool
    tables: Mapping[str, tuple[Entry, ...]]
    deliveries: tuple[str, ...] = ()

    def rows(self) -> dict[str, int]:
        """Rows per table."""
        return {name: sum(p.rows for p in parts) for name, parts in self.tables.items()}


class SnapshotStore:
    """The snapshots folder of one home."""

    def __init__(self, folder: Path, keys: KeyRing) -> None:
        self.folder = folder
        self.keys = keys

    def current_id(self) -> str | None:
        """Id of the snapshot being served, or None before the first publication."""
        try:
            return (self.folder / _CURRENT).read_text(encoding="ascii").strip() or None
        except FileNotFoundError:
            return None

    def manifest(self, snapshot: str) -> Manifest:
        """Read one manifest; raises RunFailed if it is missing or was altered."""
        path = self.folder / snapshot / _MANIFEST
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            seal = found.pop("seal")
        except (OSError, ValueError, KeyError) as e:
            raise RunFailed("K906", "公開データの目録を読めません。", snapshot, "もう一度 run を実行してください。") from e
        if seal != self._seal(found) or found["id"] != snapshot:
            raise RunFailed("K907", "公開データの目録が改変されています。", snapshot, "控えから戻してください。")
        tables = {name: tuple(Entry(**p) for p in parts) for name, parts in found.pop("tables").items()}
        return Manifest(tables=tables, deliveries=tuple(found.pop("deliveries")), **found)

    def load(self, manifest: Manifest, table: str) -> pa.Table:
        """One table of a snapshot, its parts together; text columns are dictionary-encoded."""
        folder = self.folder / manifest.id
        parts = [read_stored(folder / _file(table, p), p, self.keys) for p in manifest.tables[table]]
        if not parts:
            return empty(ALL_TABLES[table])
        return pa.concat_tables(parts, promote_options="default") if len(parts) > 1 else parts[0]

    def publish(self, manifest: Manifest, cache: TableCache) -> bool:
        """Put a snapshot in place and point CURRENT at it; True if it was not there yet.

        Order: files and manifest into `<id>.tmp`, wait for the disk, rename, replace CURRENT. Killed anywhere, CURRENT
        names a complete snapshot, and publishing again ends in the same state.
        """
        final = self.folder / manifest.id
        new = not (final / _MANIFEST).exists()
        if new:
            self._write(manifest, cache)
        write_atomic(self.folder / _CURRENT, manifest.id.encode("ascii"))
        return new

    def ids(self) -> list[str]:
        """Ids of all complete snapshots, oldest publication first."""
        found = [p.parent for p in self.folder.glob(f"*/{_MANIFEST}") if not p.parent.name.endswith(".tmp")]
        return [p.name for p in sorted(found, key=lambda p: (p / _MANIFEST).stat().st_mtime)]

    def prune(self, keep: int = KEEP) -> list[str]:
        """Remove all but the newest `keep` snapshots (never CURRENT) and what killed runs left behind."""
        current = self.current_id()
        old = [i for i in self.ids()[:-keep] if i != current]
        for folder in (*(self.folder / i for i in old), *self.folder.glob("*.tmp")):
            shutil.rmtree(folder, ignore_errors=True)
        return old

    def _write(self, manifest: Manifest, cache: TableCache) -> None:
        temporary = self.folder / f"{manifest.id}.tmp"
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        for name, parts in manifest.tables.items():
            for part in parts:
                _link_or_copy(cache.path(part), temporary / _file(name, part))
        body = asdict(manifest)
        body["seal"] = self._seal(json.loads(json.dumps(body)))
        write_atomic(temporary / _MANIFEST, json.dumps(body, ensure_ascii=False, indent=1).encode())
        final = self.folder / manifest.id
        shutil.rmtree(final, ignore_errors=True)
        os.replace(temporary, final)
        sync_folder(self.folder)

    def _seal(self, body: Mapping[str, object]) -> str:
        return self.keys.token(_SEAL, json.dumps(body, sort_keys=True, ensure_ascii=False))


def parts(entries: Sequence[Entry]) -> tuple[Entry, ...]:
    """Parts of one table: empty and repeated ones left out, in a fixed order."""
    return tuple(sorted({e for e in entries if e.rows}, key=lambda e: e.digest))


def _file(table: str, part: Entry) -> str:
    return f"{table}-{part.digest[:16]}.parquet"


def _link_or_copy(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # another volume, or a file system without links
        shutil.copyfile(source, target)
        with open(target, "rb") as f:
            os.fsync(f.fileno())
