"""Reading the CSV tables of `judge learn`, `score`, `drift` and `fairness`: every refusal names the column and line,
never a value.

UTF-8 with a header. An empty cell is unknown. A column of nothing but finite numbers is a number; anything else is a category,
unless it is nearly a number: then a stray word is taken for a mistake and the file is refused.
"""

import csv
import datetime as dt
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kizuki.judge.case_table import CaseTable, Flags, Floats, ItemColumn, category_item, number_item
from kizuki.judge.point_table import NUMBER, PointTable
from kizuki.terms.errors import InputRefused

CHILD = "child"
STAFF_NAMES = ("staff_points", "staff", "staff_score", "現場の点", "職員の点")
"""A column of one of these names is taken as the points staff already give."""
_YES = frozenset(("1", "1.0", "true", "yes", "はい", "該当"))
_NO = frozenset(("0", "0.0", "false", "no", "いいえ", "非該当"))
_NEARLY = 0.9
_CONTENTS = "、".join(("1／0", "true／false", "はい／いいえ", "該当／非該当"))


@dataclass(frozen=True, slots=True)
class Sheet:
    """A CSV as columns of text without surrounding spaces; line n of the file is row n − 2."""

    file: str
    columns: Mapping[str, list[str]]
    rows: int

    def column(self, name: str) -> list[str]:
        """A column that must be there; raises InputRefused K542."""
        if name not in self.columns:
            raise InputRefused(
                "K542", f"「{name}」という列がありません。", self.file, "列名の行と、指定した列名を確かめてください。"
            )
        return self.columns[name]


@dataclass(frozen=True, slots=True)
class Roles:
    """Which column is the outcome, the time and the household; all others but `child` are items."""

    label: str
    time: str
    group: str | None


def read_sheet(path: Path) -> Sheet:
    """Raises InputRefused K541 (not a CSV), K542 (bad header) or K543 (a line of another width)."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = [line for line in csv.reader(file, strict=True) if line]
    except (OSError, UnicodeDecodeError, csv.Error) as e:
        raise InputRefused("K541", "ファイルをCSVとして読めません。", path.name, "UTF-8のCSVで保存し直してください。") from e
    if len(lines) < 2:
        raise InputRefused("K541", "CSVに行がありません。", path.name, "1行目に列名、2行目から値を書いてください。")
    header = [name.strip() for name in lines[0]]
    if "" in header or len(set(header)) < len(header):
        raise InputRefused("K542", "列名が空か、重なっています。", f"{path.name} 1行目", "列ごとに別の名前を付けてください。")
    for at, line in enumerate(lines[1:], start=2):
        if len(line) != len(header):
            raise InputRefused(
                "K543", "列の数が1行目と違う行があります。", f"{path.name} {at}行目", "その行の区切りと引用符を直してください。"
            )
    columns = {name: [c.strip() for c in cells] for name, cells in zip(header, zip(*lines[1:], strict=True), strict=True)}
    return Sheet(path.name, columns, len(lines) - 1)


def case_table(sheet: Sheet, roles: Roles) -> CaseTable:
    """The table `learn` works on; raises InputRefused K542, K544 (outcome), K545 (time), K546 (a number column)."""
    label = truth_column(sheet, roles.label)
    times = sheet.column(roles.time)
    if "" in times:
        line = times.index("") + 2
        raise InputRefused(
            "K545", "時点の列が空欄の行があります。", f"{sheet.file} {line}行目", "どの行にも基準日を書いてください。"
        )
    periods = _ordered(sorted(set(times)))
    at = {p: k for k, p in enumerate(periods)}
    reserved = {roles.label, roles.time, CHILD} | ({roles.group} if roles.group else set())
    items = tuple(item_column(sheet, name) for name in sheet.columns if name not in reserved)
    if not items:
        raise InputRefused(
            "K542", "項目の列が一つもありません。", sheet.file, "結果・時点・世帯のほかに、項目の列を入れてください。"
        )
    period = np.array([at[t] for t in times], dtype=np.int64)
    return CaseTable(items, label, period, tuple(periods), _clusters(sheet, roles.group))


def truth_column(sheet: Sheet, name: str) -> Floats:
    """1 / 0 / NaN where blank; raises InputRefused K544."""
    out = np.full(sheet.rows, np.nan)
    for row, cell in enumerate(sheet.column(name)):
        word = cell.lower()
        if word in _YES or word in _NO:
            out[row] = float(word in _YES)
        elif word:
            raise InputRefused(
                "K544",
                f"「{name}」に、はい・いいえとして読めない値があります。",
                f"{sheet.file} {row + 2}行目",
                f"使える書き方：{_CONTENTS}。",
            )
    return out


def number_column(sheet: Sheet, name: str) -> Floats:
    """Numbers, NaN where blank; raises InputRefused K546."""
    cells = sheet.column(name)
    out = np.array([_number(c) for c in cells])
    bad = [k for k, c in enumerate(cells) if c and math.isnan(out[k])]
    if bad:
        raise _not_a_number(sheet, name, bad[0])
    return out


def item_column(sheet: Sheet, name: str) -> ItemColumn:
    """A number or a category, by what the column holds; raises InputRefused K546."""
    cells = sheet.column(name)
    numbers = [_number(c) for c in cells]
    bad = [k for k, c in enumerate(cells) if c and math.isnan(numbers[k])]
    filled = sum(1 for c in cells if c)
    if not bad:
        return number_item(name, np.array(numbers))
    if len(bad) <= (1 - _NEARLY) * filled:
        raise _not_a_number(sheet, name, bad[0])
    return category_item(name, [c or None for c in cells])


def columns_for(table: PointTable, sheet: Sheet) -> tuple[ItemColumn, ...]:
    """The columns a points table scores, each read as the table has it; columns not there are left away (= unknown)."""
    found: list[ItemColumn] = []
    for item in table.items:
        if item.name in sheet.columns:
            if item.kind == NUMBER:
                found.append(number_item(item.name, number_column(sheet, item.name)))
            else:
                found.append(category_item(item.name, [c or None for c in sheet.columns[item.name]]))
    return tuple(found)


def directions_of(path: Path | None, sheet: Sheet) -> dict[str, int]:
    """item → 1 or −1 from the CSV `item, direction`; raises InputRefused K547."""
    if path is None:
        return {}
    given = read_sheet(path)
    items, signs = given.column("item"), given.column("direction")
    out: dict[str, int] = {}
    for line, (item, sign) in enumerate(zip(items, signs, strict=True), start=2):
        value = _number(sign)
        if item not in sheet.columns or value not in (1.0, -1.0, 0.0) or item in out:
            fix = (
                "item には項目の列名を一度ずつ、direction には 1（増えるほど上がる）か -1（増えるほど下がる）を書いてください。"
            )
            raise InputRefused("K547", "向きの表を読めません。", f"{path.name} {line}行目", fix)
        out[item] = int(value)
    return {k: v for k, v in out.items() if v}


def known_by(periods: Sequence[str], window_days: int | None) -> Flags:
    """[t, s]: whether the outcomes of period s were closed when period t began."""
    count = len(periods)
    earlier = np.tri(count, count, -1, dtype=np.bool_)
    days = [_day(p) for p in periods]
    if window_days is None or None in days:
        return earlier
    at = np.array([d.toordinal() for d in days if d])
    return np.asarray(earlier & (at[None, :] + window_days <= at[:, None]))


def _ordered(names: list[str]) -> list[str]:
    """Dates by date, numbers by size, else by text."""
    numbers = [_number(n) for n in names]
    if not any(math.isnan(n) for n in numbers):
        return [n for _, n in sorted(zip(numbers, names, strict=True))]
    return sorted(names, key=lambda n: (str(_day(n) or n), n))


def _day(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text.replace("/", "-"))
    except ValueError:
        return None


def _clusters(sheet: Sheet, group: str | None) -> np.ndarray:
    """Household numbers; without one the child, without that each row by itself. A blank stands alone."""
    name = group or (CHILD if CHILD in sheet.columns else None)
    if name is None:
        return np.arange(sheet.rows)
    seen: dict[str, int] = {}
    cells = sheet.column(name)
    return np.array([seen.setdefault(c or f"\0{row}", len(seen)) for row, c in enumerate(cells)], dtype=np.int64)


def _number(text: str) -> float:
    """NaN for anything but a finite number; Python's own 1_000 is not one."""
    if not text or "_" in text:
        return math.nan
    try:
        value = float(text)
    except ValueError:
        return math.nan
    return value if math.isfinite(value) else math.nan


def _not_a_number(sheet: Sheet, name: str, row: int) -> InputRefused:
    return InputRefused(
        "K546",
        f"数の列「{name}」に、数でない値があります。",
        f"{sheet.file} {row + 2}行目",
        "数に直すか、分からないときは空欄にしてください（0 と空欄は違います）。",
    )
