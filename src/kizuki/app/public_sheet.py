"""公開用の説明: one sheet per criteria set for anybody to read, made from the configuration and what people recorded about it.

In the order of an algorithmic transparency record: what for, about whom, which data and why, how it decides, how it was
checked and by whom, versions, limits, how to have data corrected. No child is in it.
"""

from dataclasses import dataclass
from typing import Final

from kizuki.app import accounts, emergency_stop
from kizuki.app import feedback as found_by_staff
from kizuki.app.accounts import allow
from kizuki.app.release import Actor
from kizuki.app.served import Served, Source
from kizuki.definitions.criteria import CriteriaSet
from kizuki.definitions.expression import terms_of
from kizuki.records.models import CriteriaReview, CriteriaStop, FeedbackAnswer

MIN_CHECKED: Final = 30
"""Below so many looked-at children a share says nothing (and little is hidden by rounding)."""
_ROUND: Final = 5
_SMALL: Final = 7
PURPOSE: Final = "support"
NOT_CHECKED: Final = "まだ検証していません"
NEVER_USED: Final = (
    "国籍・出自・母語",
    "宗教・信条",
    "性別（公平性の点検にだけ使う）",
    "職員の自由記述",
    "支援措置（DV等）の印",
)


@dataclass(frozen=True, slots=True)
class UsedData:
    """One source the set reads: its office, what of it, and whether it is received now."""

    source: Source
    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """One entry: what is looked at, how it counts, on what ground, which office answers for it."""

    name: str
    condition: str
    points: int
    ground: str
    owner: str
    protective: bool


@dataclass(frozen=True, slots=True)
class Sheet:
    """Everything on one sheet."""

    criteria: CriteriaSet
    legal_basis: str
    data: tuple[UsedData, ...]
    lines: tuple[Line, ...]
    parts: tuple[str, ...]
    checked: tuple[str, ...]
    reviews: tuple[CriteriaReview, ...]
    stop: CriteriaStop | None
    past_stops: tuple[CriteriaStop, ...]
    in_force: bool


def listing(actor: Actor, served: Served) -> tuple[tuple[CriteriaSet, CriteriaStop | None], ...]:
    """Every set with its stop, if it is stopped. Raises NotPermitted K701."""
    allow(actor, "sheet.view")
    standing = emergency_stop.all_standing()
    sets = served.definitions.loaded.criteria.values()
    return tuple((c, next((s for s in standing if c.id in s.covers), None)) for c in sets)


def sheet(actor: Actor, served: Served, criteria: str) -> Sheet | None:
    """One sheet; None for a set that does not exist. Raises NotPermitted K701."""
    allow(actor, "sheet.view")
    main = served.definitions.loaded.criteria.get(criteria)
    if main is None:
        return None
    now = main.on(served.as_of) or main
    loaded = served.definitions.loaded
    return Sheet(
        criteria=now,
        legal_basis=accounts.governance().purposes[PURPOSE].legal_basis,
        data=_data(now, served),
        lines=tuple(_line(now)),
        parts=tuple(loaded.criteria[p].name for p in now.combines),
        checked=_checked(now),
        reviews=tuple(reviews(criteria)),
        stop=emergency_stop.standing(criteria),
        past_stops=tuple(emergency_stop.past(criteria)),
        in_force=now.in_force(served.as_of),
    )


def reviews(criteria: str) -> list[CriteriaReview]:
    """Expert reviews and explanations to residents of all versions, newest first."""
    return list(CriteriaReview.objects.filter(criteria=criteria).order_by("-held_on", "-pk"))


def _data(criteria: CriteriaSet, served: Served) -> tuple[UsedData, ...]:
    items = served.definitions.loaded.items
    used: dict[str, dict[str, None]] = {}
    for term in (t for e in criteria.entries for t in terms_of(e.condition)):
        if term.id in items:
            used.setdefault(items[term.id].source, {})[items[term.id].meaning] = None
    return tuple(UsedData(served.definitions.source(s), tuple(meanings)) for s, meanings in used.items())


def _line(criteria: CriteriaSet) -> list[Line]:
    return [Line(e.name, e.text.condition, e.points, e.text.ground, e.text.owner, e.text.protective) for e in criteria.entries]


def _checked(criteria: CriteriaSet) -> tuple[str, ...]:
    """What is known about how well this version finds: rounded counts of children staff looked at, or that nothing is."""
    answers = [f for f in found_by_staff.newest(criteria.id) if f.version == criteria.version and f.listed]
    counts = {a: sum(1 for f in answers if f.answer == a) for a in FeedbackAnswer}
    judged = counts[FeedbackAnswer.RIGHT] + counts[FeedbackAnswer.WRONG] + counts[FeedbackAnswer.KNOWN]
    if judged < MIN_CHECKED:
        return (f"{NOT_CHECKED}（職員が確かめて結果を記録したこどもが、{MIN_CHECKED}人に満たないため）",)
    words = {FeedbackAnswer.RIGHT: "支援や確認が要った", FeedbackAnswer.KNOWN: "すでに支援につながっていた"}
    words |= {FeedbackAnswer.WRONG: "支援は要らなかった", FeedbackAnswer.FALSE_DATA: "もとのデータが誤っていた"}
    return (
        f"一覧にあったこどものうち、職員が確かめて結果を記録したのは、およそ{_rounded(judged)}です（この版）",
        *(f"{words[answer]}：{_rounded(n)}" for answer, n in counts.items()),
    )


def _rounded(n: int) -> str:
    """A count nobody can be found by: 7 and below are not told, the rest to the nearest five."""
    return f"{_SMALL}人以下" if n <= _SMALL else f"{_ROUND * round(n / _ROUND)}人"
