"""Items laid out: one row per child with every term the criteria read, in the columns `compile_condition` expects.

Made from narrow pivots of a few items each, joined by child: one wide pivot would ask of every item row whether it is each
of the sixty items.
"""

from collections.abc import Iterable, Sequence

from sqlglot import exp

from kizuki.definitions.expression import Kind, Term
from kizuki.definitions.expression.trees import Sql, among, call, cast, named

_TOGETHER = 16
"""Terms per narrow pivot: fewer mean more passes over the items, more mean more tests per row."""
_KNOWN = ("known", "zero")
_UNKNOWN = ("not_entered", "not_collected")


def items_query(terms: Iterable[Term]) -> Sql:
    """One row per child in `item`; an item a child has no row for is unknown."""
    wanted = list(dict.fromkeys(terms))
    chunks = [wanted[n : n + _TOGETHER] for n in range(0, len(wanted), _TOGETHER)]
    columns = [column for n, chunk in enumerate(chunks) for term in chunk for column in _columns(term, f"c{n}")]
    everyone = exp.select("person_id").distinct().from_("item").subquery("e", copy=False)
    query = exp.select(exp.column("person_id", table="e"), *columns, copy=False).from_(everyone, copy=False)
    for n, chunk in enumerate(chunks):
        same = exp.EQ(this=exp.column("person_id", table=f"c{n}"), expression=exp.column("person_id", table="e"))
        query = query.join(_narrow(chunk).subquery(f"c{n}", copy=False), on=same, join_type="left", copy=False)
    return query


def _narrow(chunk: Sequence[Term]) -> Sql:
    """The given items of every child that has any of them, one row per child."""
    state, value, item = (exp.column(name, table="i") for name in ("state", "value", "item"))
    known, unknown, outside = among(state, _KNOWN), among(state, _UNKNOWN), among(state, ("not_applicable",))
    zero, one, two = (exp.Literal.number(n) for n in range(3))
    rows = (
        exp.select(
            exp.column("person_id", table="i"),
            item,
            named(exp.Case(ifs=[exp.If(this=known, true=value), exp.If(this=outside, true=zero)]), "yes"),
            named(exp.Case(ifs=[exp.If(this=exp.Not(this=outside.copy()), true=value.copy())]), "seen"),
            named(
                exp.Case(ifs=[exp.If(this=known.copy(), true=zero.copy()), exp.If(this=unknown, true=one)], default=two), "how"
            ),
        )
        .from_("item AS i", copy=False)
        .where(among(item, tuple(t.id for t in chunk)), copy=False)
        .subquery("r", copy=False)
    )
    person = exp.column("person_id", table="r")
    measures = [column for term in chunk for column in _measures(term)]
    return exp.select(person, *measures, copy=False).from_(rows, copy=False).group_by(person.copy(), copy=False)


def _measures(term: Term) -> list[Sql]:
    """A truth as 1, 0 or blank (対象外 is 0); a number as what is seen of it and how it is known (0 known, 1 not, 2 対象外)."""
    this = exp.EQ(this=exp.column("item", table="r"), expression=exp.Literal.string(term.id))

    def of(column: str) -> Sql:
        return exp.Max(this=exp.Case(ifs=[exp.If(this=this.copy(), true=exp.column(column, table="r"))]))

    parts = ("yes",) if term.kind is Kind.TRUTH else ("seen", "how")
    return [named(of(part), f"{term.id}__{part}") for part in parts]


def _columns(term: Term, table: str) -> list[Sql]:
    yes, seen, how = (exp.column(f"{term.id}__{name}", table=table) for name in ("yes", "seen", "how"))
    if term.kind is Kind.TRUTH:
        return [named(exp.EQ(this=yes, expression=exp.Literal.number(1)), term.id)]
    known, outside = (exp.EQ(this=how, expression=exp.Literal.number(n)) for n in (0, 2))
    least: Sql = seen
    if term.minimum is not None:
        least = call("COALESCE", seen, cast(exp.Literal.number(int(term.minimum)), "double"))
    most = exp.Case(ifs=[exp.If(this=known, true=seen.copy())])
    na = call("COALESCE", outside, exp.false())
    return [named(least, f"{term.id}_lo"), named(most, f"{term.id}_hi"), named(na, f"{term.id}_na")]
