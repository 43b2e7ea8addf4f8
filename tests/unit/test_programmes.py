"""Programmes: examples hold, the city-wide SQL answers like the judge of one household, receipt is never contradicted."""

import datetime as dt
import json
import shutil
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kizuki.app.eligibility import judge_programmes
from kizuki.definitions import programmes
from kizuki.definitions.expression import Kind
from kizuki.definitions.loader import Definitions
from kizuki.definitions.programmes.facts import FACTS, Household, read_household
from kizuki.definitions.sources import SourceManifest
from kizuki.engine.duck import DuckEngine
from kizuki.programmes.amounts import partial
from kizuki.programmes.compile import Told, eligibility_query, wide_query
from kizuki.programmes.judging import failed_examples, judge_household
from kizuki.terms.errors import DefinitionError, InputRefused
from tests.unit.small_mart import AS_OF, SmallMart

BASE = Path(__file__).parents[2] / "definitions" / "base"
ALL = programmes.load(BASE / "programmes")
LIST = [ALL[name] for name in sorted(ALL)]
TAX_OFF = SourceManifest.model_construct(id="municipal_tax", enabled=False)
DEFINITIONS = Definitions(sources={"municipal_tax": TAX_OFF}, version="t", programmes=ALL)


@pytest.mark.parametrize("name", sorted(ALL))
def test_every_example_holds_and_there_are_enough(name: str) -> None:
    assert failed_examples(ALL[name]) == []
    assert len(ALL[name].text.examples) >= 8


@pytest.mark.parametrize(
    ("income", "limits", "most", "least", "expected"),
    [
        (1_070_000, (1_070_000, 2_460_000), 46_680, 11_010, 46_680),
        (2_459_999, (1_070_000, 2_460_000), 46_680, 11_010, 11_010),
        (2_000_000, (1_070_000, 2_460_000), 46_680, 11_010, 22_810),  # 930,000 x 0.0256619 = 23,865.6, to 23,870
        (1_000_000, (490_000, 1_920_000), 45_490, 10_740, 33_100),  # the published coefficient of 2024-04: 0.0243007
    ],
)
def test_partial_payment_follows_the_law(income: int, limits: tuple, most: int, least: int, expected: int) -> None:
    assert partial(income, limits, most, least) == expected


def test_an_expired_table_gives_no_amount_and_says_so() -> None:
    family = {
        "members": [
            {"id": "m", "role": "父母", "age_years": 30, "income_yen": 0, "dependants": 1},
            {"id": "c", "role": "児童", "birth_date": "2018-05-01", "single_parent": True},
        ]
    }
    before = judge_household(
        [ALL["single_parent_allowance"]], read_household(family, dt.date(2026, 3, 31)), dt.date(2026, 3, 31)
    )
    after = judge_household([ALL["single_parent_allowance"]], read_household(family, dt.date(2026, 4, 1)), dt.date(2026, 4, 1))
    assert (before[0].verdict.value, before[0].amount_yen, before[0].unknown) == ("該当", 46_690, ())
    assert (after[0].verdict.value, after[0].amount_yen) == ("該当", None)
    assert any("パラメータ未更新" in u["text"] for u in after[0].unknown)


def test_households_are_read_leniently_in_form_and_strictly_in_content() -> None:
    day = dt.date(2026, 11, 20)
    home = read_household(
        {"single_parent": True, "members": [{"role": "母"}, {"id": "x", "役割": "子", "生年月日": "2008-04-02"}]}, day
    )
    assert home.names == ("1", "x") and home.facts["household_size"] == 2
    child = home.members[1]
    assert (child["age_years"], child["age_fy_end"], child["single_parent"]) == (18.0, 18.0, True)
    assert read_household({"members": [{"role": "児童", "birth_date": "2008-04-01"}]}, day).members[0]["age_fy_end"] == 19.0
    for wrong in (
        {"members": 3},
        {"members": [{"role": "犬"}]},
        {"members": [{"income_yen": "many"}]},
        {"members": [{"birth_date": "H20"}]},
    ):
        with pytest.raises(InputRefused) as error:
            read_household(wrong, day)
        assert error.value.code == "K601"


def values(kind: Kind, choices: tuple[str, ...]) -> st.SearchStrategy:
    if kind is Kind.TRUTH:
        return st.one_of(st.none(), st.booleans())
    return st.one_of(st.none(), st.sampled_from(choices)) if choices else st.none()


AMOUNTS = {"income_yen": (0, 1_000_000, 1_990_000, 2_500_000, 4_000_000), "dependants": (0, 1, 3), "household_size": (2, 3, 7)}
AMOUNTS |= {"age_years": (4, 10, 17, 19, 40), "age_fy_end": (5, 7, 10, 15, 18, 19, 40)}
fact_values = {
    f.term.id: st.one_of(st.none(), st.sampled_from(AMOUNTS[f.term.id]))
    if f.term.kind is Kind.NUMBER
    else values(f.term.kind, f.term.choices)
    for f in FACTS
}
member = st.fixed_dictionaries({f.term.id: fact_values[f.term.id] for f in FACTS if f.held_by == "member"})
home = st.fixed_dictionaries({f.term.id: fact_values[f.term.id] for f in FACTS if f.held_by == "household"})


def as_household(facts: dict[str, Any], members: list[dict[str, Any]]) -> Household:
    clean = {k: float(v) if isinstance(v, int) and not isinstance(v, bool) else v for k, v in facts.items()}
    rows = [
        {k: float(v) if isinstance(v, int) and not isinstance(v, bool) else v for k, v in m.items()} | clean for m in members
    ]
    return Household(clean, tuple(rows), tuple(f"m{n}" for n in range(len(rows))))


def fact_table(households: list[Household]) -> pa.Table:
    types = {Kind.TRUTH: pa.bool_(), Kind.TEXT: pa.string(), Kind.NUMBER: pa.float64()}
    fields = [pa.field(n, pa.string()) for n in ("household_id", "person_id")]
    for f in FACTS:
        fields += [pa.field(f.term.id, types[f.term.kind]), pa.field(f"{f.term.id}_why", pa.string())]
    rows = [
        {"household_id": f"h{n}", "person_id": name, **facts} | {f"{f.term.id}_why": "not_entered" for f in FACTS}
        for n, h in enumerate(households)
        for name, facts in zip(h.names, h.members, strict=True)
    ]
    return pa.Table.from_pylist(rows, pa.schema(fields))


def by_sql(households: list[Household], day: dt.date) -> list[dict[str, Any]]:
    with DuckEngine(memory_limit="300MB", threads=1) as engine:
        engine.register("fact", fact_table(households))
        receipt = pa.schema([pa.field(n, pa.string()) for n in ("household_id", "person_id", "programme")]).append(
            pa.field("certain", pa.int32())
        )
        engine.register("fact_receipt", receipt.empty_table())
        engine.materialise("programme_fact", wide_query())
        told = Told({}, frozenset(ALL))
        return [row for p in LIST for row in engine.query(eligibility_query(p, day, told)).to_pylist()]


@settings(deadline=None, max_examples=20)
@given(
    st.lists(st.tuples(home, st.lists(member, min_size=1, max_size=4)), min_size=1, max_size=4),
    st.sampled_from((AS_OF, dt.date(2027, 5, 1))),
)
def test_the_city_wide_sql_answers_like_the_judge_of_one_household(raw: list, day: dt.date) -> None:
    households = [as_household(facts, members) for facts, members in raw]
    rows = {(r["programme"], r["household_id"], r["person_id"]): r for r in by_sql(households, day)}
    seen = 0
    for n, household in enumerate(households):
        for answer in judge_household(LIST, household, day):
            row = rows[answer.programme, f"h{n}", answer.person]
            seen += 1
            assert row["verdict"] == answer.verdict.value
            assert row["unclaimed"] == (answer.verdict.value == "該当")
            open_facts = {u["項目"] for u in json.loads(row["unknown"]) if u["項目"]}
            assert open_facts == {u["fact"] for u in answer.unknown if u["condition"] != "amount" and "未更新" not in u["text"]}
            holds = {r["条件"] for r in json.loads(row["reasons"])}
            assert holds == {r["condition"] for r in answer.reasons if r["holds"]}
    assert seen == len(rows)


@settings(deadline=None, max_examples=50)
@given(home, st.lists(member, min_size=1, max_size=4), st.sampled_from(sorted(fact_values)), st.data())
def test_losing_a_fact_never_flips_an_answer_and_the_missing_one_is_named(
    facts: dict, members: list, lost: str, data: Any
) -> None:
    if lost == "role":  # who somebody is in the household is not an input that can go missing: it decides who is asked about
        return
    before = judge_household(LIST, as_household(facts, members), AS_OF)
    who = data.draw(st.integers(-1, len(members) - 1))
    hidden = [{**m, lost: None} if n == who and lost in m else m for n, m in enumerate(members)]
    after = judge_household(LIST, as_household({**facts, lost: None} if lost in facts else facts, hidden), AS_OF)
    for old, new in zip(before, after, strict=True):
        assert new.verdict in (old.verdict, "不明")
        if new.verdict == "不明":
            assert new.unknown


def small_city() -> SmallMart:
    mart = SmallMart()
    mart.person("mother", dt.date(1990, 5, 1), "h1", "世帯主")
    mart.person("pupil", dt.date(2014, 6, 1), "h1")
    mart.person("baby", dt.date(2026, 1, 10), "h1")
    mart.person("father2", dt.date(1985, 5, 1), "h2", "世帯主", sex="1")
    mart.person("mother2", dt.date(1986, 5, 1), "h2", "妻")
    mart.person("pupil2", dt.date(2015, 6, 1), "h2")
    return mart


def eligible(mart: SmallMart, definitions: Definitions = DEFINITIONS) -> dict[tuple, dict[str, Any]]:
    with DuckEngine(memory_limit="300MB", threads=1) as engine:
        mart.load_into(engine)
        rows = judge_programmes(engine, definitions, AS_OF).to_pylist()
    found = {(r["programme"], r["household_id"], r["person_id"]): r for r in rows}
    assert len(found) == len(rows)
    return found


def test_without_tax_data_income_is_unknown_unless_another_route_decides() -> None:
    mart = small_city()
    found = eligible(mart)
    assert found["single_parent_allowance", "h1", None]["verdict"] == "不明"
    assert found["single_parent_allowance", "h2", None]["verdict"] == "非該当"  # both parents at home
    assert found["school_aid", "h1", "pupil"]["verdict"] == "不明"
    assert found["school_aid", "h1", "baby"]["verdict"] == "非該当"
    why = {u["項目"]: u["理由"] for u in json.loads(found["school_aid", "h1", "pupil"]["unknown"])}
    assert why["income_yen"] == "feed_off"
    mart.spell("pupil", "single_parent_allowance", "single_parent_allowance", status="全部")
    found = eligible(mart)
    allowance = found["single_parent_allowance", "h1", None]
    assert (allowance["verdict"], allowance["receiving"], allowance["unclaimed"]) == ("該当", True, False)
    aid = found["school_aid", "h1", "pupil"]
    assert (aid["verdict"], aid["receiving"], aid["unclaimed"]) == ("該当", False, True)
    assert {"条件": "hardship", "元データ": "single_parent_allowance", "時点": "2026-10-31"}.items() <= json.loads(
        aid["reasons"]
    )[1].items()
    assert found["medical_single_parent", "h1", "baby"]["unclaimed"] is True
    mart.spell("pupil", "school_aid", "school_enrolment")
    assert eligible(mart)["school_aid", "h1", "pupil"]["unclaimed"] is False


def test_with_tax_data_income_decides() -> None:
    mart = small_city()
    for row in list(mart.coverages):
        mart.coverages.append(row | {"source": "municipal_tax", "covered_until": dt.date(2026, 6, 15)})
    mart.spell("mother", "tax_year", "municipal_tax", status="課税", amount=1_500_000.0, valid_from=dt.date(2026, 6, 1))
    mart.spell("father2", "tax_year", "municipal_tax", status="課税", amount=9_000_000.0, valid_from=dt.date(2026, 6, 1))
    on = Definitions(sources={}, version="t", programmes=ALL)
    found = eligible(mart, on)
    assert found["single_parent_allowance", "h1", None]["unclaimed"] is True
    assert found["school_aid", "h1", "pupil"]["verdict"] == "該当"
    assert found["school_aid", "h2", "pupil2"]["verdict"] == "非該当"  # one income alone is over every limit


def test_a_benefit_due_for_renewal_since_the_last_data_is_neither_received_nor_unclaimed() -> None:
    mart = small_city()
    mart.spell("pupil", "single_parent_allowance", "single_parent_allowance", status="全部", valid_to=dt.date(2026, 11, 1))
    found = eligible(mart)
    row = found["single_parent_allowance", "h1", None]
    assert (row["verdict"], row["receiving"], row["unclaimed"]) == ("不明", None, False)
    assert found["school_aid", "h1", "pupil"]["verdict"] == "不明"
    mart.spell("pupil", "single_parent_allowance", "single_parent_allowance", status="一部", valid_from=dt.date(2026, 11, 1))
    assert eligible(mart)["single_parent_allowance", "h1", None]["receiving"] is True


def test_a_receipt_nobody_tells_of_is_unknown() -> None:
    mart = small_city()
    mart.coverages = [c for c in mart.coverages if c["source"] != "medical_subsidy"]
    mart.spell("pupil", "single_parent_allowance", "single_parent_allowance", status="全部")
    row = eligible(mart)["medical_single_parent", "h1", "pupil"]
    assert (row["verdict"], row["receiving"], row["unclaimed"]) == ("該当", None, False)


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("年度末年齢 ≥ 7歳", "年度末の年齢 ≥ 7歳", "K512"),
        ("年度末年齢 ≥ 7歳", "年度末年齢 ≥ 7年", "K514"),
        ("単位: こども", "単位: 学校", "K804"),
        ("値: [1600000, 1600000, 1985000", "値: [1600000, 1985000, 1600000", "K804"),
    ],
)
def test_refusals(tmp_path: Path, old: str, new: str, code: str) -> None:
    shutil.copy(BASE / "programmes" / "school_aid.yaml", tmp_path)
    path = tmp_path / "school_aid.yaml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(DefinitionError) as error:
        programmes.load(tmp_path)
    assert error.value.code == code
    assert "school_aid.yaml:" in error.value.where
