"""What happened to whom and when, as the resident register sees it: births, moves, divorces, remarriages, deaths, name changes.

Events are drawn for whole groups at once; a person's state after each is filled forward: one register row per event.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from kizuki.synth.calendar import NEVER, YEAR, Window
from kizuki.synth.draws import Streams
from kizuki.synth.names import NameBook
from kizuki.synth.places import Addresses, draw_addresses
from kizuki.synth.population import (
    CHILD,
    COUPLE,
    DIED,
    FAMILY,
    GRANDPARENT,
    HEAD,
    LEFT_PARENT,
    MOVED_OUT,
    NEW_PARTNER,
    PARTNER,
    People,
    Units,
)

Array = npt.NDArray[Any]

REASONS = ("出生", "転入", "転居", "転出", "死亡", "婚姻", "離婚", "氏名変更", "世帯変更", "職権")
BORN, MOVED_IN, MOVED_WITHIN, OUT, DEAD, MARRIED, DIVORCED, RENAMED, HOUSEHOLD_CHANGED, BY_OFFICE = range(10)
RELATIONS = ("世帯主", "妻", "夫", "子", "父", "母", "妻の子", "縁故者", "同居人")
R_HEAD, R_WIFE, R_HUSBAND, R_CHILD, R_FATHER, R_MOTHER, R_WIFES_CHILD, R_RELATIVE, R_LODGER = range(9)
RESIDENT, LEFT, DECEASED = 1, 2, 3

_FILLED = ("household", "address", "family", "relation", "status", "restraint", "previous", "next")


@dataclass
class Register:
    """One row per person and event: the person's state from `changed_on` on (sorted by person and day)."""

    person: Array
    changed_on: Array
    processed_on: Array
    reason: Array
    household: Array
    address: Array
    family: Array
    relation: Array
    status: Array
    restraint: Array
    previous: Array  # position in the list of other cities' addresses, -1
    next: Array
    resident_from: Array
    addresses: Addresses
    households: int
    rng_tag: str = "register"
    _keys: Array = field(default_factory=lambda: np.zeros(0, np.int64))

    def __len__(self) -> int:
        return len(self.person)

    def at(self, persons: Array, days: Array | int) -> Array:
        """Row in force for each person on a day (the first row for days before it)."""
        if not len(self._keys):
            self._keys = self.person.astype(np.int64) * 4_000_000 + self.changed_on + 1_000_000
        wanted = np.asarray(persons, np.int64) * 4_000_000 + np.asarray(days, np.int64) + 1_000_000
        rows = np.searchsorted(self._keys, wanted, side="right") - 1
        first = np.searchsorted(self.person, persons, side="left")
        return np.maximum(rows, first)


class _Events:
    """Collects events of many people; −1 means the attribute stays as it was."""

    def __init__(self, people: People) -> None:
        self.people = people
        self.rows: list[dict[str, Array]] = []

    def add(self, persons: Array, days: Array, reason: int | Array, **changes: Array | int) -> None:
        """Events of people who live in the city on the day before (arrivals and departures pass as given)."""
        n = len(persons)
        row: dict[str, Array] = {"person": persons, "day": np.broadcast_to(days, n), "reason": np.broadcast_to(reason, n)}
        for name in _FILLED:
            row[name] = np.broadcast_to(np.asarray(changes.get(name, -1)), n)
        self.rows.append(row)

    def add_present(self, persons: Array, days: Array, reason: int, **changes: Array | int) -> None:
        """Events only of those who are residents on the day."""
        here = (self.people.enter[persons] < days) & (self.people.leave[persons] > days) & (days < NEVER)
        here &= ~self.people.away_on(persons, days)
        kept = {k: (v[here] if isinstance(v, np.ndarray) else v) for k, v in changes.items()}
        self.add(persons[here], days[here], reason, **kept)


@dataclass
class _Plan:
    """Positions of addresses and households per unit, before any state is written."""

    moves: list[tuple[Array, Array]]  # (day, address) per unit, in order of time
    split_address: Array
    split_household: Array
    prior_address: Array
    prior_household: Array
    reverts: Array


def draw_register(units: Units, people: People, streams: Streams, window: Window, book: NameBook) -> Register:
    """The register's rows; also completes `people` (in-city pasts of new partners, their family names)."""
    rng = streams.of("life events")
    plan, addresses = _plan(rng, units, window)
    _pasts_of_partners(rng, units, people, book)
    events = _Events(people)
    _arrivals(rng, events, units, people, plan)
    _moves(events, units, people, plan)
    _splits(rng, events, units, people, plan)
    _joinings(rng, events, units, people, plan)
    _departures(rng, events, units, people)
    _returns(events, people, plan)
    return _fill(rng, events, people, addresses, households=3 * len(units))


def _plan(rng: np.random.Generator, units: Units, window: Window) -> tuple[_Plan, Addresses]:
    n, span = len(units), window.today - window.start
    rate = (
        0.145
        * np.where(units.rented, 1.7, 0.45)
        * np.exp(0.42 * units.hardship)
        * np.where(np.isin(units.kind, (FAMILY, COUPLE)), 1.15, 0.6)
    )
    count = rng.poisson(rate).clip(0, 3)
    days = np.sort(window.start + rng.integers(20, span - 5, (n, 3)), axis=1)
    moves = []
    for k in range(3):
        ok = (count > k) & (days[:, k] > units.enter + 60) & (days[:, k] < units.exit - 20)
        ok &= np.abs(days[:, k] - units.split_on) > 20
        moves.append((np.where(ok, days[:, k], NEVER), np.arange(n) + (k + 1) * n))
    # base, three moves, the address after a split, the address before a marriage
    addresses = draw_addresses(rng, 6 * n)
    addresses.building = np.where(
        np.tile(units.rented, 6), np.maximum(addresses.building, addresses.room % 10), addresses.building
    )
    base = np.arange(n)
    reverts = np.isin(units.cause, (0, 4)) & (rng.random(n) < 0.6)
    reverts |= (units.split_on < NEVER) & (base < 50)
    return _Plan(moves, base + 4 * n, base + n, base + 5 * n, base + 2 * n, reverts), addresses


def _pasts_of_partners(rng: np.random.Generator, units: Units, people: People, book: NameBook) -> None:
    """Half of those who marry into a household lived in the city before; husbands keep their own family name."""
    partner = people.role == NEW_PARTNER
    partner |= (people.role == PARTNER) & (units.kind[people.unit] == COUPLE) & (units.joined_on[people.unit] < NEVER)
    came = units.joined_on[people.unit]
    local = partner & (rng.random(len(people)) < 0.5)
    before = np.maximum(came - (rng.uniform(1, 12, len(people)) * YEAR).astype(np.int64), people.birth)
    people.enter = np.where(local, before, np.where(partner, came, people.enter))
    own = book.draw_family(rng, len(people))
    people.family = np.where(partner & ~people.foreign & (people.role == NEW_PARTNER), own, people.family).astype(np.int32)


def _unit_at(units: Units, plan: _Plan, unit: Array, days: Array) -> tuple[Array, Array]:
    """Household and address of the unit's main line on a day."""
    household, address = unit.copy(), unit.copy()
    for day_of_move, moved_to in plan.moves:
        address = np.where(day_of_move[unit] <= days, moved_to[unit], address)
    apart = (units.split_on[unit] <= days) & units.mother_moves[unit] & (units.single[unit] == 1)
    later = np.zeros(len(unit), bool)
    for day_of_move, _ in plan.moves:
        later |= (day_of_move[unit] <= days) & (day_of_move[unit] > units.split_on[unit])
    address = np.where(apart & ~later, plan.split_address[unit], address)
    return np.where(apart, plan.split_household[unit], household), address


def _arrivals(rng: np.random.Generator, events: _Events, units: Units, people: People, plan: _Plan) -> None:
    persons, unit = np.arange(len(people)), people.unit
    household, address = _unit_at(units, plan, unit, people.enter)
    weds = units.joined_on[unit] < NEVER
    outside = ((people.role == NEW_PARTNER) | ((people.role == PARTNER) & (units.kind[unit] == COUPLE))) & weds
    local = outside & (people.enter < units.joined_on[unit])
    household = np.where(local, plan.prior_household[unit], household)
    address = np.where(local, plan.prior_address[unit], address)
    relation = _first_relation(units, people)
    relation = np.where(local, R_HEAD, np.where(outside & (people.role == NEW_PARTNER), R_HEAD, relation))
    # A bride of the window bears her own name until the marriage.
    family = np.where(local & (people.role == PARTNER) & (people.maiden >= 0), people.maiden, people.family)
    born = people.enter == people.birth
    previous = np.where(born, -1, (unit * 7) % 300)
    sealed = units.sealed[unit] & (units.split_on[unit] == NEVER) & (people.role != LEFT_PARENT)
    events.add(
        persons,
        people.enter,
        np.where(born, BORN, MOVED_IN),
        household=household,
        address=address,
        family=family,
        relation=relation,
        status=RESIDENT,
        restraint=sealed.astype(np.int64),
        previous=previous,
    )
    del rng


def _first_relation(units: Units, people: People) -> Array:
    unit, role = people.unit, people.role
    split = units.split_on[unit] < NEVER
    family = units.kind[unit] == FAMILY
    remarries = family & (units.joined_on[unit] < NEVER)
    wife = (role == PARTNER) & ~remarries
    wife |= family & split & (people.sex == 2) & np.isin(role, (HEAD, LEFT_PARENT))
    widow = ~family & (people.sex == 2) & (role == HEAD) & _has_departed_husband(units, people)
    wife |= widow | (~family & (role == LEFT_PARENT) & (people.sex == 2))
    out = np.where(wife, R_WIFE, R_HEAD)
    out = np.where(role == CHILD, R_CHILD, out)
    return np.where(role == GRANDPARENT, np.where(people.birth % 23 == 0, R_RELATIVE, R_MOTHER), out)


def _has_departed_husband(units: Units, people: People) -> Array:
    with_husband = np.zeros(len(units), bool)
    with_husband[people.unit[(people.role == LEFT_PARENT) & (people.sex == 1)]] = True
    return with_husband[people.unit]


def _moves(events: _Events, units: Units, people: People, plan: _Plan) -> None:
    for day_of_move, moved_to in plan.moves:
        when = day_of_move[people.unit]
        apart = (people.role == LEFT_PARENT) | _stays_with_father(units, people)
        follows = (when < NEVER) & ~(apart & (when > units.split_on[people.unit]))
        follows &= ~(
            (units.joined_on[people.unit] < NEVER)
            & np.isin(people.role, (NEW_PARTNER, PARTNER))
            & (when <= units.joined_on[people.unit])
            & (people.enter < units.joined_on[people.unit])
            & ((people.role == NEW_PARTNER) | (units.kind[people.unit] == COUPLE))
        )
        persons = np.flatnonzero(follows)
        events.add_present(persons, when[persons], MOVED_WITHIN, address=moved_to[people.unit[persons]])


def _splits(rng: np.random.Generator, events: _Events, units: Units, people: People, plan: _Plan) -> None:
    unit, role = people.unit, people.role
    when = units.split_on[unit]
    divorce = (when < NEVER) & (units.cause[unit] != 1)
    mothers_line = (units.single[unit] == 1) & np.isin(role, (HEAD, CHILD, GRANDPARENT)) & ~_stays_with_father(units, people)
    moving = divorce & mothers_line & units.mother_moves[unit]
    # One visit to the counter: the divorce and the return to the former name make one row.
    reverting = np.where(_reverting_mothers(units, people, plan), people.maiden, -1)
    for who, relation in ((role == HEAD, R_HEAD), (role == CHILD, R_CHILD), (role == GRANDPARENT, R_MOTHER)):
        persons = np.flatnonzero(moving & who)
        reason = DIVORCED if relation == R_HEAD else MOVED_WITHIN
        u = unit[persons]
        name = reverting[persons] if relation == R_HEAD else -1
        events.add_present(
            persons,
            when[persons],
            reason,
            household=plan.split_household[u],
            address=plan.split_address[u],
            relation=relation,
            family=name,
        )
    staying = np.flatnonzero((when < NEVER) & mothers_line & ~moving & (role == HEAD))
    death = units.cause[unit[staying]] == 1
    events.add_present(staying[~death], when[staying[~death]], DIVORCED, relation=R_HEAD, family=reverting[staying[~death]])
    events.add_present(staying[death], when[staying[death]] + 1, HOUSEHOLD_CHANGED, relation=R_HEAD)
    parting = np.flatnonzero(divorce & (role == LEFT_PARENT) & ~(units.mother_moves[unit] & (units.single[unit] == 1)))
    u = unit[parting]
    events.add_present(
        parting, when[parting], DIVORCED, household=plan.split_household[u], address=plan.split_address[u], relation=R_HEAD
    )
    _children_follow(rng, events, units, people, plan)
    sealed = np.flatnonzero(units.sealed[unit] & (when < NEVER) & (role != LEFT_PARENT))
    events.add_present(sealed, when[sealed] + 38, BY_OFFICE, restraint=1)
    widowed = np.flatnonzero(
        (units.kind[unit] != FAMILY) & (role == HEAD) & (people.sex == 2) & _has_departed_husband(units, people)
    )
    husband_gone = np.full(len(units), NEVER)
    husband = (role == LEFT_PARENT) & (units.kind[unit] != FAMILY)
    husband_gone[unit[husband]] = people.leave[husband]
    events.add_present(widowed, husband_gone[unit[widowed]], HOUSEHOLD_CHANGED, relation=R_HEAD)


def _stays_with_father(units: Units, people: People) -> Array:
    """First children who stay in the father's household when the mother moves out with their brothers and sisters.

    One divorce in six of those where both parents live on in the city; never where there is a 支援措置 (no draw is used up).
    """
    unit = people.unit
    father = np.zeros(len(units), bool)
    father[unit[(people.role == LEFT_PARENT) & (people.sex == 1) & (people.leave == NEVER)]] = True
    siblings = np.bincount(unit[people.role == CHILD], minlength=len(units)) > 1
    parted = (units.split_on < NEVER) & (units.single == 1) & units.mother_moves & (units.cause == 0) & ~units.sealed
    chosen = np.zeros(len(units), bool)
    chosen[np.flatnonzero(parted & father & siblings & (units.exit == NEVER))[::6]] = True
    out: Array = chosen[unit] & (people.role == CHILD) & (people.birth_order == 0)
    return out


def _reverting_mothers(units: Units, people: People, plan: _Plan) -> Array:
    """Mothers who return to their former family name at the divorce."""
    reverts = plan.reverts & (units.split_on < NEVER) & (units.single == 1)
    out: Array = reverts[people.unit] & ~people.foreign & (people.role == HEAD) & (people.maiden >= 0)
    return out


def _children_follow(rng: np.random.Generator, events: _Events, units: Units, people: People, plan: _Plan) -> None:
    """Children take the mother's name one to seven months later (民法 791条), in three families of four."""
    unit = people.unit
    mothers = np.flatnonzero(_reverting_mothers(units, people, plan))
    maiden = np.full(len(units), -1)
    maiden[unit[mothers]] = people.maiden[mothers]
    follow = (rng.random(len(units)) < 0.75) | (np.arange(len(units)) < 50)
    later = rng.integers(35, 220, len(units))
    kids = np.flatnonzero((people.role == CHILD) & (maiden[unit] >= 0) & follow[unit] & ~_stays_with_father(units, people))
    events.add_present(kids, units.split_on[unit[kids]] + later[unit[kids]], RENAMED, family=maiden[unit[kids]])


def _joinings(rng: np.random.Generator, events: _Events, units: Units, people: People, plan: _Plan) -> None:
    unit, role = people.unit, people.role
    when = units.joined_on[unit]
    weds = when < NEVER
    local = weds & (people.enter < when) & ((role == NEW_PARTNER) | ((role == PARTNER) & (units.kind[unit] == COUPLE)))
    persons = np.flatnonzero(local)
    household, address = _unit_at(units, plan, unit[persons], when[persons])
    bride = role[persons] == PARTNER
    family = np.where(bride, units.family[unit[persons]], -1)
    relation = np.where(bride, R_WIFE, R_HEAD)
    events.add_present(persons, when[persons], MARRIED, household=household, address=address, relation=relation, family=family)
    husband = np.full(len(units), -1)
    grooms = np.flatnonzero(role == NEW_PARTNER)
    husband[unit[grooms]] = people.family[grooms]
    wives = np.flatnonzero(weds & (role == PARTNER) & (units.kind[unit] == FAMILY) & (husband[unit] >= 0))
    events.add_present(wives, when[wives], MARRIED, relation=R_WIFE, family=husband[unit[wives]])
    adopts = rng.random(len(units)) < 0.65
    kids = np.flatnonzero(weds & (role == CHILD) & (husband[unit] >= 0))
    events.add_present(kids, when[kids], HOUSEHOLD_CHANGED, relation=R_WIFES_CHILD)
    adopted = kids[adopts[unit[kids]]]
    events.add_present(adopted, when[adopted] + 30, RENAMED, relation=R_CHILD, family=husband[unit[adopted]])


def _departures(rng: np.random.Generator, events: _Events, units: Units, people: People) -> None:
    gone = np.flatnonzero(people.leave < NEVER)
    dead = people.leave_reason[gone] == DIED
    events.add(gone[dead], people.leave[gone[dead]], DEAD, status=DECEASED)
    out = gone[people.leave_reason[gone] == MOVED_OUT]
    events.add(out, people.leave[out], OUT, status=LEFT, next=(people.unit[out] * 11 + people.role[out] % 2) % 300)
    del rng, units


def _returns(events: _Events, people: People, plan: _Plan) -> None:
    """Families that move out and come back to another home of the city: the same persons under the same numbers."""
    persons = np.flatnonzero(people.away_from < NEVER)
    unit = people.unit[persons]
    events.add(persons, people.away_from[persons], OUT, status=LEFT, next=unit * 11 % 300)
    events.add(
        persons,
        people.away_to[persons],
        MOVED_IN,
        address=plan.prior_address[unit],
        status=RESIDENT,
        previous=unit * 11 % 300,
    )


def _fill(rng: np.random.Generator, events: _Events, people: People, addresses: Addresses, *, households: int) -> Register:
    table = {name: np.concatenate([r[name] for r in events.rows]).astype(np.int64) for name in events.rows[0]}
    order = np.lexsort((np.arange(len(table["person"])), table["day"], table["person"]))
    table = {name: column[order] for name, column in table.items()}
    here = np.arange(len(order))
    for name in _FILLED:
        table[name] = (
            table[name][np.maximum.accumulate(np.where(table[name] >= 0, here, 0))]
            if name not in ("previous", "next")
            else table[name]
        )
    first = np.r_[True, table["person"][1:] != table["person"][:-1]]
    for name in ("previous", "next"):
        known = np.where(first | (table[name] >= 0), here, 0)
        table[name] = table[name][np.maximum.accumulate(known)]
    lag = rng.integers(0, 14, len(order)) * (rng.random(len(order)) < 0.6)
    # An office processes one person's changes in the order they happened.
    processed = table["day"] + np.where(first, lag, 0)
    keys = table["person"] * 4_000_000 + 1_000_000 + processed + np.where(first, 0, lag // 3)
    processed = np.maximum.accumulate(keys) % 4_000_000 - 1_000_000
    return Register(
        person=table["person"],
        changed_on=table["day"],
        processed_on=processed,
        reason=table["reason"],
        household=table["household"],
        address=table["address"],
        family=table["family"],
        relation=table["relation"],
        status=table["status"],
        restraint=table["restraint"],
        previous=table["previous"],
        next=table["next"],
        resident_from=np.where(
            table["day"] >= people.away_to[table["person"]], people.away_to[table["person"]], people.enter[table["person"]]
        ),
        addresses=addresses,
        households=households,
    )
