"""補正: what staff correct in a delivered line, kept beside the delivery and never in it.

The file is a sealed list of events, only ever added to: who, when, which line of which delivery, which field, the new writing
and why; and withdrawals of earlier corrections. Sealed as a whole, so that nothing of it is readable on disk.
"""

import datetime as dt
import json
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from kizuki.app.deliveries import accepted_deliveries, read_landing, standing
from kizuki.cleanse.corrections import COLUMNS
from kizuki.definitions.sources import SourceManifest
from kizuki.engine.keys import KeyRing
from kizuki.engine.lock import exclusive
from kizuki.engine.store import sync_file, sync_folder
from kizuki.sources.checks import check_column
from kizuki.sources.received import LANDING_LINE
from kizuki.terms.errors import InputRefused, UsageError

_PURPOSE = "corrections"
_SCHEMA: Any = pa.schema(COLUMNS)  # type: ignore[arg-type]
_PATH = Path("corrections") / "overlay.bin"


@dataclass(frozen=True, slots=True)
class Correction:
    """One correction; `undoes` names the correction it withdraws and then `value` is empty."""

    id: str
    at: str
    actor: str
    source: str
    delivery: str
    line: int
    field: str
    value: str
    reason: str
    undoes: str = ""


def all_corrections(home: Path, keys: KeyRing) -> list[Correction]:
    """Every event in the order it was written, withdrawals included."""
    path = home / _PATH
    if not path.exists():
        return []
    return [Correction(**event) for event in json.loads(keys.unseal(path.read_bytes(), _PURPOSE, _PATH.as_posix()))]


def corrections_table(home: Path, keys: KeyRing, source: str, *, until: dt.date) -> pa.Table | None:
    """The corrections of one source in force on `until` (cleanse.corrections.COLUMNS), or None if there are none.

    A correction replaced or withdrawn by that day is not in it; one withdrawn later still is, so a past day reads as it did
    (G3).
    """
    known = [c for c in all_corrections(home, keys) if c.source == source and dt.date.fromisoformat(c.at[:10]) <= until]
    rows = [
        {
            "delivery_id": c.delivery,
            "line": c.line,
            "field": c.field,
            "value": c.value,
            "corrected_on": dt.date.fromisoformat(c.at[:10]),
        }
        for c in _in_force(known)
    ]
    return pa.Table.from_pylist(rows, schema=_SCHEMA) if rows else None


def _in_force(events: list[Correction]) -> list[Correction]:
    """The corrections neither replaced by a later one of the same cell nor withdrawn."""
    standing_ones: dict[tuple[str, int, str], Correction] = {}
    for event in events:
        place = (event.delivery, event.line, event.field)
        if event.undoes:
            standing_ones.pop(place, None)
        else:
            standing_ones[place] = event
    return list(standing_ones.values())


@dataclass(frozen=True, slots=True)
class Place:
    """Which cell is corrected: a line of a delivery, and a field."""

    delivery: str
    line: int
    field: str


def correct(
    home: Path, manifest: SourceManifest, place: Place, value: str, *, reason: str, actor: str, at: dt.datetime
) -> Correction:
    """Record one correction; `value` is written as the source would write it.

    Raises UsageError K140 (no such line or field, part of the key, no reason) and InputRefused K141 (the value fails the
    checks).
    """
    keys = KeyRing.load(home)
    _must_exist(home, keys, manifest, place)
    if not reason.strip():
        raise UsageError("K140", "補正の理由がありません。", place.field, "--reason に理由を書いてください。")
    column = pa.array([value]).dictionary_encode()
    failures = check_column(manifest.field(place.field), column.dictionary, column.indices.to_numpy())
    if failures:
        found = failures[0].reason
        raise InputRefused("K141", f"補正する値が検査に通りません。{found.message}", place.field, "値を確かめてください。")
    event = Correction(
        id=secrets.token_hex(8),
        at=at.isoformat(timespec="seconds"),
        actor=actor,
        source=manifest.id,
        delivery=place.delivery,
        line=place.line,
        field=place.field,
        value=value,
        reason=reason,
    )
    _append(home, keys, event)
    return event


def undo(home: Path, correction: str, *, reason: str, actor: str, at: dt.datetime) -> Correction:
    """Withdraw a correction from today on; both stay on record. Raises UsageError K142 if it is not in force."""
    keys = KeyRing.load(home)
    found = next((e for e in _in_force(all_corrections(home, keys)) if e.id == correction), None)
    if found is None:
        raise UsageError("K142", "取り消せる補正がありません。", correction, "補正の一覧で番号を確かめてください。")
    event = Correction(
        id=secrets.token_hex(8),
        at=at.isoformat(timespec="seconds"),
        actor=actor,
        source=found.source,
        delivery=found.delivery,
        line=found.line,
        field=found.field,
        value="",
        reason=reason,
        undoes=found.id,
    )
    _append(home, keys, event)
    return event


def _must_exist(home: Path, keys: KeyRing, manifest: SourceManifest, place: Place) -> None:
    fix = "受領番号・行・項目を確かめてください。"
    if standing(home).get(place.delivery, {}).get("source") != manifest.id or place.delivery not in {
        d.delivery for d in accepted_deliveries(home, source=manifest.id)
    }:
        raise UsageError("K140", "その受領番号の、受け入れたデータがありません。", place.delivery, fix)
    if place.field not in {f.name for f in manifest.fields} or place.field in manifest.primary_key:
        raise UsageError("K140", "補正できる項目ではありません（主キーは送り直しで直します）。", place.field, fix)
    lines = read_landing(home, keys, place.delivery, [LANDING_LINE])[LANDING_LINE].to_pylist()
    if place.line not in lines:
        raise UsageError("K140", "受け入れた行の中に、その行がありません。", f"{place.line}行目", fix)


def _append(home: Path, keys: KeyRing, event: Correction) -> None:
    path = home / _PATH
    with exclusive(path.with_suffix(".lock")):  # two corrections made together must both be kept
        events = [asdict(e) for e in all_corrections(home, keys)] + [asdict(event)]
        body = json.dumps(events, ensure_ascii=False).encode()
        temporary = path.with_suffix(f".{os.getpid()}.tmp")
        temporary.write_bytes(keys.seal(body, _PURPOSE, _PATH.as_posix()))
        sync_file(temporary)
        os.replace(temporary, path)
        sync_folder(path.parent)
