"""What the relay has of a time this database has forgotten (put back from an older copy), and what is done about it.

A part of the exchange: notices nobody here knows are taken back where they have not gone, recipients nobody here knows are
left in peace, their codes link nobody. What may have gone counts against telling the same again.
"""

import datetime as dt
import uuid
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from kizuki.app.notice_about import about
from kizuki.definitions.messages import SendingRules
from kizuki.engine.keys import KeyRing
from kizuki.push import lines
from kizuki.push.relay_rules import interval_starts
from kizuki.push.resume import NOT_SENT
from kizuki.records.consent_models import RelayLeftover
from kizuki.records.notice_models import Notice

NOTICE, RECIPIENT, CODE = "notice", "recipient", "code"
UNDER_WAY: Final = ("waiting", "trying")


def lines_to_hand(home: Path, now: dt.datetime) -> list[lines.Line]:
    """What the relay has not been told yet of what was left over."""
    found: list[lines.Line] = []
    for row in RelayLeftover.objects.filter(told_seq__isnull=True).order_by("pk"):
        if row.kind == NOTICE and row.status in UNDER_WAY:
            found.append(lines.Cancel(row.key))
        elif row.kind == RECIPIENT:
            found.append(lines.Silence(row.key, True))
        elif row.kind == CODE:
            found.append(lines.Code(row.key, row.recipient_no, ""))
    return found


def handed(given: Iterable[lines.Line], seq: int, now: dt.datetime) -> None:
    """The relay was told in file `seq`; call it in the transaction that records the file. Lines of others pass."""
    for line in given:
        if isinstance(line, lines.Cancel):
            kind, key = NOTICE, line.notice_id
        elif isinstance(line, lines.Silence):
            kind, key = RECIPIENT, line.recipient_no
        elif isinstance(line, lines.Code):
            kind, key = CODE, line.digest
        else:
            continue
        RelayLeftover.objects.filter(kind=kind, key=key, told_seq__isnull=True).update(told_seq=seq)


def is_stranger(recipient_no: str) -> bool:
    """Whether the relay knows this recipient from the forgotten time: what it says of them changes nothing here."""
    return RelayLeftover.objects.filter(kind=RECIPIENT, key=recipient_no).exists()


def is_forgotten(notice_id: str) -> bool:
    """Whether this notice was sent in the forgotten time."""
    return RelayLeftover.objects.filter(kind=NOTICE, key=notice_id).exists()


def note(line: lines.Outcome | lines.Opened) -> None:
    """What became of a forgotten notice; opened = it arrived."""
    status = line.status if isinstance(line, lines.Outcome) else "accepted"
    RelayLeftover.objects.filter(kind=NOTICE, key=line.notice_id).update(status=status)


def told_already(home: Path, notices: Sequence[Notice], rules: SendingRules, now: dt.datetime) -> frozenset[uuid.UUID]:
    """Those about something their recipient was, or may have been, told in the forgotten time, within the interval."""
    since = interval_starts(now, rules.cooldown_days)
    rows = RelayLeftover.objects.filter(kind=NOTICE, at__gte=since).exclude(about="").exclude(status__in=NOT_SENT)
    told = set(rows.values_list("about", flat=True))
    if not told:
        return frozenset()
    keys = KeyRing.load(home)
    return frozenset(one.pk for one in notices if about(keys, one) in told)
