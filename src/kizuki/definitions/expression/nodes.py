"""Meaning of a condition as small frozen nodes; a node of the wrong type cannot be built by the parser."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal


class Kind(StrEnum):
    """Type of a value in a condition."""

    NUMBER = "数"
    TRUTH = "はい・いいえ"
    TEXT = "文字"


@dataclass(frozen=True, slots=True)
class Term:
    """One thing a condition may ask about: an item of a child or a fact of a household (member).

    `minimum` is the least value the number can have; an unknown number is known to be at least that.
    """

    id: str
    title: str
    kind: Kind
    unit: str = ""
    choices: tuple[str, ...] = ()
    minimum: float | None = None


@dataclass(frozen=True, slots=True)
class StepTable:
    """A table of amounts by a whole number (limit by number of dependants), already resolved for one date.

    `values` are for key 0, 1, 2 …; beyond the last each further one adds `increment`. Values never fall, so that a partly known
    key gives a partly known amount. `expired` tables give nothing: the city has not entered this period's figures.
    """

    name: str
    unit: str
    values: tuple[float, ...]
    increment: float = 0.0
    expired: bool = False


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What names mean, by Japanese title: `terms` of the one being judged, `members` of each person of its household."""

    terms: Mapping[str, Term]
    members: Mapping[str, Term] = field(default_factory=dict)
    tables: Mapping[str, StepTable] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ref:
    """The value of a term."""

    term: Term


@dataclass(frozen=True, slots=True)
class Constant:
    """A number or text written in the condition."""

    value: float | str


@dataclass(frozen=True, slots=True)
class Lookup:
    """表（名, 項目）: the table's amount for the term's value."""

    table: StepTable
    key: Ref


@dataclass(frozen=True, slots=True)
class SumMembers:
    """合計（項目） or 合計（項目, 条件）: the sum over the members for whom `where` holds (None = all).

    A member of whom it is unknown whether it counts, or by how much, makes the sum "at least what is known".
    """

    term: Term
    where: "Condition | None" = None


@dataclass(frozen=True, slots=True)
class CountMembers:
    """人数（条件）: how many members satisfy it; members of whom that is unknown widen the answer."""

    where: "Condition"


@dataclass(frozen=True, slots=True)
class SumTerms:
    """合計（項目、項目、…）: the sum of several numbers of the one being judged; what does not apply adds nothing.

    An unknown number makes the sum "at least what is known".
    """

    terms: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class CountHolding:
    """該当数（条件、条件、…）: how many of the conditions hold; those of which that is unknown widen the answer."""

    of: "tuple[Condition, ...]"


Operand = Ref | Constant | Lookup | SumMembers | CountMembers | SumTerms | CountHolding
Operator = Literal["=", "≠", "<", "≤", ">", "≥"]


@dataclass(frozen=True, slots=True)
class Holds:
    """A はい・いいえ term by itself."""

    term: Term


@dataclass(frozen=True, slots=True)
class Compare:
    """Two operands of one kind; false where a term does not apply to the one being judged (対象外)."""

    op: Operator
    left: Operand
    right: Operand


@dataclass(frozen=True, slots=True)
class Not:
    """でない."""

    of: "Condition"


@dataclass(frozen=True, slots=True)
class And:
    """かつ."""

    of: "tuple[Condition, ...]"


@dataclass(frozen=True, slots=True)
class Or:
    """または."""

    of: "tuple[Condition, ...]"


@dataclass(frozen=True, slots=True)
class AnyMember:
    """いずれか: true if true of a member; unknown if true of none but unknown of one."""

    where: "Condition"


@dataclass(frozen=True, slots=True)
class EveryMember:
    """すべて: false if false of a member; unknown if false of none but unknown of one."""

    where: "Condition"


Condition = Holds | Compare | Not | And | Or | AnyMember | EveryMember
Aggregate = AnyMember | EveryMember | SumMembers | CountMembers
Node = Condition | Operand


def children(node: Node) -> tuple[Node, ...]:
    """The nodes directly inside `node`."""
    match node:
        case Compare(_, left, right):
            return (left, right)
        case Not(of):
            return (of,)
        case And(of) | Or(of) | CountHolding(of):
            return of
        case SumTerms(terms):
            return tuple(Ref(term) for term in terms)
        case AnyMember(where) | EveryMember(where) | CountMembers(where):
            return (where,)
        case SumMembers(term, where):
            return (Ref(term),) if where is None else (Ref(term), where)
        case Lookup(_, key):
            return (key,)
        case _:
            return ()


def walk(node: Node) -> Iterator[Node]:
    """`node` and everything inside it, in reading order."""
    yield node
    for child in children(node):
        yield from walk(child)


def terms_of(node: Node) -> tuple[Term, ...]:
    """Every term the condition reads, once, in reading order."""
    found = {n.term: None for n in walk(node) if isinstance(n, Ref | Holds)}
    return tuple(found)


def conditions_of(node: Node) -> tuple[Condition, ...]:
    """The condition and those inside it, once, without entering the aggregates over the household."""
    found: dict[Condition, None] = {}
    todo: list[Node] = [node]
    while todo:
        here = todo.pop()
        if isinstance(here, Holds | Compare | Not | And | Or | AnyMember | EveryMember):
            found[here] = None
        if isinstance(here, Not | And | Or):
            todo.extend(children(here))
    return tuple(found)


def aggregates_of(node: Node) -> tuple[Aggregate, ...]:
    """Every aggregate over the household, once."""
    found = {n: None for n in walk(node) if isinstance(n, AnyMember | EveryMember | SumMembers | CountMembers)}
    return tuple(found)
