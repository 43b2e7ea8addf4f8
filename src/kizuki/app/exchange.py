"""The core's side of the exchange with the relay: take in what came, then write the next file (D11)."""

import datetime as dt
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.db import transaction

from kizuki.app.exchange_files import Exchanged, lay_aside, name_files
from kizuki.app.release import Actor, record_output
from kizuki.engine.cache import write_atomic
from kizuki.engine.keys import KeyRing
from kizuki.engine.lock import exclusive
from kizuki.push import codes
from kizuki.push.exchange import FIRST, Envelope, digest, is_next, pack, public_key, public_text, unpack
from kizuki.push.lines import Line
from kizuki.records.notice_models import ExchangeDirection, RelayFile
from kizuki.terms.errors import InputRefused, UsageError

_KEY_PURPOSE = "relay-exchange"
TakeIn = Callable[[Any, str], None]


class Part(Protocol):
    """One part of the core that has something to say to the relay."""

    def lines_to_hand(self, home: Path, now: dt.datetime) -> list[Line]:
        """What is to go now; asked again later, what has gone is not among it."""

    def handed(self, lines: Sequence[Line], seq: int, now: dt.datetime) -> None:
        """These lines go with file `seq`; called in the transaction that numbers the file."""


@dataclass(frozen=True, slots=True)
class Parts:
    """Who writes lines, in order, and who takes in which kind of line (with the name of the line, applied once)."""

    writers: Sequence[Part]
    takers: Mapping[str, TakeIn]


def signing_key(keys: KeyRing) -> Ed25519PrivateKey:
    """The key this side signs with."""
    return Ed25519PrivateKey.from_private_bytes(keys.key(_KEY_PURPOSE))


def exchange(actor: Actor, home: Path, keys: KeyRing, now: dt.datetime, parts: Parts) -> Exchanged:
    """Take in every file of `relay/in`, then write one file of what there is to say into `relay/out`.

    Raises UsageError K655 until the relay's public key lies in `relay/relay.pub`. A file that cannot be taken in stays where
    it is and is told in `refused`; what came before it has been applied.
    """
    folder = home / "relay"
    for place in (folder / "in", folder / "out"):
        place.mkdir(parents=True, exist_ok=True)
    write_atomic(folder / "core.pub", (public_text(signing_key(keys).public_key()) + "\n").encode())
    _lay_out_code_key(home, keys)
    other = other_side(folder / "relay.pub")
    done = Exchanged()
    with exclusive(folder / "exchange.lock"):
        name_files(folder / "out", _known)
        for path in sorted((folder / "in").glob("*.kzr")):
            try:
                found = unpack(path.read_bytes(), "from_relay", key=other)
                done.taken_lines += _take_in(found, parts.takers, now)
            except InputRefused as e:
                done.refused.append(f"{path.name}：[{e.code}] {e.what}")
                break
            done.taken_files += 1
            path.unlink()
        seq, mark = _last(ExchangeDirection.FROM_RELAY)
        write_atomic(folder / "continue.txt", f"{seq}:{mark}\n".encode())  # what a relay put back from a copy goes on after
        _write(actor, home, _Outgoing(folder / "out", signing_key(keys), now), parts.writers, done)
    return done


def _lay_out_code_key(home: Path, keys: KeyRing) -> None:
    """The key posted codes are compared by, for a person to carry to the relay once (the root key never leaves)."""
    path = home / "keys" / "relay-registration-code"
    if not path.exists():
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as f:
            f.write(keys.key(codes.KEY_PURPOSE).hex().encode() + b"\n")


def other_side(path: Path) -> Ed25519PublicKey:
    """The key the relay signs with; raises UsageError K655 where it is not there, InputRefused K656 where it is none."""
    try:
        return public_key(path.read_text(encoding="ascii"))
    except (OSError, UnicodeDecodeError) as e:
        raise UsageError(
            "K655",
            "中継の公開鍵がありません。",
            path.name,
            "中継で一度 serve --role relay を動かし、できた relay.pub をこの置き場所の relay フォルダーに写してください。",
        ) from e


def _last(direction: str) -> tuple[int, str]:
    found = RelayFile.objects.filter(direction=direction).order_by("-seq").first()
    return (found.seq, found.digest) if found else (0, FIRST)


@transaction.atomic
def _take_in(found: Envelope, takers: Mapping[str, TakeIn], now: dt.datetime) -> int:
    known = RelayFile.objects.filter(direction=ExchangeDirection.FROM_RELAY, seq=found.seq).first()
    last = (known.seq, known.digest) if known else _last(ExchangeDirection.FROM_RELAY)
    if not is_next(found, *last):  # another file under an old number (a relay begun anew) is not taken for one applied before
        return 0
    for number, line in enumerate(found.lines):
        takers[line.kind](line, f"{found.seq}:{number}")
    RelayFile.objects.create(
        direction=ExchangeDirection.FROM_RELAY, seq=found.seq, digest=found.digest, lines=len(found.lines), at=now
    )
    return len(found.lines)


@dataclass(frozen=True, slots=True)
class _Outgoing:
    """Where the next file goes, who signs it, and when it is written."""

    folder: Path
    key: Ed25519PrivateKey
    now: dt.datetime


def _write(actor: Actor, home: Path, out: _Outgoing, writers: Sequence[Part], done: Exchanged) -> None:
    with transaction.atomic():
        said = [(writer, writer.lines_to_hand(home, out.now)) for writer in writers]
        lines = [line for _, own in said for line in own]
        if not lines:
            return
        seq, before = _last(ExchangeDirection.TO_RELAY)
        data = pack("to_relay", seq + 1, before, out.now.isoformat(), lines, key=out.key)
        lay_aside(out.folder, seq + 1, data)
        for writer, own in said:
            writer.handed(own, seq + 1, out.now)
        RelayFile.objects.create(
            direction=ExchangeDirection.TO_RELAY, seq=seq + 1, digest=digest(data), lines=len(lines), at=out.now
        )
        kinds = sorted({line.kind for line in lines})
        record_output(actor, "relay.hand", subjects=[], fields=kinds, count=len(lines), reason=f"中継への便 {seq + 1}番")
    name_files(out.folder, _known)
    done.written, done.written_lines = seq + 1, len(lines)


def _known(seq: int, mark: str) -> bool:
    return RelayFile.objects.filter(direction=ExchangeDirection.TO_RELAY, seq=seq, digest=mark).exists()
