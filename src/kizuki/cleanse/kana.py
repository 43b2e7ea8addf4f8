"""フリガナ: one stored form (full-width katakana, single spaces) and two comparison keys.

The code of one ASCII byte per kana that distances are measured on is `kizuki.terms.kana.kana_code`.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import jaconv

from kizuki.cleanse.flags import Cleaned, Flag
from kizuki.cleanse.romaji import kana_of_romaji
from kizuki.cleanse.text import base_form, distinct

_HYPHENS = re.compile(r"(?<=[ァ-ヺー])[-\u2010-\u2015−ｰ─━]+")
_NOT_KANA = re.compile("[^ァ-ヺー]")
_NOT_KANA_OR_SPACE = re.compile("[^ァ-ヺー ]")
_HIRAGANA = re.compile("[ぁ-ゖゝゞ]")
_LATIN = re.compile("[A-Za-z]")
_SEPARATORS = re.compile("[・･.,、]")
_VOICED_REPEAT = str.maketrans("カキクケコサシスセソタチツテトハヒフヘホウ", "ガギグゲゴザジズゼゾダヂヅデドバビブベボヴ")
_SAME = str.maketrans("ァィゥェォッャュョヮヵヶヅヂヲヴヰヱヷヸヹヺ", "アイウエオツヤユヨワカケズジオブイエバビベボ")
_PLAIN = str.maketrans("ガギグゲゴザジズゼゾダデドバビブベボパピプペポ", "カキクケコサシスセソタテトハヒフヘホハヒフヘホ")
_O_AND_U_ROWS = frozenset("オコソトノホモヨロゴゾドボポウクスツヌフムユルグズブプ")
_E_ROW = frozenset("エケセテネヘメレゲゼデベペ")


class Kana(NamedTuple):
    """One reading: stored form, strict key (spelling habits folded), loose key (voicing and doubling folded too)."""

    kana: str | None
    key: str | None
    family_key: str | None
    given_key: str | None
    flags: tuple[Flag, ...]

    @property
    def loose_key(self) -> str | None:
        """The key folded further, for searching."""
        return loose_kana_key(self.key) or None if self.key else None


@dataclass(frozen=True, slots=True)
class KanaRegister:
    """Readings of 姓 and 名 (stored form) that 住民記録 writes apart: what an unspaced reading is split by."""

    families: frozenset[str] = frozenset()
    givens: frozenset[str] = frozenset()


_NO_REGISTER = KanaRegister()


def kana_register_of(families: Iterable[str], givens: Iterable[str]) -> KanaRegister:
    """The register made from the 姓 and 名 of readings that are written apart."""
    return KanaRegister(*(frozenset(k for k in map(_stored_form, parts) if k) for parts in (families, givens)))


def _stored_form(raw: str) -> str | None:
    return stored_kana(raw).value


def clean_kana(raw: str, register: KanaRegister = _NO_REGISTER) -> Kana:
    """Half-width, hiragana and odd hyphens → full-width katakana; the keys have no spaces. Blank → all None.

    A reading in Latin letters is read where it is Japanese (the source's own column keeps the letters).
    Without a space the parts are known only if the register allows exactly one way to cut 姓 and 名.
    """
    kana, done = stored_kana(raw)
    flags = list(done)
    if kana is None:
        return Kana(None, None, None, None, done)
    if _LATIN.search(kana) and (read := kana_of_romaji(kana)):
        kana = read
        flags = [*(f for f in flags if f is not Flag.NOT_KANA), Flag.ROMAJI]
    family, given = None, None
    first, _, rest = kana.partition(" ")
    if not rest and (cuts := _cuts(kana, register)) and len(cuts) == 1:
        first, rest = kana[: cuts[0]], kana[cuts[0] :]
        flags.append(Flag.SPLIT_BY_REGISTER)
    if rest:
        family, given = kana_key(first) or None, kana_key(rest) or None
    else:
        flags.append(Flag.NOT_SPLIT)
    return Kana(kana, _joined_key(kana) or None, family, given, distinct(flags))


def stored_kana(raw: str) -> Cleaned[str]:
    """Only the stored form: full-width katakana, single spaces; blank → None."""
    first, space, rest = raw.partition(" ")
    if space and first and rest and not any(c.isspace() for c in rest) and rest[0] not in "ヽヾゝゞ":
        family, given = _stored(first), _stored(rest)
        if family.value and given.value:
            return Cleaned(f"{family.value} {given.value}", distinct([*family.flags, *given.flags]))
    return _stored(raw)


@lru_cache(maxsize=1 << 17)
def _stored(raw: str) -> Cleaned[str]:
    flags: list[Flag] = []
    text = base_form(raw, flags)
    if _HIRAGANA.search(text):
        flags.append(Flag.HIRAGANA)
    kana = _repeats(str(jaconv.hira2kata(_SEPARATORS.sub(" ", text))))
    # A loose voicing mark may find its base only in katakana (ワ + mark = ヷ).
    kana = unicodedata.normalize("NFC", " ".join(_HYPHENS.sub(_long_marks, kana).split()))
    if not kana:
        return Cleaned(None, distinct(flags))
    if _NOT_KANA_OR_SPACE.search(kana):
        flags.append(Flag.NOT_KANA)
    return Cleaned(kana, distinct(flags))


def _joined_key(kana: str) -> str:
    # The parts are few and remembered; only a 名 that begins with ウ needs the two looked at together.
    first, _, rest = kana.partition(" ")
    key, more = kana_key(first), kana_key(rest) if rest else ""
    return kana_key(kana) if more.startswith("ウ") else key + more


def _cuts(kana: str, register: KanaRegister) -> list[int]:
    return [n for n in range(1, len(kana)) if kana[:n] in register.families and kana[n:] in register.givens]


@lru_cache(maxsize=1 << 17)
def kana_key(text: str) -> str:
    """Comparison key of katakana or hiragana; characters that are not kana are left out. Idempotent.

    ヅ=ズ, ヂ=ジ, ヲ=オ, ヴ=ブ, small kana = large, ー and the ウ of long オ・ウ dropped (サトウ=サトー=サト).
    """
    plain = _NOT_KANA.sub("", str(jaconv.hira2kata(text))).translate(_SAME).replace("ー", "")
    kept: list[str] = []
    for character in plain:
        if character == "ウ" and kept and kept[-1] in _O_AND_U_ROWS:
            continue
        kept.append(character)
    return "".join(kept)


def loose_kana_key(text: str) -> str:
    """Folded further for searching: voicing, doubled characters, long オ and エ. Joins readings by intent. Idempotent."""
    kept: list[str] = []
    for character in kana_key(text).translate(_PLAIN):
        if kept:
            last = kept[-1]
            if character == last or (character in "ウオ" and last in _O_AND_U_ROWS) or (character in "イエ" and last in _E_ROW):
                continue
        kept.append(character)
    return "".join(kept)


def _long_marks(match: re.Match[str]) -> str:
    return "ー" * len(match.group())


def _repeats(text: str) -> str:
    # ヽ repeats the kana before it, ヾ repeats it voiced (ミスヾ).
    if "ヽ" not in text and "ヾ" not in text:
        return text
    out: list[str] = []
    for character in text:
        if character in "ヽヾ" and out:
            out.append(out[-1] if character == "ヽ" else out[-1].translate(_VOICED_REPEAT))
        else:
            out.append(character)
    return "".join(out)
