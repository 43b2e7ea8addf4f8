"""同意の窓口: how many agreed, one recipient's answers, and an answer given on paper or at the counter.

The counts name nobody; one recipient is shown through the door, to be compared with who stands at the counter.
"""

import datetime as dt
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.utils import timezone

from kizuki.app import audit, consents, invitations
from kizuki.app.accounts import allow
from kizuki.app.current_person import current_person, ids_of
from kizuki.app.release import Actor, Query, record_output, release
from kizuki.definitions.consent_texts import ConsentText
from kizuki.push import codes
from kizuki.push.consent import Event, given_validly
from kizuki.push.small_cells import shown
from kizuki.records.consent_models import Invited, LetterPrint
from kizuki.records.notice_models import ConsentAnswer, ConsentChannel, ConsentEvent, Recipient, RegistrationCode
from kizuki.terms.errors import InputRefused

PERSON: Final = Query(
    name="recipient_person",
    tables=("person", "residence"),
    columns={
        "person_id": "person.person_id",
        "name": "person.name",
        "kana": "person.kana",
        "birth_date": "person.birth_date",
        "address": "residence.address",
        "address_extra": "residence.address_extra",
    },
    subject="person_id",
)
BY_HAND: Final = (ConsentChannel.PAPER, ConsentChannel.COUNTER, ConsentChannel.PHONE)
"""Ways an answer reaches a member of staff; a 要 never by telephone, where nobody has read the text or shown who they are."""
_DAY_ENDS: Final = dt.time(23, 59, 59)


@dataclass(frozen=True, slots=True)
class Overview:
    """同意状況: (title, count as told) of everything a page shows; `text` = the version asked today."""

    answers: tuple[tuple[str, str], ...]
    standing: tuple[tuple[str, str], ...]
    held_back: tuple[tuple[str, str], ...]
    text: ConsentText


@dataclass(frozen=True, slots=True)
class Wish:
    """An answer as it was given to staff: on which day, by which way, to which text."""

    answer: str
    scopes: Collection[str]
    channel: str
    on: dt.date
    text_version: str


@dataclass(frozen=True, slots=True)
class RecipientPage:
    """One recipient: who, what they answered, what holds now, and what was posted. `person` values may be MASKED."""

    number: str
    person: Mapping[str, Any]
    history: tuple[ConsentEvent, ...]
    standing: bool
    scopes: frozenset[str]
    why_not: str
    letters: tuple[LetterPrint, ...]
    live_codes: int
    texts: tuple[ConsentText, ...]


def overview(actor: Actor) -> Overview:
    """The counts of now; small ones are not told as numbers. Raises NotPermitted K701."""
    allow(actor, "consent.view")
    now = timezone.now()
    found = consents.states(now)
    said = Counter(s.answer for s in found if s.answer)
    invited = Invited.objects.values("recipient").distinct().count()
    homes = consents.standing_of(found).values()
    held_back = Counter(s.why_not.value for s in found if s.held is not None and s.why_not is not None)
    record_output(actor, "consent.view", subjects=[], fields=["consent.counts"], count=len(found), reason="同意状況の件数")
    answers = [("案内した人", invited), *((a.label, said[a.value]) for a in ConsentAnswer)]
    scopes = [(title, sum(1 for s in homes if scope in s.scopes)) for scope, title in SCOPE_TITLES.items()]
    by_way = Counter(s.channel for s in homes)
    stands = [("送ってよい世帯", len(homes)), ("うちLINEで", by_way["line"]), ("うち手紙で", by_way["letter"]), *scopes]
    return Overview(
        _told(answers), _told(stands), _told(sorted(held_back.items())), consents.current_text(timezone.localdate())
    )


SCOPE_TITLES: Final = {"tax": "税の情報を使ってよい", "programme_name": "制度の名前を書いてよい"}


def _told(counts: Collection[tuple[str, int]]) -> tuple[tuple[str, str], ...]:
    return tuple((title, shown(n)) for title, n in counts)


def find(actor: Actor, typed: str) -> str:
    """The recipient's number for a number or registration code as typed; tells nobody's name.

    Raises NotPermitted K701 and InputRefused K674: nobody, in the same words whether it never existed or was taken back.
    """
    allow(actor, "consent.enter")
    code = codes.typed(typed)
    number = typed.strip().upper().replace("-", "")
    if code is not None:
        digest = codes.digest(code, audit.keys().key(codes.KEY_PURPOSE))
        found = RegistrationCode.objects.filter(digest=digest, revoked_at__isnull=True).select_related("recipient").first()
        number = found.recipient.recipient_no if found is not None else ""
    if not Recipient.objects.filter(recipient_no=number).exists():
        raise _nobody()
    return number


def _nobody() -> InputRefused:
    return InputRefused(
        "K674",
        "その番号の宛先はありません。",
        "宛先の番号",
        "手紙の登録番号（12桁）か宛先番号（8文字）を、もう一度確かめて入れてください。",
    )


def recipient_page(actor: Actor, number: str) -> RecipientPage:
    """One recipient through the door. Raises NotPermitted (K701, K702, K703) and InputRefused K674."""
    recipient = _recipient(actor, number)
    person = current_person(recipient.person_id)
    got = release(actor, PERSON, action="consent.enter", reason=f"宛先 {number} の同意の受付", person_id=person)
    state = next((s for s in consents.states(timezone.now()) if s.adult.person_id == person), None)
    events = ConsentEvent.objects.filter(recipient__person_id__in=ids_of(person)).select_related("recorded_by")
    live = RegistrationCode.objects.filter(
        recipient=recipient, used_at__isnull=True, revoked_at__isnull=True, expires_on__gte=timezone.localdate()
    )
    held = state.held if state is not None else None
    return RecipientPage(
        number=number,
        person=got.rows[0] if got.rows else {},
        history=tuple(events.order_by("-answered_at", "-pk")),
        standing=held is not None,
        scopes=held.scopes if held is not None else frozenset(),
        why_not=_may_tell(state),
        letters=tuple(LetterPrint.objects.filter(recipient=recipient).select_related("invitation").order_by("-pk")[:20]),
        live_codes=live.count(),
        texts=tuple(sorted(consents.texts().values(), key=lambda t: t.since, reverse=True)),
    )


def _may_tell(state: consents.State | None) -> str:
    """Why nothing is sent though they agreed; a seal is not told as such to a desk that may not know of it."""
    if state is None or state.held is None or state.why_not is None:
        return ""
    return "いまの住民記録などから、送り先として確かめられないため、お知らせは止まっています。"


def record(actor: Actor, number: str, wish: Wish) -> ConsentEvent:
    """An answer on paper or at the counter. A 撤回 holds from the very next batch.

    Raises NotPermitted (K701, K703) and InputRefused (K674 nobody, K675 an answer nobody can have given).
    """
    recipient = _recipient(actor, number)
    _check(wish)
    yes = wish.answer == ConsentAnswer.WANTED
    record_output(
        actor,
        "consent.enter",
        subjects=[recipient.person_id],
        fields=["consent.answer"],
        count=1,
        reason=f"宛先 {number}：{ConsentAnswer(wish.answer).label}",
    )
    return ConsentEvent.objects.create(
        recipient=recipient,
        answer=wish.answer,
        scopes=sorted(wish.scopes) if yes else [],
        text_version=wish.text_version,
        channel=wish.channel,
        answered_at=_instant(wish.on, yes=yes),
        recorded_by_id=actor.user_id,
    )


def _instant(day: dt.date, *, yes: bool) -> dt.datetime:
    """When an answer of which only the day is known was given: today it is now; else 要 as early, a no as late as it can be."""
    now = timezone.now()
    if day == timezone.localdate(now):
        return now
    return dt.datetime.combine(day, dt.time() if yes else _DAY_ENDS, timezone.get_current_timezone())


def _check(wish: Wish) -> None:
    if wish.answer not in ConsentAnswer.values or wish.channel not in [c.value for c in BY_HAND]:
        raise _refused("答えか受け付けた方法が選ばれていません。")
    if wish.on > timezone.localdate():
        raise _refused("答えた日が先の日付です。")
    if wish.answer == ConsentAnswer.WANTED and wish.channel == ConsentChannel.PHONE:
        raise _refused("電話では「要」を受け付けられません（撤回・不要だけです）。")
    event = Event("", wish.answer, frozenset(wish.scopes), wish.text_version, _instant(wish.on, yes=True))
    local = timezone.localtime(event.answered_at)
    if wish.answer == ConsentAnswer.WANTED and not given_validly(
        Event("", wish.answer, event.scopes, wish.text_version, local), consents.rules()
    ):
        raise _refused("その日に使っていた同意文の版ではないか、その版で聞いていない範囲です。")


def _refused(why: str) -> InputRefused:
    return InputRefused("K675", why, "同意の受付", "本人が読んだ同意文の版と、答えた日を確かめてください。")


def _recipient(actor: Actor, number: str) -> Recipient:
    allow(actor, "consent.enter")
    found = Recipient.objects.filter(recipient_no=number).first()
    if found is None:
        raise _nobody()
    return found


revoke_codes = invitations.revoke
"""Take back a recipient's unused codes (a letter went astray)."""
