"""Programmes: examples hold, the city-wide SQL answers like the judge of one household, receipt is never contradicted."""

import datetime as dt
import json
import shutil
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kizuki.app.eligibility import judge_programmes
from kizuki.definitions import programmes
from kizuki.definitions.expression import AtLeast, Kind
from kizuki.definitions.loader import Definitions
from kizuki.definitions.programmes.facts import FACTS
from kizuki.definitions.programmes.households import Household, read_household
from kizuki.definitions.sources import SourceManifest
from kizuki.engine.duck import DuckEngine
from kizuki.programmes.amounts import partial
from kizuki.programmes.compile import Asking, Homes, Told, asking, homes
from kizuki.programmes.judging import failed_examples, judge_household
from kizuki.programmes.patterns import explained
from kizuki.terms.errors import DefinitionError, InputRefused
from tests.unit.small_mart import AS_OF, SmallMart

BASE = Path(__file__).parents[2] / "definitions" / "base"
ALL = programmes.load(BASE / "programmes")
LIST = [ALL[name] for name in sorted(ALL)]
TAX_OFF = SourceManifest.model_construct(id="municipal_tax", enabled=False)
TOLD = Told({}, frozenset(p.id for p in LIST if p.text.receipt is not None))
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
    assert (after[0].verdict.value, after[0].amount_yen) == ("不明", None)
    assert any("パラメータ未更新" in u["text"] for u in after[0].unknown)


def test_households_are_read_leniently_in_form_and_strictly_in_content() -> None:
    day = dt.date(2026, 11, 20)
    home = read_household(
        {"single_parent": True, "members": [{"role": "母"}, {"id": "x", "役割": "子", "生年月日": "2008-04-02"}]}, day
    )
    assert home.names == ("1", "x") and home.facts["household_size"] == AtLeast(2.0)
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
AMOUNTS |= {"age_month_start": (2, 3), "tuition_support_base_yen": (0, 154_500), "expected_children": (1, 2)}
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
        receipt = pa.schema([pa.field(n, pa.string()) for n in ("household_id", "person_id", "programme", "state")]).append(
            pa.field("certain", pa.int32())
        )
        engine.register("fact_receipt", receipt.empty_table())
        engine.materialise("programme_home", shared(day).query)
        engine.materialise("programme_child", shared(day).children)
        asked = [compiled(p.id, day) for p in in_force(day)]
        return [row for a in asked for row in explained(a.programme.id, engine.query(a.query), a.patterns).to_pylist()]


@cache
def compiled(name: str, day: dt.date) -> Asking:
    return asking(ALL[name], day, TOLD, shared(day))


@cache
def shared(day: dt.date) -> Homes:
    return homes(in_force(day), day)


def in_force(day: dt.date) -> list[programmes.Programme]:
    return [p for p in LIST if p.in_force(day)]


@settings(deadline=None, max_examples=12)
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
            assert row["verdict"] == answer.verdict.value, answer
            assert row["unclaimed"] == (answer.verdict.value == "該当" and answer.programme in TOLD.receipts)
            open_facts = {u["項目"] for u in json.loads(row["unknown"]) if u["項目"]}
            assert open_facts == {
                u["fact"] for u in answer.unknown if u["fact"] and u["condition"] != "amount" and "未更新" not in u["text"]
            }
            holds = {r["条件"] for r in json.loads(row["reasons"])}
            assert holds == {r["condition"] for r in answer.reasons if r["holds"]}
    assert seen == len(rows)


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


NEXT_YEAR = """
ID: fy2026
表:
  - 制度: single_parent_allowance
    名: 全部支給額
    行: [{適用開始: 2026-04-01, 適用終了: 2027-03-31, 値: [50000, 12000], 出典: 試験のための架空の値, 確認日: 2026-11-20}]
  - 制度: single_parent_allowance
    名: 一部支給の上限
    行: [{適用開始: 2026-04-01, 適用終了: 2027-03-31, 値: [49990, 11990], 出典: 試験のための架空の値, 確認日: 2026-11-20}]
  - 制度: single_parent_allowance
    名: 一部支給の下限
    行: [{適用開始: 2026-04-01, 適用終了: 2027-03-31, 値: [12000, 6000], 出典: 試験のための架空の値, 確認日: 2026-11-20}]
"""


def with_next_year(folder: Path, text: str = NEXT_YEAR) -> dict[str, programmes.Programme]:
    """The shipped programmes with the figures of one more year, entered in one file."""
    (folder / "parameters").mkdir()
    (folder / "parameters" / "fy2026.yaml").write_text(text, encoding="utf-8")
    return programmes.load(BASE / "programmes", [folder])


def test_the_figures_of_a_year_are_entered_in_one_file(tmp_path: Path) -> None:
    entered = with_next_year(tmp_path)
    family = {
        "members": [
            {"id": "m", "role": "父母", "age_years": 30, "income_yen": 0, "dependants": 1},
            {"id": "c", "role": "児童", "age_years": 8, "age_fy_end": 9, "single_parent": True},
        ]
    }
    (answer,) = judge_household([entered["single_parent_allowance"]], read_household(family, AS_OF), AS_OF)
    assert (answer.verdict.value, answer.amount_yen) == ("該当", 50_000)
    gone = {x.programme for x in programmes.lapses(entered, AS_OF)}
    assert "児童扶養手当" not in gone and "特別児童扶養手当" in gone
    last = [x for x in programmes.lapses(ALL, AS_OF) if x.programme == "児童扶養手当"]
    assert {(x.table, x.last_day) for x in last} == {
        (name, dt.date(2026, 3, 31)) for name in ("全部支給額", "一部支給の上限", "一部支給の下限")
    }


@pytest.mark.parametrize(
    ("old", "new"),
    [("制度: single_parent_allowance", "制度: nothing"), ("名: 全部支給額", "名: 全部の額"), ("2026-04-01", "2026-03-31")],
)
def test_figures_that_belong_nowhere_or_overlap_are_refused(tmp_path: Path, old: str, new: str) -> None:
    with pytest.raises(DefinitionError) as error:
        with_next_year(tmp_path, NEXT_YEAR.replace(old, new, 1))
    assert error.value.code == "K804"


def test_no_figure_outlives_the_year_it_was_checked_in() -> None:
    for programme in LIST:
        for table in programme.text.tables:
            assert table.row(dt.date(2027, 4, 1)) is None, (programme.id, table.name)


def test_a_household_applying_or_lately_refused_is_not_unclaimed(tmp_path: Path) -> None:
    mart = small_city()
    entered = Definitions(sources={}, version="t", programmes=with_next_year(tmp_path))
    for row in list(mart.coverages):
        mart.coverages.append(row | {"source": "municipal_tax", "covered_until": dt.date(2026, 6, 15)})
    mart.spell("mother", "tax_year", "municipal_tax", status="課税", amount=500_000.0, valid_from=dt.date(2026, 6, 1))
    allowance = ("single_parent_allowance", "h1", None)
    assert eligible(mart, entered)[allowance]["unclaimed"] is True
    before = list(mart.spells)
    mart.spell("pupil", "single_parent_allowance", "single_parent_allowance", status="停止")
    row = eligible(mart, entered)[allowance]
    assert (row["verdict"], row["receiving"], row["unclaimed"]) == ("該当", False, False)
    for since, unclaimed in ((dt.date(2026, 9, 1), False), (dt.date(2026, 3, 1), True)):
        mart.spells = list(before)
        mart.spell(
            "pupil", "single_parent_allowance", "single_parent_allowance", status="却下", valid_from=since, valid_to=since
        )
        assert eligible(mart, entered)[allowance]["unclaimed"] is unclaimed


def test_what_only_the_office_decides_or_nobody_pays_here_is_never_unclaimed() -> None:
    mart = small_city()
    mart.event("mother", "pregnancy_notice", "maternal_child_health", dt.date(2026, 9, 1), 12.0)
    mart.person("expecting", dt.date(1998, 5, 1), "h9", "世帯主")
    mart.event("expecting", "pregnancy_notice", "maternal_child_health", dt.date(2026, 9, 1), 10.0)
    found = eligible(mart)
    assert found["pregnancy_support", "h9", None]["verdict"] == "該当"  # a household without children yet
    assert found["pregnancy_support", "h2", None]["verdict"] == "非該当"
    silent = {p.id for p in LIST if p.text.receipt is None or not p.notifiable}
    assert {"public_assistance_consultation", "pregnancy_support", "community_support"} <= silent
    assert not any(r["unclaimed"] for (programme, *_), r in found.items() if programme in silent)
    assert {r["verdict"] for (p, *_), r in found.items() if p == "public_assistance_consultation"} <= {"不明", "非該当"}


def test_with_tax_data_income_decides(tmp_path: Path) -> None:
    mart = small_city()
    for row in list(mart.coverages):
        mart.coverages.append(row | {"source": "municipal_tax", "covered_until": dt.date(2026, 6, 15)})
    mart.spell("mother", "tax_year", "municipal_tax", status="課税", amount=1_500_000.0, valid_from=dt.date(2026, 6, 1))
    mart.spell("father2", "tax_year", "municipal_tax", status="課税", amount=9_000_000.0, valid_from=dt.date(2026, 6, 1))
    on = Definitions(sources={}, version="t", programmes=with_next_year(tmp_path))
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
