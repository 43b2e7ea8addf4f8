"""Items that know too much: one that predicts almost alone, or that is filled in only once the outcome is known."""

from dataclasses import dataclass

import numpy as np

from kizuki.judge.case_table import CaseTable, Flags, Floats, ItemColumn
from kizuki.judge.point_table import CATEGORY
from kizuki.judge.validation import auc

TOO_GOOD = 0.9
"""No single item of the published criteria reaches this; leaked counts measured 0.91 and more."""
_MIN_CASES = 10
_MANY_FILLED = 0.8
_FEW_FILLED = 0.2


@dataclass(frozen=True, slots=True)
class Leak:
    """One item under suspicion, and why in words."""

    item: str
    why: str


def leaks(cases: CaseTable) -> tuple[Leak, ...]:
    """Suspicious items of the closed rows; nothing is said below ten cases."""
    closed = cases.closed
    label = cases.label[closed] == 1
    if label.sum() < _MIN_CASES or (~label).sum() < _MIN_CASES:
        return ()
    found = (_leak(c.take(closed), label, c.known[~closed]) for c in cases.items)
    return tuple(f for f in found if f)


def _leak(column: ItemColumn, label: Flags, known_while_open: Flags) -> Leak | None:
    known = column.known
    cases, others = float(known[label].mean()), float(known[~label].mean())
    if cases >= _MANY_FILLED and others <= _FEW_FILLED:
        return Leak(column.name, "該当したこどもにだけ値があります。結果の後に書かれる項目の疑いがあります。")
    strength = _alone(column, label)
    if strength is not None and strength >= TOO_GOOD:
        return Leak(
            column.name, f"この項目だけで結果をほぼ言い当てます（AUC {strength:.2f}）。基準日より後に知った値の疑いがあります。"
        )
    if len(known_while_open) and float(known_while_open.mean()) < _FEW_FILLED / 4 and cases - others >= 0.5:
        return Leak(column.name, "結果の出ていない期には空欄で、結果が出た後に埋まっています。")
    return None


def _alone(column: ItemColumn, label: Flags) -> float | None:
    """AUC of the item by itself, whichever way it points; a category is ordered by its case share in the other half.

    Unknown stands in the middle: being blank is judged above.
    """
    score = _by_share(column, label) if column.kind == CATEGORY else np.nan_to_num(column.values, nan=_middle(column.values))
    value = auc(score, label)
    return None if value is None else max(value, 1 - value) if column.kind != CATEGORY else value


def _by_share(column: ItemColumn, label: Flags) -> Floats:
    code = column.values.astype(np.int64) + 1
    half = np.arange(len(code)) % 2 == 0
    out = np.empty(len(code))
    for one in (half, ~half):
        size = len(column.levels) + 1
        rows, hits = np.bincount(code[~one], minlength=size), np.bincount(code[~one], weights=label[~one], minlength=size)
        out[one] = ((hits + label.mean()) / (rows + 1))[code[one]]
    return out


def _middle(values: Floats) -> float:
    known = values[~np.isnan(values)]
    return float(np.median(known)) if len(known) else 0.0
