"""Weighted comparison of what the keys left over: Splink on the embedded engine, with the stored model, never trained here."""

import pyarrow as pa
from splink import Linker
from splink.internals.duckdb.database_api import DuckDBAPI

from kizuki.definitions.linkage import LinkageModel
from kizuki.engine.duck import DuckEngine
from kizuki.engine.sql import DUCKDB, load
from kizuki.engine.tables import empty
from kizuki.link.comparisons import BLOCKING, TERM_FREQUENCY_COLUMNS, splink_settings
from kizuki.link.tables import SCORED

PACKAGE = "kizuki.link"
_LEAST_WEIGHT = -5.0  # below this no rule looks; keeps family members of one address out of memory


def score(engine: DuckEngine, model: LinkageModel) -> pa.Table:
    """Candidate pairs of `open_record` and `resident`: record_uid, resident_id, weight, and one state number per attribute.

    One row = one pair that shares a blocking key and weighs more than the least. Weights are rounded to 1e-6, so that the
    same night gives the same table on every run.
    """
    residents = engine.query(load(PACKAGE, "resident_input"))
    records = engine.query(load(PACKAGE, "scored_input"))
    if not residents.num_rows or not records.num_rows:
        return empty(SCORED)
    with DuckEngine() as own:
        linker = linker_for(own, residents, records, model)
        found = linker.inference.predict(threshold_match_weight=_LEAST_WEIGHT, warning_mode="never")
        own.register("predicted", found.as_duckdbpyrelation().to_arrow_table())
        return own.query(load(PACKAGE, "scored"))


def linker_for(
    engine: DuckEngine,
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
    api = DuckDBAPI(engine.connection)
    tables = [
        api.register(residents, dataset_display_name="a_resident"),
        api.register(records, dataset_display_name="b_record"),
    ]
    settings = splink_settings(model, DUCKDB, residents.num_rows, blocking, retain)
    linker = Linker(tables, settings, log_level=None, validate_settings=False)
    for column in TERM_FREQUENCY_COLUMNS:
        engine.register("resident_value", residents.select([column]).rename_columns(["value"]))
        linker.table_management.register_term_frequency_lookup(api.register(_frequency(engine, column)), column)
    return linker


def _frequency(engine: DuckEngine, column: str) -> pa.Table:
    return engine.query(load(PACKAGE, "term_frequency")).rename_columns([column, f"tf_{column}"])
