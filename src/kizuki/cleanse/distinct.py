"""Cleanse each distinct writing once, however many rows carry it; the table of writings is also the audit of what was done.

Measured on 1 M names with 170,000 distinct ones: 0.6 s this way, 3.2 s row by row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute

from kizuki.cleanse.flags import Cleaned, Flag

pc: Any = pyarrow.compute  # its functions are generated at run time; the stubs do not know their overloads

Normaliser = Callable[[str], Cleaned[Any]]
Codes = npt.NDArray[np.int32]

_ENCODED = pa.dictionary(pa.int32(), pa.string())
NO_TEXT = -1
"""Code of a cell without any text: null in the delivery."""
ABSENT = -2
"""Code of a cell whose column the delivery's layout does not have."""


class Writings(NamedTuple):
    """One column over all rows: `codes[row]` points into `texts`, or is NO_TEXT or ABSENT."""

    codes: Codes
    texts: pa.Array[Any]


class Mapped(NamedTuple):
    """What the distinct writings became: one value and one tuple of flags per writing."""

    values: pa.Array[Any]
    flags: Sequence[tuple[Flag, ...]]


def writings(pieces: Sequence[pa.ChunkedArray[Any] | int]) -> Writings:
    """Dictionary-encode one column of several deliveries together; an int stands for that many rows without the column."""
    chunks: list[pa.Array[Any]] = []
    order: list[pa.Array[Any] | int] = []
    for piece in pieces:
        if isinstance(piece, int):
            order.append(piece)
            continue
        for chunk in piece.chunks:
            encoded = chunk if pa.types.is_dictionary(chunk.type) else chunk.cast(pa.string()).dictionary_encode()
            chunks.append(encoded.cast(_ENCODED))
            order.append(chunks[-1])
    unified: Iterator[Any] = iter(pa.chunked_array(chunks).unify_dictionaries().chunks if chunks else [])
    parts: list[Codes] = []
    texts = pa.array([], pa.string())
    for item in order:
        if isinstance(item, int):
            parts.append(np.full(item, ABSENT, np.int32))
            continue
        encoded = next(unified)
        texts = encoded.dictionary
        parts.append(encoded.indices.fill_null(NO_TEXT).to_numpy(zero_copy_only=False).astype(np.int32, copy=False))
    return Writings(np.concatenate(parts) if parts else np.empty(0, np.int32), texts)


def map_texts(texts: pa.Array[Any], normaliser: Normaliser, type_: pa.DataType, clean_already: str = "") -> Mapped:
    """Call the normaliser once per writing, but not for texts that `clean_already` (a pattern) says stay as they are."""
    if clean_already:
        odd = pc.invert(pc.match_substring_regex(texts, clean_already)).fill_null(True)
        rest = map_texts(texts.filter(odd), normaliser, type_)
        flags: list[tuple[Flag, ...]] = [()] * len(texts)
        for place, flag in zip(pc.indices_nonzero(odd).to_pylist(), rest.flags, strict=True):
            flags[place] = flag
        return Mapped(pc.replace_with_mask(texts, odd, rest.values), flags)
    cleaned = [Cleaned(None) if text is None else normaliser(text) for text in texts.to_pylist()]
    return Mapped(pa.array([c.value for c in cleaned], type_), [c.flags for c in cleaned])


def map_distinct(
    column: pa.ChunkedArray[Any], normaliser: Normaliser, type_: pa.DataType
) -> tuple[pa.Array[Any], pa.Array[Any]]:
    """(values, flags) per row: one Python call per distinct writing, then a take. Flags are joined by commas, null if none."""
    codes, texts = writings([column])
    mapped = map_texts(texts, normaliser, type_)
    indices: pa.Array[Any] = pa.array(codes, pa.int32(), mask=codes < 0)
    return mapped.values.take(indices), flag_texts(mapped.flags).take(indices)


def audit_table(rule: str, texts: pa.Array[Any], mapped: Mapped) -> pa.Table:
    """One row per distinct writing: raw, clean (as text), rule, flags — the cleansing audit and its review screen."""
    clean = mapped.values.cast(pa.string())
    rules = pa.array([rule] * len(texts), pa.string())
    return pa.table({"raw": texts, "clean": clean, "rule": rules, "flags": flag_texts(mapped.flags)})


def flag_texts(flags: Sequence[tuple[Flag, ...]]) -> pa.Array[Any]:
    """Flags as comma-separated text; null where nothing was done."""
    known: dict[tuple[Flag, ...], str | None] = {(): None}
    return pa.array([known[f] if f in known else known.setdefault(f, ",".join(f)) for f in flags], pa.string())


def trimmed_texts(texts: pa.Array[Any]) -> Mapped:
    """Blanks around the writing taken away, nothing else: names, addresses and free text are shown as delivered."""
    values = pc.utf8_trim_whitespace(texts)
    changed = pc.not_equal(values, texts).fill_null(False).to_pylist()
    return Mapped(values, [(Flag.SPACE,) if c else () for c in changed])
