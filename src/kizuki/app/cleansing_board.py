"""整え方の記録: what the night's cleansing did to each field of each source, and what people still have to see to. No value.

Values leave only through `clean audit` (`writings_export`), authorised and recorded.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from kizuki.app.release import Actor, Query, release
from kizuki.app.served import Served, Source
from kizuki.cleanse.audit import TOTAL
from kizuki.cleanse.flags import Flag

COUNTS: Final = Query(
    name="cleansing_counts",
    tables=("cleansing",),
    columns={c: f"cleansing.{c}" for c in ("source", "field", "rule", "flag", "detail", "writings", "cells")},
    subject=None,
)
ATTRIBUTES: Final[Mapping[str, str]] = {
    "name": "氏名",
    "alias": "通称",
    "kana": "カナ",
    "address": "住所",
    "reading": "氏名とカナの組",
}
"""Titles of what persons of a source are known by, whatever its columns are called."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the page is narrowed to; blank = everything. `open_only` = only what people have to see to."""

    source: str = ""
    field: str = ""
    flag: str = ""
    open_only: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """One field of one source × one flag."""

    source: Source
    field: str
    title: str
    flag: str
    flag_title: str
    detail: str
    writings: int
    cells: int
    of_cells: int
    needs_people: bool

    @property
    def share(self) -> str:
        """Part of the field's written cells, in percent; under a tenth of one is said so."""
        part = 100 * self.cells / self.of_cells if self.of_cells else 0.0
        return "0.1%未満" if 0 < part < 0.1 else f"{part:.1f}%"


@dataclass(frozen=True, slots=True)
class Board:
    """The lines after filtering, what can be chosen, and the totals shown above them."""

    lines: tuple[Line, ...]
    chosen: Chosen
    sources: tuple[Source, ...]
    fields: tuple[tuple[str, str], ...]
    flags: tuple[Flag, ...]
    cells: int
    open_cells: int


def cleansing_board(actor: Actor, served: Served, chosen: Chosen) -> Board:
    """Everything counted, what needs people first; one release event, no person's value."""
    rows = release(actor, COUNTS, action="feed.view").rows
    totals = {(r["source"], r["field"], r["rule"]): int(r["cells"]) for r in rows if r["flag"] == TOTAL}
    every = [_line(r, served, totals) for r in rows if r["flag"] != TOTAL]
    lines = sorted(
        (line for line in every if _fits(line, chosen)), key=lambda n: (not n.needs_people, -n.cells, n.source.id, n.field)
    )
    present = {line.flag for line in every}
    inside = [line for line in every if chosen.source in ("", line.source.id)]
    return Board(
        lines=tuple(lines),
        chosen=chosen,
        sources=tuple(s for s in served.definitions.sources() if any(n.source.id == s.id for n in every)),
        fields=tuple(sorted({(line.field, line.title) for line in inside})),
        flags=tuple(f for f in Flag if f in present),
        cells=sum(totals.values()),
        open_cells=sum(line.cells for line in every if line.needs_people),
    )


def as_csv(lines: Sequence[Line]) -> bytes:
    """The lines for a spreadsheet: UTF-8 with BOM, CRLF."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(["元データ", "項目", "整え方", "外字", "書き方の種類", "欄の数", "項目の欄の数", "人の確認"])
    for n in lines:
        told = "必要" if n.needs_people else ""
        writer.writerow([n.source.title, n.title, n.flag_title, n.detail, n.writings, n.cells, n.of_cells, told])
    return b"\xef\xbb\xbf" + out.getvalue().encode("utf-8")


def _line(row: Mapping[str, Any], served: Served, totals: Mapping[tuple[str, str, str], int]) -> Line:
    flag = Flag(row["flag"])
    return Line(
        source=served.definitions.source(row["source"]),
        field=row["field"],
        title=_title(served, row["source"], row["field"]),
        flag=flag,
        flag_title=flag.label,
        detail=row["detail"] or "",
        writings=int(row["writings"]),
        cells=int(row["cells"]),
        of_cells=totals.get((row["source"], row["field"], row["rule"]), 0),
        needs_people=flag.needs_people,
    )


def _title(served: Served, source: str, field: str) -> str:
    manifest = served.definitions.loaded.sources.get(source)
    found = next((f.title for f in manifest.fields if f.name == field), None) if manifest else None
    return found or ATTRIBUTES.get(field, field)


def _fits(line: Line, chosen: Chosen) -> bool:
    return (
        chosen.source in ("", line.source.id)
        and chosen.field in ("", line.field)
        and chosen.flag in ("", line.flag)
        and (line.needs_people or not chosen.open_only)
    )
