"""今日の仕事: what waits for this person today, how fresh the data is, and how the last night went."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kizuki.app import worklist as lists
from kizuki.app.cases import DUE_SOON_DAYS, case_states
from kizuki.app.feeds_board import Feed, feeds_board
from kizuki.app.release import Actor
from kizuki.app.served import Served
from kizuki.engine.ledger import Ledger
from kizuki.terms.errors import NotPermitted

SHOWN: Final = 8


@dataclass(frozen=True, slots=True)
class Night:
    """The last run: whether it succeeded, when, and what to do if not."""

    failed: bool
    at: str
    code: str
    what: str
    step: str


@dataclass(frozen=True, slots=True)
class Work:
    """Counts and the nearest due children; exists only for people who work on children."""

    new: int
    due: int
    unassigned: int
    rows: tuple[lists.Row, ...]


@dataclass(frozen=True, slots=True)
class Today:
    """Everything on the first page."""

    work: Work | None
    feeds: tuple[Feed, ...]
    night: Night | None
    as_of: dt.date

    @property
    def late(self) -> tuple[Feed, ...]:
        """Feeds whose data is late or never came."""
        return tuple(f for f in self.feeds if f.late)


def today(actor: Actor, served: Served, home: Path) -> Today:
    """The first page; the part about children only if the actor may see the list."""
    return Today(_work(actor, served), _feeds(actor, served), last_night(home), served.as_of)


def _work(actor: Actor, served: Served) -> Work | None:
    due = lists.due_soon(served, actor, days=DUE_SOON_DAYS)
    states = case_states()
    shown: Sequence[str] = due[:SHOWN]
    if not shown:
        shown = [e.person_id for e in lists.index_of(served).ordered if e.person_id not in states][:SHOWN]
    try:
        rows = lists.rows_for(actor, served, shown, action="candidates.view")
    except NotPermitted:
        return None
    if not rows:
        return None
    return Work(lists.tab_counts(served)["新着"], len(due), lists.unassigned(served, states), rows)


def _feeds(actor: Actor, served: Served) -> tuple[Feed, ...]:
    try:
        return feeds_board(actor, served)
    except NotPermitted:
        return ()


def last_night(home: Path) -> Night | None:
    """The newest finished run of the ledger, or None before the first."""
    last = None
    for event in Ledger(home / "ledger" / "runs.jsonl").read():
        if event.get("event") in ("finished", "published", "failed"):
            last = event
    if last is None:
        return None
    failed = last["event"] == "failed"
    at = str(last.get("at") or last.get("finished_at") or "")[:16].replace("T", " ")
    return Night(
        failed, at, str(last.get("code") or ""), str(last.get("message") or last.get("what") or ""), str(last.get("step") or "")
    )
