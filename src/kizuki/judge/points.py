"""Criteria sets as SQL over the items: verdicts, order and reasons for every child in a handful of set-based queries.

Three steps, each one query: `answers_query` lays the items out, one row per child, and answers every entry of every set;
`judgement_query` and `reason_query` read those answers. The plain-Python meaning is `CriteriaSet.score`.
"""

from collections.abc import Sequence
from typing import Any

from sqlglot import exp

from kizuki.definitions.criteria import CriteriaSet, Entry
from kizuki.definitions.expression import Kind, Scope, Term, compile_condition, first_item, open_items, terms_of
from kizuki.terms.states import JudgementVerdict

ITEMS = "judge_item"
ANSWERS = "judge_answer"
_AGE = {"years": "age_years", "fy_end": "age_fy_end"}
_UNKNOWN = ("not_entered", "not_collected")
_TEN_THOUSAND = 10_000

Sql = Any
"""A sqlglot tree; its classes for expressions differ between the sqlglot versions supported."""


def items_query(criteria: Sequence[CriteriaSet], ages: Sequence[Term]) -> Sql:
    """One row per child with every term the sets read, in the columns `compile_condition` expects."""
    terms = {t: None for c in criteria for e in c.entries for t in (*terms_of(e.condition), *_shown(e))} | dict.fromkeys(ages)
    columns = [column for term in terms for column in _columns(term)]
    person = exp.column("person_id", table="i")
    return exp.select(person, *columns).from_("item AS i").group_by(person)


def answers_query(criteria: Sequence[CriteriaSet]) -> Sql:
    """One row per child: every entry's answer, and per set the certain points, the possible points and the verdict.

    A child outside a set's ages has no verdict there.
    """
    scope = Scope("s")
    answers = [exp.alias_(compile_condition(e.condition, scope), _answer(c, e)) for c in criteria for e in c.entries]
    inner = exp.select("s.*", *answers).from_(exp.alias_(exp.to_table(ITEMS), "s"))
    summed = exp.select("a.*", *(column for c in criteria for column in _points(c))).from_(inner.subquery("a"))
    verdicts = [exp.alias_(_verdict(c), f"{c.id}__verdict") for c in criteria]
    return exp.select("p.*", *verdicts).from_(summed.subquery("p"))


def judgement_query(criteria: Sequence[CriteriaSet]) -> Sql:
    """The `judgement` table: one row per child and set."""
    return _union([_judgement(c) for c in criteria])


def reason_query(criteria: Sequence[CriteriaSet]) -> Sql:
    """The `judgement_reason` table: what holds for each judged child, and what is unknown where the unknown could matter.

    Evidence is the item that decided the entry. Entries of a 非該当 child that are unknown are left out: they could not decide.
    """
    hits = _union([_reason(c, e) for c in criteria for e in c.entries]).subquery("h")
    columns = [exp.column(n, table="h") for n in ("person_id", "criteria", "entry", "answer", "points", "text")]
    unknown = exp.EQ(this=exp.column("answer", table="h"), expression=exp.Literal.string("unknown"))
    why = exp.Case(ifs=[exp.If(this=unknown, true=exp.column("unknown_reason", table="i"))])
    same_item = exp.EQ(this=exp.column("item", table="i"), expression=exp.column("item", table="h"))
    same_child = exp.EQ(this=exp.column("person_id", table="i"), expression=exp.column("person_id", table="h"))
    return (
        exp.select(
            *columns,
            exp.column("source", table="i"),
            exp.column("delivery_id", table="i"),
            exp.column("observed_on", table="i"),
            exp.alias_(why, "unknown_reason"),
        )
        .from_(hits)
        .join("item AS i", on=exp.and_(same_child, same_item))
    )


def _columns(term: Term) -> list[Sql]:
    """The pivoted columns of one item; an item a child has no row for is unknown."""
    state, value = exp.column("state", table="i"), exp.column("value", table="i")
    this = exp.EQ(this=exp.column("item", table="i"), expression=exp.Literal.string(term.id))
    known = exp.and_(this, _in(state, ("known", "zero")))
    outside = exp.and_(this, _in(state, ("not_applicable",)))
    if term.kind is Kind.TRUTH:
        no = exp.Literal.number(0)
        yes_no = exp.Case(ifs=[exp.If(this=known, true=value), exp.If(this=outside.copy(), true=no)])
        return [exp.alias_(exp.EQ(this=exp.Max(this=yes_no), expression=exp.Literal.number(1)), term.id)]
    least: Sql = exp.Case(ifs=[exp.If(this=exp.and_(this.copy(), _in(state, ("known", "zero", *_UNKNOWN))), true=value.copy())])
    least = exp.Max(this=least)
    if term.minimum is not None:
        least = exp.func("COALESCE", least, exp.cast(exp.Literal.number(int(term.minimum)), "double"))
    most = exp.Max(this=exp.Case(ifs=[exp.If(this=known.copy(), true=value.copy())]))
    one, none = exp.Literal.number(1), exp.Literal.number(0)
    na = exp.EQ(this=exp.Max(this=exp.Case(ifs=[exp.If(this=outside, true=one)], default=none)), expression=one.copy())
    return [exp.alias_(least, f"{term.id}_lo"), exp.alias_(most, f"{term.id}_hi"), exp.alias_(na, f"{term.id}_na")]


def _points(criteria: CriteriaSet) -> list[Sql]:
    points, most = exp.Literal.number(0), exp.Literal.number(0)
    for entry in criteria.entries:
        answer = exp.column(_answer(criteria, entry), table="a")
        number, none = _signed(entry.points), exp.Literal.number(0)
        unknown = exp.Is(this=answer, expression=exp.null())
        certain, possible = (number, none) if entry.points < 0 else (none, number)
        points = points + _case((answer, number), (unknown, certain), default=none)
        most = most + _case((answer, number), (unknown, possible), default=none)
    return [exp.alias_(points, f"{criteria.id}__points"), exp.alias_(most, f"{criteria.id}__most")]


def _verdict(criteria: CriteriaSet) -> Sql:
    points, most = (exp.column(f"{criteria.id}__{part}", table="p") for part in ("points", "most"))
    limit = exp.Literal.number(criteria.threshold)
    age = _AGE[criteria.ages.basis]
    low, high = exp.column(f"{age}_lo", table="p"), exp.column(f"{age}_hi", table="p")
    younger = exp.LT(this=high, expression=exp.Literal.number(criteria.ages.low))
    older = exp.GT(this=low, expression=exp.Literal.number(criteria.ages.high))
    return _case(
        (exp.or_(younger, older), exp.cast(exp.null(), "text")),
        (exp.GTE(this=points, expression=limit), exp.Literal.string(JudgementVerdict.CANDIDATE.value)),
        (exp.GTE(this=most, expression=limit.copy()), exp.Literal.string(JudgementVerdict.TO_CONFIRM.value)),
        default=exp.Literal.string(JudgementVerdict.NOT_CANDIDATE.value),
    )


def _judgement(criteria: CriteriaSet) -> Sql:
    verdict = exp.column(f"{criteria.id}__verdict", table="j")
    points, most = (exp.column(f"{criteria.id}__{part}", table="j") for part in ("points", "most"))
    place = exp.Window(this=exp.RowNumber(), order=exp.Order(expressions=_order(criteria, verdict, points, most)))
    not_listed = exp.EQ(this=verdict.copy(), expression=exp.Literal.string(JudgementVerdict.NOT_CANDIDATE.value))
    rank = exp.Case(ifs=[exp.If(this=exp.Not(this=exp.paren(not_listed)), true=place)])
    return (
        exp.select(
            exp.column("person_id", table="j"),
            exp.alias_(exp.Literal.string(criteria.id), "criteria"),
            exp.alias_(exp.Literal.string(criteria.version), "version"),
            exp.alias_(verdict.copy(), "verdict"),
            exp.alias_(exp.cast(points.copy(), "int"), "points"),
            exp.alias_(exp.cast(most.copy(), "int"), "max_points"),
            exp.alias_(exp.cast(rank, "int"), "rank"),
        )
        .from_(exp.alias_(exp.to_table(ANSWERS), "j"))
        .where(exp.Not(this=exp.Is(this=verdict.copy(), expression=exp.null())))
    )


def _order(criteria: CriteriaSet, verdict: Sql, points: Sql, most: Sql) -> list[Sql]:
    """該当 by certain points, then 要確認 likewise; equal points by the declared rule, last by an opaque draw of the set."""
    place = _case(
        (exp.EQ(this=verdict, expression=exp.Literal.string(JudgementVerdict.CANDIDATE.value)), exp.Literal.number(0)),
        (exp.EQ(this=verdict, expression=exp.Literal.string(JudgementVerdict.TO_CONFIRM.value)), exp.Literal.number(1)),
        default=exp.Literal.number(2),
    )
    keys: list[Sql] = [_ascending(place), _descending(points), _descending(most)]
    person = exp.column("person_id", table="j")
    drawn = exp.func("MD5", exp.func("CONCAT", exp.Literal.string(f"{criteria.id}:{criteria.version}:"), person))
    age = exp.column("age_years_lo", table="j")
    ordered = {"younger": _ascending(age), "older": _descending(age), "random": _ascending(drawn)}
    keys += [ordered[rule].copy() for rule in criteria.order]
    return [*keys, _ascending(person.copy())]


def _reason(criteria: CriteriaSet, entry: Entry) -> Sql:
    scope = Scope("j")
    answer = exp.column(_answer(criteria, entry), table="j")
    unknown = exp.Is(this=answer.copy(), expression=exp.null())
    opens = open_items(entry.condition, scope)
    open_item = _case(*((o.flag, exp.Literal.string(o.term.id)) for o in opens)) if opens else exp.null()
    verdict = exp.column(f"{criteria.id}__verdict", table="j")
    judged = exp.Not(this=exp.Is(this=verdict, expression=exp.null()))
    listed = exp.NEQ(this=verdict.copy(), expression=exp.Literal.string(JudgementVerdict.NOT_CANDIDATE.value))
    said = _case((unknown, exp.Literal.string(f"{entry.name}が分かりません")), default=_filled(entry))
    return (
        exp.select(
            exp.column("person_id", table="j"),
            exp.alias_(exp.Literal.string(criteria.id), "criteria"),
            exp.alias_(exp.Literal.string(entry.id), "entry"),
            exp.alias_(_case((unknown, exp.Literal.string("unknown")), default=exp.Literal.string("true")), "answer"),
            exp.alias_(exp.cast(_signed(entry.points), "int"), "points"),
            exp.alias_(said, "text"),
            exp.alias_(_case((unknown, open_item), default=first_item(entry.condition, scope)), "item"),
        )
        .from_(exp.alias_(exp.to_table(ANSWERS), "j"))
        .where(exp.and_(judged, exp.or_(answer, exp.and_(unknown.copy(), listed))))
    )


def _shown(entry: Entry) -> list[Term]:
    return [p for p in entry.explanation if isinstance(p, Term)]


def _filled(entry: Entry) -> Sql:
    """The explanation with values and units filled in."""
    parts = [exp.Literal.string(p) if isinstance(p, str) else _said(p) for p in entry.explanation]
    return parts[0] if len(parts) == 1 else exp.func("CONCAT", *parts)


def _said(term: Term) -> Sql:
    """A value in words: 12日, 3回以上 where only part is known, 約123万円, はい."""
    if term.kind is Kind.TRUTH:
        held = exp.column(term.id, table="j")
        no = exp.Not(this=held.copy())
        yes_no = ((held, exp.Literal.string("はい")), (no, exp.Literal.string("いいえ")))
        return _case(*yes_no, default=exp.Literal.string("不明"))
    low, high = exp.column(f"{term.id}_lo", table="j"), exp.column(f"{term.id}_hi", table="j")
    if term.unit == "円":
        amount = exp.func("CONCAT", exp.Literal.string("約"), _whole(exp.Div(this=low, expression=_decimal(_TEN_THOUSAND))))
        said, unit = amount, "万円"
    else:
        said, unit = _whole(low), term.unit
    known = exp.Not(this=exp.Is(this=high, expression=exp.null()))
    return _case(
        (known, exp.func("CONCAT", said, exp.Literal.string(unit))),
        (exp.GT(this=low.copy(), expression=_decimal(0)), exp.func("CONCAT", said.copy(), exp.Literal.string(f"{unit}以上"))),
        default=exp.Literal.string("不明"),
    )


def _whole(value: Sql) -> Sql:
    return exp.cast(exp.cast(exp.func("ROUND", value), "bigint"), "text")


def _decimal(value: int) -> Sql:
    return exp.cast(exp.Literal.number(value), "double")


def _answer(criteria: CriteriaSet, entry: Entry) -> str:
    return f"{criteria.id}__{entry.id}__answer"


def _signed(number: int) -> Sql:
    literal = exp.Literal.number(abs(number))
    return exp.Neg(this=literal) if number < 0 else literal


def _in(column: Sql, words: tuple[str, ...]) -> Sql:
    return exp.In(this=column.copy(), expressions=[exp.Literal.string(w) for w in words])


def _case(*branches: tuple[Sql, Sql], default: Sql | None = None) -> Sql:
    case = exp.Case(ifs=[exp.If(this=when.copy(), true=then.copy()) for when, then in branches])
    return case if default is None else case.else_(default.copy())


def _ascending(key: Sql) -> Sql:
    return exp.Ordered(this=key.copy(), desc=False, nulls_first=False)


def _descending(key: Sql) -> Sql:
    return exp.Ordered(this=key.copy(), desc=True, nulls_first=False)


def _union(queries: Sequence[Sql]) -> Sql:
    """UNION ALL as a balanced tree, so that many branches do not nest deeply."""
    if len(queries) == 1:
        return queries[0]
    middle = len(queries) // 2
    left, right = _union(queries[:middle]), _union(queries[middle:])
    return exp.union(exp.select("*").from_(left.subquery("l")), exp.select("*").from_(right.subquery("r")), distinct=False)
