"""The first step of every normaliser: widths, spaces, variation selectors, invisible characters."""

import re
import unicodedata
from functools import cache

from kizuki.cleanse.flags import Flag

_SELECTOR = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")
# Format and control characters, but not the line breaks and tabs that `\s` below turns into one space.
_INVISIBLE = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")
_SPACES = re.compile(r"\s+")


def base_form(raw: str, flags: list[Flag]) -> str:
    """NFKC without variation selectors or invisible characters, spaces single and trimmed; notes what changed.

    NFKC also replaces CJK compatibility ideographs (神 U+FA19 → 神), so this is for comparing, never for display.
    """
    if raw.isascii() and raw.isalnum():
        return raw
    text = raw
    if _SELECTOR.search(text):
        text = _SELECTOR.sub("", text)
        flags.append(Flag.SELECTOR)
    if _INVISIBLE.search(text):
        text = _INVISIBLE.sub("", text)
        flags.append(Flag.CONTROL)
    wide = unicodedata.normalize("NFKC", text)
    single = _SPACES.sub(" ", wide).strip()
    if wide.replace(" ", "") != text.replace("\u3000", "").replace(" ", ""):
        flags.append(Flag.WIDTH)
    if single != wide:
        flags.append(Flag.SPACE)
    return single


def trimmed(raw: str, flags: list[Flag]) -> str:
    """The writing as delivered, without the blanks around it: what people are shown."""
    display = raw.strip()
    if display != raw:
        flags.append(Flag.SPACE)
    return display


def distinct(flags: list[Flag]) -> tuple[Flag, ...]:
    """Flags once each, in the order of the list above."""
    if len(flags) < 2:
        return tuple(flags)
    return _ordered(frozenset(flags))


@cache
def _ordered(flags: frozenset[Flag]) -> tuple[Flag, ...]:
    return tuple(f for f in Flag if f in flags)
