"""Criteria sets as SQL over the items: verdicts, order and reasons for every child in a handful of set-based queries.

Over the items laid out one row per child (`pivot`), `answers_query` answers every entry of every set; `judgement_query` and
`reason_query` read those answers. Each is one query. The plain-Python meaning is `CriteriaSet.score`.
"""

from collections.abc import Sequence

from sqlglot import exp

from kizuki.definitions.criteria import CriteriaSet, Entry
from kizuki.definitions.expression import Kind, Scope, Term, compile_condition, first_item, open_items, terms_of
from kizuki.definitions.expression.trees import (
    Sql,
    added,
    both,
    call,
    case,
    cast,
    double,
    either,
    equal,
    is_null,
    named,
    negated,
    text,
    whole,
)
from kizuki.terms.states import JudgementVerdict

ITEMS = "judge_item"
ANSWERS = "judge_answer"
HITS = "judge_hit"
MADE_BY_PARTS = "judgement"
"""Written as the source of a combination's reasons: other judgements, not a record."""
PART_UNKNOWN = "part_unknown"
"""Why a combination's line is unknown: a judgement it is made of waits for an answer."""
_AGE = {"years": "age_years", "fy_end": "age_fy_end"}
_TEN_THOUSAND = 10_000


def terms_read(criteria: Sequence[CriteriaSet], ages: Sequence[Term]) -> list[Term]:
    """Every item the sets over items ask for or show, and the ages."""
    entries = [e for c in criteria if not c.combines for e in c.entries]
    return list(dict.fromkeys([*(t for e in entries for t in (*terms_of(e.condition), *_shown(e))), *ages]))


def answers_query(criteria: Sequence[CriteriaSet]) -> Sql:
    """One row per child: every entry's answer, and per set the certain points, the possible points and the verdict.

    A child outside a set's ages has no verdict there. Combinations come last, because they read the verdicts of their parts.
    """
    plain = [c for c in criteria if not c.combines]
    combined = [c for c in criteria if c.combines]
    found = _judged(exp.to_table(ITEMS), plain)
    if combined:
        parts = [column for name in dict.fromkeys(p for c in combined for p in c.combines) for column in _part(name)]
        found = _judged(_more(found.subquery("t", copy=False), parts), combined)
    return found


def _judged(of: Sql, criteria: Sequence[CriteriaSet]) -> Sql:
    scope = Scope("s")
    answers = [named(compile_condition(e.condition, scope), _answer(c, e)) for c in criteria for e in c.entries]
    answered = _more(exp.alias_(of, "s") if isinstance(of, exp.Table) else of.subquery("s", copy=False), answers)
    summed = _more(answered.subquery("a", copy=False), [column for c in criteria for column in _points(c)])
    return _more(summed.subquery("p", copy=False), [named(_verdict(c), f"{c.id}__verdict") for c in criteria])


def _more(of: Sql, columns: Sequence[Sql]) -> Sql:
    """Everything of a subquery or table, and more."""
    everything = exp.Column(this=exp.Star(), table=exp.to_identifier(of.alias_or_name))
    return exp.select(everything, *columns, copy=False).from_(of, copy=False)


def _part(name: str) -> list[Sql]:
    """A part's verdict and points as the terms a combination reads (`part_terms`)."""
    verdict, points, most = (exp.column(f"{name}__{part}", table="t") for part in ("verdict", "points", "most"))
    outside = exp.Is(this=verdict, expression=exp.null())
    unknown = exp.EQ(this=verdict.copy(), expression=text(JudgementVerdict.TO_CONFIRM.value))
    yes = exp.EQ(this=verdict.copy(), expression=text(JudgementVerdict.CANDIDATE.value))
    holds, score = (f"{name}__{part}" for part in ("holds", "score"))
    return [
        named(case((outside, exp.false()), (unknown, cast(exp.null(), "boolean")), default=yes), holds),
        named(cast(points, "double"), f"{score}_lo"),
        named(cast(most, "double"), f"{score}_hi"),
        named(outside.copy(), f"{score}_na"),
    ]


def judgement_query(criteria: Sequence[CriteriaSet]) -> Sql:
    """The `judgement` table: one row per child and set."""
    return _union([part for c in criteria for part in (_judgement(c, listed=True), _judgement(c, listed=False))])


def hits_query(criteria: Sequence[CriteriaSet]) -> Sql:
    """One row per judged child × entry that holds or is unknown, with the item that shows why.

    Entries of a 非該当 child that are unknown are left out: they could not decide.
    """
    return _union([_reason(c, e) for c in criteria for e in c.entries])


def reason_query() -> Sql:
    """The `judgement_reason` table: the hits with their evidence.

    The hits are kept as a table first, so that the engine knows how few they are and looks each item row up in them: joined
    the other way round, all items of 30,000 children would have to be held at once. Evidence is the item that decided the
    entry; of a combination it is the judgements it is made of.
    """
    columns = [exp.column(n, table="h") for n in ("person_id", "criteria", "entry", "answer", "points", "text")]
    unknown = exp.EQ(this=exp.column("answer", table="h"), expression=text("unknown"))
    made_by, of_items = exp.column("made_by", table="h"), exp.Is(this=exp.column("made_by", table="h"), expression=exp.null())
    why = case(
        (both(unknown, of_items), exp.column("unknown_reason", table="i")),
        (unknown, text(PART_UNKNOWN)),
    )
    same_item = exp.EQ(this=exp.column("item", table="i"), expression=exp.column("item", table="h"))
    same_child = exp.EQ(this=exp.column("person_id", table="i"), expression=exp.column("person_id", table="h"))
    return (
        exp.select(
            *columns,
            named(call("COALESCE", made_by, exp.column("source", table="i")), "source"),
            named(case((of_items, exp.column("delivery_id", table="i"))), "delivery_id"),
            exp.column("observed_on", table="i"),
            named(why, "unknown_reason"),
            copy=False,
        )
        .from_(exp.alias_(exp.to_table(HITS), "h"), copy=False)
        .join("item AS i", on=both(same_child, same_item), copy=False)
    )


def _points(criteria: CriteriaSet) -> list[Sql]:
    """Certain and possible points, as `CriteriaSet.score`: families up to their cap, a combination its highest line."""
    parts: dict[str, list[Sql]] = {"points": [], "most": []}
    for cap, entries in criteria.families():
        counted = [_counted(criteria, e) for e in entries]
        for name, found in zip(parts, zip(*counted, strict=True), strict=True):
            if criteria.combines:
                parts[name].append(call("GREATEST", *found, exp.Literal.number(0)))
            else:
                total = added(found)
                parts[name].append(total if cap is None else call("LEAST", total, exp.Literal.number(cap)))
    return [named(added(found), f"{criteria.id}__{name}") for name, found in parts.items()]


def _counted(criteria: CriteriaSet, entry: Entry) -> tuple[Sql, Sql]:
    """What an entry adds for certain, and what it may add: an unknown protective factor counts, an unknown sign may."""
    answer = exp.column(_answer(criteria, entry), table="a")
    number, none = whole(entry.points), exp.Literal.number(0)
    unknown = exp.Is(this=answer, expression=exp.null())
    certain, possible = (number, none) if entry.points < 0 else (none, number)
    return (
        case((answer, number), (unknown, certain), default=none),
        case((answer, number), (unknown, possible), default=none),
    )


def _verdict(criteria: CriteriaSet) -> Sql:
    points, most = (exp.column(f"{criteria.id}__{part}", table="p") for part in ("points", "most"))
    limit = exp.Literal.number(criteria.threshold)
    age = _AGE[criteria.ages.basis]
    low, high = exp.column(f"{age}_lo", table="p"), exp.column(f"{age}_hi", table="p")
    younger = exp.LT(this=high, expression=exp.Literal.number(criteria.ages.low))
    older = exp.GT(this=low, expression=exp.Literal.number(criteria.ages.high))
    return case(
        (either(younger, older), cast(exp.null(), "text")),
        (exp.GTE(this=points, expression=limit), text(JudgementVerdict.CANDIDATE.value)),
        (exp.GTE(this=most, expression=limit.copy()), text(JudgementVerdict.TO_CONFIRM.value)),
        default=text(JudgementVerdict.NOT_CANDIDATE.value),
    )


def _judgement(criteria: CriteriaSet, *, listed: bool) -> Sql:
    """The children on the list in their order, or the others: most children need neither a place nor the draw that gives it."""
    verdict = exp.column(f"{criteria.id}__verdict", table="j")
    points, most = (exp.column(f"{criteria.id}__{part}", table="j") for part in ("points", "most"))
    place = exp.Window(this=exp.RowNumber(), order=exp.Order(expressions=_order(criteria, verdict, points, most)))
    not_listed = exp.EQ(this=verdict.copy(), expression=text(JudgementVerdict.NOT_CANDIDATE.value))
    rank, which = (
        (place, negated(not_listed)) if listed else (exp.null(), not_listed)
    )  # NULL verdict (outside the ages): neither
    return (
        exp.select(
            exp.column("person_id", table="j"),
            named(text(criteria.id), "criteria"),
            named(text(criteria.version), "version"),
            named(verdict.copy(), "verdict"),
            named(cast(points.copy(), "int"), "points"),
            named(cast(most.copy(), "int"), "max_points"),
            named(cast(rank, "int"), "rank"),
        )
        .from_(_answers(), copy=False)
        .where(which, copy=False)
    )


def _order(criteria: CriteriaSet, verdict: Sql, points: Sql, most: Sql) -> list[Sql]:
    """該当 by certain points, then 要確認 likewise; equal points by the declared rule, last by an opaque draw of the set."""
    place = case(
        (exp.EQ(this=verdict, expression=text(JudgementVerdict.CANDIDATE.value)), exp.Literal.number(0)),
        (exp.EQ(this=verdict, expression=text(JudgementVerdict.TO_CONFIRM.value)), exp.Literal.number(1)),
        default=exp.Literal.number(2),
    )
    keys: list[Sql] = [_ascending(place), _descending(points), _descending(most)]
    person = exp.column("person_id", table="j")
    drawn = call("MD5", call("CONCAT", text(f"{criteria.id}:{criteria.version}:"), person))
    age = exp.column("age_years_lo", table="j")
    ordered = {"younger": _ascending(age), "older": _descending(age), "random": _ascending(drawn)}
    keys += [ordered[rule].copy() for rule in criteria.order]
    return [*keys, _ascending(person.copy())]


def _reason(criteria: CriteriaSet, entry: Entry) -> Sql:
    answer = exp.column(_answer(criteria, entry), table="j")
    unknown = is_null(answer)
    verdict = exp.column(f"{criteria.id}__verdict", table="j")
    judged = negated(is_null(verdict))
    listed = negated(equal(verdict, text(JudgementVerdict.NOT_CANDIDATE.value)))
    open_question = f"{entry.name}に当たるか分かりません" if criteria.combines else f"{entry.name}が分かりません"
    said = case((unknown, text(open_question)), default=_filled(entry))
    made_by = text(MADE_BY_PARTS) if criteria.combines else cast(exp.null(), "text")
    return (
        exp.select(
            exp.column("person_id", table="j"),
            named(text(criteria.id), "criteria"),
            named(text(entry.id), "entry"),
            named(case((unknown, text("unknown")), default=text("true")), "answer"),
            named(cast(whole(entry.points), "int"), "points"),
            named(said, "text"),
            named(text("age_years") if criteria.combines else _deciding_item(entry, unknown), "item"),
            named(made_by, "made_by"),
            copy=False,
        )
        .from_(_answers(), copy=False)
        .where(both(judged, either(answer, both(unknown, listed))), copy=False)
    )


def _deciding_item(entry: Entry, unknown: Sql) -> Sql:
    """The item that shows why an entry holds, or the first one that keeps it unknown."""
    terms = terms_of(entry.condition)
    if len(terms) == 1:
        return text(terms[0].id)
    scope = Scope("j")
    opens = open_items(entry.condition, scope)
    open_item = case(*((o.flag, text(o.term.id)) for o in opens)) if opens else exp.null()
    return case((unknown, open_item), default=first_item(entry.condition, scope))


def _answers() -> Sql:
    return exp.alias_(exp.to_table(ANSWERS), "j")


def _shown(entry: Entry) -> list[Term]:
    return [p for p in entry.explanation if isinstance(p, Term)]


def _filled(entry: Entry) -> Sql:
    """The explanation with values and units filled in."""
    parts = [text(p) if isinstance(p, str) else _said(p) for p in entry.explanation]
    return parts[0] if len(parts) == 1 else call("CONCAT", *parts)


def _said(term: Term) -> Sql:
    """A value in words: 12日, 3回以上 where only part is known, 約123万円, はい."""
    if term.kind is Kind.TRUTH:
        held = exp.column(term.id, table="j")
        no = exp.Not(this=held.copy())
        yes_no = ((held, text("はい")), (no, text("いいえ")))
        return case(*yes_no, default=text("不明"))
    low, high = exp.column(f"{term.id}_lo", table="j"), exp.column(f"{term.id}_hi", table="j")
    if term.unit == "円":
        amount = call("CONCAT", text("約"), _whole(exp.Div(this=low, expression=double(_TEN_THOUSAND))))
        said, unit = amount, "万円"
    else:
        said, unit = _whole(low), term.unit
    known = exp.Not(this=exp.Is(this=high, expression=exp.null()))
    return case(
        (known, call("CONCAT", said, text(unit))),
        (exp.GT(this=low.copy(), expression=double(0)), call("CONCAT", said.copy(), text(f"{unit}以上"))),
        default=text("不明"),
    )


def _whole(value: Sql) -> Sql:
    return cast(cast(call("ROUND", value), "bigint"), "text")


def _answer(criteria: CriteriaSet, entry: Entry) -> str:
    return f"{criteria.id}__{entry.id}__answer"


def _ascending(key: Sql) -> Sql:
    return exp.Ordered(this=key.copy(), desc=False, nulls_first=False)


def _descending(key: Sql) -> Sql:
    return exp.Ordered(this=key.copy(), desc=True, nulls_first=False)


def _union(queries: Sequence[Sql]) -> Sql:
    """UNION ALL as a balanced tree, so that many branches do not nest deeply."""
    if len(queries) == 1:
        return queries[0]
    middle = len(queries) // 2
    return exp.Union(this=_union(queries[:middle]), expression=_union(queries[middle:]), distinct=False)
