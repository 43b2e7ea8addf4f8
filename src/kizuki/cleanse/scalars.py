"""Phones, postcodes, numbers of people and cases, codes, integers: digits in one form, with flags for what was odd."""

import re

from kizuki.cleanse.flags import Cleaned, Flag
from kizuki.cleanse.text import base_form, distinct

_NOT_DIGIT = re.compile(r"\D")
_EXTENSION = re.compile(r"(?:内線|内|ext\.?|EXT\.?|[xX#*;（(（]\s*内).*$")
_SEVERAL = re.compile(r"[、,/;・]|又は|または|\bor\b")
_ROW_OF_LINES = re.compile(r"\s*[~〜]\s*\d{1,4}\s*$")
_SPREADSHEET = re.compile(r"(?<=\d{9})\.0$")
_MOBILE_ABROAD = re.compile(r"81[5-9]0\d{8}$")
_FEWEST_DIGITS = 6
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?$")
_MINUS = re.compile(r"^[△▲−\u2010-\u2015ー-]\s*")
_PERSON_NO_DIGITS = 10
_MOST_DIGITS = 18  # every such number fits 64 bits


def clean_phone(raw: str) -> Cleaned[str]:
    """Digits only, +81 as 0, a lost leading zero restored. Implausible numbers are kept and flagged; blank → None."""
    flags: list[Flag] = []
    text = base_form(raw, flags)
    main = _EXTENSION.sub("", text)
    if main != text:
        flags.append(Flag.EXTENSION)
    main = _one_number(_SPREADSHEET.sub("", main), flags)
    digits = _NOT_DIGIT.sub("", main)
    if digits.startswith("81") and (main.lstrip().startswith("+") or _MOBILE_ABROAD.match(digits)):
        digits = "0" + digits[2:].removeprefix("0")
    if not digits:
        return Cleaned(None, distinct([*flags, Flag.IMPLAUSIBLE] if text else flags))
    if not digits.startswith("0") and (
        len(digits) == 9 or (len(digits) == 10 and digits[:2] in {"50", "60", "70", "80", "90"})
    ):
        digits = "0" + digits
        flags.append(Flag.LEADING_ZERO)
    flags.extend(_phone_doubts(digits))
    return Cleaned(digits, distinct(flags))


def _one_number(text: str, flags: list[Flag]) -> str:
    """The first of several numbers; 41-1551~3 names a row of lines of which the first is enough."""
    text = _ROW_OF_LINES.sub("", text)
    parts = [p for p in _SEVERAL.split(text) if len(_NOT_DIGIT.sub("", p)) >= _FEWEST_DIGITS]
    if len(parts) < 2:
        return text
    flags.append(Flag.SEVERAL)
    return parts[0]


def _phone_doubts(digits: str) -> list[Flag]:
    if not digits.startswith("0"):
        return [Flag.AREA_CODE_MISSING] if 6 <= len(digits) <= 8 else [Flag.IMPLAUSIBLE]
    # 11 digits: 050, 060, 070, 080, 090, 0800; every landline number is 0 + area + local = 10 digits, never beginning 00.
    long = digits[:3] in {"050", "060", "070", "080", "090"}
    plausible = len(digits) == (11 if long else 10) and digits[1] != "0" and len(set(digits)) > 2
    return [] if plausible else [Flag.IMPLAUSIBLE]


def clean_postcode(raw: str) -> Cleaned[str]:
    """Seven digits; six get the zero a spreadsheet dropped; other lengths → None and a flag."""
    flags: list[Flag] = []
    digits = _NOT_DIGIT.sub("", base_form(raw, flags))
    if len(digits) == 6:
        digits = "0" + digits
        flags.append(Flag.LEADING_ZERO)
    if len(digits) != 7:
        if raw.strip():
            flags.append(Flag.TOO_LONG if len(digits) > 7 else Flag.TOO_SHORT)
        return Cleaned(None, distinct(flags))
    return Cleaned(digits, distinct(flags))


def clean_person_no(raw: str) -> Cleaned[str]:
    """宛名番号 as ten digits: zeros in front added or taken away, whatever width the source writes."""
    if len(raw) == _PERSON_NO_DIGITS and raw.isascii() and raw.isdigit():
        return Cleaned(raw)
    flags: list[Flag] = []
    text = base_form(raw, flags)
    if not text:
        return Cleaned(None, distinct(flags))
    if not (text.isascii() and text.isdigit()):
        return Cleaned(None, distinct([*flags, Flag.NOT_NUMBER]))
    bare = text.lstrip("0")
    if len(bare) > _PERSON_NO_DIGITS:
        return Cleaned(None, distinct([*flags, Flag.TOO_LONG]))
    if len(text) != _PERSON_NO_DIGITS:
        flags.append(Flag.LEADING_ZERO)
    return Cleaned(bare.zfill(_PERSON_NO_DIGITS), distinct(flags))


def clean_code(raw: str) -> Cleaned[str]:
    """Width and spaces only: zeros in front of a code are part of it."""
    flags: list[Flag] = []
    return Cleaned(base_form(raw, flags) or None, distinct(flags))


def clean_int(raw: str) -> Cleaned[int]:
    """Commas, widths, △ for minus, `.0` allowed; anything else → None and a flag."""
    flags: list[Flag] = []
    text = _plain_number(raw, flags)
    if not text:
        return Cleaned(None, distinct(flags))
    if not _NUMBER.fullmatch(text) or text.partition(".")[2].strip("0"):
        return Cleaned(None, distinct([*flags, Flag.NOT_NUMBER]))
    whole = text.partition(".")[0]
    if len(whole) > _MOST_DIGITS:
        return Cleaned(None, distinct([*flags, Flag.TOO_LONG]))
    return Cleaned(int(whole), distinct(flags))


def clean_double(raw: str) -> Cleaned[float]:
    """Like `clean_int`, decimals kept."""
    flags: list[Flag] = []
    text = _plain_number(raw, flags)
    if not text:
        return Cleaned(None, distinct(flags))
    if not _NUMBER.fullmatch(text):
        return Cleaned(None, distinct([*flags, Flag.NOT_NUMBER]))
    return Cleaned(float(text), distinct(flags))


def clean_bool(raw: str) -> Cleaned[bool]:
    """The yes and no words of municipal systems."""
    flags: list[Flag] = []
    text = base_form(raw, flags).lower()
    if not text:
        return Cleaned(None, distinct(flags))
    if text in _YES or text in _NO:
        return Cleaned(text in _YES, distinct(flags))
    return Cleaned(None, distinct([*flags, Flag.NOT_NUMBER]))


_YES = frozenset({"1", "true", "t", "有", "あり", "はい", "○", "\u3007", "該当", "要"})
_NO = frozenset({"0", "false", "f", "無", "なし", "いいえ", "\u00d7", "非該当", "否"})


def _plain_number(raw: str, flags: list[Flag]) -> str:
    if raw.isascii() and raw.isdigit():
        return raw
    text = base_form(raw, flags).replace(",", "").replace(" ", "")
    return _MINUS.sub("-", text)
