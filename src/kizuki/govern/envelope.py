"""A sealed, signed letter between two municipalities: only the addressee can open it, and it shows who wrote it (pure).

X25519 with a fresh key for each letter, HKDF-SHA256, AES-256-GCM; signed with Ed25519 over everything else. A letter is one
JSON object, so that another product can open it from this description alone (docs/reference/handover-file.md).
"""

import base64
import hashlib
import json
import os
from dataclasses import dataclass
from typing import Any, Final

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from kizuki.terms.errors import InputRefused

FORMAT: Final = "kizuki-handover/1"
_KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12


@dataclass(frozen=True, slots=True)
class Keys:
    """One municipality's pair of keys for letters, from two 32-byte secrets."""

    receiving: X25519PrivateKey
    signing: Ed25519PrivateKey

    @classmethod
    def of(cls, receiving: bytes, signing: bytes) -> "Keys":
        """Keys from raw secrets."""
        return cls(X25519PrivateKey.from_private_bytes(receiving), Ed25519PrivateKey.from_private_bytes(signing))

    @property
    def address(self) -> str:
        """The public text another municipality seals to: given on paper or by telephone check, no secret."""
        return _text(self.receiving.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))

    @property
    def seal_mark(self) -> str:
        """Fingerprint of the signing key, to be compared by telephone."""
        return fingerprint(self.signing.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))


@dataclass(frozen=True, slots=True)
class Opened:
    """What a letter held and the fingerprint of whoever signed it."""

    content: bytes
    signer: str


def fingerprint(raw: bytes) -> str:
    """Sixteen hexadecimal digits in groups of four: short enough to read out."""
    digest = hashlib.sha256(raw).hexdigest()[:16]
    return "-".join(digest[i : i + 4] for i in range(0, 16, 4))


def address_mark(address: str) -> str:
    """Fingerprint of an address; raises InputRefused K766 if it is none."""
    return fingerprint(_address(address))


def seal(content: bytes, address: str, keys: Keys) -> bytes:
    """A letter to `address`, signed with `keys`."""
    to = _address(address)
    fresh = X25519PrivateKey.generate()
    nonce = os.urandom(_NONCE_BYTES)
    mine = fresh.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    key = _shared(fresh.exchange(X25519PublicKey.from_public_bytes(to)), mine, to)
    letter = {
        "形式": FORMAT,
        "宛先鍵の指紋": fingerprint(to),
        "一時鍵": _text(mine),
        "ノンス": _text(nonce),
        "本文": _text(AESGCM(key).encrypt(nonce, content, FORMAT.encode())),
        "署名鍵": _text(keys.signing.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)),
    }
    letter["署名"] = _text(keys.signing.sign(_canonical(letter)))
    return json.dumps(letter, ensure_ascii=False, indent=1).encode()


def unseal(letter: bytes, keys: Keys) -> Opened:
    """Open a letter addressed to `keys`; raises InputRefused K764 if it is none, was altered, or is for somebody else."""
    try:
        told: dict[str, Any] = json.loads(letter)
        signature = _bytes(told.pop("署名"))
        signer = _bytes(told["署名鍵"])
        Ed25519PublicKey.from_public_bytes(signer).verify(signature, _canonical(told))
        to = keys.receiving.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        mine = _bytes(told["一時鍵"])
        key = _shared(keys.receiving.exchange(X25519PublicKey.from_public_bytes(mine)), mine, to)
        content = AESGCM(key).decrypt(_bytes(told["ノンス"]), _bytes(told["本文"]), str(told["形式"]).encode())
    except (ValueError, KeyError, TypeError, AttributeError, InvalidSignature, InvalidTag) as e:
        raise InputRefused(
            "K764",
            "引継ぎ書を開けません。この市あてでないか、途中で書き換わったか、引継ぎ書ではありません。",
            "受け取ったファイル",
            "送った市町村に、宛先の鍵と送り直しを確かめてください。",
        ) from e
    return Opened(content, fingerprint(signer))


def _shared(secret: bytes, fresh: bytes, to: bytes) -> bytes:
    return HKDF(hashes.SHA256(), _KEY_BYTES, salt=None, info=FORMAT.encode() + fresh + to).derive(secret)


def _canonical(letter: dict[str, Any]) -> bytes:
    return json.dumps(letter, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _address(address: str) -> bytes:
    try:
        raw = _bytes(address.strip())
    except ValueError:
        raw = b""
    if len(raw) != _KEY_BYTES:
        raise InputRefused(
            "K766", "宛先の鍵の形が正しくありません。", "宛先の鍵", "移転先の市町村から受け取った文字をそのまま貼ってください。"
        )
    return raw


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)
