"""問合せ振分: what residents ask about a notice, put to the office that owns the programme, with a day to answer by.

No words of theirs are kept, only the topic; who asked is known by the recipient's number, and opened at the desk through the
door.
"""

import datetime as dt
import uuid
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Final

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from kizuki.app import accounts, notice_texts, relay_leftovers
from kizuki.app.accounts import allow
from kizuki.app.release import Actor, record_output
from kizuki.app.served import definitions_of
from kizuki.app.snapshot_view import current_view
from kizuki.definitions import enquiries as definition
from kizuki.definitions.enquiries import EnquiryRules
from kizuki.definitions.messages import Calendar
from kizuki.definitions.programmes import Programme
from kizuki.definitions.shipped import shipped_definitions
from kizuki.push import enquiry as rule
from kizuki.push.lines import Asked
from kizuki.records.consent_models import EnquiryStep
from kizuki.records.models import User
from kizuki.records.notice_models import ConsentChannel, Enquiry, EnquiryStatus, Notice, Recipient
from kizuki.terms.errors import InputRefused

_UNKNOWN_TOPIC: Final = "other"
CAME, TAKEN, HANDED, ANSWERED = "受付", "引き受け", "課の変更", "回答"
BY_HAND: Final = (ConsentChannel.PHONE, ConsentChannel.COUNTER, ConsentChannel.PAPER)


@dataclass(frozen=True, slots=True)
class Row:
    """One enquiry as its office sees it; `number` blank = somebody who gave none."""

    enquiry: Enquiry
    topic: str
    programme: str
    number: str
    overdue: bool


@dataclass(frozen=True, slots=True)
class OfficeCount:
    """How many enquiries wait in one office, and how many of them are late."""

    office: str
    waiting: int
    late: int
    answered: int


@dataclass(frozen=True, slots=True)
class Question:
    """An enquiry as a member of staff enters it; `number` = 宛先番号 or お知らせ番号, blank where none was given."""

    topic: str
    programme: str
    channel: str
    number: str = ""


def rules() -> EnquiryRules:
    """Topics, days and results of this home."""
    return _rules(Path(settings.KIZUKI_HOME))


@cache
def _rules(home: Path) -> EnquiryRules:
    return definition.load(shipped_definitions(), (home / "definitions",))


def _calendar() -> Calendar:
    return notice_texts.messages_of(Path(settings.KIZUKI_HOME)).calendar


def offices() -> tuple[str, ...]:
    """Every office that owns a programme, and the one questions without a programme go to."""
    owners = {p.text.owner for p in _programmes().values()}
    return tuple(sorted(owners | {rules().first_office}))


def programmes() -> list[tuple[str, str]]:
    """(id, name) of the programmes a question can be about."""
    return sorted(((p, found.name) for p, found in _programmes().items()), key=lambda pair: pair[1])


def take_in(line: Asked, source_event: str) -> None:
    """One line of the relay's; a line applied before adds nothing. Raises InputRefused K671 where nobody known asks."""
    recipient = Recipient.objects.filter(recipient_no=line.recipient_no).first()
    notice = _notice(line.notice_id)
    if recipient is None and relay_leftovers.is_stranger(line.recipient_no):
        return
    if notice is None and line.notice_id and relay_leftovers.is_forgotten(line.notice_id):
        line = replace(line, notice_id="")  # the question is taken, what about is no longer known
    if recipient is None or (line.notice_id and notice is None):
        why = "中継からの問合せの行を取り込めません（知らない宛先かお知らせ）。"
        raise InputRefused("K671", why, "問合せ", "便の取り違えがないか確かめてください。")
    topic = line.topic if line.topic in rules().topics else _UNKNOWN_TOPIC
    programme = notice.programme if notice is not None else ""
    with transaction.atomic():
        if not Enquiry.objects.filter(source_event=source_event).exists():
            opened_at = dt.datetime.fromisoformat(line.at)
            _open(recipient, notice, Question(topic, programme, ConsentChannel.LINE), opened_at, source_event=source_event)


def enter(actor: Actor, question: Question) -> Enquiry:
    """A question asked by telephone, at the counter or on paper.

    Raises NotPermitted K701 and InputRefused K678 (topic, programme, way or number unknown).
    """
    allow(actor, "enquiry.answer")
    recipient, notice = _whose(question.number.strip())
    programme = notice.programme if notice is not None else question.programme
    known = question.topic in rules().topics and (not programme or programme in _programmes())
    if not known or question.channel not in [c.value for c in BY_HAND]:
        raise _refused("用件・制度・受け付けた方法のどれかが選ばれていません。")
    found = Question(question.topic, programme, question.channel)
    with transaction.atomic():
        made = _open(recipient, notice, found, timezone.now(), by=actor.user_id)
        _note(actor, made, "問合せの受付")
    return made


def _whose(number: str) -> tuple[Recipient | None, Notice | None]:
    """The recipient, and the notice where its number was given; nobody where none was."""
    if not number:
        return None, None
    plain = number.upper().replace("-", "")
    recipient = Recipient.objects.filter(recipient_no=plain).first()
    if recipient is not None:
        return recipient, None
    notice = _notice(number)
    if notice is None:
        raise _refused("その番号の宛先・お知らせはありません。")
    return notice.recipient, notice


def _notice(number: str) -> Notice | None:
    """The notice of a number as printed; None for anything else."""
    try:
        return Notice.objects.filter(pk=uuid.UUID(number)).first() if number else None
    except ValueError:
        return None


def _open(
    recipient: Recipient | None,
    notice: Notice | None,
    question: Question,
    opened_at: dt.datetime,
    *,
    by: int | None = None,
    source_event: str | None = None,
) -> Enquiry:
    owner = _programmes().get(question.programme)
    office = owner.text.owner if owner is not None else rules().first_office
    made = Enquiry.objects.create(
        recipient=recipient,
        notice=notice,
        programme=question.programme,
        office=office,
        topic=question.topic,
        channel=question.channel,
        opened_at=opened_at,
        due_on=rule.due_on(timezone.localdate(opened_at), rules().days(question.topic, office), _calendar()),
        source_event=source_event,
    )
    EnquiryStep.objects.create(enquiry=made, what=CAME, office=office, by_id=by, at=opened_at)
    return made


def listing(actor: Actor, *, done: bool = False) -> list[Row]:
    """The enquiries of the actor's office, the one due first on top; recorded. Raises NotPermitted K701."""
    allow(actor, "enquiry.answer")
    found = Enquiry.objects.filter(office=office_of(actor)).select_related("recipient", "answered_by")
    found = found.filter(status=EnquiryStatus.DONE) if done else found.exclude(status=EnquiryStatus.DONE)
    rows = [_row(e) for e in found.order_by("-answered_at" if done else "due_on", "pk")[:300]]
    record_output(actor, "enquiry.answer", subjects=[], fields=["enquiry"], count=len(rows), reason="問合せの一覧")
    return rows


def mine(actor: Actor) -> tuple[int, int] | None:
    """How many wait in the actor's office and how many of them are late, for the first page; None for other roles."""
    if not accounts.may(actor, "enquiry.answer"):
        return None
    waiting = Enquiry.objects.filter(office=office_of(actor)).exclude(status=EnquiryStatus.DONE)
    return waiting.count(), waiting.filter(due_on__lt=timezone.localdate()).count()


def _row(found: Enquiry) -> Row:
    topic = rules().topics.get(found.topic)
    programme = _programmes().get(found.programme)
    return Row(
        found,
        topic.name if topic is not None else found.topic,
        programme.name if programme is not None else "（制度なし）",
        found.recipient.recipient_no if found.recipient is not None else "",
        rule.overdue(found.due_on, found.status, timezone.localdate()),
    )


def counts(actor: Actor) -> list[OfficeCount]:
    """By office: waiting, late, answered; nobody's question. Raises NotPermitted K701."""
    allow(actor, "enquiry.counts")
    today = timezone.localdate()
    tally: dict[str, Counter[str]] = {}
    for office, status, due in Enquiry.objects.values_list("office", "status", "due_on").iterator():
        here = tally.setdefault(office, Counter())
        here["answered" if status == EnquiryStatus.DONE else "waiting"] += 1
        here["late"] += rule.overdue(due, status, today)
    record_output(actor, "enquiry.counts", subjects=[], fields=["enquiry.counts"], count=len(tally), reason="問合せの件数")
    return [OfficeCount(o, c["waiting"], c["late"], c["answered"]) for o, c in sorted(tally.items())]


@transaction.atomic
def take(actor: Actor, enquiry_id: int) -> Enquiry:
    """Say that one is seeing to it. Raises NotPermitted K701 and InputRefused K678."""
    found = _mine(actor, enquiry_id, rule.DOING)
    found.status = EnquiryStatus.DOING
    return _done(actor, found, TAKEN)


@transaction.atomic
def answer(actor: Actor, enquiry_id: int, result: str) -> Enquiry:
    """Close it with a result of the list. Raises NotPermitted K701 and InputRefused K678."""
    found = _mine(actor, enquiry_id, rule.DONE)
    if result not in rules().results:
        raise _refused("結果が選ばれていません。")
    found.status, found.result = EnquiryStatus.DONE, result
    found.answered_by_id, found.answered_at = actor.user_id, timezone.now()
    return _done(actor, found, ANSWERED)


@transaction.atomic
def hand_over(actor: Actor, enquiry_id: int, office: str) -> Enquiry:
    """Give it to another office; the day to answer by stays: the resident waits since the same day.

    Raises NotPermitted K701 and InputRefused K678.
    """
    found = _mine(actor, enquiry_id, rule.OPEN)
    if office not in offices() or office == found.office:
        raise _refused("渡す課が選ばれていません。")
    found.office, found.status = office, EnquiryStatus.OPEN
    return _done(actor, found, HANDED)


def _mine(actor: Actor, enquiry_id: int, then: str) -> Enquiry:
    allow(actor, "enquiry.answer")
    found = Enquiry.objects.select_for_update().filter(pk=enquiry_id, office=office_of(actor)).first()
    if found is None or not rule.may_follow(found.status, then):
        raise _refused("この問合せは、いまはこの課で扱えません（答え終わったか、ほかの課へ渡りました）。")
    return found


def _done(actor: Actor, found: Enquiry, what: str) -> Enquiry:
    found.save()
    EnquiryStep.objects.create(enquiry=found, what=what, office=found.office, by_id=actor.user_id, at=timezone.now())
    _note(actor, found, f"問合せ {found.pk}：{what}")
    return found


def _note(actor: Actor, found: Enquiry, reason: str) -> None:
    record_output(actor, "enquiry.answer", subjects=[], fields=["enquiry"], count=1, reason=reason)


def office_of(actor: Actor) -> str:
    """The actor's office; somebody without an office sees no enquiry."""
    return User.objects.filter(pk=actor.user_id).values_list("department", flat=True).first() or "（所属なし）"


def _programmes() -> Mapping[str, Programme]:
    view = current_view()
    known = definitions_of(Path(settings.KIZUKI_HOME), view.id).loaded.programmes
    return {p: found.on(view.as_of) for p, found in known.items()}


def _refused(why: str) -> InputRefused:
    return InputRefused("K678", why, "問合せ", "一覧で、いまの状態を確かめて、選び直してください。")
