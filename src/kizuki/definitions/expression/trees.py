"""Building blocks of SQL trees that never copy what nobody else holds.

sqlglot's own constructors copy every operand; nested conditions then cost the square of their size (measured: half the time of
judging 30,000 children). A tree that already has a parent is copied, a new one is taken as it is.
"""

from collections.abc import Iterable
from typing import Any

from sqlglot import exp

Sql = Any
"""A sqlglot tree; its classes for expressions differ between the sqlglot versions supported."""


def own(tree: Sql) -> Sql:
    """The tree itself if it is free, otherwise a copy."""
    return tree if tree.parent is None else tree.copy()


def case(*branches: tuple[Sql, Sql], default: Sql | None = None) -> Sql:
    """CASE WHEN … THEN … [ELSE …] END."""
    ifs = [exp.If(this=own(when), true=own(then)) for when, then in branches]
    return exp.Case(ifs=ifs) if default is None else exp.Case(ifs=ifs, default=own(default))


def both(*parts: Sql) -> Sql:
    """AND; one part stays as it is."""
    return _chain(exp.And, parts)


def either(*parts: Sql) -> Sql:
    """OR; one part stays as it is."""
    return _chain(exp.Or, parts)


def _chain(kind: Any, parts: Iterable[Sql]) -> Sql:
    first, *others = parts
    if not others:
        return own(first)
    tree = _bracketed(first)
    for part in others:
        tree = kind(this=tree, expression=_bracketed(part))
    return exp.Paren(this=tree)


def _bracketed(part: Sql) -> Sql:
    free = own(part)
    return free if isinstance(free, exp.Column | exp.Paren | exp.Boolean | exp.Func) else exp.Paren(this=free)


def paren(of: Sql) -> Sql:
    """(…), once."""
    free = own(of)
    return free if isinstance(free, exp.Paren) else exp.Paren(this=free)


def added(parts: Iterable[Sql]) -> Sql:
    """The sum in brackets."""
    first, *others = parts
    tree = own(first)
    for part in others:
        tree = exp.Add(this=tree, expression=own(part))
    return exp.Paren(this=tree)


def negated(of: Sql) -> Sql:
    """NOT (…)."""
    return exp.Not(this=paren(of))


def is_null(of: Sql) -> Sql:
    """… IS NULL."""
    free = own(of)
    return exp.Is(this=free if isinstance(free, exp.Column) else paren(free), expression=exp.null())


def call(name: str, *arguments: Sql) -> Sql:
    """A function by name."""
    return exp.func(name, *(own(a) for a in arguments), copy=False)


def cast(of: Sql, type_: str) -> Sql:
    """CAST(… AS …)."""
    return exp.cast(own(of), type_, copy=False)


def named(of: Sql, name: str) -> Sql:
    """… AS name."""
    return exp.Alias(this=own(of), alias=exp.to_identifier(name))


def text(value: str) -> Sql:
    """A string literal."""
    return exp.Literal.string(value)


def whole(value: int) -> Sql:
    """An integer literal, negative ones too."""
    number = exp.Literal.number(abs(value))
    return exp.Neg(this=number) if value < 0 else number


def double(value: float) -> Sql:
    """A literal of type double."""
    return cast(exp.Literal.number(int(value) if float(value).is_integer() else value), "double")


def equal(left: Sql, right: Sql) -> Sql:
    """left = right."""
    return exp.EQ(this=own(left), expression=own(right))


def among(column: Sql, words: Iterable[str]) -> Sql:
    """column IN (…)."""
    return exp.In(this=own(column), expressions=[text(w) for w in words])
