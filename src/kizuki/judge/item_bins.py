"""Items into steps: where a number is cut, which categories stand alone, and the design matrix whose coefficients
become a table.

A number is coded cumulatively (column k says 「k番目の区切り以上」), so a coefficient is the *change* at a cut:
shrinking it makes neighbouring steps alike, and an agreed direction is simply its sign. The columns are centred over
the known rows and the unknown rows hold zero there, so that the coefficient of 不明 is what being unknown says beyond
an average known child.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from kizuki.judge.case_table import CaseTable, Floats, ItemColumn
from kizuki.judge.point_table import CATEGORY, NUMBER, ItemTable

MAX_STEPS = 12
_QUANTILES = (0.01, 0.05, 0.15, 0.3, 0.5, 0.7, 0.82, 0.9, 0.95, 0.98, 0.995)
"""Finer towards the ends: a list of the first few per cent is decided in the tails."""
MAX_LEVELS = 20
MIN_ROWS = 30
"""A step or category held by fewer rows is joined to its neighbour or to the other rare ones."""

Matrix = NDArray[np.float32]
Codes = NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class Binned:
    """How one item is cut; `direction` is 1 or −1 where agreed, else 0. `centre` holds the mean of each column where known."""

    name: str
    kind: str
    edges: tuple[float, ...]
    levels: tuple[str, ...]
    direction: int
    centre: tuple[float, ...]
    has_unknown: bool

    @property
    def width(self) -> int:
        """Columns of steps or categories (the unknown column not counted)."""
        return len(self.centre)

    def codes(self, column: ItemColumn) -> Codes:
        """The step of each row; −1 = unknown, also a category that has no table entry."""
        if self.kind == NUMBER:
            placed = np.searchsorted(np.array(self.edges), column.values, side="right")
            return np.where(np.isnan(column.values), -1, placed).astype(np.int16)
        known = {level: k for k, level in enumerate(self.levels)}
        place = np.array([known.get(level, -1) for level in (*column.levels, "")], dtype=np.int16)
        place[-1] = -1
        return np.asarray(place[column.values.astype(np.int64)], dtype=np.int16)

    def table(self, beta: Floats, unknown: float) -> ItemTable:
        """The item's table from its coefficients (cumulative for a number), centred like the design."""
        shift = float(np.dot(beta, self.centre))
        steps = np.concatenate([[0.0], np.cumsum(beta)]) if self.kind == NUMBER else np.asarray(beta)
        values = tuple(float(v) - shift for v in steps)
        return ItemTable(self.name, self.kind, self.edges, self.levels, values, float(unknown))


@dataclass(frozen=True, slots=True)
class Design:
    """All items side by side: which columns belong to which item, and how many columns there are."""

    bins: tuple[Binned, ...]
    spans: tuple[tuple[int, int], ...] = field(init=False)
    unknown_at: tuple[int, ...] = field(init=False)
    width: int = field(init=False)

    def __post_init__(self) -> None:
        spans, unknown, at = [], [], 0
        for b in self.bins:
            spans.append((at, at + b.width))
            at += b.width
            unknown.append(at if b.has_unknown else -1)
            at += int(b.has_unknown)
        object.__setattr__(self, "spans", tuple(spans))
        object.__setattr__(self, "unknown_at", tuple(unknown))
        object.__setattr__(self, "width", at)

    def codes(self, cases: CaseTable) -> Codes:
        """rows × items."""
        at = {c.name: c for c in cases.items}
        if not self.bins:
            return np.zeros((len(cases), 0), dtype=np.int16)
        return np.column_stack([b.codes(at[b.name]) for b in self.bins])

    def matrix(self, codes: Codes) -> Matrix:
        """rows × columns, single precision."""
        out = np.zeros((len(codes), self.width), dtype=np.float32)
        for j, b in enumerate(self.bins):
            start, end = self.spans[j]
            lookup = np.zeros((b.width + 3, b.width), dtype=np.float32)  # the last row is −1 = unknown: zero
            count = b.width + 1 if b.kind == NUMBER else b.width
            for code in range(count):
                row = (np.arange(b.width) < code) if b.kind == NUMBER else (np.arange(b.width) == code)
                lookup[code] = row.astype(np.float32) - np.array(b.centre, dtype=np.float32)
            out[:, start:end] = lookup[codes[:, j]]
            if self.unknown_at[j] >= 0:
                out[:, self.unknown_at[j]] = codes[:, j] == -1
        return out

    def tables(self, beta: Floats) -> tuple[ItemTable, ...]:
        """Every item's table from the coefficient vector."""
        made = []
        for j, b in enumerate(self.bins):
            start, end = self.spans[j]
            at = self.unknown_at[j]
            made.append(b.table(beta[start:end], float(beta[at]) if at >= 0 else 0.0))
        return tuple(made)

    def effects(self, beta: Floats, codes: Codes) -> Floats:
        """The sum of the items' tables for each row: what the design matrix times beta is, without building it."""
        total = np.zeros(len(codes))
        for j, table in enumerate(self.tables(beta)):
            total += np.array([*table.values, table.unknown])[codes[:, j]]
        return total

    def signs(self) -> NDArray[np.int8]:
        """The agreed sign of each column's coefficient, 0 where none."""
        signs = np.zeros(self.width, dtype=np.int8)
        for (start, end), b in zip(self.spans, self.bins, strict=True):
            signs[start:end] = b.direction
        return signs


def cut(cases: CaseTable, directions: Mapping[str, int]) -> tuple[Design, tuple[tuple[str, str], ...]]:
    """The design over the items that can say anything, and (item, reason) of those left out."""
    made, out = [], []
    for column in cases.items:
        found = binned(column, directions.get(column.name, 0))
        if isinstance(found, str):
            out.append((column.name, found))
        else:
            made.append(found)
    return Design(tuple(made)), tuple(out)


def binned(column: ItemColumn, direction: int, *, max_steps: int = MAX_STEPS, min_rows: int = MIN_ROWS) -> Binned | str:
    """How an item is cut, or why it can say nothing."""
    known = column.known
    rows = int(known.sum())
    if not rows:
        return "全ての行が空欄です。"
    if column.kind == CATEGORY:
        return _binned_category(column, rows)
    edges = _edges(column.values[known], max_steps, min_rows)
    unknown = _has_unknown(known)
    if not edges and not unknown:
        return "値が一つしかありません。"
    codes = np.searchsorted(np.array(edges), column.values[known], side="right")
    centre = tuple(float((codes > k).mean()) for k in range(len(edges)))
    return Binned(column.name, NUMBER, edges, (), direction, centre, unknown)


def _binned_category(column: ItemColumn, rows: int) -> Binned | str:
    counts = np.bincount(column.values[column.known].astype(np.int64), minlength=len(column.levels))
    order = np.argsort(-counts, kind="stable")
    kept = sorted(int(k) for k in order[:MAX_LEVELS] if counts[k] >= MIN_ROWS)
    if counts[kept].sum() < rows / 2:
        return "区分の種類が多すぎ、どの区分も少数の行にしかありません（番号や名前の列ではありませんか）。"
    if len(kept) < 2 and not _has_unknown(column.known) and counts[kept].sum() == rows:
        return "値が一つしかありません。"
    levels = tuple(column.levels[k] for k in kept)
    # rare categories have no entry of their own: they score like an unknown, which is what is known about them
    unknown = _has_unknown(column.known) or counts[kept].sum() < rows
    share = tuple(float(counts[k] / counts[kept].sum()) for k in kept)
    return Binned(column.name, CATEGORY, (), levels, 0, share, unknown)


def _has_unknown(known: NDArray[np.bool_]) -> bool:
    return int((~known).sum()) >= MIN_ROWS


def _edges(values: Floats, max_steps: int, min_rows: int) -> tuple[float, ...]:
    """Cuts between distinct values: at each one when there are few, else near quantiles of what is not the commonest value."""
    distinct, counts = np.unique(values, return_counts=True)
    if len(distinct) > max_steps:
        common = distinct[int(np.argmax(counts))] if counts.max() > len(values) / max_steps else None
        rest = values[values != common] if common is not None else values
        wanted = np.quantile(rest, _QUANTILES if max_steps == MAX_STEPS else np.linspace(0, 1, max_steps)[1:-1])
        extra = [] if common is None else [common, *distinct[np.searchsorted(distinct, common) + 1 :][:1]]
        starts = np.unique([*distinct[np.searchsorted(distinct, wanted)], *extra])
    else:
        starts = distinct
    edges = []
    ordered = np.sort(values)
    done = 0
    for start in starts[starts > distinct[0]]:
        below = int(np.searchsorted(ordered, start, side="left"))
        if below - done >= min_rows and len(values) - below >= min_rows:
            before = distinct[np.searchsorted(distinct, start) - 1]
            edges.append(_between(float(before), float(start)))
            done = below
    return tuple(edges)


def _between(low: float, high: float) -> float:
    """The roundest number in (low, high]: staff read the cuts."""
    if high == int(high) and abs(high) < 1e15:
        return high
    for digits in range(-6, 12):
        found = round((low + high) / 2, digits)
        if low < found <= high:
            return float(found)
    return high


def levels_of(bins: Binned, column: ItemColumn) -> Floats:
    """The mean value within each step, in units of two standard deviations, mean 0: how staff points are carried over."""
    codes = bins.codes(column)
    known = column.values[codes >= 0]
    held = np.bincount(codes[codes >= 0].astype(np.int64), minlength=bins.width + 1)
    total = np.bincount(codes[codes >= 0].astype(np.int64), weights=known, minlength=bins.width + 1)
    spread = float(known.std()) or 1.0
    return np.asarray((total / np.maximum(held, 1) - known.mean()) / (2 * spread))
