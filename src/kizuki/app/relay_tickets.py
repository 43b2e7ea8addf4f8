"""Short-lived rights at the relay: the posted code as it is typed, and the tickets given for it. Only digests are kept."""

import datetime as dt
import hmac
import secrets
from dataclasses import dataclass
from typing import Final

from django.db import transaction
from django.db.models import F

from kizuki.app.relay_answers import use_code
from kizuki.app.relay_home import Relay, digest_of
from kizuki.push import codes
from kizuki.records.relay.models import Code, Ticket, WrongTries
from kizuki.records.relay.router import ALIAS

LINK, CONSENT = "link", "consent"
_LIFE: Final = {LINK: dt.timedelta(minutes=15), CONSENT: dt.timedelta(hours=24)}
MOST_WRONG_HERE: Final = 10
MOST_WRONG_IN_ALL: Final = 1000
_ALL: Final = "all"
_TICKET_BYTES: Final = 24


@dataclass(frozen=True, slots=True)
class Right:
    """Whom a code or a ticket speaks for; `code_digest` blank = no code stands behind it."""

    recipient_no: str
    code_digest: str


def check_code(relay: Relay, typed: str, address: str, now: dt.datetime) -> Right | None:
    """Whom the typed code is for; None for every reason alike (wrong, used, expired, taken back, too many wrong ones).

    `address` is where it was typed, kept only as a keyed token with a count per hour.
    """
    place = relay.place_token(address)
    with transaction.atomic(using=ALIAS):
        if _wrong(place, now) >= MOST_WRONG_HERE or _wrong(_ALL, now) >= MOST_WRONG_IN_ALL:
            return None
        plain = codes.typed(typed)
        wanted = codes.digest(plain or "", relay.code_key)
        row = Code.objects.filter(digest=wanted, used_at=None, expires_at__gt=now).first()
        if row is not None and hmac.compare_digest(row.digest, wanted):
            return Right(row.recipient_no, row.digest)
        _count_wrong(place, now)
        _count_wrong(_ALL, now)
    return None


def ticket(purpose: str, recipient_no: str, code_digest: str, now: dt.datetime) -> str:
    """A new ticket; it exists only in what is returned."""
    made = secrets.token_urlsafe(_TICKET_BYTES)
    Ticket.objects.create(
        digest=digest_of(made),
        purpose=purpose,
        recipient_no=recipient_no,
        code_digest=code_digest,
        expires_at=now + _LIFE[purpose],
    )
    return made


def valid(purpose: str, shown: str, now: dt.datetime) -> Ticket | None:
    """The ticket, if it holds now and the code behind it (if any) has not been used by another."""
    found = Ticket.objects.filter(digest=digest_of(shown), purpose=purpose, used_at=None, expires_at__gt=now).first()
    if found is None or (found.code_digest and Code.objects.filter(digest=found.code_digest, used_at__isnull=False).exists()):
        return None
    return found


def use(found: Ticket, now: dt.datetime) -> bool:
    """Use a ticket up, and the code behind it; False if either was used meanwhile. Called in a transaction."""
    if found.code_digest and not use_code(found.code_digest, now):
        return False
    return Ticket.objects.filter(pk=found.pk, used_at=None).update(used_at=now) == 1


def take_link_ticket(nonce: str, now: dt.datetime) -> Right | None:
    """Whom LINE's nonce speaks for, once."""
    found = valid(LINK, nonce, now)
    if found is None or not use(found, now):
        return None
    return Right(found.recipient_no, found.code_digest)


def _hour(now: dt.datetime) -> dt.datetime:
    return now.replace(minute=0, second=0, microsecond=0)


def _wrong(place: str, now: dt.datetime) -> int:
    row = WrongTries.objects.filter(place=place, hour=_hour(now)).first()
    return row.count if row else 0


def _count_wrong(place: str, now: dt.datetime) -> None:
    row, _ = WrongTries.objects.get_or_create(place=place, hour=_hour(now))
    WrongTries.objects.filter(pk=row.pk).update(count=F("count") + 1)
