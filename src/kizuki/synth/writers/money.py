"""市民税, 児童扶養手当, 児童手当, 福祉医療, 生活保護: the offices that pay or exempt."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from kizuki.synth.benefits import NONE, PARTIAL, PAYMENT_CLASSES, SUSPENDED, child_until_18
from kizuki.synth.calendar import NEVER, as_date, day, fiscal_year, month_index, month_start
from kizuki.synth.cells import Cells, Words, blank_where, choose, constant, date_cells, digits, glue, numbers
from kizuki.synth.city import City
from kizuki.synth.economy import UNDECLARED, UNKNOWN_ARRIVAL
from kizuki.synth.population import CAUSES, CHILD, FAMILY, LEFT_PARENT, OLD, OLD_COUPLE, Array
from kizuki.synth.sheet import Fault, Sheet
from kizuki.synth.truth import Sightings
from kizuki.synth.writers.school import guardians
from kizuki.synth.writers.spelling import Speller

TAX, ALLOWANCE, CHILD_ALLOWANCE, MEDICAL, ASSISTANCE = (
    "municipal_tax",
    "single_parent_allowance",
    "child_allowance",
    "medical_subsidy",
    "public_assistance",
)
TAX_TITLES = ("年度", "宛名番号", "課税区分", "給与収入", "合計所得", "扶養数")
ALLOWANCE_TITLES = ("認定番号", "受給者宛名番号", "児童宛名番号", "支給区分", "事由", "開始年月", "終了年月", "現況届日")
CHILD_ALLOWANCE_TITLES = ("受給者宛名番号", "児童宛名番号", "開始年月", "終了年月", "差止")
MEDICAL_TITLES = ("宛名番号", "区分", "有効開始", "有効終了")
ASSISTANCE_TITLES = ("ケース番号", "宛名番号", "世帯類型", "扶助種", "開始日", "廃止日", "事由")
TAX_FILES = 2
"""Fiscal years of tax the city could hand over when the feed is switched on."""


def tax_sheets(city: City, sightings: Sightings) -> Iterator[Sheet]:
    """15 June of the latest years. 給与収入 is in the file although no definition lists it."""
    spell = Speller(city, "cp932")
    for as_of in city.window.yearly(6, 15)[-TAX_FILES:]:
        fiscal = as_date(as_of).year
        column = city.taxes.column(fiscal)
        person = np.flatnonzero(city.taxes.listed[:, column])
        kind = city.taxes.tax_class[person, column]
        unknown = np.isin(kind, (UNDECLARED, UNKNOWN_ARRIVAL))
        dependants = city.taxes.dependants[person, column]
        columns = [
            numbers(np.full(len(person), fiscal)),
            spell.number(person),
            digits(kind, 1),
            numbers(city.taxes.gross[person, column] // 1000 * 1000, unknown),
            numbers(city.taxes.income[person, column], unknown),
            numbers(dependants, dependants == 0),
        ]
        sightings.by_number(TAX, person)
        yield Sheet(TAX, as_of, "full", TAX_TITLES, columns, trailer="bare")


def allowance_sheets(city: City, sightings: Sightings) -> Iterator[Sheet]:
    """児童扶養手当: every case at every month's end, those that ended within a quarter included."""
    spell = Speller(city, "cp932")
    people, benefits = city.people, city.benefits
    until = np.minimum(child_until_18(people.birth), people.leave)
    single = benefits.single
    unit = people.unit
    started = np.maximum(benefits.claimed_on[unit], month_start(month_index(people.enter) + 1))
    candidate = np.flatnonzero((people.role == CHILD) & (city.units.kind[unit] == FAMILY) & (benefits.claimed_on[unit] < NEVER))
    ended = np.minimum(until, single.until[unit])
    for number, as_of in enumerate(city.window.month_ends()):
        klass = benefits.entitled_class[
            :, np.clip(_payment_year(as_of) - benefits.payment_years[0], 0, len(benefits.payment_years) - 1)
        ]
        here = (started[candidate] <= as_of) & (ended[candidate] > as_of - 92) & (klass[unit[candidate]] != NONE)
        child = candidate[here & (started[candidate] < ended[candidate])]
        yield _allowance_sheet(city, spell, child, klass[unit[child]], started=started, ended=ended, as_of=as_of, number=number)
        sightings.by_number(ALLOWANCE, child, single.parent[unit[child]])


def _payment_year(as_of: int) -> int:
    d = as_date(as_of)
    return d.year if d.month >= 11 else d.year - 1


def _allowance_sheet(
    city: City, spell: Speller, child: Array, klass: Array, *, started: Array, ended: Array, as_of: int, number: int
) -> Sheet:
    unit, n = city.people.unit[child], len(child)
    over = ended[child] <= as_of
    report = day(_payment_year(as_of), 8, 1) + unit % 30
    report = np.where((report < started[child]) | (unit % 41 == 0), NEVER, report)
    cause = np.where(unit % 67 == 3, -1, np.where(city.units.cause[unit] < 0, 0, city.units.cause[unit]))
    columns = [
        digits(300_000 + unit, 7),
        spell.number(city.benefits.single.parent[unit]),
        spell.number(child),
        Words(PAYMENT_CLASSES).cells(np.minimum(klass, SUSPENDED), "cp932"),
        Words(CAUSES).cells(cause, "cp932"),
        date_cells(started[child], "month_kanji", "cp932"),
        blank_where(~over, date_cells(np.where(over, ended[child], 0), "month_kanji", "cp932")),
        date_cells(report, "dotted" if number % 2 else "kanji", "cp932"),
    ]
    faults: tuple[tuple[Fault, str], ...] = (("code", "支給区分"), ("short", "事由")) if number % 24 == 7 and n else ()
    return Sheet(ALLOWANCE, as_of, "full", ALLOWANCE_TITLES, columns, trailer="padded", faults=faults)


def child_allowance_sheets(city: City, sightings: Sightings) -> Iterator[Sheet]:
    """児童手当: full on the first day and every 1 June; otherwise the cases that began or ended in the month."""
    spell = Speller(city, "cp932")
    child, recipient, started, ended = _child_allowance_cases(city)
    window, before = city.window, -NEVER
    fulls = {window.start, *window.yearly(6, 1)}
    for as_of in sorted({*fulls, *window.month_ends()}):
        running = (started <= as_of) & (ended > as_of - 60)
        # A case that has come to its end shows it; until then 終了年月 is blank.
        changed = ((started > before) | ((ended > before) & (ended <= as_of))) & (started <= as_of)
        rows = np.flatnonzero(running if as_of in fulls else changed)
        before = as_of
        n = len(rows)
        over = ended[rows] <= as_of
        suspended = (child[rows] % 331 == 7) & ~over
        columns = [
            spell.number(recipient[rows]),
            spell.number(child[rows]),
            date_cells(started[rows], "month_kanji", "cp932"),
            blank_where(~over, date_cells(np.where(over, ended[rows], 0), "month_kanji", "cp932")),
            choose(
                suspended,
                constant("1", n, "cp932"),
                choose(child[rows] % 2 == 0, constant("0", n, "cp932"), constant("", n, "cp932")),
            ),
        ]
        sightings.by_number(CHILD_ALLOWANCE, child[rows], recipient[rows])
        yield Sheet(
            CHILD_ALLOWANCE, as_of, "full" if as_of in fulls else "diff", CHILD_ALLOWANCE_TITLES, columns, trailer="bare"
        )


def _child_allowance_cases(city: City) -> tuple[Array, Array, Array, Array]:
    """Child, recipient, first and last day of payment; extended in October 2024 from 15 to 18 years."""
    people, units = city.people, city.units
    unit = people.unit
    child = np.flatnonzero((people.role == CHILD) & (units.kind[unit] == FAMILY) & ~city.benefits.public_servant[unit])
    u = unit[child]
    recipient = guardians(city)[u]
    april = np.array([day(y, 4, 1) for y in range(1900, 2080)])
    fifteen = april[fiscal_year(people.birth[child] - 1) + 16 - 1900]
    until = np.where(fifteen > day(2024, 10, 1), child_until_18(people.birth[child]), fifteen)
    ended = np.minimum(until, people.leave[child])
    started = month_start(month_index(people.enter[child]) + 1)
    ok = (recipient >= 0) & (ended > city.window.start - 60) & (started < ended)
    child, recipient, started, ended, u = (v[ok] for v in (child, recipient, started, ended, u))
    split = city.units.split_on[u]
    mother = city.benefits.single.parent[u]
    # At a split the father's case ends and the mother's begins.
    turns = (split < NEVER) & (units.single[u] == 1) & (mother >= 0) & (split > started + 31) & (split < ended - 31)
    father = _fathers(city)[u]
    first = np.where(turns & (father >= 0), father, recipient)
    change = month_start(month_index(np.where(turns, split, city.window.start)) + 1)
    second = np.flatnonzero(turns & (father >= 0))
    return (
        np.concatenate([child, child[second]]),
        np.concatenate([first, mother[second]]),
        np.concatenate([started, change[second]]),
        np.concatenate([np.where(turns & (father >= 0), change, ended), ended[second]]),
    )


def _fathers(city: City) -> Array:
    out = np.full(len(city.units), -1)
    left = np.flatnonzero((city.people.role == LEFT_PARENT) & (city.people.sex == 1))
    out[city.people.unit[left]] = left
    return out


def medical_sheets(city: City, sightings: Sightings) -> Iterator[Sheet]:
    """福祉医療: full on the first day and every 1 July; otherwise certificates issued or ended in the month."""
    spell = Speller(city, "cp932")
    person, category, valid_from, valid_until = _certificates(city)
    window, before = city.window, -NEVER
    fulls = {window.start, *window.yearly(7, 1)}
    for number, as_of in enumerate(sorted({*fulls, *window.month_ends()})):
        if as_of in fulls:
            rows = np.flatnonzero((valid_from <= as_of) & (valid_until > as_of - 60))
        else:
            rows = np.flatnonzero(
                ((valid_from > before) & (valid_from <= as_of)) | ((valid_until > before) & (valid_until <= as_of))
            )
        before = as_of
        columns = [
            spell.number(person[rows]),
            Words(["こども", "ひとり親", "障がい"]).cells(category[rows], "cp932"),
            date_cells(valid_from[rows], "kanji" if number % 2 else "dotted0", "cp932"),
            date_cells(valid_until[rows], "kanji" if number % 2 else "dotted0", "cp932"),
        ]
        sightings.by_number(MEDICAL, person[rows])
        yield Sheet(MEDICAL, as_of, "full" if as_of in fulls else "diff", MEDICAL_TITLES, columns, trailer="padded")


def _certificates(city: City) -> tuple[Array, Array, Array, Array]:
    """Children (to the end of the fiscal year they turn 18), single-parent families (yearly from November), disabled people."""
    people, unit, benefits = city.people, city.people.unit, city.benefits
    child = np.flatnonzero((people.role == CHILD) & (city.units.kind[unit] == FAMILY))
    blocks: list[tuple[Any, ...]] = [
        (child, 0, people.enter[child], np.minimum(child_until_18(people.birth[child]), people.leave[child]))
    ]
    single = benefits.single
    for year in benefits.payment_years:
        opening, closing = day(year, 11, 1), day(year + 1, 11, 1)
        column = year - benefits.payment_years[0]
        since = np.maximum(benefits.claimed_on, opening)
        granted = (
            (benefits.entitled_class[:, column] <= PARTIAL)
            & benefits.medical_claimed
            & (since < np.minimum(closing, single.until))
            & (since < city.window.today)
        )
        granted &= ~city.assistance.on(np.arange(len(city.units)), since)
        family = np.flatnonzero(granted[unit] & ((people.role == CHILD) | (np.arange(len(people)) == single.parent[unit])))
        family = family[(people.role[family] != CHILD) | (child_until_18(people.birth[family]) > since[unit[family]])]
        family = family[(people.enter[family] <= since[unit[family]]) & (people.leave[family] > since[unit[family]])]
        blocks.append(
            (family, 1, since[unit[family]], np.minimum(closing, np.minimum(people.leave[family], single.until[unit[family]])))
        )
    disabled = np.flatnonzero((people.birth * 31 + unit) % 140 == 0)
    blocks.append((disabled, 2, np.maximum(people.enter[disabled], people.birth[disabled] + 700), people.leave[disabled]))
    person, begins, ends = (np.concatenate([b[i] for b in blocks]) for i in (0, 2, 3))
    category = np.concatenate([np.full(len(b[0]), b[1]) for b in blocks])
    ok = (begins < ends) & (ends > city.window.start - 60)
    return person[ok], category[ok], begins[ok], ends[ok]


def assistance_sheets(city: City, sightings: Sightings) -> Iterator[Sheet]:
    """生活保護: every case at every month's end, those that ended within a quarter included."""
    spell = Speller(city, "cp932")
    people, unit, case = city.people, city.people.unit, city.assistance
    started = np.maximum(case.started_on[unit], people.enter)
    ended = np.minimum(case.ended_on[unit], people.leave)
    member = np.flatnonzero((started < ended) & ((people.role != LEFT_PARENT) | (city.units.kind[unit] != FAMILY)))
    age = people.age_on(city.window.today)
    for number, as_of in enumerate(city.window.month_ends()):
        person = member[(started[member] <= as_of) & (ended[member] > as_of - 92)]
        columns = _assistance_columns(city, spell, person, started[person], ended[person], as_of=as_of, age=age[person])
        sightings.by_number(ASSISTANCE, person)
        yield Sheet(ASSISTANCE, as_of, "full", ASSISTANCE_TITLES, columns, trailer="bare" if number % 2 else "padded")


def _assistance_columns(
    city: City, spell: Speller, person: Array, started: Array, ended: Array, *, as_of: int, age: Array
) -> list[Cells]:
    units, unit, n = city.units, city.people.unit[person], len(person)
    old = np.isin(units.kind[unit], (OLD, OLD_COUPLE))
    mother = (units.kind[unit] == FAMILY) & (units.single[unit] == 1)
    kind = np.where(old, 0, np.where(mother, 1, 2 + unit % 3))
    school = (age - (city.window.today - as_of) // 365 >= 6) & (age - (city.window.today - as_of) // 365 < 15)
    aid = glue(
        constant("生活", n, "cp932"),
        choose(units.rented[unit], constant("・住宅", n, "cp932"), constant("", n, "cp932")),
        choose(school, constant("・教育", n, "cp932"), constant("", n, "cp932")),
        choose(age >= 60, constant("・医療", n, "cp932"), constant("", n, "cp932")),
    )
    over = ended <= as_of
    reason = np.where(over, 4 + unit % 2, unit % 4)
    words = Words(["収入の減少", "傷病", "離別", "預貯金の減少", "収入の増加", "転出・死亡"])
    return [
        digits(40_000 + unit, 7),
        spell.number(person),
        Words(["高齢", "母子", "傷病", "障害", "その他"]).cells(kind, "cp932"),
        aid,
        date_cells(started, "dotted", "cp932"),
        blank_where(~over, date_cells(np.where(over, ended, 0), "dotted", "cp932")),
        words.cells(np.where(unit % 29 == 5, -1, reason), "cp932"),
    ]
