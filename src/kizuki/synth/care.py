"""Childcare, after-school care, disability and long-term care: who uses what, month by month or spell by spell."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from kizuki.synth.calendar import NEVER, YEAR, as_date, day, fiscal_year, grade_in, month_start
from kizuki.synth.city import City
from kizuki.synth.draws import logistic, pick
from kizuki.synth.places import KINDERGARTENS, NURSERIES
from kizuki.synth.population import CHILD, FAMILY, GRANDPARENT, HEAD, PARTNER

Array = npt.NDArray[Any]

_CARE_LEVELS = np.array([11, 12, 13, 21, 22, 23, 24, 25])


@dataclass
class Places:
    """Childcare places: one row per child with the day the place began and ended."""

    person: Array
    started_on: Array
    ended_on: Array
    facility: Array
    kindergarten: Array
    short_hours: Array


def childcare_places(city: City) -> Places:
    """Who goes to nursery or kindergarten, from which April."""
    rng = city.streams.of("childcare places")
    people, u = city.people, city.people.unit
    school_from = np.array([day(y, 4, 1) for y in range(1900, 2080)])[fiscal_year(people.birth - 1) + 7 - 1900]
    small = (
        (people.role == CHILD)
        & (city.units.kind[u] == FAMILY)
        & (school_from > city.window.start)
        & (people.birth < city.window.today - 150)
    )
    person = np.flatnonzero(small)
    n = len(person)
    age_in = pick(rng, np.array([0.17, 0.26, 0.10, 0.42, 0.05]), n)
    kindergarten = (age_in >= 3) & (rng.random(n) < 0.55) & (city.units.single[u[person]] == 0)
    april = np.array([day(y, 4, 1) for y in range(1900, 2080)])[fiscal_year(people.birth[person] - 1) + age_in + 1 - 1900]
    april = np.where((age_in == 0) & (people.birth[person] > april - 120), april + 150, april)
    start = np.maximum(april, people.enter[person] + 40)
    end = np.minimum(school_from[person], people.leave[person])
    withdrawn = rng.random(n) < logistic(-4.6 + 0.9 * city.latent.stress[u[person]])
    end = np.where(withdrawn, np.minimum(end, start + rng.integers(100, 900, n)), end)
    ok = (start < end - 20) & (rng.random(n) < 0.93)
    town = city.register.addresses.town[city.address_row(person, start)]
    facility = np.where(
        kindergarten, len(NURSERIES) + town % len(KINDERGARTENS), (town * 2 + rng.integers(0, 4, n)) % len(NURSERIES)
    )
    return Places(person[ok], start[ok], end[ok], facility[ok], kindergarten[ok], rng.random(n)[ok] < 0.24)


@dataclass
class CareMonth:
    """One child at nursery or kindergarten in one month."""

    person: Array
    place: Array
    certification: Array  # 0: 1号, 1: 2号, 2: 3号
    fee_class: Array  # 0 生活保護 … 7
    arrears: Array
    absent: Array  # −1 not entered


def childcare_month(city: City, places: Places, month: int) -> CareMonth:
    """Rows of the month beginning on the given day."""
    d = as_date(month)
    rng = city.streams.of(f"childcare {d:%Y%m}")
    end = int(month_start(np.array([(d.year - 1970) * 12 + d.month]))[0])
    rows = np.flatnonzero((places.started_on < end) & (places.ended_on > month))
    person = places.person[rows]
    unit = city.people.unit[person]
    fiscal = int(fiscal_year(np.array([month]))[0])
    certification = np.where(places.kindergarten[rows], 0, np.where(grade_in(city.people.birth[person], fiscal) >= -2, 1, 2))
    column = city.taxes.column(fiscal)
    fee = _fee_class(city, unit, column)
    owes = _arrears(city, unit, month, share=0.019)
    absent = rng.poisson(
        1.2 * np.exp(0.35 * city.latent.stress[unit] + 0.7 * (city.latent.abused_since[person] <= month + 300))
    )
    absent = np.where(places.facility[rows] % 6 == 5, -1, np.minimum(absent, 18))
    return CareMonth(person, rows, certification, fee, owes, absent)


def _fee_class(city: City, unit: Array, column: int) -> Array:
    earners = np.isin(city.people.role, (HEAD, PARTNER))
    total = np.bincount(city.people.unit[earners], weights=city.taxes.income[earners, column], minlength=len(city.units))
    return np.searchsorted([500_000, 1_500_000, 2_500_000, 3_600_000, 5_000_000, 7_000_000], total[unit]) + 1


def _arrears(city: City, unit: Array, month: int, share: float) -> Array:
    """Months owed: households that pay late drift in and out; poverty makes it three times as likely."""
    trait = (np.sin(unit * 12.9898) * 43758.5453) % 1.0
    wave = (np.floor(month / 420) * 0.37 + trait * 7) % 1.0
    chance = share * np.exp(
        0.9 * city.units.hardship[unit] + 1.3 * city.latent.poor_on(unit, month) + 3.0 * city.latent.poor_soon(unit, month)
    )
    return np.where(wave < chance, 1 + (trait * 977 % 6).astype(np.int64), 0)


@dataclass
class AfterSchool:
    """One registration number of one child at an after-school club; `clerk` marks a second number for the same child."""

    use_no: Array
    person: Array
    registered_on: Array
    started_on: Array
    ended_on: Array
    facility: Array
    reduction: Array
    clerk: Array


def after_school(city: City) -> AfterSchool:
    """Registrations of the window; one child in sixty was registered twice under two numbers."""
    rng = city.streams.of("after school")
    people, u = city.people, city.people.unit
    april = np.array([day(y, 4, 1) for y in range(1900, 2080)])
    school_from = april[fiscal_year(people.birth - 1) + 7 - 1900]
    years = pick(rng, np.array([0.30, 0.16, 0.30, 0.14, 0.06, 0.04]), len(people)) + 1
    joins = rng.random(len(people)) < np.where(city.units.single[u] > 0, 0.48, 0.30)
    start = np.maximum(school_from, people.enter + 20)
    end = np.minimum(april[np.clip(fiscal_year(school_from) + years - 1900, 0, 179)], people.leave)
    uses = (
        (people.role == CHILD)
        & joins
        & (city.units.kind[u] == FAMILY)
        & (start < end - 25)
        & (end > city.window.start)
        & (start <= city.window.today)
    )
    person = np.flatnonzero(uses)
    again = person[rng.random(len(person)) < 1 / 60]
    again = person[-1:] if not len(again) else again
    everyone = np.concatenate([person, again])
    clerk = np.arange(len(everyone)) >= len(person)
    begins = start[everyone] + np.where(clerk, 120, 0)
    keep = begins < end[everyone] - 5
    everyone, clerk, begins = everyone[keep], clerk[keep], begins[keep]
    town = city.register.addresses.town[city.address_row(everyone, begins)]
    assisted = city.assistance.on(people.unit[everyone], begins) | (
        city.latent.poor_on(people.unit[everyone], begins) & (rng.random(len(everyone)) < 0.5)
    )
    number = 20_000 + rng.permutation(len(everyone))
    return AfterSchool(number, everyone, begins, begins, end[everyone], town % len(city.schools.elementary), assisted, clerk)


def after_school_arrears(city: City, rows: AfterSchool, month: int) -> Array:
    """Months owed to the after-school clubs in a month."""
    return _arrears(city, city.people.unit[rows.person], month + 100, share=0.016)


@dataclass
class Disability:
    """One handbook or service of one person. `handbook` 0 身体, 1 療育, 2 精神, 3 none."""

    person: Array
    handbook: Array
    level: Array
    issued_on: Array
    service: Array  # position in the list of services, −1
    child_day_service: Array


def disability(city: City) -> Disability:
    """Holders of handbooks and children in day services."""
    rng = city.streams.of("disability")
    people, today = city.people, city.window.today
    n, age = len(people), people.age_on(today)
    share = np.interp(age, (0, 18, 40, 65, 80, 100), (0.004, 0.010, 0.022, 0.055, 0.1, 0.15))
    mental_strain = np.isin(people.role, (HEAD, PARTNER)) & (city.units.kind[people.unit] == FAMILY)
    mental = rng.random(n) < 0.012 * np.exp(0.8 * city.latent.stress[people.unit] * mental_strain) * ((age > 18) & (age < 75))
    delayed = city.latent.delayed
    learning = (delayed & (rng.random(n) < 0.14)) | (rng.random(n) < 0.004)
    body = rng.random(n) < share
    handbook = np.select([learning, mental, body], [1, 2, 0], 3)
    day_service = delayed & (age < 18) & (rng.random(n) < 0.42)
    rows = np.flatnonzero(((handbook < 3) | day_service) & (people.leave > city.window.start))
    level = rng.integers(0, 6, n)
    issued = np.maximum(
        people.birth + 700, today - (rng.random(n) * np.minimum(15, np.maximum(1, age - 1)) * YEAR).astype(np.int64)
    )
    service = np.where(rng.random(n) < 0.3, rng.integers(0, 4, n), -1)
    return Disability(
        rows, handbook[rows], level[rows], issued[rows], np.where(day_service, 4, service)[rows], day_service[rows]
    )


@dataclass
class LongTermCare:
    """One certification of one insured person."""

    person: Array
    insured_no: Array
    level: Array
    service: Array
    certified_from: Array
    certified_until: Array


def long_term_care(city: City) -> LongTermCare:
    """Certified old people; some of them live in a child's household and have no service in use."""
    rng = city.streams.of("long-term care")
    people, today = city.people, city.window.today
    age = people.age_on(today)
    share = np.interp(age, (64, 65, 75, 80, 85, 90, 100), (0, 0.02, 0.09, 0.2, 0.42, 0.66, 0.9))
    person = np.flatnonzero((rng.random(len(people)) < share) & (people.leave > city.window.start))
    person = np.union1d(person, np.flatnonzero((people.role == GRANDPARENT) & (people.leave == NEVER))[:1])
    n = len(person)
    level = _CARE_LEVELS[pick(rng, np.array([0.0, 0.14, 0.14, 0.21, 0.17, 0.13, 0.12, 0.09]), n)]
    first = np.maximum(today - (rng.random(n) * 11 * YEAR).astype(np.int64), people.enter[person] + 10)
    blocks = []
    for k in range(6):  # certified before the window as well: the first file already holds the whole stock
        begins = first + k * 730
        ok = (begins < today) & (begins < people.leave[person]) & (begins + 730 > city.window.start)
        worse = _CARE_LEVELS[np.minimum(7, np.searchsorted(_CARE_LEVELS, level) + k // 2)]
        service = np.where(rng.random(n) < 0.78, rng.integers(0, 4, n), -1)
        blocks.append([v[ok] for v in (person, person + 300_000, worse, service, begins, begins + 729)])
    return LongTermCare(*(np.concatenate(c) for c in zip(*blocks, strict=True)))
