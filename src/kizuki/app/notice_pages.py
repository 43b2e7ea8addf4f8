"""お知らせの画面: what 情報発信 and the owning offices see of batches: counts and states, nobody's name.

Counts of one to four households are not told where they could name one; the number an approver answers for is told exactly.
"""

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kizuki.app import accounts, notice_batches, notice_stops, notice_texts
from kizuki.app.accounts import allow
from kizuki.app.criteria_board import definitions_now
from kizuki.app.release import Actor
from kizuki.app.snapshot_view import current_view
from kizuki.push.small_cells import shown
from kizuki.records.notice_models import BatchStatus, Notice, NoticeBatch, NoticeStatus, NoticeStop
from kizuki.terms.errors import InputRefused

_ENDS = (*NoticeStatus,)


@dataclass(frozen=True, slots=True)
class Row:
    """One batch in the list; `state` in words, `title` = the programme."""

    batch: NoticeBatch
    title: str
    state: str
    waits_for_me: bool


@dataclass(frozen=True, slots=True)
class Board:
    """The page: batches, stops in force, and what a new batch may be made of (empty: the actor makes none)."""

    rows: Sequence[Row]
    stops: Sequence[tuple[NoticeStop, str]]
    programmes: Sequence[tuple[str, str]]
    templates: Sequence[tuple[str, str]]
    most_waves: int
    may_stop: bool


@dataclass(frozen=True, slots=True)
class Page:
    """One batch: counts now, why the rest is held, the words, what became of its notices, and what the actor may do."""

    batch: NoticeBatch
    title: str
    state: str
    words: str
    words_changed: str
    count: int
    held: Sequence[tuple[str, str]]
    results: Sequence[tuple[str, str]]
    minutes_left: int
    stopped: bool
    may_prepare: bool
    may_decide: bool
    may_cancel: bool


def board(actor: Actor, home: Path, now: dt.datetime) -> Board:
    """The list and the stops. Raises NotPermitted K701."""
    allow(actor, "notice.view")
    definitions, view = definitions_now(home), current_view(home)
    found = NoticeBatch.objects.filter(notice_batches.of_actor(actor)).select_related("created_by", "decided_by")
    names = {p.id: p.name for p in definitions.programmes.values()}
    makes = bool(accounts.may(actor, "notice.prepare"))
    messages = notice_texts.messages_in(definitions)
    return Board(
        rows=[
            Row(b, names.get(b.programme, b.programme), _state(b, now), _waits(actor, b)) for b in found.order_by("-pk")[:200]
        ],
        stops=[(s, names.get(s.programme, s.programme) or "すべての制度") for s in notice_stops.standing()],
        programmes=[(p.id, p.name) for p in notice_batches.programmes(definitions, view.as_of)] if makes else [],
        templates=[(t.id, t.name) for t in notice_texts.choices(messages)] if makes else [],
        most_waves=messages.rules.most_waves,
        may_stop=bool(accounts.may(actor, "notice.stop")),
    )


def page(actor: Actor, home: Path, batch_id: int, now: dt.datetime) -> Page:
    """One batch. Raises NotPermitted K701, InputRefused K814 where there is none (or it is another office's)."""
    allow(actor, "notice.view")
    found = NoticeBatch.objects.filter(notice_batches.of_actor(actor), pk=batch_id).first()
    if found is None:
        raise InputRefused("K814", "そのお知らせはありません。", "お知らせ", "一覧から開き直してください。")
    definitions, view = definitions_now(home), current_view(home)
    programme = definitions.programmes.get(found.programme)
    words, changed = "", ""
    try:
        words = notice_texts.text_of(found, definitions, synthetic=view.synthetic).sample()
    except InputRefused as refusal:
        changed = f"{refusal.what}{refusal.fix}"
    count, held = _counts(home, found, now, changed)
    prepares = bool(accounts.may(actor, "notice.prepare"))
    mine = bool(accounts.may(actor, "notice.approve")) and notice_batches.may_decide(actor, found)
    open_yet = found.status in (BatchStatus.WRITING, BatchStatus.RETURNED)
    return Page(
        batch=found,
        title=programme.name if programme else found.programme,
        state=_state(found, now),
        words=words,
        words_changed=changed,
        count=count,
        held=[(why, shown(n)) for why, n in sorted(held.items(), key=lambda pair: -pair[1])],
        results=_results(found),
        minutes_left=_minutes_left(found, now),
        stopped=notice_stops.is_stopped(found.programme),
        may_prepare=prepares and open_yet,
        may_decide=mine and found.status == BatchStatus.WAITING,
        may_cancel=(prepares or mine) and found.status != BatchStatus.CANCELLED,
    )


def _counts(home: Path, found: NoticeBatch, now: dt.datetime, changed: str) -> tuple[int, Mapping[str, int]]:
    """Counts of this moment while the batch can still be approved; afterwards those it was approved with."""
    decided = found.status in (BatchStatus.APPROVED, BatchStatus.CANCELLED)
    if decided or changed:
        return int(found.counts.get("candidates", 0)), found.counts.get("suppressed", {})
    counted = notice_batches.recount(home, found, now)
    return len(counted.chosen), counted.held


def _results(found: NoticeBatch) -> list[tuple[str, str]]:
    by_status = Counter(found.notices.values_list("status", flat=True))
    opened = Notice.objects.filter(batch=found, opened_at__isnull=False).count()
    told = [(s.label, shown(by_status[s.value])) for s in _ENDS if by_status[s.value]]
    return [*told, ("開いた", shown(opened))] if told else []


def _minutes_left(found: NoticeBatch, now: dt.datetime) -> int:
    """Whole minutes (rounded up) in which nothing has left yet; 0 when the time is over."""
    if found.status != BatchStatus.APPROVED or found.leaves_at is None or found.leaves_at <= now:
        return 0
    return -int(-(found.leaves_at - now).total_seconds() // 60)


def _state(found: NoticeBatch, now: dt.datetime) -> str:
    if left := _minutes_left(found, now):
        return f"承認済み（あと{left}分で送り出します）"
    return str(BatchStatus(found.status).value)


def _waits(actor: Actor, found: NoticeBatch) -> bool:
    return found.status == BatchStatus.WAITING and notice_batches.may_decide(actor, found)
