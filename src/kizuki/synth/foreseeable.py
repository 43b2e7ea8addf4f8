"""How far the coming year can be foreseen at all: the true yearly chance against the onsets that follow."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from kizuki.synth.calendar import fiscal_year, grade_in
from kizuki.synth.city import City
from kizuki.synth.population import CHILD, FAMILY

Array = npt.NDArray[Any]

AHEAD = 365


@dataclass(frozen=True, slots=True)
class Standing:
    """One difficulty over the children of 0-17 registered today: who, since when (`NEVER`), true chance of a year (0-1)."""

    child: Array
    since: Array
    chance: Array


def standings(city: City) -> dict[str, Standing]:
    """Every difficulty, in the order of `hardship.DIFFICULTIES`; 不登校 is asked of pupils only."""
    people, latent, today = city.people, city.latent, city.window.today
    minor = people.registered_on(today) & (people.role == CHILD) & (people.age_on(today) < 18)
    child = np.flatnonzero(minor & (city.units.kind[people.unit] == FAMILY))
    unit = people.unit[child]
    grade = grade_in(people.birth[child], int(fiscal_year(np.array([today]))[0]))
    pupil = child[(grade >= 1) & (grade <= 9)]
    return {
        "貧困": Standing(child, np.maximum(latent.poor_since[unit], people.birth[child]), latent.poor_chance[unit]),
        "児童虐待": Standing(child, latent.abused_since[child], latent.abuse_chance[child]),
        "不登校": Standing(pupil, latent.absent_since[pupil], latent.absence_chance[pupil]),
    }


def foreseen(city: City, difficulty: str) -> float:
    """AUC of the true chance among children not in difficulty today: the most any order can be expected to tell.

    Signs that come only shortly before an onset (a cry for help, unpaid bills) are not in the chance of a year: an order that
    sees them may do better.
    """
    of = standings(city)[difficulty]
    free = of.since > city.window.today
    begins = of.since[free] <= city.window.today + AHEAD
    values, place = np.unique(of.chance[free], return_inverse=True)
    counts = np.bincount(place, minlength=len(values))
    rank = (np.cumsum(counts) - (counts - 1) / 2)[place]
    yes = int(begins.sum())
    return float((rank[begins].sum() - yes * (yes + 1) / 2) / max(1, yes * (len(begins) - yes)))
