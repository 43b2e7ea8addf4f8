"""Rows of named persons, taken without reading anybody else's: the same rows a filter over the whole table gives."""

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlglot import exp

from kizuki.app.near_tables import NearTables
from kizuki.engine.keyed import KeyedTable
from kizuki.engine.tables import empty
from kizuki.terms.tables import ALL_TABLES
from tests.marked_city import HOUSEHOLDS, PEOPLE, MarkedView

KEYS = st.one_of(st.none(), st.sampled_from(["", "a", "b", "ab", "きづき", "z" * 40]), st.text("ab", max_size=3))
PARTS = st.lists(st.lists(KEYS, max_size=12), max_size=4)


@given(
    parts=st.lists(st.lists(KEYS, max_size=12), max_size=4), wanted=st.sets(st.text("abき", max_size=3)), coded=st.booleans()
)
def test_the_rows_of_some_keys_are_those_a_filter_finds(parts: list[list[str | None]], wanted: set[str], coded: bool) -> None:
    tables = []
    for place, keys in enumerate(parts):
        column = pa.array(keys, pa.string())
        numbers = pa.array([place * 100 + i for i in range(len(keys))], pa.int64())
        tables.append(pa.table({"k": column.dictionary_encode() if coded else column, "n": numbers}))
    table = pa.concat_tables(tables) if tables else pa.table({"k": pa.array([], pa.string()), "n": pa.array([], pa.int64())})
    found = KeyedTable(table, "k").rows(wanted)
    texts = table.column("k").cast(pa.string())
    expected = table.filter(pc.is_in(texts, value_set=pa.array(sorted(wanted), pa.string())))
    assert sorted(found.column("n").to_pylist()) == expected.column("n").to_pylist()
    assert found.schema.field("k").type == pa.string()


@pytest.mark.parametrize("order", [["p1", "p1", "p2", "p3"], ["p3", "p1", "p2", "p1"]])
def test_equally_long_keys_are_found_sorted_or_not(order: list[str]) -> None:
    table = pa.table({"k": pa.array(order).dictionary_encode(), "n": list(range(4))}).slice(0, 4)
    found = KeyedTable(table, "k").rows(["p1", "p9"])
    assert found.column("n").to_pylist() == [i for i, key in enumerate(order) if key == "p1"]


def test_a_question_about_persons_finds_nobody_else_in_the_room() -> None:
    near = MarkedView().near
    engine = near.about({"c1"}, ("person", "eligibility", "feed"))
    assert engine.query(exp.select("person_id").from_("person").distinct()).column(0).to_pylist() == ["c1"]
    owners = engine.query(exp.select("person_id").from_("eligibility")).column(0).to_pylist()
    assert set(owners) == {"c1", None} and owners.count(None) == 1
    assert engine.query(exp.select("source").from_("feed")).num_rows == 8
    with pytest.raises(Exception, match="event"):
        engine.query(exp.select("*").from_("event"))


def test_the_room_is_emptied_for_the_next_question() -> None:
    near = MarkedView().near
    assert near.about({"c1"}, ("person",)).query(exp.select("person_id").from_("person")).num_rows
    other = sorted(set(PEOPLE) - {"c1"})[0]
    people = near.about({other}, ("person",)).query(exp.select("person_id").from_("person")).column(0).to_pylist()
    assert set(people) == {other}
    homes = near.living_with({other}).query(exp.select("household_id").from_("household_member").distinct())
    assert set(homes.column(0).to_pylist()) <= set(HOUSEHOLDS)


def test_a_snapshot_without_rows_has_room_for_nobody() -> None:
    near = NearTables({name: empty(schema) for name, schema in ALL_TABLES.items()})
    assert near.about({"p"}, ("person",)).query(exp.select("*").from_("person")).num_rows == 0
