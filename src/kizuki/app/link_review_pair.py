"""One pair side by side: who wrote what, which characters differ, and what each comparison is worth.

Both sides pass the door: a seal on either side hides where both are (a record that may be the sealed child's would tell it).
"""

import datetime as dt
import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from kizuki.app.explanation import date_text
from kizuki.app.link_reasons import Reason, reason_of
from kizuki.app.link_review import CHECK, Answers, Pair, source_title
from kizuki.app.link_review_residents import PERIOD_PLACES, PERIODS, Residents, residents_of
from kizuki.app.release import MASKED, Actor, Ask, Query, Released, release_page
from kizuki.app.served import Served
from kizuki.definitions.link_review import Harm, OrderStep
from kizuki.definitions.linkage import MISSING
from kizuki.link.comparisons import MISSING_STATE
from kizuki.link.review import level_weights

SIDES: Final = Query(
    name="review_side",
    tables=("review_side",),
    columns={
        name: f"review_side.{name}"
        for name in (
            *("person_id", "side", "source", "record_id", "person_no", "name", "kana", "birth_date", "sex", "postcode"),
            *("town", "block", "phone", "school_code", "grade", "known_from"),
        )
    },
    subject="person_id",
)
PLACES: Final = Query(
    name="review_place",
    tables=("review_side",),
    columns={
        name: f"review_side.{name}"
        for name in ("other_person_id", "side", "record_id", "postcode", "town", "block", "phone", "school_code")
    },
    subject="other_person_id",
)
_PLACE: Final = frozenset(PLACES.columns) - {"other_person_id", "side"}
_SEXES: Final = {"1": "男", "2": "女", "男": "男", "女": "女"}
_ROWS: Final = (
    ("name", "氏名"),
    ("kana", "フリガナ"),
    ("birth_date", "生年月日"),
    ("sex", "性別"),
    ("grade", "学年・年齢帯"),
    ("school_code", "学校"),
    ("town", "町字"),
    ("block", "番地"),
    ("postcode", "郵便番号"),
    ("phone", "電話"),
    ("person_no", "宛名番号"),
)
_MARKED: Final = frozenset({"name", "kana", "birth_date", "block", "phone", "person_no", "postcode", "town"})
_SAME, _DIFFERS, _ONE_BLANK, _BOTH_BLANK, _HIDDEN = "＝ 一致", "≠ 違う", "― 片方だけ", "", "非表示"


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of characters; `differs` = the other side has something else here."""

    text: str
    differs: bool


@dataclass(frozen=True, slots=True)
class Line:
    """One attribute of both sides."""

    title: str
    record: tuple[Piece, ...] | Any
    resident: tuple[Piece, ...] | Any
    verdict: str

    @property
    def written(self) -> bool:
        """Somebody wrote something, and it may be shown."""
        return bool(self.record or self.resident)


@dataclass(frozen=True, slots=True)
class Bar:
    """One comparison: its degree in words, and what it is worth, −1 (speaks against) … 1 (speaks for)."""

    id: str
    title: str
    degree: str
    weight: float
    known: bool

    @property
    def words(self) -> str:
        """How strongly, in words."""
        size = abs(self.weight)
        strength = "とても強い" if size >= 8 else "強い" if size >= 4 else "弱い" if size >= 1 else "ほとんど無い"
        return f"{'同じ人' if self.weight > 0 else '別の人'}を示す力：{strength}"


@dataclass(frozen=True, slots=True)
class PairPage:
    """Everything on the page of one pair."""

    pair: Pair
    list_name: str
    sides: tuple[str, str]
    known_from: str
    why: Reason | None
    residents: Residents | None
    lines: tuple[Line, ...]
    hidden: str
    bars: tuple[Bar, ...]
    not_compared: str
    reasons: tuple[OrderStep, ...]
    notes: tuple[str, ...]
    two_people: bool
    mine: str
    rivals: int
    blind: bool
    settled: bool


def pair_page(actor: Actor, served: Served, pair_id: str, list_name: str, answers: Answers) -> PairPage | None:
    """The page of one pair as this reviewer may see it; None when the snapshot has no such pair. Raises NotPermitted."""
    pair = answers.index.by_id.get(pair_id)
    people = list(pair.people) if pair else [""]
    about = {"pair": pair_id, "people": people}
    asks = {"who": Ask(SIDES, about), "where": Ask(PLACES, about)}
    if pair is not None and answers.of_residents(pair):
        asks |= {"periods": Ask(PERIODS, about), "period_places": Ask(PERIOD_PLACES, about)}
    released = release_page(actor, asks, action="link.review")
    sides = {row["side"]: row for row in released["who"].rows}
    if pair is None or len(sides) != 2:
        return None
    _hide_places(sides, released["where"].rows)
    _add_grade(sides)
    blind, worth = list_name == CHECK, bars(served, pair)
    lines = [_line(title, sides["record"][c], sides["resident"][c], c, worth) for c, title in _ROWS]
    needed = answers.needed(pair)
    rivals = 0 if answers.of_residents(pair) else sum(1 for p in answers.index.waiting if p.group_id == pair.group_id) - 1
    return PairPage(
        pair=pair,
        list_name=list_name,
        sides=_side_titles(served, answers, pair),
        known_from=date_text(sides["record"]["known_from"]),
        why=None if blind else reason_of(served.definitions.loaded, pair.rule),
        residents=_residents(released),
        lines=tuple(line for line in lines if line.written),
        hidden="・".join(line.title for line in lines if line.verdict == _HIDDEN),
        bars=() if blind else tuple(bar for bar in worth if bar.known),
        not_compared="" if blind else "・".join(bar.title for bar in worth if not bar.known),
        reasons=() if blind else tuple(s for s in answers.rules.order if s.harm in pair.harms and s.harm is not Harm.OTHER),
        notes=_notes(answers, pair, rivals, blind=blind),
        two_people=min(needed.values()) > 1,
        mine=answers.mine(pair_id),
        rivals=max(rivals, 0),
        blind=blind,
        settled=pair_id in answers.settled,
    )


def _side_titles(served: Served, answers: Answers, pair: Pair) -> tuple[str, str]:
    """What the two columns are called: an office's record and the register, or two rows of the register."""
    if answers.of_residents(pair):
        return "住民記録（後に登録された番号）", "住民記録（先に登録された番号）"
    return f"{source_title(served, pair.source)}の記録", "住民記録"


def _residents(released: Mapping[str, Released]) -> Residents | None:
    if "periods" not in released:
        return None
    return residents_of(released["periods"].rows, released["period_places"].rows)


def _hide_places(sides: Mapping[str, dict[str, Any]], places: list[dict[str, Any]]) -> None:
    """What the door hides under either person's name is hidden on both sides."""
    closed = any(row[c] is MASKED for row in (*sides.values(), *places) for c in _PLACE)
    for row in sides.values() if closed else ():
        row.update({c: MASKED for c in _PLACE if c in row})


def _add_grade(sides: Mapping[str, dict[str, Any]]) -> None:
    """What grade the resident's birthday means in the year the record was known: nobody should have to work it out."""
    record, resident = sides["record"], sides["resident"]
    birth, day = resident["birth_date"], record["known_from"]
    if record["grade"] and not resident["grade"] and isinstance(birth, dt.date) and isinstance(day, dt.date):
        first_year = birth.year + (6 if (birth.month, birth.day) <= (4, 1) else 7)
        grade = day.year - (day.month < 4) - first_year + 1
        resident["grade"] = f"{_grade_words(grade)}に当たる"


def _grade_verdict(worth: tuple[Bar, ...]) -> str:
    """What the machine's own comparison of birthdays, for which a grade stands in where there is none, says."""
    birth = next((bar for bar in worth if bar.id == "birth" and bar.known), None)
    return "" if birth is None else f"＝ {birth.degree}" if birth.weight > 0 else _DIFFERS


def _grade_words(grade: int) -> str:
    """小1 = 1 … 高3 = 12, with the number as some offices write it."""
    for last, school in ((0, ""), (6, "小"), (9, "中"), (12, "高")):
        if grade <= last:
            first = {"小": 0, "中": 6, "高": 9}.get(school, 0)
            return f"{school}{grade - first}（{grade}年目）" if school else "未就学"
    return "高校生より上"


def _notes(answers: Answers, pair: Pair, rivals: int, *, blind: bool) -> tuple[str, ...]:
    found = []
    if answers.touches_seal(pair):
        found.append(
            "支援措置の世帯の人がいる組です。住所・学校などは両側とも表示しません。氏名と生年月日だけで決められないときは保留してください。"
        )
    if rivals > 0 and not blind:
        found.append(f"この記録には、ほかに{rivals}人の候補がいます。同じ人になり得るのは一人だけです。")
    return tuple(found)


def _line(title: str, left: Any, right: Any, column: str, worth: tuple[Bar, ...]) -> Line:
    if left is MASKED or right is MASKED:
        return Line(title, MASKED, MASKED, _HIDDEN)
    texts = [_shown(column, value) for value in (left, right)]
    if not all(texts):
        plain = [(Piece(t, False),) if t else () for t in texts]
        return Line(title, plain[0], plain[1], _ONE_BLANK if any(texts) else _BOTH_BLANK)
    marked = column in _MARKED
    first, second = _pieces(*texts) if marked else ((Piece(texts[0], False),), (Piece(texts[1], False),))
    same = not any(p.differs for p in (*first, *second)) and (marked or texts[0] == texts[1])
    if column == "grade":
        return Line(title, first, second, _grade_verdict(worth))
    return Line(title, first, second, _SAME if same else _DIFFERS if marked or column == "sex" else "")


def _shown(column: str, value: Any) -> str:
    if value is None or value == "":
        return ""
    if column == "sex":
        return _SEXES.get(str(value), "")
    if column == "birth_date":
        return date_text(value)
    return str(value)


def _pieces(left: str, right: str) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
    """Both texts cut where they differ; spaces between family and given name do not count as a difference."""
    blanks = {ord(" "): None, ord("　"): None}
    if left.translate(blanks) == right.translate(blanks):
        return (Piece(left, False),), (Piece(right, False),)
    first, second = [], []
    for tag, a, b, c, d in difflib.SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        differs = tag != "equal"
        first.append(Piece(left[a:b], differs and bool(left[a:b].strip())))
        second.append(Piece(right[c:d], differs and bool(right[c:d].strip())))
    return tuple(p for p in first if p.text), tuple(p for p in second if p.text)


def bars(served: Served, pair: Pair) -> tuple[Bar, ...]:
    """What every comparison of the pair is worth, by the numbers of definitions/base/linkage/model.yaml."""
    model = served.definitions.loaded.linkage["linkage"].model
    weights, titles = level_weights(model), {c.id: c.title for c in model.comparisons}
    found = []
    for part in pair.evidence.split():
        name, _, state = part.partition("=")
        if int(state) == MISSING_STATE:
            found.append(Bar(name, titles[name], MISSING, 0.0, known=False))
        else:
            degree, weight = weights[name][int(state)]
            found.append(Bar(name, titles[name], degree, weight, known=True))
    return tuple(found)
