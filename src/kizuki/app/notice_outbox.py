"""The way out: which notices go to the relay now, that they went, and what the relay says became of them.

Everything is asked again at the last moment: consent, seal, care, doubts, who lives where, 未受給 on the newest snapshot,
interval, cap, stop. A notice that fails is held for good (a new batch may choose the household again); a stop or a missing
calendar only makes it wait. `lines_to_hand` may be called any number of times: what changes state is `handed`, in the
transaction that records the file. Killed between the two, the same notices with the same retry keys are handed again.
"""

import datetime as dt
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from django.db import transaction
from django.db.models import QuerySet

from kizuki.app import notice_stops, notice_texts
from kizuki.app.criteria_board import definitions_now
from kizuki.app.notice_plan import Wanted, chosen_of
from kizuki.app.release import Actor, record_output
from kizuki.app.snapshot_view import current_view
from kizuki.definitions.loader import Definitions
from kizuki.push import lines, states
from kizuki.push.candidates import Choice, Held
from kizuki.push.schedule import Clock, next_stretch
from kizuki.records.notice_models import BatchStatus, Notice, NoticeBatch, NoticeChannel, NoticeEvent, NoticeStatus, NoticeStop
from kizuki.terms.errors import InputRefused

EXCHANGE: Final = Actor(0, "exchange", "中継との受け渡し", "notice_officer", "notice", "exchange")
CANCEL_ASKED, OPENED, REPEATED = "cancel_asked", "opened", "repeated"
"""Events that are no status: the relay was asked not to send; the page was opened; a later word that changes nothing."""
NOT_UNCLAIMED, RECIPIENT_CHANGED = "not_unclaimed", "recipient_changed"
"""Why the last look held a notice, beside the names of `push.candidates.Held` in small letters."""
_FIELDS: Final = ("notice", "consent", "eligibility.unclaimed")


@dataclass(frozen=True, slots=True)
class _Checked:
    """What one look found: notices that may go with the stretch they may go in, and those that may not with the reason."""

    go: Mapping[uuid.UUID, tuple[dt.datetime, dt.datetime]]
    held: Mapping[uuid.UUID, str]


@transaction.atomic
def lines_to_hand(home: Path, now: dt.datetime) -> list[lines.Line]:
    """All lines for the relay now: stops, notices to take back, texts, notices to send. Held and expired ones are noted."""
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
    ended = everything.filter(lifted_at__isnull=False, told_at__isnull=False, lift_told_at__isnull=True)
    if ended.exists() and not everything.filter(lifted_at__isnull=True).exists():
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
    """The text of a batch; None where it is not what was approved any more: nothing of the batch leaves then."""
    try:
        return notice_texts.text_of(batch, definitions, synthetic=current_view(home).synthetic).line()
    except InputRefused:
        return None


def _has_left(batch: NoticeBatch, now: dt.datetime) -> bool:
    return batch.status == BatchStatus.APPROVED and batch.leaves_at is not None and batch.leaves_at <= now


def _of_status(status: NoticeStatus) -> QuerySet[Notice]:
    return Notice.objects.filter(status=status).select_related("batch", "recipient")


def _clock(definitions: Definitions) -> Clock:
    messages = notice_texts.messages_in(definitions)
    return Clock(messages.rules, messages.calendar)


def _check(home: Path, definitions: Definitions, notices: Sequence[Notice], now: dt.datetime) -> _Checked:
    """The last moment: the same choice as at the planning, batch by batch over its households, as they stand now."""
    go: dict[uuid.UUID, tuple[dt.datetime, dt.datetime]] = {}
    held: dict[uuid.UUID, str] = {}
    clock = _clock(definitions)
    for group in _by_batch(notices):
        choice = _choice_again(home, definitions, group, now)
        may = {c.answer.key: c for c in choice.chosen}
        for one in group:
            key = (one.programme, one.household_id, one.child_id)
            found = may.get(key)
            if found is None:
                why = choice.reasons.get(key)
                if why != Held.NO_DAY.value:
                    held[one.pk] = Held(why).name.lower() if why else NOT_UNCLAIMED
            elif (found.standing.recipient_no, found.standing.channel) != (one.recipient.recipient_no, one.channel):
                held[one.pk] = RECIPIENT_CHANGED
            elif (stretch := next_stretch(max(now, one.not_before), clock)) is not None:
                go[one.pk] = (stretch.start, stretch.end)
    return _Checked(go, held)


def _by_batch(notices: Sequence[Notice]) -> Iterator[list[Notice]]:
    groups: dict[int, list[Notice]] = {}
    for one in notices:
        groups.setdefault(one.batch_id, []).append(one)
    yield from groups.values()


def _choice_again(home: Path, definitions: Definitions, group: Sequence[Notice], now: dt.datetime) -> Choice:
    """The choice over one batch's households, where the batch's own notices are not yet counted and all others are."""
    batch = group[0].batch
    template = notice_texts.messages_in(definitions).templates.get(batch.template)
    wanted = Wanted(
        (batch.programme,),
        now,
        named=frozenset({batch.programme}) if template is not None and template.named else frozenset(),
        households=frozenset(n.household_id for n in group),
        leave_out=frozenset(n.pk for n in group),
    )
    return chosen_of(current_view(home), definitions, wanted)


def _end(notices: Sequence[Notice], status: NoticeStatus, now: dt.datetime, why: str | Mapping[uuid.UUID, str]) -> None:
    """Several notices come to the same end without leaving, each with its event and its reason."""
    for one in notices:
        _step(one, status, now)
    Notice.objects.bulk_update(notices, ["status", "status_at"], batch_size=200)
    _events(notices, status.value, now, why)


def _step(one: Notice, status: NoticeStatus, now: dt.datetime) -> None:
    if not states.may_follow(one.status, status.value):
        raise ValueError(f"a notice does not go from {one.status} to {status.value}")
    one.status, one.status_at = status, now


def _events(notices: Iterable[Notice], status: str, now: dt.datetime, why: str | Mapping[uuid.UUID, str]) -> None:
    rows = [
        NoticeEvent(notice=n, status=status, at=now, detail=why if isinstance(why, str) else why.get(n.pk, "")) for n in notices
    ]
    NoticeEvent.objects.bulk_create(rows, batch_size=500)


def handed(given: Sequence[lines.Line], seq: int, now: dt.datetime) -> None:
    """These lines are in file `seq`; call it in the transaction that numbers the file. Lines of others pass.

    Audited before the file has its name: to whom, not what. Raises NotPermitted K703 if that cannot be written.
    """
    sent = {uuid.UUID(line.notice_id) for line in given if isinstance(line, lines.Send)}
    asked_back = {uuid.UUID(line.notice_id) for line in given if isinstance(line, lines.Cancel)}
    found = {n.pk: n for n in Notice.objects.select_related("recipient").filter(pk__in=sent | asked_back)}
    going = [found[pk] for pk in sorted(sent, key=str)]
    for one in going:
        _step(one, NoticeStatus.HANDED, now)
        one.handed_seq = seq
    Notice.objects.bulk_update(going, ["status", "status_at", "handed_seq"], batch_size=200)
    _events(going, states.HANDED, now, str(seq))
    _events([found[pk] for pk in sorted(asked_back, key=str)], CANCEL_ASKED, now, str(seq))
    for line in given:
        if isinstance(line, lines.Stop):
            _told_of_stop(line.on, now)
    if going:
        people = sorted({one.recipient.person_id for one in going})
        record_output(EXCHANGE, "notice.hand", subjects=people, fields=_FIELDS, count=len(going), reason=f"中継への便 {seq}番")


def _told_of_stop(on: bool, now: dt.datetime) -> None:
    everything = NoticeStop.objects.filter(programme=notice_stops.ALL)
    if on:
        everything.filter(lifted_at__isnull=True, told_at__isnull=True).update(told_at=now)
    else:
        everything.filter(lifted_at__isnull=False, told_at__isnull=False).update(lift_told_at=now)


@transaction.atomic
def take_in(line: lines.Outcome | lines.Opened, source_event: str) -> None:
    """One line of the relay's; applied before, it adds nothing.

    A later word that may not follow (a second `failed`, an `expired` after `accepted`) is written down and changes nothing.
    Raises InputRefused K819 for a notice or a status nobody here knows: then nothing of the file is applied.
    """
    number = _number(line.notice_id)
    one = Notice.objects.select_for_update().filter(pk=number).first() if number else None
    if one is None:
        raise _not_understood("知らないお知らせ番号")
    at = _instant(line.at)
    if NoticeEvent.objects.filter(source_event=source_event).exists():
        return
    if isinstance(line, lines.Opened):
        if one.opened_at is None or at < one.opened_at:
            one.opened_at = at
            one.save(update_fields=["opened_at"])
        NoticeEvent.objects.create(notice=one, status=OPENED, at=at, source_event=source_event)
        return
    if line.status not in states.FROM_RELAY:
        raise _not_understood("知らない状態")
    fits = states.may_follow(one.status, line.status)
    if fits:
        _step(one, NoticeStatus(line.status), at)
        one.save(update_fields=["status", "status_at"])
    what = line.status if fits else REPEATED
    NoticeEvent.objects.create(notice=one, status=what, at=at, detail=line.detail[:64], source_event=source_event)


def _number(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def _instant(text: str) -> dt.datetime:
    try:
        found = dt.datetime.fromisoformat(text)
    except ValueError as e:
        raise _not_understood("読めない日時") from e
    if found.tzinfo is None:
        raise _not_understood("時差の書かれていない日時")
    return found


def _not_understood(why: str) -> InputRefused:
    return InputRefused(
        "K819",
        f"中継からの結果の行を取り込めません（{why}）。",
        "お知らせ",
        "中継の版と、便の取り違えがないかを確かめてください。",
    )
