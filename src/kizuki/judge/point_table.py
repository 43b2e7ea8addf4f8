"""採点表 (D6): the one artefact of judgement that is learned — an intercept and one small table per item, in readable JSON.

A child's 点 is the intercept plus one value per item: the value of the step or category the child's value falls in, or of the
item's own 不明. Values are natural log-odds, so the probability is the logistic of the sum. No library is needed to score.
An unknown (empty cell, or a category never seen in training) is a state of its own and never counts as zero or as 「なし」.
"""

import hashlib
import json
import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

FORMAT = "kizuki-points-1"
NUMBER, CATEGORY = "number", "category"
MAX_REASONS = 5
Cell = float | str | None


@dataclass(frozen=True, slots=True)
class ItemTable:
    """One item: `values[k]` counts for the k-th step (x < edges[0], …, x ≥ edges[-1]) or level; `unknown` where blank."""

    name: str
    kind: str
    edges: tuple[float, ...]
    levels: tuple[str, ...]
    values: tuple[float, ...]
    unknown: float

    def place(self, cell: Cell) -> int | None:
        """Which value counts; None = unknown."""
        if cell is None:
            return None
        if self.kind == NUMBER:
            return bisect_right(self.edges, cell) if isinstance(cell, int | float) and math.isfinite(cell) else None
        return self.levels.index(str(cell)) if str(cell) in self.levels else None

    def contribution(self, cell: Cell) -> float:
        """What the item adds to the points."""
        place = self.place(cell)
        return self.unknown if place is None else self.values[place]

    @property
    def range(self) -> tuple[float, float]:
        """The least and the most a known value can add."""
        return min(self.values), max(self.values)

    def label(self, place: int | None) -> str:
        """The step in words."""
        if place is None:
            return "不明"
        if self.kind == CATEGORY:
            return self.levels[place]
        if not self.edges:
            return "値あり"
        low = "" if place == 0 else f"{_number(self.edges[place - 1])}以上"
        high = "" if place == len(self.edges) else f"{_number(self.edges[place])}未満"
        return low + high


@dataclass(frozen=True, slots=True)
class Scored:
    """One row: points, probability, whether 一覧に入る/入らない holds whatever the unknowns turn out to be, and why."""

    points: float
    probability: float
    verdict_known: bool
    reasons: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class PointTable:
    """A version of the points table; `threshold` is the points of the last child listed at the capacity it was made for."""

    version: str
    method: str
    label: str
    intercept: float
    threshold: float | None
    capacity: int
    items: tuple[ItemTable, ...]
    facts: Mapping[str, Any]
    signature: Mapping[str, str] | None = None

    def points(self, row: Mapping[str, Cell]) -> float:
        """Intercept plus the items in their order (the order fixes the rounding, so that SQL agrees to the last digits)."""
        total = self.intercept
        for item in self.items:
            total += item.contribution(row.get(item.name))
        return total

    def score(self, row: Mapping[str, Cell]) -> Scored:
        """Everything `judge score` says about one row."""
        total = self.intercept
        low = high = 0.0
        parts: list[tuple[float, ItemTable, int | None]] = []
        for item in self.items:
            place = item.place(row.get(item.name))
            value = item.unknown if place is None else item.values[place]
            total += value
            if place is None:
                least, most = item.range
                low, high = low + min(least - value, 0.0), high + max(most - value, 0.0)
            parts.append((value, item, place))
        known = self.threshold is None or total + low >= self.threshold or total + high < self.threshold
        return Scored(total, probability(total), known, _reasons(parts))

    def content(self) -> dict[str, Any]:
        """What the digest and the signature cover."""
        return {
            "format": FORMAT,
            "version": self.version,
            "method": self.method,
            "label": self.label,
            "intercept": self.intercept,
            "threshold": self.threshold,
            "capacity": self.capacity,
            "items": [_item_as_dict(i) for i in self.items],
            "facts": dict(self.facts),
        }

    def canonical(self) -> bytes:
        """The bytes that are signed: sorted keys, no spaces, numbers as the shortest text that reads back the same."""
        return json.dumps(self.content(), ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()

    @property
    def digest(self) -> str:
        """SHA-256 of the content."""
        return hashlib.sha256(self.canonical()).hexdigest()

    def as_dict(self) -> dict[str, Any]:
        """The JSON file."""
        return self.content() | {"digest": self.digest} | ({"signature": dict(self.signature)} if self.signature else {})

    def signed(self, signer: str, signature: str) -> "PointTable":
        """The same table with a signature beside it."""
        return replace(self, signature={"signer": signer, "value": signature})


def probability(points: float) -> float:
    """The logistic of the points."""
    return 1 / (1 + math.exp(-points)) if points >= 0 else math.exp(points) / (1 + math.exp(points))


def read_table(content: Mapping[str, Any]) -> PointTable:
    """A table from its JSON; raises ValueError in Japanese if it is not one, or was changed after it was made."""
    try:
        if content["format"] != FORMAT:
            raise ValueError("採点表の形式の版が違います。")
        items = tuple(_item_from_dict(i) for i in content["items"])
        threshold = content["threshold"]
        table = PointTable(
            version=str(content["version"]),
            method=str(content["method"]),
            label=str(content["label"]),
            intercept=_finite(content["intercept"]),
            threshold=None if threshold is None else _finite(threshold),
            capacity=int(content["capacity"]),
            items=items,
            facts=dict(content["facts"]),
            signature=content.get("signature"),
        )
        digest = content["digest"]
    except (KeyError, TypeError, IndexError, AttributeError) as e:
        raise ValueError("採点表に要る欄がありません。") from e
    if len({i.name for i in items}) < len(items):
        raise ValueError("同じ項目が二度書かれています。")
    if digest != table.digest:
        raise ValueError("採点表が、作られた後に書き換えられています。")
    return table


def _item_as_dict(item: ItemTable) -> dict[str, Any]:
    steps = [{"at": item.label(k), "value": v} for k, v in enumerate(item.values)]
    bounds = {"edges": list(item.edges)} if item.kind == NUMBER else {"levels": list(item.levels)}
    return {"item": item.name, "kind": item.kind} | bounds | {"steps": steps, "unknown": item.unknown}


def _item_from_dict(content: Mapping[str, Any]) -> ItemTable:
    edges = tuple(_finite(e) for e in content.get("edges", ()))
    levels = tuple(str(v) for v in content.get("levels", ()))
    values = tuple(_finite(s["value"]) for s in content["steps"])
    kind = content["kind"]
    if kind not in (NUMBER, CATEGORY) or len(values) != (len(edges) + 1 if kind == NUMBER else len(levels)) or not values:
        raise ValueError("項目の区切りと値の数が合いません。")
    if list(edges) != sorted(set(edges)) or len(set(levels)) < len(levels):
        raise ValueError("項目の区切りが昇順でないか、区分が重なっています。")
    return ItemTable(str(content["item"]), kind, edges, levels, values, _finite(content["unknown"]))


def _finite(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError("採点表の値が数ではありません。")
    return float(value)


def _reasons(parts: Sequence[tuple[float, ItemTable, int | None]]) -> tuple[dict[str, Any], ...]:
    """The items that moved the points most, up and down; each says what the value was in words."""
    moved = sorted((p for p in parts if p[0] != 0), key=lambda p: -abs(p[0]))[:MAX_REASONS]
    return tuple({"item": i.name, "at": i.label(place), "value": round(value, 4)} for value, i, place in moved)


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else f"{value:.6g}"
