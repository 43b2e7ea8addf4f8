"""Family consultations and the council's register, children's cafeterias, community social work."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from kizuki.synth.calendar import NEVER, YEAR
from kizuki.synth.canaries import MET_BEFORE_TODAY
from kizuki.synth.city import City
from kizuki.synth.draws import pick
from kizuki.synth.population import CHILD, FAMILY, HEAD, LEFT_PARENT, OLD, PARTNER

Array = npt.NDArray[Any]

ROUTES = ("学校", "医療機関", "近隣", "警察", "家族", "保健センター", "児童相談所")
CATEGORIES = ("身体", "心理", "ネグレクト", "性的", "養護その他")
SEVERITIES = ("最重度", "重度", "中度", "軽度", "なし")
COUNCIL = ("要保護", "要支援", "特定妊婦", "なし")
PROTECT, ASSIST, EXPECTANT, NOT_LISTED = range(4)


@dataclass
class Consultations:
    """One row per consultation received; registration columns are filled on the first consultation of a registered case."""

    person: Array
    case_no: Array
    received_on: Array
    route: Array  # −1 not entered
    category: Array
    severity: Array  # −1 not entered
    council: Array
    registered_on: Array
    closed_on: Array


def consultations(city: City) -> Consultations:
    """Cases of the window: children in danger who were noticed, false alarms and other worries, expectant mothers."""
    rng = city.streams.of("consultations")
    people, window = city.people, city.window
    resident = (people.leave > window.start) & (people.enter < window.today - 20)
    child = np.flatnonzero(
        (people.role == CHILD) & (city.units.kind[people.unit] == FAMILY) & resident & (people.birth > window.start - 17 * 365)
    )
    noticed = _noticed(city, rng, child)
    worries = _worries(city, rng, child)
    expectant = _expectant(city, rng)
    rows = [np.concatenate(c) for c in zip(noticed, worries, expectant, strict=True)]
    person, day_, category, severity, council = rows
    here = (people.enter[person] <= day_) & (people.leave[person] > day_) & (day_ <= window.today - 4)
    here &= ~people.away_on(person, day_)
    here &= (people.age_on(window.today)[person] - (window.today - day_) / YEAR < 18) | (council == EXPECTANT)
    order = np.flatnonzero(here)
    order = order[np.lexsort((day_[order], person[order]))]
    person, day_, category, severity, council = (r[order] for r in (person, day_, category, severity, council))
    once = np.r_[True, (person[1:] != person[:-1]) | (day_[1:] != day_[:-1])]
    return _as_cases(city, rng, person[once], day_[once], category[once], severity=severity[once], council=council[once])


def _noticed(city: City, rng: np.random.Generator, child: Array) -> tuple[Array, ...]:
    """Half the children in danger are noticed within months, the rest about one in three a year; siblings on the same day."""
    since, unit = city.latent.abused_since[child], city.people.unit[child]
    struck = since < city.window.today - 30
    child, since, unit = child[struck], since[struck], unit[struck]
    soon = rng.random(len(city.units)) < 0.5
    wait = (rng.exponential(1.0, len(city.units)) * np.where(soon, 80, YEAR / 0.35)).astype(np.int64)
    first = np.maximum(since, city.window.start - 500) + wait[unit] + 15
    sibling_only = rng.random(len(child)) < 0.05
    blocks = []
    listed_by_unit = rng.random(len(city.units)) < 0.85
    kind = pick(rng, np.array([0.575, 0.247, 0.17, 0.008]), len(city.units))
    category = np.array([1, 0, 2, 3])[kind]
    degree = np.array([0, 1, 2, 3])[pick(rng, np.array([0.02, 0.09, 0.41, 0.48]), len(city.units))]
    for k in range(4):
        again = first + k * rng.integers(90, 420, len(city.units))[unit]
        ok = (
            (again <= city.window.today)
            & (again >= city.window.start)
            & ~sibling_only
            & ((k == 0) | (rng.random(len(city.units))[unit] < 0.22))
        )
        council = np.where(listed_by_unit[unit], np.where(degree[unit] <= 2, PROTECT, ASSIST), NOT_LISTED)
        blocks.append((child[ok], again[ok], category[unit][ok], degree[unit][ok], council[ok]))
    return tuple(np.concatenate(c) for c in zip(*blocks, strict=True))


def _worries(city: City, rng: np.random.Generator, child: Array) -> tuple[Array, ...]:
    """Reports that proved unfounded and other family worries, more often from strained homes."""
    unit = city.people.unit[child]
    yearly = 0.0075 * np.exp(1.2 * city.latent.stress[unit] + 0.25 * city.units.hardship[unit] - 0.75)
    years = (city.window.today - city.window.start) / YEAR
    struck = rng.random(len(child)) < 1 - np.exp(-yearly * years)
    days = city.window.start + rng.integers(5, city.window.today - city.window.start - 5, len(child))
    # Nearly half the families ask for help, or are reported, in the months before it comes to harm.
    since = city.latent.abused_since[child]
    asks = (rng.random(len(city.units))[unit] < 0.45) & (since < NEVER) & (since > city.window.start + 60)
    days = np.where(asks, np.maximum(city.window.start + 5, since - rng.integers(20, 320, len(child))), days)
    struck = (struck | asks) & (days < city.window.today)
    n, days = int(struck.sum()), days[struck]
    other = rng.random(n) < 0.5
    category = np.where(other, 4, np.array([1, 0, 2])[pick(rng, np.array([0.6, 0.24, 0.16]), n)])
    severity = np.where(other, -1, 4)
    council = np.where(other & (rng.random(n) < 0.36), ASSIST, NOT_LISTED)
    return child[struck], days, category, severity, council


def _expectant(city: City, rng: np.random.Generator) -> tuple[Array, ...]:
    """特定妊婦: young or strained expectant mothers."""
    people, units = city.people, city.units
    mothers = np.flatnonzero((people.sex == 2) & np.isin(people.role, (HEAD, PARTNER)) & (units.kind[people.unit] == FAMILY))
    youngest = np.full(len(units), -NEVER)
    kids = people.role == CHILD
    np.maximum.at(youngest, people.unit[kids], people.birth[kids])
    due = youngest[people.unit[mothers]]
    chance = (
        0.006 * np.exp(0.9 * city.latent.stress[people.unit[mothers]] - 0.4) + 0.12 * units.young_mother[people.unit[mothers]]
    )
    chosen = (rng.random(len(mothers)) < chance) & (due > city.window.start + 200)
    mothers, due = mothers[chosen], due[chosen]
    n = len(mothers)
    return mothers, due - rng.integers(40, 190, n), np.full(n, 4), np.full(n, -1), np.full(n, EXPECTANT)


def _as_cases(
    city: City, rng: np.random.Generator, person: Array, days: Array, category: Array, *, severity: Array, council: Array
) -> Consultations:
    first = np.r_[True, person[1:] != person[:-1]]
    n = len(person)
    length = rng.integers(330, 1150, n)
    # The council takes a child in at the first consultation that calls for it, be it not the child's first.
    wanted = np.flatnonzero(council != NOT_LISTED)
    listed = np.zeros(n, bool)
    listed[wanted[np.unique(person[wanted], return_index=True)[1]]] = True
    registered = np.where(listed, days + rng.integers(2, 25, n), NEVER)
    closed = np.where(listed, registered + length, NEVER)
    closed = np.minimum(closed, np.where(listed, city.people.leave[person] + 20, NEVER))
    registered = np.where(registered > city.window.today, NEVER, registered)
    closed = np.where((closed > city.window.today) | (registered == NEVER), NEVER, closed)
    # Later consultations of a listed case repeat its standing but carry no dates of their own.
    route = np.where(rng.random(n) < 0.02, -1, pick(rng, np.array([0.24, 0.06, 0.12, 0.30, 0.10, 0.10, 0.08]), n))
    severity = np.where(rng.random(n) < 0.04, -1, severity)
    ordinal = np.cumsum(first) - 1
    case_no = 5_000 + rng.permutation(int(first.sum()))[ordinal]
    return Consultations(
        person, case_no, days, route, category, severity, np.where(listed, council, NOT_LISTED), registered, closed
    )


@dataclass
class Visits:
    """One visit to a children's cafeteria; `person` −1 is a child from another city."""

    person: Array
    visited_on: Array
    facility: Array
    stranger: Array


def cafeteria_visits(city: City, facilities: int) -> Visits:
    """Regular guests come one to three times a month, others now and then; some live elsewhere."""
    rng = city.streams.of("cafeterias")
    people, window = city.people, city.window
    age = people.age_on(window.today)
    child = np.flatnonzero((people.role == CHILD) & (age >= 4) & (age < 21) & (people.leave > window.start))
    unit = people.unit[child]
    pull = 0.010 * np.exp(
        0.75 * city.units.hardship[unit]
        + 0.55 * city.latent.poor_on(unit, window.today + 365)
        + 0.35 * (city.units.single[unit] > 0)
        - 0.2
    )
    child = child[rng.random(len(child)) < pull.clip(0, 0.8)]
    begin = np.maximum(window.start - 900 + rng.integers(0, 2400, len(child)), people.birth[child] + int(4 * YEAR))
    until = np.minimum.reduce(
        [
            begin + rng.integers(120, 1500, len(child)),
            people.leave[child],
            people.birth[child] + int(18 * YEAR),
            np.full(len(child), window.today),
        ]
    )
    count = np.maximum(0, ((until - begin) / 30 * rng.choice([0.6, 1.0, 2.2], len(child), p=[0.5, 0.3, 0.2])).astype(np.int64))
    person = np.repeat(child, count)
    days = np.repeat(begin, count) + (rng.random(len(person)) * np.repeat(until - begin, count)).astype(np.int64)
    place = (people.unit[person] + rng.integers(0, 10, len(person)) // 9) % facilities
    days = days - (days + 3) % 7 + 5  # cafeterias open on Saturdays
    keep = (days >= window.start) & (days <= window.today - 2) & (people.enter[person] <= days) & (people.leave[person] > days)
    person, days, place = person[keep], days[keep], place[keep]
    marked = np.array(sorted(city.canaries.note), np.int64)
    person = np.concatenate([person, marked])
    days = np.concatenate([days, _met_on(city, marked)])
    place = np.concatenate([place, np.zeros(len(marked), np.int64)])
    strangers = max(3, len(person) // 40)
    picks = rng.integers(0, max(1, len(person)), strangers)
    person = np.concatenate([person, np.full(strangers, -1)])
    days, place = np.concatenate([days, days[picks]]), np.concatenate([place, place[picks]])
    stranger = np.where(person < 0, np.arange(len(person)) % max(2, strangers // 3), -1)
    order = np.lexsort((person, place, days))
    return Visits(person[order], days[order], place[order], stranger[order])


def _met_on(city: City, marked: Array) -> Array:
    """Days on which marked people are met: spread over three years, so that no month's file swells."""
    last = city.window.today - MET_BEFORE_TODAY
    spread = last - 30 * (np.arange(len(marked)) % 36)
    days: Array = np.clip(city.people.enter[marked] + 1, spread, last)
    return days


@dataclass
class Counsel:
    """One consultation with the community social worker; `person` is the adult who came."""

    person: Array
    consulted_on: Array
    category: Array
    response: Array
    children: Array


def counsel(city: City) -> Counsel:
    """Adults in need who came to the social worker: poor families and people living alone."""
    rng = city.streams.of("counsel")
    people, window = city.people, city.window
    unit = people.unit
    adult = (
        np.isin(people.role, (HEAD, PARTNER, LEFT_PARENT))
        & (people.birth < window.start - 20 * YEAR)
        & (people.leave > window.start)
    )
    poor = city.latent.poor_on(unit, window.today)
    share = (
        0.006
        * np.exp(0.55 * city.units.hardship[unit] + 1.3 * poor)
        * np.where(city.units.kind[unit] == FAMILY, 1.6, np.where(city.units.kind[unit] == OLD, 0.9, 0.5))
    )
    # Half the families that have just become poor ask within the year; one parent comes for them.
    fresh = city.latent.poor_since[unit]
    asks = (fresh > window.start) & (people.role == HEAD) & (city.units.kind[unit] == FAMILY)
    asks &= poor & (rng.random(len(people)) < 0.5)
    person = np.flatnonzero(adult & (asks | (rng.random(len(people)) < share.clip(0, 0.7))))
    since = np.maximum(
        np.where(poor[person], np.maximum(fresh[person], window.start), window.start),
        np.maximum(window.start, people.enter[person]),
    )
    times = rng.geometric(0.5, len(person)).clip(1, 6)
    rows = np.repeat(np.arange(len(person)), times)
    first = np.r_[True, rows[1:] != rows[:-1]]
    span = np.where(asks[person][rows] & first, 300, np.maximum(10, window.today - since[rows]))
    days = since[rows] + 5 + (rng.random(len(rows)) * span).astype(np.int64)
    ok = (days < people.leave[person[rows]]) & (days <= window.today - 2)
    marked = np.array(sorted(city.canaries.phone), np.int64)
    person = np.concatenate([person[rows[ok]], marked])
    days = np.concatenate([days[ok], _met_on(city, marked)])
    rows = np.argsort(days, kind="stable")
    person, days = person[rows], days[rows]
    young = np.bincount(unit[(people.role == CHILD) & (people.birth > window.today - 18 * YEAR)], minlength=len(city.units))
    family = city.units.kind[people.unit[person]] == FAMILY
    category = np.where(
        rng.random(len(rows)) < 0.5, 0, np.where(family, rng.integers(1, 6, len(rows)), rng.integers(2, 6, len(rows)))
    )
    return Counsel(person, days, category, rng.integers(-1, 3, len(rows)), np.where(family, young[people.unit[person]], 0))
