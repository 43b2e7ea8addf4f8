"""The plain-Python meaning of a condition: True, False or None (unknown). The SQL of `compile` must agree with it.

A number is held as the pair (least, most) it can be; a known number has both equal, an unknown one has no most.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import assert_never

from kizuki.definitions.expression.nodes import (
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
    Not,
    Operand,
    Operator,
    Or,
    Ref,
    StepTable,
    SumMembers,
    SumTerms,
    Term,
)


@dataclass(frozen=True, slots=True)
class AtLeast:
    """A number of which only a part is known, such as the days absent since moving in."""

    value: float


@dataclass(frozen=True, slots=True)
class Between:
    """A number known only to lie between two others, such as the age at the year's end of somebody of a known age today."""

    least: float
    most: float


@dataclass(frozen=True, slots=True)
class NotApplicable:
    """対象外: the question does not arise for this person."""


Value = bool | float | int | str | AtLeast | Between | NotApplicable | None
Facts = Mapping[str, Value]
Span = tuple[float | None, float | None]


def evaluate(node: Condition, facts: Facts, members: Sequence[Facts] = ()) -> bool | None:
    """The answer for one child or household; a term missing from `facts` is unknown."""
    match node:
        case Holds(term):
            return _truth(facts.get(term.id))
        case Compare():
            return _compare(node, facts, members)
        case Not(of):
            answer = evaluate(of, facts, members)
            return None if answer is None else not answer
        case And(of):
            return _every([evaluate(n, facts, members) for n in of])
        case Or(of):
            return _any([evaluate(n, facts, members) for n in of])
        case AnyMember(where):
            return _any([evaluate(where, m) for m in members])
        case EveryMember(where):
            return _every([evaluate(where, m) for m in members])
        case _:
            assert_never(node)


def open_terms(node: Condition, facts: Facts, members: Sequence[Facts] = ()) -> tuple[Term, ...]:
    """The terms whose being unknown keeps the answer unknown; empty if the answer is known."""
    return tuple(dict.fromkeys(_open(node, facts, members)))


def _open(node: Condition, facts: Facts, members: Sequence[Facts]) -> Iterator[Term]:
    if evaluate(node, facts, members) is not None:
        return
    match node:
        case Holds(term):
            yield term
        case Compare(_, left, right):
            yield from _open_operand(left, facts, members)
            yield from _open_operand(right, facts, members)
        case Not(of):
            yield from _open(of, facts, members)
        case And(of) | Or(of):
            for n in of:
                yield from _open(n, facts, members)
        case AnyMember(where) | EveryMember(where):
            for m in members:
                yield from _open(where, m, ())
        case _:
            assert_never(node)


def _open_operand(node: Operand, facts: Facts, members: Sequence[Facts]) -> Iterator[Term]:
    match node:
        case Ref(term) | Lookup(_, Ref(term)):
            if not _is_known(facts.get(term.id)):
                yield term
        case SumMembers(term, where):
            for m in members:
                counts = True if where is None else evaluate(where, m)
                if counts is None and where is not None:
                    yield from _open(where, m, ())
                if counts is not False and not _is_known(m.get(term.id)):
                    yield term
        case CountMembers(where):
            for m in members:
                yield from _open(where, m, ())
        case SumTerms(terms):
            yield from (term for term in terms if not _is_known(facts.get(term.id)))
        case CountHolding(of):
            for n in of:
                yield from _open(n, facts, members)
        case Constant():
            return
        case _:
            assert_never(node)


def _is_known(value: Value) -> bool:
    return value is not None and not isinstance(value, AtLeast | Between)


def _truth(value: Value) -> bool | None:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, NotApplicable):
        return False
    raise TypeError("a はい・いいえ term holds a bool")


def _any(answers: Sequence[bool | None]) -> bool | None:
    if any(a is True for a in answers):
        return True
    return None if any(a is None for a in answers) else False


def _every(answers: Sequence[bool | None]) -> bool | None:
    if any(a is False for a in answers):
        return False
    return None if any(a is None for a in answers) else True


def _compare(node: Compare, facts: Facts, members: Sequence[Facts]) -> bool | None:
    for operand in (node.left, node.right):
        if isinstance(operand, Ref | Lookup):
            term = operand.term if isinstance(operand, Ref) else operand.key.term
            if isinstance(facts.get(term.id), NotApplicable):
                return False
    if _is_text(node.left):
        left, right = _text(node.left, facts), _text(node.right, facts)
        same = None if left is None or right is None else left == right
        return same if same is None or node.op == "=" else not same
    return compare_spans(node.op, _span(node.left, facts, members), _span(node.right, facts, members))


def compare_spans(op: Operator, left: Span, right: Span) -> bool | None:
    """Compare two partly known numbers: an answer only if every value they can have gives it."""
    (a, b), (c, d) = left, right
    match op:
        case ">":
            return _decided(a is not None and d is not None and a > d, b is not None and c is not None and b <= c)
        case "≥":
            return _decided(a is not None and d is not None and a >= d, b is not None and c is not None and b < c)
        case "<":
            return compare_spans(">", right, left)
        case "≤":
            return compare_spans("≥", right, left)
        case "=":
            exact = a is not None and a == b and c is not None and c == d and a == c
            apart = (b is not None and c is not None and b < c) or (a is not None and d is not None and a > d)
            return _decided(exact, apart)
        case "≠":
            same = compare_spans("=", left, right)
            return None if same is None else not same


def _decided(yes: bool, no: bool) -> bool | None:
    return True if yes else False if no else None


def _is_text(node: Operand) -> bool:
    return (isinstance(node, Ref) and node.term.kind is Kind.TEXT) or (
        isinstance(node, Constant) and isinstance(node.value, str)
    )


def _text(node: Operand, facts: Facts) -> str | None:
    value = node.value if isinstance(node, Constant) else facts.get(node.term.id) if isinstance(node, Ref) else None
    return value if isinstance(value, str) else None


def _span(node: Operand, facts: Facts, members: Sequence[Facts]) -> Span:
    match node:
        case Constant(value):
            return float(value), float(value)
        case Ref(term):
            return span_of(facts.get(term.id), term)
        case Lookup(table, key):
            low, high = span_of(facts.get(key.term.id), key.term)
            return step(table, low), step(table, high)
        case SumMembers(term, where):
            return _sum(term, where, members)
        case CountMembers(where):
            answers = [evaluate(where, m) for m in members]
            return _counted(answers)
        case CountHolding(of):
            return _counted([evaluate(n, facts, members) for n in of])
        case SumTerms(terms):
            applying = [(facts.get(t.id), t) for t in terms if not isinstance(facts.get(t.id), NotApplicable)]
            spans = [span_of(value, term) for value, term in applying]
            exact = all(low is not None and low == high for low, high in spans)
            total = sum(low or 0.0 for low, _ in spans)
            return total, (total if exact else None)
        case _:
            assert_never(node)


def _counted(answers: Sequence[bool | None]) -> Span:
    return float(sum(a is True for a in answers)), float(sum(a is not False for a in answers))


def span_of(value: Value, term: Term) -> Span:
    """What the number can be: exact if known, otherwise at least its known part or the term's minimum."""
    if isinstance(value, AtLeast):
        return (value.value if term.minimum is None else max(value.value, term.minimum)), None
    if isinstance(value, Between):
        return value.least, value.most
    if value is None or isinstance(value, NotApplicable):
        return term.minimum, None
    return float(value), float(value)


def step(table: StepTable, key: float | None) -> float | None:
    """The table's amount at `key`; None if the key is unknown or the table has expired."""
    if key is None or table.expired:
        return None
    last = len(table.values) - 1
    position = max(0, int(key // 1))
    if position <= last:
        return table.values[position]
    return table.values[last] + (position - last) * table.increment


def _sum(term: Term, where: Condition | None, members: Sequence[Facts]) -> Span:
    total, exact = 0.0, True
    for m in members:
        counts = True if where is None else evaluate(where, m)
        value = m.get(term.id)
        if counts is False or isinstance(value, NotApplicable):
            continue
        if counts is True and (low := span_of(value, term)[0]) is not None:
            total += low
        exact = exact and counts is True and _is_known(value)
    return total, (total if exact else None)
