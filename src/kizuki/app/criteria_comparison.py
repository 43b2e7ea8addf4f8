"""比較の画面と書き出し: who enters, leaves and stays between two versions, as counts, by child, and against known results.

Counts are told to everybody who may see criteria. Children come out only through the door (`release`), for those who may see
them; known results are what staff decided about the children (支援中・会議待ち, 見送り), never a guess.
"""

import getpass
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from django.utils import timezone

from kizuki.app import accounts, audit
from kizuki.app.cases import case_states
from kizuki.app.city_definitions import definitions_of
from kizuki.app.criteria_examples import version_in
from kizuki.app.criteria_trial import Comparison, Judged, compared, shown_change, shown_count, version_of
from kizuki.app.evaluation import onsets
from kizuki.app.release import Actor, may_see, record_output, release
from kizuki.app.served import Served, shown
from kizuki.app.snapshot_view import current_view
from kizuki.app.worklist import PEOPLE
from kizuki.judge.paired import LEVEL, UNDECIDED, Paired, paired
from kizuki.records.models import CaseStatus
from kizuki.terms.errors import InputRefused
from kizuki.terms.states import JudgementVerdict
from kizuki.terms.tables import Klass

SHOWN: Final = 50
"""Children told of by name in each group at a time."""
_FOUND: Final = (CaseStatus.SUPPORTING, CaseStatus.MEETING)


@dataclass(frozen=True, slots=True)
class Group:
    """入る, 出る or 残る, as a screen shows it: a count, and the children where the actor may see them."""

    title: str
    about: str
    count: str
    children: tuple["ChildRow", ...] = ()
    more: int = 0


@dataclass(frozen=True, slots=True)
class ChildRow:
    """One child of the comparison: name as the actor may see it, both verdicts, the reasons of each version."""

    person_id: str
    name: str
    before: str
    after: str
    old_reasons: tuple[str, ...]
    new_reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """A comparison in words and small tables, without any child."""

    groups: tuple[Group, ...]
    verdicts: tuple[tuple[str, str, str], ...]
    list_change: str
    old_households: str
    new_households: str
    household_change: str
    outcome: str
    interval: str


def told(actor: Actor, served: Served, found: Comparison, *, children: bool) -> Told:
    """The comparison as one page; `children` asks for the children too (NotPermitted K701 without the right)."""
    note = f"比較：{found.old.criteria.id} {found.old.criteria.version} → {found.new.criteria.version}"
    entry = audit.Entry(fields=("item",), count=0, reason=note, snapshot=served.view.id, policy=accounts.policy_version())
    audit.record(actor, "criteria.compare", entry)
    groups = (
        ("入る", "新しい版だけが一覧に載せる", found.entering),
        ("出る", "いまの版だけが一覧に載せる", found.leaving),
        ("残る", "どちらの版も一覧に載せる", found.staying),
    )
    outcome = against_results(found)
    old, new = found.leaving | found.staying, found.entering | found.staying
    return Told(
        groups=tuple(
            _group(title, about, people, _children(actor, served, found, people) if children else ())
            for title, about, people in groups
        ),
        verdicts=tuple((v.value, shown_count(found.old.count(v)), shown_count(found.new.count(v))) for v in JudgementVerdict),
        list_change=shown_change(len(old), len(new)),
        old_households=shown_count(found.old_households).replace("人", "世帯"),
        new_households=shown_count(found.new_households).replace("人", "世帯"),
        household_change=shown_change(found.old_households, found.new_households).replace("人", "世帯"),
        outcome=outcome.answer,
        interval=_interval_words(outcome),
    )


def _group(title: str, about: str, people: Iterable[str], rows: tuple[ChildRow, ...]) -> Group:
    number = len(frozenset(people))
    return Group(title, about, shown_count(number), rows, max(0, number - len(rows)) if rows else 0)


def _children(actor: Actor, served: Served, found: Comparison, people: frozenset[str]) -> tuple[ChildRow, ...]:
    """The first children of a group, through the door; reasons only where the actor reads judgements of that child."""
    order = {**found.old.ranks, **found.new.ranks}
    first = sorted(people, key=lambda p: (order.get(p, len(order)), p))[:SHOWN]
    rows = release(actor, PEOPLE, action="criteria.children", people=first, as_of=served.as_of).rows
    names = {row["person_id"]: shown(row["name"]) or "表示しません" for row in rows}
    seen = [p for p in first if p in names and may_see(actor, p, Klass.JUDGE)]
    fields = ("judgement.verdict", "judgement_reason.text")
    record_output(actor, "criteria.children", subjects=seen, fields=fields, count=len(seen), reason="版の比較")
    reasons = [_reasons(side, seen) for side in (found.old, found.new)]
    return tuple(_row(found, p, names[p], reasons) for p in seen)


def _row(found: Comparison, person: str, name: str, reasons: list[dict[str, list[str]]]) -> ChildRow:
    before, after = (side.verdicts.get(person, "対象外") for side in (found.old, found.new))
    return ChildRow(person, name, before, after, tuple(reasons[0].get(person, ())), tuple(reasons[1].get(person, ())))


def _reasons(side: Judged, people: list[str]) -> dict[str, list[str]]:
    """Reasons in words by child, the weightiest first; unknowns say so."""
    table = side.reasons.filter(pc.is_in(side.reasons.column("person_id"), pa.array(people, pa.string())))
    found: dict[str, list[str]] = {}
    for row in sorted(table.to_pylist(), key=lambda r: (r["answer"] != "true", -abs(r["points"]), r["entry"])):
        found.setdefault(row["person_id"], []).append(row["text"])
    return found


def against_results(found: Comparison) -> Paired:
    """Both lists held against what staff have decided so far about the children."""
    states = case_states()
    results = {p: s.status in _FOUND for p, s in states.items() if s.status in (*_FOUND, CaseStatus.DISMISSED)}
    return against(found, results)


def against(found: Comparison, results: Mapping[str, bool]) -> Paired:
    """Both lists held against known results (child → whether it is what the list is to find)."""
    old, new = found.leaving | found.staying, found.entering | found.staying
    people = sorted(p for p in results if p in found.old.verdicts or p in found.new.verdicts)
    flags = [np.array([p in listed for p in people], dtype=np.bool_) for listed in (old, new)]
    outcome = np.array([results[p] for p in people], dtype=np.bool_)
    return paired(flags[0], flags[1], outcome, [found.households.get(p, p) for p in people])


def _interval_words(found: Paired) -> str:
    if found.answer == UNDECIDED or found.interval is None or found.difference is None:
        return "一方の版だけが載せるこどものうち、支援・見送りの結果が分かる人が足りません。"
    low, high = (round(100 * x) for x in found.interval)
    change = round(100 * found.difference)
    return f"100人見たとき支援につながる人数の差は、およそ{change:+d}人（{LEVEL:.0%}区間 {low:+d}〜{high:+d}人）"


def as_dict(found: Comparison, outcome: Paired | None) -> dict[str, Any]:
    """The comparison as the command line prints it: counts only, small ones in words."""
    old, new = found.leaving | found.staying, found.entering | found.staying
    return {
        "criteria": found.new.criteria.id,
        "old": found.old.criteria.version,
        "new": found.new.criteria.version,
        "verdicts": {v.value: [shown_count(side.count(v)) for side in (found.old, found.new)] for v in JudgementVerdict},
        "entering": shown_count(len(found.entering)),
        "leaving": shown_count(len(found.leaving)),
        "staying": shown_count(len(found.staying)),
        "list": [shown_count(len(old)), shown_count(len(new))],
        "households": [shown_count(n).replace("人", "世帯") for n in (found.old_households, found.new_households)],
        "change": shown_change(len(old), len(new)),
        "precision": None if outcome is None else asdict(outcome),
    }


def compare_versions(home: Path, names: tuple[str, str], capacity: int | None, truth: Path | None) -> dict[str, Any]:
    """Two versions (or a version and a file) on the newest snapshot, as counts; recorded like every look at the city."""
    definitions, view = definitions_of(home), current_view(home)
    today = timezone.localdate()
    old = version_of(definitions, names[0], today)
    new = version_in(Path(names[1]), definitions, old) if names[1].endswith((".yaml", ".yml")) else None
    new = new or version_of(definitions, names[1], today)
    if new.id != old.id:
        raise InputRefused("K583", "別の判定基準どうしは比べられません。", "版の指定", "同じ判定基準の版を二つ選んでください。")
    login = getpass.getuser()
    entry = audit.Entry(fields=("item",), reason=f"比較：{old.id} {old.version} → {new.version}", snapshot=view.id)
    audit.record(Actor(0, login, login, "analyst", "analysis", "cli"), "criteria.compare", entry)
    found = compared(view, definitions, (old, new), capacity=capacity)
    results = against(found, onsets(view, truth, old.name)) if truth else None
    return as_dict(found, results)
