"""名寄せ on Spark is 名寄せ on DuckDB: the same decisions on a whole city, and weights within 1e-9."""

import datetime as dt
import os
import time
from pathlib import Path
from typing import Any

import pytest
from sqlglot import exp

from kizuki.app.link_evaluation import Gathered, gather
from kizuki.app.linking import context_of, linkage_of
from kizuki.app.receive import receive_inbox
from kizuki.definitions.loader import Definitions, load_definitions
from kizuki.engine.keys import KeyRing
from kizuki.engine.spark import SparkEngine
from kizuki.engine.sql import DUCKDB, SPARK, load, render
from kizuki.engine.tables import empty
from kizuki.link import matching
from kizuki.link.comparisons import splink_settings
from kizuki.link.matching import match_records
from kizuki.link.tables import PAIR
from kizuki.synth.city import build_city
from kizuki.synth.write import write_city

BASE = Path(__file__).parents[2] / "definitions" / "base"
SQL = Path(matching.__file__).parent / "sql"
PEOPLE, SEED = 20_000, 5
AS_OF = dt.date(2026, 11, 20)
NOW = dt.datetime(2026, 11, 21, 3, 0, tzinfo=dt.UTC)
CLOSE = 1e-9

PORTABLE = {
    "And", "Case", "Cast", "Coalesce", "Concat", "Count", "DateFromParts", "Extract", "FirstValue", "If", "Left", "Length",
    "Levenshtein", "MD5", "Max", "Min", "Or", "Replace", "Right", "Round", "RowNumber", "StrPosition", "Substring", "Sum",
    "Translate", "TryCast",
}  # fmt: skip
"""Functions known to mean the same on both engines. A new one is tried by the parity test before it is listed here."""


@pytest.fixture(scope="module")
def definitions() -> Definitions:
    return load_definitions(BASE)


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory, definitions: Definitions) -> Gathered:
    """The person records of a city nobody tuned anything on."""
    home = tmp_path_factory.mktemp("city")
    write_city(build_city(PEOPLE, SEED), home)
    past = time.time() - 3600
    for path in (home / "inbox").glob("*/*"):
        os.utime(path, (past, past))
    KeyRing.load(home)
    receive_inbox(home, definitions, NOW)
    return gather(home, definitions, AS_OF, NOW)


@pytest.mark.spark
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::ResourceWarning")  # pyspark leaves the sockets its tables come through to the collector
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_city_of_20_000_is_linked_alike(
    city: Gathered, definitions: Definitions, tmp_path_factory: pytest.TempPathFactory
) -> None:
    pytest.importorskip("pyspark")
    linkage = linkage_of(definitions)
    context = context_of(city.records, city.past, empty(PAIR), empty(PAIR))
    here = match_records(city.records, linkage, context)
    # the session is left open: a process has one, and other tests may be using it
    spark = SparkEngine(tmp_path_factory.mktemp("spark"))
    there = match_records(city.records, linkage, context, spark=spark)

    unweighed = [name for name in here.assignment.column_names if name != "weight"]
    assert (
        there.assignment.select(unweighed)
        .cast(here.assignment.select(unweighed).schema)
        .equals(here.assignment.select(unweighed))
    )
    questions = [name for name in here.review.column_names if name != "weight"]
    assert there.review.select(questions).equals(here.review.select(questions))

    duck, other = weights(here), weights(there)
    assert len(duck) > 500 and duck.keys() == other.keys()
    assert max(abs(weight - other[pair]) for pair, weight in duck.items()) <= CLOSE
    assert states(here) == states(there)


def weights(found: matching.Matching) -> dict[tuple[str, str], float]:
    """The weight of every pair that was weighed."""
    return {(r["record_uid"], r["resident_id"]): r["weight"] for r in found.scored.to_pylist()}


def states(found: matching.Matching) -> set[tuple[object, ...]]:
    """Every weighed pair with the degree of agreement of each attribute."""
    rows = found.scored.drop_columns(["weight"]).to_pylist()
    return {tuple(row.values()) for row in rows}


def test_only_functions_known_on_both_engines_are_used() -> None:
    used = set()
    for path in SQL.glob("*.sql"):
        query = load("kizuki.link", path.stem)
        render(query, SPARK)  # whatever Spark cannot say raises
        used |= {type(f).__name__ for f in query.find_all(exp.Func)}
    assert sorted(used - PORTABLE) == []


def test_settings_of_both_engines_carry_the_same_numbers_in_their_own_words(definitions: Definitions) -> None:
    duck, spark = (splink_settings(linkage_of(definitions).model, dialect, 20_000) for dialect in (DUCKDB, SPARK))

    def numbers(settings: dict[str, Any]) -> list[tuple[Any, ...]]:
        levels = [level for c in settings["comparisons"] for level in c["comparison_levels"]]
        return [(level["label_for_charts"], level.get("m_probability"), level.get("u_probability")) for level in levels]

    assert numbers(duck) == numbers(spark)
    assert {rule["sql_dialect"] for rule in spark["blocking_rules_to_generate_predictions"]} == {SPARK}
    written = str(spark["comparisons"]) + str(spark["blocking_rules_to_generate_predictions"])
    assert '"' not in written.replace("\\'", "")  # what DuckDB quotes as a name, Spark reads as text
