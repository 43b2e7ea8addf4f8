"""Kanji numerals in addresses: single figures inside names, and whole numbers as 番地 are written in old papers."""

import re

_DIGITS = str.maketrans("〇一二三四五六七八九", "0123456789")
_DAIJI = str.maketrans("壱弐参拾零", "一二三十〇")
FIGURE = r"[一二三四五六七八九]?十[一二三四五六七八九]?|[〇一二三四五六七八九]"
"""Pattern of one number below 100 with 十, or of one figure."""
_FIGURE = re.compile(FIGURE)
_WHOLE = re.compile(
    r"(?:([一二三四五六七八九])?千)?(?:([一二三四五六七八九])?百)?(?:([一二三四五六七八九])?十)?([一二三四五六七八九])?"
)
KANJI_FIGURES = "〇一二三四五六七八九十百千壱弐参拾零"
"""Every character a written number may consist of."""


def arabic(text: str) -> str:
    """Kanji numerals inside a name as digits: 三十二 → 32, 一〇 → 10. 百 and 千 are parts of names."""
    return _FIGURE.sub(lambda match: figure_digits(match.group()), text)


def figure_digits(word: str) -> str:
    """One match of `FIGURE` as digits: 十三 → 13, 三 → 3."""
    if "十" not in word:
        return word.translate(_DIGITS)
    tens, _, ones = word.partition("十")
    return str(int(tens.translate(_DIGITS) or 1) * 10 + int(ones.translate(_DIGITS) or 0))


def number(word: str) -> int | None:
    """A whole written number: 1234, 千二百三十四, 一二三四, 壱; None if the word is no number (三五十)."""
    if word.isdecimal():
        return int(word)
    plain = word.translate(_DAIJI)
    if not set(plain) & set("十百千"):
        figures = plain.translate(_DIGITS)
        return int(figures) if figures.isdecimal() else None
    match = _WHOLE.fullmatch(plain)
    if not match:
        return None
    thousands, hundreds, tens, ones = (int(part.translate(_DIGITS)) if part else None for part in match.groups())
    total = ones or 0
    for sign, part, worth in (("十", tens, 10), ("百", hundreds, 100), ("千", thousands, 1000)):
        if sign in plain:
            total += (part or 1) * worth
    return total
