"""Weighted comparison of what the keys left over: Splink with the stored model, never trained here.

The same on the embedded engine and on Spark. Settings are built for each engine from the model's numbers, because a Splink
model file is bound to the engine it was written for; kana are compared as one byte each: DuckDB's distances count bytes.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
from splink import Linker
from splink.internals.duckdb.database_api import DuckDBAPI
from sqlglot import exp

from kizuki.definitions.linkage import LinkageModel
from kizuki.engine.duck import DuckEngine
from kizuki.engine.spark import SparkEngine
from kizuki.engine.sql import DUCKDB, SPARK, load
from kizuki.engine.tables import arrow_schema, empty
from kizuki.link.comparisons import BLOCKING, TERM_FREQUENCY_COLUMNS, splink_settings
from kizuki.link.tables import SCORED

PACKAGE = "kizuki.link"
Engine = DuckEngine | SparkEngine
_LEAST_WEIGHT = -5.0  # below this no rule looks; keeps family members of one address out of memory


def score(engine: Engine, model: LinkageModel) -> pa.Table:
    """Candidate pairs of `open_lead` and `resident`: record_uid, resident_id, weight, and one state number per attribute.

    One row = one pair that shares a blocking key and weighs more than the least. Weights are rounded to 1e-10, so that the
    same night gives the same table on every run.
    """
    residents = engine.query(load(PACKAGE, "resident_input"))
    records = engine.query(load(PACKAGE, "scored_input"))
    if not residents.num_rows or not records.num_rows:
        return empty(SCORED)
    with beside(engine) as own:
        linker = linker_for(own, residents, records, model)
        found = linker.inference.predict(threshold_match_weight=_LEAST_WEIGHT, warning_mode="never")
        return own.query(renamed(load(PACKAGE, "scored"), "predicted", found.physical_name)).cast(arrow_schema(SCORED))


@contextmanager
def beside(engine: Engine) -> Iterator[Engine]:
    """An engine for Splink's own tables: a fresh embedded one, or the same Spark session."""
    if isinstance(engine, SparkEngine):
        yield engine
        return
    with DuckEngine() as own:
        yield own


def linker_for(
    engine: Engine,
    residents: pa.Table,
    records: pa.Table,
    model: LinkageModel,
    *,
    blocking: tuple[tuple[str, ...], ...] = BLOCKING,
    retain: tuple[str, ...] = (),
) -> Linker:
    """A Splink linker in an engine of its own, with name frequencies taken from the register alone.

    Frequencies of the register do not move when an office sends more records, so neither do the weights.
    """
    api, dialect, given = _api(engine)
    tables = [
        api.register(given(residents), dataset_display_name="a_resident"),
        api.register(given(records), dataset_display_name="b_record"),
    ]
    settings = splink_settings(model, dialect, residents.num_rows, blocking, retain)
    linker = Linker(tables, settings, log_level=None, validate_settings=False)
    for column in TERM_FREQUENCY_COLUMNS:
        engine.register("resident_value", residents.select([column]).rename_columns(["value"]))
        linker.table_management.register_term_frequency_lookup(api.register(given(_frequency(engine, column))), column)
    return linker


def renamed(query: exp.Expression, name: str, physical_name: str) -> exp.Expression:
    """The query with one of its tables called by the name the engine gave it."""
    found = query.copy()
    for table in found.find_all(exp.Table):
        if table.name == name:
            table.set("this", exp.to_identifier(physical_name))
    return found


def _api(engine: Engine) -> tuple[Any, str, Callable[[pa.Table], Any]]:
    """Splink's face of the engine, its dialect, and how a table is handed to it."""
    if isinstance(engine, SparkEngine):
        from splink.internals.spark.database_api import SparkAPI

        # "persist": left alone, Splink writes each step to disk as plain Parquet
        untyped: Any = SparkAPI
        api = untyped(spark_session=engine.session, break_lineage_method="persist", register_udfs_automatically=False)
        return api, SPARK, lambda table: engine.frame(table).persist()
    return DuckDBAPI(engine.connection), DUCKDB, lambda table: table


def _frequency(engine: Engine, column: str) -> pa.Table:
    return engine.query(load(PACKAGE, "term_frequency")).rename_columns([column, f"tf_{column}"])
