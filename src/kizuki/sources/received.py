"""What the receiving check hands over: the outcome of one delivered file, with every physical line accounted for.

Lines are physical lines of the file (ended by CRLF, LF, a lone CR or the end of the file). A quoted record that spans several
lines counts all of them, so `lines = accepted + quarantined + declared` holds for any file; `rows` counts accepted records.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import pyarrow as pa

Status = Literal["accepted", "held", "refused", "duplicate"]
Kind = Literal["full", "diff"]

LANDING_LINE = "_line"
"""The landing column that holds the physical line number of a record's first line."""

_COLUMNS: list[tuple[str, pa.DataType]] = [
    ("source", pa.string()),
    ("delivery", pa.string()),
    ("line", pa.int32()),
    ("lines", pa.int32()),
    ("column", pa.string()),
    ("code", pa.string()),
    ("message", pa.string()),
    ("fix", pa.string()),
    ("row", pa.string()),
]
QUARANTINE_SCHEMA = pa.schema(_COLUMNS)
"""One row per quarantined record; `row` is the record as delivered, null if it may not be kept (個人番号, 取り込まない列)."""

MAX_REASONS = 50


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a line or a file was not taken, in Japanese, never with a value; `line` is None for the whole file."""

    code: str
    message: str
    fix: str = ""
    line: int | None = None
    column: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """The shape of the command line contract."""
        return {"line": self.line, "column": self.column, "code": self.code, "message": self.message, "fix": self.fix}


@dataclass(frozen=True, slots=True)
class Quarantined:
    """One record set aside: its lines, the first reason, and its text if it may be kept."""

    line: int
    lines: int
    reason: Reason
    row: str | None


@dataclass(frozen=True, slots=True)
class Previous:
    """What was accepted before from the same source; empty for a first delivery.

    `known_keys` gives the keys of the last full extract, or None; it is called only when they are needed.
    """

    as_of: str | None = None
    rows: dict[str, int] = field(default_factory=dict)
    known_keys: "Callable[[], pa.Array[Any] | None]" = lambda: None


@dataclass(frozen=True, slots=True)
class Received:
    """One delivered file after the check. `table` is the landing table (raw text as delivered) unless refused."""

    delivery: str
    source: str
    status: Status
    sha256: str
    file: str
    manifest: str
    as_of: str | None = None
    kind: Kind = "full"
    layout: str | None = None
    lines: int = 0
    accepted: int = 0
    quarantined: int = 0
    declared: int = 0
    rows: int = 0
    reasons: tuple[Reason, ...] = ()
    table: pa.Table | None = None
    quarantine: pa.Table | None = None

    def as_dict(self) -> dict[str, Any]:
        """Everything but the tables, as the contract and the ledger write it."""
        names = ("delivery", "source", "status", "sha256", "file", "manifest", "as_of", "kind", "layout")
        counts = ("lines", "accepted", "quarantined", "declared", "rows")
        kept = {name: getattr(self, name) for name in (*names, *counts)}
        return kept | {"reasons": [r.as_dict() for r in self.reasons[:MAX_REASONS]]}

    def held(self, reason: Reason) -> "Received":
        """The same outcome, on hold for this reason (named first)."""
        return replace(self, status="held", reasons=(reason, *self.reasons))

    def refused(self, reason: Reason) -> "Received":
        """The same file, refused as a whole: nothing is kept, so nothing is counted."""
        empty = {"lines": 0, "accepted": 0, "quarantined": 0, "declared": 0, "rows": 0, "table": None, "quarantine": None}
        return replace(self, status="refused", reasons=(reason,), **empty)  # type: ignore[arg-type]


def quarantine_table(source: str, delivery: str, rows: list[Quarantined]) -> pa.Table:
    """The sealed companion of a landing table."""
    ordered = sorted(rows, key=lambda q: q.line)
    columns: list[list[Any]] = [
        [source] * len(ordered),
        [delivery] * len(ordered),
        [q.line for q in ordered],
        [q.lines for q in ordered],
        [q.reason.column for q in ordered],
        [q.reason.code for q in ordered],
        [q.reason.message for q in ordered],
        [q.reason.fix for q in ordered],
        [q.row for q in ordered],
    ]
    arrays = [pa.array(c, type=f.type) for c, f in zip(columns, QUARANTINE_SCHEMA, strict=True)]
    return pa.table(arrays, schema=QUARANTINE_SCHEMA)


_SAFE_NAME = re.compile(r"[^\w.\-（）()ー ]")


def safe_file_name(name: str) -> str:
    """A file name fit for a ledger: no folders, no control characters, at most 120 characters."""
    return _SAFE_NAME.sub("_", name.replace("\\", "/").rsplit("/", 1)[-1])[:120]
