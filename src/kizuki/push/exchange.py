"""One file between core and relay: signed, numbered without a gap, and applied once (pure; D11).

Text in UTF-8: a header line, one JSON line each (`push.lines`), and a last line with an Ed25519 signature over every byte
before it. The header names the direction, the number and the digest of the file before, so that a file left out, sent twice,
exchanged, cut or turned round is noticed. The description for other products is docs/reference/relay-file.md.
"""

import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from kizuki.push.lines import FROM_RELAY, OF_STATE, TO_RELAY, Line, from_json, to_json
from kizuki.terms.errors import InputRefused

FORMAT: Final = "kizuki-relay/1"
STATE: Final = "state"
"""Not a file of the exchange: what the relay has, written once for a core put back from a copy. `seq` = its last file's."""
DIRECTIONS: Final = {"to_relay": TO_RELAY, "from_relay": FROM_RELAY, STATE: OF_STATE}
FIRST: Final = ""
"""`previous` of the first file of a direction."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """One file as read: its number, the digest of the one before, when it was written, its lines, and its own digest."""

    seq: int
    previous: str
    written_at: str
    lines: tuple[Line, ...]
    digest: str


def digest(data: bytes) -> str:
    """SHA-256 of a whole file in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def file_name(seq: int) -> str:
    """What file number `seq` is called: it sorts by number and says nothing else."""
    return f"{seq:010d}.kzr"


def public_text(key: Ed25519PublicKey) -> str:
    """The public half as it is brought to the other side, in base64."""
    return base64.b64encode(key.public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()


def public_key(text: str) -> Ed25519PublicKey:
    """The other side's public key; raises InputRefused K656 if the text is none."""
    try:
        return Ed25519PublicKey.from_public_bytes(base64.b64decode(text.strip(), validate=True))
    except ValueError as e:
        raise InputRefused(
            "K656", "相手の公開鍵を読めません。", fix="相手側が書き出した公開鍵のファイルを置き直してください。"
        ) from e


def pack(direction: str, seq: int, previous: str, written_at: str, lines: Sequence[Line], *, key: Ed25519PrivateKey) -> bytes:
    """The whole file; raises ValueError on a line that does not go that way (a fault of ours)."""
    allowed = DIRECTIONS[direction]
    if stray := next((line for line in lines if not isinstance(line, allowed)), None):
        raise ValueError(f"a {stray.kind} line does not go {direction}")
    header = {
        "format": FORMAT,
        "direction": direction,
        "seq": seq,
        "previous": previous,
        "written_at": written_at,
        "lines": len(lines),
    }
    body = "".join(f"{text}\n" for text in (_json(header), *(to_json(line) for line in lines))).encode()
    return body + (_json({"signature": base64.b64encode(key.sign(body)).decode()}) + "\n").encode()


def unpack(data: bytes, direction: str, *, key: Ed25519PublicKey) -> Envelope:
    """The file's content, once its signature is known to be the other side's.

    Raises InputRefused: K651 not such a file, altered, cut or signed by another; K652 of the other direction or another
    version of the format; K650 a line this version does not know.
    """
    body, header = _verified(data, key)
    if (header.get("format"), header.get("direction")) != (FORMAT, direction):
        raise InputRefused(
            "K652",
            "向きか形式の版が違うファイルです。",
            "中継との便",
            "本体へは中継が書いたファイルを、中継へは本体が書いたファイルを置いてください。",
        )
    lines = tuple(from_json(text) for text in body.decode().split("\n")[1:-1])
    if len(lines) != header["lines"] or any(not isinstance(line, DIRECTIONS[direction]) for line in lines):
        raise _damaged()
    return Envelope(int(header["seq"]), str(header["previous"]), str(header["written_at"]), lines, digest(data))


def is_next(found: Envelope, last_seq: int, last_digest: str) -> bool:
    """Whether this file is to be applied now; False if it has been applied already.

    Raises InputRefused: K653 a file before it is missing; K654 it does not continue what was applied here (another file has
    had its number, or the file before was another).
    """
    if found.seq > last_seq + 1:
        raise InputRefused(
            "K653",
            f"途中の便が届いていません（次に要るのは {last_seq + 1} 番）。",
            f"{found.seq}番",
            "足りない番号のファイルを先に置いてください。この便はそのあとで取り込みます。",
        )
    if found.seq <= last_seq:
        if found.seq == last_seq and found.digest != last_digest:
            raise _broken_chain(found.seq)
        return False
    if found.previous != last_digest:
        raise _broken_chain(found.seq)
    return True


def _verified(data: bytes, key: Ed25519PublicKey) -> tuple[bytes, dict[str, Any]]:
    try:
        body, last = data[: data.rindex(b"\n", 0, -1) + 1], data[data.rindex(b"\n", 0, -1) + 1 :]
        key.verify(base64.b64decode(json.loads(last)["signature"], validate=True), body)
        header = json.loads(body.split(b"\n", 1)[0])
        if not isinstance(header, dict):
            raise TypeError
    except (ValueError, KeyError, TypeError, InvalidSignature) as e:
        raise _damaged() from e
    return body, header


def _damaged() -> InputRefused:
    return InputRefused(
        "K651",
        "中継との便ではないか、途中で切れたか書き換わったか、知らない鍵で署名されています。",
        "中継との便",
        "もう一度写してください。続くときは、相手の公開鍵が入れ替わっていないか確かめてください。",
    )


def _broken_chain(seq: int) -> InputRefused:
    return InputRefused(
        "K654",
        "便の続きではありません。同じ番号で別のファイルが先に取り込まれています。",
        f"{seq}番",
        "控えから戻したときは、手引き「本体と中継」の戻し方に従ってください（本体なら relay state と relay resume）。",
    )


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
