"""How well a list finds whom it should: AUC, precision and recall at capacity with intervals, and the same by group.

Pure arithmetic over arrays of one element per child. Small groups get 判定できない instead of a figure that means nothing.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

MIN_EVENTS = 20
"""Fewer true cases than this in a group give no answer about it: 11 to 13 events leave intervals 36 points wide."""
_Z = 1.959964


def auc(score: Floats, label: Flags) -> float | None:
    """Chance that a true case scores above another child, ties counting half; None without both kinds."""
    positives, negatives = int(label.sum()), int((~label).sum())
    if not positives or not negatives:
        return None
    _, place, counts = np.unique(score, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    middle = last - (counts - 1) / 2  # the mean rank of each tied score
    return float((middle[place][label].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def wilson(found: int, of: int) -> tuple[float, float] | None:
    """95 % interval of a share; None of nothing."""
    if not of:
        return None
    share, z2 = found / of, _Z * _Z
    middle = (share + z2 / (2 * of)) / (1 + z2 / of)
    half = _Z * np.sqrt(share * (1 - share) / of + z2 / (4 * of * of)) / (1 + z2 / of)
    return round(float(max(0.0, middle - half)), 4), round(float(min(1.0, middle + half)), 4)


def at_capacity(order: Floats, label: Flags, capacity: int) -> dict[str, Any]:
    """Looking at the first `capacity` children (highest `order`): how many of them are true cases, and how many of all."""
    n = min(capacity, len(label))
    first = np.argsort(-order, kind="stable")[:n]
    found, cases = int(label[first].sum()), int(label.sum())
    return {
        "n": n,
        "found": found,
        "precision": round(found / n, 4) if n else None,
        "recall": round(found / cases, 4) if cases else None,
        "interval": {"precision": wilson(found, n), "recall": wilson(found, cases)},
    }


def report(score: Floats, order: Floats, label: Flags, chance: Floats, *, capacities: Sequence[int]) -> dict[str, Any]:
    """One set's figures; the ceiling is what somebody who knew the true probability would reach."""
    rounded = {k: None if v is None else round(v, 4) for k, v in (("auc", auc(score, label)), ("best", auc(chance, label)))}
    return {
        "children": len(label),
        "events": int(label.sum()),
        "auc": rounded["auc"],
        "at_capacity": [at_capacity(order, label, n) for n in capacities],
        "ceiling": {"auc": rounded["best"], "at_capacity": [at_capacity(chance, label, n) for n in capacities]},
    }


def by_group(listed: Flags, label: Flags, groups: Mapping[str, Sequence[str]]) -> list[dict[str, Any]]:
    """Selection, recall and precision of every value of every grouping, with intervals, or 判定できない."""
    rows = []
    for name, values in groups.items():
        held = np.asarray(values)
        for value in sorted(set(held.tolist())):
            inside = held == value
            rows.append({"group": name, "value": value} | _group(listed[inside], label[inside]))
    return rows


def _group(listed: Flags, label: Flags) -> dict[str, Any]:
    n, chosen, cases, found = len(label), int(listed.sum()), int(label.sum()), int((listed & label).sum())
    thin = cases < MIN_EVENTS
    return {
        "n": n,
        "events": cases,
        "selection_rate": round(chosen / n, 4) if n else None,
        "recall": None if thin else round(found / cases, 4),
        "precision": None if thin or not chosen else round(found / chosen, 4),
        "intervals": None if thin else {"recall": wilson(found, cases), "precision": wilson(found, chosen)},
        "answer": "判定できない" if thin else "判定できる",
    }
