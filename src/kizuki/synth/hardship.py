"""The latent side: who is in difficulty and since when, with the true yearly probability.

Nothing here is delivered to any stage. Offices see only traces (benefits, absences, check-ups, consultations) that the other
modules derive from it with noise. Onset is a yearly hazard; a difficulty, once begun, lasts.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from kizuki.synth.calendar import NEVER, YEAR, Window, fiscal_year, grade_in
from kizuki.synth.draws import Streams, intercept_for, logistic
from kizuki.synth.population import CHILD, FAMILY, People, Units

Array = npt.NDArray[Any]

DIFFICULTIES = ("貧困", "児童虐待", "不登校")

_GRADE_HAZARD = np.array([0.0, 0.0043, 0.0047, 0.0058, 0.0081, 0.0099, 0.0128, 0.0195, 0.0155, 0.0095])
"""Yearly onset of long absence by school grade (1-9), so that stage rates meet the national survey."""


@dataclass
class Latent:
    """True state per unit and per person. `*_since` are day numbers (`NEVER`: not within a year from today)."""

    poor_since: Array  # per unit
    poor_chance: Array  # per unit: yearly probability of onset
    abused_since: Array  # per person
    abuse_chance: Array
    absent_since: Array  # per person: long absence from school (不登校)
    absence_chance: Array
    stress: Array  # per unit: family stress
    frailty: Array  # per person: how easily the child stays away from school
    delayed: Array  # per person: developmental concern
    carer: Array  # per person: young carer
    abuser: Array  # per unit: 0 mother, 1 father, 2 other

    def poor_on(self, units: Array, days: Array | int) -> Array:
        """Whether a household is poor on a day."""
        return self.poor_since[units] <= days

    def poor_soon(self, units: Array, days: Array | int) -> Array:
        """Whether poverty begins within the year: bills are already left unpaid."""
        return (self.poor_since[units] > days) & (self.poor_since[units] <= days + 365)

    def abused_soon(self, persons: Array, days: Array | int) -> Array:
        """Whether harm to the child begins within the year: the strain at home already shows."""
        return (self.abused_since[persons] > days) & (self.abused_since[persons] <= days + 365)


def draw_latent(units: Units, people: People, streams: Streams, window: Window) -> Latent:
    """Latent truth of every household and child."""
    rng = streams.of("latent")
    n, u = len(people), people.unit
    child = (people.role == CHILD) & (units.kind[u] == FAMILY)
    stress = 0.45 * units.hardship + 0.89 * rng.standard_normal(len(units))
    frailty = 0.5 * rng.standard_normal(len(units))[u] + 0.87 * rng.standard_normal(n)
    poor_since, poor_chance = _poverty(rng, units, window)
    abused_since, abuse_chance = _abuse(rng, units, people, child, stress, window=window)
    abused_now = np.where(child, abused_since <= window.today, False)
    absent_since, absence_chance = _absence(
        rng, people, child, 0.85 * frailty + 0.25 * units.hardship[u] + 0.5 * abused_now, window=window
    )
    age = people.age_on(window.today)
    delayed = child & (
        rng.random(n) < np.where(age >= 12, 0.056, np.where(age >= 6, 0.104, 0.07)) * np.where(people.sex == 1, 1.35, 0.65)
    )
    carer_share = np.select([age < 9, age < 12, age < 15, age < 18], [0.02, 0.065, 0.057, 0.041], 0.0)
    pull = np.exp(0.5 * units.hardship[u] + 0.4 * (units.single[u] > 0) + 0.25 * (units.children[u] >= 3))
    carer = child & (rng.random(n) < np.minimum(0.9, carer_share * pull / np.mean(pull[child])))
    abuser = np.searchsorted([0.48, 0.906], rng.random(len(units)))
    return Latent(
        poor_since,
        poor_chance,
        abused_since,
        abuse_chance,
        absent_since,
        absence_chance,
        stress,
        frailty,
        delayed,
        carer,
        abuser,
    )


def _poverty(rng: np.random.Generator, units: Units, window: Window) -> tuple[Array, Array]:
    linear = 1.45 * units.hardship + 0.9 * (units.single > 0) + 0.3 * (units.children >= 3)
    family = units.kind == FAMILY
    chance = logistic(intercept_for(linear[family], 0.017) + linear)
    already = logistic(intercept_for(linear[family], 0.072) + linear)
    n = len(units)
    before = (window.start - rng.random(n) * 6 * YEAR).astype(np.int64)
    since = np.where(rng.random(n) < already, before, _onset(rng, chance, window))
    # A split takes an income away at once.
    after_split = (units.split_on < NEVER) & (rng.random(n) < logistic(-1.1 + units.hardship))
    since = np.where(after_split & (since > units.split_on), units.split_on + rng.integers(0, 120, n), since)
    return since, chance


def _onset(rng: np.random.Generator, chance: Array, window: Window) -> Array:
    """First day of a yearly hazard between the window's start and a year from today."""
    years = (window.today - window.start) / YEAR + 1
    wait = rng.exponential(1.0, len(chance)) / np.maximum(-np.log1p(-np.minimum(chance, 0.999)), 1e-9)
    return np.where(wait < years, window.start + (wait.clip(0, 20) * YEAR).astype(np.int64), NEVER)


def _abuse(
    rng: np.random.Generator, units: Units, people: People, child: Array, stress: Array, *, window: Window
) -> tuple[Array, Array]:
    remarried = units.joined_on < window.today
    linear = 1.3 * stress + 0.6 * units.young_mother + 0.6 * (units.single > 0) + 0.8 * remarried
    family = units.kind == FAMILY
    chance = logistic(intercept_for(linear[family], 0.0130) + linear)
    already = logistic(intercept_for(linear[family], 0.020) + linear)
    n = len(units)
    before = (window.start - rng.random(n) * 4 * YEAR).astype(np.int64)
    unit_since = np.where(rng.random(n) < already, before, _onset(rng, chance, window))
    u = people.unit
    touched = child & (rng.random(len(people)) < 0.72)
    since = np.where(touched, np.maximum(unit_since[u], people.birth), NEVER)
    since = np.where(unit_since[u] >= NEVER, NEVER, since)
    grown = since > people.birth + int(18 * YEAR)
    # a home where harm has begun without touching this child will not touch it later
    spared = ~touched & (unit_since[u] <= window.today)
    yearly = np.where(child & ~spared, 1 - (1 - chance[u]) ** 0.72, 0.0)
    return np.where(grown, NEVER, since), yearly


def _absence(rng: np.random.Generator, people: People, child: Array, linear: Array, *, window: Window) -> tuple[Array, Array]:
    """Onset by fiscal year of school; the year before the window's first year carries those already absent."""
    since = np.full(len(people), NEVER)
    first, last = (int(fiscal_year(np.array([d]))[0]) for d in (window.start, window.today + 365))
    spread = np.exp(1.5 * linear - 0.5 * np.var(1.5 * linear[child]))
    for fiscal in range(first - 5, last + 1):
        grade = grade_in(people.birth, fiscal)
        hazard = np.where(child, _GRADE_HAZARD[np.where((grade >= 1) & (grade <= 9), grade, 0)] * spread, 0).clip(0, 0.6)
        begins = (rng.random(len(people)) < hazard) & (since == NEVER)
        opening = int(np.datetime64(f"{fiscal}-04-05", "D").astype(int))
        since = np.where(begins, opening + rng.integers(0, 330, len(people)), since)
    since = np.where(since > window.today + 365, NEVER, since)
    ahead = grade_in(people.birth, int(fiscal_year(np.array([window.today]))[0]))
    chance = np.where(child, _GRADE_HAZARD[np.where((ahead >= 1) & (ahead <= 9), ahead, 0)] * spread, 0).clip(0, 0.6)
    return since, chance
