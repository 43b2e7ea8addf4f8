"""The relay says what it has, for a core put back from an older copy (`relay state`): signed, and nothing of a person in it."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from kizuki.app import relay_city_rules
from kizuki.app.relay_exchange import IN, OUT, core_key, exchange
from kizuki.app.relay_home import Relay
from kizuki.engine.cache import write_atomic
from kizuki.engine.lock import exclusive
from kizuki.push import lines
from kizuki.push.exchange import FIRST, STATE, is_next, pack, unpack
from kizuki.records.relay.models import Code, ExchangedFile, Link, Outgoing, Pending, Silence, Switch
from kizuki.records.relay.router import ALIAS
from kizuki.terms.errors import InputRefused

FILE, ASIDE = "state.kzs", "refused"


def write_state(relay: Relay, now: datetime) -> int:
    """Take in what can be, lay aside what never can be, and write `state.kzs`; returns how many files were laid aside.

    Raises UsageError K662 until the core's public key is here.
    """
    exchange(relay, now)
    aside = 0
    while found := _never(relay):
        aside += _lay_aside(relay, found)
        exchange(relay, now)
    with exclusive(relay.home / "exchange.lock"):
        data = _packed(relay, now)
        write_atomic(relay.home / FILE, data)
    return aside


@transaction.atomic(using=ALIAS)
def _packed(relay: Relay, now: datetime) -> bytes:
    last = ExchangedFile.objects.filter(direction=OUT).order_by("-seq").first()
    seq, mark = (last.seq, last.digest) if last else (0, FIRST)
    said = [*_files(), *_notices(), *_recipients(), *_codes(), _in_force()]
    return pack(STATE, seq, mark, now.isoformat(), said, key=relay.signing_key)


def _never(relay: Relay) -> list[str]:
    """Files waiting here that can never be applied: another has had their number (K654)."""
    key, found = core_key(relay), []
    applied = dict(ExchangedFile.objects.filter(direction=IN).values_list("seq", "digest"))
    last = max(applied, default=0)
    for path in sorted(relay.incoming.glob("*.kzr")):
        try:
            file = unpack(path.read_bytes(), IN, key=key)
            known = file.seq if file.seq in applied else last
            is_next(file, known, applied.get(known, FIRST))
        except InputRefused as e:
            if e.code == "K654":
                found.append(path.name)
    return found


def _lay_aside(relay: Relay, names: list[str]) -> int:
    place = relay.home / ASIDE
    place.mkdir(exist_ok=True)
    for name in names:
        (relay.incoming / name).replace(place / name)
    return len(names)


def _files() -> Iterator[lines.Line]:
    """Every file applied, and every file written whose lines are still kept, with the lines."""
    for seq, mark in ExchangedFile.objects.filter(direction=IN).order_by("seq").values_list("seq", "digest"):
        yield lines.Applied(seq, mark)
    passed: Counter[int] = Counter()
    for number, line in Pending.objects.filter(seq__isnull=False).order_by("pk").values_list("seq", "line").iterator():
        assert number is not None
        yield lines.ToldAgain(number, passed[number], line)
        passed[number] += 1
    kept = ExchangedFile.objects.filter(direction=OUT).order_by("seq").values_list("seq", "digest")
    yield from (lines.Written(seq, mark, passed[seq]) for seq, mark in kept if passed[seq])


def _notices() -> Iterator[lines.Line]:
    for row in Outgoing.objects.order_by("pk").iterator():
        at = timezone.localtime(row.first_tried_at or row.not_before).isoformat()
        yield lines.KnownNotice(row.notice_id, row.recipient_no, row.about, row.state, row.maybe_sent, at)


def _recipients() -> Iterator[lines.Line]:
    silenced = dict(Silence.objects.values_list("recipient_no", "by_core"))
    tables = (Link, Code, Outgoing)
    known = set(silenced).union(*(t.objects.values_list("recipient_no", flat=True) for t in tables))
    yield from (lines.KnownRecipient(number, silenced.get(number, False)) for number in sorted(known))


def _codes() -> Iterator[lines.Line]:
    for row in Code.objects.order_by("pk").iterator():
        until = timezone.localtime(row.expires_at).isoformat() if row.expires_at else ""
        yield lines.KnownCode(row.digest, row.recipient_no, until, row.used_at is not None)


def _in_force() -> lines.Line:
    rules = relay_city_rules.newest()
    return lines.InForce(Switch.objects.filter(stopped=True).exists(), rules.number if rules else 0)
