"""The 採点表 as one SQL expression: the same sum, in the same order, as `PointTable.points` (agreement to 1e-9 is a test)."""

from typing import Any

from sqlglot import exp

from kizuki.judge.point_table import NUMBER, ItemTable, PointTable

Sql = Any
"""A sqlglot tree; its classes for expressions differ between the sqlglot versions supported."""


def points_query(table: PointTable, source: str, key: str) -> Sql:
    """SELECT key, points, probability FROM source: item columns are DOUBLE or VARCHAR, NULL = unknown."""
    inner = exp.select(exp.column(key, quoted=True), exp.alias_(points_expression(table), "points")).from_(exp.to_table(source))
    points = exp.column("points", table="s")
    # exp(-points) overflows to infinity far below zero, and 1/(1+∞) is the 0 that is meant
    likely = _double(1.0) / exp.paren(_double(1.0) + exp.func("EXP", exp.Neg(this=points.copy())))
    return exp.select(exp.column(key, table="s", quoted=True), points, exp.alias_(likely, "probability")).from_(
        inner.subquery("s")
    )


def points_expression(table: PointTable) -> Sql:
    """The points of one row."""
    total: Sql = _double(table.intercept)
    for item in table.items:
        total = total + _contribution(item)
    return total


def _contribution(item: ItemTable) -> Sql:
    column = exp.column(item.name, quoted=True)
    unknown = exp.Is(this=column, expression=exp.null())
    ifs = [exp.If(this=unknown, true=_double(item.unknown))]
    if item.kind == NUMBER:
        bounds = [exp.LT(this=column.copy(), expression=_double(edge)) for edge in item.edges]
        ifs += [exp.If(this=below, true=_double(v)) for below, v in zip(bounds, item.values, strict=False)]
        return exp.Case(ifs=ifs).else_(_double(item.values[-1]))
    levels = [exp.EQ(this=column.copy(), expression=exp.Literal.string(level)) for level in item.levels]
    ifs += [exp.If(this=same, true=_double(v)) for same, v in zip(levels, item.values, strict=True)]
    return exp.Case(ifs=ifs).else_(_double(item.unknown))


def _double(value: float) -> Sql:
    """A DOUBLE literal: without the cast a decimal text would be exact decimal arithmetic."""
    literal = exp.Literal.number(repr(abs(value)))
    return exp.cast(exp.Neg(this=literal) if value < 0 else literal, "double")
