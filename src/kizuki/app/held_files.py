"""保留の後始末: let a held file in by a decision, or send it back. Both are ledger events with the decision and who made it."""

import datetime as dt
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from kizuki.app.deliveries import HELD, delivery_ledger, kept_manifest, standing
from kizuki.app.desk import Desk, Handover
from kizuki.definitions.sources import SourceManifest
from kizuki.engine.keys import KeyRing
from kizuki.engine.lock import exclusive
from kizuki.sources.receive import Stamp, inspect_bytes
from kizuki.terms.errors import InputRefused, UsageError

_RELEASABLE = frozenset({"K111", "K112", "K113", "K114", "K115"})


@dataclass(frozen=True, slots=True)
class HeldFile:
    """One file on hold: its ledger line, and where it is sealed."""

    event: dict[str, Any]
    path: Path

    @property
    def delivery(self) -> str:
        """Its delivery id."""
        return str(self.event["delivery"])


def held_file(home: Path, delivery: str) -> HeldFile:
    """The file on hold under this id; raises UsageError K148 if there is none."""
    event = standing(home).get(delivery)
    path = home / HELD / f"{delivery}.bin"
    if event is None or event["status"] != "held" or not path.exists():
        raise UsageError(
            "K148", "その番号の保留はありません。", delivery, "データ受領・鮮度の画面で受領番号を確かめてください。"
        )
    return HeldFile(event, path)


def release_held(
    home: Path, sources: dict[str, SourceManifest], delivery: str, *, decision: str, actor: str, at: dt.datetime
) -> dict[str, Any]:
    """Let a held file in, by today's definitions. The lines that fail the checks stay set aside.

    Raises InputRefused K143 if no layout reads it yet: then the definition has to change first.
    """
    held = held_file(home, delivery)
    _decided(decision)
    keys = KeyRing.load(home)
    data = keys.unseal(held.path.read_bytes(), HELD, delivery)
    manifest = sources.get(held.event["source"]) or kept_manifest(home, held.event["manifest"])
    if manifest is None:
        raise UsageError("K145", "その元データの定義はありません。", held.event["source"], "定義を確かめてください。")
    received = inspect_bytes(data, held.event["file"], manifest, Stamp(held.event["as_of"], held.event["kind"]))
    readable = received.status == "accepted" or {r.code for r in received.reasons if r.line is None} & _RELEASABLE
    if received.table is None or not readable:
        reason = received.reasons[0].message if received.reasons else ""
        raise InputRefused(
            "K143", f"まだ受け入れられません。{reason}", held.event["file"], "定義に様式を加えてから解除してください。"
        )
    # The id stays: the ledger then tells one story of this file, from hold to release.
    received = replace(received, status="accepted", delivery=delivery)
    if received.quarantine is not None and received.quarantine.num_rows:
        column = received.quarantine.schema.get_field_index("delivery")
        ids = [delivery] * received.quarantine.num_rows
        received = replace(received, quarantine=received.quarantine.set_column(column, "delivery", [ids]))
    with exclusive(home / "ledger" / "receive.lock"):
        desk = Desk(home, trial=bool(held.event.get("trial")))
        decided = desk.admit(received, manifest, Handover(actor, "held", at), decision=decision)
        decided.event["event"] = "released"
        desk.keep(decided, data)
        desk.enter([decided])
    held.path.unlink()
    return decided.outcome


def return_held(home: Path, delivery: str, *, decision: str, actor: str, at: dt.datetime) -> dict[str, Any]:
    """Send a held file back: the sealed copy is destroyed, the office delivers again. Returns the ledger line."""
    held = held_file(home, delivery)
    _decided(decision)
    kept = {
        k: held.event[k] for k in ("delivery", "source", "file", "as_of", "kind", "sha256", "manifest", "layout", "reasons")
    }
    counts = {"lines": 0, "accepted": 0, "quarantined": 0, "declared": 0, "rows": 0}
    told = {"event": "returned", "status": "refused", "decision": decision, "actor": actor}
    event = kept | counts | told | {"received_at": at.isoformat(timespec="seconds"), "medium": "held"}
    with exclusive(home / "ledger" / "receive.lock"):
        delivery_ledger(home).append(event)
        held.path.unlink()
    return event


def _decided(decision: str) -> None:
    if not decision.strip():
        raise UsageError("K146", "決裁・判断の記載がありません。", "--decision", "決裁番号か、判断の理由を書いてください。")
