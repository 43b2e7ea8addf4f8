"""The same queries on Spark: Arrow in, Arrow out, the trees rendered in Spark's dialect (D1; function 53).

PySpark is an extra and is imported only when a session is asked for. Tables go in and out through Arrow in memory; the
session's scratch folder is the caller's (Spark may spill there, so give it an encrypted volume with real data).
"""

import warnings
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import pyarrow as pa
from sqlglot import exp

from kizuki.engine.sql import SPARK, render
from kizuki.terms.errors import UsageError


class SparkEngine:
    """A local or given Spark session with registered tables; the same face as `DuckEngine` where both need it."""

    def __init__(self, scratch: Path, master: str = "local[2]") -> None:
        self._session = _session(scratch, master)

    def register(self, name: str, table: pa.Table) -> None:
        """Make an Arrow table queryable under `name`."""
        self.frame(table).createOrReplaceTempView(name)

    def frame(self, table: pa.Table) -> Any:
        """An Arrow table as a Spark DataFrame."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pyspark's own deprecations are not ours to mend
            return self._session.createDataFrame(_plain(table))

    def unregister(self, name: str) -> None:
        """Forget a registered or materialised table."""
        self._session.catalog.dropTempView(name)

    drop = unregister

    def materialise(self, name: str, query: exp.Expression) -> int:
        """Keep the result of `query` inside the session as table `name`; returns its row count.

        The plan that made it is cut off, so that what is built on it is planned, and run, once.
        """
        kept = self._session.sql(render(query, SPARK)).localCheckpoint()
        kept.createOrReplaceTempView(name)
        return int(kept.count())

    def query(self, query: exp.Expression) -> pa.Table:
        """Run a query tree and return Arrow."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found: pa.Table = self._session.sql(render(query, SPARK)).toArrow()
        return found

    def run(self, query: exp.Expression, tables: Mapping[str, pa.Table]) -> pa.Table:
        """Register `tables`, run `query`, forget the tables."""
        for name, table in tables.items():
            self.register(name, table)
        try:
            return self.query(query)
        finally:
            for name in tables:
                self.unregister(name)

    @property
    def session(self) -> Any:
        """The session itself, for a library that writes its own SQL (Splink)."""
        return self._session

    def close(self) -> None:
        """Stop the session."""
        self._session.stop()

    def __enter__(self) -> "SparkEngine":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def _session(scratch: Path, master: str) -> Any:
    try:
        from pyspark.sql import SparkSession
    except ImportError as e:
        raise UsageError(
            "K908", "Spark が入っていません。", "追加部品 spark", "pip install 'kizuki[spark]' を実行してください。"
        ) from e
    return (
        SparkSession.builder.master(master)
        .appName("kizuki")
        .config("spark.local.dir", str(scratch))
        .config("spark.sql.warehouse.dir", str(scratch / "warehouse"))
        .config("spark.driver.extraJavaOptions", f"-Dderby.system.home={scratch}")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.sql.shuffle.partitions", "4")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.ansi.enabled", "true")
        .config("spark.sql.execution.arrow.pyspark.enabled", "true")
        .config(
            "spark.sql.execution.arrow.localRelationThreshold", "0"
        )  # else a table becomes part of every plan that reads it
        .getOrCreate()
    )


def _plain(table: pa.Table) -> pa.Table:
    """Spark's Arrow reader knows no dictionary encoding, and loses what follows an empty chunk: plain text, in one chunk."""
    plain = [
        pa.field(f.name, f.type.value_type if pa.types.is_dictionary(f.type) else f.type, f.nullable) for f in table.schema
    ]
    return table.cast(pa.schema(plain)).combine_chunks()
