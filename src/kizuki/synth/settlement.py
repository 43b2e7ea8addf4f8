"""Drawing the households and people of the city as they stand today, or stood when they left."""

from dataclasses import fields

import numpy as np

from kizuki.synth import hard_cases
from kizuki.synth.calendar import NEVER, YEAR, Window, day, parts
from kizuki.synth.draws import Streams, logistic, pick
from kizuki.synth.names import NameBook
from kizuki.synth.population import (
    CHILD,
    COUPLE,
    DIED,
    FAMILY,
    GRANDPARENT,
    HEAD,
    LEFT_PARENT,
    MIDDLE,
    MOVED_OUT,
    NEW_PARTNER,
    OLD,
    OLD_COUPLE,
    PARTNER,
    STAYED,
    YOUNG,
    Array,
    People,
    Units,
    concat,
)

_FIRST_CHILD_AGE = np.array([
    282, 308, 306, 302, 310, 347, 454, 459, 457, 447, 442, 440, 460, 463, 464, 488, 479, 468, 462, 474, 449,
    431, 478, 560, 600, 610, 580, 550, 520, 500, 480, 460, 440, 420, 400, 380, 360, 340, 320, 300, 280,
]) / 1e5  # fmt: skip
"""Households per resident by age of their first child (0-40), fitted to the age pyramid of the children of 0-17."""

_FAMILY_SIZE = np.array([0.26, 0.50, 0.19, 0.05])
_LEAVERS = {FAMILY: 0.055, COUPLE: 0.40, YOUNG: 0.80, MIDDLE: 0.30, OLD: 0.06, OLD_COUPLE: 0.04}
"""Households that left within the window, per household that stayed."""


def draw_population(people: int, streams: Streams, window: Window, book: NameBook) -> tuple[Units, People]:
    """Households and people such that exactly `people` registered residents live in the city today."""
    rng = streams.of("households")
    stay = _draw_families(rng, people, window, left=False)
    gone = _draw_families(rng, people, window, left=True)
    families = concat([stay[0], gone[0]])
    ages = np.concatenate([stay[1], gone[1]])
    _shape_special_families(families, ages, window)
    family_people = _family_members(streams.of("members"), families, ages, window)
    hard_cases.leave_twins_out_of_the_register(streams.of("absent twins"), families, family_people, window)
    stays = hard_cases.earlier_stays(streams.of("earlier stays"), families, family_people, window, residents=people)
    families, family_people = concat([families, stays.units]), concat([family_people, stays.people])
    living = int(np.sum(family_people.registered_on(window.today)))
    others, other_people = _other_households(streams.of("others"), people, people - living, window)
    other_people.unit += len(families)
    units, persons = concat([families, others]), concat([family_people, other_people])
    _give_names(streams.of("names"), units, persons, book)
    hard_cases.name_alike(streams.of("namesakes"), units, persons, book, window=window, residents=people)
    stays.name(units, persons)
    _send_away_for_a_while(units, persons, window)
    order = np.argsort(persons.unit, kind="stable")
    placed = np.argsort(order)
    persons.earlier_of = np.where(persons.earlier_of >= 0, placed[persons.earlier_of], -1)
    return units, People(**{f.name: getattr(persons, f.name)[order] for f in fields(People)})


def _send_away_for_a_while(units: Units, persons: People, window: Window) -> None:
    """One settled family in eighty moves out and back within the window, under the numbers it had (no draw is used up)."""
    settled = (units.kind == FAMILY) & (units.exit == NEVER) & (units.split_on == NEVER) & (units.joined_on == NEVER)
    settled &= (units.enter < window.start - 60) & (units.single == 0) & ~units.foreign
    chosen = np.zeros(len(units), bool)
    chosen[np.flatnonzero(settled)[40::80]] = True
    went = window.start + 500 + np.arange(len(units)) * 37 % 700
    goes = chosen[persons.unit] & (persons.enter < window.start) & (persons.leave == NEVER) & (persons.role != LEFT_PARENT)
    persons.away_from = np.where(goes, went[persons.unit], NEVER)
    persons.away_to = np.where(goes, went[persons.unit] + 150 + persons.unit % 200, NEVER)


def _blank_units(kind: Array) -> Units:
    n = len(kind)
    return Units(
        kind=kind,
        enter=np.full(n, -NEVER),
        exit=np.full(n, NEVER),
        exit_died=np.zeros(n, bool),
        foreign=np.zeros(n, bool),
        family=np.zeros(n, np.int32),
        single=np.zeros(n, np.int8),
        cause=np.full(n, -1, np.int8),
        split_on=np.full(n, NEVER),
        mother_moves=np.zeros(n, bool),
        joined_on=np.full(n, NEVER),
        sealed=np.zeros(n, bool),
        rented=np.zeros(n, bool),
        hardship=np.zeros(n),
        young_mother=np.zeros(n, bool),
        children=np.zeros(n, np.int8),
    )


def _draw_families(rng: np.random.Generator, people: int, window: Window, *, left: bool) -> tuple[Units, Array]:
    """Families and the age of their first child in years (today)."""
    weights = _FIRST_CHILD_AGE * (np.exp(-np.arange(41) / 9) * 3 if left else 1.0)
    expected = people * _FIRST_CHILD_AGE.sum() * (_LEAVERS[FAMILY] if left else 1.0)
    n = max(4, round(expected))
    # Even spacing along the cumulative weights keeps the pyramid of a small city as smooth as that of a large one.
    points = (np.arange(n) + rng.random(n)) / n * weights.sum()
    years = np.searchsorted(np.cumsum(weights), points, side="right").clip(0, 40)
    rng.shuffle(years)
    age = years + rng.random(n)
    units = _blank_units(np.full(n, FAMILY))
    units.children = (pick(rng, _FAMILY_SIZE, n) + 1).astype(np.int8)
    units.young_mother = rng.random(n) < 0.035
    units.hardship = rng.standard_normal(n) + 0.5 * units.young_mother + 0.15 * (units.children >= 3)
    _draw_family_form(rng, units, age, window)
    _draw_coming_and_going(rng, units, age, window, left=left)
    return units, age


def _draw_family_form(rng: np.random.Generator, units: Units, age: Array, window: Window) -> None:
    n = len(units)
    chance = np.clip(0.055 + 0.0085 * age, 0, 0.175) * np.exp(0.35 * units.hardship) * 0.885
    alone = rng.random(n) < chance
    father = alone & (rng.random(n) < 0.105)
    units.single = np.where(father, 2, np.where(alone, 1, 0)).astype(np.int8)
    units.cause = np.where(alone, pick(rng, np.array([0.795, 0.06, 0.095, 0.02, 0.03]), n), -1).astype(np.int8)
    units.hardship += 0.55 * (units.single == 1) + 0.2 * (units.single == 2)
    ended = np.isin(units.cause, (0, 1, 4))
    lately = ended & (rng.random(n) < np.where(age < 9, 0.50, 0.30))
    on = window.start + rng.integers(20, window.today - window.start - 40, n)
    # A family splits after its first child is at least eight months old.
    on = np.maximum(on, (window.today - age * YEAR).astype(np.int64) + 240)
    units.split_on = np.where(lately & (on < window.today - 30), on, NEVER)
    units.mother_moves = rng.random(n) < 0.45
    again = (units.single == 0) & (age > 4) & (age < 17) & (rng.random(n) < 0.022)
    units.joined_on = np.where(again, window.start + rng.integers(120, window.today - window.start - 60, n), NEVER)
    units.sealed = (units.cause == 4) & (rng.random(n) < 0.75)
    units.hardship = (units.hardship - 0.09) / 1.03
    units.rented = rng.random(n) < logistic(-1.0 + 0.9 * units.hardship + 0.9 * (units.single > 0))


def _draw_coming_and_going(rng: np.random.Generator, units: Units, age: Array, window: Window, *, left: bool) -> None:
    n, span = len(units), window.today - window.start
    came = rng.random(n) < np.interp(age, (0, 4, 12, 40), (0.40, 0.30, 0.11, 0.04)) * np.where(units.rented, 1.35, 0.85)
    units.enter = np.where(came, window.start + rng.integers(1, span - 20, n), _long_ago(rng, n, age, window))
    units.foreign = rng.random(n) < 0.017
    if left:
        units.exit = np.maximum(window.start + rng.integers(40, span - 5, n), np.minimum(units.enter + 90, window.today - 5))
        units.split_on = np.where(units.split_on < units.exit - 60, units.split_on, NEVER)
        units.joined_on = np.full(n, NEVER)
    early = np.minimum(units.split_on, units.joined_on) < units.enter + 30
    units.split_on = np.where(early, NEVER, units.split_on)
    units.joined_on = np.where(early, NEVER, units.joined_on)


def _long_ago(rng: np.random.Generator, n: int, age: Array, window: Window) -> Array:
    """A day of arrival before the window: around the first child's birth or the household's youth."""
    arrived: Array = (window.start - 30 - rng.random(n) * YEAR * np.clip(age + 4, 1, 25)).astype(np.int64)
    return arrived


def _shape_special_families(units: Units, age: Array, window: Window) -> None:
    """Make sure that even the smallest city holds each special case once (staying families with school children)."""
    usual = (units.exit == NEVER) & (age > 8) & (age < 14) & (units.children >= 2)
    first = np.flatnonzero(usual)
    if len(first) < 8:
        return
    divorced, remarried, sealed, moved_in, foreign, foreign_alias = (int(i) for i in first[:6])
    middle = (window.start + window.today) // 2
    for u in first[:6]:
        units.single[u], units.cause[u], units.split_on[u], units.joined_on[u] = 0, -1, NEVER, NEVER
        units.enter[u], units.foreign[u], units.sealed[u] = min(units.enter[u], window.start - 800), False, False
    units.single[divorced], units.cause[divorced], units.split_on[divorced], units.mother_moves[divorced] = 1, 0, middle, False
    units.joined_on[remarried] = middle
    units.single[sealed], units.cause[sealed], units.sealed[sealed], units.split_on[sealed], units.mother_moves[sealed] = (
        1,
        4,
        True,
        middle + 200,
        True,
    )
    units.enter[moved_in] = window.today - 150
    units.foreign[foreign] = units.foreign[foreign_alias] = True


def _block(units: Array, role: int, sex: Array | int, birth: Array) -> People:
    n = len(units)
    return People(
        unit=units.astype(np.int64),
        role=np.full(n, role, np.int8),
        sex=np.broadcast_to(np.asarray(sex, np.int8), n).copy(),
        birth=birth.astype(np.int64),
        family=np.zeros(n, np.int32),
        maiden=np.full(n, -1, np.int32),
        given=np.zeros(n, np.int32),
        foreign=np.zeros(n, bool),
        enter=np.full(n, -NEVER),
        leave=np.full(n, NEVER),
        leave_reason=np.zeros(n, np.int8),
        birth_order=np.full(n, -1, np.int8),
        unregistered=np.zeros(n, bool),
        earlier_of=np.full(n, -1),
        away_from=np.full(n, NEVER),
        away_to=np.full(n, NEVER),
    )


def _family_members(rng: np.random.Generator, units: Units, age: Array, window: Window) -> People:
    n, everyone = len(units), np.arange(len(units))
    children = _draw_children(rng, units, age, window)
    first_birth = window.today - (age * YEAR).astype(np.int64)
    at_birth = np.where(units.young_mother, rng.uniform(16.5, 20.5, n), np.clip(rng.normal(30.6, 4.6, n), 20.3, 44))
    mother_birth = first_birth - (at_birth * YEAR).astype(np.int64)
    father_birth = mother_birth - (rng.normal(1.9, 3.4, n).clip(-7, 12) * YEAR).astype(np.int64)
    father_birth = np.minimum(father_birth, first_birth - int(17.5 * YEAR))
    split, joined = units.split_on < NEVER, units.joined_on < NEVER
    mother_here = (units.single != 2) | split
    father_here = (units.single != 1) | split
    fathers, mothers = everyone[father_here], everyone[mother_here]
    father = _block(fathers, HEAD, 1, father_birth[fathers])
    mother = _block(mothers, PARTNER, 2, mother_birth[mothers])
    father.role[:] = np.where(units.single[fathers] == 1, LEFT_PARENT, np.where(joined[fathers], NEW_PARTNER, HEAD))
    mother.role[:] = np.where(units.single[mothers] == 2, LEFT_PARENT, np.where(units.single[mothers] == 1, HEAD, PARTNER))
    for block in (father, mother, children):
        _stay_with_household(block, units)
    father.enter = np.where(joined[fathers], units.joined_on[fathers], father.enter)
    _part(rng, father, units)
    _part(rng, mother, units)
    grand = rng.random(n) < np.where(units.single > 0, 0.16, 0.055)
    grandmother = _block(everyone[grand], GRANDPARENT, 2, (mother_birth - (rng.normal(27.5, 4, n).clip(19, 38) * YEAR))[grand])
    _stay_with_household(grandmother, units)
    grandmother = _keep(grandmother, grandmother.birth > day(1926, 1, 1))
    return concat([father, mother, children, grandmother])


def _keep(block: People, rows: Array) -> People:
    return People(**{f.name: getattr(block, f.name)[rows] for f in fields(People)})


def _stay_with_household(block: People, units: Units) -> None:
    block.enter = np.maximum(units.enter[block.unit], block.birth)
    block.leave = units.exit[block.unit].copy()
    block.leave_reason = np.where(block.leave < NEVER, np.where(units.exit_died[block.unit], DIED, MOVED_OUT), STAYED).astype(
        np.int8
    )


def _part(rng: np.random.Generator, block: People, units: Units) -> None:
    """Parents who left: by death, out of the city (half), or into a household of their own (stay as residents)."""
    gone = block.role == LEFT_PARENT
    death = gone & (units.cause[block.unit] == 1)
    away = gone & ~death & (rng.random(len(block)) < 0.5)
    block.leave = np.where(death | away, units.split_on[block.unit], block.leave)
    block.leave_reason = np.where(death, DIED, np.where(away, MOVED_OUT, block.leave_reason)).astype(np.int8)


def _draw_children(rng: np.random.Generator, units: Units, age: Array, window: Window) -> People:
    blocks = []
    current = age.copy()
    for k in range(4):
        here = np.flatnonzero((units.children > k) & (current > 0.002))
        block = _block(here, CHILD, 1, window.today - (current[here] * YEAR).astype(np.int64))
        block.sex[:] = np.where(rng.random(len(here)) < 0.513, 1, 2)
        block.birth_order[:] = k
        blocks.append(block)
        twin = rng.random(len(units)) < 0.011
        if k == 0:
            twin |= _one_twin_family(units, age)
        current = np.where(twin, current, current - (1.2 + rng.gamma(3, 0.75, len(units))))
    children = concat(blocks)
    children = _keep(children, children.birth < units.exit[children.unit])
    _stay_with_household(children, units)
    _leave_home(rng, children, window)
    children = _keep(children, (children.leave > window.start) & (children.leave > children.enter))
    # No child is born long after the parents split, nor (in this city) to a remarriage of the window.
    return _keep(
        children, (children.birth < units.joined_on[children.unit]) & (children.birth < units.split_on[children.unit] + 200)
    )


def _one_twin_family(units: Units, age: Array) -> Array:
    candidates = np.flatnonzero((units.exit == NEVER) & (age > 6.5) & (age < 11) & (units.children >= 2) & ~units.foreign)
    mask = np.zeros(len(units), bool)
    mask[candidates[-1:]] = True
    return mask


def _leave_home(rng: np.random.Generator, children: People, window: Window) -> None:
    """Grown children leave in the spring after 18 or later; those who left before the window are dropped by the caller."""
    years = (window.today - children.birth) / YEAR
    at_home = np.select([years < 18.7, years < 23, years < 30, years < 35], [1.0, 0.72, 0.5, 0.3], 0.17)
    goes = rng.random(len(children)) >= at_home
    when = children.birth + (rng.uniform(18.4, np.maximum(18.6, np.minimum(years, 30))) * YEAR).astype(np.int64)
    when = np.minimum(when, window.today - 3)
    earlier = goes & (when < children.leave)
    children.leave = np.where(earlier, when, children.leave)
    children.leave_reason = np.where(earlier, MOVED_OUT, children.leave_reason).astype(np.int8)


def _other_households(rng: np.random.Generator, people: int, needed: int, window: Window) -> tuple[Units, People]:
    """Couples and single residents filling the city up to its size, and those of them who left or died within the window."""
    old_couples, old, middle, couples = (max(1, round(people * s)) for s in (0.069, 0.072, 0.042, 0.022))
    young = needed - 2 * old_couples - old - middle - 2 * couples
    counts = {OLD_COUPLE: old_couples, OLD: old, MIDDLE: middle, COUPLE: couples, YOUNG: young}
    if young < 0:
        counts |= {YOUNG: 0, OLD: max(0, old + young)}
    stay = np.concatenate([np.full(c, k) for k, c in counts.items()])
    gone = np.concatenate([np.full(round(c * _LEAVERS[k]), k) for k, c in counts.items()])
    dead = np.full(max(1, round(people * 0.021)), OLD)
    units = _blank_units(np.concatenate([stay, gone, dead]).astype(np.int64))
    left, died = np.arange(len(units)) >= len(stay), np.arange(len(units)) >= len(stay) + len(gone)
    _other_history(rng, units, left, died, window)
    return units, _other_people(rng, units, window)


def _other_history(rng: np.random.Generator, units: Units, left: Array, died: Array, window: Window) -> None:
    n, span = len(units), window.today - window.start
    share = np.select([units.kind == YOUNG, units.kind == COUPLE, units.kind == MIDDLE], [0.46, 0.42, 0.17], 0.035)
    came = rng.random(n) < share
    units.enter = np.where(
        came,
        window.start + rng.integers(1, span - 20, n),
        (window.start - 30 - rng.random(n) ** 2 * 30 * YEAR).astype(np.int64),
    )
    units.exit = np.where(
        left, np.maximum(window.start + rng.integers(30, span - 5, n), np.minimum(units.enter + 60, window.today - 5)), NEVER
    )
    units.exit_died = died
    units.foreign = rng.random(n) < np.where(units.kind == YOUNG, 0.05, 0.01)
    units.hardship = rng.standard_normal(n) + 0.25
    units.rented = rng.random(n) < np.select([units.kind == YOUNG, units.kind == COUPLE], [0.85, 0.7], 0.4)
    weds = (units.kind == COUPLE) & (rng.random(n) < 0.25) & ~left
    on = window.start + rng.integers(100, span - 40, n)
    units.joined_on = np.where(weds & (on > units.enter + 60), on, NEVER)


def _other_people(rng: np.random.Generator, units: Units, window: Window) -> People:
    n = len(units)
    low = np.select([units.kind == YOUNG, units.kind == COUPLE, units.kind == MIDDLE], [19.0, 24.0, 40.0], 65.5)
    high = np.select([units.kind == YOUNG, units.kind == COUPLE, units.kind == MIDDLE], [39.0, 60.0, 64.5], 97.0)
    shape = np.where(low > 60, rng.beta(1.3, 2.1, n), rng.random(n))
    years = np.where(units.exit_died, 65 + 33 * rng.beta(2.6, 1.6, n), low + (high - low) * shape)
    birth = window.today - (years * YEAR).astype(np.int64)
    woman = rng.random(n) < np.where(units.kind == OLD, 0.67, 0.47)
    pair = np.isin(units.kind, (COUPLE, OLD_COUPLE))
    heads = _block(np.arange(n), HEAD, np.where(pair, 1, np.where(woman, 2, 1)), birth)
    partners = _block(np.flatnonzero(pair), PARTNER, 2, (birth + rng.normal(1.9, 3, n) * YEAR)[pair])
    widowed = (units.kind == OLD) & (units.exit == NEVER) & (rng.random(n) < 0.36)
    spouses = _block(
        np.flatnonzero(widowed), LEFT_PARENT, np.where(woman, 1, 2)[widowed], (birth - rng.normal(1.5, 3, n) * YEAR)[widowed]
    )
    for block in (heads, partners, spouses):
        _stay_with_household(block, units)
    spouses.leave = window.start + rng.integers(10, window.today - window.start - 5, len(spouses))
    spouses.leave = np.maximum(spouses.leave, spouses.enter + 5)
    spouses.leave_reason[:] = DIED
    return concat([heads, partners, spouses])


def _give_names(rng: np.random.Generator, units: Units, people: People, book: NameBook) -> None:
    n = len(people)
    units.family = book.draw_family(rng, len(units))
    foreign_families = np.arange(book.foreign_family.start, book.foreign_family.stop)
    units.family = np.where(units.foreign, foreign_families[rng.integers(0, len(foreign_families), len(units))], units.family)
    # Every rare spelling occurs at least once, however small the city.
    plain = np.flatnonzero((units.kind == FAMILY) & (units.exit == NEVER) & ~units.foreign)[-len(book.rare_family) :]
    units.family[plain] = book.rare_family[: len(plain)]
    people.foreign = units.foreign[people.unit]
    people.family = units.family[people.unit].copy()
    year = parts(people.birth)[0]
    people.given = np.where(people.foreign, book.draw_foreign_given(rng, people.sex), book.draw_given(rng, people.sex, year))
    maiden = book.draw_family(rng, n)
    wife = (
        (people.sex == 2)
        & ~people.foreign
        & np.isin(people.role, (HEAD, PARTNER, LEFT_PARENT))
        & np.isin(units.kind[people.unit], (FAMILY, COUPLE, OLD_COUPLE))
    )
    people.maiden = np.where(wife, maiden, -1).astype(np.int32)
    _name_twins_alike(rng, people, book)


def _name_twins_alike(rng: np.random.Generator, people: People, book: NameBook) -> None:
    """A third of twins share the first character of their names; no two siblings share a whole name."""
    kids = np.flatnonzero(people.role == CHILD)
    order = kids[np.lexsort((people.birth_order[kids], people.unit[kids]))]
    before, after = order[:-1], order[1:]
    twins = (people.unit[before] == people.unit[after]) & (people.birth[before] == people.birth[after])
    first = np.array([w[0] for w in book.given.words])
    for a, b in zip(before[twins], after[twins], strict=True):
        alike = rng.random() < 0.35 or people.given[a] == people.given[b]
        if alike and not people.foreign[a]:
            g = people.given[a]
            pool = np.flatnonzero(
                (first == first[g]) & (book.given_sex == people.sex[b]) & (book.given_era == book.given_era[g])
            )
            pool = pool[pool != g]
            people.given[b] = pool[rng.integers(0, len(pool))] if len(pool) else people.given[b]
