"""Programmes over a whole city: the conditions of `judging.py` as one query per programme, over the facts of every household.

`fact` (see sql/fact.sql) has one row per member; `fact_receipt` says who is in receipt, has applied or was refused.
A programme in use is 該当 by the office's own decision, so an unknown income of a recipient puts nobody on a list and nothing
contradicts the timeline.
"""

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlglot import exp

from kizuki.definitions.expression import Condition, Kind, Scope, Term, compile_condition, first_item, group_columns, open_items
from kizuki.definitions.expression.nodes import Aggregate, aggregates_of, conditions_of, terms_of
from kizuki.definitions.programmes import AMOUNT, EXPIRED, SUBJECT, Programme, Rule
from kizuki.definitions.programmes.facts import CHILD, FACTS
from kizuki.programmes.judging import CONSULTATION
from kizuki.terms.states import ProgrammeVerdict

FACT_SOURCES: Mapping[str, str] = {
    "income_yen": "municipal_tax",
    "tax_class": "municipal_tax",
    "disability": "disability_welfare",
    "special_allowance_grade": "disability_welfare",
    "severe_disability": "disability_welfare",
    "childcare_certification": "childcare",
    "in_after_school_care": "after_school_care",
    "pregnant": "maternal_child_health",
    "expected_children": "maternal_child_health",
    "public_assistance_now": "public_assistance",
    "public_assistance_ended_1y": "public_assistance",
    "receiving_single_parent_allowance": "single_parent_allowance",
}
"""Which source a fact comes from; the rest follow from the register."""
REGISTER = "resident_register"

Sql = Any
"""A sqlglot tree; its classes for expressions differ between the sqlglot versions supported."""


@dataclass(frozen=True, slots=True)
class Told:
    """What the feeds tell: until when each source's data reaches, and of which programmes the receipts are known."""

    until: Mapping[str, dt.date]
    receipts: frozenset[str]


def wide_query() -> Sql:
    """Facts in the columns conditions read (see `expression.compile`), one row per member."""
    columns = [c for f in FACTS for c in _wide(f.term)]
    keys = [exp.column(n, table="f") for n in ("household_id", "person_id")]
    return exp.select(*keys, *columns).from_("fact AS f")


@dataclass(frozen=True, slots=True)
class Homes:
    """What every programme of a day asks of a household as a whole, asked once: `query` makes `programme_home`, with one row
    per household, its own facts and every aggregate over its members; `children` makes `programme_child` of it, with one row
    per child (or member of whom nobody knows what they are), its own facts and its household's aggregates.
    """

    aggregates: tuple[Aggregate, ...]
    query: Sql
    children: Sql


def homes(programmes: Sequence[Programme], day: dt.date) -> Homes:
    """The shared questions of these programmes on a day, over `fact`; only what one of them reads is carried along."""
    found = _aggregates(programmes, day)
    scope = Scope("m", "g", aggregates=found, reasons=True)
    read = {t for p in programmes for r in p.rules(day) for t in terms_of(r.condition)}
    shared = [c.alias_or_name for f in FACTS if f.held_by == "household" and f.term in read for c in _wide(f.term)]
    own = [exp.alias_(exp.Max(this=exp.column(n, table="m")), n) for n in shared]
    key = exp.column("household_id", table="m")
    members = wide_query().subquery("m", copy=False)
    query = exp.select(key, *own, *group_columns(scope, "m"), copy=False).from_(members, copy=False).group_by(key.copy())
    return Homes(found, query, _children([p for p in programmes if p.of_child], day, scope))


def _aggregates(programmes: Sequence[Programme], day: dt.date) -> tuple[Aggregate, ...]:
    return tuple(dict.fromkeys(a for p in programmes for r in p.rules(day) for a in aggregates_of(r.condition)))


def _children(programmes: Sequence[Programme], day: dt.date, scope: Scope) -> Sql:
    """`programme_child`, from the members and `programme_home`."""
    rules = [r for p in programmes for r in p.rules(day)]
    read = {t for r in rules for t in terms_of(r.condition)}
    asked = [f"g{scope.aggregates.index(a)}_" for a in _aggregates(programmes, day)]
    names = [n for n in (c.alias_or_name for c in group_columns(scope, "m")) if f"{n}_".startswith(tuple(asked))]
    own = [c.alias_or_name for f in FACTS if f.term in read for c in _wide(f.term)]
    columns = [exp.column(n, table="w") for n in ("household_id", "person_id", *own)]
    columns += [exp.column(n, table="h") for n in names]
    query = exp.select(*columns, copy=False).from_(wide_query().subquery("w", copy=False), copy=False)
    return query.join("programme_home AS h", on=_equal("household_id", "w", "h"), copy=False).where(_is_subject(), copy=False)


def eligibility_query(programme: Programme, day: dt.date, told: Told, shared: Homes) -> Sql:
    """The `eligibility` rows of one programme: one per household with children, or one per child.

    `shared` is what `programme_home` was made with.
    """
    rules = programme.rules(day)
    conditions = tuple(dict.fromkeys(c for r in rules for c in conditions_of(r.condition)))
    laid = _laid_out(programme, shared, conditions, told)
    scope = Scope("t", "t", key="household_id", aggregates=shared.aggregates, reasons=True, answers=conditions)
    answers = [exp.alias_(compile_condition(r.condition, scope), f"r{n}") for n, r in enumerate(rules)]
    said = [exp.alias_(_unknown(r, scope), f"u{n}") for n, r in enumerate(rules)]
    shown = [exp.alias_(_evidence(r, scope, told), f"e{n}") for n, r in enumerate(rules)]
    kept = [exp.column(n, table="t") for n in ("household_id", "subject", "receiving", "asked")]
    answered = exp.select(*kept, *answers, *said, *shown).from_(laid.subquery("t", copy=False), copy=False)
    return _answered(programme, answered, rules, told, _always_open(programme, day))


def _laid_out(programme: Programme, shared: Homes, conditions: tuple[Condition, ...], told: Told) -> Sql:
    """One row per subject: its facts, its household's aggregates, whether it is in receipt, and every condition's answer."""
    scope = Scope("s", "s", aggregates=shared.aggregates, reasons=True)
    answers = [exp.alias_(compile_condition(c, scope), f"c{n}") for n, c in enumerate(conditions)]
    person = exp.column("person_id", table="s") if programme.of_child else exp.cast(exp.null(), "text")
    told_of = programme.text.receipt is not None
    asked = exp.func("COALESCE", exp.column("asked", table="q"), _number(0)) if told_of else _number(0)
    columns = [exp.alias_(person, "subject"), exp.alias_(_receiving(programme, told), "receiving"), exp.alias_(asked, "asked")]
    table = "programme_child" if programme.of_child else "programme_home"
    query = exp.select("s.*", *columns, *answers, copy=False).from_(f"{table} AS s", copy=False)
    if not told_of:
        return query
    receipts = _receipts(programme).subquery("q", copy=False)
    return query.join(receipts, on=_same(programme, "q"), join_type="left", copy=False)


def _is_subject() -> Sql:
    role = exp.column("role", table="w")  # somebody of whom nobody knows what they are may be a child
    return exp.or_(exp.EQ(this=role, expression=exp.Literal.string(CHILD)), _is_null(role))


def _wide(term: Term) -> list[Sql]:
    value, why = exp.column(term.id, table="f"), exp.column(f"{term.id}_why", table="f")
    if term.kind is Kind.TRUTH:
        return [value, why]
    outside = exp.alias_(exp.false(), f"{term.id}_na")
    if term.kind is Kind.TEXT:
        return [value, outside, why]
    least = value if term.minimum is None else exp.func("COALESCE", value, exp.cast(_number(int(term.minimum)), "double"))
    return [exp.alias_(least, f"{term.id}_lo"), exp.alias_(value.copy(), f"{term.id}_hi"), outside, why]


def _receipts(programme: Programme) -> Sql:
    keys = [exp.column(n, table="k") for n in (("household_id", "person_id") if programme.of_child else ("household_id",))]
    mine = exp.EQ(this=exp.column("programme", table="k"), expression=exp.Literal.string(programme.id))
    paid = exp.EQ(this=exp.column("state", table="k"), expression=exp.Literal.string("receiving"))
    certain = exp.alias_(exp.Max(this=_case((paid, exp.column("certain", table="k")))), "certain")
    asked = exp.alias_(exp.Max(this=_case((paid, _number(0)), default=_number(1))), "asked")
    return exp.select(*keys, certain, asked).from_("fact_receipt AS k").where(mine).group_by(*(k.copy() for k in keys))


def _same(programme: Programme, other: str) -> Sql:
    return _equal("person_id" if programme.of_child else "household_id", "s", other)


def _receiving(programme: Programme, told: Told) -> Sql:
    """In receipt by the timeline; unknown while the office's data is not received or ends before a stated renewal."""
    if programme.id not in told.receipts:
        return exp.cast(exp.null(), "boolean")
    none = _is_null(exp.column("certain", table="q"))
    return _case((none, exp.false()), (exp.EQ(this=exp.column("certain", table="q"), expression=_number(1)), exp.true()))


def _always_open(programme: Programme, day: dt.date) -> tuple[str, ...]:
    """Texts of what keeps every answer of the day from being 該当, whoever is asked about."""
    gone = [(AMOUNT, f"金額：{EXPIRED}（{name}）", "expired") for name in programme.amount_expired(day)]
    office = [("consultation", CONSULTATION, "office")] if programme.consultation_only else []
    return tuple(
        "," + json.dumps({"条件": c, "確認すること": text, "項目": "", "理由": why}, ensure_ascii=False)
        for c, text, why in (*gone, *office)
    )


def _answered(programme: Programme, inner: Sql, rules: Sequence[Rule], told: Told, always_open: Sequence[str]) -> Sql:
    """Verdict and texts over the answered rules: entitled by every rule, or in receipt already."""
    held: list[Sql] = [exp.column(f"r{n}", table="a") for n in range(len(rules))]
    if always_open:
        held.append(exp.cast(exp.null(), "boolean"))
    receiving = exp.column("receiving", table="a")
    entitled: Sql = exp.paren(exp.and_(*held))
    if programme.id in told.receipts:  # without the office's data nobody's receipt is an input
        entitled = exp.or_(entitled, receiving)
    middle = exp.select("a.*", exp.alias_(entitled, "entitled")).from_(inner.subquery("a", copy=False), copy=False)
    answer, in_use = exp.column("entitled", table="b"), exp.column("receiving", table="b")
    verdict = _case(
        (answer, exp.Literal.string(ProgrammeVerdict.ELIGIBLE.value)),
        (_is_null(answer), exp.Literal.string(ProgrammeVerdict.UNKNOWN.value)),
        default=exp.Literal.string(ProgrammeVerdict.NOT_ELIGIBLE.value),
    )
    not_asked = exp.EQ(this=exp.column("asked", table="b"), expression=_number(0))
    unused = exp.and_(exp.Not(this=exp.func("COALESCE", in_use, exp.true())), not_asked)
    return exp.select(
        exp.alias_(exp.Literal.string(programme.id), "programme"),
        exp.column("household_id", table="b"),
        exp.alias_(exp.column("subject", table="b"), "person_id"),
        exp.alias_(verdict, "verdict"),
        in_use.copy(),
        exp.alias_(exp.and_(exp.func("COALESCE", answer.copy(), exp.false()), unused), "unclaimed"),
        exp.alias_(_array(_reasons(programme, rules)), "reasons"),
        exp.alias_(_array(_unknowns(len(rules), always_open)), "unknown"),
    ).from_(middle.subquery("b", copy=False), copy=False)


def _reasons(programme: Programme, rules: Sequence[Rule]) -> list[Sql]:
    """Texts of the conditions that hold, unless the answer is no."""
    source = programme.text.receipt.source if programme.text.receipt else ""
    in_use = _object({"条件": "receiving", "文": "すでに受けています", "元データ": source, "時点": ""})
    asked = _object({"条件": "asked", "文": "申請したか、最近却下されています", "元データ": source, "時点": ""})
    pieces = [_case((exp.column("receiving", table="b"), in_use), default=exp.Literal.string(""))]
    was_asked = exp.EQ(this=exp.column("asked", table="b"), expression=_number(1))
    pieces.append(_case((was_asked, asked), default=exp.Literal.string("")))
    not_no = exp.func("COALESCE", exp.column("entitled", table="b"), exp.true())
    for n, rule in enumerate(rules):
        if rule.id == SUBJECT:
            continue
        holds = exp.and_(not_no.copy(), exp.column(f"r{n}", table="b"))
        pieces.append(_case((holds, exp.column(f"e{n}", table="b")), default=exp.Literal.string("")))
    return pieces


def _unknowns(count: int, always_open: Sequence[str]) -> list[Sql]:
    """What to confirm, of the conditions that keep the answer open."""
    ask = _object(
        {"条件": "receiving", "確認すること": "受給が更新されて続いているかを確かめる", "項目": "", "理由": "feed_late"}
    )
    renewal = exp.and_(_is_null(exp.column("entitled", table="b")), _is_null(exp.column("receiving", table="b")))
    pieces = [_case((renewal, ask), default=exp.Literal.string(""))]
    for n in range(count):
        is_open = exp.and_(_is_null(exp.column("entitled", table="b")), _is_null(exp.column(f"r{n}", table="b")))
        pieces.append(_case((is_open, exp.column(f"u{n}", table="b")), default=exp.Literal.string("")))
    if always_open:
        unanswered = _is_null(exp.column("entitled", table="b"))
        pieces.append(_case((unanswered, exp.Literal.string("".join(always_open))), default=exp.Literal.string("")))
    return pieces


def _evidence(rule: Rule, scope: Scope, told: Told) -> Sql:
    """The condition's sentence with the source and date of the fact that shows it."""
    parts = json.dumps({"条件": rule.id, "文": rule.text.explanation}, ensure_ascii=False)[:-1]
    fact = first_item(rule.condition, scope)
    ends: dict[str, list[Sql]] = {}
    for f in FACTS:
        source = FACT_SOURCES.get(f.term.id, REGISTER)
        day = told.until.get(source)
        end = json.dumps({"元データ": source, "時点": day.isoformat() if day else ""}, ensure_ascii=False)[1:]
        ends.setdefault(end, []).append(exp.Literal.string(f.term.id))
    chosen = _case(*((exp.In(this=fact.copy(), expressions=ids), exp.Literal.string(end)) for end, ids in ends.items()))
    return exp.func(
        "CONCAT", exp.Literal.string(f",{parts}, "), exp.func("COALESCE", chosen, exp.Literal.string('"元データ": ""}'))
    )


def _unknown(rule: Rule, scope: Scope) -> Sql:
    pieces: list[Sql] = [
        _object({"条件": rule.id, "確認すること": f"{EXPIRED}（{name}）", "項目": "", "理由": "expired"})
        for name in rule.expired
    ]
    for item in open_items(rule.condition, scope):
        start = {"条件": rule.id, "確認すること": f"{item.term.title}：{rule.text.ask}", "項目": item.term.id}
        text = json.dumps(start, ensure_ascii=False)[:-1]
        why = exp.func("COALESCE", item.reason, exp.Literal.string(""))
        said = exp.func("CONCAT", exp.Literal.string(f',{text}, "理由": "'), why, exp.Literal.string('"}'))
        pieces.append(_case((item.flag, said), default=exp.Literal.string("")))
    return pieces[0] if len(pieces) == 1 else exp.func("CONCAT", *pieces) if pieces else exp.Literal.string("")


def _object(value: Mapping[str, str]) -> Sql:
    return exp.Literal.string("," + json.dumps(value, ensure_ascii=False))


def _array(pieces: Sequence[Sql]) -> Sql:
    """A JSON array of pieces that each begin with a comma or are empty."""
    joined = exp.func("CONCAT", *pieces) if len(pieces) > 1 else pieces[0]
    # not SUBSTRING: that counts the characters of the whole text, which takes longer than making it
    body = exp.Trim(this=joined, expression=exp.Literal.string(","), position="LEADING")
    return exp.func("CONCAT", exp.Literal.string("["), body, exp.Literal.string("]"))


def _equal(name: str, left: str, right: str) -> Sql:
    return exp.EQ(this=exp.column(name, table=left), expression=exp.column(name, table=right))


def _is_null(value: Sql) -> Sql:
    return exp.Is(this=value.copy(), expression=exp.null())


def _number(value: int) -> Sql:
    return exp.Literal.number(value)


def _case(*branches: tuple[Sql, Sql], default: Sql | None = None) -> Sql:
    case = exp.Case(ifs=[exp.If(this=when.copy(), true=then.copy()) for when, then in branches])
    return case if default is None else case.else_(default.copy())
