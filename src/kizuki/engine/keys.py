"""Keys: one root key outside the data, one derived key per purpose; small blobs sealed with AES-256-GCM.

Source: facts/governance (d) — root → HKDF purpose keys; NIST SP 800-38D for GCM (96-bit random nonce).
"""

import base64
import hashlib
import hmac
import os
import secrets
from collections.abc import Iterable
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from kizuki.terms.errors import RunFailed

_ROOT_BYTES = 32
_NONCE_BYTES = 12


class KeyRing:
    """Purpose keys of one home; `load` creates the root key on first use (0600, outside every data folder's backup)."""

    def __init__(self, root: bytes) -> None:
        if len(root) != _ROOT_BYTES:
            raise ValueError("root key must be 32 bytes")
        self._root = root

    @classmethod
    def load(cls, home: Path, key_file: Path | None = None) -> "KeyRing":
        """Read the root key of `home` (or of an explicit file), making it once if there is none."""
        path = key_file or home / "keys" / "root.key"
        if not path.exists():
            _create_once(path)
        try:
            root = base64.b64decode(path.read_bytes(), validate=True)
            return cls(root)
        except ValueError as e:
            raise RunFailed("K901", "鍵ファイルを読めません。", str(path), "鍵の控えから戻してください。") from e

    def key(self, purpose: str) -> bytes:
        """A 32-byte key for one purpose, such as `landing` or `snapshot`."""
        return HKDF(hashes.SHA256(), 32, salt=None, info=b"kizuki/" + purpose.encode()).derive(self._root)

    def seal(self, plain: bytes, purpose: str, aad: str = "") -> bytes:
        """Encrypt a small blob; `aad` ties it to the place it belongs to."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + AESGCM(self.key(purpose)).encrypt(nonce, plain, aad.encode())

    def unseal(self, blob: bytes, purpose: str, aad: str = "") -> bytes:
        """Decrypt what `seal` made; raises RunFailed if it was altered or belongs elsewhere."""
        try:
            return AESGCM(self.key(purpose)).decrypt(blob[:_NONCE_BYTES], blob[_NONCE_BYTES:], aad.encode())
        except InvalidTag as e:
            raise RunFailed("K902", "封を解けません。改変されたか、鍵が違います。", purpose, "控えから戻してください。") from e

    def token(self, purpose: str, *parts: str) -> str:
        """A 128-bit opaque token of `parts`: the same parts give the same token, nothing can be read back from it."""
        body = "\x1f".join(parts).encode()
        return hmac.new(self.key(purpose), body, hashlib.sha256).hexdigest()[:32]

    def tokens(self, purpose: str, many: Iterable[tuple[str, ...]]) -> list[str]:
        """`token` of each tuple of parts, with the purpose key derived once (a first night mints 200,000)."""
        key = self.key(purpose)
        return [hmac.digest(key, "\x1f".join(parts).encode(), "sha256").hex()[:32] for parts in many]


def _create_once(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    text = base64.b64encode(secrets.token_bytes(_ROOT_BYTES))
    temporary = path.with_suffix(f".{os.getpid()}.new")
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(fd, "wb") as f:
        f.write(text)
        f.flush()
        os.fsync(f.fileno())
    try:
        os.link(temporary, path)  # refuses to replace: two processes starting together agree on one key
    except FileExistsError:
        pass
    finally:
        temporary.unlink()
