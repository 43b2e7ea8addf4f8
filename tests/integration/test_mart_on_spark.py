"""The mart built by Spark is the mart built by DuckDB, row for row, for every table (D1)."""

from collections.abc import Iterator

import pyarrow as pa
import pytest
import sqlglot
from sqlglot import exp

from kizuki.engine.duck import DuckEngine
from kizuki.engine.spark import SparkEngine
from kizuki.engine.sql import SPARK, render
from kizuki.mart.graph import selects
from tests.integration.mart_city import LAST, deliveries
from tests.integration.mart_deliveries import ALL_SOURCES, build_mart

PORTABLE = {
    "And", "ArgMin", "Case", "Cast", "Coalesce", "Concat", "ConcatWs", "Count", "CurrentTimestamp", "DateFromParts", "If",
    "Lag", "LastDay", "Lead", "MD5", "Max", "Min", "Or", "Pad", "RowNumber", "Sum", "TimestampAdd", "ToNumber",
}  # fmt: skip
"""Functions known to mean the same on both engines. A new one is tried by the parity test before it is listed here."""


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkEngine]:
    """One local session for the whole run of the tests."""
    pytest.importorskip("pyspark")
    with SparkEngine(tmp_path_factory.mktemp("spark")) as engine:
        yield engine


@pytest.fixture(scope="module")
def on_duck() -> dict[str, pa.Table]:
    """Every table of the mart, by DuckDB."""
    return build_mart(deliveries(), LAST)


@pytest.mark.spark
@pytest.mark.slow
def test_every_mart_table_is_the_same_on_both_engines(spark: SparkEngine, on_duck: dict[str, pa.Table]) -> None:
    on_spark = build_mart(deliveries(), LAST, spark)
    assert on_spark.keys() == on_duck.keys()
    different = {n: d for n in on_duck if (d := _differences(on_duck[n], on_spark[n])) != (0, 0)}
    assert different == {}


def test_every_table_has_rows_to_compare(on_duck: dict[str, pa.Table]) -> None:
    assert [name for name, table in on_duck.items() if not table.num_rows] == []


def test_only_functions_known_on_both_engines_are_used() -> None:
    used = {
        type(f).__name__ if not isinstance(f, exp.Anonymous) else f.name
        for select in selects(ALL_SOURCES, LAST)
        for f in select.query.find_all(exp.Func)
    }
    assert sorted(used - PORTABLE) == []


def test_no_two_subqueries_share_a_name_once_spark_lifts_them() -> None:
    for select in selects(ALL_SOURCES, LAST):
        names = [c.alias for c in sqlglot.parse_one(render(select.query, SPARK), read=SPARK).find_all(exp.CTE)]
        assert len(names) == len(set(names)), select.name


def _differences(left: pa.Table, right: pa.Table) -> tuple[int, int]:
    """Rows of one table that the other lacks, counted with repetition, both ways."""
    with DuckEngine() as engine:
        engine.register("one", left)
        engine.register("other", right.select(left.column_names).cast(left.schema))
        return _except_all(engine, "one", "other"), _except_all(engine, "other", "one")


def _except_all(engine: DuckEngine, one: str, other: str) -> int:
    rows = [exp.select(exp.Star()).from_(name) for name in (one, other)]
    return int(engine.query(exp.except_(*rows, distinct=False)).num_rows)
