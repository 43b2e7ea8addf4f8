"""One household as somebody states it (JSON or YAML): what cannot be read is refused, what contradicts itself is unknown.

Derived facts (ages from a birth date, the main earner) are made so that leaving any statement out can only make an answer
unknown, never turn it round: two statements that contradict each other count as neither.
"""

import datetime as dt
import difflib
import math
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kizuki.definitions.expression import AtLeast, Between, Kind, Term, Value
from kizuki.definitions.programmes.facts import BIRTH_DATE, BIRTH_DATE_TITLE, BY_ID, CHILD, FACTS, OTHER, PARENT, TITLES
from kizuki.terms.errors import InputRefused

MOST_MEMBERS = 100
_OLDEST = 150.0
_FRAME = {"members", "構成員", "id", BIRTH_DATE, BIRTH_DATE_TITLE}
_ROLES = {"子": CHILD, "こども": CHILD, "child": CHILD, "親": PARENT, "父": PARENT, "母": PARENT, "保護者": PARENT}
_ROLES |= {"parent": PARENT, "other": OTHER}
_WORDS: dict[str, bool] = {"はい": True, "いいえ": False, "true": True, "false": False}
_AGES = ("age_years", "age_fy_end")
_DERIVED = frozenset(f.term.id for f in FACTS if f.derived)


@dataclass(frozen=True, slots=True)
class Household:
    """Facts of a household and of each member (a member's facts include the household's), as `evaluate` takes them.

    `listed` is False where nobody said who lives there; `hints` are remarks on the statement, without any value of it.
    """

    facts: Mapping[str, Value]
    members: tuple[Mapping[str, Value], ...] = ()
    names: tuple[str, ...] = field(default=())
    listed: bool = True
    hints: tuple[str, ...] = ()

    def children(self) -> list[int]:
        """Positions of the members who are 児童, or of whom nobody said what they are."""
        return [n for n, m in enumerate(self.members) if m.get("role") in (CHILD, None)]


def read_household(raw: Mapping[str, Any], day: dt.date) -> Household:
    """A household: facts by id or Japanese title, `members` (構成員) with `id` and `role`.

    Raises InputRefused K601 (a value that cannot be read) or K603 (the same thing stated twice).
    """
    stated = _members_of(raw)
    names = _names(stated or ())
    hints: list[str] = []
    shared = _read(raw, day, hints)
    members = [_read(m, day, hints) for m in stated or ()]
    for fact in FACTS:
        if fact.held_by == "household" and fact.term.kind is Kind.TRUTH:
            _lift(shared, members, fact.term.id)
    size = shared.get("household_size")
    shared["household_size"] = max(size, float(len(members))) if isinstance(size, float) else AtLeast(float(len(members)))
    _spread_single_parent(shared, members)
    _find_main_earner(members)
    facts = {k: v for k, v in shared.items() if BY_ID[k].held_by == "household"}
    return Household(
        facts=facts,
        members=tuple({**m, **facts} for m in members),
        names=names,
        listed=stated is not None,
        hints=tuple(dict.fromkeys(hints)),
    )


def _members_of(raw: Mapping[str, Any]) -> list[Mapping[str, Any]] | None:
    if "members" in raw and "構成員" in raw:
        raise InputRefused("K603", "世帯の構成員が二度書かれています。", "members", "一つにしてください。")
    stated = raw.get("members", raw.get("構成員"))
    if stated is None:
        return None
    if not isinstance(stated, list | tuple) or not all(isinstance(m, Mapping) for m in stated):
        raise InputRefused("K601", "世帯の構成員を読めません。", "members", "構成員を一覧で書いてください。")
    if len(stated) > MOST_MEMBERS:
        raise InputRefused("K601", f"構成員が{MOST_MEMBERS}人を超えています。", "members", "1行に1世帯を書いてください。")
    return list(stated)


def _names(stated: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    written = [m.get("id") for m in stated]
    if any(isinstance(w, bool | float | list | dict) for w in written):
        raise InputRefused("K601", "構成員の id を読めません。", "id", "文字か整数で書いてください。")
    names = tuple(str(n + 1) if w is None else str(w) for n, w in enumerate(written))
    if len(set(names)) < len(names):
        raise InputRefused("K603", "同じ id の構成員が二人います。", "id", "一人ごとに違う id を書いてください。")
    return names


def _lift(shared: dict[str, Value], members: Sequence[Mapping[str, Value]], name: str) -> None:
    """A fact of the household stated of a member holds for the household, unless the household's own statement denies it."""
    said = [m[name] for m in members if m.get(name) is not None]
    if shared.get(name) is not None:
        said.append(shared[name])
    shared[name] = said[0] if said and all(v is said[0] for v in said) else None


def _spread_single_parent(shared: Mapping[str, Value], members: Sequence[dict[str, Value]]) -> None:
    """ひとり親 stated of the household or of its parents holds for the children; statements that differ make it unknown."""
    said = [m["single_parent"] for m in members if m.get("role") == PARENT and m.get("single_parent") is not None]
    if shared.get("single_parent") is not None:
        said.append(shared["single_parent"])
    for member in members:
        if member.get("role") not in (CHILD, None):
            continue
        own = member.get("single_parent")
        every = said if own is None else [own, *said]
        member["single_parent"] = every[0] if every and all(v is every[0] for v in every) else None


def _find_main_earner(members: Sequence[dict[str, Value]]) -> None:
    """The only parent, or the parent with the higher income; unknown while a role or an income that matters is."""
    all_placed = all(m.get("role") is not None for m in members)
    parents = [m for m in members if m.get("role") == PARENT]
    incomes = [m.get("income_yen") for m in parents]
    for member in members:
        member["main_earner"] = None if member.get("role") in (PARENT, None) else False
    if not all_placed or not parents:
        return
    if len(parents) == 1:
        parents[0]["main_earner"] = True
        return
    known = [i for i in incomes if isinstance(i, float)]
    if len(known) == len(parents) and known.count(max(known)) == 1:
        for parent, income in zip(parents, known, strict=True):
            parent["main_earner"] = income == max(known)


def _read(raw: Mapping[str, Any], day: dt.date, hints: list[str]) -> dict[str, Value]:
    out: dict[str, Value] = {}
    for key, value in raw.items():
        name = TITLES.get(key, key)
        if name in _DERIVED or name in _FRAME:
            continue
        if name not in BY_ID:
            near = difflib.get_close_matches(str(key), [*TITLES, *BY_ID], n=1, cutoff=0.6)
            hints.append(f"語彙にない項目を読み飛ばしました{f'（近い項目：{near[0]}）' if near else ''}。")
            continue
        if name in out:
            raise InputRefused("K603", f"「{BY_ID[name].term.title}」が二度書かれています。", name, "一つにしてください。")
        if value in BY_ID[name].as_unknown:
            out |= {name: None, f"{name}_why": value}
        else:
            out[name] = _value(BY_ID[name].term, value)
    return out | _ages(raw, out, day, hints)


def _ages(raw: Mapping[str, Any], stated: Mapping[str, Value], day: dt.date, hints: list[str]) -> dict[str, Value]:
    """Ages from the birth date, or from each other as far as they tell; ages that contradict each other are unknown."""
    if BIRTH_DATE in raw and BIRTH_DATE_TITLE in raw:
        raise InputRefused("K603", "生年月日が二度書かれています。", BIRTH_DATE, "一つにしてください。")
    written = raw.get(BIRTH_DATE, raw.get(BIRTH_DATE_TITLE))
    age, at_end = stated.get("age_years"), stated.get("age_fy_end")
    if written not in (None, "", "不明"):
        born = _birth(written, day)
        found: dict[str, Value] = {"age_years": float(age_on(born, day)), "age_fy_end": float(age_on(born, next_april(day)))}
        if any(stated.get(n) not in (None, found[n]) for n in _AGES):
            hints.append("生年月日と年齢が食い違うので、年齢を不明としました。")
            return {"age_years": None, "age_fy_end": None, "age_month_start": None}
        return found | {"age_month_start": float(age_on(born, day.replace(day=1)))}
    if isinstance(age, float) and isinstance(at_end, float):
        if age <= at_end <= age + 1:
            return {"age_month_start": age}
        hints.append("年齢と年度末年齢が食い違うので、どちらも不明としました。")
        return {"age_years": None, "age_fy_end": None, "age_month_start": None}
    if isinstance(age, float):
        return {"age_fy_end": Between(age, age + 1), "age_month_start": age}
    if isinstance(at_end, float):
        least = max(0.0, at_end - 1)
        return {"age_years": Between(least, at_end), "age_month_start": Between(least, at_end)}
    return {}


def _birth(written: Any, day: dt.date) -> dt.date:
    try:
        birth = dt.date.fromisoformat(unicodedata.normalize("NFKC", written).strip()) if isinstance(written, str) else None
    except ValueError:
        birth = None
    if birth is None or birth > day or birth.year < day.year - _OLDEST:
        fix = "2015-04-01 のように、基準日より前の日付を書いてください。"
        raise InputRefused("K601", "生年月日を読めません。", BIRTH_DATE, fix)
    return birth


def age_on(birth: dt.date, day: dt.date) -> int:
    """Full years on a day."""
    return day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day))


def next_april(day: dt.date) -> dt.date:
    """The 1 April that ends the fiscal year of `day`."""
    return dt.date(day.year + (day.month >= 4), 4, 1)


def _value(term: Term, written: Any) -> Value:
    if written is None or (isinstance(written, str) and written in ("", "不明")):
        return None
    text = unicodedata.normalize("NFKC", written).strip() if isinstance(written, str) else written
    if term.kind is Kind.TRUTH:
        found = _WORDS.get(text) if isinstance(text, str) else text
        if isinstance(found, bool):
            return found
    elif term.kind is Kind.TEXT and isinstance(text, str):
        named = _ROLES.get(text, text) if term.id == "role" else text
        if named in term.choices:
            return named
    elif term.kind is Kind.NUMBER and (number := _number(term, text)) is not None:
        return number
    raise InputRefused("K601", f"「{term.title}」の値を読めません。", term.id, _hint(term))


def _number(term: Term, text: Any) -> float | None:
    """A whole, finite number within reason; None if it is none."""
    if isinstance(text, bool) or not isinstance(text, int | float | str):
        return None
    try:
        value = float(text.replace(",", "").removesuffix(term.unit)) if isinstance(text, str) else float(text)
    except (ValueError, OverflowError):
        return None
    most = {"歳": _OLDEST, "人": 1000.0}.get(term.unit, 1e12)
    return value if math.isfinite(value) and value.is_integer() and 0 <= value <= most else None


def _hint(term: Term) -> str:
    if term.kind is Kind.TRUTH:
        return "true・false・null で書いてください。"
    return f"使える区分：{'、'.join(term.choices)}" if term.choices else f"0以上の整数で書いてください（単位：{term.unit}）。"
