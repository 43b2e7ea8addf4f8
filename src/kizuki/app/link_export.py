"""名寄せの書き出し: which record belongs to which person, for those who may review links; recorded before a row leaves."""

from pathlib import Path
from typing import Any, Final

from sqlglot import exp

from kizuki.app import release
from kizuki.app.accounts import allow
from kizuki.app.snapshot_view import current_view
from kizuki.govern.actor import Actor

COLUMNS: Final = ("person_id", "source", "record_id", "rule", "weight", "state")


def export_links(actor: Actor, home: Path) -> list[dict[str, Any]]:
    """One row per record with its person, as published. Raises NotPermitted (K701, K703) and RunFailed K401."""
    allow(actor, "link.review")
    ordered = exp.select(*COLUMNS).from_("link").order_by("source", "record_id")
    rows = current_view(home).cursor().query(ordered).to_pylist()
    people = sorted({r["person_id"] for r in rows})
    release.record_output(actor, "link.export", subjects=people, fields=["link"], count=len(rows), reason="link export")
    return rows


def record_pairs(actor: Actor, found: int) -> None:
    """That two tables from outside were linked: whose rows they are is not known here, only how many were matched."""
    allow(actor, "link.review")
    release.record_output(actor, "link.pairs", subjects=[], fields=["link_pairs"], count=found, reason="link pairs")
