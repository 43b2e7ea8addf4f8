"""Every shipped programme, over households as anybody might state them: leaving something out never turns an answer round (G2).

Households go through `read_household`, as those of `programme judge` do, so that derived facts are under test too.
"""

import copy
import datetime as dt
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kizuki.definitions import programmes
from kizuki.definitions.expression import AtLeast, Between, Kind
from kizuki.definitions.programmes import Programme
from kizuki.definitions.programmes.facts import CHILD, FACTS, Fact
from kizuki.definitions.programmes.households import Household, read_household
from kizuki.engine.duck import DuckEngine
from kizuki.programmes.compile import Told, asking, homes
from kizuki.programmes.judging import judge_household
from kizuki.programmes.patterns import explained

ALL = programmes.load(Path(__file__).parents[2] / "definitions" / "base" / "programmes")
DAYS = (dt.date(2025, 10, 15), dt.date(2026, 11, 20), dt.date(2028, 5, 1))
NUMBERS = {
    "income_yen": (0, 690_000, 1_069_999, 1_070_000, 2_459_999, 2_740_000, 4_976_000, 6_749_000),
    "dependants": (0, 1, 2),
    "household_size": (1, 2, 3, 6),
    "tuition_support_base_yen": (0, 100_000, 154_499, 154_500),
    "expected_children": (1, 2),
}
AGES = (0, 2, 3, 6, 7, 12, 15, 16, 18, 19, 20, 22, 23, 35)


def values(fact: Fact) -> st.SearchStrategy[Any]:
    """What may be stated of a fact, most often something."""
    if fact.term.kind is Kind.TRUTH:
        return st.booleans()
    if fact.term.kind is Kind.TEXT:
        return st.sampled_from((*fact.term.choices, *fact.as_unknown))
    return st.sampled_from(NUMBERS[fact.term.id])


def stated(held_by: str) -> dict[str, st.SearchStrategy[Any]]:
    """Strategies of the facts somebody states of a member or household; roles and ages are drawn apart."""
    return {
        f.term.id: values(f)
        for f in FACTS
        if f.held_by == held_by and not f.derived and f.term.id not in ("role", "age_years", "age_fy_end")
    }


@st.composite
def members(draw: st.DrawFn) -> dict[str, Any]:
    facts = draw(st.fixed_dictionaries({}, optional=stated("member")))
    role = draw(st.sampled_from((CHILD, CHILD, "父母", "その他")))
    age = draw(st.sampled_from([a for a in AGES if (a <= 20) == (role == CHILD)] if role != "その他" else AGES))
    facts |= {"role": role}
    match draw(st.sampled_from(("age", "both", "both", "end", "birth", "contradiction", "none"))):
        case "age":
            facts |= {"age_years": age}
        case "both":
            facts |= {"age_years": age, "age_fy_end": age + draw(st.integers(0, 1))}
        case "end":
            facts |= {"age_fy_end": age}
        case "birth":
            facts |= {"birth_date": f"{2025 - age}-{draw(st.sampled_from(('04-01', '04-02', '10-01', '10-10')))}"}
        case "contradiction":
            facts |= {"age_years": age, "age_fy_end": age + 5}
        case _:
            pass
    return facts


@st.composite
def households(draw: st.DrawFn) -> dict[str, Any]:
    facts = draw(st.fixed_dictionaries({}, optional=stated("household")))
    listed = draw(st.lists(members(), min_size=1, max_size=5))
    return {**facts, "members": [{"id": str(n), **m} for n, m in enumerate(listed)]}


def statements(household: dict[str, Any]) -> list[tuple[int | None, str]]:
    """Everything stated: (member or None for the household, fact)."""
    of_members = [(n, k) for n, m in enumerate(household["members"]) for k in m if k != "id"]
    return [(None, k) for k in household if k != "members"] + of_members


def without(household: dict[str, Any], who: int | None, fact: str, *, by_null: bool) -> dict[str, Any]:
    """The household with one statement left out, or made null."""
    left = copy.deepcopy(household)
    place = left if who is None else left["members"][who]
    if by_null:
        place[fact] = None
    else:
        del place[fact]
    return left


def answers(programme: Programme, household: dict[str, Any], day: dt.date) -> dict[str | None, Any]:
    return {a.person: a for a in judge_household([programme], read_household(household, day), day)}


@pytest.mark.parametrize("name", sorted(ALL))
@settings(deadline=None, max_examples=60)
@given(household=households(), day=st.sampled_from(DAYS), by_null=st.booleans())
def test_leaving_any_statement_out_never_turns_an_answer_round(
    name: str, household: dict[str, Any], day: dt.date, by_null: bool
) -> None:
    programme = ALL[name]
    before = answers(programme, household, day)
    for who, fact in statements(household):
        after = answers(programme, without(household, who, fact, by_null=by_null), day)
        for person, old in before.items():
            new = after[person]
            assert {old.verdict.value, new.verdict.value} != {"該当", "非該当"}, (who, fact)
            if old.verdict != new.verdict and new.verdict.value == "不明":
                assert named(new) & NAMED_FOR.get(fact, {fact}), (who, fact, new)
            if old.amount_yen is not None and new.verdict.value == "該当" and new.amount_yen is None:
                assert named(new) & NAMED_FOR.get(fact, {fact}), (who, fact, new)


def test_who_is_elder_is_asked_beside_who_counts() -> None:
    """Found by the test above: two things decide whether a child is the third, and only one of them was asked for."""
    members = [
        {"id": "0", "role": "児童", "age_years": 0},
        {"id": "1", "role": "児童", "age_years": 0},
        {"id": "2", "role": "児童", "age_years": 18, "age_fy_end": 19},
    ]
    found = answers(ALL["child_allowance"], {"members": members}, DAYS[0])
    assert {"supported_as_child", "age_years"} <= named(found["0"])


NAMED_FOR = {
    "birth_date": {"age_years", "age_fy_end", "age_month_start", "birth_date"},
    "age_years": {"age_years", "age_fy_end", "age_month_start", "birth_date"},
    "age_fy_end": {"age_years", "age_fy_end", "age_month_start", "birth_date"},
    "role": {"role", "single_parent", "main_earner", "income_yen"},
    "income_yen": {"income_yen", "main_earner"},
}
"""A fact left out may be asked for by what follows from it: the ages from each other, the main earner from the incomes."""


def named(answer: Any) -> set[str]:
    return {str(u["fact"]) for u in answer.unknown}


@pytest.mark.parametrize("name", sorted(ALL))
@settings(deadline=None, max_examples=60)
@given(household=households(), day=st.sampled_from(DAYS))
def test_every_unknown_names_what_to_ask_and_every_answer_says_why(name: str, household: dict[str, Any], day: dt.date) -> None:
    for answer in answers(ALL[name], household, day).values():
        if answer.verdict.value == "不明":
            assert answer.unknown and all(u["text"] for u in answer.unknown)
            assert answer.amount_yen is None
        if answer.verdict.value == "非該当":
            assert any(not r["holds"] for r in answer.reasons) and answer.amount_yen is None
        if answer.verdict.value == "該当":
            assert answer.reasons and all(r["holds"] for r in answer.reasons)
            if ALL[name].text.amount is not None and answer.amount_yen is None:
                assert answer.unknown or ALL[name].text.amount.method == "場合分け"


@pytest.mark.parametrize("day", DAYS)
@settings(deadline=None, max_examples=6)
@given(stated_homes=st.lists(households(), min_size=1, max_size=12))
def test_the_city_run_gives_the_answers_of_programme_judge(day: dt.date, stated_homes: list[dict[str, Any]]) -> None:
    """The same stated households through the reader and plain Python, and as rows of facts through the set-based SQL."""
    read = [read_household({"household_size": len(h["members"]), **h}, day) for h in stated_homes]
    read = [h for h in read if all(known(v) for m in h.members for v in m.values())]
    by_sql = sql_answers(read, day)
    expected = {
        (a.programme, f"h{n}", a.person): a.verdict.value
        for n, h in enumerate(read)
        for a in judge_household(list(ALL.values()), h, day)
    }
    assert by_sql == expected


def known(value: Any) -> bool:
    """Whether a fact can stand in one column: known or unknown, but not known in part (a register has none of those)."""
    return not isinstance(value, AtLeast | Between)


def sql_answers(read: list[Household], day: dt.date) -> dict[tuple[str, str, str | None], str]:
    if not read:
        return {}
    types = {Kind.TRUTH: pa.bool_(), Kind.TEXT: pa.string(), Kind.NUMBER: pa.float64()}
    fields = [pa.field(n, pa.string()) for n in ("household_id", "person_id")]
    for f in FACTS:
        fields += [pa.field(f.term.id, types[f.term.kind]), pa.field(f"{f.term.id}_why", pa.string())]
    rows = [
        {"household_id": f"h{n}", "person_id": name} | {f.term.id: m.get(f.term.id) for f in FACTS}
        for n, h in enumerate(read)
        for name, m in zip(h.names, h.members, strict=True)
    ]
    receipt = [pa.field(n, pa.string()) for n in ("household_id", "person_id", "programme", "state")]
    with DuckEngine(memory_limit="300MB", threads=1) as engine:
        engine.register("fact", pa.Table.from_pylist(rows, pa.schema(fields)))
        engine.register("fact_receipt", pa.schema([*receipt, pa.field("certain", pa.int32())]).empty_table())
        home, child, *asked = compiled(day)
        engine.materialise("programme_home", home)
        engine.materialise("programme_child", child)
        found = [r for a in asked for r in explained(a.programme.id, engine.query(a.query), a.patterns).to_pylist()]
    return {(r["programme"], r["household_id"], r["person_id"]): r["verdict"] for r in found}


@cache
def compiled(day: dt.date) -> tuple[Any, ...]:
    """The queries of the day: of the households, of the children, and of every programme."""
    shared = homes(list(ALL.values()), day)
    return (shared.query, shared.children, *(asking(p, day, Told({}, frozenset()), shared) for p in ALL.values()))
