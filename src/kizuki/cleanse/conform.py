"""All accepted deliveries of one source → one table of what the city knew, and from when until when it knew it (G3).

Works on integers: every field becomes codes of its distinct writings, the history is decided on (record, date, content), and
only the rows that start a version are turned back into values. So 5 years of full extracts cost little more than one.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute

from kizuki.cleanse.audit import Tally
from kizuki.cleanse.corrections import apply_corrections, correction_writings
from kizuki.cleanse.distinct import audit_table, writings
from kizuki.cleanse.fields import CleanField, clean_field
from kizuki.cleanse.observations import Observations, observe
from kizuki.definitions.sources import Field, SourceManifest
from kizuki.engine.duck import DuckEngine
from kizuki.engine.sql import load

pc: Any = pyarrow.compute  # its functions are generated at run time; the stubs do not know their overloads

Delivery = tuple[str, dt.date, str, pa.Table]
"""Delivery id, the date its data are of, `full` or `diff`, the landing table."""

REPLACED = "replaced_earlier_line"
"""Row flag: an earlier line of the same file had the same key and said something else."""
UNREADABLE = "unreadable_value"
"""Row flag: a cell that passed the receiving check (or a correction) could not be read; its state is 未入力."""

_MEMORY_LIMIT = "900MB"
_KEY_SEPARATOR = "\x1f"
_LARGEST_KEY = 2**62
_MIX = np.uint64(0x9E3779B97F4A7C15)
_SHIFT = np.uint64(29)


class Conformed(NamedTuple):
    """`table`: one row per version of a record; `writings`: the distinct-value audit; `replaced`: rows lost within one file."""

    table: pa.Table
    writings: pa.Table
    replaced: pa.Table


def conform(
    manifest: SourceManifest,
    deliveries: Iterable[Delivery],
    corrections: pa.Table | None = None,
) -> pa.Table:
    """One row per version of a record of one source; see `conform_source`."""
    return _conformed(manifest, deliveries, corrections)[0]


def conform_counted(
    manifest: SourceManifest,
    deliveries: Iterable[Delivery],
    corrections: pa.Table | None = None,
) -> tuple[pa.Table, pa.Table]:
    """`conform`, and what cleansing did to each field, counted (schema `CLEANSING`).

    Names and addresses only lose their outer blanks here; what their keys show is counted with the persons.
    """
    table, fields, _, _ = _conformed(manifest, deliveries, corrections)
    tally = Tally(manifest.id)
    later = {getattr(spec, a) for spec in manifest.person_records for a in ("name", "alias", "kana", "address")}
    for clean in fields.values():
        if clean.field.name not in later:
            tally.add(clean.field.name, _rule(clean.field), clean.texts.to_pylist(), clean.mapped.flags, codes=clean.codes)
    return table, tally.table()


def _rule(field: Field) -> str:
    return str(field.normaliser if field.normaliser != "none" else field.type)


def conform_source(
    manifest: SourceManifest,
    deliveries: Iterable[Delivery],
    corrections: pa.Table | None = None,
) -> Conformed:
    """Cleanse, then collapse the deliveries into versions.

    `deliveries` come in the order they were received; of two files of the same date the later one has the last word. Columns:
    record_key, record_id, delivery_id, line, known_from, known_to (null: still what we know), flags, then each field and, if it
    can be blank, `<field>_state`. Equal content in successive deliveries is one row; a key missing from a later full extract is
    closed on that extract's date. Values whose blank means zero read 0 with the state `zero`.
    """
    table, fields, seen, replaced = _conformed(manifest, deliveries, corrections)
    audits = [audit_table(f.field.name, f.texts, f.mapped) for f in fields.values()]
    return Conformed(table, _with_field_names(fields, audits), _replaced_rows(seen, replaced))


def _conformed(
    manifest: SourceManifest, deliveries: Iterable[Delivery], corrections: pa.Table | None
) -> tuple[pa.Table, dict[str, CleanField], Observations, pa.Table]:
    received = sorted(enumerate(deliveries), key=lambda item: (item[1][1], item[0]))
    parts = [delivery for _, delivery in received if delivery[3].num_rows]
    days = [(as_of, kind) for _, (_, as_of, kind, _) in received]
    fields = _clean_fields(manifest, parts, corrections)
    seen = observe(parts, _keys(manifest, fields))
    if corrections is not None and corrections.num_rows:
        fields, seen = apply_corrections(manifest, fields, seen, corrections, days)
    with DuckEngine(_MEMORY_LIMIT) as duck:
        versions, replaced = _history(duck, seen, _contents(manifest, fields), days)
        table = _table(duck, manifest, fields, seen, versions=versions, replaced=replaced)
    return table, fields, seen, replaced


def _clean_fields(manifest: SourceManifest, parts: Sequence[Delivery], corrections: pa.Table | None) -> dict[str, CleanField]:
    extra = correction_writings(corrections)
    cleaned = {}
    for field in manifest.fields:
        pieces = [_column(table, field.name) for _, _, _, table in parts]
        cleaned[field.name] = clean_field(field, writings(pieces), extra.get(field.name, ()))
    return cleaned


def _column(table: pa.Table, name: str) -> pa.ChunkedArray[Any] | int:
    # A column of nulls only is one the layout does not have: an empty cell of an existing column is landed as an empty text.
    if name not in table.column_names:
        return int(table.num_rows)
    column = table.column(name)
    return int(table.num_rows) if column.null_count == table.num_rows else column


def _keys(manifest: SourceManifest, fields: Mapping[str, CleanField]) -> npt.NDArray[np.int64]:
    """One exact integer per record: the primary key's values in mixed radix, renumbered when they would not fit."""
    keys = np.zeros(len(fields[manifest.primary_key[0]].codes), np.int64)
    size = 1
    for name in manifest.primary_key:
        field = fields[name]
        identity = field.key_identity
        base = int(identity.max(initial=0)) + 1
        if size * base > _LARGEST_KEY:
            _, keys = np.unique(keys, return_inverse=True)
            size = int(keys.max(initial=0)) + 1
        keys = keys * base + identity[field.codes]
        size *= base
    return keys


def _contents(manifest: SourceManifest, fields: Mapping[str, CleanField]) -> npt.NDArray[np.int64]:
    """A 64-bit mark of each row's values and states, compared only between neighbouring versions of one record."""
    mark: npt.NDArray[np.uint64] | None = None
    for field in manifest.fields:
        clean = fields[field.name]
        codes = clean.identity.astype(np.uint64)[clean.codes]
        mark = codes if mark is None else mark + codes
        mark *= _MIX
        mark ^= mark >> _SHIFT
    assert mark is not None  # a manifest has at least one field
    return mark.view(np.int64)


def _history(
    duck: DuckEngine, seen: Observations, contents: npt.NDArray[np.int64], days: Sequence[tuple[dt.date, str]]
) -> tuple[pa.Table, pa.Table]:
    """(place, known_from, known_to) per version, and (place, kept) per row replaced within its file."""
    duck.register("observation", seen.table(contents))
    duck.register("known_day", _known_days([*days, *((d, "diff") for d in seen.extra_days)]))
    duck.materialise("newest", load("kizuki.cleanse", "newest"))
    return duck.query(load("kizuki.cleanse", "versions")), duck.query(load("kizuki.cleanse", "replaced"))


def _known_days(days: Sequence[tuple[dt.date, str]]) -> pa.Table:
    """One row per known date: the next date with a full extract, null if none has come yet."""
    fulls = sorted({as_of for as_of, kind in days if kind == "full"})
    dates = sorted({as_of for as_of, _ in days})
    following = [next((full for full in fulls if full > day), None) for day in dates]
    return pa.table({"as_of": pa.array(dates, pa.date32()), "next_full": pa.array(following, pa.date32())})


def _table(
    duck: DuckEngine,
    manifest: SourceManifest,
    fields: Mapping[str, CleanField],
    seen: Observations,
    *,
    versions: pa.Table,
    replaced: pa.Table,
) -> pa.Table:
    rows = versions.column("place").to_numpy().astype(np.int64)
    columns: dict[str, pa.Array[Any] | pa.ChunkedArray[Any]] = {"record_key": _record_keys(duck, manifest, fields, rows)}
    person = _record_ids(manifest, fields, rows)
    columns["record_id"] = columns["record_key"] if person is None else person
    columns["delivery_id"], columns["line"] = seen.delivery_of(rows), seen.line_of(rows)
    columns["known_from"], columns["known_to"] = versions.column("known_from"), versions.column("known_to")
    columns["flags"] = _row_flags(fields, rows, replaced)
    for field in manifest.fields:
        columns[field.name] = fields[field.name].value_of(rows)
        if not field.required:
            columns[f"{field.name}_state"] = fields[field.name].state_of(rows)
    return pa.table(columns)


def _record_keys(
    duck: DuckEngine, manifest: SourceManifest, fields: Mapping[str, CleanField], rows: npt.NDArray[np.int64]
) -> pa.ChunkedArray[Any]:
    texts = pc.binary_join_element_wise(*(fields[n].text_of(rows) for n in manifest.primary_key), _KEY_SEPARATOR)
    duck.register("record_key_text", pa.table({"place": pa.array(rows), "key_text": texts}))
    return duck.query(load("kizuki.cleanse", "record_key")).column("record_key")


def _record_ids(
    manifest: SourceManifest, fields: Mapping[str, CleanField], rows: npt.NDArray[np.int64]
) -> pa.Array[Any] | None:
    """The source's own key of the person of the first role; None where the source has no persons."""
    if not manifest.person_records:
        return None
    return record_id_texts([fields[n].text_of(rows) for n in manifest.person_records[0].record_id])


def record_id_texts(parts: Sequence[pa.Array[Any]]) -> pa.Array[Any]:
    """The parts of a record id joined by `-`; null where every part is blank."""
    joined = pc.binary_join_element_wise(*parts, "-") if len(parts) > 1 else parts[0]
    texts: pa.Array[Any] = pc.if_else(pc.equal(pc.replace_substring(joined, "-", ""), ""), None, joined)
    return texts.dictionary_encode()


def _row_flags(fields: Mapping[str, CleanField], rows: npt.NDArray[np.int64], replaced: pa.Table) -> pa.Array[Any]:
    lost = np.isin(rows, replaced.column("kept").to_numpy())
    unread = np.zeros(len(rows), bool)
    for field in fields.values():
        if field.unreadable.any():
            unread |= field.unreadable[field.codes[rows]]
    names = pa.array([None, REPLACED, UNREADABLE, f"{REPLACED},{UNREADABLE}"], pa.string())
    return pa.DictionaryArray.from_arrays(pa.array((lost + 2 * unread).astype(np.int8)), names)


def _with_field_names(fields: Mapping[str, CleanField], audits: Sequence[pa.Table]) -> pa.Table:
    named = []
    for field, audit in zip(fields.values(), audits, strict=True):
        rules = pa.array([_rule(field.field)] * audit.num_rows, pa.string())
        named.append(audit.set_column(2, "rule", rules).add_column(0, "field", audit.column("rule")))
    return pa.concat_tables(named)


def _replaced_rows(seen: Observations, replaced: pa.Table) -> pa.Table:
    lost = replaced.column("place").to_numpy().astype(np.int64)
    kept = replaced.column("kept").to_numpy().astype(np.int64)
    return pa.table({"delivery_id": seen.delivery_of(lost), "line": seen.line_of(lost), "kept_line": seen.line_of(kept)})
