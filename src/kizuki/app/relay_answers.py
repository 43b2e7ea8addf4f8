"""What residents do, written down at the relay and told to the core: linking, answering, asking. Silence holds at once.

Each function is called within one transaction of the relay's database. Times are those of the act, so that what LINE delivers
late cannot undo what came after it.
"""

import datetime as dt
from collections.abc import Collection
from typing import Final

from kizuki.app.relay_home import Relay
from kizuki.app.relay_sender import look_again, tell_core, under_way
from kizuki.push.lines import Answer, Asked, Linked, Opened
from kizuki.records.relay.models import Code, Link, Outgoing, Seen, Silence

WANTED, UNWANTED, WITHDRAWN = "wanted", "unwanted", "withdrawn"
ANSWERS: Final = (WANTED, UNWANTED, WITHDRAWN)
SCOPES: Final = {"tax": "税の情報を使うことに同意する", "programme_name": "お知らせに制度の名前を書いてよい"}
TOPICS: Final = {
    "eligible": "対象になるか知りたい",
    "how": "申請のしかたを知りたい",
    "documents": "必要な書類を知りたい",
    "call": "電話をかけてほしい",
    "other": "そのほか",
}
"""What a resident can ask by a button; no words of theirs are taken."""


def first_time(event: str, now: dt.datetime) -> bool:
    """Whether this act has not been taken in yet; it is from now on."""
    _, new = Seen.objects.get_or_create(event_id=event, defaults={"at": now})
    return new


def link(relay: Relay, user_id: str, recipient_no: str, code_digest: str, at: dt.datetime) -> None:
    """Tie a LINE account to a recipient; an account belongs to one recipient, a recipient has one account."""
    token = relay.user_token(user_id)
    for other in Link.objects.filter(user_token=token).exclude(recipient_no=recipient_no):
        tell_core(Linked(other.recipient_no, False, at.isoformat(), ""))
        other.delete()
    sealed = relay.seal_user(user_id, recipient_no)
    Link.objects.update_or_create(
        recipient_no=recipient_no, defaults={"user_sealed": sealed, "user_token": token, "on": True, "since": at}
    )
    tell_core(Linked(recipient_no, True, at.isoformat(), code_digest))
    look_again(under_way().filter(recipient_no=recipient_no))


def linked(relay: Relay, user_id: str) -> Link | None:
    """The link of a LINE account, if it has one."""
    return Link.objects.filter(user_token=relay.user_token(user_id)).first()


def switch_link(found: Link, *, on: bool, at: dt.datetime) -> None:
    """The account can be reached again, or no more (blocked); something older than what is known changes nothing."""
    if at < found.since:
        return
    changed, found.on, found.since = found.on != on, on, at
    found.save(update_fields=["on", "since"])
    if not changed:
        return  # but known to be so since later: what comes late about an earlier time changes nothing
    tell_core(Linked(found.recipient_no, on, at.isoformat(), ""))
    look_again(under_way().filter(recipient_no=found.recipient_no))


def answer(event: str, recipient_no: str, said: str, given: tuple[Collection[str], str, str], at: dt.datetime) -> None:
    """One wish; `given` = scopes, version of the text read, channel. 不要 and 撤回 silence the recipient here at once."""
    scopes, version, channel = given
    kept = tuple(s for s in SCOPES if s in scopes) if said == WANTED else ()
    tell_core(Answer(event, recipient_no, said, kept, version, channel, at.isoformat()))
    row, _ = Silence.objects.get_or_create(recipient_no=recipient_no)
    if row.answered_at is not None and (at < row.answered_at or (at == row.answered_at and said == WANTED)):
        return
    row.by_answer, row.core_knows, row.answered_at, row.scopes = said != WANTED, False, at, list(kept)
    row.save()
    look_again(under_way().filter(recipient_no=recipient_no))


def asked(event: str, recipient_no: str, notice_id: str, topic: str, at: dt.datetime) -> None:
    """One question by button."""
    tell_core(Asked(event, recipient_no, notice_id, topic if topic in TOPICS else "other", at.isoformat()))


def opened(row: Outgoing, at: dt.datetime) -> None:
    """The notice's page was opened by hand; the first time counts."""
    if row.opened_at is None:
        row.opened_at = at
        row.save(update_fields=["opened_at"])
        tell_core(Opened(row.notice_id, at.isoformat()))


def use_code(code_digest: str, now: dt.datetime) -> bool:
    """Use a registration code up; False if it has been used or no longer holds."""
    return Code.objects.filter(digest=code_digest, used_at=None, expires_at__gt=now).update(used_at=now) == 1
