"""Columns of a file as bytes already in the file's own encoding.

A city writes millions of cells but few distinct ones. Every distinct value (a name, a date, a town) is spelled and encoded once
and then taken by position; a file is the element-wise join of its columns. CP932 trail bytes are never a comma or a quote, so
joining is safe after encoding.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Ints = npt.NDArray[Any]
Cells = Any  # a pyarrow BinaryArray; pyarrow ships no types
Encoding = Literal["cp932", "utf-8"]
DateStyle = Literal["kanji", "dotted", "dotted0", "code", "slash", "slash0", "iso", "month_kanji", "month_slash"]

BLANK = -1
"""Position that spells an empty cell."""


class Words:
    """A list of distinct words, encoded at most once per encoding."""

    def __init__(self, words: Sequence[str]) -> None:
        self.words = tuple(words)
        self._encoded: dict[str, Cells] = {}

    def __len__(self) -> int:
        return len(self.words)

    def cells(self, codes: Ints, encoding: Encoding) -> Cells:
        """One cell per code; `BLANK` becomes an empty cell."""
        if encoding not in self._encoded:
            spelled = [w.encode(encoding) for w in self.words]
            self._encoded[encoding] = pa.array([*spelled, b""], type=pa.binary())
        codes = np.asarray(codes)
        return self._encoded[encoding].take(pa.array(np.where(codes < 0, len(self.words), codes).astype(np.int32)))


def constant(text: str, rows: int, encoding: Encoding) -> Cells:
    """The same word in every row."""
    return Words([text]).cells(np.zeros(rows, np.int32), encoding)


def digits(values: Ints, width: int) -> Cells:
    """Non-negative numbers as zero-padded text; negative numbers become empty cells."""
    values = np.asarray(values, np.int64)
    powers = 10 ** np.arange(width - 1, -1, -1, dtype=np.int64)
    text = ((np.abs(values)[:, None] // powers) % 10 + ord("0")).astype(np.uint8)
    fixed = pa.FixedSizeBinaryArray.from_buffers(pa.binary(width), len(values), [None, pa.py_buffer(text.tobytes())])
    return blank_where(values < 0, fixed.cast(pa.binary()))


def numbers(values: Ints, blank: Ints | None = None) -> Cells:
    """Whole numbers without padding; empty where `blank`."""
    cells = pa.array(np.asarray(values, np.int64)).cast(pa.string()).cast(pa.binary())
    return cells if blank is None else blank_where(blank, cells)


def blank_where(blank: Ints, cells: Cells) -> Cells:
    """Empty cells where `blank` holds."""
    if not np.any(blank):
        return cells
    return pc.if_else(pa.array(np.asarray(blank, bool)), pa.scalar(b"", pa.binary()), cells)


def choose(condition: Ints, yes: Cells, no: Cells) -> Cells:
    """Cell by cell: `yes` where the condition holds, else `no`."""
    return pc.if_else(pa.array(np.asarray(condition, bool)), yes, no)


def glue(*parts: Cells) -> Cells:
    """Parts of one cell written one after the other."""
    return pc.binary_join_element_wise(*parts, pa.scalar(b"", pa.binary()))


def text_cells(words: Sequence[str], encoding: Encoding) -> Cells:
    """Cells from Python strings, one each (for the small sets that are written by hand)."""
    return pa.array([w.encode(encoding) for w in words], type=pa.binary())


CALENDAR_START = np.datetime64("1915-01-01", "D").astype(int)
_CALENDAR_END = np.datetime64("2032-01-01", "D").astype(int)
_ERAS = (
    ("令和", "R", 5, 2019, 5, 1),
    ("平成", "H", 4, 1989, 1, 8),
    ("昭和", "S", 3, 1926, 12, 25),
    ("大正", "T", 2, 1912, 7, 30),
)


def date_cells(days: Ints, style: DateStyle, encoding: Encoding) -> Cells:
    """Days since 1970-01-01 in one of the spellings in use; `NO_DAY` and anything outside 1915-2031 becomes an empty cell."""
    days = np.asarray(days, np.int64)
    known = (days >= CALENDAR_START) & (days < _CALENDAR_END)
    codes = np.where(known, days - CALENDAR_START, BLANK)
    return _calendar(style).cells(codes, encoding)


@cache
def _calendar(style: DateStyle) -> Words:
    days = np.arange(CALENDAR_START, _CALENDAR_END).astype("datetime64[D]")
    return Words([_spell(int(t[:4]), int(t[5:7]), int(t[8:]), style) for t in (str(d) for d in days)])


def _spell(year: int, month: int, day: int, style: DateStyle) -> str:
    match style:
        case "slash":
            return f"{year}/{month}/{day}"
        case "slash0":
            return f"{year}/{month:02}/{day:02}"
        case "iso":
            return f"{year}-{month:02}-{day:02}"
        case "month_slash":
            return f"{year}/{month:02}"
        case _:
            return _spell_era(year, month, day, style)


def _spell_era(year: int, month: int, day: int, style: DateStyle) -> str:
    era, letter, code, first, first_month, first_day = next(e for e in _ERAS if (year, month, day) >= e[3:])
    nth = year - first + 1
    del first_month, first_day
    match style:
        case "dotted":
            return f"{letter}{nth}.{month}.{day}"
        case "dotted0":
            return f"{letter}{nth:02}.{month:02}.{day:02}"
        case "code":
            return f"{code}{nth:02}{month:02}{day:02}"
        case "month_kanji":
            return f"{era}{'元' if nth == 1 else nth}年{month}月"
        case _:
            return f"{era}{'元' if nth == 1 else nth}年{month}月{day}日"
