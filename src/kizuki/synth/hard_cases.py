"""People who are hard to tell apart, planted on purpose: they decide whether a linking is safe to use.

A twin without a row in the register while the other twin has one; twins whose names differ by one character; different
children of one name, and of one name and birthday; families who moved out and came back under new numbers. The truth folder
tells them all apart (or together).
"""

import itertools
from dataclasses import dataclass, fields

import numpy as np

from kizuki.synth.calendar import NEVER, YEAR, Window, fiscal_year
from kizuki.synth.names import NameBook
from kizuki.synth.population import CHILD, FAMILY, LEFT_PARENT, MOVED_OUT, NEW_PARTNER, Array, People, Units

ABSENT_TWINS = 0.2
"""Share of twin pairs of 0-17 years of which one is missing from the register."""

SOUND_ALIKE_TWINS = 0.15
"""Share of twin pairs whose names differ by one kana, besides those that share a first character."""

RESIDENTS_PER_EARLIER_STAY = 6_000
RESIDENTS_PER_NAMESAKES = 2_500
RESIDENTS_PER_NAMESAKES_OF_ONE_DAY = 10_000
_NEAR_DAYS = 20


def twin_pairs(people: People) -> tuple[Array, Array]:
    """Rows of children born on one day into one household: the one before and the one after, by birth order."""
    kids = np.flatnonzero(people.role == CHILD)
    order = kids[np.lexsort((people.birth_order[kids], people.birth[kids], people.unit[kids]))]
    before, after = order[:-1], order[1:]
    twins = (people.unit[before] == people.unit[after]) & (people.birth[before] == people.birth[after])
    return before[twins], after[twins]


def leave_twins_out_of_the_register(rng: np.random.Generator, units: Units, people: People, window: Window) -> None:
    """One twin of every fifth pair has no row here (the 住民票 stands in another city); a lone pair stays whole."""
    before, after = twin_pairs(people)
    unit = people.unit[before]
    usual = (units.exit[unit] == NEVER) & ~units.foreign[unit] & ~units.sealed[unit]
    usual &= people.birth[before] > window.today - int(17 * YEAR)
    before, after = before[usual], after[usual]
    wanted = max(1, round(len(before) * ABSENT_TWINS)) if len(before) > 1 else 0
    chosen = rng.permutation(len(before))[:wanted]
    people.unregistered[np.where(rng.random(wanted) < 0.5, before[chosen], after[chosen])] = True


@dataclass(frozen=True, slots=True)
class EarlierStays:
    """Households that lived here before, by the household and the people they are the earlier stay of."""

    units: Units
    people: People
    of_unit: Array
    of_person: Array

    def name(self, units: Units, people: People) -> None:
        """Give the earlier stays the names of the later ones; `units` and `people` hold both."""
        unit = np.unique(self.people.unit)
        units.family[unit], units.foreign[unit] = units.family[self.of_unit], units.foreign[self.of_unit]
        rows = np.flatnonzero(people.earlier_of >= 0)
        for name in ("family", "maiden", "given", "foreign"):
            getattr(people, name)[rows] = getattr(people, name)[people.earlier_of[rows]]


def earlier_stays(rng: np.random.Generator, units: Units, people: People, window: Window, *, residents: int) -> EarlierStays:
    """Families who lived here, left, and came back within the window; on their return they got new numbers.

    Positions of the new rows follow those of `units` and `people`.
    """
    came = (units.kind == FAMILY) & (units.exit == NEVER) & (units.split_on == NEVER) & (units.joined_on == NEVER)
    came &= (units.enter > window.start + 300) & (units.enter < window.today - 30) & ~units.foreign & ~units.sealed
    gap = rng.integers(60, 250, len(units))
    grown = np.isin(np.arange(len(units)), _with_child_before(people, units.enter - gap - 200))
    pool = np.flatnonzero(came & grown & (units.enter != window.today - 150))
    of_unit = np.sort(rng.permutation(pool)[: max(1, residents // RESIDENTS_PER_EARLIER_STAY)])
    then = Units(**{f.name: getattr(units, f.name)[of_unit] for f in fields(Units)})
    then.exit = units.enter[of_unit] - gap[of_unit]
    then.enter = then.exit - rng.integers(500, 3000, len(of_unit))
    position = np.full(len(units), -1)
    position[of_unit] = np.arange(len(of_unit))
    there = (position[people.unit] >= 0) & ~people.unregistered & ~np.isin(people.role, (LEFT_PARENT, NEW_PARTNER))
    there &= people.birth < then.exit[np.maximum(position[people.unit], 0)] - 30 if len(of_unit) else False
    of_person = np.flatnonzero(there)
    block = People(**{f.name: getattr(people, f.name)[of_person] for f in fields(People)})
    stay = position[block.unit]
    block.enter, block.leave = np.maximum(then.enter[stay], block.birth), then.exit[stay].copy()
    block.leave_reason = np.full(len(of_person), MOVED_OUT, np.int8)
    block.unit, block.earlier_of = len(units) + stay, of_person
    return EarlierStays(then, block, of_unit, of_person)


def _with_child_before(people: People, days: Array) -> Array:
    """Units with a child born before the unit's day."""
    kids = np.flatnonzero((people.role == CHILD) & (people.birth < days[people.unit]))
    units: Array = np.unique(people.unit[kids])
    return units


def name_alike(
    rng: np.random.Generator, units: Units, people: People, book: NameBook, *, window: Window, residents: int
) -> None:
    """Twins that sound alike, children of one name, children of one name and birthday (changes names and a few birthdays)."""
    _twins_sound_alike(rng, people, book)
    pool = _nameable(rng, units, people, book, window)
    used: set[int] = set()
    near = pool[np.lexsort((people.birth[pool], people.sex[pool]))]
    near_pairs = [(a, b) for a, b in itertools.pairwise(near) if abs(people.birth[a] - people.birth[b]) <= _NEAR_DAYS]
    wanted = max(1, residents // RESIDENTS_PER_NAMESAKES_OF_ONE_DAY)
    for a, b in _named_alike(rng, units, people, near_pairs, used, wanted=wanted):
        _born_on(people, b, int(people.birth[a]))
    school_year = fiscal_year(people.birth[pool] - 1)
    year = pool[np.lexsort((rng.random(len(pool)), school_year, people.sex[pool]))]
    same_year = fiscal_year(people.birth[year[:-1]] - 1) == fiscal_year(people.birth[year[1:]] - 1)
    year_pairs = list(zip(year[:-1][same_year], year[1:][same_year], strict=True))
    _named_alike(rng, units, people, year_pairs, used, wanted=max(2, residents // RESIDENTS_PER_NAMESAKES))


def _nameable(rng: np.random.Generator, units: Units, people: People, book: NameBook, window: Window) -> Array:
    """One child of 1-17 of every plain family that lives here, without twins."""
    before, after = twin_pairs(people)
    plain = (units.kind == FAMILY) & (units.exit == NEVER) & (units.split_on == NEVER) & (units.joined_on == NEVER)
    plain &= ~units.foreign & ~units.sealed & ~np.isin(units.family, (*book.rare_family, *book.marked_family))
    kids = (people.role == CHILD) & plain[people.unit] & (people.leave == NEVER) & (people.birth < window.today - 400)
    kids &= (people.birth > window.today - int(17 * YEAR)) & ~np.isin(np.arange(len(people)), np.concatenate([before, after]))
    rows = rng.permutation(np.flatnonzero(kids))
    rows = rows[np.unique(people.unit[rows], return_index=True)[1]]
    return np.sort(rows)


def _named_alike(
    rng: np.random.Generator,
    units: Units,
    people: People,
    pairs: list[tuple[int, int]],
    used: set[int],
    *,
    wanted: int,
) -> list[tuple[int, int]]:
    """The second child of each chosen pair, with its household, takes the name of the first."""
    done: list[tuple[int, int]] = []
    for k in rng.permutation(len(pairs)):
        a, b = (int(row) for row in pairs[k])
        household = np.flatnonzero(people.unit == people.unit[b])
        if len(done) == wanted:
            break
        if people.sex[a] != people.sex[b] or {a, b} & used or people.given[a] in people.given[household]:
            continue
        bearers = household[people.family[household] == units.family[people.unit[b]]]
        people.family[bearers] = units.family[people.unit[b]] = units.family[people.unit[a]]
        people.given[b] = people.given[a]
        used |= {a, b}
        done.append((a, b))
    return done


def _born_on(people: People, row: int, day: int) -> None:
    """Move a birthday by some days; a child born here is entered on it."""
    born_here = people.enter[row] == people.birth[row]
    people.birth[row] = day
    people.enter[row] = day if born_here else max(int(people.enter[row]), day)


def _twins_sound_alike(rng: np.random.Generator, people: People, book: NameBook) -> None:
    before, after = twin_pairs(people)
    kana = book.given_kana.words
    first = True
    for a, b in zip(before.tolist(), after.tolist(), strict=True):
        if people.foreign[a] or not (first or rng.random() < SOUND_ALIKE_TWINS):
            continue
        own = np.flatnonzero((book.given_sex == people.sex[b]) & (book.given_era == book.given_era[people.given[a]]))
        pool = [int(g) for g in own if _one_apart(kana[g], kana[people.given[a]])]
        siblings = set(people.given[people.unit == people.unit[b]].tolist())
        pool = [g for g in pool if g not in siblings]
        if pool:
            people.given[b] = pool[int(rng.integers(0, len(pool)))]
            first = False


def _one_apart(one: str, other: str) -> bool:
    """Whether two readings of equal length differ in exactly one character, or one is the other with its last one gone."""
    if len(one) == len(other):
        return sum(x != y for x, y in zip(one, other, strict=True)) == 1
    return abs(len(one) - len(other)) == 1 and (one.startswith(other) or other.startswith(one))
