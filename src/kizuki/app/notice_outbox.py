"""The way out: which notices go to the relay now, that they went, and what the relay says became of them.

Everything is asked again at the last moment: consent, seal, care, doubts, who lives where, 未受給 on the newest snapshot,
interval, cap, stop. A notice that fails is held for good (a new batch may choose the household again); a stop or a missing
calendar only makes it wait. `lines_to_hand` may be called any number of times: what changes state is `handed`, in the
transaction that records the file. Killed between the two, the same notices with the same retry keys are handed again, and
the relay knows them.
"""

import datetime as dt
import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from django.db import transaction
from django.db.models import Q, QuerySet

from kizuki.app import notice_stops, notice_texts, relay_leftovers
from kizuki.app.criteria_board import definitions_now
from kizuki.app.notice_about import about
from kizuki.app.notice_ends import end
from kizuki.app.notice_last_look import clock_of, has_left, look
from kizuki.app.release import Actor, record_output
from kizuki.app.snapshot_view import current_view
from kizuki.definitions.loader import Definitions
from kizuki.engine.keys import KeyRing
from kizuki.push import lines, states
from kizuki.push.schedule import Stretch
from kizuki.records.notice_models import BatchStatus, Notice, NoticeBatch, NoticeChannel, NoticeEvent, NoticeStatus, NoticeStop
from kizuki.terms.errors import InputRefused, RunFailed

EXCHANGE: Final = Actor(0, "exchange", "中継との受け渡し", "notice_officer", "notice", "exchange")
CANCEL_ASKED, OPENED, REPEATED = "cancel_asked", "opened", "repeated"
"""Events that are no status: the relay was asked not to send; the page was opened; a later word that changes nothing."""
_DETAIL: Final = 64
_FIELDS: Final = ("notice", "consent", "eligibility.unclaimed")


@transaction.atomic
def lines_to_hand(home: Path, now: dt.datetime) -> list[lines.Line]:
    """All lines for the relay now: stops, notices to take back, texts, notices to send. Held and expired are written."""
    stopped = notice_stops.stopped_programmes()
    found: list[lines.Line] = list(_stop_lines())
    definitions = definitions_now(home)
    found += _cancel_lines(home, definitions, stopped, now)
    if notice_stops.ALL not in stopped:
        found += _send_lines(home, definitions, stopped, now)
    return found


def _stop_lines() -> Iterator[lines.Line]:
    """The relay is told of a stop of everything once, and of its end once; a programme's is carried out by Cancel lines."""
    everything = NoticeStop.objects.filter(programme=notice_stops.ALL)
    if everything.filter(lifted_at__isnull=True, told_at__isnull=True).exists():
        yield lines.Stop(on=True)
        return
    lifted = everything.filter(lifted_at__isnull=False, told_at__isnull=False, lift_told_at__isnull=True)
    if lifted.exists() and not everything.filter(lifted_at__isnull=True).exists():
        yield lines.Stop(on=False)


def _cancel_lines(home: Path, definitions: Definitions, stopped: frozenset[str], now: dt.datetime) -> Iterator[lines.Line]:
    """Notices with the relay that must not go any more, each asked back once."""
    there = _of_status(NoticeStatus.HANDED).filter(handed_seq__isnull=False)
    with_relay = list(there.exclude(events__status=CANCEL_ASKED))
    if not with_relay:
        return
    checked = look(home, definitions, with_relay, now)
    for one in with_relay:
        dropped = one.batch.status == BatchStatus.CANCELLED or one.programme in stopped
        if dropped or one.pk in checked.held:
            yield lines.Cancel(str(one.pk))


def _send_lines(home: Path, definitions: Definitions, stopped: frozenset[str], now: dt.datetime) -> list[lines.Line]:
    """Texts first, then notices whose day is near; what may not go is held, what is too old expires."""
    clock = clock_of(definitions)
    lead = dt.timedelta(hours=clock.rules.lead_hours)
    waiting = [n for n in _to_hand() if has_left(n.batch, now)]
    old = [n for n in waiting if n.expires_at <= now]
    end(old, NoticeStatus.EXPIRED, now, dict.fromkeys((n.pk for n in old), "too_old"))
    due = [n for n in waiting if n.expires_at > now and n.not_before <= now + lead and n.programme not in stopped]
    checked = look(home, definitions, due, now)
    end([n for n in due if n.pk in checked.held], NoticeStatus.HELD, now, checked.held)
    sends: list[lines.Line] = []
    texts: dict[str, lines.Line] = {}
    numbers: dict[int, lines.Template | None] = {}
    keys = KeyRing.load(home)
    for one in sorted((n for n in due if n.pk in checked.go), key=lambda n: str(n.pk)):
        stretch = checked.go[one.pk]
        if stretch.start > now + lead:
            continue
        if one.batch_id not in numbers:
            numbers[one.batch_id] = _text(one.batch, definitions, home)
        text = numbers[one.batch_id]
        if text is None:
            continue
        texts[text.template] = text
        sends.append(_send(one, text, stretch, about(keys, one)))
    return [*texts.values(), *sends]


def _send(one: Notice, text: lines.Template, stretch: Stretch, subject: str) -> lines.Send:
    return lines.Send(
        notice_id=str(one.pk),
        recipient_no=one.recipient.recipient_no,
        template=text.template,
        version=text.version,
        retry_key=str(one.retry_key),
        not_before=stretch.start.isoformat(),
        expires_at=min(stretch.end, one.expires_at).isoformat(),
        about=subject,
    )


def _text(batch: NoticeBatch, definitions: Definitions, home: Path) -> lines.Template | None:
    """The text of a batch; None where it is no longer what was approved: nothing of the batch leaves."""
    try:
        return notice_texts.text_of(batch, definitions, synthetic=current_view(home).synthetic).line()
    except InputRefused:
        return None


def _to_hand() -> QuerySet[Notice]:
    """Notices the relay is to have: waiting ones, and those whose file never got there (`app.relay_resume`)."""
    again = Q(status=NoticeStatus.HANDED, handed_seq__isnull=True)
    found = Notice.objects.filter(Q(status=NoticeStatus.WAITING) | again, channel=NoticeChannel.LINE)
    return found.select_related("batch", "recipient")


def _of_status(status: NoticeStatus) -> QuerySet[Notice]:
    line = Notice.objects.filter(status=status, channel=NoticeChannel.LINE)
    return line.select_related("batch", "recipient")


@transaction.atomic
def handed(given: Sequence[lines.Line], seq: int, now: dt.datetime) -> None:
    """Record that these lines left in file `seq`; call it in the transaction that records the file.

    Raises RunFailed K819 where a notice is no longer as it was when the lines were made: the file must then not leave.
    """
    sends = {uuid.UUID(x.notice_id): x for x in given if isinstance(x, lines.Send)}
    cancels = [uuid.UUID(x.notice_id) for x in given if isinstance(x, lines.Cancel)]
    for on in (x.on for x in given if isinstance(x, lines.Stop)):
        _stop_told(on, now)
    NoticeEvent.objects.bulk_create(
        [NoticeEvent(notice_id=pk, status=CANCEL_ASKED, at=now, detail=str(seq)) for pk in cancels], batch_size=500
    )
    if sends:
        _hand_over(sends, seq, now)


def _hand_over(sends: Mapping[uuid.UUID, lines.Send], seq: int, now: dt.datetime) -> None:
    waiting = _to_hand().filter(batch__status=BatchStatus.APPROVED).select_for_update()
    found = [n for n in waiting if n.pk in sends]
    if len(found) != len(sends):
        raise RunFailed(
            "K819",
            "渡す間際に、お知らせの状態が変わりました。",
            "中継への便",
            "この便は渡していません。次の受け渡しで、いまの状態から作り直します。",
        )
    for one in found:
        line = sends[one.pk]
        assert one.handed_seq is None and (one.status == states.HANDED or states.may_follow(one.status, states.HANDED))
        one.status, one.status_at, one.handed_seq = NoticeStatus.HANDED, now, seq
        one.not_before, one.expires_at = dt.datetime.fromisoformat(line.not_before), dt.datetime.fromisoformat(line.expires_at)
    changed = ["status", "status_at", "handed_seq", "not_before", "expires_at"]
    Notice.objects.bulk_update(found, changed, batch_size=100)
    NoticeEvent.objects.bulk_create(
        [NoticeEvent(notice=n, status=states.HANDED, at=now, detail=str(seq)) for n in found], batch_size=500
    )
    people = sorted({p for n in found for p in (n.child_id, n.recipient.person_id) if p})
    record_output(EXCHANGE, "notice.hand", subjects=people, fields=_FIELDS, count=len(found), reason=f"中継への便 {seq}")


def _stop_told(on: bool, now: dt.datetime) -> None:
    everything = NoticeStop.objects.filter(programme=notice_stops.ALL)
    if on:
        everything.filter(lifted_at__isnull=True, told_at__isnull=True).update(told_at=now)
    else:
        everything.filter(lifted_at__isnull=False, told_at__isnull=False, lift_told_at__isnull=True).update(lift_told_at=now)


@transaction.atomic
def take_in(line: lines.Outcome | lines.Opened, source_event: str) -> None:
    """Record what the relay says of one notice; the same line again changes nothing.

    A status that may not follow is kept as an event and changes nothing (`push.states`): a late word never sends again. A
    notice this database does not know (restored from an older copy) is written in the audit log alone.
    """
    if NoticeEvent.objects.filter(source_event=source_event).exists():
        return
    number = _uuid(line.notice_id)
    one = Notice.objects.select_for_update().filter(pk=number).first() if number else None
    if one is None:
        relay_leftovers.note(line)
        record_output(EXCHANGE, "notice.take_in", subjects=[], fields=["notice"], count=0, reason="知らないお知らせ番号")
        return
    at = dt.datetime.fromisoformat(line.at)
    if isinstance(line, lines.Opened):
        _opened(one, at, source_event)
    elif line.status in states.FROM_RELAY and states.may_follow(one.status, line.status):
        _become(one, line.status, at)
        NoticeEvent.objects.create(
            notice=one, status=line.status, at=at, detail=line.detail[:_DETAIL], source_event=source_event
        )
    else:
        NoticeEvent.objects.create(notice=one, status=REPEATED, at=at, detail=line.status[:_DETAIL], source_event=source_event)


def _opened(one: Notice, at: dt.datetime, source_event: str) -> None:
    """The page was opened: whatever was unknown about the sending, it arrived."""
    one.opened_at = min(one.opened_at or at, at)
    one.save(update_fields=["opened_at"])
    if states.may_follow(one.status, states.ACCEPTED):
        _become(one, states.ACCEPTED, at)
        NoticeEvent.objects.create(notice=one, status=states.ACCEPTED, at=at, detail=OPENED)
    NoticeEvent.objects.create(notice=one, status=OPENED, at=at, source_event=source_event)


def _become(one: Notice, status: str, at: dt.datetime) -> None:
    one.status, one.status_at = NoticeStatus(status), at
    one.save(update_fields=["status", "status_at"])


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
