"""Queries as sqlglot trees: read from .sql files beside their stage, values bound as typed literals, rendered per dialect.

No SQL is ever built by string formatting; `tests/repo` walks the source for it.
"""

import datetime as dt
from functools import cache
from importlib.resources import files
from typing import Any, cast

import sqlglot
from sqlglot import exp

DUCKDB = "duckdb"
SPARK = "spark"


@cache
def load(package: str, name: str) -> exp.Expression:
    """The one SELECT in `<package>/sql/<name>.sql` (DuckDB dialect; parameters are written `$name`)."""
    text = files(package).joinpath("sql", f"{name}.sql").read_text(encoding="utf-8")
    statements = [s for s in sqlglot.parse(text, read=DUCKDB) if s is not None]
    if len(statements) != 1:
        raise ValueError(f"{package}/sql/{name}.sql must hold exactly one statement")
    return cast(exp.Expression, statements[0])


def bind(query: exp.Expression, **values: Any) -> exp.Expression:
    """A copy of `query` with every `$name` replaced by a typed literal; an unbound name raises KeyError."""

    def replace(node: exp.Expression) -> exp.Expression:
        if isinstance(node, exp.Parameter | exp.Placeholder):
            return literal(values[node.name])
        return node

    return query.copy().transform(replace)


def literal(value: Any) -> exp.Expression:
    """A Python value as a typed SQL literal."""
    if value is None:
        return exp.null()
    if isinstance(value, bool):
        return exp.true() if value else exp.false()
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return exp.cast(exp.Literal.string(value.isoformat()), "date")
    if isinstance(value, int | float):
        return exp.Literal.number(value)
    return exp.Literal.string(str(value))


def render(query: exp.Expression, dialect: str) -> str:
    """SQL text for one engine; anything the dialect cannot express raises sqlglot.UnsupportedError."""
    return query.sql(dialect=dialect, comments=False, unsupported_level=sqlglot.ErrorLevel.RAISE)
