"""What must hold for any city and any night: no residents joined, no differing numbers joined, no order, no drift of ids."""

import datetime as dt
import random
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Any

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from kizuki.definitions.linkage import Linkage, load
from kizuki.engine.keys import KeyRing
from kizuki.link.master import KeyMaster, no_events
from kizuki.link.matching import Context, Matching, match_records
from tests.unit.link_people import NIGHT, REGISTER, number, record, resident, table

KEYS = KeyRing(b"g" * 32)
FAMILIES = [("佐藤", "サトウ"), ("斉藤", "サイトウ"), ("西", "ニシ")]
GIVENS = [("陽菜", "ヒナ"), ("陽奈", "ヒナ"), ("蓮", "レン"), ("怜", "レイ"), ("陽奈乃", "ヒナノ")]
BIRTHS = [dt.date(2016, 5, 3), dt.date(2016, 3, 5), dt.date(2015, 5, 3)]
HOMES: list[dict[str, Any]] = [
    {},
    {"town_key": "本町", "block_key": "1", "postcode": "5940001"},
    {"town_key": "東", "block_key": "2"},
]


@cache
def linkage() -> Linkage:
    return load(Path(__file__).resolve().parents[2] / "definitions" / "base" / "linkage")["linkage"]


@st.composite
def people(draw: st.DrawFn) -> dict[str, Any]:
    family, given_name = draw(st.sampled_from(FAMILIES)), draw(st.sampled_from(GIVENS))
    fields: dict[str, Any] = dict(draw(st.sampled_from(HOMES)))
    fields |= {
        "kanji": (family[0], given_name[0]),
        "kana": (family[1], given_name[1]),
        "sex": draw(st.sampled_from(["1", "2", None])),
    }
    return fields | {"birth_date": draw(st.sampled_from(BIRTHS))}


@st.composite
def cities(draw: st.DrawFn) -> list[dict[str, Any]]:
    rows = []
    for serial, fields in enumerate(draw(st.lists(people(), max_size=6)), start=1):
        kanji, kana, birth = fields.pop("kanji"), fields.pop("kana"), fields.pop("birth_date")
        rows.append(resident(serial, kanji, kana, birth.isoformat(), **fields))
    for n, fields in enumerate(draw(st.lists(people(), max_size=8))):
        for lost in draw(st.sets(st.sampled_from(["kanji", "kana", "birth_date", "sex"]), max_size=3)):
            del fields[lost]
        if draw(st.sampled_from([False, False, True])):  # a visit to one place: a reading and an age band, if that
            heard = fields.get("kana", ("ニシ", "ヒナ"))
            fields = {"kana": heard, "grade": draw(st.sampled_from(["小学校高学年", "小学校低学年", None])), "school_code": "P"}
        fields["person_no"] = draw(st.sampled_from([None, None, None, number(1), number(2), number(50), "0000000012"]))
        rows.append(record(draw(st.sampled_from(["after_school_care", "family_consultation"])), f"X{n}", **fields))
    return rows


def anchors(matching: Matching) -> dict[tuple[str, str], tuple[str, str]]:
    rows = matching.assignment.to_pylist()
    return {(r["source"], r["record_id"]): (r["anchor_source"], r["anchor_id"]) for r in rows}


@settings(deadline=None, max_examples=12)
@given(cities(), st.randoms(use_true_random=False))
def test_star_without_forbidden_joins_in_any_order(rows: list[dict[str, Any]], chance: random.Random) -> None:
    matching = match_records(table(*rows), linkage())
    found = anchors(matching)
    assert set(found) == {(r["source"], r["record_id"]) for r in rows}
    for r in rows:
        if r["source"] == REGISTER:
            assert found[(REGISTER, r["record_id"])] == (REGISTER, r["record_id"])
    numbers = {
        (r["source"], r["record_id"]): r["person_no"] for r in rows if r["person_no"] in {number(n) for n in range(1, 51)}
    }
    for left, right in combinations(numbers, 2):
        if found[left] == found[right]:
            assert numbers[left] == numbers[right]
    chance.shuffle(rows)
    shuffled = match_records(table(*rows), linkage())
    assert shuffled.assignment.equals(matching.assignment)
    assert shuffled.review.equals(matching.review)


@settings(deadline=None, max_examples=12)
@given(cities())
def test_joined_again_as_it_was_said_nothing_moves(rows: list[dict[str, Any]]) -> None:
    """What a night joined, said by a reviewer, gives the same groups: linking does not feed on its own result."""
    first = match_records(table(*rows), linkage())
    said = [r for r in first.assignment.to_pylist() if r["anchor_source"] == REGISTER and r["source"] != REGISTER]
    columns = {"source": "source", "record_id": "record_id", "resident_id": "anchor_id"}
    must = pa.table({to: pa.array([r[name] for r in said], pa.string()) for to, name in columns.items()})
    again = match_records(table(*rows), linkage(), Context(must_link=must))
    assert anchors(again) == anchors(first)
    assert match_records(table(*rows), linkage()).assignment.equals(first.assignment)


@settings(deadline=None, max_examples=12)
@given(people(), st.sampled_from(GIVENS), st.sets(st.sampled_from(["kanji", "kana", "sex"]), max_size=1), st.booleans())
def test_an_absent_twin_is_never_the_one_who_is_there(
    here: dict[str, Any], name: tuple[str, str], lost: set[str], visits: bool
) -> None:
    """A record of a child the register lacks, whose twin of another name it has, is never joined by the machine."""
    kanji, kana, birth = here["kanji"], here["kana"], here["birth_date"]
    twin = here | {"kanji": (kanji[0], name[0]), "kana": (kana[0], name[1])}
    rest = {k: v for k, v in here.items() if k not in ("kanji", "kana", "birth_date")}
    there = resident(1, kanji, kana, birth.isoformat(), **rest)
    for field in lost:
        del twin[field]
    if visits:
        twin = {"kana": (kana[0], name[1]), "grade": "小学校高学年", "school_code": "つばき食堂"}
    read_alike = name[1] == kana[1]  # then nothing in the record says it is somebody else
    found = match_records(table(there, record("after_school_care", "X", **twin)), linkage())
    if not read_alike and name[0] != kanji[0]:
        assert anchors(found)[("after_school_care", "X")] == ("after_school_care", "X")


@settings(deadline=None, max_examples=12)
@given(st.lists(cities(), min_size=2, max_size=4))
def test_ids_hold_still_and_events_replay_to_the_present(nights: list[list[dict[str, Any]]]) -> None:
    master = KeyMaster(no_events())
    for n, rows in enumerate(nights):
        day = NIGHT + dt.timedelta(days=n)
        matching = match_records(table(*rows), linkage())
        before = {(r["source"], r["record_id"]): r["person_id"] for r in master.links().to_pylist()}
        outcome = master.reconcile(matching, KEYS, day, linkage().version)
        master = master.plus(outcome.events)
        assert master.reconcile(matching, KEYS, day, linkage().version).events.num_rows == 0
        replayed = master.links().select(["person_id", "source", "record_id", "rule", "state"]).to_pylist()
        assert replayed == outcome.link.select(["person_id", "source", "record_id", "rule", "state"]).to_pylist()
        assert _one_person_per_group(matching, outcome.link)
        for row in outcome.link.to_pylist():
            key = (row["source"], row["record_id"])
            if key[0] == REGISTER and key in before:
                assert row["person_id"] == before[key]


def _one_person_per_group(matching: Matching, link: pa.Table) -> bool:
    persons = {(r["source"], r["record_id"]): r["person_id"] for r in link.to_pylist()}
    pairs = {(anchor, persons[key]) for key, anchor in anchors(matching).items()}
    return len(pairs) == len({a for a, _ in pairs}) == len({p for _, p in pairs})
