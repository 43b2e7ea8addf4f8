"""窓あき封筒の手紙: invitations with their code, and notices whose way is paper; once, and a second time only with a reason.

Everything written leaves through the door with its audit event; the seal is asked once more after the door, at the last moment
before a page exists (G6). Whoever is not safe to write to at that moment is left out and counted, never named.
"""

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Max, Q
from django.utils import timezone

from kizuki.app import consents, invitations, notice_stops
from kizuki.app.accounts import allow
from kizuki.app.criteria_board import definitions_now
from kizuki.app.current_person import current_person
from kizuki.app.notice_adults import adults
from kizuki.app.notice_last_look import has_left, look
from kizuki.app.release import MASKED, Actor, Query, SealState, release, seal_state
from kizuki.definitions import letters as forms
from kizuki.definitions.letters import LetterForm
from kizuki.definitions.shipped import shipped_definitions
from kizuki.push import codes
from kizuki.push.safety import unsafe
from kizuki.records.consent_models import Invitation, LetterPrint
from kizuki.records.notice_models import Notice, NoticeChannel, NoticeEvent, NoticeStatus, Recipient
from kizuki.terms.errors import InputRefused

MOST: Final = 500
"""Letters of one printing: as many as one person can fold and check in one go, and one audit event names."""
FALLBACK_DAYS: Final = 30
"""So long after it was to go by LINE a notice that surely did not arrive may still go by post."""
PEOPLE: Final = Query(
    name="letter_people",
    tables=("person", "residence"),
    columns={
        "person_id": "person.person_id",
        "name": "person.name",
        "resident_status": "person.resident_status",
        "postcode": "residence.postcode",
        "address": "residence.address",
        "address_extra": "residence.address_extra",
    },
    subject="person_id",
)


@dataclass(frozen=True, slots=True)
class Letter:
    """One sheet. `code` blank = a notice; `number` = 宛先番号 or お知らせ番号, the only number on it besides the code."""

    postcode: str
    address: tuple[str, ...]
    name: str
    number: str
    code: str = ""
    valid_until: dt.date | None = None
    copy: int = 1


@dataclass(frozen=True, slots=True)
class Printing:
    """What one printing made: the sheets, how many were left out at the last moment, and the fixed words."""

    kind: str
    letters: tuple[Letter, ...]
    left_out: int
    form: LetterForm
    consent_text: str
    made_on: dt.date


def form() -> LetterForm:
    """Paper, window and fixed words of this home."""
    return _form(Path(settings.KIZUKI_HOME))


@cache
def _form(home: Path) -> LetterForm:
    return forms.load(shipped_definitions(), (home / "definitions",))


def check_may_print(actor: Actor) -> None:
    """Raise NotPermitted K701 unless the actor may print letters."""
    allow(actor, "letter.print")


def waiting(invitation: Invitation) -> int:
    """How many of a list have no letter yet."""
    return int(_unprinted(invitation).count())


def _unprinted(invitation: Invitation) -> Any:
    printed = LetterPrint.objects.filter(invitation=invitation).values("recipient")
    return Recipient.objects.filter(invited__invitation=invitation).exclude(pk__in=printed).order_by("pk")


@transaction.atomic
def print_invitations(
    actor: Actor, invitation_id: int, *, number: str = "", reason: str = "", now: dt.datetime | None = None
) -> Printing:
    """The next letters of a list, each with a code of its own; with `number` and `reason` one letter again, with a new code.

    Raises NotPermitted (K701, K703) and InputRefused K673 (closed, nothing left to print, again without a reason).
    """
    allow(actor, "letter.print")
    found = Invitation.objects.select_for_update().filter(pk=invitation_id, closed_at__isnull=True).first()
    if found is None:
        raise _nothing("この名簿は、締め切ったか、ありません。")
    if number:
        _with_reason(reason)
        chosen = list(Recipient.objects.filter(recipient_no=number, letters__invitation=found).distinct())
    else:
        chosen = list(_unprinted(found))
    by_person = {current_person(r.person_id): r for r in chosen}
    written = _release(actor, by_person, f"案内の手紙：{found.name}")
    if not written:
        raise _nothing("印刷できる手紙が、もうありません。")
    now = now or timezone.now()
    drawn = invitations.issue(actor, found, [by_person[p] for p in written], now)
    copies = _record(actor, [by_person[p] for p in written], now, invitation=found, reason=reason if number else "")
    until = timezone.localdate(now) + dt.timedelta(days=invitations.VALID_DAYS)
    sheets = []
    for person, row in written.items():
        recipient = by_person[person]
        shown = {"code": codes.printed(drawn[recipient.pk]), "valid_until": until, "copy": copies[recipient.pk]}
        sheets.append(_letter(row, recipient.recipient_no, **shown))
    return _printing("invitation", sheets, min(len(by_person), MOST) - len(written), now)


@transaction.atomic
def print_notices(actor: Actor, *, notice_id: str = "", reason: str = "") -> Printing:
    """The notices that wait for paper or surely did not arrive by LINE, each once; the text names no programme.

    With `notice_id` and `reason` one of them again.

    Raises NotPermitted (K701, K703) and InputRefused K673.
    """
    allow(actor, "letter.print")
    now = timezone.now()
    if notice_id:
        _with_reason(reason)
    chosen = _notices(now, notice_id)
    told = _may_go(chosen, now)[:MOST]
    written = _release(actor, {current_person(n.recipient.person_id): n.recipient for n in told}, "お知らせの手紙")
    sheets = []
    for notice in told:
        row = written.get(current_person(notice.recipient.person_id))
        if row is not None:
            copies = _record(actor, [notice.recipient], now, notice=notice, reason=reason if notice_id else "")
            _printed(actor, notice, now, again=bool(notice_id))
            sheets.append(_letter(row, str(notice.notice_id), copy=copies[notice.recipient_id]))
    if not sheets:
        raise _nothing("印刷できるお知らせがありません。")
    return _printing("notice", sheets, min(len(chosen), MOST) - len(sheets), now)


def _notices(now: dt.datetime, notice_id: str) -> list[Notice]:
    """The notices due on paper, or the one to be printed again; the oldest first."""
    every = Notice.objects.select_for_update(of=("self",)).select_related("batch", "recipient")
    if not notice_id:
        return list(every.filter(_due(now)).order_by("not_before", "pk"))
    try:
        wanted = uuid.UUID(notice_id.strip())
    except ValueError:
        raise _nothing("お知らせ番号が読めません。") from None
    return list(every.filter(pk=wanted, status=NoticeStatus.PRINTED))


def _due(now: dt.datetime) -> Q:
    """Waiting for paper; or surely not delivered by LINE, and not long ago. What became of a 結果不明 nobody knows: never."""
    waiting_ones = Q(channel=NoticeChannel.LETTER, status=NoticeStatus.WAITING, not_before__lte=now, expires_at__gt=now)
    failed = Q(channel=NoticeChannel.LINE, status__in=(NoticeStatus.FAILED, NoticeStatus.BLOCKED))
    return waiting_ones | (failed & Q(not_before__gt=now - dt.timedelta(days=FALLBACK_DAYS)))


def waiting_notices() -> int:
    """Notices that wait for paper now, before the last look at each."""
    return int(Notice.objects.filter(_due(timezone.now())).count())


def _may_go(chosen: Sequence[Notice], now: dt.datetime) -> list[Notice]:
    """The notices that may still leave: approved and past its minutes of grace, not stopped, and good at the last look."""
    stopped = notice_stops.stopped_programmes()
    left = [n for n in chosen if has_left(n.batch, now) and not stopped & {notice_stops.ALL, n.programme}]
    home = Path(settings.KIZUKI_HOME)
    looked = look(home, definitions_now(home), left, now, by_post=True)
    return [n for n in left if n.pk in looked.go]


def _printed(actor: Actor, notice: Notice, now: dt.datetime, *, again: bool) -> None:
    """The notice's own story: printed once; a second sheet is an event, not another status."""
    NoticeEvent.objects.create(
        notice=notice, status=NoticeStatus.PRINTED, at=now, by_id=actor.user_id, detail="again" if again else ""
    )
    if not again:  # a notice that LINE did not take is a letter from now on, under the same number
        notice.status, notice.status_at, notice.channel = NoticeStatus.PRINTED, now, NoticeChannel.LETTER
        notice.save(update_fields=["status", "status_at", "channel"])


def _release(actor: Actor, by_person: Mapping[str, Recipient], reason: str) -> dict[str, Mapping[str, Any]]:
    """Name and address of those who may be written to now; the event is on record before anything is made of it."""
    on = timezone.localdate()
    facts = adults(by_person)
    safe = [p for p in by_person if unsafe(facts[p], on) is None][:MOST]
    if not safe:
        return {}
    got = release(actor, PEOPLE, action="letter.print", reason=reason, people=safe)
    rows: dict[str, Mapping[str, Any]] = {r["person_id"]: r for r in got.rows if _whole(r)}
    if seal_state(actor, rows) is not SealState.NONE:  # once more, at the last moment before a page exists (G6)
        rows = {p: row for p, row in rows.items() if seal_state(actor, [p]) is SealState.NONE}
    return rows


def _whole(row: Mapping[str, Any]) -> bool:
    """Whether name and address are both there to be written."""
    needed = (row["name"], row["address"], row["postcode"])
    return (
        row["resident_status"] == "resident"
        and all(v and v is not MASKED for v in needed)
        and row["address_extra"] is not MASKED
    )


def _record(
    actor: Actor,
    to: Sequence[Recipient],
    now: dt.datetime,
    *,
    invitation: Invitation | None = None,
    notice: Notice | None = None,
    reason: str = "",
) -> dict[int, int]:
    """One row per sheet; returns which copy each recipient's is. Raises InputRefused K673 where it was printed meanwhile."""
    before = LetterPrint.objects.filter(recipient__in=to, invitation=invitation, notice=notice)
    last = dict(before.values_list("recipient").annotate(last=Max("copy")))
    copies = {r.pk: last.get(r.pk, 0) + 1 for r in to}
    rows = [
        LetterPrint(
            recipient=r,
            invitation=invitation,
            notice=notice,
            copy=copies[r.pk],
            reason=reason.strip()[:200],
            printed_by_id=actor.user_id,
            printed_at=now,
        )
        for r in to
    ]
    try:
        LetterPrint.objects.bulk_create(rows, batch_size=5000)
    except IntegrityError as e:
        raise _nothing("ほかの職員が、同じ手紙を印刷しました。") from e
    return copies


def _letter(row: Mapping[str, Any], number: str, **more: Any) -> Letter:
    lines = (str(row["address"]), str(row["address_extra"] or ""))
    return Letter(_postcode(str(row["postcode"])), tuple(x for x in lines if x), str(row["name"]), number, **more)


def _postcode(text: str) -> str:
    """594-0001 of 5940001; any other writing as it is."""
    return f"{text[:3]}-{text[3:]}" if len(text) == 7 and text.isdigit() else text


def _printing(kind: str, sheets: Iterable[Letter], left_out: int, now: dt.datetime) -> Printing:
    on = timezone.localdate(now)
    text = consents.current_text(on).whole if kind == "invitation" else ""
    return Printing(kind, tuple(sheets), left_out, form(), text, on)


def _with_reason(reason: str) -> None:
    if not reason.strip():
        raise _nothing("刷り直す理由がありません。")


def _nothing(why: str) -> InputRefused:
    return InputRefused(
        "K673", why, "手紙", "名簿と、印刷した数を確かめてください。刷り直すときは、番号と理由を入れてください。"
    )
