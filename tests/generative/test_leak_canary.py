"""Leak canaries: nothing that became known on or after the day may change an item of that day — not one byte of it.

Learning asks for items `known_by` the day before; the served night, which by G3 includes what was delivered on its day, must
not change by anything told later. Both are tried on records of every table and kind, altered, added and taken away.
"""

import datetime as dt
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kizuki.definitions.loader import load_definitions
from kizuki.definitions.shipped import shipped_definitions
from kizuki.engine.duck import DuckEngine
from kizuki.mart.items import build_items
from kizuki.mart.queries import EVENT_SOURCES, KINDS
from tests.unit.small_mart import AS_OF, SmallMart

DEFINITIONS = load_definitions(shipped_definitions())
DAY_BEFORE = AS_OF - dt.timedelta(days=1)
PEOPLE = ("mother", "grandfather", "pupil", "baby")
EVENT_KINDS = tuple((kind, s) for s in EVENT_SOURCES for kind in KINDS[s] if kind not in ("childcare", "council_registration"))
SPELL_KINDS = tuple((kind, s) for s in KINDS for kind in KINDS[s] if (kind, s) not in EVENT_KINDS)

days = st.integers(-900, 400).map(lambda n: AS_OF + dt.timedelta(days=n))
told = st.integers(0, 400)
events = st.fixed_dictionaries(
    {
        "person": st.sampled_from(PEOPLE),
        "kind": st.sampled_from(EVENT_KINDS),
        "on": days,
        "value": st.integers(0, 30),
        "told": told,
    }
)
spells = st.fixed_dictionaries(
    {"person": st.sampled_from(PEOPLE), "kind": st.sampled_from(SPELL_KINDS), "on": days, "told": told}
)


def family() -> SmallMart:
    mart = SmallMart()
    mart.person("mother", dt.date(1990, 5, 1), "h1", "世帯主")
    mart.person("grandfather", dt.date(1950, 5, 1), "h1", "父")
    mart.person("pupil", dt.date(2014, 6, 1), "h1")
    mart.person("baby", dt.date(2026, 3, 10), "h1")
    for n, (kind, source) in enumerate(EVENT_KINDS):
        for person in PEOPLE:
            mart.event(
                person, kind, source, AS_OF - dt.timedelta(days=20 + 7 * n), float(n % 4), code="3歳児健診:受診:異常なし"
            )
    for kind, source in SPELL_KINDS:
        mart.spell("mother", kind, source, status="精神")
        mart.spell("pupil", kind, source, status="全部", amount=2.0)
    return mart


def items_of(mart: SmallMart, known_by: dt.date | None) -> bytes:
    with DuckEngine(memory_limit="400MB", threads=1) as engine:
        mart.load_into(engine)
        rows = build_items(engine, DEFINITIONS, AS_OF, known_by=known_by).sort_by(
            [("person_id", "ascending"), ("item", "ascending")]
        )
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, rows.schema) as writer:
        writer.write_table(rows.combine_chunks())
    return bytes(sink.getvalue())


def with_later_knowledge(new_events: list[Any], new_spells: list[Any], first: dt.date) -> SmallMart:
    """The family, with records told from `first` on: new ones, corrections of old ones, a person who changed household."""
    mart = family()
    for e in new_events:
        kind, source = e["kind"]
        later = first + dt.timedelta(days=e["told"])
        mart.event(e["person"], kind, source, e["on"], float(e["value"]), known_from=later, code="5歳児健診:受診:要精密")
    for s in new_spells:
        kind, source = s["kind"]
        mart.spell(
            s["person"], kind, source, status="精神", valid_from=s["on"], known_from=first + dt.timedelta(days=s["told"])
        )
    for row in (*mart.events[:3], *mart.spells[:3]):  # withdrawn, but only later
        row["known_to"] = first
    moved = {**mart.members[2], "household_id": "h2", "known_from": first}
    mart.members[2]["known_to"] = first
    mart.members.append(moved)
    mart.persons.append({**mart.persons[3], "birth_date": dt.date(2019, 1, 1), "known_from": first})
    mart.persons[3]["known_to"] = first
    return mart


@pytest.fixture(scope="module")
def undisturbed() -> dict[dt.date | None, bytes]:
    return {day: items_of(family(), day) for day in (None, DAY_BEFORE)}


@settings(deadline=None, max_examples=6, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(events, min_size=1, max_size=30), st.lists(spells, min_size=1, max_size=30))
def test_what_is_told_on_the_day_or_later_changes_no_item_for_learning(
    undisturbed: dict[dt.date | None, bytes], new_events: list[Any], new_spells: list[Any]
) -> None:
    assert items_of(with_later_knowledge(new_events, new_spells, AS_OF), DAY_BEFORE) == undisturbed[DAY_BEFORE]


@settings(deadline=None, max_examples=4, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(events, min_size=1, max_size=30), st.lists(spells, min_size=1, max_size=30))
def test_what_is_told_after_the_day_changes_no_served_item(
    undisturbed: dict[dt.date | None, bytes], new_events: list[Any], new_spells: list[Any]
) -> None:
    later = AS_OF + dt.timedelta(days=1)
    assert items_of(with_later_knowledge(new_events, new_spells, later), None) == undisturbed[None]


def test_the_canary_sings_when_knowledge_does_reach_the_items(undisturbed: dict[dt.date | None, bytes]) -> None:
    """The same disturbance, told in time, does change the items: the test can fail."""
    disturbed = with_later_knowledge(
        [{"person": "pupil", "kind": ("absence_days", "school_life"), "on": dt.date(2026, 10, 31), "value": 9, "told": 0}],
        [],
        DAY_BEFORE,
    )
    assert items_of(disturbed, DAY_BEFORE) != undisturbed[DAY_BEFORE]
