"""引継ぎ書の保存期間: bodies of letters are deleted by the night when the city's period for them is over.

The decisions (who prepared, approved, received, confirmed, and on which ground) stay in the app database; what the letter
said does not. The event is in the audit log before a file is touched, so a deletion nobody can prove never happens.
"""

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kizuki.app import audit, handover, handover_in
from kizuki.definitions.governance import HandoverRetention
from kizuki.govern.actor import Actor
from kizuki.records.models import Handover, HandoverStatus, ReceivedHandover

NIGHT: Final = Actor(0, "夜の処理", "夜の処理", "it", "operation", "run")
"""Nobody's hand: the period was decided in the definitions."""


@dataclass(frozen=True, slots=True)
class _Due:
    """One letter whose period is over: its number, whom it speaks of, and where its body lies."""

    number: int
    people: tuple[str, ...]
    path: Path


def delete_expired(now: dt.datetime) -> int:
    """Delete every body whose period is over at `now`; returns how many letters lost theirs.

    Raises NotPermitted K703 if it cannot be recorded: then nothing is deleted. Killed in between and run again, what was left
    is recorded and deleted again; a body already gone is not counted.
    """
    retention = handover.rules().retention
    return _delete("送った引継ぎ書", _outgoing(retention, now)) + _delete("受け取った引継ぎ書", _incoming(retention, now))


def _delete(what: str, due: list[_Due]) -> int:
    if not due:
        return 0
    numbers = "、".join(str(d.number) for d in due)
    people = sorted({p for d in due for p in d.people})
    entry = audit.Entry(subjects=people, fields=["handover"], count=len(due), reason=f"保存期間の終わり：{what} {numbers}")
    audit.record(NIGHT, "handover.delete", entry)
    for letter in due:
        letter.path.unlink(missing_ok=True)  # two letters may have one body
    return len(due)


def _outgoing(retention: HandoverRetention, now: dt.datetime) -> list[_Due]:
    """What was issued so long ago, or never issued and given up or left lying; a body another letter still needs is kept."""
    over, needed = [], set()
    for found in Handover.objects.order_by("pk"):
        path = handover.body_path(found.digest)
        if now >= _last_touched(found) + dt.timedelta(days=_days(found, retention)):
            over.append(_Due(found.pk, tuple(found.people), path))
        else:
            needed.add(path)
    return [d for d in over if d.path not in needed and d.path.exists()]


def _days(found: Handover, retention: HandoverRetention) -> int:
    return retention.issued_days if found.status == HandoverStatus.ISSUED else retention.unissued_days


def _last_touched(found: Handover) -> dt.datetime:
    instants: Iterator[dt.datetime | None] = iter(
        (found.prepared_at, found.seal_approved_at, found.decided_at, found.issued_at)
    )
    return max(i for i in instants if i is not None)


def _incoming(retention: HandoverRetention, now: dt.datetime) -> list[_Due]:
    """What nobody could say the person of, and what has been confirmed so long ago."""
    path_of: Callable[[str], Path] = handover_in.body_path
    over = []
    for letter in ReceivedHandover.objects.order_by("pk"):
        known = letter.confirmed_at is not None
        since = letter.confirmed_at or letter.received_at
        days = retention.confirmed_days if known else retention.unconfirmed_days
        if now >= since + dt.timedelta(days=days) and path_of(letter.digest).exists():
            over.append(_Due(letter.pk, (letter.person_id,) if letter.person_id else (), path_of(letter.digest)))
    return over
