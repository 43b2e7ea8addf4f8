"""The way out: which notices go to the relay now, that they went, and what the relay says became of them.

Everything is asked again at the last moment: consent, seal, care, doubts, who lives where, 未受給 on the newest snapshot, interval,
cap, stop. A notice that fails is held for good (a new batch may choose the household again); a stop or a missing calendar only
makes it wait. `lines_to_hand` may be called any number of times: what changes state is `handed`, in the transaction that records
the file. Killed between the two, the same notices with the same retry keys are handed again, and the relay knows them.
"""

import datetime as dt
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from django.db import transaction

from kizuki.app import notice_stops, notice_texts
from kizuki.app.criteria_board import definitions_now
from kizuki.app.notice_plan import Wanted, chosen_of
from kizuki.app.release import Actor, record_output
from kizuki.app.snapshot_view import current_view
from kizuki.definitions.loader import Definitions
from kizuki.push import lines, states
from kizuki.push.candidates import Choice
from kizuki.push.schedule import Clock, next_stretch
from kizuki.records.notice_models import BatchStatus, Notice, NoticeBatch, NoticeChannel, NoticeEvent, NoticeStatus, NoticeStop
from kizuki.terms.errors import InputRefused, RunFailed

EXCHANGE: Final = Actor(0, "exchange", "中継との受け渡し", "notice_officer", "notice", "exchange")
CANCEL_ASKED, OPENED, REPEATED = "cancel_asked", "opened", "repeated"
"""Events that are no status: the relay was asked not to send; the page was opened; a later word that changes nothing."""
_FIELDS: Final = ("notice", "consent", "eligibility.unclaimed")


@dataclass(frozen=True, slots=True)
class _Checked:
    """What one look found: notices that may go with the stretch they may go in, and those that may not with the reason."""

    go: Mapping[uuid.UUID, tuple[dt.datetime, dt.datetime]]
    held: Mapping[uuid.UUID, str]


@transaction.atomic
def lines_to_hand(home: Path, now: dt.datetime) -> list[lines.Line]:
    """All lines for the relay now: stops, notices to take back, texts and notices to send. Held and expired ones are written."""
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
    elif everything.filter(lifted_at__isnull=False, told_at__isnull=False, lift_told_at__isnull=True).exists():
        if not everything.filter(lifted_at__isnull=True).exists():
            yield lines.Stop(on=False)


def _cancel_lines(home: Path, definitions: Definitions, stopped: frozenset[str], now: dt.datetime) -> Iterator[lines.Line]:
    """Notices with the relay that must not go any more, each asked back once."""
    with_relay = list(_of_status(NoticeStatus.HANDED).exclude(events__status=CANCEL_ASKED))
    if not with_relay:
        return
    checked = _check(home, definitions, with_relay, now)
    for one in with_relay:
        dropped = one.batch.status == BatchStatus.CANCELLED or one.programme in stopped
        if dropped or one.pk in checked.held:
            yield lines.Cancel(str(one.pk))


def _send_lines(home: Path, definitions: Definitions, stopped: frozenset[str], now: dt.datetime) -> list[lines.Line]:
    """Texts first, then notices whose day is near; what may not go is held, what is too old expires."""
    clock = _clock(definitions)
    lead = dt.timedelta(hours=clock.rules.lead_hours)
    waiting = [n for n in _of_status(NoticeStatus.WAITING) if n.channel == NoticeChannel.LINE and _has_left(n.batch, now)]
    old = [n for n in waiting if n.expires_at <= now]
    _end(old, NoticeStatus.EXPIRED, now, "too_old")
    due = [n for n in waiting if n.expires_at > now and n.not_before <= now + lead and n.programme not in stopped]
    checked = _check(home, definitions, due, now)
    _end([n for n in due if n.pk in checked.held], NoticeStatus.HELD, now, checked.held)
    sends: list[lines.Line] = []
    texts: dict[str, lines.Line] = {}
    numbers: dict[int, lines.Template | None] = {}
    for one in sorted((n for n in due if n.pk in checked.go), key=lambda n: str(n.pk)):
        start, end = checked.go[one.pk]
        if start > now + lead:
            continue
        if one.batch_id not in numbers:
            numbers[one.batch_id] = _text(one.batch, definitions, home)
        text = numbers[one.batch_id]
        if text is None:
            continue
        texts[text.template] = text
        until = min(end, one.expires_at)
        number = one.recipient.recipient_no
        sends.append(
            lines.Send(
                str(one.pk), number, text.template, text.version, str(one.retry_key), start.isoformat(), until.isoformat()
            )
        )
    return [*texts.values(), *sends]


def _text(batch: NoticeBatch, definitions: Definitions, home: Path) -> lines.Template | None:
    """The text of a batch; None where it is not what was approved any more: nothing of the batch leaves, and the screen says so."""
    try:
        return notice_texts.text_of(batch, definitions, synthetic=current_view(home).synthetic).line()
    except InputRefused:
        return None


def _has_left(batch: NoticeBatch, now: dt.datetime) -> bool:
    return batch.status == BatchStatus.APPROVED and batch.leaves_at is not None and batch.leaves_at <= now


def _of_status(status: NoticeStatus) -> Sequence[Notice]:
    return Notice.objects.filter(status=status).select_related("batch", "recipient")  # type: ignore[return-value]


def _clock(definitions: Definitions) -> Clock:
    messages = notice_texts.messages_in(definitions)
    return Clock(messages.rules, messages.calendar)


def _check(home: Path, definitions: Definitions, notices: Sequence[Notice], now: dt.datetime) -> _Checked:
    """The last moment: the same choice as at the planning, over these households alone, as they stand now."""
    if not notices:
        return _Checked({}, {})
    clock, messages = _clock(definitions), notice_texts.messages_in(definitions)
    templates = messages.templates
    go: dict[uuid.UUID, tuple[dt.datetime, dt.datetime]] = {}
    held: dict[uuid.UUID, str] = {}
    for programmes, group in _groups(notices):
        named = {n.programme for n in group if (t := templates.get(n.batch.template)) is not None and t.named}
        wanted = Wanted(
            programmes,
            now,
            named=frozenset(named),
            households=frozenset(n.household_id for n in group),
            leave_out=frozenset(n.pk for n in group),
        )
        choice = chosen_of(current_view(home), definitions, wanted)
        may = {c.answer.key: c for c in choice.chosen}
        for one in group:
            key = (one.programme, one.household_id, one.child_id)
            found = may.get(key)
            if found is None:
                held[one.pk] = _why(choice, key)
            elif found.standing.recipient_no != one.recipient.recipient_no or found.standing.channel != one.channel:
                held[one.pk] = "recipient_changed"
            else:
                stretch = next_stretch(max(now, one.not_before), clock)
                if stretch is not None:
                    go[one.pk] = (stretch.start, stretch.end)
    waits = {pk for pk, why in held.items() if why == "NO_DAY"}
    return _Checked(go, {pk: why for pk, why in held.items() if pk not in waits})
