"""公平性: whether one criteria set's list reached groups of children alike, on the city's own past; sums only, never a child.

Four answers, one of them 判定できない. A group with too few cases gets no figure; a small count is not told, nor what would
give it away. Nationality is looked at here and nowhere else.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kizuki.app import aggregate
from kizuki.app.backtest import GROUPS
from kizuki.app.backtest_results import kept
from kizuki.app.release import Actor
from kizuki.app.served import Served
from kizuki.app.thresholds import chosen_set, criteria_sets
from kizuki.definitions.criteria import CriteriaSet
from kizuki.judge.fairness import UNDECIDED
from kizuki.judge.validation import MIN_EVENTS

FIELDS = ("person.sex", "person.birth_date", "person.resident_type", "person.resident_from", "residence.town")


@dataclass(frozen=True, slots=True)
class Group:
    """One group: people as text (suppressed where small), figures as natural frequencies with their range, the answer."""

    name: str
    people: str
    selection: str
    recall: str
    precision: str
    e_o: str
    answer: str
    why: str


@dataclass(frozen=True, slots=True)
class Grouping:
    """One way of grouping the children, with its groups; `hidden` groups of no answer are summed up in a sentence."""

    id: str
    title: str
    groups: tuple[Group, ...]
    hidden: int
    kept_back: bool


@dataclass(frozen=True, slots=True)
class Page:
    """The whole screen."""

    sets: tuple[tuple[str, str], ...]
    criteria: CriteriaSet
    groupings: tuple[Grouping, ...]
    empty: str
    made_for: str
    smallest: int = aggregate.SMALLEST
    fewest: int = MIN_EVENTS


def fairness_board(actor: Actor, served: Served, home: Path, name: str) -> Page:
    """The screen of one set; one audit event that names the protected fields. Raises NotPermitted."""
    criteria = chosen_set(served, name)
    aggregate.permitted(actor, "validation.view", served, FIELDS, criteria.id)
    found = kept(home, criteria.id)
    empty = found.empty if found else "まだ検証していません。IT担当が judge backtest を実行すると、ここに結果が出ます。"
    told: Mapping[str, Any] = found.told.get("fairness") or {} if found and not empty else {}
    return Page(
        sets=tuple((c.id, c.name) for c in criteria_sets(served).values()),
        criteria=criteria,
        groupings=tuple(_grouping(g, title, told[g]) for g, title in GROUPS.items() if g in told),
        empty=empty,
        made_for=str(found.told["as_of"]) if found else "",
    )


def _grouping(name: str, title: str, rows: Sequence[Mapping[str, Any]]) -> Grouping:
    small = aggregate.suppressed({r["group"]: r["n"] for r in rows})
    groups = tuple(_group(r, r["group"] in small) for r in sorted(rows, key=_place))
    # forty districts without an answer would bury the two that have one: they are counted instead
    shown = groups if len(groups) <= 8 else tuple(g for g in groups if g.answer != UNDECIDED)
    return Grouping(name, title, shown, len(groups) - len(shown), bool(small))


def _place(row: Mapping[str, Any]) -> tuple[int, str]:
    """Age bands by age, everything else by name."""
    number = re.match(r"\d+", str(row["group"]))
    return (int(number[0]) if number else 0, str(row["group"]))


def _group(row: Mapping[str, Any], small: bool) -> Group:
    told = row["answer"] != UNDECIDED and not small
    spans = row["intervals"]
    ratio = row.get("e_o")
    return Group(
        name=str(row["group"]),
        people=aggregate.FEW_PEOPLE + "など" if small else f"{row['n']:,}人",
        selection=_of_hundred(row["selection_rate"], spans["selection_rate"]) if told else "—",
        recall=_of_hundred(row["tpr"], spans["tpr"]) if told else "—",
        precision=_of_hundred(row["precision"], spans["precision"]) if told else "—",
        e_o="—" if not told or ratio is None else f"{ratio:.2f}（{spans['e_o'][0]:.2f}〜{spans['e_o'][1]:.2f}）",
        answer=UNDECIDED if small else str(row["answer"]),
        why="人数が少なく、内訳を示しません。" if small else str(row["why"]),
    )


def _of_hundred(share: float | None, span: Sequence[float] | None) -> str:
    if share is None or span is None:
        return "—"
    return f"100人中{100 * share:.0f}人（{100 * span[0]:.0f}〜{100 * span[1]:.0f}）"
