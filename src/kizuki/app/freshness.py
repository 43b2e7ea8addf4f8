"""鮮度: how fresh each source is on a day: what last came, and whether it should have come again by now."""

import datetime as dt
from pathlib import Path

import pyarrow as pa

from kizuki.app.deliveries import Delivery, accepted_deliveries
from kizuki.definitions.sources import Cadence, SourceManifest
from kizuki.engine.tables import arrow_schema
from kizuki.terms.tables import FEED

CADENCE_DAYS = {
    Cadence.DAILY: 1,
    Cadence.WEEKLY: 7,
    Cadence.MONTHLY: 31,
    Cadence.QUARTERLY: 92,
    Cadence.TERMLY: 131,
    Cadence.YEARLY: 366,
}
"""Longest ordinary distance in days between the dates of two deliveries; a school year's longest term gap is 131 days."""


def feed_table(home: Path, sources: dict[str, SourceManifest], as_of: dt.date) -> pa.Table:
    """The FEED table on `as_of`: one row per source of the definitions, counting only deliveries known by that day (G3)."""
    accepted = accepted_deliveries(home, until=as_of)
    rows = [_row(m, [d for d in accepted if d.source == m.id], as_of) for m in sources.values()]
    return pa.Table.from_pylist(rows, schema=arrow_schema(FEED))


def feed_state(manifest: SourceManifest, last_as_of: dt.date | None, as_of: dt.date) -> str:
    """`off`, `never`, `late` or `fresh`: late when the next delivery and its days of grace have passed."""
    if not manifest.enabled:
        return "off"
    if last_as_of is None:
        return "never"
    if manifest.cadence is Cadence.ONCE:
        return "fresh"
    expected = last_as_of + dt.timedelta(days=CADENCE_DAYS[manifest.cadence] + manifest.grace_days)
    return "late" if as_of > expected else "fresh"


def _row(manifest: SourceManifest, deliveries: list[Delivery], as_of: dt.date) -> dict[str, object]:
    last = max(deliveries, key=lambda d: (d.as_of, d.sequence), default=None)
    return {
        "source": manifest.id,
        "last_as_of": last.as_of if last else None,
        "last_received_at": last.received_at if last else None,
        "state": feed_state(manifest, last.as_of if last else None, as_of),
        "deliveries": len(deliveries),
        "rows": sum(d.rows for d in deliveries),
        "quarantined": sum(d.quarantined for d in deliveries),
    }
