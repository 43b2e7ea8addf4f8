"""A hundred random nights of deliveries, corrections, withdrawals and words: only who was touched changes, events replay."""

import datetime as dt
import random
from typing import Any

import pyarrow as pa

from kizuki.engine.keys import KeyRing
from kizuki.engine.tables import empty
from kizuki.link.master import KeyMaster, LinkOutcome, no_events
from kizuki.link.matching import Matching
from kizuki.link.tables import REVIEW_PAIR
from kizuki.link.words import Ref
from kizuki.terms.errors import InputRefused
from tests.unit.link_people import REGISTER

FIRST = dt.date(2026, 4, 1)
NIGHTS = 100
KEYS = KeyRing(b"n" * 32)
ASSIGNMENT = pa.schema(
    [pa.field(n, pa.float64() if n == "weight" else pa.string()) for n in
     ("source", "record_id", "anchor_source", "anchor_id", "rule", "weight", "state", "evidence")]
)  # fmt: skip
Truth = dict[Ref, str]


class City:
    """Who each record names, as the offices have it tonight: a resident (`R…`), a stranger (`S…`)."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.named: Truth = {(REGISTER, f"R{n}"): f"R{n}" for n in range(12)}
        self.taken_out: list[tuple[Ref, str]] = []
        self.serial = 0
        for _ in range(30):
            self.deliver()

    def deliver(self) -> set[Ref]:
        """A new record of some office."""
        self.serial += 1
        ref = (self.chance.choice(["childcare", "after_school_care", "cafeteria"]), f"X{self.serial:03d}")
        residents = [r[1] for r in self.named if r[0] == REGISTER]
        self.named[ref] = self.chance.choice([*residents, *(f"S{n}" for n in range(8))])
        return {ref}

    def move_in(self) -> set[Ref]:
        """A new resident, sometimes one whom offices knew as a stranger."""
        self.serial += 1
        ref = (REGISTER, f"R{self.serial + 100}")
        self.named[ref] = ref[1]
        known = [r for r, who in self.named.items() if who == f"S{self.serial % 8}"]
        self.named.update(dict.fromkeys(known, ref[1]))
        return {ref, *known}

    def correct(self) -> set[Ref]:
        """A record was somebody else's all along."""
        ref = self.chance.choice([r for r in self.named if r[0] != REGISTER])
        self.named[ref] = self.chance.choice(list(self.named.values()))
        return {ref}

    def withdraw(self) -> set[Ref]:
        """A delivery is taken back: a record is gone."""
        ref = self.chance.choice(list(self.named))
        self.taken_out.append((ref, self.named.pop(ref)))
        return {ref}

    def restore(self) -> set[Ref]:
        """What was taken back last is delivered again."""
        if not self.taken_out:
            return set()
        ref, who = self.taken_out.pop()
        self.named[ref] = who
        return {ref}

    def matching(self) -> Matching:
        """What the passes would find: records of a resident at that resident, strangers by their name."""
        groups: dict[str, list[Ref]] = {}
        for ref, who in sorted(self.named.items()):
            groups.setdefault(who, []).append(ref)
        rows: list[dict[str, Any]] = []
        for who, refs in groups.items():
            anchor = next((r for r in refs if r[0] == REGISTER), refs[0])
            for ref in refs:
                state, rule = ("single", "single") if len(refs) == 1 and anchor[0] != REGISTER else ("auto", "test")
                rows.append(
                    dict.fromkeys(ASSIGNMENT.names)
                    | {"source": ref[0], "record_id": ref[1], "anchor_source": anchor[0], "anchor_id": anchor[1]}
                    | {"rule": "register" if ref == (REGISTER, who) else rule, "state": state}
                )
        self.chance.shuffle(rows)
        return Matching(pa.Table.from_pylist(rows, ASSIGNMENT), empty(REVIEW_PAIR))


def say(city: City, master: KeyMaster, day: dt.date) -> tuple[KeyMaster, set[Ref]]:
    """A reviewer says something about two records, or takes something back; a contradiction is refused and changes nothing."""
    words = master.standing_words()
    if words and city.chance.random() < 0.4:
        pair, answer = city.chance.choice(words).pair, "withdrawn"
    else:
        one, other = city.chance.sample(sorted(city.named), 2)
        pair, answer = (one, other), city.chance.choice(["same", "different", "hold"])
    try:
        event = master.decide(pair[0], pair[1], answer, night=day, actor="審査者1", reason="検査")
    except InputRefused as refused:
        assert refused.code == "K320"
        return master, set()
    after = master.plus(event)
    touched = set(pair)
    for ref in pair:  # what is said of a record is said of everyone said to be the same person
        touched |= {*master.bonds.members(ref), *after.bonds.members(ref)}
    return after, touched


def persons(outcome: LinkOutcome) -> Truth:
    return {(r["source"], r["record_id"]): r["person_id"] for r in outcome.link.to_pylist()}


def links(table: pa.Table) -> list[dict[str, Any]]:
    return table.select(["source", "record_id", "person_id", "rule", "state"]).to_pylist()


class Replay:
    """The key master's state kept by hand, event by event: what the queries must agree with."""

    def __init__(self) -> None:
        self.rows: dict[Ref, dict[str, Any]] = {}

    def take(self, events: pa.Table) -> None:
        """One night's events on top."""
        for e in events.to_pylist():
            ref = (e["source"], e["record_id"])
            if e["kind"] == "unlink":
                assert self.rows.pop(ref)["person_id"] == e["person_id"]
            elif e["kind"] == "link":
                self.rows[ref] = {k: e[k] for k in ("source", "record_id", "person_id", "rule", "state")}

    def links(self) -> list[dict[str, Any]]:
        """One row per record, by record."""
        return [self.rows[r] for r in sorted(self.rows)]


def test_over_a_hundred_random_nights_only_who_was_touched_changes() -> None:
    chance = random.Random(20261126)
    city, master, replay = City(chance), KeyMaster(no_events()), Replay()
    known: Truth = {}
    days: list[tuple[dt.date, list[dict[str, Any]]]] = []
    said, still, moved = 0, 0, 0
    for n in range(NIGHTS):
        day, named = FIRST + dt.timedelta(days=n), dict(city.named)
        touched: set[Ref] = set()
        for _ in range(chance.randint(0, 3)):
            touched |= chance.choice([city.deliver, city.move_in, city.correct, city.withdraw, city.restore])()
        if chance.random() < 0.6:
            master, about = say(city, master, day)
            said += bool(about)
            touched |= about
        outcome = master.reconcile(city.matching(), KEYS, day, "v1")
        master = master.plus(outcome.events)
        replay.take(outcome.events)
        now = persons(outcome)
        assert set(now) == set(city.named)
        stirred = _reach(touched, [known, now, named, dict(city.named), {r: master.bonds.root(r) for r in now}])
        for ref in known.keys() - stirred:
            assert now[ref] == known[ref], "a person nobody touched has changed"
        still, moved = still + len(known.keys() - stirred), moved + len(stirred)
        _nobody_forbidden_is_together(master, now)
        assert replay.links() == links(outcome.link)
        assert master.reconcile(city.matching(), KEYS, day, "v1").events.num_rows == 0
        assert set(master.redirects()).isdisjoint(now.values())
        known = now
        days.append((day, links(outcome.link)))
    assert said > NIGHTS // 5
    assert still > moved  # the claim about the untouched is about most records
    assert master.events["seq"].to_pylist() == list(range(1, master.last_seq + 1))
    for day, then in days[::9]:
        assert links(master.as_of(day).links()) == then


def _reach(touched: set[Ref], sames: list[Any]) -> set[Ref]:
    """Records tied to a touched one: of one person before or after, of one name in the offices, or said to be the same."""
    groups: dict[tuple[int, Any], set[Ref]] = {}
    for place, same in enumerate(sames):
        for ref, name in same.items():
            groups.setdefault((place, name), set()).add(ref)
    reached, waiting = set(touched), list(touched)
    while waiting:
        ref = waiting.pop()
        for place, same in enumerate(sames):
            fresh = groups[(place, same[ref])] - reached if ref in same else set()
            reached |= fresh
            waiting += fresh
    return reached


def _nobody_forbidden_is_together(master: KeyMaster, now: Truth) -> None:
    bonds = master.bonds
    residents: dict[str, list[Ref]] = {}
    for ref, person in now.items():
        if ref[0] == REGISTER:
            residents.setdefault(person, []).append(ref)
    for refs in residents.values():
        assert len({bonds.root(r) for r in refs}) == 1, "two residents joined without a word about them"
    for one, other in bonds.foes():
        pairs = [(a, b) for a in bonds.members(one) for b in bonds.members(other) if a in now and b in now]
        assert all(now[a] != now[b] for a, b in pairs), "people said these are two people"
    for members in bonds.groups():
        here = [m for m in members if m in now]
        assert len({now[m] for m in here}) <= 1, "people said these are one person"
