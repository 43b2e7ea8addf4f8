"""Joins a core put back from an older copy to its relay again (`relay resume`), by what the relay says it has.

Nothing is sent here and nothing that went is sent again: what the relay has counts as handed, what only the relay knows is kept
(`app.relay_leftovers`), what became of it is read again, and whoever the relay was told to leave in peace stays so.
One person asks, another carries it out, both from the same signed file; the second finds what the first saw, or is refused.
"""

import datetime as dt
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from django.db import transaction

from kizuki.app import consents, notice_stops, relay_leftovers
from kizuki.app.accounts import allow
from kizuki.app.exchange import TakeIn, other_side
from kizuki.app.relay_told import retell
from kizuki.app.release import Actor, record_output
from kizuki.engine.lock import exclusive
from kizuki.govern.may import Refused
from kizuki.push import states
from kizuki.push.exchange import FIRST, STATE, digest, file_name, unpack
from kizuki.push.lines import KnownNotice
from kizuki.push.resume import NOT_SENT, Stated, common, refused, stated, to_read
from kizuki.records.consent_models import RelayLeftover, RelayResume
from kizuki.records.notice_models import (
    ConsentAnswer,
    ConsentChannel,
    ConsentEvent,
    ExchangeDirection,
    Notice,
    NoticeEvent,
    NoticeStatus,
    NoticeStop,
    Recipient,
    RegistrationCode,
    RelayFile,
)
from kizuki.terms.errors import InputRefused

CANCEL_ASKED: Final = "cancel_asked"
READ_BACK: Final = "read back"
STOP_REASON: Final = "控えから戻したとき、中継が止まっていたため"


@dataclass(slots=True)
class Resumed:
    """What joining again did, or would do: numbers only. `done` False = another person has to carry it out."""

    done: bool
    counts: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Work:
    """One joining: the state, who and when, the last file both sides share, and what is counted."""

    state: Stated
    mark: str
    actor: Actor
    now: dt.datetime
    shared: int
    intact: bool
    counts: Counter[str]


def resume(actor: Actor, home: Path, data: bytes, now: dt.datetime, takers: Mapping[str, TakeIn]) -> Resumed:
    """The first to call it is told what would be done; another person, with the same file, does it.

    Raises NotPermitted K701 (the right; the same person twice); InputRefused K651, K652 (no state of this relay), K668 (older,
    done already, or nothing to join), K669 (the copy is too old); UsageError K655 (the relay's key is missing).
    """
    allow(actor, "relay.resume")
    folder = home / "relay"
    state, mark = stated(unpack(data, STATE, key=other_side(folder / "relay.pub"))), digest(data)
    with exclusive(folder / "exchange.lock"), transaction.atomic():
        asked = RelayResume.objects.select_for_update().filter(digest=mark).first()
        if asked is not None and asked.done_at is not None:
            raise refused("この状態では、もうつなぎ直してあります。")
        if asked is not None and asked.asked_by_id == actor.user_id:
            raise Refused(
                "求めた本人は、つなぎ直せません。", fix="権限のある別の職員に、同じファイルで行うよう依頼してください。"
            ).error()
        with transaction.atomic():
            work = _carried_out(actor, state, mark, now, takers)
            transaction.set_rollback(asked is None)  # the first of two only learns what would be done
        if asked is None:
            RelayResume.objects.create(digest=mark, counts=dict(work.counts), asked_by_id=actor.user_id, asked_at=now)
            _note(actor, "求め", work.counts)
            return Resumed(False, dict(work.counts))
        if asked.counts != dict(work.counts):
            raise refused("求めたときから、ここの記録が変わっています。")
        asked.done_by_id, asked.done_at = actor.user_id, now
        asked.save()
        _note(actor, "実施", work.counts)
    _take_away_dead(folder / "out", work)
    return Resumed(True, dict(work.counts))


def _carried_out(actor: Actor, state: Stated, mark: str, now: dt.datetime, takers: Mapping[str, TakeIn]) -> _Work:
    """Every step in order, within one transaction."""
    own = dict(RelayFile.objects.filter(direction=ExchangeDirection.TO_RELAY).values_list("seq", "digest"))
    shared = common(own, state.applied)
    intact = shared == state.last_applied or max(own, default=0) <= shared
    work = _Work(state, mark, actor, now, shared, intact, Counter())
    last = RelayFile.objects.filter(direction=ExchangeDirection.FROM_RELAY).order_by("-seq").first()
    unread = to_read(state, last.seq if last else 0, last.digest if last else FIRST)
    if not unread and shared == state.last_applied:
        raise refused("つなぎ直すことはありません。本体は中継より遅れていません。")
    _keep_what_is_unknown(work)
    _notices(work)
    _files(work)
    for file, told in unread:
        for number, line in enumerate(told):
            takers[line.kind](line, f"{file.seq}:{number}")
        RelayFile.objects.create(
            direction=ExchangeDirection.FROM_RELAY, seq=file.seq, digest=file.digest, lines=len(told), at=now
        )
        work.counts["lines_read"] += len(told)
    _codes(work)
    _silences(work)
    _stop(work)
    retell(state, now)
    return work


def _keep_what_is_unknown(work: _Work) -> None:
    """Recipients, codes and notices of the forgotten time; first of all, so that what is said of them can be read."""
    state = work.state
    people = set(Recipient.objects.values_list("recipient_no", flat=True))
    digests = set(RegistrationCode.objects.values_list("digest", flat=True))
    known = {str(pk) for pk in Notice.objects.values_list("pk", flat=True)}
    rows = [RelayLeftover(kind=relay_leftovers.RECIPIENT, key=r.recipient_no, recipient_no=r.recipient_no)
            for r in state.recipients if r.recipient_no not in people]  # fmt: skip
    rows += [RelayLeftover(kind=relay_leftovers.CODE, key=c.digest, recipient_no=c.recipient_no)
             for c in state.codes if c.digest not in digests and c.expires_at and not c.used]  # fmt: skip
    rows += [_leftover(n) for n in state.notices if n.notice_id not in known and (n.status not in NOT_SENT or n.maybe_sent)]
    again = (replace(n, about="") for n in state.notices if n.notice_id in known and _asked_back_in_vain(n, work))
    rows += [_leftover(n) for n in again]  # to be asked back only: what they are about is known here
    made = RelayLeftover.objects.bulk_create(rows, ignore_conflicts=True, batch_size=500)
    work.counts.update(f"unknown_{row.kind}s" for row in made)


def _leftover(known: KnownNotice) -> RelayLeftover:
    return RelayLeftover(
        kind=relay_leftovers.NOTICE,
        key=known.notice_id,
        recipient_no=known.recipient_no,
        about=known.about,
        status=known.status,
        at=dt.datetime.fromisoformat(known.at),
    )


def _asked_back_in_vain(known: KnownNotice, work: _Work) -> bool:
    """Whether this notice was asked back in a file the relay never took: it has to be asked back again."""
    if work.intact or known.status not in relay_leftovers.UNDER_WAY:
        return False
    asked = NoticeEvent.objects.filter(notice_id=known.notice_id, status=CANCEL_ASKED).values_list("detail", flat=True)
    return any(int(seq) > work.shared for seq in asked)


def _notices(work: _Work) -> None:
    """What the relay has counts as handed; what went in a file it never took is to be handed again, under the same number."""
    there = {n.notice_id: n.status for n in work.state.notices}
    waiting = [n for n in _of(status=NoticeStatus.WAITING) if str(n.pk) in there]
    for one in waiting:
        assert states.may_follow(one.status, states.HANDED)
        one.status, one.status_at, one.handed_seq = NoticeStatus.HANDED, work.now, work.state.last_applied
    Notice.objects.bulk_update(waiting, ["status", "status_at", "handed_seq"], batch_size=200)
    NoticeEvent.objects.bulk_create(
        [NoticeEvent(notice=n, status=states.HANDED, at=work.now, detail=READ_BACK) for n in waiting], batch_size=500
    )
    work.counts["found_handed"] += len(waiting)
    ended = Notice.objects.exclude(status__in=sorted(states.REACHED)).values_list("pk", flat=True)
    work.counts["differing"] += sum(there.get(str(pk), "failed") not in NOT_SENT for pk in ended)
    if work.intact:
        return
    in_dead_files = _of(status=NoticeStatus.HANDED, handed_seq__gt=work.shared)
    for one in in_dead_files:
        one.handed_seq = work.state.last_applied if str(one.pk) in there else None
    Notice.objects.bulk_update(in_dead_files, ["handed_seq"], batch_size=200)
    work.counts["to_hand_again"] += sum(n.handed_seq is None for n in in_dead_files)


def _of(**which: object) -> list[Notice]:
    return list(Notice.objects.select_for_update().filter(**which))


def _files(work: _Work) -> None:
    """The chain goes on after what the relay has. How many lines a file read back held is not known here (0)."""
    written = RelayFile.objects.filter(direction=ExchangeDirection.TO_RELAY)
    if not work.intact:
        work.counts["files_given_up"] += written.filter(seq__gt=work.shared).delete()[0]
    missing = {s: mark for s, mark in work.state.applied.items() if s > work.shared}
    RelayFile.objects.bulk_create(
        [
            RelayFile(direction=ExchangeDirection.TO_RELAY, seq=seq, digest=mark, lines=0, at=work.now)
            for seq, mark in sorted(missing.items())
        ],
        batch_size=500,
    )
    work.counts["files_found"] += len(missing)


def _codes(work: _Work) -> None:
    """A code the relay was told to take back stays taken back."""
    back = {c.digest for c in work.state.codes if not c.expires_at}
    alive = RegistrationCode.objects.filter(revoked_at__isnull=True, used_at__isnull=True)
    found = [code for code in alive if code.digest in back]
    for code in found:
        code.revoked_at = work.now
    RegistrationCode.objects.bulk_update(found, ["revoked_at"], batch_size=200)
    work.counts["codes_taken_back"] += len(found)


def _silences(work: _Work) -> None:
    """Whoever the relay was told to leave in peace, and would not be any more by what is left here, has to agree anew.

    Why they were (a withdrawal on paper, a seal, a death) is forgotten; so it is written down as a withdrawal.
    """
    silenced = {r.recipient_no for r in work.state.recipients if r.silenced}
    text = consents.current_text(work.now.date()).version
    for found in consents.states(work.now):
        if found.recipient_no in silenced and not found.silent:
            ConsentEvent.objects.create(
                recipient=Recipient.objects.get(recipient_no=found.recipient_no),
                answer=ConsentAnswer.WITHDRAWN,
                text_version=text,
                channel=ConsentChannel.RESTORED,
                answered_at=work.now,
                source_event=f"resume:{work.mark[:16]}:{found.recipient_no}",
            )
            work.counts["kept_silent"] += 1


def _stop(work: _Work) -> None:
    """A stop of everything the relay has outlives the copy: it takes two people to lift, as any."""
    standing = NoticeStop.objects.filter(programme=notice_stops.ALL, lifted_at__isnull=True)
    if not work.state.in_force.stopped:
        standing.update(told_at=None)
    elif not standing.exists():
        NoticeStop.objects.create(
            programme=notice_stops.ALL, reason=STOP_REASON, stopped_by_id=work.actor.user_id, told_at=work.now
        )
        work.counts["stop_kept"] += 1


def _take_away_dead(folder: Path, work: _Work) -> None:
    """Files the relay will never take do not lie about to be carried."""
    if work.intact:
        return
    for path in folder.glob("*.kzr"):
        if path.name > file_name(work.shared):
            path.unlink()


def _note(actor: Actor, what: str, counts: Mapping[str, int]) -> None:
    reason = f"控えから戻した本体と中継のつなぎ直しの{what}"
    record_output(actor, "relay.resume", subjects=[], fields=["notice", "consent"], count=sum(counts.values()), reason=reason)


def read_state(path: Path) -> bytes:
    """The file the relay wrote; raises InputRefused K668 where it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as e:
        raise InputRefused(
            "K668",
            "中継の状態のファイルを読めません。",
            path.name,
            "中継の relay state が書いた state.kzs を指定してください。",
        ) from e
