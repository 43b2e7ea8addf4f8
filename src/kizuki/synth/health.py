"""Maternal and child health: pregnancy notices, visits, check-ups, vaccinations, dental check-ups."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from kizuki.synth.calendar import day
from kizuki.synth.city import City
from kizuki.synth.draws import intercept_for, logistic
from kizuki.synth.population import CHILD, FAMILY, HEAD, LEFT_PARENT, PARTNER

Array = npt.NDArray[Any]

KINDS = ("妊娠届", "新生児訪問", "4か月児健診", "1歳6か月児健診", "3歳児健診", "5歳児健診", "予防接種", "歯科健診")
PREGNANCY, VISIT, FOUR_MONTHS, EIGHTEEN_MONTHS, THREE_YEARS, FIVE_YEARS, VACCINE, DENTAL = range(8)
ATTENDED, MISSED, NOT_ASKED = 0, 1, 2
FINE, WATCH, EXAMINE, SUPPORT = 0, 1, 2, 3

_FIELDS = ("epds_total", "epds_item10", "caries", "gestation_weeks", "married", "smoking", "vaccine_delay", "poor_weight")


@dataclass
class HealthRows:
    """One row per contact. Values are −1 where the kind does not ask; `owner` is the person of the ledger (mother or child)."""

    owner: Array
    child: Array
    kind: Array
    held_on: Array
    attendance: Array
    result: Array  # −1 not entered
    values: dict[str, Array]


def mother_of(city: City) -> Array:
    """Position of the mother in each unit, −1 when she is not known here."""
    out = np.full(len(city.units), -1)
    women = (
        (city.people.sex == 2)
        & np.isin(city.people.role, (HEAD, PARTNER, LEFT_PARENT))
        & (city.units.kind[city.people.unit] == FAMILY)
    )
    out[city.people.unit[women]] = np.flatnonzero(women)
    return out


def health_rows(city: City) -> HealthRows:
    """Every contact of the window, in order of the day."""
    people = city.people
    rng = city.streams.of("health")
    child = np.flatnonzero(
        (people.role == CHILD) & (city.units.kind[people.unit] == FAMILY) & (people.birth > city.window.start - 5 * 366)
    )
    mother = mother_of(city)[people.unit[child]]
    blocks = [_pregnancies(city, rng, child, mother)]
    blocks += [_contact(city, rng, child, kind) for kind in range(1, 8)]
    rows = _concat(blocks)
    ok = (rows.held_on >= city.window.start) & (rows.held_on <= city.window.today - 3)
    ok &= (people.enter[rows.owner] <= rows.held_on) & (people.leave[rows.owner] > rows.held_on)
    ok &= ~people.away_on(rows.owner, rows.held_on)
    return _take(rows, np.flatnonzero(ok)[np.argsort(rows.held_on[ok], kind="stable")])


def _concat(blocks: list[HealthRows]) -> HealthRows:
    names = ("owner", "child", "kind", "held_on", "attendance", "result")
    plain = {n: np.concatenate([getattr(b, n) for b in blocks]) for n in names}
    return HealthRows(**plain, values={f: np.concatenate([b.values[f] for b in blocks]) for f in _FIELDS})


def _take(rows: HealthRows, positions: Array) -> HealthRows:
    names = ("owner", "child", "kind", "held_on", "attendance", "result")
    return HealthRows(
        **{n: getattr(rows, n)[positions] for n in names}, values={f: v[positions] for f, v in rows.values.items()}
    )


def _blank(n: int) -> dict[str, Array]:
    return {f: np.full(n, -1, np.int64) for f in _FIELDS}


def _pregnancies(city: City, rng: np.random.Generator, child: Array, mother: Array) -> HealthRows:
    """One notice per pregnancy: twins share theirs."""
    people, units = city.people, city.units
    known = mother >= 0
    child, mother = child[known], mother[known]
    _, first = np.unique(mother * 1_000_000 + people.birth[child] + 500_000, return_index=True)
    child, mother = child[first], mother[first]
    unit, n = people.unit[child], len(child)
    stress = city.latent.stress[unit]
    late = rng.random(n) < logistic(-5.6 + 1.1 * stress + 1.1 * units.young_mother[unit])
    weeks = np.where(late, rng.integers(22, 37, n), np.clip(np.round(rng.normal(9.0, 2.0, n)), 6, 18)).astype(np.int64)
    held = people.birth[child] - 278 + weeks * 7
    # A mother who moves in while pregnant is taken into the ledger a few days after she arrives.
    held = np.where(
        (people.enter[mother] > held) & (people.enter[mother] < people.birth[child]), people.enter[mother] + 6, held
    )
    values = _blank(n)
    values["gestation_weeks"] = np.clip((held - people.birth[child] + 278) // 7, 4, 40)
    unmarried = (units.cause[unit] == 2) | (rng.random(n) < np.where(units.young_mother[unit], 0.35, 0.03))
    values["married"] = (~unmarried).astype(np.int64)
    values["smoking"] = (rng.random(n) < 0.019 * np.exp(0.6 * units.hardship[unit] - 0.15)).astype(np.int64)
    return HealthRows(mother, child, np.full(n, PREGNANCY), held, np.full(n, ATTENDED), np.full(n, -1), values)


_DUE = {VISIT: 38, FOUR_MONTHS: 128, EIGHTEEN_MONTHS: 575, THREE_YEARS: 1290, FIVE_YEARS: 1890, VACCINE: 480, DENTAL: 930}
_MISSED = {
    VISIT: 0.035,
    FOUR_MONTHS: 0.016,
    EIGHTEEN_MONTHS: 0.037,
    THREE_YEARS: 0.043,
    FIVE_YEARS: 0.06,
    VACCINE: 0.0,
    DENTAL: 0.11,
}


def _contact(city: City, rng: np.random.Generator, child: Array, kind: int) -> HealthRows:
    people, latent = city.people, city.latent
    unit, n = people.unit[child], len(child)
    due = people.birth[child] + _DUE[kind] + rng.integers(0, 35, n)
    abused = latent.abused_since[child] <= due
    poor = latent.poor_on(unit, due)
    strain = 1.1 * latent.stress[unit] + 0.9 * abused + 0.35 * poor
    attendance = np.full(n, ATTENDED)
    if _MISSED[kind]:
        chance = logistic(intercept_for(strain, _MISSED[kind]) + strain)
        attendance = np.where(rng.random(n) < chance, MISSED, attendance)
    attendance = np.where(rng.random(n) < 0.004, NOT_ASKED, attendance)
    missed = attendance != ATTENDED
    due = np.where(attendance == MISSED, due + 60, due)
    values = _blank(n)
    _measure(city, rng, kind, child, values=values, abused=abused, poor=poor)
    for name in _FIELDS:
        values[name] = np.where(missed, -1, values[name])
    worry = 0.09 + 0.22 * latent.delayed[child] + 0.05 * abused
    result = np.where(rng.random(n) < worry, np.where(latent.delayed[child] & (rng.random(n) < 0.3), EXAMINE, WATCH), FINE)
    result = np.where(rng.random(n) < 0.006 + 0.03 * abused, SUPPORT, result)
    result = np.where(missed | (rng.random(n) < 0.01) | (kind == VACCINE), -1, result)
    if kind == FIVE_YEARS:  # 5歳児健診 began in fiscal 2024
        attendance = np.where(due < day(2024, 4, 1), -1, attendance)
    rows = HealthRows(child, child, np.full(n, kind), due, attendance, result, values)
    return _take(rows, np.flatnonzero(attendance >= 0))


def _measure(
    city: City, rng: np.random.Generator, kind: int, child: Array, *, values: dict[str, Array], abused: Array, poor: Array
) -> None:
    latent, unit, n = city.latent, city.people.unit[child], len(child)
    if kind == VISIT:
        mood = 3.65 + 1.35 * latent.stress[unit] + rng.gamma(1.4, 1.75, n) - 0.9 + 1.2 * abused
        values["epds_total"] = np.clip(np.round(mood), 0, 27).astype(np.int64)
        values["epds_item10"] = (rng.random(n) < np.where(values["epds_total"] >= 9, 0.16, 0.008)).astype(np.int64)
    if kind in (VISIT, FOUR_MONTHS):
        values["poor_weight"] = (rng.random(n) < 0.012 + 0.05 * abused).astype(np.int64)
    if kind in (EIGHTEEN_MONTHS, THREE_YEARS, DENTAL, FIVE_YEARS):
        mean = {EIGHTEEN_MONTHS: 0.04, DENTAL: 0.15, THREE_YEARS: 0.35, FIVE_YEARS: 0.6}[kind]
        rotten = rng.negative_binomial(
            0.25, 1 / (1 + mean * np.exp(0.65 * city.units.hardship[unit] + 0.4 * poor + 0.5 * abused) / 0.25)
        )
        values["caries"] = np.minimum(rotten, 20)
    if kind == VACCINE:
        values["vaccine_delay"] = rng.poisson(0.19 * np.exp(0.9 * latent.stress[unit] + 0.5 * abused)).clip(0, 8)
