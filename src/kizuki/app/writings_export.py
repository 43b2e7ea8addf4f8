"""書き方の一覧: every distinct writing of one source with what it became, by which rule, with which flags.

These are people's names and addresses, so they leave by the command line only, for the office that owns the source, and the
audit event is written before a byte does (ADR 0017).
"""

import csv
import datetime as dt
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute

from kizuki.app.city_definitions import writing_tables
from kizuki.app.corrections import corrections_table
from kizuki.app.deliveries import accepted_deliveries, read_landing
from kizuki.app.source_export import Recorder, harmless
from kizuki.cleanse.conform import Conformed, conform_source
from kizuki.cleanse.flags import Flag
from kizuki.cleanse.person_records import key_audit, learn_context
from kizuki.definitions.loader import Definitions
from kizuki.engine.keys import KeyRing
from kizuki.mart.queries import REGISTER
from kizuki.terms.errors import UsageError

pc: Any = pyarrow.compute  # its functions are generated at run time; the stubs do not know their overloads


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which writings: of one field or all, with one flag or (blank) with any; `every` also those nothing was done to."""

    field: str = ""
    flag: str = ""
    every: bool = False


def export_writings(home: Path, definitions: Definitions, source: str, wanted: Wanted, *, record: Recorder) -> bytes:
    """CSV `field, raw, clean, rule, flags` of the accepted deliveries of one source; the event is recorded first.

    Raises UsageError K203 for a source without an accepted delivery.
    """
    keys = KeyRing.load(home)
    conformed = _conformed(home, keys, definitions, source)
    if conformed is None:
        raise UsageError(
            "K203", "受け入れたデータのない元データです。", source, "元データのIDを `source list` で確かめてください。"
        )
    manifest = definitions.sources[source]
    register = conformed if source == REGISTER else _conformed(home, keys, definitions, REGISTER)
    own = writing_tables(home)
    context = learn_context(register.table if register else None, own.gaiji, own.variants)
    keyed = key_audit(manifest, conformed.table, context)
    plain = conformed.writings.filter(
        pc.invert(pc.is_in(conformed.writings.column("field"), keyed.column("field").combine_chunks()))
    )
    rows = _chosen(pa.concat_tables([plain, keyed]), wanted)
    record(
        subjects=[f"{source}/writings"],
        fields=sorted({str(name) for name in rows.column("field").to_pylist()}),
        count=rows.num_rows,
        reason=f"clean audit {source}",
    )
    return _csv(rows)


def _conformed(home: Path, keys: KeyRing, definitions: Definitions, source: str) -> Conformed | None:
    manifest = definitions.sources.get(source)
    deliveries = [d for d in accepted_deliveries(home, until=dt.date.max) if d.source == source]
    if manifest is None or not deliveries:
        return None
    corrections = corrections_table(home, keys, source, until=dt.date.max)
    landed = ((d.delivery, d.as_of, d.kind, read_landing(home, keys, d.delivery)) for d in deliveries)
    return conform_source(manifest, landed, corrections)


def _chosen(rows: pa.Table, wanted: Wanted) -> pa.Table:
    if wanted.field:
        rows = rows.filter(pc.equal(rows.column("field"), wanted.field))
    if wanted.flag:
        rows = rows.filter(pc.match_substring_regex(rows.column("flags"), rf"(^|,){wanted.flag}(,|$)").fill_null(False))
    elif not wanted.every:
        rows = rows.filter(pc.is_valid(rows.column("flags")))
    return rows


def _csv(rows: pa.Table) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(rows.column_names)
    for row in rows.to_pylist():
        flags = "、".join(Flag(f).label for f in row.pop("flags").split(",")) if row["flags"] else row.pop("flags") or ""
        writer.writerow([harmless(v) for v in row.values()] + [flags])
    return b"\xef\xbb\xbf" + out.getvalue().encode("utf-8")
