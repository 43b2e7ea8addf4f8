"""ローマ字 → カナ: Japanese names written in Latin letters, by Hepburn (passports) or Kunrei spelling.

Only a writing that is wholly Japanese syllables is read; SMITH or NGUYEN stays what it is. Long vowels are written in many ways
(OHNO, ONO, OONO, Ōno) and passports drop them, so the kana found here is right up to what the kana key ignores.
"""

import re
import unicodedata

_ROWS = {
    "": "アイウエオ",
    "k": "カキクケコ",
    "s": "サシスセソ",
    "t": "タチツテト",
    "n": "ナニヌネノ",
    "h": "ハヒフヘホ",
    "m": "マミムメモ",
    "r": "ラリルレロ",
    "g": "ガギグゲゴ",
    "z": "ザジズゼゾ",
    "d": "ダヂヅデド",
    "b": "バビブベボ",
    "p": "パピプペポ",
}
_VOWELS = "aiueo"
_GLIDES = {
    "ky": "キ",
    "sh": "シ",
    "sy": "シ",
    "ch": "チ",
    "ty": "チ",
    "ny": "ニ",
    "hy": "ヒ",
    "my": "ミ",
    "ry": "リ",
    "gy": "ギ",
    "j": "ジ",
    "jy": "ジ",
    "zy": "ジ",
    "by": "ビ",
    "py": "ピ",
}
_SINGLE = {
    "shi": "シ",
    "chi": "チ",
    "tsu": "ツ",
    "fu": "フ",
    "ji": "ジ",
    "ya": "ヤ",
    "yu": "ユ",
    "yo": "ヨ",
    "wa": "ワ",
    "wo": "ヲ",
    "n": "ン",
}
_SYLLABLES = (
    {row + vowel: kana for row, kanas in _ROWS.items() for vowel, kana in zip(_VOWELS, kanas, strict=True)}
    | {glide + vowel: kana + small for glide, kana in _GLIDES.items() for vowel, small in zip("auo", "ャュョ", strict=True)}
    | _SINGLE
)
_DOUBLED = re.compile(r"([kstpgdbz])(?=\1)|t(?=ch)|c(?=ch)")
_N_BEFORE_LIP = re.compile("m(?=[bpm])")
_LONG_H = re.compile(r"(?<=o)h(?=[^aiueoy]|$)")
_WORD = re.compile("[a-z'-]+")


def kana_of_romaji(text: str) -> str | None:
    """`YAMADA Hanako` → `ヤマダ ハナコ`; None if any part is not Japanese syllables."""
    words = text.replace(",", " ").split()
    read = [_word(w) for w in words]
    return " ".join(r for r in read if r) if read and all(read) else None


def _word(word: str) -> str | None:
    # A macron is a long vowel; passports leave it out, and the kana key does not see it either.
    plain = "".join(c for c in unicodedata.normalize("NFD", word.lower()) if not unicodedata.combining(c))
    if not _WORD.fullmatch(plain):
        return None
    plain = _N_BEFORE_LIP.sub("n", _LONG_H.sub("", plain))
    out: list[str] = []
    place = 0
    while place < len(plain):
        if plain[place] in "'-":
            place += 1
            continue
        if _DOUBLED.match(plain, place):
            out.append("ッ")
            place += 1
            continue
        size = next((n for n in (3, 2, 1) if plain[place : place + n] in _SYLLABLES and len(plain[place : place + n]) == n), 0)
        if not size:
            return None
        out.append(_SYLLABLES[plain[place : place + size]])
        place += size
    return "".join(out) or None
