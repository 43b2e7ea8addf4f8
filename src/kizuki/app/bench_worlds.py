"""Simulated past cases with a known truth, for measuring what `judge learn` promises (never for teaching it).

Children live in households that share an unseen burden; items persist from period to period; the base rate and the
weights drift; blanks come with moving in and by chance. What the learner sees is a `CaseTable`; the true probability
stays beside it.
"""

from dataclasses import dataclass

import numpy as np

from kizuki.judge.case_table import CaseTable, Floats, Ints, ItemColumn, category_item, number_item


@dataclass(frozen=True, slots=True)
class WorldShape:
    """How large and how unruly a world is; drift and burden are standard deviations in log-odds."""

    children: int = 8000
    periods: int = 5
    items: int = 40
    base_rate: float = 0.015
    base_drift: float = 0.10
    weight_drift: float = 0.15
    burden: float = 0.4
    strength: float = 1.0


@dataclass(frozen=True, slots=True)
class World:
    """All periods, the last of which is the future; `chance` is the true probability and `staff` the points staff
    would give.
    """

    cases: CaseTable
    chance: Floats
    staff: Floats
    directions: dict[str, int]

    @property
    def last(self) -> int:
        """The period that has not happened yet."""
        return len(self.cases.periods) - 1


def make_world(shape: WorldShape, seed: int) -> World:
    """One world; the same seed gives the same world."""
    rng = np.random.default_rng(seed)
    household, burden = _households(shape, rng)
    weights = _weights(shape, rng)
    latent = rng.normal(size=(shape.children, shape.items))
    new = np.zeros(shape.children, dtype=bool)
    parts = []
    level = 0.0
    drifting = weights.copy()
    believed = _believed(weights, rng)
    centre = None
    for period in range(shape.periods + 1):
        latent, new = _ageing(latent, rng)
        level += rng.normal(0, shape.base_drift)
        drifting = drifting + rng.normal(0, shape.weight_drift / 2, shape.items) * (weights != 0)
        values = _values(latent)
        signal = shape.strength * (_signal(values) @ drifting) + burden
        centre = _centred(signal, shape.base_rate) if centre is None else centre
        chance = 1 / (1 + np.exp(-(centre + level + signal)))
        label = (rng.random(shape.children) < chance).astype(float)
        blank = (rng.random(values.shape) < 0.04) | (new[:, None] & (rng.random(values.shape) < 0.6))
        staff = np.where(blank, 0.0, _signal(values)) @ believed
        parts.append((np.where(blank, np.nan, values), label, chance, staff, np.full(shape.children, period)))
    return _assembled(parts, household, weights, rng)


def _households(shape: WorldShape, rng: np.random.Generator) -> tuple[Ints, Floats]:
    household = np.sort(rng.integers(0, int(shape.children / 1.7), shape.children))
    shared = rng.normal(0, shape.burden, int(shape.children / 1.7))
    return household, shared[household]


def _weights(shape: WorldShape, rng: np.random.Generator) -> Floats:
    """A few strong items, some middling, and more than half that say nothing."""
    weights = np.zeros(shape.items)
    strong, middling = max(2, shape.items // 10), max(3, shape.items // 4)
    weights[:strong] = rng.uniform(0.5, 1.0, strong)
    weights[strong : strong + middling] = rng.uniform(0.1, 0.4, middling)
    weights[strong] *= -1
    return np.asarray(weights[rng.permutation(shape.items)])


def _believed(weights: Floats, rng: np.random.Generator) -> Floats:
    """Staff points: whole numbers near the truth for the strong items, and no more than half of the others noticed."""
    noticed = (np.abs(weights) >= 0.5) | (rng.random(len(weights)) < 0.5)
    points = np.round(weights * 3 * np.exp(rng.normal(0, 0.4, len(weights))))
    return np.asarray(np.where(noticed, np.clip(points, -2, 5), 0.0))


def _ageing(latent: Floats, rng: np.random.Generator) -> tuple[Floats, np.ndarray]:
    """Most of what is true of a child stays true; one in twelve is somebody who has just moved in."""
    new = rng.random(len(latent)) < 1 / 12
    kept = 0.85 * latent + np.sqrt(1 - 0.85**2) * rng.normal(size=latent.shape)
    return np.where(new[:, None], rng.normal(size=latent.shape), kept), new


def _values(latent: Floats) -> Floats:
    """By column in turn: a rare yes, a common yes, a count, a measure, a category of five."""
    out = np.empty_like(latent)
    for k in range(latent.shape[1]):
        x = latent[:, k]
        match k % 5:
            case 0:
                out[:, k] = x > 1.6
            case 1:
                out[:, k] = x > 0.6
            case 2:
                out[:, k] = np.floor(np.exp(np.clip(1.2 * x - 0.8, -5, 4)))
            case 3:
                out[:, k] = np.round(50 + 12 * x, 1)
            case _:
                out[:, k] = np.digitize(x, (-1.0, -0.2, 0.5, 1.3))
    return out


def _signal(values: Floats) -> Floats:
    """What each value does to the log-odds per unit of weight: linear, saturating, or with a threshold."""
    out = np.empty_like(values)
    for k in range(values.shape[1]):
        x = values[:, k]
        match k % 5:
            case 0:
                out[:, k] = 1.8 * x
            case 1:
                out[:, k] = x
            case 2:
                out[:, k] = np.log1p(x)
            case 3:
                out[:, k] = np.maximum(x - 55, 0) / 8
            case _:
                out[:, k] = np.array([0.0, 0.3, 1.2, 0.2, 0.9])[x.astype(int)]
    return out


def _centred(signal: Floats, rate: float) -> float:
    """The intercept that gives the base rate."""
    low, high = -15.0, 5.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if (1 / (1 + np.exp(-(middle + signal)))).mean() < rate else (low, middle)
    return low


def _assembled(
    parts: list[tuple[Floats, Floats, Floats, Floats, Ints]], household: Ints, weights: Floats, rng: np.random.Generator
) -> World:
    values, label, chance, staff, period = (np.concatenate([p[k] for p in parts]) for k in range(5))
    columns: list[ItemColumn] = []
    directions = {}
    for k in range(values.shape[1]):
        name = f"item_{k:02d}"
        if k % 5 == 4:
            words = [None if np.isnan(v) else f"区分{int(v)}" for v in values[:, k]]
            columns.append(category_item(name, words))
        else:
            columns.append(number_item(name, values[:, k]))
            if weights[k] and rng.random() < 0.7:
                directions[name] = 1 if weights[k] > 0 else -1
    names = tuple(f"{2019 + t}-04-01" for t in range(len(parts)))
    table = CaseTable(tuple(columns), label, period.astype(np.int64), names, np.tile(household, len(parts)))
    return World(table, chance, np.round(staff.astype(float)), directions)  # staff give whole points
