"""The relay's folder: its keys, the channel's secrets, where files come in and go out."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kizuki.engine.keys import KeyRing
from kizuki.terms.errors import UsageError

KEY_PURPOSE: Final = "relay-exchange"
_USER, _PAGE, _PLACE = "relay-line-user", "relay-notice-page", "relay-place"
LINE_TOKEN, LINE_SECRET, CODE_KEY = "line-token", "line-secret", "registration-code"
"""Files under `keys/` that a person puts there: the channel's access token and secret, and the key of the posted codes."""


@dataclass(frozen=True, slots=True)
class Relay:
    """One relay: its folder and its own keys (never the core's)."""

    home: Path
    keys: KeyRing

    @property
    def incoming(self) -> Path:
        """Where the core's files are put."""
        return self.home / "in"

    @property
    def outgoing(self) -> Path:
        """Where files for the core are written."""
        return self.home / "out"

    @property
    def signing_key(self) -> Ed25519PrivateKey:
        """The key files for the core are signed with."""
        return Ed25519PrivateKey.from_private_bytes(self.keys.key(KEY_PURPOSE))

    def secret(self, name: str) -> str:
        """The text of one file a person put under `keys/`; raises UsageError K658 if it is missing or empty."""
        path = self.home / "keys" / name
        text = path.read_text(encoding="ascii").strip() if path.exists() else ""
        if not text:
            raise UsageError(
                "K658",
                "中継に要る鍵のファイルがありません。",
                f"keys/{name}",
                "手引き「中継を置く」の表のとおりに置いてください。",
            )
        return text

    @property
    def code_key(self) -> bytes:
        """The key posted registration codes are compared by; raises UsageError K658."""
        try:
            return bytes.fromhex(self.secret(CODE_KEY))
        except ValueError as e:
            raise UsageError(
                "K658", "登録番号の鍵を読めません。", f"keys/{CODE_KEY}", "本体が書き出したファイルを写し直してください。"
            ) from e

    def user_token(self, user_id: str) -> str:
        """Finds a LINE user id again without keeping it."""
        return self.keys.token(_USER, user_id)

    def seal_user(self, user_id: str, recipient_no: str) -> bytes:
        """A LINE user id as it is kept; tied to its recipient."""
        return self.keys.seal(user_id.encode(), _USER, recipient_no)

    def user_id(self, sealed: bytes, recipient_no: str) -> str:
        """The LINE user id that was sealed; raises RunFailed K902 if it was altered or moved to another recipient."""
        return self.keys.unseal(sealed, _USER, recipient_no).decode()

    def page_key(self, notice_id: str) -> str:
        """The last part of the address of a notice's own page: the same at each attempt, kept nowhere."""
        return self.keys.token(_PAGE, notice_id)

    def place_token(self, address: str) -> str:
        """Stands for a network address where wrong codes are counted."""
        return self.keys.token(_PLACE, address)


def digest_of(secret: str) -> str:
    """What is kept of an unguessable address or ticket."""
    return hashlib.sha256(secret.encode()).hexdigest()
