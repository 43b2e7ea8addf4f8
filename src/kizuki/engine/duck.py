"""The embedded engine: an in-memory DuckDB that never spills plaintext to disk.

`temp_directory=''` makes a query that does not fit fail instead of writing rows in clear (measured: the default spills).
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Final

import duckdb
import pyarrow as pa
from sqlglot import exp

from kizuki.engine.encode import encoded
from kizuki.engine.sql import DUCKDB, render

_BATCH_ROWS = 1 << 17
_HARDENING = (
    "SET TimeZone = 'UTC'",
    "SET enable_progress_bar = false",  # it writes to stdout, where verbs print their JSON
    "SET enable_external_access = false",  # no file, no network, no extension: Arrow in, Arrow out
    "SET lock_configuration = true",
)
_PARSED_KEPT: Final = 512
_PARSED: dict[str, duckdb.Statement] = {}
"""Texts as parsed (without any value): parsing a page's questions again costs as much as running them."""


class DuckEngine:
    """Named tables in, queries over them, Arrow out. Not shared between threads; use `cursor` for a second one."""

    def __init__(self, memory_limit: str = "1300MB", threads: int = 2, *, optimise: bool = True) -> None:
        self._connection = duckdb.connect(
            ":memory:",
            config={
                "memory_limit": memory_limit,
                "threads": threads,
                "temp_directory": "",
                "preserve_insertion_order": False,
                "python_enable_replacements": False,  # a query names registered tables, never Python variables
            },
        )
        if not optimise:  # for tables of a few hundred rows: planning a page's queries well costs more than running them
            self._connection.execute("PRAGMA disable_optimizer")
        for setting in _HARDENING:
            self._connection.execute(setting)

    def register(self, name: str, table: pa.Table) -> None:
        """Make an Arrow table queryable under `name` without copying it."""
        self._connection.register(name, table)

    def unregister(self, name: str) -> None:
        """Forget a registered table."""
        self._connection.unregister(name)

    @contextmanager
    def holding(self, **tables: pa.Table) -> Iterator[None]:
        """Tables under these names for the length of a block."""
        for name, table in tables.items():
            self.register(name, table)
        try:
            yield
        finally:
            for name in tables:
                self.unregister(name)

    def materialise(self, name: str, query: exp.Expression) -> int:
        """Keep the result of `query` inside the engine as table `name`; returns its row count."""
        create = exp.Create(this=exp.to_table(name), kind="TABLE", expression=query, replace=True)
        self._connection.execute(render(create, DUCKDB)).fetchall()
        count = exp.select(exp.Count(this=exp.Star())).from_(exp.to_table(name))
        return int(self._connection.execute(render(count, DUCKDB)).fetchall()[0][0])

    def drop(self, name: str) -> None:
        """Drop a materialised table."""
        # sqlglot names the operand `this` up to 29 and `tables` from 30; each ignores the other
        drop = exp.Drop(this=exp.to_table(name), tables=[exp.to_table(name)], kind="TABLE", exists=True)
        self._connection.execute(render(drop, DUCKDB)).fetchall()

    def query(self, query: exp.Expression) -> pa.Table:
        """Run a query tree and return Arrow."""
        found: pa.Table = self._connection.sql(render(query, DUCKDB)).to_arrow_table()
        return found

    def rows(self, text: str, values: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Rows of a short question asked again and again with other bound values; its text is parsed once."""
        statement = _PARSED.get(text)
        if statement is None:
            (statement,) = self._connection.extract_statements(text)
            if len(_PARSED) >= _PARSED_KEPT:
                _PARSED.clear()
            _PARSED[text] = statement
        result = self._connection.execute(statement, values)
        names = [d[0] for d in result.description]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]

    def query_encoded(self, query: exp.Expression) -> pa.Table:
        """Run a query and return Arrow with text dictionary-encoded, never holding the whole result as text."""
        reader = self._connection.sql(render(query, DUCKDB)).to_arrow_reader(_BATCH_ROWS)
        return encoded(reader.schema, reader)

    def cursor(self) -> "DuckEngine":
        """A second handle on the same tables, for another thread."""
        other = object.__new__(DuckEngine)
        other._connection = self._connection.cursor()
        return other

    @property
    def connection(self) -> duckdb.DuckDBPyConnection:
        """The connection itself, for a library that writes its own SQL (Splink)."""
        return self._connection

    def close(self) -> None:
        """Release memory."""
        self._connection.close()

    def __enter__(self) -> "DuckEngine":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()
