"""A relay in dry run for the demo: it reads the core's real files and answers with real, signed ones; no network.

What the residents do is invented by rule from the digest of their code or notice: the same city, the same story.
"""

import datetime as dt
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kizuki.engine.cache import write_atomic
from kizuki.engine.keys import KeyRing
from kizuki.push.exchange import FIRST, digest, file_name, pack, public_text, unpack
from kizuki.push.lines import Answer, Code, ConsentText, Line, Linked, Opened, Outcome, Send

_WANT, _DO_NOT = 75, 85
"""Of a hundred who were written to: so many say 要, the next ten 不要, the rest nothing."""
_OPEN: Final = 70
"""Of a hundred notices: so many are opened."""


@dataclass(slots=True)
class DryRelay:
    """The relay's side of one demo home."""

    home: Path
    keys: KeyRing
    _lines: list[Line] = field(default_factory=list)
    _text: str = ""
    _scopes: tuple[str, ...] = ()

    def introduce(self) -> None:
        """Bring this side's public key to the core."""
        place = self.home / "relay" / "relay.pub"
        place.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(place, (public_text(self._key().public_key()) + "\n").encode())

    def carry(self, core: Ed25519PrivateKey, now: dt.datetime, heard: int) -> int:
        """Read the core's files after number `heard`, act on them, and lay one file of answers; returns the last number read.

        Files stay where the core wrote them: the demo's carrier copies.
        """
        for path in sorted((self.home / "relay" / "out").glob("*.kzr")):
            found = unpack(path.read_bytes(), "to_relay", key=core.public_key())
            if found.seq > heard:
                heard = found.seq
                self._lines += self._act(found.lines, now)
        if self._lines:
            self._answer(now)
        return heard

    def _answer(self, now: dt.datetime) -> None:
        seq, before = self._last()
        data = pack("from_relay", seq + 1, before, now.isoformat(), self._lines, key=self._key())
        write_atomic(self.home / "relay" / "in" / file_name(seq + 1), data)
        write_atomic(self.home / "relay" / "dry-run.last", f"{seq + 1} {digest(data)}".encode())
        self._lines = []

    def _last(self) -> tuple[int, str]:
        place = self.home / "relay" / "dry-run.last"
        if not place.exists():
            return 0, FIRST
        seq, before = place.read_text(encoding="ascii").split()
        return int(seq), before

    def _act(self, lines: Sequence[Line], now: dt.datetime) -> Iterator[Line]:
        for line in lines:
            if isinstance(line, ConsentText):
                self._text, self._scopes = line.version, line.scopes
        for line in lines:
            if isinstance(line, Code) and line.expires_at:
                yield from self._reader(line, now)
            elif isinstance(line, Send):
                yield from _receiver(line)

    def _reader(self, line: Code, now: dt.datetime) -> Iterable[Line]:
        """Somebody with a letter in their hand: links and answers, or does nothing."""
        chance = _of_hundred(line.digest)
        if chance >= _DO_NOT:
            return
        at = now.isoformat()
        yield Linked(line.recipient_no, True, at, line.digest)
        answer, scopes = ("wanted", self._scopes) if chance < _WANT else ("unwanted", ())
        yield Answer(f"demo-{line.digest[:32]}", line.recipient_no, answer, scopes, self._text, "line", at)

    def _key(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.keys.key("demo-relay"))


def _receiver(line: Send) -> Iterable[Line]:
    at = dt.datetime.fromisoformat(line.not_before) + dt.timedelta(minutes=1)
    yield Outcome(line.notice_id, "accepted", at.isoformat(), "dry-run")
    if _of_hundred(line.notice_id) < _OPEN:
        yield Opened(line.notice_id, (at + dt.timedelta(hours=3)).isoformat())


def _of_hundred(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") % 100
