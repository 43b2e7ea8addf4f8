"""What has been delivered: the receipt ledger read back, and the landing tables behind it.

The ledger line is the commit point of a delivery: a landing file without one does not exist for any stage. Events, oldest
first: `received` (accepted, held, refused or duplicate), `released` (a held delivery let in by a decision), `returned` (a held
delivery sent back). The last event of a delivery says where it stands.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from kizuki.definitions.sources import SourceManifest
from kizuki.engine.keys import KeyRing
from kizuki.engine.ledger import Ledger
from kizuki.engine.store import read_table
from kizuki.sources.gates import key_fields, keys_of
from kizuki.sources.received import Previous

LANDING = "landing"
QUARANTINE = "quarantine"
HELD = "held"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One accepted delivery, in the order it was accepted (`sequence`)."""

    delivery: str
    source: str
    as_of: dt.date
    kind: str
    rows: int
    quarantined: int
    received_at: str
    layout: str
    sequence: int


def delivery_ledger(home: Path) -> Ledger:
    """The receipt ledger of a home."""
    return Ledger(home / "ledger" / "deliveries.jsonl")


def standing(home: Path) -> dict[str, dict[str, Any]]:
    """Where every delivery stands: its last event that is not a repetition or a refusal, by delivery id."""
    found: dict[str, dict[str, Any]] = {}
    for event in delivery_ledger(home).read():
        repeated = event.get("status") == "duplicate"
        refused_again = event["event"] == "received" and event["status"] == "refused" and event["delivery"] in found
        if repeated or refused_again:
            continue
        found[event["delivery"]] = event
    return found


def accepted_deliveries(
    home: Path, until: dt.date | None = None, source: str | None = None, *, trial: bool = False
) -> list[Delivery]:
    """Accepted deliveries known by `until` (G3), in the order they were accepted; of one source or of all.

    `trial` asks for those received by a draft outside the definitions instead; no stage ever sees them.
    """
    found = []
    for sequence, event in enumerate(standing(home).values()):
        if event["status"] == "accepted" and source in (None, event["source"]) and event.get("trial", False) == trial:
            delivery = _delivery(event, sequence)
            if until is None or delivery.as_of <= until:
                found.append(delivery)
    return found


def _delivery(event: dict[str, Any], sequence: int) -> Delivery:
    return Delivery(
        delivery=event["delivery"],
        source=event["source"],
        as_of=dt.date.fromisoformat(event["as_of"]),
        kind=event["kind"],
        rows=event["rows"],
        quarantined=event["quarantined"],
        received_at=event["received_at"],
        layout=event["layout"],
        sequence=sequence,
    )


def landing_path(home: Path, delivery: str) -> Path:
    """Where the accepted rows of a delivery are kept, encrypted."""
    return home / LANDING / f"{delivery}.parquet"


def read_landing(home: Path, keys: KeyRing, delivery: str, columns: Sequence[str] | None = None) -> pa.Table:
    """The landing table of an accepted delivery: `_line` and the listed columns as delivered."""
    return read_table(landing_path(home, delivery), keys, LANDING, list(columns) if columns is not None else None)


def read_quarantine(home: Path, keys: KeyRing, delivery: str) -> pa.Table:
    """The lines of a delivery that were set aside, with reasons (sources.received.QUARANTINE_SCHEMA)."""
    return read_table(home / QUARANTINE / f"{delivery}.parquet", keys, QUARANTINE)


def keep_manifest(home: Path, manifest: SourceManifest) -> None:
    """Remember by which definition deliveries were read; a draft may be gone tomorrow."""
    path = home / "ledger" / "manifests" / f"{manifest.id}-{manifest.fingerprint}.json"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(manifest.model_dump_json(by_alias=True), encoding="utf-8")


def kept_manifest(home: Path, fingerprint: str) -> SourceManifest | None:
    """A remembered definition."""
    found = sorted((home / "ledger" / "manifests").glob(f"*-{fingerprint}.json"))
    return SourceManifest.model_validate_json(found[0].read_bytes()) if found else None


def previous_of(home: Path, keys: KeyRing, manifest: SourceManifest, accepted: Sequence[Delivery]) -> Previous:
    """What the gates compare a new delivery of this source with; `accepted` = its accepted deliveries."""
    ordered = sorted(accepted, key=lambda d: (d.as_of, d.sequence))
    fulls = [d for d in ordered if d.kind == "full"]

    def known_keys() -> "pa.Array[Any] | None":
        if not fulls:
            return None
        table = read_landing(home, keys, fulls[-1].delivery)
        return keys_of(table, manifest) if set(key_fields(manifest)) <= set(table.column_names) else None

    return Previous(
        as_of=ordered[-1].as_of.isoformat() if ordered else None,
        rows={d.kind: d.rows for d in ordered},
        known_keys=known_keys,
    )
