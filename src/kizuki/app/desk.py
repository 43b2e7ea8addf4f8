"""The receiving desk: decides on a checked file, keeps what is to be kept, writes the receipt ledger.

Kill-safe order for every file: write what is kept (encrypted, whole or not at all), append the ledger line (the commit point),
then erase the plaintext. Killed before the ledger line, a rerun does the same again under the same delivery id; killed after
it, the rerun finds the id in the ledger and only erases.
"""

import datetime as dt
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from kizuki.app.deliveries import (
    HELD,
    LANDING,
    QUARANTINE,
    Delivery,
    accepted_deliveries,
    delivery_ledger,
    landing_path,
    previous_of,
    standing,
)
from kizuki.definitions.sources import SourceManifest
from kizuki.engine.keys import KeyRing
from kizuki.engine.store import sync_file, sync_folder, write_table
from kizuki.sources.gates import decide, key_fields, keys_of
from kizuki.sources.received import Received, safe_file_name

RETURN_FOLDER = "返却"
_LONGEST_NAME = 60
_MYNUMBER_CODES = frozenset({"K116", "K117"})


@dataclass(frozen=True, slots=True)
class Handover:
    """Who handed a file over, by which medium (drop_folder, upload, …), and when."""

    actor: str
    medium: str
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class Decided:
    """One file with its final outcome and the ledger line it will get."""

    received: Received
    event: dict[str, Any]

    @property
    def outcome(self) -> dict[str, Any]:
        """The outcome in the shape of the command line contract."""
        told = self.received.as_dict()
        return {name: self.event[name] for name in told}


class Desk:
    """The desk of one home. `decide` in the order of the data, `keep` from any thread, `enter` to make it so."""

    def __init__(self, home: Path, *, trial: bool = False) -> None:
        self.home = home
        self._trial = {"trial": True} if trial else {}
        self.keys = KeyRing.load(home)
        self._ledger = delivery_ledger(home)
        self.known = {
            d
            for d, event in standing(home).items()
            if event["status"] in ("accepted", "held") and event.get("trial", False) == trial
        }
        self._accepted: dict[str, list[Delivery]] = {}
        for delivery in accepted_deliveries(home, trial=trial):
            self._accepted.setdefault(delivery.source, []).append(delivery)
        self._full_keys: dict[str, pa.Array[Any] | None] = {}

    def decide(self, received: Received, manifest: SourceManifest, handover: Handover) -> Decided:
        """The outcome after the gates that compare it with what came before; a repeated delivery is a duplicate."""
        if received.delivery in self.known and received.status != "refused":
            received = replace(received, status="duplicate", reasons=())
        else:
            received = decide(received, self._previous(manifest), manifest)
        secret = next((r for r in received.reasons if r.code == "K117"), None)
        if received.status == "held" and secret is not None:
            received = received.refused(secret)  # a held file is kept whole, and 個人番号 may not be kept
        return self.admit(received, manifest, handover)

    def admit(self, received: Received, manifest: SourceManifest, handover: Handover, **more: Any) -> Decided:
        """Take an outcome as final and remember it for the next file."""
        told = received.as_dict() | {"as_of": received.as_of or handover.at.date().isoformat()}
        at = handover.at.isoformat(timespec="seconds")
        event = (
            told
            | {"event": "received", "received_at": at, "medium": handover.medium, "actor": handover.actor}
            | self._trial
            | more
        )
        if received.status in ("accepted", "held"):
            self.known.add(received.delivery)
        if received.status == "accepted":
            of_source = self._accepted.setdefault(manifest.id, [])
            as_of = dt.date.fromisoformat(event["as_of"])
            named = {k: event[k] for k in ("delivery", "source", "kind", "rows", "quarantined", "layout")}
            of_source.append(Delivery(**named, as_of=as_of, received_at=at, sequence=len(self.known)))
            if received.kind == "full" and received.table is not None:
                present = set(key_fields(manifest)) <= set(received.table.column_names)
                self._full_keys[manifest.id] = keys_of(received.table, manifest) if present else None
        return Decided(received, event)

    def _previous(self, manifest: SourceManifest) -> Any:
        previous = previous_of(self.home, self.keys, manifest, self._accepted.get(manifest.id, []))
        if manifest.id in self._full_keys:
            return replace(previous, known_keys=lambda: self._full_keys[manifest.id])
        return previous

    def keep(self, decided: Decided, data: bytes) -> None:
        """Write what outlives the file: accepted rows and lines set aside, or the held file sealed whole."""
        received = decided.received
        if received.status == "held":
            write_sealed(self.keys, self.home / HELD / f"{received.delivery}.bin", data, received.delivery)
        if received.status != "accepted":
            return
        assert received.table is not None and received.quarantine is not None
        write_table(landing_path(self.home, received.delivery), received.table, self.keys, LANDING)
        if received.quarantine.num_rows:
            write_table(self.home / QUARANTINE / f"{received.delivery}.parquet", received.quarantine, self.keys, QUARANTINE)

    def enter(self, decided: Sequence[Decided]) -> None:
        """Write the ledger lines: from here on the deliveries exist."""
        self._ledger.append(*(d.event for d in decided))

    def give_back(self, path: Path, data: bytes, decided: Decided) -> None:
        """Put a refused file, sealed, and a note with the reasons into 返却. Of 個人番号 only the note remains."""
        folder = path.parent / RETURN_FOLDER
        folder.mkdir(exist_ok=True)
        reasons = decided.received.reasons
        name = _return_name(path.name, decided.received.delivery)
        if not any(r.code in _MYNUMBER_CODES for r in reasons):
            write_sealed(self.keys, folder / f"{name}.sealed", data, decided.received.delivery)
        lines = [f"{name} は受け取れませんでした。", f"受領番号：{decided.received.delivery}", ""]
        lines += [f"[{r.code}] {r.message}\n  対応：{r.fix}" for r in reasons]
        (folder / f"{name}.理由.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _return_name(name: str, delivery: str) -> str:
    """The file's own name; one too long or too strange to add an ending to is cut, and told apart by its receipt number."""
    safe = safe_file_name(name)
    return name if safe == name and len(name) <= _LONGEST_NAME else f"{safe[:_LONGEST_NAME]}-{delivery[:8]}"


def write_sealed(keys: KeyRing, path: Path, data: bytes, delivery: str) -> None:
    """Seal a whole delivered file under the `held` key, tied to its delivery id."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    temporary.write_bytes(keys.seal(data, HELD, delivery))
    sync_file(temporary)
    os.replace(temporary, path)
    sync_folder(path.parent)
