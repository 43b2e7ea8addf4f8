"""Checks compiled from a manifest and run on the distinct values of each column, never row by row.

A check accepts exactly what the cleansing can read: dates by `terms.wareki`, numbers and codes after folding their width.
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute

from kizuki.definitions.sources import Field
from kizuki.sources.received import Reason
from kizuki.sources.text import Codes, Flags
from kizuki.terms.wareki import read_date

pc: Any = pyarrow.compute  # its functions are made at run time; the stubs do not know their overloads

_FIX = "元のシステムで直して送り直すか、補正で登録してください。"
_INT = re.compile(r"[+-]?(?:[0-9]{1,18}|[0-9]{1,3}(?:,[0-9]{3}){1,5})")
_DOUBLE = re.compile(r"[+-]?(?:[0-9]{1,18}|[0-9]{1,3}(?:,[0-9]{3}){1,5})(?:\.[0-9]{1,18})?")
_ARROW_INT = "^[+-]?[0-9]{1,18}$"
_TRUTHS = frozenset({"0", "1", "はい", "いいえ", "有", "無", "true", "false", "TRUE", "FALSE", "○", "\u00d7"})


@dataclass(frozen=True, slots=True)
class Failure:
    """Rows of one column that fail one check."""

    rows: Flags
    reason: Reason


def fold(text: str) -> str:
    """Half width without surrounding space: the form in which numbers, codes and patterns are compared."""
    return text.strip() if text.isascii() else unicodedata.normalize("NFKC", text).strip()


def check_column(field: Field, values: "pa.Array[Any]", indices: Codes) -> list[Failure]:
    """Failures of one column, given its distinct `values` and each row's index into them."""
    if not len(values):
        return []
    blank = pc.equal(pc.utf8_trim_whitespace(values), "").to_numpy(zero_copy_only=False)
    failures: list[Failure] = []

    def fail(bad: Flags, code: str, message: str, fix: str = _FIX) -> None:
        if bad.any():
            failures.append(Failure(bad[indices], Reason(code, f"「{field.title}」{message}", fix, column=field.title)))

    if field.required:
        fail(blank, "K121", "は必須ですが、空欄です。")
    if not field.multiline:
        fail(_matching(values, "[\r\n]"), "K126", "に改行が入っています。", "改行を除いて送り直してください。")
    filled = ~blank
    fail(filled & ~_typed(field, values), *_TYPE_REASONS[field.type])
    if field.pattern:
        fail(filled & ~_patterned(field.pattern, values), "K124", "の書式が定義と違います。")
    if field.minimum is not None or field.maximum is not None:
        fail(filled & _outside(field, values), "K125", f"の値が範囲（{_bounds(field)}）の外です。")
    return failures


_TYPE_REASONS = {
    "string": ("K122", "の値を読めません。"),
    "int": ("K122", "が整数ではありません。"),
    "double": ("K122", "が数ではありません。"),
    "bool": ("K122", "が0・1ではありません。"),
    "date": ("K122", "が実在する日付ではありません。"),
    "code": (
        "K123",
        "の値が区分の一覧にありません。",
        "新しい区分なら定義に加え、誤りなら元のシステムで直して送り直してください。",
    ),
}


def _typed(field: Field, values: "pa.Array[Any]") -> Flags:
    """Which distinct values are of the field's type (blank ones are looked at by the caller)."""
    if field.type == "string":
        return np.ones(len(values), np.bool_)
    if field.type == "int":
        return _rescue(_matching(values, _ARROW_INT), values, lambda v: _INT.fullmatch(fold(v)) is not None)
    if field.type == "double":
        return _each(values, lambda v: _DOUBLE.fullmatch(fold(v)) is not None)
    if field.type == "bool":
        return _each(values, lambda v: fold(v) in _TRUTHS)
    if field.type == "date":
        return _each(values, lambda v: read_date(v, field.reads_serial_days).date is not None)
    known = frozenset(field.categories)
    return _each(values, lambda v: v in known or fold(v) in known)


def _patterned(pattern: str, values: "pa.Array[Any]") -> Flags:
    compiled = re.compile(pattern)
    try:
        found = _matching(values, f"^(?:{pattern})$")
    except pa.ArrowInvalid:  # RE2 has no look-around; Python's engine has
        found = np.zeros(len(values), np.bool_)
    return _rescue(found, values, lambda v: compiled.fullmatch(fold(v)) is not None)


def _outside(field: Field, values: "pa.Array[Any]") -> Flags:
    low = -np.inf if field.minimum is None else field.minimum
    high = np.inf if field.maximum is None else field.maximum

    def out(value: str) -> bool:
        plain = fold(value)
        return _DOUBLE.fullmatch(plain) is not None and not low <= float(plain.replace(",", "")) <= high

    return _each(values, out)


def _bounds(field: Field) -> str:
    low = "" if field.minimum is None else f"{field.minimum:g}"
    high = "" if field.maximum is None else f"{field.maximum:g}"
    return f"{low}〜{high}"


def _matching(values: "pa.Array[Any]", pattern: str) -> Flags:
    found: Flags = pc.match_substring_regex(values, pattern).to_numpy(zero_copy_only=False)
    return found


def _each(values: "pa.Array[Any]", test: Callable[[str], bool]) -> Flags:
    return np.fromiter((test(v) for v in _texts(values)), np.bool_, len(values))


def _texts(values: "pa.Array[Any]") -> list[str]:
    texts: list[Any] = values.to_pylist()
    return texts


def _rescue(found: Flags, values: "pa.Array[Any]", test: Callable[[str], bool]) -> Flags:
    """Ask the slow test only about what the fast one did not accept."""
    if found.all():
        return found
    found = found.copy()
    for position in np.flatnonzero(~found):
        found[position] = test(values[int(position)].as_py())
    return found
