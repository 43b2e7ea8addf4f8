"""書き出し: the accepted rows of one delivery with the state of every cell; recorded before a byte leaves."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from kizuki.app.deliveries import kept_manifest, read_landing, standing
from kizuki.definitions.sources import Field, SourceManifest
from kizuki.engine.keys import KeyRing
from kizuki.sources.received import LANDING_LINE
from kizuki.terms.errors import UsageError
from kizuki.terms.states import ValueState

Format = Literal["csv", "parquet"]
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Recorder(Protocol):
    """Writes the audit event of an output; raises if it cannot, and then nothing is written out."""

    def __call__(self, *, subjects: Sequence[str], fields: Sequence[str], count: int, reason: str) -> None: ...


def export_delivery(
    home: Path,
    sources: dict[str, SourceManifest],
    delivery: str,
    *,
    form: Format,
    record: Recorder,
    exact: bool = False,
) -> bytes:
    """The rows as delivered, with `<field>_state` beside every field that may be blank; the audit event is written first.

    A CSV cell that a spreadsheet would run as a formula gets a leading apostrophe unless `exact`. Raises UsageError K140 if
    there is no such accepted delivery.
    """
    event = standing(home).get(delivery, {})
    manifest = sources.get(event.get("source", "")) or kept_manifest(home, event.get("manifest", "-"))
    if event.get("status") != "accepted" or manifest is None:
        raise UsageError("K140", "その受領番号の、受け入れたデータがありません。", delivery, "受領番号を確かめてください。")
    table = with_states(read_landing(home, KeyRing.load(home), delivery), manifest)
    record(
        subjects=[f"{manifest.id}/{delivery}"],
        fields=[name for name in table.column_names if name != LANDING_LINE],
        count=table.num_rows,
        reason=f"source export {delivery}",
    )
    return _parquet(table) if form == "parquet" else _csv(table, exact)


def with_states(table: pa.Table, manifest: SourceManifest) -> pa.Table:
    """A landing table with what each blank means written out (ValueState), as text."""
    columns: dict[str, Any] = {LANDING_LINE: table[LANDING_LINE]}
    for field in manifest.fields:
        texts = table[field.name].to_pylist() if field.name in table.column_names else [None] * table.num_rows
        columns[field.name] = pa.array(texts, pa.string())
        if field.blank is not None:
            columns[f"{field.name}_state"] = pa.array([_state(field, t) for t in texts], pa.string())
    return pa.table(columns)


def _state(field: Field, text: str | None) -> str:
    if text is None:
        return ValueState.NOT_COLLECTED.value  # this layout has no such column
    assert field.blank is not None
    return ValueState.KNOWN.value if text.strip() else field.blank.value


def _csv(table: pa.Table, exact: bool) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(table.column_names)
    for batch in table.to_batches():
        for row in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            writer.writerow(row if exact else [harmless(value) for value in row])
    return b"\xef\xbb\xbf" + out.getvalue().encode("utf-8")


def harmless(value: object) -> object:
    """A cell a spreadsheet would run as a formula is written as text (ASVS 1.2.10); numbers keep their sign."""
    if isinstance(value, str) and value.startswith(_FORMULA) and not value[1:].replace(".", "").isdigit():
        return "'" + value
    return value


def _parquet(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    return bytes(sink.getvalue().to_pybytes())
