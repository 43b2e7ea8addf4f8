"""Incomes as the city's tax office knows them: yearly gross pay, 合計所得, tax class and dependants; and public assistance."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from kizuki.synth.calendar import NEVER, YEAR, Window, day, fiscal_year, grade_in, parts
from kizuki.synth.draws import Streams, logistic
from kizuki.synth.hardship import Latent
from kizuki.synth.population import CHILD, FAMILY, HEAD, LEFT_PARENT, MIDDLE, NEW_PARTNER, OLD, PARTNER, YOUNG, People, Units

Array = npt.NDArray[Any]

TAXED, EXEMPT, UNDECLARED, UNKNOWN_ARRIVAL = 1, 2, 3, 4


@dataclass
class Taxes:
    """Per person and fiscal year (columns follow `years`): incomes of the calendar year before, in yen."""

    years: tuple[int, ...]
    gross: Array
    income: Array
    tax_class: Array
    dependants: Array
    listed: Array  # whether the city's tax office has a row

    def column(self, fiscal: int) -> int:
        """Position of a fiscal year, the nearest one held."""
        return int(np.clip(fiscal - self.years[0], 0, len(self.years) - 1))


@dataclass
class Assistance:
    """Public assistance per unit: day numbers, `NEVER` when not."""

    started_on: Array
    ended_on: Array

    def on(self, units: Array, number: Array | int) -> Array:
        """Whether a household receives public assistance on a day."""
        return (self.started_on[units] <= number) & (self.ended_on[units] > number)


def salary_income(gross: Array) -> Array:
    """合計所得 of a salary: gross pay less 給与所得控除 (所得税法 28条, years 2020-2024)."""
    bands = [gross <= 1_625_000, gross <= 1_800_000, gross <= 3_600_000, gross <= 6_600_000, gross <= 8_500_000]
    cuts = [550_000 + 0 * gross, gross * 0.4 - 100_000, gross * 0.3 + 80_000, gross * 0.2 + 440_000, gross * 0.1 + 1_100_000]
    income: Array = np.maximum(0, gross - np.select(bands, cuts, 1_950_000)) // 1000 * 1000
    return income


def draw_assistance(units: Units, people: People, latent: Latent, *, streams: Streams, window: Window) -> Assistance:
    """Who receives public assistance from when: poor households, mothers alone and old people alone most."""
    rng = streams.of("assistance")
    n = len(units)
    mother = (units.kind == FAMILY) & (units.single == 1)
    # Mothers of infants cannot work yet, those of schoolchildren mostly do.
    settled = np.where(_has_pupil(units, people, window), -1.15, 0.55)
    base = np.select(
        [mother, units.kind == FAMILY, units.kind == OLD, units.kind == MIDDLE, units.kind == YOUNG],
        [-3.15 + settled, -7.9, -3.45, -3.6, -5.3],
        -5.2,
    )
    poor = latent.poor_since < window.today
    receives = rng.random(n) < logistic(base + 0.9 * units.hardship + 1.5 * poor)
    earliest = np.maximum(units.enter, np.where(units.split_on < NEVER, units.split_on, -NEVER))
    onset = np.where(poor, np.maximum(latent.poor_since, earliest), earliest) + rng.integers(30, 500, n)
    long_since = np.maximum(earliest, window.start - (rng.random(n) * 9 * YEAR).astype(np.int64)) + 20
    start = np.where(rng.random(n) < 0.55, long_since, onset)
    span = window.today - window.start
    ends = rng.random(n) < 0.22
    end = np.where(ends, np.maximum(start + 200, window.start + rng.integers(30, span, n)), NEVER)
    end = np.minimum(end, np.where(units.exit < NEVER, units.exit, NEVER))
    end = np.where((units.joined_on < NEVER) & (units.kind == FAMILY), np.minimum(end, units.joined_on), end)
    valid = receives & (start < end) & (start < window.today)
    return Assistance(np.where(valid, start, NEVER), np.where(valid, end, NEVER))


def _has_pupil(units: Units, people: People, window: Window) -> Array:
    """Units with a child of school age today."""
    grade = grade_in(people.birth, int(fiscal_year(np.array([window.today]))[0]))
    out = np.zeros(len(units), bool)
    out[people.unit[(people.role == CHILD) & (grade >= 1) & (grade <= 9)]] = True
    return out


def draw_taxes(
    units: Units, people: People, latent: Latent, assistance: Assistance, *, streams: Streams, window: Window
) -> Taxes:
    """Five fiscal years of incomes for everyone who was an adult."""
    rng = streams.of("taxes")
    n, u = len(people), people.unit
    first = int(fiscal_year(np.array([window.start]))[0]) + 1
    years = tuple(range(first, int(fiscal_year(np.array([window.today]))[0]) + 1))
    shape = (n, len(years))
    gross, dependants = np.zeros(shape, np.int64), np.zeros(shape, np.int8)
    listed, classes, income = np.zeros(shape, bool), np.zeros(shape, np.int8), np.zeros(shape, np.int64)
    level = _level(rng, units, people)
    unheard = rng.random(n)
    for k, fiscal in enumerate(years):
        january = day(fiscal, 1, 1)
        age = (january - people.birth) / YEAR
        noise = rng.normal(0, 0.07, n)
        poor = latent.poor_on(u, january - 180)
        pay = np.exp(
            level
            + noise
            - 0.42 * poor
            - 0.25 * ((units.split_on[u] <= january) & (people.sex == 2) & (units.split_on[u] > january - 400))
        )
        pay = np.where(
            assistance.on(u, january) & (people.role != LEFT_PARENT), np.where(rng.random(n) < 0.6, 0, pay * 0.3), pay
        )
        pay = np.where((age >= 18) & (age < 70) & _works(units, people, age, january), pay, 0)
        gross[:, k] = pay.clip(0, 20e6)
        pension = np.where(age >= 65, np.exp(level) * 0.20, 0).clip(0, 1_900_000)
        income[:, k] = salary_income(gross[:, k].astype(float)) + pension // 1000 * 1000
        dependants[:, k] = _dependants(units, people, january)
        here = (people.enter <= january) & (people.leave > january) & (age >= 18)
        arrived = (people.enter > january) & (people.enter <= january + 165) & (age >= 18)
        listed[:, k] = here | (arrived & (unheard < 0.5))
        classes[:, k] = _tax_class(units, people, income[:, k], dependants[:, k], january=january)
        silent = (gross[:, k] == 0) & (unheard > 0.93) & (age < 75)
        classes[:, k] = np.where(arrived, UNKNOWN_ARRIVAL, np.where(silent, UNDECLARED, classes[:, k]))
    return Taxes(years, gross, income, classes, dependants, listed)


def _level(rng: np.random.Generator, units: Units, people: People) -> Array:
    """Log of yearly pay: by sex and role, less for hardship."""
    u, role = people.unit, people.role
    mother_alone = (units.single[u] == 1) & (role == HEAD)
    level: Array = np.asarray(np.where(people.sex == 1, np.log(6_500_000.0), np.log(2_150_000.0)))
    level = np.where((people.sex == 2) & ((role != PARTNER) | (units.kind[u] != FAMILY)), np.log(2_900_000.0), level)
    level = np.where(mother_alone, np.log(3_250_000.0), level)
    return level - 0.35 * units.hardship[u] + rng.normal(0, 0.18, len(people))


def _works(units: Units, people: People, age: Array, january: int) -> Array:
    """A stable trait: who is at work in a year. Mothers of small children in couples pause more often."""
    u = people.unit
    trait = ((people.birth * 7919 + u * 104_729) % 1000) / 1000
    wife = (people.role == PARTNER) & (units.kind[u] == FAMILY) & (units.joined_on[u] > january)
    share = np.select([people.role == CHILD, wife, people.sex == 1, age >= 60], [0.78, 0.74, 0.955, 0.55], 0.88)
    works: Array = trait < np.where(age >= 65, share * 0.35, share)
    return works


def _dependants(units: Units, people: People, january: int) -> Array:
    """Children under 23 in the household, counted to the main earner."""
    young = (people.role == CHILD) & (people.birth > january - 23 * YEAR) & (people.enter <= january) & (people.leave > january)
    count = np.bincount(people.unit[young], minlength=len(units))
    # While both parents are there the father declares the children; a parent who left declares none.
    apart = units.split_on <= january
    main = ((people.role == HEAD) & ((units.single == 0) | apart | (units.split_on == NEVER))[people.unit]) | (
        (people.role == LEFT_PARENT) & ~apart[people.unit] & (people.sex == 1)
    )
    main |= (people.role == NEW_PARTNER) & (people.enter <= january) & (units.joined_on[people.unit] <= january)
    main |= (people.role == PARTNER) & (units.joined_on[people.unit] > january) & (units.joined_on[people.unit] < NEVER)
    return np.where(main, count[people.unit], 0).clip(0, 9)


def _tax_class(units: Units, people: People, income: Array, dependants: Array, *, january: int) -> Array:
    """住民税非課税: 45万円, 35万円x(n+1)+31万円 with dependants, 135万円 for single parents (地方税法 24条の5・295条)."""
    u = people.unit
    alone = (dependants > 0) & (units.single[u] > 0) & ((units.split_on[u] <= january) | (units.split_on[u] == NEVER))
    limit = np.where(dependants > 0, 350_000 * (dependants.astype(np.int64) + 1) + 310_000, 450_000)
    limit = np.where(alone, np.maximum(limit, 1_350_000), limit)
    limit = np.where(parts(people.birth)[0] < 1958, 1_500_000, limit)
    return np.where(income <= limit, EXEMPT, TAXED).astype(np.int8)
