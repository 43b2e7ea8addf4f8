"""Whether today's children still look like those a table was learned on: PSI per item and of the points, and jumps of 不明.

Population stability index = Σ (p − q) ln(p/q) over the table's own steps with 不明 as one of them. By long practice
below 0.1 is calm, above 0.25 a different population: then the run stops, since the promise was made about another
one.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from kizuki.judge.case_table import CaseTable, Floats, Ints, ItemColumn
from kizuki.judge.point_table import NUMBER, ItemTable, PointTable

WATCH, STOP = 0.1, 0.25
UNKNOWN_JUMP = 0.2
_FLOOR = 5e-4
_TENTHS = 10


def training_shares(items: Sequence[ItemTable], cases: CaseTable, level: float, rows: Ints) -> dict[str, Any]:
    """What the monitor compares with later: shares of each step (不明 last), and the tenths of the points, of these rows."""
    part = cases.take(rows)
    at = {c.name: c for c in part.items}
    shares = {i.name: _shares(i, at[i.name]) for i in items}
    points = level + sum((_values(i, at[i.name]) for i in items), np.zeros(len(part)))
    cuts = sorted({float(round(c, 9)) for c in np.quantile(points, np.arange(1, _TENTHS) / _TENTHS)})
    held = np.bincount(np.searchsorted(cuts, points, side="right"), minlength=len(cuts) + 1) / max(len(points), 1)
    return {"rows": len(part), "shares": shares, "points": {"cuts": cuts, "shares": [round(float(s), 6) for s in held]}}


def drifted(table: PointTable, cases: CaseTable) -> dict[str, Any]:
    """`{rows, items:[{item, psi, unknown, unknown_then, answer}], points, stop, reasons}` for the rows at hand."""
    then: Mapping[str, Any] = table.facts["training"]
    at = {c.name: c for c in cases.items}
    lines = [_line(i, at.get(i.name), then["shares"][i.name]) for i in table.items]
    points = table_points(table, cases)
    cuts = then["points"]["cuts"]
    now = np.bincount(np.searchsorted(cuts, points, side="right"), minlength=len(cuts) + 1) / max(len(points), 1)
    score = psi(then["points"]["shares"], now.tolist())
    reasons = [f"項目「{r['item']}」の{_WHY[r['why']]}。" for r in lines if r["why"]]
    if score > STOP:
        reasons.append("点の分布が、学んだ時と大きく違います。")
    return {"rows": len(cases), "items": lines, "points": round(score, 4), "stop": bool(reasons), "reasons": reasons}


def table_points(table: PointTable, cases: CaseTable) -> Floats:
    """The points of every row at once; an item without a column is unknown throughout."""
    at = {c.name: c for c in cases.items}
    points = np.full(len(cases), table.intercept)
    for item in table.items:
        points += _values(item, at[item.name]) if item.name in at else item.unknown
    return points


_WHY = {
    "psi": "値の分布が、学んだ時と大きく違います",
    "unknown": "空欄が、学んだ時より大きく増えています",
    "missing": "列がありません",
}


def psi(then: Sequence[float], now: Sequence[float]) -> float:
    """Population stability index; an empty share counts as one in two thousand."""
    p, q = np.maximum(np.array(now), _FLOOR), np.maximum(np.array(then), _FLOOR)
    return float(((p - q) * np.log(p / q)).sum())


def _line(item: ItemTable, column: ItemColumn | None, then: Sequence[float]) -> dict[str, Any]:
    now = [0.0] * (len(then) - 1) + [1.0] if column is None else _shares(item, column)
    value, jump = psi(then, now), now[-1] - then[-1]
    why = "missing" if column is None else "unknown" if jump > UNKNOWN_JUMP else "psi" if value > STOP else ""
    answer = "止める" if why else "見守る" if value > WATCH else "変わりない"
    return {
        "item": item.name,
        "psi": round(value, 4),
        "unknown": round(now[-1], 4),
        "unknown_then": round(then[-1], 4),
        "answer": answer,
        "why": why,
    }


def _codes(item: ItemTable, column: ItemColumn) -> Ints:
    """The step of each row, the last place for 不明; a column of another kind is unknown throughout."""
    unknown = len(item.values)
    if column.kind != item.kind:
        return np.full(len(column.values), unknown, dtype=np.int64)
    if item.kind == NUMBER:
        placed = np.searchsorted(np.array(item.edges), column.values, side="right")
        return np.where(column.known, placed, unknown).astype(np.int64)
    at = {level: k for k, level in enumerate(item.levels)}
    place = np.array([*(at.get(level, unknown) for level in column.levels), unknown], dtype=np.int64)
    return np.asarray(place[column.values.astype(np.int64)])


def _shares(item: ItemTable, column: ItemColumn) -> list[float]:
    codes = _codes(item, column)
    held = np.bincount(codes, minlength=len(item.values) + 1) / max(len(codes), 1)
    return [round(float(s), 6) for s in held]


def _values(item: ItemTable, column: ItemColumn) -> Floats:
    return np.asarray(np.array([*item.values, item.unknown])[_codes(item, column)])
