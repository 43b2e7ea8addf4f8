"""The same meaning as SQL: sqlglot trees in which NULL is unknown, so that AND, OR and NOT are Kleene's by themselves.

Columns of a term `x`: a truth is one boolean column `x`; a text is `x` and `x_na`; a number is `x_lo`, `x_hi` and `x_na`
(least and most it can be; NULL = no bound; `x_na` = 対象外). Bare aggregates would skip NULLs, so households go through
`group_columns` only: one row per household, to be joined to the one being judged.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, assert_never

from sqlglot import exp

from kizuki.definitions.expression.nodes import (
    Aggregate,
    And,
    AnyMember,
    Compare,
    Condition,
    Constant,
    CountHolding,
    CountMembers,
    EveryMember,
    Holds,
    Kind,
    Lookup,
    Node,
    Not,
    Operand,
    Operator,
    Or,
    Ref,
    StepTable,
    SumMembers,
    SumTerms,
    Term,
    terms_of,
)

Sql = Any
"""A sqlglot tree; its classes for expressions differ between the sqlglot versions supported."""
Bounds = tuple[Sql, Sql]


@dataclass(frozen=True, slots=True)
class Scope:
    """Where columns are found: `table` holds the terms, `groups` the household aggregates, numbered as in `aggregates`.

    `key` is the household column of `groups`; NULL there means a household without members. `answers` are conditions that
    `table` already holds the answer of, in the columns c0, c1, …; asking why an answer is open then repeats no work.
    """

    table: str
    groups: str = ""
    key: str = "household_id"
    aggregates: tuple[Aggregate, ...] = ()
    reasons: bool = False
    answers: tuple[Condition, ...] = ()

    def column(self, name: str) -> exp.Column:
        """A column of the one being judged."""
        return exp.column(name, table=self.table)

    def group(self, aggregate: Aggregate, part: str) -> exp.Column:
        """A column of the household's aggregate."""
        return exp.column(f"g{self.aggregates.index(aggregate)}{part}", table=self.groups)

    def has_members(self) -> Sql:
        """Whether the household has any member row."""
        return _is_known(exp.column(self.key, table=self.groups))


@dataclass(frozen=True, slots=True)
class Open:
    """A term and, as SQL, whether it keeps the answer unknown and why it is unknown (with `Scope.reasons`)."""

    term: Term
    flag: Sql
    reason: Sql = field(default_factory=exp.null)


def compile_condition(node: Condition, scope: Scope) -> Sql:
    """A boolean expression: TRUE, FALSE or NULL exactly where `evaluate` says True, False or None."""
    if node in scope.answers:
        return scope.column(f"c{scope.answers.index(node)}")
    match node:
        case Holds(term):
            return scope.column(term.id)
        case Compare():
            return _compare(node, scope)
        case Not(of):
            return exp.Not(this=exp.paren(compile_condition(of, scope)))
        case And(of):
            return exp.paren(exp.and_(*(compile_condition(n, scope) for n in of)))
        case Or(of):
            return exp.paren(exp.or_(*(compile_condition(n, scope) for n in of)))
        case AnyMember():
            return _case((_not(scope.has_members()), exp.false()), default=scope.group(node, ""))
        case EveryMember():
            return _case((_not(scope.has_members()), exp.true()), default=scope.group(node, ""))
        case _:
            assert_never(node)


def group_columns(scope: Scope, members: str) -> list[Sql]:
    """The aggregate columns of one row per household, over member rows aliased `members` (see `Scope.group`)."""
    inner = replace(scope, table=members, groups="", aggregates=(), answers=())
    columns: list[Sql] = []
    for aggregate in scope.aggregates:
        name = f"g{scope.aggregates.index(aggregate)}"
        match aggregate:
            case AnyMember(where):
                answer = compile_condition(where, inner)
                columns.append(exp.alias_(_some(answer), name))
            case EveryMember(where):
                answer = compile_condition(Not(where), inner)
                columns.append(exp.alias_(exp.Not(this=exp.paren(_some(answer))), name))
            case CountMembers(where):
                answer = compile_condition(where, inner)
                columns.append(exp.alias_(_sum(_case((answer, _number(1)), default=_number(0))), f"{name}_lo"))
                not_false = _case((_not(answer), _number(0)), default=_number(1))
                columns.append(exp.alias_(_sum(not_false), f"{name}_hi"))
            case SumMembers():
                columns.extend(_sum_columns(aggregate, inner, name))
            case _:
                assert_never(aggregate)
        columns.extend(_open_columns(aggregate, inner, name))
    return columns


def open_items(node: Condition, scope: Scope) -> tuple[Open, ...]:
    """Every term of the condition with the SQL of "this being unknown keeps the answer unknown" (as `open_terms`)."""
    found: dict[Term, Open] = {}
    for item in _open(node, scope, ()):
        before = found.get(item.term)
        if before is None:
            found[item.term] = item
            continue
        reason = _case((before.flag, before.reason), default=item.reason)
        found[item.term] = Open(item.term, exp.paren(exp.or_(before.flag, item.flag)), reason)
    return tuple(found.values())


def first_item(node: Condition, scope: Scope) -> Sql:
    """The id of the term that best shows why the answer is TRUE: the first one of the first branch that holds."""
    if isinstance(node, Or):
        branches = [(compile_condition(n, scope), first_item(n, scope)) for n in node.of]
        return _case(*branches)
    if isinstance(node, And):
        return first_item(node.of[0], scope)
    terms = terms_of(node)
    return exp.Literal.string(terms[0].id) if terms else exp.null()


def _compare(node: Compare, scope: Scope) -> Sql:
    if _is_text(node.left):
        left, right = _text(node.left, scope), _text(node.right, scope)
        answer: Sql = exp.EQ(this=left, expression=right) if node.op == "=" else exp.NEQ(this=left, expression=right)
    else:
        answer = _compare_bounds(node.op, _bounds(node.left, scope), _bounds(node.right, scope))
    flags = [scope.column(f"{t.id}_na") for side in (node.left, node.right) if (t := _direct_term(side)) is not None]
    return _case(*((flag, exp.false()) for flag in flags), default=exp.paren(answer)) if flags else answer


def _compare_bounds(op: Operator, left: Bounds, right: Bounds) -> Sql:
    (a, b), (c, d) = left, right
    match op:
        case ">":
            return _case((exp.GT(this=a, expression=d), exp.true()), (exp.LTE(this=b, expression=c), exp.false()))
        case "≥":
            return _case((exp.GTE(this=a, expression=d), exp.true()), (exp.LT(this=b, expression=c), exp.false()))
        case "<":
            return _compare_bounds(">", right, left)
        case "≤":
            return _compare_bounds("≥", right, left)
        case "=" | "≠":
            exact = exp.and_(*(exp.EQ(this=x, expression=y) for x, y in ((a, b), (c, d), (a, c))))
            apart = exp.or_(exp.LT(this=b, expression=c), exp.GT(this=a, expression=d))
            yes, no = (exp.true(), exp.false()) if op == "=" else (exp.false(), exp.true())
            return _case((exact, yes), (apart, no))
        case _:
            assert_never(op)


def _bounds(node: Operand, scope: Scope) -> Bounds:
    match node:
        case Constant(value):
            return _number(float(value)), _number(float(value))
        case Ref(term):
            return scope.column(f"{term.id}_lo"), scope.column(f"{term.id}_hi")
        case Lookup(table, Ref(term)):
            return _step(table, scope.column(f"{term.id}_lo")), _step(table, scope.column(f"{term.id}_hi"))
        case SumMembers() | CountMembers():
            empty = _not(scope.has_members())
            return (
                _case((empty, _number(0)), default=scope.group(node, "_lo")),
                _case((empty, _number(0)), default=scope.group(node, "_hi")),
            )
        case SumTerms(terms):
            return _sum_terms(terms, scope)
        case CountHolding(of):
            answers = [compile_condition(n, scope) for n in of]
            return (
                _added([_case((a, _number(1)), default=_number(0)) for a in answers]),
                _added([_case((_not(a), _number(0)), default=_number(1)) for a in answers]),
            )
        case _:
            assert_never(node)


def _step(table: StepTable, key: Sql) -> Sql:
    if table.expired:
        return exp.cast(exp.null(), "double")
    last = len(table.values) - 1
    floor = exp.Floor(this=key)
    branches = [(exp.LTE(this=floor, expression=_number(n)), _number(v)) for n, v in enumerate(table.values)]
    further = exp.paren(exp.Sub(this=floor, expression=_number(last)))
    beyond = exp.Add(this=_number(table.values[last]), expression=exp.Mul(this=further, expression=_number(table.increment)))
    return _case((_is_null(key), exp.null()), *branches, default=beyond)


def _sum_terms(terms: tuple[Term, ...], scope: Scope) -> Bounds:
    """The least is the sum of what is known; the most is NULL (no bound) as soon as one number is not exactly known."""
    lows, highs = [], []
    for term in terms:
        low, high = _bounds(Ref(term), scope)
        na = scope.column(f"{term.id}_na")
        exact = exp.EQ(this=low.copy(), expression=high)
        lows.append(_case((na, _number(0)), default=exp.func("COALESCE", low, _number(0))))
        highs.append(_case((na, _number(0)), (exact, low)))
    return _added(lows), _added(highs)


def _added(parts: Iterable[Sql]) -> Sql:
    first, *others = parts
    for part in others:
        first = exp.Add(this=first, expression=part)
    return exp.paren(first)


def _sum_columns(node: SumMembers, inner: Scope, name: str) -> list[Sql]:
    low, high = _bounds(Ref(node.term), inner)
    na = inner.column(f"{node.term.id}_na")
    counts = exp.true() if node.where is None else compile_condition(node.where, inner)
    out = exp.or_(_not(counts), na)
    known_part = _case((na, _number(0)), (counts, exp.func("COALESCE", low, _number(0))), default=_number(0))
    exact = exp.and_(counts, exp.func("COALESCE", exp.EQ(this=low, expression=high), exp.false()))
    inexact = _case((out, _number(0)), (exact, _number(0)), default=_number(1))
    total = _sum(known_part)
    most = _case((exp.EQ(this=exp.Max(this=inexact), expression=_number(0)), total.copy()))
    return [exp.alias_(total, f"{name}_lo"), exp.alias_(most, f"{name}_hi")]


def _open_columns(aggregate: Aggregate, inner: Scope, name: str) -> list[Sql]:
    columns: list[Sql] = []
    for item in _open_in_member(aggregate, inner):
        seen = exp.Max(this=_case((item.flag, _number(1)), default=_number(0)))
        columns.append(exp.alias_(exp.EQ(this=seen, expression=_number(1)), f"{name}_open_{item.term.id}"))
        if inner.reasons:
            reason = exp.Min(this=_case((item.flag, item.reason)))
            columns.append(exp.alias_(reason, f"{name}_why_{item.term.id}"))
    return columns


def _open_in_member(aggregate: Aggregate, inner: Scope) -> tuple[Open, ...]:
    """Open terms of one member's row."""
    if not isinstance(aggregate, SumMembers):
        return open_items(aggregate.where, inner)
    counts = exp.true() if aggregate.where is None else compile_condition(aggregate.where, inner)
    may_count = exp.func("COALESCE", counts, exp.true())
    flag = exp.and_(may_count, _ref_is_open(aggregate.term, inner))
    items = {o.term: o for o in (open_items(aggregate.where, inner) if aggregate.where is not None else ())}
    before = items.get(aggregate.term)
    flag = flag if before is None else exp.paren(exp.or_(before.flag, flag))
    items[aggregate.term] = Open(aggregate.term, flag, _reason(aggregate.term, inner))
    return tuple(items.values())


def _open(node: Condition, scope: Scope, above: tuple[Sql, ...]) -> Iterable[Open]:
    """`above`: the answers of the conditions around this one, all of which must be NULL for it to matter."""
    unknown = (*above, _is_null(compile_condition(node, scope)))
    match node:
        case Holds(term):
            yield Open(term, exp.and_(*unknown), _reason(term, scope))
        case Compare(_, left, right):
            for side in (left, right):
                yield from _open_operand(side, scope, unknown)
        case Not(of):
            yield from _open(of, scope, unknown)
        case And(of) | Or(of):
            for n in of:
                yield from _open(n, scope, unknown)
        case AnyMember() | EveryMember():
            yield from _open_group(node, scope, unknown)
        case _:
            assert_never(node)


def _open_operand(node: Operand, scope: Scope, above: tuple[Sql, ...]) -> Iterable[Open]:
    term = _direct_term(node)
    if term is not None:
        yield Open(term, exp.and_(*above, _ref_is_open(term, scope)), _reason(term, scope))
    elif isinstance(node, SumMembers | CountMembers):
        yield from _open_group(node, scope, above)
    elif isinstance(node, SumTerms):
        for one in node.terms:
            yield Open(one, exp.and_(*above, _ref_is_open(one, scope)), _reason(one, scope))
    elif isinstance(node, CountHolding):
        for condition in node.of:
            yield from _open(condition, scope, above)


def _open_group(node: Aggregate, scope: Scope, above: tuple[Sql, ...]) -> Iterable[Open]:
    for item in _open_in_member(node, replace(scope, aggregates=(), answers=())):
        seen = exp.func("COALESCE", scope.group(node, f"_open_{item.term.id}"), exp.false())
        reason = scope.group(node, f"_why_{item.term.id}") if scope.reasons else exp.null()
        yield Open(item.term, exp.and_(*above, seen), reason)


def _ref_is_open(term: Term, scope: Scope) -> Sql:
    applies = _not(scope.column(f"{term.id}_na"))
    if term.kind is Kind.TEXT:
        return exp.and_(applies, _is_null(scope.column(term.id)))
    low, high = _bounds(Ref(term), scope)
    return exp.and_(applies, exp.or_(_is_null(low), _is_null(high), exp.NEQ(this=low, expression=high)))


def _reason(term: Term, scope: Scope) -> Sql:
    return scope.column(f"{term.id}_why") if scope.reasons else exp.null()


def _direct_term(node: Operand) -> Term | None:
    match node:
        case Ref(term) | Lookup(_, Ref(term)):
            return term
        case _:
            return None


def _is_text(node: Operand) -> bool:
    return (isinstance(node, Ref) and node.term.kind is Kind.TEXT) or (
        isinstance(node, Constant) and isinstance(node.value, str)
    )


def _text(node: Node, scope: Scope) -> Sql:
    return exp.Literal.string(str(node.value)) if isinstance(node, Constant) else scope.column(_term(node).id)


def _term(node: Node) -> Term:
    assert isinstance(node, Ref)
    return node.term


def _some(answer: Sql) -> Sql:
    """いずれか over the rows of a group without losing NULLs."""
    true = exp.Max(this=_case((answer, _number(1)), default=_number(0)))
    unknown = exp.Max(this=_case((_is_null(answer), _number(1)), default=_number(0)))
    yes, maybe = exp.EQ(this=true, expression=_number(1)), exp.EQ(this=unknown, expression=_number(1))
    return _case((yes, exp.true()), (maybe, exp.cast(exp.null(), "boolean")), default=exp.false())


def _case(*branches: tuple[Sql, Sql], default: Sql | None = None) -> Sql:
    case = exp.Case(ifs=[exp.If(this=when.copy(), true=then.copy()) for when, then in branches])
    return case if default is None else case.else_(default.copy())


def _number(value: float) -> Sql:
    return exp.cast(exp.Literal.number(int(value) if float(value).is_integer() else value), "double")


def _sum(of: Sql) -> Sql:
    return exp.Sum(this=of)


def _is_null(of: Sql) -> Sql:
    return exp.Is(this=exp.paren(of.copy()), expression=exp.null())


def _is_known(of: Sql) -> Sql:
    return exp.Not(this=exp.Is(this=of.copy(), expression=exp.null()))


def _not(of: Sql) -> Sql:
    return exp.Not(this=exp.paren(of.copy()))
