"""今日の仕事: what waits for this person today, how fresh the data is, and how the last night went."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Final

from kizuki.app import criteria_editing, enquiries, link_review, programme_editing
from kizuki.app import explanation as words
from kizuki.app import worklist as lists
from kizuki.app import worklist_order as order
from kizuki.app.accounts import may
from kizuki.app.cases import DUE_SOON_DAYS, case_states
from kizuki.app.feeds_board import Feed, feeds_board
from kizuki.app.release import Actor
from kizuki.app.served import Served
from kizuki.engine.ledger import Ledger
from kizuki.terms.errors import NotPermitted

SHOWN: Final = 8


@dataclass(frozen=True, slots=True)
class Night:
    """The last run: when it began, how it ended (`done`, `failed`, `open` = still going on or cut off), where it broke."""

    state: str
    at: str
    code: str = ""
    stage: str = ""

    @property
    def failed(self) -> bool:
        """The list shown is older than the last attempt."""
        return self.state == "failed"


@dataclass(frozen=True, slots=True)
class Work:
    """Counts and the nearest due children; exists only for people who work on children."""

    new: int
    due: int
    unassigned: int
    rows: tuple[lists.Row, ...]


@dataclass(frozen=True, slots=True)
class Drafts:
    """Drafts of one kind of definition that wait for this person: to be decided, or sent back to be written on."""

    place: str
    title: str
    asked: int
    returned: int


@dataclass(frozen=True, slots=True)
class Today:
    """Everything on the first page."""

    work: Work | None
    feeds: tuple[Feed, ...]
    night: Night | None
    as_of: dt.date
    review: Mapping[str, int] | None = None
    enquiries: tuple[int, int] | None = None
    drafts: tuple[Drafts, ...] = ()

    @property
    def late(self) -> tuple[Feed, ...]:
        """Feeds whose data is late or never came."""
        return tuple(f for f in self.feeds if f.late)


def today(actor: Actor, served: Served, home: Path) -> Today:
    """The first page; the part about children only if the actor may see the list."""
    return Today(
        _work(actor, served),
        _feeds(actor, served),
        last_night(home),
        served.as_of,
        _review(actor, served),
        enquiries.mine(actor),
        tuple(_drafts(actor)),
    )


def _drafts(actor: Actor) -> Iterator[Drafts]:
    for place, desk in (("criteria", criteria_editing.desk), ("programmes", programme_editing.desk)):
        asked, returned = desk.waits_for(actor)
        if asked or returned:
            yield Drafts(place, desk.title, asked, returned)


def _work(actor: Actor, served: Served) -> Work | None:
    due = order.due_soon(served, actor, days=DUE_SOON_DAYS)
    states = case_states()
    shown: Sequence[str] = due[:SHOWN]
    if not shown:
        untouched = (e.person_id for e in order.index_of(served).ordered if e.person_id not in states)
        shown = tuple(islice(untouched, SHOWN))
    try:
        rows = lists.rows_for(actor, served, shown, action="candidates.view")
    except NotPermitted:
        return None
    if not rows:
        return None
    return Work(order.tab_counts(served)["新着"], len(due), order.unassigned(served, states), rows)


def _review(actor: Actor, served: Served) -> Mapping[str, int] | None:
    """Pairs that wait for this reviewer: nobody has answered, or another person must."""
    if not may(actor, "link.review"):
        return None
    answers = link_review.Answers(actor, served)
    return {name: answers.count(name) for name in (link_review.NEW, link_review.SECOND, link_review.SPLIT)}


def _feeds(actor: Actor, served: Served) -> tuple[Feed, ...]:
    try:
        return feeds_board(actor, served)
    except NotPermitted:
        return ()


def last_night(home: Path) -> Night | None:
    """The newest run of the ledger, or None before the first."""
    path = home / "ledger" / "runs.jsonl"
    return _last_night(path, path.stat().st_size if path.exists() else 0)


@lru_cache(maxsize=4)
def _last_night(path: Path, size: int) -> Night | None:
    # keyed by the ledger's size: it only grows, so an unchanged size means the same last run
    night = None
    for event in Ledger(path).read():
        if event["event"] == "run_begin":
            night = Night("open", words.instant_text(str(event.get("at") or "")))
        elif night is not None and event["event"] == "run_end":
            night = replace(night, state="done")
        elif night is not None and event["event"] == "run_failed":
            night = replace(night, state="failed", code=str(event.get("code", "")), stage=str(event.get("stage", "")))
    return night
