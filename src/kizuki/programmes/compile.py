"""Programmes over a whole city: the conditions of `judging.py` as one query per programme, over the facts of every household.

`fact` (see sql/fact.sql) has one row per member; `fact_receipt` says who is in receipt, has applied or was refused.
A programme in use is 該当 by the office's own decision, so an unknown income of a recipient puts nobody on a list and nothing
contradicts the timeline.
"""

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any

from sqlglot import exp

from kizuki.definitions.expression import Condition, Kind, Scope, Term, compile_condition, first_item, group_columns, open_items
from kizuki.definitions.expression.nodes import Aggregate, aggregates_of, conditions_of, terms_of
from kizuki.definitions.programmes import AMOUNT, EXPIRED, SUBJECT, Programme, Rule
from kizuki.definitions.programmes.facts import CHILD, FACTS, REASONS
from kizuki.programmes.judging import CONSULTATION
from kizuki.programmes.patterns import ALWAYS_TOLD, ELIGIBLE, NO, RECEIPT, UNKNOWN, VERDICT, Part, Patterns

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
_UNSAID = 1
"""Reasons are numbers here: their places in `REASONS`, from 1."""

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
    asked = tuple(dict.fromkeys(c for a in found if a.where is not None for c in conditions_of(a.where)))
    scope = Scope("m", "g", aggregates=found, reasons=True, member_answers=asked, unsaid=_UNSAID)
    read = {t for p in programmes for r in p.rules(day) for t in terms_of(r.condition)}
    shared = [c.alias_or_name for f in FACTS if f.held_by == "household" and f.term in read for c in _wide(f.term)]
    own = [exp.alias_(exp.Max(this=exp.column(n, table="m")), n) for n in shared]
    key = exp.column("household_id", table="m")
    answers = [exp.alias_(compile_condition(c, Scope("w")), f"c{n}") for n, c in enumerate(asked)]
    wide = wide_query().subquery("w", copy=False)
    members = exp.select("w.*", *answers, copy=False).from_(wide, copy=False).subquery("m", copy=False)
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


@dataclass(frozen=True, slots=True)
class Asking:
    """One programme put to a whole city: `query` gives one row per household with children, or one per child — household_id,
    person_id, and its answer as numbers, which `patterns.explained` turns into verdicts and words.
    """

    programme: Programme
    query: Sql
    patterns: Patterns


def asking(programme: Programme, day: dt.date, told: Told, shared: Homes) -> Asking:
    """The question of one programme on a day; `shared` is what `programme_home` was made with."""
    rules = programme.rules(day)
    conditions = tuple(dict.fromkeys(c for r in rules for c in conditions_of(r.condition)))
    laid = _laid_out(programme, shared, conditions, told)
    scope = Scope("t", "t", aggregates=shared.aggregates, reasons=True, answers=conditions)
    answers = [exp.alias_(compile_condition(r.condition, scope), f"r{n}") for n, r in enumerate(rules)]
    answered = exp.select("t.*", *answers).from_(laid.subquery("t", copy=False), copy=False)
    open_end = _always_open(programme, day)
    entitled = exp.alias_(_entitled(programme, len(rules), told, open_end=bool(open_end)), "entitled")
    decided = exp.select("a.*", entitled).from_(answered.subquery("a", copy=False), copy=False)
    parts = _parts(programme, rules, replace(scope, table="b", groups="b"), told)
    patterns = Patterns(tuple(p.said for p in parts), open_end)
    keys = [exp.alias_(k, f"k{n}") for n, k in enumerate(_keys([p.code for p in parts], patterns))]
    kept = (exp.column("household_id", table="b"), exp.alias_(exp.column("subject", table="b"), "person_id"))
    return Asking(programme, exp.select(*kept, *keys).from_(decided.subquery("b", copy=False), copy=False), patterns)


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
    value = exp.column(term.id, table="f")
    told = _case((_is_null(value), _reason_code(exp.column(f"{term.id}_why", table="f"))))
    why = exp.alias_(told, f"{term.id}_why")
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
    """What keeps every answer of the day from being 該当, whoever is asked about."""
    gone = [(AMOUNT, f"金額：{EXPIRED}（{name}）", "expired") for name in programme.amount_expired(day)]
    office = [("consultation", CONSULTATION, "office")] if programme.consultation_only else []
    return tuple(_to_confirm(c, text, "", why) for c, text, why in (*gone, *office))


def _entitled(programme: Programme, rules: int, told: Told, *, open_end: bool) -> Sql:
    """By every rule, or in receipt already."""
    held: list[Sql] = [exp.column(f"r{n}", table="a") for n in range(rules)]
    if open_end:
        held.append(exp.cast(exp.null(), "boolean"))
    entitled: Sql = exp.paren(exp.and_(*held))
    # without the office's data nobody's receipt is an input
    return exp.or_(entitled, exp.column("receiving", table="a")) if programme.id in told.receipts else entitled


@dataclass(frozen=True, slots=True)
class _Part:
    """One part of a pattern, and the SQL of which of its states a row is in."""

    said: Part
    code: Sql


def _parts(programme: Programme, rules: Sequence[Rule], scope: Scope, told: Told) -> list[_Part]:
    """Everything an answer says, in the order it is said; the first three are the verdict, the receipt and what was asked."""
    source = programme.text.receipt.source if programme.text.receipt else ""
    receiving, asked, entitled = (exp.column(n, table="b") for n in ("receiving", "asked", "entitled"))
    in_use = _because("receiving", "すでに受けています", source, "")
    was_asked = _because("asked", "申請したか、最近却下されています", source, "")
    renewal = _to_confirm("receiving", "受給が更新されて続いているかを確かめる", "", "feed_late")
    parts = [
        _Part(VERDICT, _case((entitled, _number(ELIGIBLE)), (_is_null(entitled), _number(UNKNOWN)), default=_number(NO))),
        _Part(Part(("", in_use, ""), ("", "", renewal)), _receipt(receiving)),
        _Part(Part(("", was_asked), ("", "")), asked),
    ]
    for n, rule in enumerate(rules):
        answer = exp.column(f"r{n}", table="b")
        parts += [_rule_part(rule, answer, scope, told), *_open_parts(rule, answer, scope)]
    return parts


def _receipt(value: Sql) -> Sql:
    yes, unknown, no = (_number(RECEIPT.index(state)) for state in (True, None, False))
    return _case((value, yes), (_is_null(value), unknown), default=no)


def _rule_part(rule: Rule, answer: Sql, scope: Scope, told: Told) -> _Part:
    """State 0: nothing to say; 1 …: it holds, as this fact shows; the last: open."""
    shown = list(dict.fromkeys(t.id for t in terms_of(rule.condition))) or [""]
    expired = ", ".join(_to_confirm(rule.id, f"{EXPIRED}（{name}）", "", "expired") for name in rule.expired)
    holds = [_evidence(rule, fact, told) if rule.id != SUBJECT else "" for fact in shown]
    said = Part(("", *holds, ""), ("", *("" for _ in holds), expired))
    first = first_item(rule.condition, scope, lambda term: _number(shown.index(term.id) + 1))
    code = _case(
        (answer, exp.func("COALESCE", first, _number(1))), (_is_null(answer), _number(len(holds) + 1)), default=_number(0)
    )
    return _Part(said, code)


def _evidence(rule: Rule, fact: str, told: Told) -> str:
    """The condition's sentence with the source and date of the fact that shows it."""
    if not fact:
        return _because(rule.id, rule.text.explanation, "", None)
    source = FACT_SOURCES.get(fact, REGISTER)
    day = told.until.get(source)
    return _because(rule.id, rule.text.explanation, source, day.isoformat() if day else "")


def _open_parts(rule: Rule, answer: Sql, scope: Scope) -> list[_Part]:
    """One part per fact that may keep the condition open; its states are why the fact is unknown."""
    parts = []
    for item in open_items(rule.condition, scope):
        text = f"{item.term.title}：{rule.text.ask}"
        said = Part(("",) * (len(REASONS) + 1), ("", *(_to_confirm(rule.id, text, item.term.id, why) for why in REASONS)))
        is_open = exp.and_(_is_null(answer), item.flag)
        why = exp.func("COALESCE", item.reason, _number(_UNSAID))
        parts.append(_Part(said, _case((is_open, why), default=_number(0))))
    return parts


def _reason_code(reason: Sql) -> Sql:
    """The place of a reason in the closed list, from 1 (`_UNSAID`)."""
    named = [(exp.EQ(this=reason.copy(), expression=exp.Literal.string(w)), _number(n)) for n, w in enumerate(REASONS, 1) if w]
    return _case(*named, default=_number(_UNSAID))


def _keys(codes: Sequence[Sql], patterns: Patterns) -> list[Sql]:
    """The parts of each key added up, every part in its own digit; of an answer that is no, only what no explains."""
    entitled = exp.column("entitled", table="b")
    is_no = exp.and_(exp.Not(this=_is_null(entitled)), exp.Not(this=entitled.copy()))
    keys = []
    for places in patterns.keys:
        told = [_digit(codes[n], unit) for n, unit in places if n < ALWAYS_TOLD]
        only = [_digit(codes[n], unit) for n, unit in places if n >= ALWAYS_TOLD]
        if only:
            told.append(_case((is_no, _long(_number(0))), default=reduce(_plus, only)))
        keys.append(reduce(_plus, told))
    return keys


def _digit(code: Sql, unit: int) -> Sql:
    return exp.Mul(this=_long(code), expression=_long(_number(unit)))


def _plus(left: Sql, right: Sql) -> Sql:
    return exp.Add(this=left, expression=right)


def _long(value: Sql) -> Sql:
    return exp.cast(value, "bigint")


def _because(condition: str, text: str, source: str, on: str | None) -> str:
    day = {} if on is None else {"時点": on}
    return json.dumps({"条件": condition, "文": text, "元データ": source} | day, ensure_ascii=False)


def _to_confirm(condition: str, text: str, fact: str, why: str) -> str:
    return json.dumps({"条件": condition, "確認すること": text, "項目": fact, "理由": why}, ensure_ascii=False)


def _equal(name: str, left: str, right: str) -> Sql:
    return exp.EQ(this=exp.column(name, table=left), expression=exp.column(name, table=right))


def _is_null(value: Sql) -> Sql:
    return exp.Is(this=value.copy(), expression=exp.null())


def _number(value: int) -> Sql:
    return exp.Literal.number(value)


def _case(*branches: tuple[Sql, Sql], default: Sql | None = None) -> Sql:
    case = exp.Case(ifs=[exp.If(this=when.copy(), true=then.copy()) for when, then in branches])
    return case if default is None else case.else_(default.copy())
