"""The closed vocabulary of programmes: every fact a condition may use, who holds it, and how a household is read from JSON.

A fact that is not stated is unknown, never いいえ and never zero (G2).
"""

import datetime as dt
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from kizuki.definitions.expression import Kind, StepTable, Term, Value, Vocabulary
from kizuki.terms.errors import InputRefused

Holder = Literal["member", "household"]
CHILD, PARENT, OTHER = "児童", "父母", "その他"


@dataclass(frozen=True, slots=True)
class Fact:
    """One word of the vocabulary and what it means."""

    term: Term
    held_by: Holder
    meaning: str


def _fact(id_: str, title: str, kind: Kind, held_by: Holder, meaning: str, **more: Any) -> Fact:
    return Fact(Term(id_, title, kind, **more), held_by, meaning)


FACTS: tuple[Fact, ...] = (
    _fact(
        "role",
        "役割",
        Kind.TEXT,
        "member",
        "児童（18歳年度末まで）・父母（養育する父か母）・その他（同居の親族など）",
        choices=(CHILD, PARENT, OTHER),
    ),
    _fact("age_years", "年齢", Kind.NUMBER, "member", "基準日の満年齢", unit="歳", minimum=0.0),
    _fact(
        "age_fy_end", "年度末年齢", Kind.NUMBER, "member", "年度末（3月31日）に達する年齢。小学1年は7", unit="歳", minimum=0.0
    ),
    _fact(
        "single_parent",
        "ひとり親に養育されている",
        Kind.TRUTH,
        "member",
        "児童が父か母の一方だけに養育されている（事実婚は確認事項）",
    ),
    _fact(
        "income_yen",
        "所得",
        Kind.NUMBER,
        "member",
        "判定に使う年の所得（控除後）。生活保護受給中は0円とみなす",
        unit="円",
        minimum=0.0,
    ),
    _fact("tax_class", "課税区分", Kind.TEXT, "member", "市民税の課税区分", choices=("課税", "非課税", "未申告", "転入不明")),
    _fact("dependants", "扶養人数", Kind.NUMBER, "member", "扶養親族等の数", unit="人", minimum=0.0),
    _fact("disability", "障がい", Kind.TRUTH, "member", "政令で定める程度の障がいがある（手帳は目安）"),
    _fact("public_assistance_now", "生活保護受給中", Kind.TRUTH, "household", "世帯が生活保護を受けている"),
    _fact(
        "public_assistance_ended_1y", "生活保護の停止か廃止が1年以内", Kind.TRUTH, "household", "直近12か月に停止か廃止された"
    ),
    _fact("receiving_single_parent_allowance", "児童扶養手当を受給中", Kind.TRUTH, "household", "全部か一部の支給を受けている"),
    _fact("household_size", "世帯人数", Kind.NUMBER, "household", "同じ世帯の人数", unit="人", minimum=0.0),
    _fact("housing", "住居", Kind.TEXT, "household", "住まいの区分", choices=("借家", "持家")),
)
_TITLES = {f.term.title: f.term.id for f in FACTS}
_BY_ID = {f.term.id: f for f in FACTS}
_ROLES = {
    "子": CHILD,
    "こども": CHILD,
    "child": CHILD,
    "親": PARENT,
    "父": PARENT,
    "母": PARENT,
    "保護者": PARENT,
    "parent": PARENT,
    "other": OTHER,
}
_WORDS: dict[str, bool] = {"はい": True, "いいえ": False, "true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Household:
    """Facts of a household and of each member (a member's facts include the household's), as `evaluate` takes them."""

    facts: Mapping[str, Value]
    members: tuple[Mapping[str, Value], ...] = ()
    names: tuple[str, ...] = field(default=())

    def children(self) -> list[int]:
        """Positions of the members who are 児童."""
        return [n for n, m in enumerate(self.members) if m.get("role") == CHILD]


def terms(held_by: Holder | None = None) -> dict[str, Term]:
    """Terms by title."""
    return {f.term.title: f.term for f in FACTS if held_by is None or f.held_by == held_by}


def vocabulary(of_child: bool, tables: Iterable[StepTable]) -> Vocabulary:
    """What a condition may name: a child's rule its own facts, a household's rule the household's; both see the members."""
    return Vocabulary(terms() if of_child else terms("household"), terms(), {t.name: t for t in tables})


def read_household(raw: Mapping[str, Any], day: dt.date) -> Household:
    """A household from JSON or YAML: facts by id or Japanese title, `members` (構成員) with `id` and `role`.

    Ages follow from `birth_date` if given; the size from the list of members; ひとり親 stated of the household or of the parent
    holds for the children that state nothing themselves. Raises InputRefused K601 on a value that cannot be read.
    """
    stated = raw.get("members", raw.get("構成員", ()))
    if not isinstance(stated, Sequence) or isinstance(stated, str) or not all(isinstance(m, Mapping) for m in stated):
        raise InputRefused("K601", "世帯の構成員を読めません。", "members", "構成員を一覧で書いてください。")
    shared = _read(raw, day)
    members = [_read(m, day) for m in stated]
    for name in ("public_assistance_now", "public_assistance_ended_1y", "receiving_single_parent_allowance"):
        if name not in shared and any(m.get(name) is True for m in members):
            shared[name] = True
    if members and shared.get("household_size") is None:
        shared["household_size"] = float(len(members))
    _spread_single_parent(shared, members)
    facts = {k: v for k, v in shared.items() if _BY_ID[k].held_by == "household"}
    return Household(
        facts=facts,
        members=tuple({**m, **facts} for m in members),
        names=tuple(str(m.get("id", n + 1)) for n, m in enumerate(stated)),
    )


def _spread_single_parent(shared: dict[str, Value], members: list[dict[str, Value]]) -> None:
    parents = [m for m in members if m.get("role") == PARENT]
    said = [m["single_parent"] for m in parents if m.get("single_parent") is not None]
    for member in members:
        if member.get("role") != CHILD or "single_parent" in member:
            continue
        if shared.get("single_parent") is not None:
            member["single_parent"] = shared["single_parent"]
        elif said:
            member["single_parent"] = any(v is True for v in said)


def _read(raw: Mapping[str, Any], day: dt.date) -> dict[str, Value]:
    out: dict[str, Value] = {}
    born = raw.get("birth_date", raw.get("生年月日"))
    if born:
        out |= _ages(str(born), day)
    for key, value in raw.items():
        name = _TITLES.get(key, key)
        if name in _BY_ID:
            out[name] = _value(_BY_ID[name].term, value)
    return out


def _ages(born: str, day: dt.date) -> dict[str, Value]:
    try:
        birth = dt.date.fromisoformat(born)
    except ValueError as e:
        raise InputRefused("K601", "生年月日を読めません。", "birth_date", "2015-04-01 のように書いてください。") from e
    return {"age_years": float(age_on(birth, day)), "age_fy_end": float(age_on(birth, next_april(day)))}


def age_on(birth: dt.date, day: dt.date) -> int:
    """Full years on a day."""
    return day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day))


def next_april(day: dt.date) -> dt.date:
    """The 1 April that ends the fiscal year of `day`."""
    return dt.date(day.year + (day.month >= 4), 4, 1)


def _value(term: Term, written: Any) -> Value:
    if written is None or written in ("", "不明"):
        return None
    text = unicodedata.normalize("NFKC", written).strip() if isinstance(written, str) else written
    if term.kind is Kind.TRUTH:
        found = _WORDS.get(text) if isinstance(text, str) else text
        if isinstance(found, bool):
            return found
    elif term.kind is Kind.TEXT and isinstance(text, str):
        named = _ROLES.get(text, text) if term.id == "role" else text
        if not term.choices or named in term.choices:
            return named
    elif term.kind is Kind.NUMBER and not isinstance(text, bool):
        try:
            return float(str(text).replace(",", "").removesuffix(term.unit))
        except ValueError:
            pass
    raise InputRefused("K601", f"「{term.title}」の値を読めません。", term.id, _hint(term))


def _hint(term: Term) -> str:
    if term.kind is Kind.TRUTH:
        return "true・false・null で書いてください。"
    return f"使える区分：{'、'.join(term.choices)}" if term.choices else "数で書いてください。"
