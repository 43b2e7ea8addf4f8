"""Pupils of a fiscal year and their months at school."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from kizuki.synth.calendar import as_date, day, grade_in, month_start
from kizuki.synth.city import City
from kizuki.synth.population import CHILD

Array = npt.NDArray[Any]

SCHOOL_DAYS = {4: 16, 5: 20, 6: 21, 7: 13, 9: 20, 10: 21, 11: 19, 12: 16, 1: 15, 2: 18, 3: 15}
_CLASS_SIZE = 33


@dataclass
class Pupils:
    """Children on the school register of one fiscal year: one row per child."""

    fiscal: int
    person: Array
    grade: Array
    school: Array  # position in City.schools; the last one is outside the city's schools
    class_no: Array
    seat: Array
    class_type: Array  # 1 regular, 2 special needs, 3 通級

    @property
    def outside(self) -> Array:
        """Position that means a private or another city's school is the last one; see `Schools.names`."""
        out: Array = self.class_no == 0
        return out


def pupils_of(city: City, fiscal: int) -> Pupils:
    """Everyone of school age who lived in the city at some time of the fiscal year."""
    people = city.people
    rng = city.streams.of(f"pupils {fiscal}")
    opening, closing = day(fiscal, 4, 1), day(fiscal + 1, 3, 31)
    grade = grade_in(people.birth, fiscal)
    there = (
        (people.role == CHILD)
        & (grade >= 1)
        & (grade <= 9)
        & (people.enter <= min(closing, city.window.today))
        & (people.leave > opening)
    )
    person = np.flatnonzero(there)
    grade = grade[person]
    since = np.maximum(people.enter[person], opening)
    town = city.register.addresses.town[city.address_row(person, since)]
    school = city.schools.of(town, grade)
    trait = _trait(city)[person]
    outside = (trait[:, 0] < 0.055) & (grade >= 7)
    school = np.where(outside, len(city.schools.names) - 1, school)
    class_type = np.where(city.latent.delayed[person], np.select([trait[:, 1] < 0.42, trait[:, 1] < 0.70], [2, 3], 1), 1)
    order_in_year = rng.random(len(person))
    class_no, seat = _seats(school, grade, since > opening + 6, order_in_year, city.people.family[person])
    class_no = np.where(outside, 0, class_no)
    return Pupils(fiscal, person, grade, school, class_no, seat, class_type)


@lru_cache(maxsize=2)
def _traits(seed: int, size: int) -> Array:
    return np.random.default_rng([seed, 77]).random((size, 3))


def _trait(city: City) -> Array:
    return _traits(city.seed, len(city.people))


def _seats(school: Array, grade: Array, late: Array, chance: Array, family: Array) -> tuple[Array, Array]:
    """Classes of about 33 by lot, seats in the order of names; those who come later sit at the end."""
    group = school.astype(np.int64) * 10 + grade
    order = np.lexsort((chance, group))
    starts, position = _positions(group[order])
    size = np.bincount(starts, minlength=starts.max() + 1)[starts] if len(starts) else starts
    classes = np.maximum(1, -(-size // _CLASS_SIZE))
    class_no = np.empty(len(school), np.int64)
    class_no[order] = position % classes + 1
    room = group * 100 + class_no
    order = np.lexsort((family, late, room))
    seat = np.empty(len(school), np.int64)
    seat[order] = _positions(room[order])[1] + 1
    return class_no, seat


def _positions(sorted_groups: Array) -> tuple[Array, Array]:
    """Group ordinal and position within the group for sorted group keys."""
    if not len(sorted_groups):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    change = np.r_[True, sorted_groups[1:] != sorted_groups[:-1]]
    ordinal = np.cumsum(change) - 1
    first = np.flatnonzero(change)
    return ordinal, np.arange(len(sorted_groups)) - first[ordinal]


@dataclass
class Attendance:
    """One month of one pupil per row; −1 means the school did not enter the value."""

    pupils: Pupils
    rows: Array  # positions in `pupils`
    month: int  # first day of the month
    required: Array
    absent: Array
    late: Array
    early: Array
    nurse: Array
    bullying: Array
    separate: Array


def attendance_of(city: City, pupils: Pupils, month: int) -> Attendance:
    """Attendance of the month that begins on the given day (no rows in August)."""
    d = as_date(month)
    rng = city.streams.of(f"attendance {d:%Y%m}")
    end = int(month_start(np.array([(d.year - 1970) * 12 + d.month]))[0])
    person = pupils.person
    here = (city.people.enter[person] < end - 5) & (city.people.leave[person] > month + 5) & ~pupils.outside
    here &= ~city.people.away_on(person, month)
    rows = np.flatnonzero(here)
    person, grade = person[rows], pupils.grade[rows]
    required = np.full(len(rows), SCHOOL_DAYS[d.month])
    absent = _absences(city, rng, person, grade, month=month, required=required)
    frailty = city.latent.frailty[person]
    carer = city.latent.carer[person]
    late = np.minimum(rng.poisson(0.25 * np.exp(0.8 * frailty) * np.where(carer, 2.2, 1.0)), required - absent)
    early = np.minimum(rng.poisson(0.12 * np.exp(0.4 * frailty), len(rows)), required - absent)
    nurse = rng.poisson(0.22 * np.exp(0.7 * frailty), len(rows))
    school = pupils.school[rows]
    nurse = np.where(school % 4 == 3, -1, nurse)
    zeal = np.exp(0.9 * np.cos(school * 2.1))
    bullied = rng.random(len(rows)) < 0.0052 * zeal / 1.21 * np.exp(0.35 * frailty - 0.06) * np.where(grade <= 6, 1.15, 0.7)
    long_absent = city.latent.absent_since[person] <= month
    separate = np.where(long_absent & (rng.random(len(rows)) < 0.45), rng.binomial(np.maximum(required - absent, 0), 0.5), 0)
    separate = np.where(school % 5 == 4, -1, separate)
    return Attendance(pupils, rows, month, required, absent, late, early, nurse, bullied.astype(np.int64), separate)


def _absences(city: City, rng: np.random.Generator, person: Array, grade: Array, *, month: int, required: Array) -> Array:
    latent, unit = city.latent, city.people.unit[person]
    strain = (
        0.62 * latent.frailty[person]
        + 0.22 * city.units.hardship[unit]
        + 0.25 * latent.poor_on(unit, month)
        + 0.35 * (latent.abused_since[person] <= month)
        + 0.55 * latent.poor_soon(unit, month)
        + 0.80 * latent.abused_soon(person, month)
    )
    usual = rng.poisson(
        np.where(grade <= 6, 0.42, 0.55) * np.exp(strain) * (1.35 if as_date(month).month in (1, 2, 11, 12) else 0.9)
    )
    # Illness puts a few children in bed for weeks.
    usual = usual + (rng.random(len(person)) < 0.0060) * rng.integers(5, 18, len(person))
    onset = latent.absent_since[person]
    ahead = (onset - month) / 30.4
    creeping = (ahead > 0) & (ahead < 9)
    usual = usual + np.where(creeping, rng.poisson(np.clip(0.33 * (9.5 - ahead), 0, 2.6)), 0)
    strength = 0.15 + 0.6 * _trait(city)[person, 2]
    staying = rng.binomial(required, strength)
    return np.minimum(np.where(onset <= month, np.maximum(staying, usual), usual), required)


def school_months(city: City) -> list[int]:
    """First days of the school months whose data has arrived by today (as of the 5th of the next month; no August)."""
    first = int(np.datetime64(as_date(city.window.start), "M").astype(int))
    last = int(np.datetime64(city.today, "M").astype(int))
    starts = [int(s) for s in month_start(np.arange(first, last + 1))]
    return [s for s in starts if as_date(s).month != 8 and file_day(s) <= city.window.today]


def file_day(month: int) -> int:
    """The 5th of the month after."""
    d = as_date(month)
    return int(month_start(np.array([(d.year - 1970) * 12 + d.month]))[0]) + 4
