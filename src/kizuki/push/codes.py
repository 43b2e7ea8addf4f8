"""登録番号 (pure): twelve digits posted in a letter; the last is a check digit, and only a keyed digest is ever kept.

The check digit is Damm's (2004): it catches every single wrong digit and every swap of neighbours, the two mistakes people make
when they copy a number by hand.
"""

import hashlib
import hmac
import secrets
import unicodedata
from typing import Final

DIGITS: Final = 12
KEY_PURPOSE: Final = "registration-code"
"""Purpose of the key both sides make digests with."""
_QUASIGROUP: Final = (
    "0317598642", "7092154863", "4206871359", "1750983426", "6123045978",
    "3674209581", "5869720134", "8945362017", "9438617205", "2581436790",
)  # fmt: skip


def draw() -> str:
    """A new code, from the system's own randomness."""
    body = "".join(secrets.choice("0123456789") for _ in range(DIGITS - 1))
    return body + check_digit(body)


def check_digit(body: str) -> str:
    """The digit that makes the whole number come out as zero."""
    interim = 0
    for digit in body:
        interim = int(_QUASIGROUP[interim][int(digit)])
    return str(interim)


def typed(text: str) -> str | None:
    """The code as somebody typed it (full-width digits, spaces and hyphens are no matter), or None if it cannot be one."""
    plain = unicodedata.normalize("NFKC", text)
    kept = "".join(c for c in plain if c not in " -\u2010\u2015\u30fc\u3000\t")
    if len(kept) != DIGITS or not (kept.isascii() and kept.isdigit()):
        return None
    return kept if check_digit(kept[:-1]) == kept[-1] else None


def digest(code: str, key: bytes) -> str:
    """What is kept of a code, and what the relay compares with."""
    return hmac.new(key, code.encode(), hashlib.sha256).hexdigest()


def printed(code: str) -> str:
    """In three groups of four, as a letter prints it."""
    return "-".join(code[i : i + 4] for i in range(0, DIGITS, 4))
