"""Entitlement by the laws' rules and what households really receive: 児童扶養手当, 児童手当, 福祉医療, 就学援助.

Limits are those of the laws, as listed with sources in the programme definitions. The limits of 就学援助 follow a neighbouring
city's pattern: rented and owned homes differ.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from kizuki.synth.calendar import NEVER, Window, as_date, day, fiscal_year, grade_in, month_index, month_start
from kizuki.synth.draws import Streams
from kizuki.synth.economy import EXEMPT, Assistance, Taxes
from kizuki.synth.population import CHILD, FAMILY, GRANDPARENT, HEAD, PARTNER, People, Units

Array = npt.NDArray[Any]

FULL, PARTIAL, SUSPENDED, NONE = 0, 1, 2, 3
PAYMENT_CLASSES = ("全部", "一部", "停止")

SCHOOL_AID_LIMITS = {
    True: (2_100_000, 2_711_000, 3_078_000, 3_445_000, 3_811_000, 4_178_000),
    False: (1_600_000, 1_985_000, 2_352_000, 2_719_000, 3_085_000, 3_452_000),
}
"""就学援助: yearly 合計所得 limit in yen by household size 1-6 (more: as 6 plus 367,000 each); True = rented home."""


@dataclass
class SingleParents:
    """Per unit: from when to when the main line is a single parent's, and who that parent is (person position, −1)."""

    since: Array
    until: Array
    parent: Array


@dataclass
class Benefits:
    """What each household is entitled to and receives. Classes are per unit and payment year (from November)."""

    single: SingleParents
    payment_years: tuple[int, ...]
    entitled_class: Array  # unit x payment year: FULL, PARTIAL, SUSPENDED, NONE
    claimed_on: Array  # per unit: first month of 児童扶養手当 payment, NEVER
    informal_partner: Array  # per unit: 事実婚 known to nobody's data
    school_aid_entitled: Array  # unit x fiscal year of taxes
    school_aid_received: Array
    public_servant: Array  # per unit: 児童手当 paid by the employer
    medical_claimed: Array  # per unit: has applied for ひとり親家庭医療

    def class_on(self, unit: Array, number: int) -> Array:
        """Payment class of 児童扶養手当 by the law on a day, whether claimed or not."""
        year = payment_year(number)
        column = int(np.clip(year - self.payment_years[0], 0, len(self.payment_years) - 1))
        alone = (self.single.since[unit] <= number) & (self.single.until[unit] > number)
        return np.where(alone, self.entitled_class[unit, column], NONE)

    def receives_on(self, unit: Array, number: int) -> Array:
        """Whether 児童扶養手当 is paid on a day."""
        return (self.class_on(unit, number) <= PARTIAL) & (self.claimed_on[unit] <= number)


def payment_year(number: int) -> int:
    """The year whose November opened the current payment year of 児童扶養手当."""
    d = as_date(number)
    return d.year if d.month >= 11 else d.year - 1


def child_until_18(births: Array) -> Array:
    """The first day after the fiscal year in which a child turns 18 (児童扶養手当法 3条)."""
    closing = fiscal_year(np.asarray(births) - 1) + 19
    first_of_april: Array = np.array([day(int(y), 4, 1) for y in range(1900, 2080)])
    birthday: Array = first_of_april[closing - 1900]
    return birthday


def single_parents(units: Units, people: People) -> SingleParents:
    """The single-parent period of each unit."""
    alone = (units.kind == FAMILY) & (units.single > 0)
    again = (units.kind == FAMILY) & (units.joined_on < NEVER)
    since = np.where(alone, np.where(units.split_on < NEVER, units.split_on, units.enter), np.where(again, units.enter, NEVER))
    until = np.where(alone, units.exit, np.where(again, units.joined_on, NEVER))
    parent = np.full(len(units), -1)
    head = (people.role == HEAD) & alone[people.unit]
    wed = (people.role == PARTNER) & again[people.unit]
    parent[people.unit[head | wed]] = np.flatnonzero(head | wed)
    ok = parent >= 0
    return SingleParents(np.where(ok, since, NEVER), np.where(ok, until, NEVER), parent)


def draw_benefits(
    units: Units, people: People, taxes: Taxes, assistance: Assistance, *, streams: Streams, window: Window
) -> Benefits:
    """Entitlements of every year and who claims them."""
    rng = streams.of("benefits")
    n = len(units)
    single = single_parents(units, people)
    years = tuple(range(payment_year(window.start), payment_year(window.today) + 1))
    informal = rng.random(n) < 0.05
    classes = np.stack([_allowance_class(units, people, single, taxes, year=y) for y in years], axis=1)
    classes[informal] = NONE
    delay = rng.integers(1, 5, n)
    delay = np.where(rng.random(n) < 0.12, delay + rng.integers(4, 24, n), delay)
    start = np.maximum(single.since, window.start - 900)
    asked = month_start(month_index(np.minimum(start, window.today)) + delay)
    never_asks = rng.random(n) < np.where(assistance.started_on < NEVER, 0.02, 0.22)
    claimed = np.where((single.since >= NEVER) | never_asks | informal, NEVER, asked)
    entitled, received = _school_aid(
        rng, units, people, taxes, assistance, single=single, classes=classes, years=years, claimed=claimed
    )
    return Benefits(
        single,
        years,
        classes,
        claimed,
        informal,
        entitled,
        received,
        public_servant=rng.random(n) < 0.06,
        medical_claimed=rng.random(n) < 0.87,
    )


def _allowance_class(units: Units, people: People, single: SingleParents, taxes: Taxes, *, year: int) -> Array:
    """Payment class by the income of the year before (児童扶養手当法施行令; limits raised from November 2024)."""
    column = taxes.column(year)
    parent = np.maximum(single.parent, 0)
    income = taxes.income[parent, column] - 80_000  # 社会保険料相当の一律控除
    dependants = taxes.dependants[parent, column].astype(np.int64)
    full, partial = (690_000, 2_080_000) if year >= 2024 else (490_000, 1_920_000)
    kin = _kin_income(units, people, taxes, column)
    out = np.where(
        income < full + 380_000 * dependants, FULL, np.where(income < partial + 380_000 * dependants, PARTIAL, SUSPENDED)
    )
    return np.where(kin >= 2_360_000 + 380_000 * 1, SUSPENDED, out).astype(np.int8)


def _kin_income(units: Units, people: People, taxes: Taxes, column: int) -> Array:
    """Highest income of a grandparent or grown child in the household (扶養義務者)."""
    kin = np.isin(people.role, (GRANDPARENT, CHILD)) & (people.leave == NEVER)
    out = np.zeros(len(units), np.int64)
    np.maximum.at(out, people.unit[kin], taxes.income[kin, column])
    return out


def household_income(units: Units, people: People, taxes: Taxes, column: int, number: int) -> tuple[Array, Array, Array]:
    """Per unit on a day: summed 合計所得, members, whether every adult is tax-exempt (without parents who have left)."""
    here = people.resident_on(number) & ~((people.role == 4) & (units.split_on[people.unit] <= number))
    total = np.bincount(people.unit[here], weights=taxes.income[here, column], minlength=len(units)).astype(np.int64)
    size = np.bincount(people.unit[here], minlength=len(units))
    taxed = here & (taxes.tax_class[:, column] != EXEMPT) & (taxes.income[:, column] > 450_000)
    exempt = np.bincount(people.unit[taxed], minlength=len(units)) == 0
    return total, size, exempt


def _school_aid(
    rng: np.random.Generator,
    units: Units,
    people: People,
    taxes: Taxes,
    assistance: Assistance,
    *,
    single: SingleParents,
    classes: Array,
    years: tuple[int, ...],
    claimed: Array,
) -> tuple[Array, Array]:
    """就学援助 per unit and fiscal year: entitled (生活保護, 児童扶養手当, 非課税, income); a quarter do not ask."""
    n = len(units)
    entitled, received = np.zeros((n, len(taxes.years)), bool), np.zeros((n, len(taxes.years)), bool)
    asks = rng.random(n) < np.where(single.since < NEVER, 0.82, 0.64)
    for k, fiscal in enumerate(taxes.years):
        opening = day(fiscal, 7, 1)
        total, size, exempt = household_income(units, people, taxes, k, opening)
        grade = grade_in(people.birth, fiscal)
        pupil = (people.role == CHILD) & (grade >= 1) & (grade <= 9) & people.resident_on(opening)
        has_pupil = np.bincount(people.unit[pupil], minlength=n) > 0
        column = int(np.clip(fiscal - 1 - years[0], 0, len(years) - 1))
        paid = (classes[:, column] <= PARTIAL) & (single.since <= opening) & (single.until > opening) & (claimed <= opening)
        limit = np.where(units.rented, _limit(size, rented=True), _limit(size, rented=False))
        everyone = np.arange(n)
        entitled[:, k] = has_pupil & (assistance.on(everyone, opening) | paid | exempt | (total <= limit))
        received[:, k] = entitled[:, k] & (asks | assistance.on(everyone, opening)) & (rng.random(n) < 0.97)
        received[:, k] &= units.enter < opening - 30
    return entitled, received


def _limit(size: Array, *, rented: bool) -> Array:
    table = np.array(SCHOOL_AID_LIMITS[rented])
    limit: Array = table[np.clip(size, 1, 6) - 1] + 367_000 * np.maximum(0, size - 6)
    return limit


def entitled_single_parent_allowance(benefits: Benefits, unit: Array, number: int) -> Array:
    """Entitled to a payment of 児童扶養手当 (全部 or 一部) on a day."""
    return benefits.class_on(unit, number) <= PARTIAL


def entitled_medical(benefits: Benefits, assistance: Assistance, unit: Array, number: int) -> Array:
    """ひとり親家庭医療: as 児童扶養手当, without households on public assistance."""
    return entitled_single_parent_allowance(benefits, unit, number) & ~assistance.on(unit, number)
