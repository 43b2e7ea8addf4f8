"""What the residents' pages show and do, one function a page. A page knows nobody's name: only whose code or ticket it was."""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from django.db import transaction

from kizuki.app import relay_answers
from kizuki.app.relay_home import Relay, digest_of
from kizuki.app.relay_sender import LINK_FIELD
from kizuki.app.relay_tickets import CONSENT, LINK, check_code, ticket, use, valid
from kizuki.records.relay.models import ConsentText, Outgoing, SendState, Template
from kizuki.records.relay.router import ALIAS

_READABLE: Final = dt.timedelta(days=60)
_MAYBE_THERE: Final = (SendState.TRYING, SendState.ACCEPTED, SendState.UNKNOWN)
_LINE_DIALOG: Final = "https://access.line.me/dialog/bot/accountLink"


@dataclass(frozen=True, slots=True)
class Way:
    """Where somebody may go on whose code was right: to LINE (blank where they did not come from there) and to the form."""

    line: str
    form: str


@dataclass(frozen=True, slots=True)
class NoticePage:
    """One notice as its page shows it; `text` is blank until it has been opened by hand."""

    text: str
    expired: bool


def code_typed(relay: Relay, typed: str, address: str, line_token: str, now: dt.datetime) -> Way | None:
    """Where to go on, or None for every kind of wrong code alike. The code is used up only when something came of it."""
    right = check_code(relay, typed, address, now)
    if right is None:
        return None
    with transaction.atomic(using=ALIAS):
        form = ticket(CONSENT, right.recipient_no, right.code_digest, now)
        nonce = ticket(LINK, right.recipient_no, right.code_digest, now) if line_token.isalnum() else ""
    return Way(f"{_LINE_DIALOG}?linkToken={line_token}&nonce={nonce}" if nonce else "", f"/consent/{form}")


def consent_text(shown: str, now: dt.datetime) -> ConsentText | None:
    """The text to be read by whoever holds this ticket; None where the ticket holds no more or there is no text."""
    return ConsentText.objects.order_by("pk").last() if valid(CONSENT, shown, now) else None


@transaction.atomic(using=ALIAS)
def consent_given(shown: str, said: str, scopes: Collection[str], version: str, now: dt.datetime) -> bool:
    """Write down an answer under the text that was read; False where the ticket holds no more or the answer is none."""
    found = valid(CONSENT, shown, now)
    text = ConsentText.objects.filter(version=version).first()
    if found is None or text is None or said not in relay_answers.ANSWERS or not use(found, now):
        return False
    asked_for = [s for s in scopes if s in text.scopes]
    event = f"web-{found.digest[:32]}"
    relay_answers.answer(event, found.recipient_no, said, (asked_for, version, "web"), now)
    return True


def notice_page(key: str, now: dt.datetime, *, pressed: bool) -> NoticePage | None:
    """The notice behind an address; only a press counts as opened (whatever previews links does not press). None: no such."""
    with transaction.atomic(using=ALIAS):
        row = _notice(key)
        if row is None:
            return None
        if now > row.expires_at + _READABLE:
            return NoticePage("", expired=True)
        if pressed:
            relay_answers.opened(row, now)
        text = Template.objects.get(template=row.template, version=row.version).text if pressed else ""
    return NoticePage(text.replace(LINK_FIELD, "").strip(), expired=False)


@transaction.atomic(using=ALIAS)
def notice_asked(key: str, topic: str, now: dt.datetime) -> bool:
    """One question about a notice, once for each topic; False if there is no such notice or topic."""
    row = _notice(key)
    if row is None or topic not in relay_answers.TOPICS:
        return False
    event = f"ask-{digest_of(f'{key} {topic}')[:32]}"
    if relay_answers.first_time(event, now):
        relay_answers.asked(event, row.recipient_no, row.notice_id, topic, now)
    return True


@transaction.atomic(using=ALIAS)
def notice_stopped(key: str, now: dt.datetime) -> bool:
    """No more notices, said on a notice's page; False if there is no such notice."""
    row = _notice(key)
    if row is None:
        return False
    event = f"stop-{digest_of(f'{key} {now.isoformat()}')[:32]}"
    relay_answers.answer(event, row.recipient_no, relay_answers.WITHDRAWN, ((), "", "web"), now)
    return True


def _notice(key: str) -> Outgoing | None:
    return Outgoing.objects.filter(page_digest=digest_of(key), state__in=_MAYBE_THERE).first() or (
        Outgoing.objects.filter(page_digest=digest_of(key), maybe_sent=True).first()
    )
