"""閾値設計: how many cases staff can look at, how long the list then is, and how many of them it may find.

All figures are whole people ("300人中およそ60人（48〜75人）"), never shares. Where there are too few past cases, or the sample
does not carry what was learned, the page says so and shows no figure. What is chosen here changes nothing: it becomes a
draft of the set's next version.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from kizuki.app import aggregate, criteria_editing
from kizuki.app.backtest import WINDOW_MONTHS
from kizuki.app.backtest_results import DEFAULT_MONTHLY, MONTHLY, Result, kept
from kizuki.app.learned_watch import stopped
from kizuki.app.release import Actor, record_output
from kizuki.app.served import Served
from kizuki.definitions.criteria import CriteriaSet
from kizuki.judge.selection import active
from kizuki.records.models import CriteriaDraft
from kizuki.terms.errors import InputRefused

WORTH: Final = 0.1
"""The exchange shown: one find in ten looks is just worth it."""
_FIELDS: Final = ("judgement.points", "judgement.rank", "household_member.household_id")


@dataclass(frozen=True, slots=True)
class Length:
    """One possible threshold today: children at or above it, their households, months of work at the chosen capacity."""

    threshold: int
    children: int
    households: int
    months: str
    current: bool


@dataclass(frozen=True, slots=True)
class Line:
    """One capacity: finds are whole children of one list of a year (`n` = twelve times `monthly`) in the order in force.

    `learned` is the same for the order that was learned, blank where it may not be shown.
    """

    monthly: int
    n: int
    households: int
    found: int
    low: int
    high: int
    reached: str
    ties: str
    learned: str
    learned_found: float | None
    benefit: str
    worth_it: bool
    chosen: bool

    @property
    def sentence(self) -> str:
        """The promise in natural frequencies."""
        return f"{self.n}人中およそ{self.found}人（{self.low}〜{self.high}人）"


@dataclass(frozen=True, slots=True)
class Page:
    """Everything on the screen; `empty` says why there are no expected finds."""

    sets: tuple[tuple[str, str], ...]
    criteria: CriteriaSet
    monthly: int
    lengths: tuple[Length, ...]
    listed: Mapping[str, int]
    lines: tuple[Line, ...]
    empty: str
    not_learned: str
    made_for: str
    stale: bool
    proposed: int | None

    @property
    def chosen(self) -> Line | None:
        """The line of the chosen capacity, or the nearest one below it."""
        return next((line for line in self.lines if line.chosen), None)

    @property
    def not_worth_it(self) -> str:
        """Why the chosen capacity is no gain over no list at all, and up to where one is; blank where it is a gain."""
        if self.chosen is None or self.chosen.worth_it:
            return ""
        good = max((line.monthly for line in self.lines if line.worth_it), default=None)
        up_to = f"0より大きいのは月{good}件までです。" if good else "どの件数でも0を超えません。"
        return f"月{self.chosen.monthly}件の一覧は、純便益が0以下です（見つける人数より、空振りの負担のほうが重い）。{up_to}"

    @property
    def list_months(self) -> str:
        """How many months today's list is, at the chosen capacity."""
        return _months(self.listed["children"], self.monthly)


def criteria_sets(served: Served) -> dict[str, CriteriaSet]:
    """The sets in force on the snapshot's day."""
    return {c.id: c for c in active(served.definitions.loaded, served.as_of)}


def chosen_set(served: Served, name: str) -> CriteriaSet:
    """The named set, or the first; raises InputRefused K562 where none is in force."""
    sets = criteria_sets(served)
    if not sets:
        raise InputRefused("K562", "使える判定基準がありません。", "判定基準", "判定基準の施行日を確かめてください。")
    return sets.get(name) or next(iter(sets.values()))


def monthly_of(text: str) -> int:
    """The chosen number of cases a month; anything unreadable is the default."""
    return min(max(int(text), 1), 1000) if text.isdecimal() and len(text) <= 4 else DEFAULT_MONTHLY


def thresholds(actor: Actor, served: Served, home: Path, name: str, monthly: int) -> Page:
    """The whole screen; one audit event. Raises NotPermitted."""
    criteria = chosen_set(served, name)
    aggregate.permitted(actor, "validation.view", served, _FIELDS, criteria.id)
    now = aggregate.sums(served, "list_now", criteria=criteria.id)[0]
    rows = aggregate.sums(served, "list_lengths", criteria=criteria.id)
    found = kept(home, criteria.id)
    lines = _lines(home, found, monthly)
    return Page(
        sets=tuple((c.id, c.name) for c in criteria_sets(served).values()),
        criteria=criteria,
        monthly=monthly,
        lengths=tuple(_length(r, criteria, monthly) for r in rows),
        listed={"children": int(now["children"]), "households": int(now["households"])},
        lines=lines,
        empty=why_empty(found),
        not_learned=why_not_learned(home, found),
        made_for=str(found.told["as_of"]) if found else "",
        stale=found is not None and found.told["version"] != criteria.version,
        proposed=_proposed(rows, monthly),
    )


def why_empty(found: Result | None) -> str:
    """Why no expected finds are shown; blank where they are."""
    if found is None:
        return "まだ検証していません。IT担当が judge backtest を実行すると、過去の記録による見込みが出ます。"
    return found.empty


def why_not_learned(home: Path, found: Result | None) -> str:
    """Why the learned order may not be shown beside the staff's; blank where it is."""
    if found is None or found.empty:
        return ""
    halted = stopped(home, found)
    if halted:
        return f"データが学んだ時と大きく変わったため、学んだ表を止めています（{halted[0]}）"
    refused: Sequence[str] = found.told.get("refused") or ()
    if refused:
        return refused[0]
    return (
        "" if found.told["method"] not in ("staff_points", "none") else "過去の検証で、現場の点を上回る順は学べませんでした。"
    )


def _lines(home: Path, found: Result | None, monthly: int) -> tuple[Line, ...]:
    if found is None or found.empty:
        return ()
    steps: list[dict[str, Any]] = list(found.told["steps"])
    offered = [s["n"] // WINDOW_MONTHS for s in steps]
    nearest = max((m for m in offered if m <= monthly), default=min(offered, default=0))
    show = not why_not_learned(home, found)
    return tuple(_line(s, chosen=s["n"] // WINDOW_MONTHS == nearest, show=show) for s in steps)


def _line(step: Mapping[str, Any], *, chosen: bool, show: bool) -> Line:
    n, staff, learned = int(step["n"]), step["staff"], step["learned"]
    low, high = (round(v * n) for v in staff["precision_interval"])
    reach_low, reach_high = (round(100 * v) for v in staff["recall_interval"])
    ends = [round(v * n) for v in learned["precision_interval"]]
    worth = next((b for b in step["benefit"] if b["worth"] == WORTH), None)
    return Line(
        monthly=n // WINDOW_MONTHS,
        n=n,
        households=round(step["households"]),
        found=round(staff["precision"] * n),
        low=low,
        high=high,
        reached=f"起きた100人のうち{round(100 * staff['recall'])}人（{reach_low}〜{reach_high}人）",
        ties=_ties(staff["ties"]),
        learned=f"およそ{round(learned['precision'] * n)}人（{ends[0]}〜{ends[1]}人）" if show else "—",
        learned_found=learned["precision"] * n if show else None,
        benefit=_benefit(worth, show=show),
        worth_it=worth is None or round(float(worth["staff"]), 1) > 0,
        chosen=chosen,
    )


def _ties(ties: Mapping[str, float]) -> str:
    if ties["tied"] <= 1:
        return "境目に同点なし"
    ends = f"悪くて{ties['worst']:.0f}人・ならして{ties['expected']:.1f}人・良くて{ties['best']:.0f}人"
    return f"境目に同点{ties['tied']:.0f}人。最後の期は{ends}"


def _benefit(worth: Mapping[str, Any] | None, *, show: bool) -> str:
    if worth is None:
        return "—"
    learned = f"／学んだ順 {_signed(worth['learned'])}" if show else ""
    return f"現場の順 {_signed(worth['staff'])}{learned}／一覧なし 0"


def _signed(value: float) -> str:
    """One decimal with its sign; what rounds to nothing has none."""
    shown = round(value, 1)
    return f"{shown:+.1f}" if shown else "0"


def _length(row: Mapping[str, Any], criteria: CriteriaSet, monthly: int) -> Length:
    children = int(row["children"])
    threshold = int(row["threshold"])
    return Length(
        threshold, children, int(row["households"]), _months(children, monthly), current=threshold == criteria.threshold
    )


def _months(children: int, monthly: int) -> str:
    months = children / monthly
    return "1か月以内" if months <= 1 else f"およそ{months:.0f}か月分"


def _proposed(rows: Sequence[Mapping[str, Any]], monthly: int) -> int | None:
    """The lowest threshold whose list a year of work can hold; None where even the highest is too long."""
    fits = [int(r["threshold"]) for r in rows if int(r["children"]) <= monthly * WINDOW_MONTHS]
    return min(fits, default=None)


def propose(actor: Actor, served: Served, home: Path, name: str, monthly: int) -> CriteriaDraft:
    """The proposed threshold as a draft of the set's next version, for the office to finish and another person to approve.

    Points, entries and examples stay as they are: an example the new threshold answers otherwise is marked on the draft, and
    approval cannot be asked for before somebody has looked at it. Raises NotPermitted, and InputRefused K563 where no
    threshold fits the capacity.
    """
    page = thresholds(actor, served, home, name, monthly)
    aggregate.permitted(actor, "threshold.propose", served, _FIELDS, page.criteria.id)
    if page.proposed is None:
        raise InputRefused(
            "K563", "この件数に収まる閾値がありません。", page.criteria.name, "月の件数を増やすか、配点を見直してください。"
        )
    record_output(
        actor, "threshold.propose", subjects=[], fields=["criteria.threshold"], count=1, reason=f"閾値の提案 {page.criteria.id}"
    )
    changes = {"閾値": str(page.proposed), "位置づけ": _standing(page, served.as_of)}
    return criteria_editing.start(actor, page.criteria, action="threshold.propose", changes=changes)


def _standing(page: Page, day: dt.date) -> str:
    """Why this threshold, in the words of the version's 位置づけ."""
    length = next(x for x in page.lengths if x.threshold == page.proposed)
    promised = f"検証の見込み：{page.chosen.sentence}。{page.not_worth_it}" if page.chosen else "検証の見込みはありません"
    return (
        f"閾値設計の提案（{day} 時点）：月{page.monthly}件に収まる最も低い閾値。いまは{page.criteria.threshold}点。"
        f"「該当」{length.children}人（{length.households}世帯）。{promised}"
    )


def offered() -> tuple[int, ...]:
    """The capacities the back-test looks at."""
    return MONTHLY
