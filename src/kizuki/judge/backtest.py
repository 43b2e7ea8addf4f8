"""Scores nobody was trained on: cross-fitting over households, and rolling origins that know only earlier, closed periods."""

from dataclasses import dataclass, replace

import numpy as np

from kizuki.judge.case_table import CaseTable, Flags, Floats, Ints
from kizuki.judge.features import STAFF, Features
from kizuki.judge.penalised import Fit, fit, polished, thinned

FOLDS = {True: 10, False: 5}
"""Ten where cases are few: with a fifth of them left out the rule would be visibly worse than the one that will be used."""
_FEW_CASES = 2000
_LEAST = 1e-3
_LEARN_PER_CASE, _LEARN_ROWS = 10, 8000
_FULL_PER_CASE, _FULL_ROWS = 30, 60_000


@dataclass(frozen=True, slots=True)
class BackTest:
    """Out-of-sample points of every closed row (NaN where none): cross-fitted, and as a roll forward in time would have given.

    `rolled_level` is the intercept each rolled period would have been scored with.
    """

    crossed: Floats
    rolled: Floats
    rolled_level: Floats


def train(found: Features, cases: CaseTable, rows: Ints, scale: float = 1.0) -> Fit:
    """Penalties on a thinned sample, coefficients on a fuller one."""
    label = cases.label[rows]
    small = thinned(found.matrix, rows, label, per_case=_LEARN_PER_CASE, at_least=_LEARN_ROWS)
    start = fit(small, found.groups, scale=scale, steps=8 if found.rung == STAFF else 14)
    large = thinned(found.matrix, rows, label, per_case=_FULL_PER_CASE, at_least=_FULL_ROWS)
    made = start if len(large.rows) <= len(small.rows) else polished(large, found.groups, start)
    return _in_order(found, made)


def _in_order(found: Features, made: Fit) -> Fit:
    """Staff points alone keep their order even where the past gives them no weight: a few cases do not overrule the staff."""
    place = found.design.width
    if found.rung != STAFF or found.staff is None or made.beta[place] > 0:
        return made
    beta = made.beta.copy()
    beta[place] = _LEAST
    return replace(made, beta=beta)


def back_test(found: Features, cases: CaseTable, known_by: Flags, *, seed: int, scale: float = 1.0) -> BackTest:
    """Both kinds of scores; `known_by[t, s]` says that the outcomes of period s had closed when period t began."""
    return BackTest(_crossed(found, cases, seed, scale), *_rolled(found, cases, known_by, scale))


def _crossed(found: Features, cases: CaseTable, seed: int, scale: float) -> Floats:
    """Each household's rows by a rule that never saw them.

    Staff points alone are one order whatever is fitted: folds would each give them another scale, and children of different
    folds would be shuffled by it (measured: with 60 cases the promised recall came out at half of the true one).
    """
    out = np.full(len(cases), np.nan)
    if found.rung == STAFF:
        rows = np.flatnonzero(cases.closed)
        out[rows] = found.order(train(found, cases, rows, scale), rows)
        return out
    clusters, place = np.unique(cases.household, return_inverse=True)
    folds = FOLDS[bool(np.nansum(cases.label) < _FEW_CASES)]
    fold = np.random.default_rng(seed).permutation(len(clusters))[place] % folds
    for k in range(folds):
        rows = np.flatnonzero(cases.closed & (fold != k))
        held = np.flatnonzero(cases.closed & (fold == k))
        if len(held) and _both(cases.label[rows]):
            out[held] = found.order(train(found, cases, rows, scale), held)
    return out


def _rolled(found: Features, cases: CaseTable, known_by: Flags, scale: float) -> tuple[Floats, Floats]:
    out, level = np.full(len(cases), np.nan), np.full(len(cases), np.nan)
    for t in range(len(cases.periods)):
        past = known_by[t][cases.period] & cases.closed
        held = np.flatnonzero(cases.closed & (cases.period == t))
        rows = np.flatnonzero(past)
        if len(held) and len(rows) and _both(cases.label[rows]) and cases.label[rows].sum() >= 10:
            made = train(found, cases, rows, scale)
            out[held] = found.order(made, held)
            level[held] = found.level(made, int(cases.period[rows].max()))
    return out, level


def _both(label: Floats) -> bool:
    return bool((label == 1).any() and (label == 0).any())
