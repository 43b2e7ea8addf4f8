"""What is promised for the next period: precision and recall at a capacity, with a 90 % interval for the *realised* figure.

Four things keep next period's figure from equalling the back-test's, and all four are in the interval: chance of whom
it happens to (binomial, widened by households that share their fate), not knowing the level exactly, periods that
differ from one another and drift, and rules learned on the past that fit the past better than the future (measured as
rolled minus cross-fitted).

How often it happens at all is counted over every child, so it is known far better than what a short list finds: the
base rate and the recall at capacity are followed separately, and precision is what the two imply. Each level (a
logit) moves as a random walk of sd δ with a shock of sd τ each period. Both are unknown, so every pair on a grid is
filtered through the periods and weighted by how well it explains them and by half-normal priors. Few periods → the
priors speak.
"""

from dataclasses import dataclass

import numpy as np

from kizuki.judge.case_table import CaseTable, Floats, Ints

_SPREADS = (0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.45)
_POINTS = 241
_DRAWS = 20_000
_REPLICATES = 120
_GAP_PRIOR = (0.0, 0.12)
_WIDE = 0.12
"""Extra sd where there is no earlier period to roll from: what drift does there was never seen."""
_LOW, _HIGH = 0.05, 0.95


@dataclass(frozen=True, slots=True)
class Moves:
    """What is believed of a level before looking: sd of the yearly walk and of the shocks, and how wide its grid must be."""

    walk: float
    shock: float
    reach: float


_BASE = Moves(0.25, 0.15, 2.0)
_RECALL = Moves(0.06, 0.10, 4.0)


@dataclass(frozen=True, slots=True)
class Reach:
    """One period at capacity: rows looked at, cases among them (ties shared out), all cases; and the same when
    rolled, if it was.
    """

    rows: float
    looked: float
    found: float
    cases: float
    rolled: float | None


@dataclass(frozen=True, slots=True)
class Promise:
    """The figures `judge learn` prints; None where the past says nothing."""

    n: int
    precision: float
    recall: float
    precision_interval: tuple[float, float]
    recall_interval: tuple[float, float]
    periods: int
    ties: dict[str, float]


def promise(cases: CaseTable, crossed: Floats, rolled: Floats, *, capacity: int, rows_next: int, seed: int) -> Promise:
    """The promise from out-of-sample scores; `rows_next` is how many children the next period is expected to have."""
    rng = np.random.default_rng(seed)
    used = [t for t in range(len(cases.periods)) if (~np.isnan(crossed[cases.period == t])).any()]
    share = min(1.0, capacity / max(rows_next, 1))
    reached, spread = [], []
    for t in used:
        rows = np.flatnonzero((cases.period == t) & ~np.isnan(crossed))
        reached.append(_reach(cases, rows, crossed, rolled, share))
        spread.append(_replicated(cases, rows, (crossed, rolled), share, rng))
    n = min(capacity, rows_next)
    wide = [_design_effect(reached, spread, kind) for kind in (0, 1)]
    base = _next_level([(r.cases, r.rows) for r in reached], wide[0], _BASE, rng)
    reach = _next_level([(r.found, r.cases) for r in reached], wide[1], _RECALL, rng)
    mean, spread_out = _gap(reached, spread)
    reach = reach + mean + spread_out * rng.normal(size=_DRAWS)
    many = np.maximum(_realised(base, np.full(_DRAWS, rows_next), wide[0], rng), 1)
    found = np.minimum(_realised(reach, many, wide[1], rng), n)
    last = np.flatnonzero((cases.period == used[-1]) & ~np.isnan(crossed))
    expected = _chance(reach) * _chance(base) * rows_next / n
    return Promise(
        n=n,
        precision=float(np.minimum(expected, 1.0).mean()),
        recall=float(_chance(reach).mean()),
        precision_interval=_interval(found / n),
        recall_interval=_interval(found / many),
        periods=len(used),
        ties=tied(crossed[last], cases.label[last], max(1, round(share * len(last)))),
    )


def tied(score: Floats, label: Floats, n: int) -> dict[str, float]:
    """Cases among the first n when equal scores are ordered for the worst, by chance, or for the best."""
    n = min(n, len(score))
    cut = -np.partition(-score, n - 1)[n - 1]
    above, at = score > cut, score == cut
    places = n - int(above.sum())
    sure, some, many = float(label[above].sum()), float(label[at].sum()), int(at.sum())
    return {
        "worst": sure + max(0.0, places - (many - some)),
        "expected": sure + some * places / many,
        "best": sure + min(some, float(places)),
        "above": float(above.sum()),
        "tied": float(many),
    }


def _reach(cases: CaseTable, rows: Ints, crossed: Floats, rolled: Floats, share: float) -> Reach:
    label = cases.label[rows]
    n = max(1, round(share * len(rows)))
    found = tied(crossed[rows], label, n)["expected"]
    seen = None if np.isnan(rolled[rows]).any() else tied(rolled[rows], label, n)["expected"]
    return Reach(len(rows), n, found, float(label.sum()), seen)


def _replicated(cases: CaseTable, rows: Ints, scores: tuple[Floats, Floats], share: float, rng: np.random.Generator) -> Floats:
    """Household bootstrap of one period: replicates × (base rate, recall, logit gap of recall when rolled)."""
    clusters, place = np.unique(cases.household[rows], return_inverse=True)
    label = cases.label[rows]
    orders = [None if np.isnan(s[rows]).any() else np.argsort(-s[rows], kind="stable") for s in scores]
    out = np.full((_REPLICATES, 3), np.nan)
    for b in range(_REPLICATES):
        weight = np.bincount(rng.integers(0, len(clusters), len(clusters)), minlength=len(clusters))[place].astype(float)
        total = weight.sum()
        cases_here = float((weight * label).sum())
        found = [None if o is None else _weighted_found(weight[o], label[o], share * total) for o in orders]
        if found[0] is None or not cases_here:
            continue
        out[b, :2] = cases_here / total, found[0] / cases_here
        if found[1] is not None:
            out[b, 2] = _logit(found[1], cases_here) - _logit(found[0], cases_here)
    return out


def _weighted_found(weight: Floats, label: Floats, looked: float) -> float:
    filled = np.cumsum(weight)
    last = int(np.searchsorted(filled, looked))
    found = float((weight[:last] * label[:last]).sum())
    if last < len(weight):
        found += (looked - (filled[last - 1] if last else 0.0)) * float(label[last])
    return found


def _logit(found: float, of: float) -> float:
    return float(np.log((found + 0.5) / (max(of - found, 0.0) + 0.5)))


def _chance(level: Floats) -> Floats:
    return 1 / (1 + np.exp(-level))


def _design_effect(reached: list[Reach], spread: list[Floats], kind: int) -> float:
    """How much wider than binomial the bootstrap is, over all periods; households cannot make it narrower."""
    seen = expected = 0.0
    for r, replicates in zip(reached, spread, strict=True):
        hit, of = (r.cases, r.rows) if kind == 0 else (r.found, r.cases)
        share = (hit + 0.5) / (of + 1.0)
        if of >= 1 and 0 < share < 1 and not np.isnan(replicates[:, kind]).all():
            seen += float(np.nanvar(replicates[:, kind])) * of * of
            expected += share * (1 - share) * of
    return float(np.clip(seen / expected, 1.0, 3.0)) if expected else 1.0


def _gap(reached: list[Reach], spread: list[Floats]) -> tuple[float, float]:
    """Mean and sd of the recall lost between fitting the past and meeting the future, on the logit scale.

    Only the later half of the rolled periods counts: earlier ones were trained on much less than the table that will be used.
    """
    rolled = [k for k, r in enumerate(reached) if r.rolled is not None]
    late = rolled[len(rolled) // 2 :]
    mean, precision = _GAP_PRIOR[0], 1 / _GAP_PRIOR[1] ** 2
    total = mean * precision
    for k in late:
        r = reached[k]
        assert r.rolled is not None
        weight = 1 / (float(np.nanvar(spread[k][:, 2])) + 0.05**2)
        total += weight * (_logit(r.rolled, r.cases) - _logit(r.found, r.cases))
        precision += weight
    spread_out = np.sqrt(1 / precision + (0.0 if late else _WIDE**2))
    return float(total / precision), float(spread_out)


def _next_level(counts: list[tuple[float, float]], design: float, moves: Moves, rng: np.random.Generator) -> Floats:
    """Draws of the next period's level from (found, of) of the periods so far."""
    found, of = sum(f for f, _ in counts), sum(o for _, o in counts)
    grid = _logit(found, of) + np.linspace(-moves.reach, moves.reach, _POINTS)
    chance = _chance(grid)
    known = [_scaled(f / design * np.log(chance) + max(o - f, 0.0) / design * np.log1p(-chance)) for f, o in counts]
    kernels = {s: _kernel(grid, s) for s in _SPREADS}
    mass, evidence = [], []
    for walk in _SPREADS:
        for shock in _SPREADS:
            state, log = np.full(_POINTS, 1 / _POINTS), 0.0
            for seen in known:
                state = (kernels[walk] @ state) * (kernels[shock] @ seen)
                log += float(np.log(max(state.sum(), 1e-300)))
                state = state / max(state.sum(), 1e-300)
            evidence.append(log - 0.5 * ((walk / moves.walk) ** 2 + (shock / moves.shock) ** 2))
            mass.append(kernels[shock] @ (kernels[walk] @ state))
    weight = np.exp(np.array(evidence) - max(evidence))
    mixed = np.asarray(weight @ np.array(mass))
    step = grid[1] - grid[0]
    drawn = rng.choice(grid, _DRAWS, p=mixed / mixed.sum())
    return np.asarray(drawn + rng.uniform(-step / 2, step / 2, _DRAWS))


def _scaled(log: Floats) -> Floats:
    return np.asarray(np.exp(log - log.max()))


def _kernel(grid: Floats, spread: float) -> Floats:
    if spread == 0.0:
        return np.eye(len(grid))
    away = np.exp(-0.5 * ((grid[:, None] - grid[None, :]) / spread) ** 2)
    return np.asarray(away / away.sum(axis=0, keepdims=True))


def _realised(level: Floats, of: Floats, design: float, rng: np.random.Generator) -> Floats:
    """Draws of the count that will be found: beta-binomial with the households' overdispersion."""
    chance = np.clip(_chance(level), 1e-9, 1 - 1e-9)
    if design > 1:
        size = np.maximum(of - 1, 1) / (design - 1) - 1
        size = np.maximum(size, 0.5)
        chance = np.clip(rng.beta(chance * size, (1 - chance) * size), 0.0, 1.0)
    return np.asarray(rng.binomial(of.astype(np.int64), chance))


def _interval(drawn: Floats) -> tuple[float, float]:
    return float(np.quantile(drawn, _LOW, method="lower")), float(np.quantile(drawn, _HIGH, method="higher"))
