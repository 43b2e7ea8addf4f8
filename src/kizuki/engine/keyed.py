"""A table in memory and where each key's rows lie, so that a few persons' rows are taken without reading anybody else's.

Published tables are sorted by person within each part, so the places are found by bisection and cost no index to build.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute

pc: Any = pyarrow.compute  # its functions are generated at run time; the stubs do not know their overloads
Column = Any  # an Arrow array of any type; the stubs do not know its parts
Places = npt.NDArray[np.int64]


class KeyedTable:
    """An Arrow table that gives the rows of some keys of one text column; rows without a key are never given."""

    def __init__(self, table: pa.Table, column: str) -> None:
        self.table = table
        self._plain = pa.schema([f.with_type(_plain_type(f.type)) for f in table.schema])
        self._parts = [_Part.of(batch, column) for batch in table.to_batches() if batch.num_rows]

    def rows(self, keys: Collection[str]) -> pa.Table:
        """The rows of these keys, part by part, with text as text (a few rows must not drag whole dictionaries along)."""
        wanted = np.array(sorted({key.encode() for key in keys}), dtype=bytes)
        places = ((part, part.places(wanted)) for part in self._parts) if len(wanted) else ()
        return pa.Table.from_batches([self._text_rows(part.batch, at) for part, at in places if len(at)], self._plain)

    def _text_rows(self, batch: pa.RecordBatch, places: Places) -> pa.RecordBatch:
        rows = batch.take(places)
        return pa.RecordBatch.from_arrays([_as_text(c) for c in rows.columns], schema=self._plain)


@dataclass(frozen=True, slots=True)
class _Part:
    """One batch: its distinct keys in order, and for each the range of `order` (or of the rows themselves) it fills."""

    batch: pa.RecordBatch
    keys: npt.NDArray[np.bytes_]
    starts: Places
    order: Places | None

    @classmethod
    def of(cls, batch: pa.RecordBatch, column: str) -> _Part:
        coded: Column = batch.column(column)
        if not pa.types.is_dictionary(coded.type):
            coded = coded.dictionary_encode()
        keys = _bytes_of(coded.dictionary)
        codes: Places = pc.fill_null(coded.indices, -1).to_numpy(zero_copy_only=False).astype(np.int64)
        if len(keys) and not (keys[:-1] < keys[1:]).all():
            by_key = np.argsort(keys, kind="stable")
            rank = np.empty(len(keys) + 1, np.int64)
            rank[by_key], rank[-1] = np.arange(len(keys)), -1  # the last place answers for -1, a blank
            keys, codes = keys[by_key], rank[codes]
        counts = np.bincount(codes + 1, minlength=len(keys) + 1)
        starts = np.concatenate([[0], np.cumsum(counts)])[1:].astype(np.int64)
        sorted_already = bool((codes[:-1] <= codes[1:]).all())
        return cls(batch, keys, starts, None if sorted_already else np.argsort(codes, kind="stable"))

    def places(self, wanted: npt.NDArray[np.bytes_]) -> Places:
        """Places of the rows of the wanted keys (distinct, in order)."""
        if not len(self.keys):
            return np.empty(0, np.int64)
        at = np.minimum(np.searchsorted(self.keys, wanted), len(self.keys) - 1)
        at = at[self.keys[at] == wanted]
        places = _ranges(self.starts[at], self.starts[at + 1])
        return places if self.order is None else self.order[places]


def _ranges(starts: Places, ends: Places) -> Places:
    """All integers of several half-open ranges, in order."""
    lengths = ends - starts
    filled = np.repeat(starts - np.concatenate([[0], np.cumsum(lengths)[:-1]]), lengths) if len(lengths) else lengths
    return filled + np.arange(len(filled))


def _bytes_of(texts: Column) -> npt.NDArray[np.bytes_]:
    """Texts as fixed-width bytes, without copying where all are equally long (as person ids are)."""
    widths = pc.unique(pc.binary_length(texts)).to_pylist()
    if len(widths) == 1 and widths[0] and not texts.offset and not texts.null_count:
        _, offsets, data = texts.buffers()
        first = int(np.frombuffer(offsets, np.int32, 1)[0])
        keys: npt.NDArray[np.bytes_] = np.frombuffer(data, f"S{widths[0]}", len(texts), first)
        return keys
    return np.array([(t or "").encode() for t in texts.to_pylist()], dtype=bytes)


def _as_text(column: Column) -> Column:
    return column.dictionary.take(column.indices) if pa.types.is_dictionary(column.type) else column


def _plain_type(type_: pa.DataType) -> pa.DataType:
    plain: pa.DataType = type_.value_type if pa.types.is_dictionary(type_) else type_
    return plain


def distinct(table: pa.Table, column: str) -> set[str]:
    """The distinct values of a text column, blanks left out."""
    return set(pc.unique(table.column(column)).to_pylist()) - {None}
