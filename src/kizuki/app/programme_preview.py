"""件数の試算: how many a draft of a programme would answer 該当, 不明 or 非該当, beside last night; rounded counts only."""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from kizuki.app import accounts, audit
from kizuki.app.criteria_trial import shown_count
from kizuki.app.eligibility import judge_texts
from kizuki.app.programme_checks import check
from kizuki.app.served import Served
from kizuki.app.snapshot_view import SnapshotView
from kizuki.definitions.loader import Definitions
from kizuki.definitions.programmes import Programme
from kizuki.engine.duck import DuckEngine
from kizuki.engine.sql import load
from kizuki.govern.actor import Actor
from kizuki.terms.states import ProgrammeVerdict
from kizuki.terms.tables import ELIGIBILITY, MART_TABLES

UNCLAIMED = "うち、該当して受けていない（未受給）"
_ANSWERS = (ProgrammeVerdict.ELIGIBLE, ProgrammeVerdict.UNKNOWN, ProgrammeVerdict.NOT_ELIGIBLE)


@dataclass(frozen=True, slots=True)
class AnswerCount:
    """One answer: how many last night (empty where the programme was not asked) and how many with the draft."""

    answer: str
    now: str
    then: str


@dataclass(frozen=True, slots=True)
class ProgrammePreview:
    """The counts of a draft; `moved` tells who goes from one answer to another; `problem` says why there are none."""

    rows: tuple[AnswerCount, ...] = ()
    moved: tuple[str, ...] = ()
    note: str = ""
    problem: str = ""


def preview(actor: Actor, served: Served, definitions: Definitions, text: str, *, new: bool) -> ProgrammePreview:
    """A draft's counts on the served snapshot; a draft that cannot be read yet gives the reason instead."""
    checked = check(text, definitions, new=new)
    if checked.programme is None:
        return ProgrammePreview(problem=f"まだ数えられません：{checked.findings[0].what}")
    programme = checked.programme
    found = compared(served.view, definitions, programme)
    reason = f"件数の試算：制度 {programme.id}"
    entry = audit.Entry(fields=("eligibility",), reason=reason, snapshot=served.view.id, policy=accounts.policy_version())
    audit.record(actor, "programme.preview", entry)
    return _told(found, programme, served.as_of)


def compared(view: SnapshotView, definitions: Definitions, programme: Programme) -> list[dict[str, Any]]:
    """Last night's answers and the draft's, counted by pair (sql/programme_changes.sql)."""
    last = view.tables(ELIGIBILITY.name)[ELIGIBILITY.name]
    mine = last.filter(pc.equal(last.column("programme"), pa.scalar(programme.id)))
    with DuckEngine() as engine:
        engine.register("drafted", drafted(view, definitions, programme))
        engine.register(ELIGIBILITY.name, mine)
        return engine.query(load("kizuki.app", "programme_changes")).to_pylist()


def drafted(view: SnapshotView, definitions: Definitions, programme: Programme) -> pa.Table:
    """The draft's `eligibility` rows on the snapshot, as if it were in force: the facts are those of the snapshot's day, the
    figures those of the first day the programme exists.
    """
    text = programme.as_written()
    names = [t.name for t in MART_TABLES if t.name != "item"]
    with DuckEngine() as engine:
        for name, table in view.tables(*names).items():
            engine.register(name, table)
        return judge_texts(engine, definitions, [text], view.as_of, figures_on=_figures_on(text, view.as_of))


def _figures_on(programme: Programme, as_of: dt.date) -> dt.date:
    return max(as_of, programme.text.validity.start)


def _told(found: Iterable[Mapping[str, Any]], programme: Programme, as_of: dt.date) -> ProgrammePreview:
    unit = "人" if programme.of_child else "世帯"
    now: Counter[str] = Counter()
    then: Counter[str] = Counter()
    moved: Counter[tuple[str, str]] = Counter()
    for row in found:
        now[row["before"]] += row["answers"]
        then[row["after"]] += row["answers"]
        now[UNCLAIMED] += row["answers"] * row["unclaimed_before"]
        then[UNCLAIMED] += row["answers"] * row["unclaimed_after"]
        if row["before"] and row["after"] and row["before"] != row["after"]:
            moved[row["before"], row["after"]] += row["answers"]
    asked = any(now[v.value] for v in ProgrammeVerdict)
    order = [_ANSWERS[0].value, UNCLAIMED, *(v.value for v in _ANSWERS[1:])]
    rows = tuple(AnswerCount(a, shown_count(now[a], unit) if asked else "", shown_count(then[a], unit)) for a in order)
    told = tuple(f"{b}から{a}になる：{shown_count(n, unit)}" for (b, a), n in sorted(moved.items()))
    start = programme.text.validity.start
    note = f"有効期間は{start:%Y/%m/%d}からなので、表の値はその日のもので数えました。" if start > as_of else ""
    return ProgrammePreview(rows, told if asked else (), note)
