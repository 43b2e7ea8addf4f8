"""From physical lines to records, by the strict grammar of quoted CSV (RFC 4180): no value is ever guessed.

A quote may open a field only at its beginning and close it only at its end. A line that breaks this is set aside. A newline
inside quotes is allowed only in layouts with a 複数行 column; there an unclosed quote spoils one line, not the rest of the
file, because a record that does not read strictly within a few lines is set aside line by line.
"""

import csv
import re
from dataclasses import dataclass

import numpy as np

from kizuki.sources.text import Flags, Lines, Offsets

MAX_RECORD_LINES = 200
_QUOTE, _NUL = 0x22, 0x00
_REPLACEMENT = "\ufffd".encode()


@dataclass(frozen=True, slots=True)
class Records:
    """Records in file order: `first` line (0-based) and `count` of lines of each, and what is wrong with it.

    Every line of the text belongs to exactly one record.
    """

    first: Offsets
    count: Offsets
    blank: Flags
    bad_quote: Flags
    mojibake: Flags
    nul: Flags

    @property
    def readable(self) -> Flags:
        """Records that may be split into fields."""
        return ~(self.blank | self.bad_quote | self.mojibake | self.nul)


def split_records(lines: Lines, delimiter: str, multiline: bool) -> Records:
    """Group lines into records and mark those that cannot be read."""
    total = len(lines)
    first, count = np.arange(total, dtype=np.int64), np.ones(total, np.int64)
    bad_quote = np.zeros(total, np.bool_)
    if b'"' in lines.data:
        quotes = np.flatnonzero(np.frombuffer(lines.data, np.uint8) == _QUOTE)
        owner = lines.holding(quotes)
        odd = np.bincount(owner, minlength=total) % 2 == 1
        groups = _groups(lines, odd, delimiter) if multiline else []
        grouped = np.zeros(total, np.bool_)
        for start, end in groups:
            grouped[start : end + 1] = True
        bad_quote = (odd | _misplaced(lines, quotes, owner, delimiter)) & ~grouped
        if groups:
            keep = ~grouped
            keep[[start for start, _ in groups]] = True
            for start, end in groups:
                count[start] = end - start + 1
            first, count, bad_quote = first[keep], count[keep], bad_quote[keep]
    blank = (lines.ends[first] == lines.starts[first]) & (count == 1)
    return Records(first, count, blank, bad_quote, _holding(lines, first, _REPLACEMENT), _holding(lines, first, b"\0"))


def _holding(lines: Lines, first: Offsets, needle: bytes) -> Flags:
    """Which records contain `needle`."""
    found = np.zeros(len(first), np.bool_)
    if needle in lines.data:
        positions = np.array([m.start() for m in re.finditer(re.escape(needle), lines.data)], np.int64)
        found[np.searchsorted(first, lines.holding(positions), side="right") - 1] = True
    return found


def _misplaced(lines: Lines, quotes: Offsets, owner: Offsets, delimiter: str) -> Flags:
    """Lines in which a quote stands where it neither opens, closes nor doubles."""
    values = np.frombuffer(lines.data, np.uint8)
    starts_line = np.searchsorted(owner, owner, side="left")
    opening = (np.arange(len(quotes)) - starts_line) % 2 == 0
    before, after = values[np.maximum(quotes - 1, 0)], values[np.minimum(quotes + 1, len(values) - 1)]
    follows_quote = np.concatenate([[False], (np.diff(quotes) == 1) & (np.diff(owner) == 0)])
    precedes_quote = np.concatenate([follows_quote[1:], [False]])
    opens_well = (quotes == lines.starts[owner]) | (before == ord(delimiter)) | follows_quote
    closes_well = (quotes + 1 == lines.ends[owner]) | (after == ord(delimiter)) | precedes_quote
    wrong = np.where(opening, ~opens_well, ~closes_well)
    found = np.zeros(len(lines), np.bool_)
    found[owner[wrong]] = True
    return found


def _groups(lines: Lines, odd: Flags, delimiter: str) -> list[tuple[int, int]]:
    """Line ranges that read strictly as one record; lines with an odd number of quotes open and close them."""
    pending = np.flatnonzero(odd).tolist()
    grammar = strict_record(delimiter)
    groups: list[tuple[int, int]] = []
    i = 0
    while i + 1 < len(pending):
        start, end = pending[i], pending[i + 1]
        if end - start < MAX_RECORD_LINES and grammar.fullmatch(lines.text(start, end)):
            groups.append((start, end))
            i += 2
        else:
            i += 1
    return groups


def strict_record(delimiter: str) -> re.Pattern[str]:
    """One record by the strict grammar; atomic groups keep it linear on hostile text."""
    d = re.escape(delimiter)
    value = f'(?>"(?>[^"]|"")*"|[^"{d}\r\n]*)'
    return re.compile(f"{value}(?:{d}{value})*")


def split_line(text: str, delimiter: str) -> list[str] | None:
    """The fields of one record of one line, or None if it does not follow the grammar."""
    if not strict_record(delimiter).fullmatch(text):
        return None
    try:
        rows = list(csv.reader([text], delimiter=delimiter, strict=True))
    except csv.Error:  # a field beyond the reader's limit is no header
        return None
    return rows[0] if len(rows) == 1 else []
