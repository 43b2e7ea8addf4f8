"""Criteria files: periods on demand, lists, families, combinations, versions by date, banned inputs — and what refusals say."""

import datetime as dt
import shutil
from pathlib import Path

import pytest

from kizuki.app.judging import judge_all
from kizuki.definitions import criteria, items
from kizuki.definitions.banned import banned_input
from kizuki.definitions.expression import NotApplicable, Vocabulary, evaluate, parse
from kizuki.definitions.item_windows import ItemWords
from kizuki.definitions.loader import Definitions, load_definitions
from kizuki.engine.duck import DuckEngine
from kizuki.judge.selection import active, not_applied
from kizuki.terms.errors import DefinitionError
from tests.unit.small_mart import AS_OF
from tests.unit.test_judging import item_table

BASE = Path(__file__).parents[2] / "definitions" / "base"
ITEMS = items.load(BASE / "items")
SMALL = """ID: small
名称: 小さな基準
版: "1"
施行日: 2024-04-01
作成者: 試験
承認者: 試験
位置づけ: 試験
閾値: 3
項目:
  - {ID: many, 名称: 相談, 条件: 過去2年の相談件数 ≥ 2件, 点: 3, 説明: "相談が{過去2年の相談件数}", 根拠: 試験, 所管: 試験}
例:
  - {名称: 二件, 状況: {過去2年の相談件数: 2}, 期待: 該当, 点: 3}
"""
COMBINED = """ID: both
名称: 総合
版: "1"
施行日: 2024-04-01
作成者: 試験
承認者: 試験
位置づけ: 試験
組合せ: [small, other]
閾値: 1
項目:
  - {ID: high, 名称: 重点, 条件: 小さな基準 かつ 別の基準, 点: 2, 説明: 重なっています, 根拠: 試験, 所管: 試験}
  - {ID: low, 名称: 見守り, 条件: いずれか（小さな基準、別の基準の点 ≥ 1点）, 点: 1, 説明: 一つです, 根拠: 試験, 所管: 試験}
例:
  - {名称: 両方, 状況: {小さな基準: はい, 別の基準: はい}, 期待: 該当, 点: 2}
  - {名称: 片方だけ分かる, 状況: {小さな基準: はい, 別の基準: 不明}, 期待: 該当, 点: 1}
"""
OTHER = (
    SMALL.replace("ID: small", "ID: other")
    .replace("小さな基準", "別の基準")
    .replace("≥ 2件", "≥ 4件")
    .replace("{過去2年の相談件数: 2}", "{過去2年の相談件数: 4}")
)


def base_with(tmp_path: Path, **files: str) -> Path:
    """A base of the shipped items and the given criteria files (`versions__x` goes to versions/x.yaml)."""
    shutil.copytree(BASE / "items", tmp_path / "items")
    for name, text in files.items():
        path = tmp_path / "criteria" / f"{name.replace('__', '/')}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path


def refusal(base: Path) -> DefinitionError:
    with pytest.raises(DefinitionError) as error:
        load_definitions(base)
    return error.value


def test_a_condition_may_name_any_period_of_a_counted_item() -> None:
    words = ItemWords(ITEMS)
    assert words["過去36か月の相談件数"].id == words["過去3年の相談件数"].id == "consultations_3y"
    assert words["過去2年の相談件数"].id == "consultations_1y__24m"
    assert words.derived["consultations_1y__24m"].months == 24
    assert "過去200か月の相談件数" not in words and "過去2年の知らない件数" not in words


def test_a_change_is_the_difference_of_two_windows() -> None:
    words = ItemWords(ITEMS)
    assert words["過去3か月の欠席日数の前年からの変化"].id == "absence_increase"
    term = words["過去6か月の欠席日数の前回からの変化"]
    change = words.derived[term.id].difference
    assert change is not None
    before = words.derived[change.before]
    assert (before.months, before.shift_months, term.minimum) == (6, 6, None)
    assert before.ages.low == ITEMS["absence_days_3m"].ages.low + 1  # nobody has earlier figures in the first school year


def test_lists_of_conditions_and_sums_of_items() -> None:
    words = Vocabulary(ItemWords(ITEMS))

    def answer(text: str, **facts: object) -> bool | None:
        return evaluate(parse(text, words), facts)  # type: ignore[arg-type]

    two = "該当数（生活保護受給、就学援助、児童扶養手当の全部支給） ≥ 2個"
    assert answer(two, public_assistance_now=True, school_aid_now=True) is True
    assert answer(two, public_assistance_now=True, school_aid_now=False) is None
    assert answer(two, public_assistance_now=False, school_aid_now=False) is False
    total = "合計（直近3か月の欠席日数、直近3か月の別室登校） ≥ 10日"
    assert answer(total, absence_days_3m=8, separate_room_3m=2) is True
    assert answer(total, absence_days_3m=8, separate_room_3m=NotApplicable()) is False
    assert answer(total, absence_days_3m=8) is None
    assert answer("すべて（生活保護受給、就学援助）", public_assistance_now=False) is False


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("いずれか（生活保護受給）", "K517"),
        ("合計（直近3か月の欠席日数、過去1年の相談件数） ≥ 1", "K514"),
        ("合計（欠席日数の前年からの増加、直近3か月の別室登校） ≥ 1", "K513"),
        ("該当数（生活保護受給、就学援助） ≥ 2日", "K514"),
        ("人数（生活保護受給） ≥ 1", "K517"),
    ],
)
def test_lists_are_refused_with_a_reason(text: str, code: str) -> None:
    with pytest.raises(DefinitionError) as error:
        parse(text, Vocabulary(ItemWords(ITEMS)))
    assert error.value.code == code and error.value.fix


def test_derived_items_are_built_and_judged(tmp_path: Path) -> None:
    definitions = load_definitions(base_with(tmp_path, small=SMALL))
    assert "consultations_1y__24m" in definitions.items
    assert "consultations_1y__24m" not in ITEMS


def test_type_errors_name_file_line_and_place(tmp_path: Path) -> None:
    error = refusal(base_with(tmp_path, small=SMALL.replace("≥ 2件", "≥ 「多い」")))
    assert error.code == "K513"
    assert "small.yaml:10" in error.where and "文字目" in error.where


@pytest.mark.parametrize(
    "text",
    [
        "国籍 ＝ 「外国」",
        "母語 ＝ 「他」",
        "宗教 ＝ 「有」",
        "気づき ＝ 「心配」",
        "性別 ＝ 「2」",
        "支援措置の申出",
        "年度末年齢 ≥ 6 かつ 国籍 ＝ 「外国」",
    ],
)
def test_banned_inputs_are_refused_with_the_reason(tmp_path: Path, text: str) -> None:
    error = refusal(base_with(tmp_path, small=SMALL.replace("過去2年の相談件数 ≥ 2件", text)))
    assert error.code == "K502" and "small.yaml:10" in error.where
    assert len(error.what.split("：", 1)[-1]) > 10  # says why, not only that


def test_an_item_cannot_smuggle_a_banned_input_in(tmp_path: Path) -> None:
    base = base_with(tmp_path, small=SMALL)
    household = base / "items" / "household.yaml"
    text = household.read_text(encoding="utf-8")
    household.write_text(
        text.replace("    判定に使える: いいえ\n", "").replace("支援措置の申出", "配慮の要る世帯"), encoding="utf-8"
    )
    assert refusal(base).code == "K502"
    household.write_text(text.replace("名称: きょうだいの数", "名称: 外国人のきょうだいの数"), encoding="utf-8")
    error = refusal(base)
    assert error.code == "K502" and "household.yaml:" in error.where


def test_every_reason_for_a_ban_is_a_sentence() -> None:
    for word in ("国籍", "信条", "自由記述", "性別", "支援措置"):
        found = banned_input(f"親の{word}の有無")
        assert found is not None and found.reason.endswith("。")
    assert banned_input("直近3か月の欠席日数") is None


def test_entries_of_one_event_count_up_to_their_cap(tmp_path: Path) -> None:
    rest = "点: 3, 説明: 多い, 根拠: 試験, 所管: 試験, まとまり: 相談"
    more = f"  - {{ID: more, 名称: 多い, 条件: 過去2年の相談件数 ≥ 3件, {rest}}}\n例"
    twice = SMALL.replace("所管: 試験}\n例", f"所管: 試験, まとまり: 相談}}\n{more}")
    twice = twice.replace("閾値: 3\n", "閾値: 3\nまとまりの上限: {相談: 4}\n")
    small = load_definitions(base_with(tmp_path, small=twice)).criteria["small"]
    assert small.score({"consultations_1y__24m": 5.0}).points == 4
    assert small.score({}).most == 4


def test_the_set_of_the_how_to_page_works_as_printed(tmp_path: Path) -> None:
    page = (BASE.parents[1] / "docs" / "howto" / "write-criteria.md").read_text(encoding="utf-8")
    printed = page.split("```yaml\n", 1)[1].split("```", 1)[0]
    assert list(load_definitions(base_with(tmp_path, lonely=printed)).criteria) == ["lonely_move"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("閾値: 3\n", "閾値: 3\nまとまりの上限: {相談: 4}\n"),
        ("点: 3, 説明", "点: 3, まとまり: 相談, 説明"),
        ("承認者: 試験\n", "承認者: 試験\n承認日: 2024-05-01\n"),
        ("承認者: 試験\n", "承認者: 試験\n終了日: 2024-04-01\n"),
    ],
)
def test_forms_that_contradict_themselves_are_refused(tmp_path: Path, old: str, new: str) -> None:
    assert refusal(base_with(tmp_path, small=SMALL.replace(old, new, 1))).code == "K804"


def test_versions_follow_one_another_by_date(tmp_path: Path) -> None:
    first = SMALL.replace("施行日: 2024-04-01\n", "施行日: 2024-04-01\n終了日: 2026-04-01\n")
    second = SMALL.replace('版: "1"', '版: "2"').replace("施行日: 2024-04-01", "施行日: 2026-04-01").replace("≥ 2件", "≥ 1件")
    definitions = load_definitions(base_with(tmp_path, small=first, versions__small2=second))
    assert [c.version for c in active(definitions, dt.date(2026, 3, 31))] == ["1"]
    assert [c.version for c in active(definitions, dt.date(2026, 4, 1))] == ["2"]
    assert active(definitions, dt.date(2024, 3, 31)) == []
    assert not_applied(definitions, dt.date(2024, 3, 31)) == ["判定基準「小さな基準」は使いません：版 1 は 2024-04-01 からです"]
    assert not_applied(definitions, dt.date(2026, 4, 1)) == []


def test_an_expired_set_gives_no_rows_and_says_so(tmp_path: Path) -> None:
    ended = SMALL.replace("施行日: 2024-04-01\n", "施行日: 2024-04-01\n終了日: 2026-04-01\n")
    definitions = load_definitions(base_with(tmp_path, small=ended))
    with DuckEngine(memory_limit="200MB", threads=1) as engine:
        engine.register("item", item_table({"p": {"age_years": 3.0, "age_fy_end": 4.0}}))
        assert [t.num_rows for t in judge_all(engine, definitions, AS_OF).values()] == [0, 0]
    assert not_applied(definitions, AS_OF) == ["判定基準「小さな基準」は使いません：版 1 は 2026-04-01 で終わっています"]


@pytest.mark.parametrize(
    ("version", "code"),
    [
        (SMALL.replace('版: "1"', '版: "2"').replace("施行日: 2024-04-01", "施行日: 2026-04-01"), "K507"),
        (SMALL.replace("ID: small", "ID: nobody"), "K508"),
    ],
)
def test_versions_that_overlap_or_belong_to_nothing_are_refused(tmp_path: Path, version: str, code: str) -> None:
    assert refusal(base_with(tmp_path, small=SMALL, versions__next=version)).code == code


def combined(tmp_path: Path) -> Definitions:
    return load_definitions(base_with(tmp_path, small=SMALL, other=OTHER, both=COMBINED))


def test_a_combination_reads_the_verdicts_of_its_parts_in_sql_as_in_python(tmp_path: Path) -> None:
    definitions = combined(tmp_path)
    ages = {"age_years": 10.0, "age_fy_end": 11.0}
    city = {f"p{n}": {**ages, "consultations_1y__24m": value} for n, value in enumerate((0.0, 2.0, 5.0, None))}
    with DuckEngine(memory_limit="300MB", threads=1) as engine:
        engine.register("item", item_table(city))
        out = judge_all(engine, definitions, AS_OF)
    levels = {
        r["person_id"]: (r["verdict"], r["points"], r["max_points"])
        for r in out["judgement"].to_pylist()
        if r["criteria"] == "both"
    }
    assert levels == {"p0": ("非該当", 0, 0), "p1": ("該当", 1, 1), "p2": ("該当", 2, 2), "p3": ("要確認", 0, 2)}
    reasons = [r for r in out["judgement_reason"].to_pylist() if r["criteria"] == "both"]
    assert {(r["person_id"], r["entry"], r["answer"]) for r in reasons} >= {("p2", "high", "true"), ("p3", "high", "unknown")}
    assert {r["source"] for r in reasons} == {"judgement"} and {r["delivery_id"] for r in reasons} == {None}
    assert {r["unknown_reason"] for r in reasons if r["answer"] == "unknown"} == {"part_unknown"}


def test_a_combination_of_what_is_not_there_is_refused_or_not_applied(tmp_path: Path) -> None:
    base = base_with(tmp_path, small=SMALL, both=COMBINED)
    assert refusal(base).code == "K508"
    late = OTHER.replace("施行日: 2024-04-01", "施行日: 2027-04-01")
    (base / "criteria" / "other.yaml").write_text(late, encoding="utf-8")
    definitions = load_definitions(base)
    assert [c.id for c in active(definitions, AS_OF)] == ["small"]
    assert any("組合せのもとの判定" in sentence for sentence in not_applied(definitions, AS_OF))


def test_shipped_sets_say_what_staff_must_replace() -> None:
    for found in criteria.load(BASE / "criteria").values():
        assert found.text.standing == "初期値：地域の合意で置き換える"
        assert found.text.past_case and found.text.unknowable
        assert any(e.points < 0 for e in found.entries), f"{found.id} has no protective factor"
        assert all(e.text.ground and e.text.owner for e in found.entries)
