"""氏名: the writing stays as delivered; beside it a comparison key, a loose key, and the parts 姓 and 名.

The key folds only what the MJ縮退マップ (or the city's own table) calls the same character; the loose key folds more and is for
searching and review. A 外字 nobody has listed becomes 〓 in the keys.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from importlib.resources import files
from typing import NamedTuple

import jaconv

from kizuki.cleanse.flags import Flag
from kizuki.cleanse.gaiji import GaijiTable, read_gaiji
from kizuki.cleanse.text import base_form, distinct, trimmed
from kizuki.cleanse.variants import fold, fold_loose

_PARENTHESES = re.compile(r"[(\[【\u3014].*?[)\]】\u3015]")
_SEPARATORS = re.compile("[・･,、.。]")
_LATIN = re.compile("[A-Za-z\u00c0-\u024f\u1e00-\u1eff]")
_JAPANESE = re.compile("[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff〓々\U00020000-\U0003ffff]")
_ODD = re.compile("[()\\[\\]【】\u3014\u3015・･,、.。A-Za-z\u00c0-\u024f\u1e00-\u1eff\ue000-\uf8ff\U000f0000-\U0010ffff]")
_JOINING = re.compile("[\u0300-\u036f\u1160-\u11ff\u20d0-\u20ff\u3099\u309a]")
_HONORIFICS = frozenset({"様", "殿", "さま", "さん", "くん", "ちゃん"})
_SHORTEST_WITH_HONORIFIC = 3
_SMALL_KE = str.maketrans("ヵヶ", "カケ")


@dataclass(frozen=True, slots=True)
class NameRegister:
    """Keys of the 姓 and 名 that 住民記録 writes apart: what an unspaced name is split by."""

    families: frozenset[str] = frozenset()
    givens: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class NameRules:
    """What the city adds to the general rules: its 外字表 for one source, its own 異体字表, its register of names."""

    gaiji: GaijiTable = field(default_factory=dict)
    own_variants: Mapping[int, str] = field(default_factory=dict)
    register: NameRegister = field(default_factory=NameRegister)


class Name(NamedTuple):
    """One name: what is shown, what is compared. Parts are None when the writing cannot be split."""

    display: str
    key: str | None
    loose_key: str | None
    family: str | None
    given: str | None
    family_key: str | None
    given_key: str | None
    flags: tuple[Flag, ...]


_NO_RULES = NameRules()


def clean_name(raw: str, rules: NameRules = _NO_RULES) -> Name:
    """Keys and parts of one name; blank → display "" and no keys."""
    if not rules.own_variants and (usual := _usual(raw)):
        return usual
    return _any_name(raw, rules)


def _any_name(raw: str, rules: NameRules) -> Name:
    flags: list[Flag] = []
    display = trimmed(raw, flags)
    readable = base_form(read_gaiji(display, rules.gaiji, flags), flags)
    bare = _PARENTHESES.sub(" ", readable)
    if bare != readable:
        flags.append(Flag.PARENTHESES)
    tokens = _without_honorific(_SEPARATORS.sub(" ", bare).split(), flags)
    if not tokens:
        return Name(display, None, None, None, None, None, None, distinct(flags))
    if _is_alphabet(bare):
        flags.append(Flag.ALPHABET)
        return _alphabet(display, tokens, flags)
    return _japanese(display, tokens, rules, flags)


def _without_honorific(tokens: list[str], flags: list[Flag]) -> list[str]:
    """様 and 殿 after the name; nothing is taken from a name that would not be left with two characters."""
    if len(tokens) > 1 and tokens[-1] in _HONORIFICS:
        kept = tokens[:-1]
    elif tokens and tokens[-1].endswith("様") and len("".join(tokens)) > _SHORTEST_WITH_HONORIFIC:
        kept = [*tokens[:-1], tokens[-1].removesuffix("様")]
    else:
        return tokens
    flags.append(Flag.HONORIFIC)
    return [token for token in kept if token]


def name_key(raw: str, rules: NameRules = _NO_RULES) -> str | None:
    """Only the comparison key; `name_key(name_key(x)) == name_key(x)`."""
    return clean_name(raw, rules).key


def register_of(families: Iterable[str], givens: Iterable[str], rules: NameRules = _NO_RULES) -> NameRegister:
    """The register made from the 姓 and 名 of names that are written apart; Latin ones teach nothing."""
    return NameRegister(frozenset(_part_keys(families, rules)), frozenset(_part_keys(givens, rules)))


def _part_keys(parts: Iterable[str], rules: NameRules) -> Iterator[str]:
    for part in parts:
        name = clean_name(part, rules)
        if name.key and not {Flag.ALPHABET, Flag.GAIJI_UNKNOWN} & set(name.flags):
            yield name.key


class _Token(NamedTuple):
    key: str
    loose_key: str
    flags: tuple[Flag, ...]


def _usual(raw: str) -> Name | None:
    """The same answer for the usual writing, 姓 and 名 with one wide space, from remembered parts (a city has few of each)."""
    family, space, given = raw.partition("\u3000")
    if not space or (first := _token(family)) is None or (second := _token(given)) is None:
        return None
    flags = first.flags or second.flags
    key, loose = first.key + second.key, first.loose_key + second.loose_key
    return Name(raw, key, loose, family, given, first.key, second.key, flags)


@lru_cache(maxsize=1 << 17)
def _token(text: str) -> _Token | None:
    # None sends the whole name the long way: spaces, 外字, Latin letters, brackets, a repetition mark in front, odd widths.
    flags: list[Flag] = []
    odd = (
        not text
        or text[0] in "々〻"
        or _JOINING.match(text) is not None
        or text[-1] == "様"
        or text in _HONORIFICS
        or any(c.isspace() for c in text)
        or _ODD.search(text) is not None
    )
    if odd or base_form(text, flags) != text or flags:
        return None
    folded = fold(text)
    key = _settled(folded, {})
    return _Token(key, _loose(key), (Flag.VARIANT,) if folded != text else ())


def _is_alphabet(text: str) -> bool:
    return bool(_LATIN.search(text)) and not _JAPANESE.search(text)


def _alphabet(display: str, tokens: list[str], flags: list[Flag]) -> Name:
    # 在留カード writes the family name first; other systems may not, so the loose key forgets the order.
    keys = [k for k in (_latin_key(t) for t in tokens) if k]
    whole = "".join(keys)
    loose = "".join(sorted(keys))
    if len(keys) < 2:
        flags.append(Flag.NOT_SPLIT)
        return Name(display, whole or None, loose or None, None, None, None, None, distinct(flags))
    return Name(display, whole, loose, tokens[0], " ".join(tokens[1:]), keys[0], "".join(keys[1:]), distinct(flags))


def _latin_key(token: str) -> str:
    # NGUYỄN, Nguyễn and NGUYEN are one name; hyphens and apostrophes are written or not.
    bare = "".join(c for c in unicodedata.normalize("NFD", token.upper()) if not unicodedata.combining(c))
    return "".join(c for c in unicodedata.normalize("NFKC", bare).upper() if c.isalnum())


def _japanese(display: str, tokens: list[str], rules: NameRules, flags: list[Flag]) -> Name:
    folded = [fold(t, rules.own_variants) for t in tokens]
    if folded != tokens:
        flags.append(Flag.VARIANT)
    key = _settled("".join(folded), rules.own_variants)
    if len(tokens) >= 2:
        family, given = tokens[0], "".join(tokens[1:])
        family_key, given_key = folded[0].upper(), "".join(folded[1:]).upper()
        return Name(display, key, _loose(key), family, given, family_key, given_key, distinct(flags))
    at, how = _split_at(key, rules.register) if len(key) == len(tokens[0]) else (0, Flag.NOT_SPLIT)
    flags.append(how)
    if not at:
        return Name(display, key, _loose(key), None, None, None, None, distinct(flags))
    return Name(display, key, _loose(key), tokens[0][:at], tokens[0][at:], key[:at], key[at:], distinct(flags))


def _settled(key: str, own: Mapping[int, str]) -> str:
    # Joining the parts may bring a mark next to its base, and capitals may be longer: repeat until nothing changes.
    done = ""
    while done != key:
        done, key = key, fold(unicodedata.normalize("NFKC", key).upper(), own)
    return key


def _split_at(key: str, register: NameRegister) -> tuple[int, Flag]:
    """Length of the 姓 and how it was found: by the register (a rest that is a known 名 first), else by the general list.

    A writing that is itself a known 姓 is a 姓 alone (高橋 is no 高 called 橋) unless the register knows the rest as a 名.
    """
    places = range(len(key) - 1, 0, -1)
    known = [n for n in places if key[:n] in register.families]
    given = next((n for n in known if key[n:] in register.givens), 0)
    if given:
        return given, Flag.SPLIT_BY_REGISTER
    if key in register.families or key in general_surnames():
        return 0, Flag.NOT_SPLIT
    if known:
        return known[0], Flag.SPLIT_BY_REGISTER
    listed = next((n for n in places if key[:n] in general_surnames()), 0)
    return listed, Flag.SPLIT_BY_LIST if listed else Flag.NOT_SPLIT


@cache
def general_surnames() -> frozenset[str]:
    """Keys of some 2,000 frequent 姓 of Japan, for names no register knows (credit in data/README.md)."""
    return frozenset(files("kizuki.cleanse").joinpath("data", "surnames.txt").read_text(encoding="utf-8").split())


def _loose(key: str) -> str:
    text = fold_loose(str(jaconv.hira2kata(key)).translate(_SMALL_KE))
    out: list[str] = []
    for character in text:
        out.append(out[-1] if character in "々〻" and out else character)
    return "".join(out)
