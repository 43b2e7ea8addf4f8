"""Table schemas of `terms` as Arrow: the exact columns, types and blanks every step must hand on."""

import hashlib
import io
from typing import Any

import pyarrow as pa

from kizuki.terms.tables import TableSchema

_ARROW = {"string": pa.string(), "int": pa.int64(), "double": pa.float64(), "bool": pa.bool_(), "date": pa.date32()}
_HASH_ROWS = 1 << 17
_TEXT_CODES = pa.dictionary(pa.int32(), pa.string())


def arrow_schema(schema: TableSchema) -> pa.Schema:
    """The Arrow schema of a declared table."""
    return pa.schema([pa.field(c.name, _ARROW[c.type], nullable=c.nullable) for c in schema.columns])


def shape(table: pa.Table, schema: TableSchema) -> pa.Table:
    """`table` with exactly the declared columns and types, in order; dictionary-encoded text stays encoded.

    Raises ValueError on a missing or surplus column, a value that does not fit its type, or a blank where the schema
    allows none; the message names the column, never a value.
    """
    wanted = arrow_schema(schema)
    if set(table.column_names) != set(wanted.names):
        odd = sorted(set(table.column_names) ^ set(wanted.names))
        raise ValueError(f"{schema.name}: columns differ from the declared ones: {', '.join(odd)}")
    for field in wanted:
        if not field.nullable and table.column(field.name).null_count:
            raise ValueError(f"{schema.name}.{field.name}: blank where none is allowed")
    kept = [f.with_type(_TEXT_CODES) if table.schema.field(f.name).type == _TEXT_CODES else f for f in wanted]
    try:
        return table.select(wanted.names).cast(pa.schema(kept))
    except pa.ArrowInvalid:
        raise ValueError(f"{schema.name}: a value does not fit its declared type") from None


def empty(schema: TableSchema) -> pa.Table:
    """A declared table without rows."""
    return arrow_schema(schema).empty_table()


def digest(table: pa.Table) -> str:
    """A hash of the table's columns and rows in order; equal digests mean equal tables (the reverse need not hold)."""
    sink = _Hasher()
    with pa.ipc.new_stream(pa.PythonFile(sink, mode="w"), table.schema.remove_metadata()) as writer:
        for batch in table.replace_schema_metadata(None).to_batches(max_chunksize=_HASH_ROWS):
            writer.write_batch(batch)
    return sink.hash.hexdigest()[:40]


class _Hasher(io.RawIOBase):
    """A file that only hashes what is written to it."""

    def __init__(self) -> None:
        self.hash = hashlib.sha256()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.hash.update(data)
        return len(data)
