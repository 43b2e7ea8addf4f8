"""The same meaning as SQL: sqlglot trees in which NULL is unknown, so that AND, OR and NOT are Kleene's by themselves.

Columns of a term `x`: a truth is one boolean column `x`; a text is `x` and `x_na`; a number is `x_lo`, `x_hi` and `x_na`
(least and most it can be; NULL = no bound; `x_na` = 対象外). Bare aggregates would skip NULLs, so households go through
`group_columns` only: one row per household, to be joined to the one being judged.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import assert_never

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
from kizuki.definitions.expression.trees import (
    Sql,
    added,
    both,
    call,
    case,
    cast,
    double,
    either,
    is_null,
    named,
    negated,
    paren,
)

Bounds = tuple[Sql, Sql]


@dataclass(frozen=True, slots=True)
class Scope:
    """Where columns are found: `table` holds the terms, `groups` the household aggregates, numbered as in `aggregates`.

    `key` is the household column of `groups`; NULL there means a household without members. `answers` are conditions that
    `table` already holds the answer of, in the columns c0, c1, …; asking why an answer is open then repeats no work;
    `member_answers` likewise in the table of members. `unsaid` stands for a reason nobody gave (reasons are texts or numbers).
    """

    table: str
    groups: str = ""
    key: str = "household_id"
    aggregates: tuple[Aggregate, ...] = ()
    reasons: bool = False
    answers: tuple[Condition, ...] = ()
    member_answers: tuple[Condition, ...] = ()
    unsaid: str | int = ""

    def column(self, name: str) -> exp.Column:
        """A column of the one being judged."""
        return exp.column(name, table=self.table)

    def group(self, aggregate: Aggregate, part: str) -> exp.Column:
        """A column of the household's aggregate."""
        return exp.column(f"g{self.aggregates.index(aggregate)}{part}", table=self.groups)

    def has_members(self) -> Sql:
        """Whether the household has any member row."""
        return exp.Not(this=is_null(exp.column(self.key, table=self.groups)))


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
            return negated(compile_condition(of, scope))
        case And(of):
            return both(*(compile_condition(n, scope) for n in of))
        case Or(of):
            return either(*(compile_condition(n, scope) for n in of))
        case AnyMember():
            return case((negated(scope.has_members()), exp.false()), default=scope.group(node, ""))
        case EveryMember():
            return case((negated(scope.has_members()), exp.true()), default=scope.group(node, ""))
        case _:
            assert_never(node)


def group_columns(scope: Scope, members: str) -> list[Sql]:
    """The aggregate columns of one row per household, over member rows aliased `members` (see `Scope.group`)."""
    inner = replace(scope, table=members, groups="", aggregates=(), answers=scope.member_answers)
    columns: list[Sql] = []
    for aggregate in scope.aggregates:
        name = f"g{scope.aggregates.index(aggregate)}"
        match aggregate:
            case AnyMember(where):
                answer = compile_condition(where, inner)
                columns.append(named(_some(answer), name))
            case EveryMember(where):
                answer = compile_condition(Not(where), inner)
                columns.append(named(negated(_some(answer)), name))
            case CountMembers(where):
                answer = compile_condition(where, inner)
                columns.append(named(exp.Sum(this=case((answer, double(1)), default=double(0))), f"{name}_lo"))
                not_false = case((negated(answer), double(0)), default=double(1))
                columns.append(named(exp.Sum(this=not_false), f"{name}_hi"))
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
        reason = case((before.flag, before.reason), default=item.reason)
        found[item.term] = Open(item.term, paren(either(before.flag, item.flag)), reason)
    return tuple(found.values())


def _term_id(term: Term) -> Sql:
    return exp.Literal.string(term.id)


def first_item(node: Condition, scope: Scope, shown: Callable[[Term], Sql] = _term_id) -> Sql:
    """What best shows why the answer is TRUE: `shown` of the first term of the first branch that holds; NULL without terms."""
    if isinstance(node, Or):
        branches = [(compile_condition(n, scope), first_item(n, scope, shown)) for n in node.of]
        return case(*branches)
    if isinstance(node, Compare) and isinstance(node.left, CountHolding):
        counted = [(compile_condition(n, scope), first_item(n, scope, shown)) for n in node.left.of]
        return case(*counted, default=first_item(node.left.of[0], scope, shown))  # none holds where few are asked for
    if isinstance(node, And):
        return first_item(node.of[0], scope, shown)
    terms = terms_of(node)
    return shown(terms[0]) if terms else exp.null()


def _compare(node: Compare, scope: Scope) -> Sql:
    if _is_text(node.left):
        left, right = _text(node.left, scope), _text(node.right, scope)
        answer: Sql = exp.EQ(this=left, expression=right) if node.op == "=" else exp.NEQ(this=left, expression=right)
    else:
        answer = _compare_bounds(node.op, _bounds(node.left, scope), _bounds(node.right, scope))
    flags = [scope.column(f"{t.id}_na") for side in (node.left, node.right) if (t := _direct_term(side)) is not None]
    return case(*((flag, exp.false()) for flag in flags), default=paren(answer)) if flags else answer


def _compare_bounds(op: Operator, left: Bounds, right: Bounds) -> Sql:
    (a, b), (c, d) = left, right
    match op:
        case ">":
            return case((exp.GT(this=a, expression=d), exp.true()), (exp.LTE(this=b, expression=c), exp.false()))
        case "≥":
            return case((exp.GTE(this=a, expression=d), exp.true()), (exp.LT(this=b, expression=c), exp.false()))
        case "<":
            return _compare_bounds(">", right, left)
        case "≤":
            return _compare_bounds("≥", right, left)
        case "=" | "≠":
            exact = both(*(exp.EQ(this=x, expression=y) for x, y in ((a, b), (c, d), (a, c))))
            apart = either(exp.LT(this=b, expression=c), exp.GT(this=a, expression=d))
            yes, no = (exp.true(), exp.false()) if op == "=" else (exp.false(), exp.true())
            return case((exact, yes), (apart, no))
        case _:
            assert_never(op)


def _bounds(node: Operand, scope: Scope) -> Bounds:
    match node:
        case Constant(value):
            return double(float(value)), double(float(value))
        case Ref(term):
            return scope.column(f"{term.id}_lo"), scope.column(f"{term.id}_hi")
        case Lookup(table, Ref(term)):
            return _step(table, scope.column(f"{term.id}_lo")), _step(table, scope.column(f"{term.id}_hi"))
        case SumMembers() | CountMembers():
            empty = negated(scope.has_members())
            return (
                case((empty, double(0)), default=scope.group(node, "_lo")),
                case((empty, double(0)), default=scope.group(node, "_hi")),
            )
        case SumTerms(terms):
            return _sum_terms(terms, scope)
        case CountHolding(of):
            answers = [compile_condition(n, scope) for n in of]
            return (
                added([case((a, double(1)), default=double(0)) for a in answers]),
                added([case((negated(a), double(0)), default=double(1)) for a in answers]),
            )
        case _:
            assert_never(node)


def _step(table: StepTable, key: Sql) -> Sql:
    if table.expired:
        return exp.cast(exp.null(), "double")
    last = len(table.values) - 1
    floor = exp.Floor(this=key)
    branches = [(exp.LTE(this=floor, expression=double(n)), double(v)) for n, v in enumerate(table.values)]
    further = paren(exp.Sub(this=floor, expression=double(last)))
    beyond = exp.Add(this=double(table.values[last]), expression=exp.Mul(this=further, expression=double(table.increment)))
    return case((is_null(key), exp.null()), *branches, default=beyond)


def _sum_terms(terms: tuple[Term, ...], scope: Scope) -> Bounds:
    """The least is the sum of what is known; the most is NULL (no bound) as soon as one number is not exactly known."""
    lows, highs = [], []
    for term in terms:
        low, high = _bounds(Ref(term), scope)
        na = scope.column(f"{term.id}_na")
        exact = exp.EQ(this=low.copy(), expression=high)
        lows.append(case((na, double(0)), default=call("COALESCE", low, double(0))))
        highs.append(case((na, double(0)), (exact, low)))
    return added(lows), added(highs)


def _sum_columns(node: SumMembers, inner: Scope, name: str) -> list[Sql]:
    low, high = _bounds(Ref(node.term), inner)
    na = inner.column(f"{node.term.id}_na")
    counts = exp.true() if node.where is None else compile_condition(node.where, inner)
    out = either(negated(counts), na)
    known_part = case((na, double(0)), (counts, call("COALESCE", low, double(0))), default=double(0))
    exact = both(counts, call("COALESCE", exp.EQ(this=low, expression=high), exp.false()))
    inexact = case((out, double(0)), (exact, double(0)), default=double(1))
    total = exp.Sum(this=known_part)
    most = case((exp.EQ(this=exp.Max(this=inexact), expression=double(0)), total.copy()))
    return [named(total, f"{name}_lo"), named(most, f"{name}_hi")]


def _open_columns(aggregate: Aggregate, inner: Scope, name: str) -> list[Sql]:
    """Per open term one column: why it is open ('' without a reason), NULL if it is not; without reasons, whether it is."""
    columns: list[Sql] = []
    for item in _open_in_member(aggregate, inner):
        if inner.reasons:
            reason = call("COALESCE", item.reason, exp.convert(inner.unsaid))
            columns.append(named(exp.Min(this=case((item.flag, reason))), f"{name}_why_{item.term.id}"))
        else:
            seen = exp.Max(this=case((item.flag, double(1)), default=double(0)))
            columns.append(named(exp.EQ(this=seen, expression=double(1)), f"{name}_open_{item.term.id}"))
    return columns


def _open_in_member(aggregate: Aggregate, inner: Scope) -> tuple[Open, ...]:
    """Open terms of one member's row."""
    if not isinstance(aggregate, SumMembers):
        return open_items(aggregate.where, inner)
    counts = exp.true() if aggregate.where is None else compile_condition(aggregate.where, inner)
    may_count = call("COALESCE", counts, exp.true())
    flag = both(may_count, _ref_is_open(aggregate.term, inner))
    items = {o.term: o for o in (open_items(aggregate.where, inner) if aggregate.where is not None else ())}
    before = items.get(aggregate.term)
    flag = flag if before is None else paren(either(before.flag, flag))
    items[aggregate.term] = Open(aggregate.term, flag, _reason(aggregate.term, inner))
    return tuple(items.values())


def _open(node: Condition, scope: Scope, above: tuple[Sql, ...]) -> Iterable[Open]:
    """`above`: the answers of the conditions around this one, all of which must be NULL for it to matter."""
    unknown = (*above, is_null(compile_condition(node, scope)))
    match node:
        case Holds(term):
            yield Open(term, both(*unknown), _reason(term, scope))
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
        yield Open(term, both(*above, _ref_is_open(term, scope)), _reason(term, scope))
    elif isinstance(node, SumMembers | CountMembers):
        yield from _open_group(node, scope, above)
    elif isinstance(node, SumTerms):
        for one in node.terms:
            yield Open(one, both(*above, _ref_is_open(one, scope)), _reason(one, scope))
    elif isinstance(node, CountHolding):
        for condition in node.of:
            yield from _open(condition, scope, above)


def _open_group(node: Aggregate, scope: Scope, above: tuple[Sql, ...]) -> Iterable[Open]:
    for item in _open_in_member(node, replace(scope, aggregates=(), answers=())):
        if scope.reasons:
            reason: Sql = scope.group(node, f"_why_{item.term.id}")
            seen: Sql = negated(is_null(reason.copy()))
        else:
            reason = exp.null()
            seen = call("COALESCE", scope.group(node, f"_open_{item.term.id}"), exp.false())
        yield Open(item.term, both(*above, seen), reason)


def _ref_is_open(term: Term, scope: Scope) -> Sql:
    applies = negated(scope.column(f"{term.id}_na"))
    if term.kind is Kind.TEXT:
        return both(applies, is_null(scope.column(term.id)))
    low, high = _bounds(Ref(term), scope)
    return both(applies, either(is_null(low), is_null(high), exp.NEQ(this=low, expression=high)))


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
    true = exp.Max(this=case((answer, double(1)), default=double(0)))
    unknown = exp.Max(this=case((is_null(answer), double(1)), default=double(0)))
    yes, maybe = exp.EQ(this=true, expression=double(1)), exp.EQ(this=unknown, expression=double(1))
    return case((yes, exp.true()), (maybe, cast(exp.null(), "boolean")), default=exp.false())
