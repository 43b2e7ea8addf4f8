"""The relay's side of the exchange with the core: take in what came, in order and once, then write what there is to tell (D11).

As on the core's side, a file has its name only after the database has it, and the database has it only when its bytes are safe
beside it: a kill at any point leaves either nothing or all of it.
"""

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.db import transaction

from kizuki.app import relay_city_rules
from kizuki.app.exchange_files import Exchanged, lay_aside, name_files
from kizuki.app.relay_home import Relay, digest_of
from kizuki.app.relay_sender import end, look_again, under_way
from kizuki.engine.lock import exclusive
from kizuki.push import lines, retry
from kizuki.push.exchange import FIRST, Envelope, digest, is_next, pack, public_key, unpack
from kizuki.records.relay.models import Code, ConsentText, ExchangedFile, Outgoing, Pending, Silence, Switch, Template
from kizuki.records.relay.router import ALIAS
from kizuki.terms.errors import InputRefused, UsageError

IN, OUT = "to_relay", "from_relay"
Step = Callable[[str], None]


def exchange(relay: Relay, now: dt.datetime, step: Step = lambda _: None) -> Exchanged:
    """Both directions; raises UsageError K662 until the core's public key lies in the relay's folder.

    A file that cannot be taken in stays where it is and is told in `refused`; `step` is called where a process could die.
    """
    done = Exchanged()
    with exclusive(relay.home / "exchange.lock"):
        take_in(relay, now, done, step)
        write_out(relay, now, done, step)
    return done


def take_in(relay: Relay, now: dt.datetime, done: Exchanged, step: Step) -> None:
    """Every file of `in/`, each wholly or not at all."""
    key = core_key(relay)
    for path in sorted(relay.incoming.glob("*.kzr")):
        try:
            found = unpack(path.read_bytes(), IN, key=key)
            taken = _take_in(relay, found, now)
        except InputRefused as e:
            done.refused.append(f"{path.name}：[{e.code}] {e.what}")
            return
        step("file applied")
        done.taken_files += 1
        done.taken_lines += taken
        path.unlink()
        step("file taken away")


def write_out(relay: Relay, now: dt.datetime, done: Exchanged, step: Step) -> None:
    """One file of everything not told yet."""
    name_files(relay.outgoing, _known)
    with transaction.atomic(using=ALIAS):
        rows = list(Pending.objects.filter(seq__isnull=True).order_by("pk"))
        if not rows:
            return
        seq, before = _last(OUT)
        told = [lines.from_json(row.line) for row in rows]
        data = pack(OUT, seq + 1, before, now.isoformat(), told, key=relay.signing_key)
        lay_aside(relay.outgoing, seq + 1, data)
        step("file staged")
        Pending.objects.filter(seq__isnull=True, pk__lte=rows[-1].pk).update(seq=seq + 1)
        ExchangedFile.objects.create(direction=OUT, seq=seq + 1, digest=digest(data), at=now)
    step("file numbered")
    name_files(relay.outgoing, _known)
    step("file named")
    done.written, done.written_lines = seq + 1, len(rows)


def core_key(relay: Relay) -> Ed25519PublicKey:
    """The key the core signs with; raises UsageError K662 if it is not there, InputRefused K656 if it is none."""
    path = relay.home / "core.pub"
    try:
        return public_key(path.read_text(encoding="ascii"))
    except (OSError, UnicodeDecodeError) as e:
        raise UsageError(
            "K662", "本体の公開鍵がありません。", path.name, "本体の relay/core.pub を、中継の置き場所に写してください。"
        ) from e


def _last(direction: str) -> tuple[int, str]:
    found = ExchangedFile.objects.filter(direction=direction).order_by("-seq").first()
    return (found.seq, found.digest) if found else (0, FIRST)


def _applied(seq: int) -> tuple[int, str]:
    """What was applied under this number, else last: another file under an old number is not taken for one applied before."""
    known = ExchangedFile.objects.filter(direction=IN, seq=seq).first()
    return (known.seq, known.digest) if known else _last(IN)


def _known(seq: int, mark: str) -> bool:
    return ExchangedFile.objects.filter(direction=OUT, seq=seq, digest=mark).exists()


@transaction.atomic(using=ALIAS)
def _take_in(relay: Relay, found: Envelope, now: dt.datetime) -> int:
    if not is_next(found, *_applied(found.seq)):
        return 0
    for line in found.lines:
        _APPLY[line.kind](relay, line, now)
    ExchangedFile.objects.create(direction=IN, seq=found.seq, digest=found.digest, at=now)
    return len(found.lines)


def _template(relay: Relay, line: lines.Template, now: dt.datetime) -> None:
    row, _ = Template.objects.get_or_create(
        template=line.template, version=line.version, defaults={"text": line.text, "named": line.named}
    )
    _must_be_same((row.text, row.named) == (line.text, line.named))


def _consent_text(relay: Relay, line: lines.ConsentText, now: dt.datetime) -> None:
    row, _ = ConsentText.objects.get_or_create(version=line.version, defaults={"text": line.text, "scopes": list(line.scopes)})
    _must_be_same((row.text, tuple(row.scopes)) == (line.text, line.scopes))


def _must_be_same(same: bool) -> None:
    if not same:
        raise InputRefused(
            "K660", "同じ版の文面が、別の文で届きました。", "中継との便", "本体で、文を変えたら新しい版にしてください。"
        )


def _code(relay: Relay, line: lines.Code, now: dt.datetime) -> None:
    until = dt.datetime.fromisoformat(line.expires_at) if line.expires_at else None
    Code.objects.update_or_create(digest=line.digest, defaults={"recipient_no": line.recipient_no, "expires_at": until})


def _send(relay: Relay, line: lines.Send, now: dt.datetime) -> None:
    if not Template.objects.filter(template=line.template, version=line.version).exists():
        raise InputRefused("K661", "文面の届いていないお知らせがあります。", "中継との便", "本体で、書き出し直してください。")
    start = dt.datetime.fromisoformat(line.not_before)
    doubtful = Switch.objects.filter(pk=1, restored_at__gt=start).exists()  # it may have been sent before the copy was put back
    Outgoing.objects.get_or_create(
        notice_id=line.notice_id,
        defaults={
            "recipient_no": line.recipient_no,
            "template": line.template,
            "version": line.version,
            "retry_key": line.retry_key,
            "about": line.about,
            "not_before": start,
            "expires_at": dt.datetime.fromisoformat(line.expires_at),
            "next_at": min(start, now),  # looked at once at once: who must not be sent anything ends without waiting
            "page_digest": digest_of(relay.page_key(line.notice_id)),
            "maybe_sent": doubtful,
            "first_tried_at": start if doubtful else None,
            "last_tried_at": start if doubtful else None,
        },
    )


def _cancel(relay: Relay, line: lines.Cancel, now: dt.datetime) -> None:
    row = under_way().filter(notice_id=line.notice_id, state=retry.WAITING, maybe_sent=False).first()
    if row is not None:
        end(row, retry.CANCELLED, "", now)


def _silence(relay: Relay, line: lines.Silence, now: dt.datetime) -> None:
    row, _ = Silence.objects.get_or_create(recipient_no=line.recipient_no)
    if line.on:
        row.core_knows = row.core_knows or row.by_answer
    elif row.core_knows:
        row.by_answer = row.core_knows = False
    row.by_core = line.on
    row.save()
    look_again(under_way().filter(recipient_no=line.recipient_no))


def _stop(relay: Relay, line: lines.Stop, now: dt.datetime) -> None:
    Switch.objects.update_or_create(pk=1, defaults={"stopped": line.on})
    if not line.on:
        look_again(under_way())


_APPLY: Final[Mapping[str, Callable[[Relay, Any, dt.datetime], None]]] = {
    lines.Template.kind: _template,
    lines.ConsentText.kind: _consent_text,
    lines.Code.kind: _code,
    lines.Send.kind: _send,
    lines.Cancel.kind: _cancel,
    lines.Silence.kind: _silence,
    lines.Stop.kind: _stop,
    lines.Rules.kind: relay_city_rules.take_in,
}
