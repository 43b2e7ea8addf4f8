"""The condition language: what staff may write, what it means, and what a refusal says."""

import pytest

from kizuki.definitions.expression import (
    AtLeast,
    Kind,
    NotApplicable,
    StepTable,
    Term,
    Vocabulary,
    evaluate,
    open_terms,
    parse,
    terms_of,
)
from kizuki.terms.errors import DefinitionError

DAYS = Term("days", "欠席日数", Kind.NUMBER, "日", minimum=0)
INCOME = Term("income", "所得", Kind.NUMBER, "円", minimum=0)
COUNT = Term("dependants", "扶養人数", Kind.NUMBER, "人", minimum=0)
AID = Term("aid", "生活保護", Kind.TRUTH)
ROLE = Term("role", "役割", Kind.TEXT, choices=("児童", "父母"))
TABLE = StepTable("限度額", "円", (690_000.0, 1_070_000.0), 380_000.0)
OLD = StepTable("古い表", "円", (1.0,), expired=True)
WORDS = Vocabulary(
    {t.title: t for t in (DAYS, INCOME, COUNT, AID)},
    {t.title: t for t in (INCOME, COUNT, AID, ROLE)},
    {t.name: t for t in (TABLE, OLD)},
)


def answer(text: str, facts: dict | None = None, members: tuple = ()) -> bool | None:
    return evaluate(parse(text, WORDS), facts or {}, members)


@pytest.mark.parametrize(
    ("text", "facts", "expected"),
    [
        ("欠席日数 ≥ 10日", {"days": 10}, True),
        ("欠席日数≧10", {"days": 9}, False),
        ("欠席日数 >= １０日", {}, None),
        ("欠席日数 \uff1e 1,000", {"days": 1000}, False),
        ("所得 < 69万円", {"income": 689_999}, True),
        ("生活保護", {"aid": True}, True),
        ("生活保護 ＝ いいえ", {"aid": True}, False),
        ("生活保護 ≠ はい", {"aid": False}, True),
        ("生活保護でない", {"aid": None}, "K512"),
        ("（生活保護）でない", {"aid": False}, True),
        ("生活保護 でない でない", {"aid": True}, True),
        ("欠席日数 ≥ 10 かつ 生活保護", {"days": 3}, False),
        ("欠席日数 ≥ 10 または 生活保護", {"days": 30}, True),
        ("欠席日数 ≥ 10 または 生活保護", {"days": 3}, None),
        ("（欠席日数 ≥ 10 または 生活保護）かつ 所得 = 0", {"days": 30, "income": 0}, True),
    ],
)
def test_meaning(text: str, facts: dict, expected: bool | str | None) -> None:
    if isinstance(expected, str):
        with pytest.raises(DefinitionError) as error:
            answer(text, facts)
        assert error.value.code == expected
    else:
        assert answer(text, facts) is expected


@pytest.mark.parametrize(
    ("text", "code", "column"),
    [
        ("欠席日数 ≥ 10 かつ 生活保護 または 生活保護", "K516", 19),
        ("欠席数 ≥ 10", "K512", 1),
        ("欠席日数 ≥ 10円", "K514", 8),
        ("欠席日数 ≥ 「多い」", "K513", 8),
        ("欠席日数", "K513", 1),
        ("いずれか（役割 ＝「祖母」）", "K514", 10),
        ("いずれか（役割 > 「父母」）", "K513", 11),
        ("（生活保護", "K515", 6),
        ("生活保護 生活保護", "K515", 6),
        ("生活保護 ！ 3", "K511", 6),
        ("いずれか（いずれか（生活保護））", "K517", 10),
        ("合計（生活保護）> 3", "K513", 4),
        ("所得 < 表（無い表、扶養人数）", "K512", 8),
        ("", "K515", 1),
    ],
)
def test_refusals_say_where(text: str, code: str, column: int) -> None:
    with pytest.raises(DefinitionError) as error:
        parse(text, WORDS)
    assert (error.value.code, error.value.where) == (code, f"条件の{column}文字目")
    assert error.value.fix


def test_near_names_are_offered() -> None:
    with pytest.raises(DefinitionError) as error:
        parse("欠席数 ≥ 10", WORDS)
    assert "欠席日数" in error.value.fix


def test_not_applicable_is_false_and_partly_known_numbers_decide_what_they_can() -> None:
    assert answer("欠席日数 < 10", {"days": NotApplicable()}) is False
    assert answer("欠席日数 ≥ 10", {"days": AtLeast(12)}) is True
    assert answer("欠席日数 ≥ 10", {"days": AtLeast(3)}) is None
    assert answer("欠席日数 ＝ 2", {"days": AtLeast(3)}) is False


def test_households() -> None:
    parents = ({"role": "父母", "income": 3_000_000}, {"role": "父母", "income": None}, {"role": "児童", "income": None})
    assert answer("合計（所得）≥ 250万円", {}, parents) is True
    assert answer("合計（所得）< 250万円", {}, parents) is False
    assert answer("合計（所得）< 400万円", {}, parents) is None
    assert answer("合計（所得、役割 ＝「児童」）= 0", {}, parents[:1]) is True
    assert answer("人数（役割 ＝「父母」）≥ 2人", {}, parents) is True
    assert answer("すべて（役割 ＝「児童」 または 所得 < 400万円）", {}, parents) is None
    assert answer("いずれか（役割 ＝「父母」 かつ 所得 ≥ 400万円）", {}, parents[:1]) is False
    assert answer("いずれか（生活保護）", {}, ()) is False
    assert answer("すべて（生活保護）", {}, ()) is True


def test_tables_step_and_a_partly_known_key_still_helps() -> None:
    text = "所得 < 表（限度額、扶養人数）"
    assert answer(text, {"income": 1_449_999, "dependants": 2}) is True
    assert answer(text, {"income": 1_450_000, "dependants": 2}) is False
    assert answer(text, {"income": 100_000}) is True  # under the limit however many dependants there are
    assert answer(text, {"income": 900_000}) is None
    assert answer("所得 < 表（古い表、扶養人数）", {"income": 0, "dependants": 0}) is None


def test_open_terms_name_only_what_matters() -> None:
    node = parse("（欠席日数 ≥ 10 かつ 生活保護）または 所得 = 0", WORDS)
    assert open_terms(node, {"days": 3}) == (INCOME,)
    assert open_terms(node, {}) == (DAYS, AID, INCOME)
    assert open_terms(node, {"income": 0}) == ()
    assert terms_of(node) == (DAYS, AID, INCOME)
