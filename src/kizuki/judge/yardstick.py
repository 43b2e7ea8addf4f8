"""Main effects of an explainable boosting machine as a 採点表, to hold the learned table against (`[analysis]`,
imported lazily).

Only the table leaves here; nothing of the library is needed to score it, and the table gives the library's own logits to 1e-9.
"""

import warnings
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

import numpy as np

from kizuki.judge.case_table import CaseTable, Floats, ItemColumn
from kizuki.judge.point_table import CATEGORY, NUMBER, ItemTable, PointTable

_MAX_BINS, _MAX_ROUNDS = 64, 2000


def available() -> bool:
    """Whether the library is installed."""
    return find_spec("interpret") is not None


def boosted(cases: CaseTable, directions: Mapping[str, int], *, label: str, capacity: int, seed: int) -> PointTable:
    """Learned on the closed rows; agreed directions are held by the library itself."""
    machine, names = fitted(cases, directions, seed)
    kinds = {c.name: c for c in cases.items}
    items = tuple(_item(kinds[n], machine.bins_[k], machine.term_scores_[k]) for k, n in enumerate(names))
    facts = {"rows": int(cases.closed.sum()), "publishable": False}
    return PointTable("yardstick", "ebm", label, float(machine.intercept_[0]), None, capacity, items, facts)


def fitted(cases: CaseTable, directions: Mapping[str, int], seed: int) -> tuple[Any, list[str]]:
    """The library's own machine and the order of its items."""
    from interpret.glassbox import ExplainableBoostingClassifier

    names = [c.name for c in cases.items]
    machine = ExplainableBoostingClassifier(
        feature_names=names,
        feature_types=["nominal" if c.kind == CATEGORY else "continuous" for c in cases.items],
        interactions=0,
        max_bins=_MAX_BINS,
        max_rounds=_MAX_ROUNDS,
        monotone_constraints=[directions.get(n, 0) for n in names],
        n_jobs=1,
        random_state=seed,
    )
    with warnings.catch_warnings():
        # the library notes that its pictures leave out unknowns; the table here does not
        warnings.simplefilter("ignore")
        machine.fit(matrix(cases.items)[cases.closed], cases.label[cases.closed].astype(int))
    return machine, names


def matrix(items: tuple[ItemColumn, ...]) -> Any:
    """The items as the library takes them: words for categories, numbers else, None for unknown."""
    out = np.empty((len(items[0].values), len(items)), dtype=object)
    for k, c in enumerate(items):
        words: Any = np.array([*c.levels, None], dtype=object)[c.values.astype(np.int64)] if c.kind == CATEGORY else c.values
        out[:, k] = np.where(c.known, words, None)
    return out


def _item(column: ItemColumn, bins: list[Any], scores: Floats) -> ItemTable:
    """The library's scores hold 不明 first and 「見たことのない値」 last."""
    values = [float(s) for s in scores[1:-1]]
    if column.kind == CATEGORY:
        at: dict[str, int] = bins[0]
        levels = tuple(sorted(at, key=lambda level: at[level]))
        return ItemTable(column.name, CATEGORY, (), levels, tuple(values[at[v] - 1] for v in levels), float(scores[0]))
    return ItemTable(column.name, NUMBER, tuple(float(c) for c in bins[0]), (), tuple(values), float(scores[0]))
