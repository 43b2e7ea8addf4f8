"""Finding 個人番号 (My Number) by header words and by content, so that it is refused before anything is stored.

Source: check digit of 個人番号, 総務省令85号（平成26年）5条: 11 − (Σ Pn·Qn mod 11), 0 if the remainder is 0 or 1.
A random 12-digit number passes with probability 1/11 to 1/10, so one passing cell proves nothing and a column of them does.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute

from kizuki.sources.text import Codes, Flags

pc: Any = pyarrow.compute  # its functions are made at run time; the stubs do not know their overloads

COLUMN_CELLS = 20
COLUMN_SHARE = 0.5
NUMBERING_SHARE = 0.25
"""A long column passing less often than this is some other 12-digit number."""

_HEADER_WORDS = ("個人番号", "マイナンバー", "mynumber", "my_number", "kojinbango", "kojin_bango")
_DIGIT, _GAP = "[0-9\uff10-\uff19]", "[-\u2010\uff0d\u2212\u30fc \u3000]"
_ARROW_CANDIDATE = (
    f"(^|[^0-9\uff10-\uff19])({_DIGIT}{{12}}|{_DIGIT}{{4}}{_GAP}{_DIGIT}{{4}}{_GAP}{_DIGIT}{{4}})($|[^0-9\uff10-\uff19])"
)
_CANDIDATE = re.compile(
    "(?<![0-9])(?:([0-9]{12})|([0-9]{4})[-\u2010\u2212\u30fc ]([0-9]{4})[-\u2010\u2212\u30fc ]([0-9]{4}))(?![0-9])"
)
_WEIGHTS = (6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)


def names_mynumber(title: str) -> bool:
    """Whether a header cell says it holds 個人番号."""
    plain = "".join(unicodedata.normalize("NFKC", title).lower().split())
    return any(word in plain for word in _HEADER_WORDS)


def passes(digits: str) -> bool:
    """Whether 12 half-width digits carry a correct check digit."""
    remainder = sum(int(d) * w for d, w in zip(digits, _WEIGHTS, strict=False)) % 11
    return int(digits[11]) == (0 if remainder <= 1 else 11 - remainder)


def candidates(text: str) -> list[str]:
    """12-digit numbers written in `text`, alone or within it, in any width, with or without 4-4-4 separators."""
    plain = unicodedata.normalize("NFKC", text)
    return ["".join(part for part in m.groups() if part) for m in _CANDIDATE.finditer(plain)]


@dataclass(frozen=True, slots=True)
class Finding:
    """One column or text: how many cells hold a 12-digit number, how many of them pass, and which rows pass."""

    cells: int
    passing: int
    rows: Flags

    @property
    def is_mynumber_column(self) -> bool:
        """Enough cells, and too many passing to be chance."""
        return self.cells >= COLUMN_CELLS and self.passing >= COLUMN_SHARE * self.cells

    @property
    def is_other_numbering(self) -> bool:
        """A long column of numbers that pass no more often than chance."""
        return self.cells >= COLUMN_CELLS and self.passing < NUMBERING_SHARE * self.cells


def scan_column(values: "pa.Array[Any]", indices: Codes) -> Finding | None:
    """Look through the distinct `values` of a column; `indices` gives each row's value. None if nothing is a candidate."""
    if not len(values) or (pc.max(pc.binary_length(values)).as_py() or 0) < 12:
        return None
    hit = pc.match_substring_regex(values, _ARROW_CANDIDATE)
    if not pc.any(hit).as_py():
        return None
    holds, good = np.zeros(len(values), np.bool_), np.zeros(len(values), np.bool_)
    for position in np.flatnonzero(hit.to_numpy(zero_copy_only=False)):
        found = candidates(values[int(position)].as_py())
        holds[position], good[position] = bool(found), any(passes(d) for d in found)
    if not good.any():
        return None
    rows = good[indices]
    return Finding(int(np.count_nonzero(holds[indices])), int(np.count_nonzero(rows)), rows)


def scan_texts(texts: Iterable[str]) -> Finding:
    """The same for free text such as lines that could not be split."""
    found = [candidates(t) for t in texts]
    rows = np.array([any(passes(d) for d in f) for f in found], np.bool_)
    return Finding(sum(1 for f in found if f), int(np.count_nonzero(rows)), rows)
