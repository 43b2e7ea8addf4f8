"""The list as an Excel file: a cover sheet that says what it is, then exactly the rows of the filtered list."""

import datetime as dt
import io
from collections.abc import Mapping, Sequence
from typing import Any, Final

import xlsxwriter

from kizuki.app.list_filters import CHANGES, KNOWN, Filters
from kizuki.app.release import Actor
from kizuki.app.served import Served
from kizuki.app.worklist import Row, all_rows

COLUMNS: Final = (
    ("確認順", 8), ("氏名", 16), ("カナ", 20), ("年齢", 7), ("性別", 6), ("所属", 22), ("類型", 18), ("主な理由", 60),
    ("情報不足", 9), ("世帯", 20), ("既存の関わり", 16), ("状態", 10), ("担当", 14), ("期限", 12),
    ("前回から", 40),
)  # fmt: skip
_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")


def export(actor: Actor, served: Served, filters: Filters, *, now: dt.datetime) -> bytes:
    """An .xlsx of the filtered list; the release is recorded as one export before any byte is made."""
    rows = all_rows(actor, served, filters, reason=f"支援候補のExcel出力（{filters.tab}）")
    cover = {
        "帳票": "支援候補一覧",
        "条件": conditions(filters, served),
        "データ基準日": served.as_of.isoformat(),
        "件数": f"{len(rows)}人",
        "出力者": actor.name,
        "利用目的": actor.purpose,
        "出力日時": now.strftime("%Y/%m/%d %H:%M"),
        "取扱い": "判定は確認のきっかけであり、結論ではありません。用が済んだら消してください。",
    }
    return workbook(cover, COLUMNS, [_cells(row) for row in rows])


def conditions(filters: Filters, served: Served) -> str:
    """The filters in words; the searched name is left out of files and logs."""
    parts = [f"状態={filters.tab}", f"並び順={filters.order}"]
    if filters.criteria:
        parts.append(f"類型={served.definitions.criteria_title(filters.criteria)}")
    if filters.assignee:
        parts.append("担当で絞込み")
    if filters.since:
        parts.append(f"前回から={CHANGES[filters.since]}")
    if filters.known != "all":
        parts.append(f"既に関わりのあるこども={KNOWN[filters.known]}")
    if filters.name:
        parts.append("氏名で絞込み")
    return "、".join(parts)


def workbook(cover: Mapping[str, str], columns: Sequence[tuple[str, int]], rows: Sequence[Sequence[Any]]) -> bytes:
    """A cover sheet, then a sheet of rows under titled columns (title, width); text is never taken for a formula."""
    # in_memory: the default writes rows to temporary files in clear (G7)
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    bold, wrap = book.add_format({"bold": True, "bg_color": "#E6E6E6"}), book.add_format({"text_wrap": True, "valign": "top"})
    front = book.add_worksheet("表紙")
    front.set_column(0, 0, 14)
    front.set_column(1, 1, 70)
    for line, (title, text) in enumerate(cover.items()):
        front.write_string(line, 0, title, bold)
        front.write_string(line, 1, text, wrap)
    sheet = book.add_worksheet("一覧")
    for column, (title, width) in enumerate(columns):
        sheet.set_column(column, column, width)
        sheet.write_string(0, column, title, bold)
    for line, row in enumerate(rows, start=1):
        for column, value in enumerate(row):
            if isinstance(value, int):
                sheet.write_number(line, column, value)
            else:
                sheet.write_string(line, column, safe_text(value))
    sheet.freeze_panes(1, 2)
    sheet.autofilter(0, 0, max(len(rows), 1), len(columns) - 1)
    sheet.repeat_rows(0)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    book.close()
    return target.getvalue()


def _cells(row: Row) -> tuple[Any, ...]:
    return (
        row.place, row.name, row.kana, row.age, row.sex, row.school, "・".join(row.chips), row.reasons,
        f"{row.unknowns}件" if row.unknowns else "", row.household, row.involved, row.case.status, row.case.assignee,
        row.case.due_on.isoformat() if row.case.due_on else "", row.change_text,
    )  # fmt: skip


def safe_text(value: Any) -> str:
    """Cell text that no spreadsheet takes for a formula, also after saving as CSV (ASVS 1.2.10)."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text
