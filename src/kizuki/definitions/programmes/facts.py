"""The closed vocabulary of programmes: every fact a condition may use, its unit and type, and who holds it.

A fact that is not stated is unknown, never いいえ and never zero (G2).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from kizuki.definitions.expression import Kind, StepTable, Term, Vocabulary

Holder = Literal["member", "household"]
CHILD, PARENT, OTHER = "児童", "父母", "その他"
REASONS = (
    "",
    "feed_late",
    "feed_never",
    "feed_off",
    "moved_in",
    "needs_certificate",
    "not_collected",
    "not_entered",
    "relation_unclear",
    "undeclared",
)
"""Why a fact of a city's household is unknown; blank = nobody said why. Of several members' reasons the first is told."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One word of the vocabulary and what it means.

    `as_unknown` are values an office writes that mean nobody knows yet (未申告). `derived` facts follow from others
    (`households.py` for one household, sql/fact.sql for the city) and are not stated.
    """

    term: Term
    held_by: Holder
    meaning: str
    derived: bool = False
    as_unknown: tuple[str, ...] = ()


def _fact(id_: str, title: str, kind: Kind, held_by: Holder, meaning: str, **more: Any) -> Fact:
    derived = more.pop("derived", False)
    return Fact(Term(id_, title, kind, **more), held_by, meaning, derived)


def _yes_no(id_: str, title: str, held_by: Holder, meaning: str, **more: Any) -> Fact:
    return _fact(id_, title, Kind.TRUTH, held_by, meaning, **more)


def _number(id_: str, title: str, held_by: Holder, unit: str, meaning: str, **more: Any) -> Fact:
    return _fact(id_, title, Kind.NUMBER, held_by, meaning, unit=unit, minimum=0.0, **more)


def _choice(id_: str, title: str, held_by: Holder, meaning: str, choices: str) -> Fact:
    return _fact(id_, title, Kind.TEXT, held_by, meaning, choices=tuple(choices.split()))


FACTS: tuple[Fact, ...] = (
    _choice(
        "role",
        "役割",
        "member",
        "児童（18歳年度末まで。障がいの手当では20歳未満）・父母（養育する父か母）・その他（同居の親族など）",
        "児童 父母 その他",
    ),
    _number("age_years", "年齢", "member", "歳", "基準日の満年齢。生年月日があれば計算する"),
    _number("age_fy_end", "年度末年齢", "member", "歳", "年度末（3月31日）に達する年齢。小学1年は7。生年月日があれば計算する"),
    _number(
        "age_month_start",
        "月初年齢",
        "member",
        "歳",
        "基準日の月の1日の満年齢。生年月日が無いときは満年齢を使う",
        derived=True,
    ),
    _yes_no(
        "single_parent",
        "ひとり親に養育されている",
        "member",
        "児童が父か母の一方だけに養育されている（事実婚の相手がいれば いいえ）",
    ),
    _number("income_yen", "所得", "member", "円", "判定に使う年の所得（制度ごとの控除の後）。生活保護受給中は0円とみなす"),
    Fact(
        Term("tax_class", "課税区分", Kind.TEXT, choices=("課税", "非課税")),
        "member",
        "市民税の課税区分。未申告・転入不明は不明として扱い、理由に残す",
        as_unknown=("未申告", "転入不明"),
    ),
    _number("dependants", "扶養人数", "member", "人", "扶養親族等の数"),
    _yes_no(
        "main_earner",
        "生計中心者",
        "member",
        "父母のうち所得の高い方（ひとり親はその人）。所得から求める",
        derived=True,
    ),
    _yes_no("public_servant", "公務員", "member", "児童手当を勤務先から受ける公務員である"),
    _yes_no("disability", "障がい", "member", "政令で定める程度の障がいがある（手帳は目安）"),
    _choice(
        "special_allowance_grade",
        "特児の等級",
        "member",
        "診断書で認定する障がいの等級",
        "1級 2級 非該当",
    ),
    _yes_no("severe_disability", "重度の障がい", "member", "常時の介護を要する重度の障がいがある（診断書で認定）"),
    _yes_no("supported_as_child", "子の数に入れる", "member", "19歳から22歳年度末までの子で、親が生計費を負担している"),
    _yes_no("pregnant", "妊娠中", "member", "妊娠している（市は妊娠届で知る）"),
    _choice("childcare_certification", "教育・保育の認定", "member", "教育・保育給付認定の区分", "1号 2号 3号 なし"),
    _yes_no("in_after_school_care", "学童を利用中", "member", "放課後児童クラブを利用している"),
    _choice(
        "high_school",
        "高校の種類",
        "member",
        "在学する高校の設置者と課程",
        "公立全日制 公立定時制 公立通信制 私立全日制 私立通信制 その他の高校等 在学していない",
    ),
    _number(
        "tuition_support_base_yen",
        "就学支援金の算定額",
        "member",
        "円",
        "市町村民税の課税標準額×6%−調整控除の額（保護者それぞれ）",
    ),
    _yes_no("public_assistance_now", "生活保護受給中", "household", "世帯が生活保護を受けている"),
    _yes_no("public_assistance_ended_1y", "生活保護の停止か廃止が1年以内", "household", "直近12か月に停止か廃止された"),
    _yes_no("receiving_single_parent_allowance", "児童扶養手当を受給中", "household", "全部か一部の支給を受けている"),
    _number("household_size", "世帯人数", "household", "人", "世帯の人数。書かなければ、少なくとも構成員の数とする"),
    _choice("housing", "住居", "household", "住まいの区分", "借家 持家"),
    _number("expected_children", "胎児の数", "household", "人", "届け出た胎児の数"),
)
BY_ID = {f.term.id: f for f in FACTS}
BIRTH_DATE, BIRTH_DATE_TITLE = "birth_date", "生年月日"
"""Stated of a member instead of its ages; conditions use the ages."""
TITLES = {f.term.title: f.term.id for f in FACTS} | {BIRTH_DATE_TITLE: BIRTH_DATE}


def terms(held_by: Holder | None = None) -> dict[str, Term]:
    """Terms by title."""
    return {f.term.title: f.term for f in FACTS if held_by is None or f.held_by == held_by}


def vocabulary(of_child: bool, tables: Iterable[StepTable]) -> Vocabulary:
    """What a condition may name: a child's rule its own facts, a household's rule the household's; both see the members."""
    return Vocabulary(terms() if of_child else terms("household"), terms(), {t.name: t for t in tables})
