"""Reading the two tables of `link pairs` as they come: any column order, refused whole when a row cannot be trusted.

A table is a UTF-8 CSV with one heading row (byte order mark, CRLF, quoted line breaks allowed). Its cells are named by kind
through the columns file; several columns of one kind are read in the order of that file, the first that is not blank counts.
"""

import csv
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from kizuki.terms.errors import InputRefused

KINDS = (
    *("id", "name", "family", "given", "kana", "family_kana", "given_kana"),
    *("birth_date", "sex", "postcode", "address", "phone"),
)
Row = dict[str, str]
"""Kind → text, blanks left out; `id` is exactly as written."""

_LONGEST_CELL = 1 << 20
_KINDS_FIX = f"column, kind の2列で書き、kind は {'・'.join(KINDS)} のいずれかにしてください。"


@dataclass(frozen=True, slots=True)
class Kinds:
    """The columns file: heading → kind, in its order."""

    by_heading: Mapping[str, str]

    def unused(self, *headings: tuple[str, ...]) -> list[str]:
        """Headings named in the file that no table has."""
        present = {h for table in headings for h in table}
        return [h for h in self.by_heading if h not in present]


@dataclass(frozen=True, slots=True)
class PairTable:
    """One table: its headings and its rows by kind."""

    headings: tuple[str, ...]
    rows: list[Row]


def read_kinds(path: Path) -> Kinds:
    """The columns file (CSV `column, kind`); raises InputRefused K307."""
    lines = _lines(path)
    _, head = next(lines, (0, []))
    heading = [h.strip().lower() for h in head]
    if (heading.count("column"), heading.count("kind")) != (1, 1):
        raise InputRefused("K307", "列の対応表を読めません。", path.name, _KINDS_FIX)
    at, kind_at = heading.index("column"), heading.index("kind")
    found: dict[str, str] = {}
    for number, cells in lines:
        column, kind = (cells[n].strip() if n < len(cells) else "" for n in (at, kind_at))
        kind = kind.lower()
        if not column or kind not in KINDS or found.setdefault(column, kind) != kind:
            raise InputRefused("K307", "列の対応表を読めません。", f"{path.name} {number}行目", _KINDS_FIX)
    if not found:
        raise InputRefused("K307", "列の対応表に行がありません。", path.name, _KINDS_FIX)
    return Kinds(found)


def read_table(path: Path, kinds: Kinds) -> PairTable:
    """One table; a table without data rows is allowed.

    Raises InputRefused K307 (no such CSV), K308 (an id is blank or occurs twice), K318 (no heading row, no single id column, a
    named heading twice) or K319 (a row has more cells than headings).
    """
    lines = _lines(path)
    _, head = next(lines, (0, []))
    if not head:
        raise InputRefused("K307", "表に見出しの行がありません。", path.name, "1行目を見出しにしてください。")
    headings = tuple(h.strip() for h in head)
    columns = _columns(path, headings, kinds)
    rows: list[Row] = []
    seen: dict[str, int] = {}
    for number, cells in lines:
        if any(cell.strip() for cell in cells[len(headings) :]):
            fix = '「,」を含む値は「"」で囲み、見出しと同じ数の列にして保存し直してください。'
            raise InputRefused("K319", "見出しより列の多い行があります。", f"{path.name} {number}行目", fix)
        row = _row(cells, columns)
        key = row.get("id", "")
        if not key.strip() or key in seen:
            what = "行の鍵（id）が重なっています。" if key in seen else "行の鍵（id）が空です。"
            first = f"（{seen[key]}行目と同じ）" if key in seen else ""
            where = f"{path.name} {number}行目{first}"
            raise InputRefused("K308", what, where, "どの行にも一つだけの id を付けてください。")
        seen[key] = number
        rows.append(row)
    return PairTable(headings, rows)


def _columns(path: Path, headings: tuple[str, ...], kinds: Kinds) -> list[tuple[str, int]]:
    """(kind, position) in the order of the columns file."""
    twice = [h for h, n in Counter(headings).items() if n > 1 and h in kinds.by_heading]
    if twice:
        fix = "見出しを一つずつ別の名にしてください。"
        raise InputRefused("K318", "同じ見出しの列が二つあります。", f"{path.name} 見出し「{twice[0]}」", fix)
    found = [(kind, headings.index(h)) for h, kind in kinds.by_heading.items() if h in headings]
    if [kind for kind, _ in found].count("id") != 1:
        fix = "1行目を見出しにし、対応表で id とした列を表ごとに一つだけ置いてください。"
        raise InputRefused("K318", "行の鍵（id）の列が一つに決まりません。", path.name, fix)
    return found


def _row(cells: list[str], columns: list[tuple[str, int]]) -> Row:
    row: Row = {}
    for kind, at in columns:
        text = cells[at] if at < len(cells) else ""
        if kind not in row and text.strip():
            row[kind] = text if kind == "id" else text.strip()
    return row


def _lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    """(line number of its end, cells) of every row that is not empty."""
    before, at = csv.field_size_limit(_LONGEST_CELL), 0
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)  # a quote that never closes would swallow the rest of the file
            for cells in reader:
                at = reader.line_num
                if any(cell.strip() for cell in cells):
                    yield at, cells
    except (OSError, ValueError, csv.Error) as e:  # UnicodeDecodeError is a ValueError, as is a path with a NUL
        fix = '表計算ソフトで「CSV UTF-8」を選んで保存し直してください。引用符「"」は二つで閉じているか確かめてください。'
        where = f"{path.name} {at + 1}行目から" if at else path.name
        raise InputRefused("K307", "ファイルをUTF-8のCSVとして読めません。", where, fix) from e
    finally:
        csv.field_size_limit(before)
