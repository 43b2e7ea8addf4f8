"""住所 → prefecture, city, town area, block number and the rest (方書), offline.

Read from the front: each part is the longest known name the text begins with. What is not in a table is cut by how addresses
are written, and flagged. 丁目 belongs to the block (桜台三丁目12番5号 = 桜台3-12-5), so every spelling gives one key.
"""

import re
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from kizuki.cleanse.flags import Flag
from kizuki.cleanse.places import PREFECTURES, City, Gazetteer, arabic, nationwide, place_key, town_key
from kizuki.cleanse.text import base_form, distinct

_POSTCODE = re.compile(r"^〒?\s*(\d{3})-?(\d{4})(?!\d)\s*")
_POST_MARK = re.compile(r"^〒\s*")
_HYPHENS = re.compile(r"(?<=[0-9])\s*[-\u2010-\u2015−ーｰ─━~〜]\s*(?=[0-9])")
_CITY_BY_SHAPE = re.compile(r"^(?:\D{1,5}?郡)?\D{1,6}?[市区町村]")
_TOWN_BY_SHAPE = re.compile(r"^(?:大字|字)?([^\s\d]{1,15}?)(?=\s|\d|[〇一二三四五六七八九十]+(?:丁|番)|$)")
_STREETS = re.compile(r"^.*(?:上る|上ル|下る|下ル|東入る?|西入る?|東入ル|西入ル|入る|入ル|通)")
_SUBAREA = re.compile(r"^(?:小?字)[^\s\d]{1,12}?(?=\d)")
_NUMERAL = "〇一二三四五六七八九十百"
_UNIT = r"(丁目|丁|番地|番町(?=\d)|番|地割|号(?![室棟館])|(?=\D|$))"
_ROOM = r"(?!\d|号[室棟館]|階|F|棟|室|F|f)"
_BLOCK = re.compile(rf"^([甲乙丙丁戊]?)(?:(\d+){_ROOM}{_UNIT}|([{_NUMERAL}]+)(丁目|丁|番地|番|号(?![室棟館])))")
_BETWEEN = re.compile(r"^[-の\u30ce之](?=[甲乙丙\d])")
_LEADING = re.compile(r"^[-,、\s]+")
_MOST_NUMBERS = 3


class Address(NamedTuple):
    """One address in parts; a part that cannot be read is None. `block` is `3-12-5`; `rest` is what follows (方書)."""

    prefecture: str | None
    city: str | None
    town: str | None
    block: str | None
    rest: str | None
    postcode: str | None
    town_key: str | None
    block_key: str | None
    flags: tuple[Flag, ...]

    @property
    def key(self) -> str | None:
        """One comparison key of place and block; None when neither town nor block was read."""
        parts = (self.town_key, self.block_key)
        return "/".join(p or "" for p in parts) if any(parts) else None


@dataclass(frozen=True)
class AddressRules:
    """Where the reader stands: its own city is assumed when the text names none, and its own 町字 list is used."""

    prefecture: str | None = None
    city: str | None = None
    towns: frozenset[str] = frozenset()

    @cached_property
    def gazetteer(self) -> Gazetteer:
        """The national table with the own city added."""
        if self.city is None:
            return nationwide()
        return nationwide().with_city(self.prefecture or "", self.city, self.towns)

    @cached_property
    def home(self) -> tuple[City, ...]:
        """The own city as a candidate, if there is one."""
        own = [c for c in self.gazetteer.cities if c.name == self.city and c.prefecture == (self.prefecture or "")]
        return tuple(own[-1:])


_NOWHERE = AddressRules()


def clean_address(raw: str, rules: AddressRules = _NOWHERE) -> Address:
    """Parts and keys of one address; blank → all None."""
    flags: list[Flag] = []
    text, postcode = _postcode(_HYPHENS.sub("-", base_form(raw, flags)))
    if not text:
        return Address(None, None, None, None, None, postcode, None, None, distinct(flags))
    prefecture = next((p for p in PREFECTURES if text.startswith(p)), None)
    text = text[len(prefecture or "") :].lstrip()
    city_name, candidates, text = _city(text, prefecture, rules, flags)
    city, town, found_code, text = _town(text, candidates, flags)
    if city is not None:
        city_name = city.name
    if prefecture is None:
        prefecture = _prefecture(city, candidates, flags)
    text, subarea = _subarea(text)
    block, text = _block(text)
    if block is None:
        flags.append(Flag.BLOCK_MISSING)
    rest = " ".join(p for p in (subarea, _LEADING.sub("", text).strip()) if p) or None
    whole_key = (place_key(city_name or "") + town_key(town)) if town else None
    return Address(prefecture, city_name, town, block, rest, postcode or found_code, whole_key, block, distinct(flags))


def town_of(raw: str, rules: AddressRules = _NOWHERE) -> str | None:
    """Only the town area: what a city's own list is made from."""
    return clean_address(raw, rules).town


def _postcode(text: str) -> tuple[str, str | None]:
    if match := _POSTCODE.match(text):
        return text[match.end() :], match.group(1) + match.group(2)
    return _POST_MARK.sub("", text), None


def _city(
    text: str, prefecture: str | None, rules: AddressRules, flags: list[Flag]
) -> tuple[str | None, tuple[City, ...], str]:
    length, found = rules.gazetteer.match_city(place_key(text), prefecture)
    if found:
        name = found[0].name if len(found) == 1 else text[:length]
        return name, found, text[length:].lstrip()
    if rules.home and prefecture in (None, rules.prefecture) and rules.home[0].match_town(place_key(text)):
        return rules.city, rules.home, text
    if match := _CITY_BY_SHAPE.match(text):
        flags.append(Flag.CITY_UNLISTED)
        return match.group(), (), text[match.end() :].lstrip()
    flags.append(Flag.CITY_MISSING)
    return rules.city, rules.home, text


def _town(text: str, candidates: tuple[City, ...], flags: list[Flag]) -> tuple[City | None, str | None, str | None, str]:
    """(the one city it lies in, town, postcode, text after it)."""
    for start in _starts(text):
        matches = [(m, c) for c in candidates if (m := c.match_town(place_key(text[start:])))]
        if matches:
            longest = max(m[0] for m, _ in matches)
            best = [(m, c) for m, c in matches if m[0] == longest]
            (length, town, postcode), city = best[0]
            only = city if len(best) == 1 else None
            return only, town, (postcode or None) if only else None, text[start + length :].lstrip()
    only = candidates[0] if len(candidates) == 1 else None
    if match := _TOWN_BY_SHAPE.match(text):
        flags.append(Flag.TOWN_GUESSED)
        return only, match.group(1), None, text[match.end() :].lstrip()
    flags.append(Flag.TOWN_MISSING)
    return only, None, None, text


def _starts(text: str) -> list[int]:
    """Where a town may begin: at once, after 大字 or 字, after the streets of Kyoto."""
    starts = [0]
    starts += [len(p) for p in ("大字", "字") if text.startswith(p)]
    if streets := _STREETS.match(text):
        starts.append(streets.end())
    return starts


def _prefecture(city: City | None, candidates: tuple[City, ...], flags: list[Flag]) -> str | None:
    names = {city.prefecture} if city else {c.prefecture for c in candidates}
    if len(names) > 1:
        flags.append(Flag.PREFECTURE_AMBIGUOUS)
        return None
    name = next(iter(names), "") or None
    if name:
        flags.append(Flag.PREFECTURE_INFERRED)
    return name


def _subarea(text: str) -> tuple[str, str | None]:
    if match := _SUBAREA.match(text):
        return text[match.end() :], match.group()
    return text, None


def _block(text: str) -> tuple[str | None, str]:
    """At most three numbers (丁目・番・号 or 番地・枝・枝) joined by hyphens, and the text after them."""
    numbers: list[str] = []
    rest = text
    while len(numbers) < _MOST_NUMBERS and (match := _BLOCK.match(rest)):
        letter, digits, unit, kanji, kanji_unit = match.groups()
        numbers.append(letter + str(int(digits or arabic(kanji))) if (digits or arabic(kanji)).isdigit() else letter + kanji)
        after = rest[match.end() :]
        written = unit or kanji_unit or ""
        rest = after
        if written == "号":
            break
        if between := _BETWEEN.match(after):
            rest = after[between.end() :]
        elif written:
            rest = after.lstrip()
        else:
            break
    return ("-".join(numbers) if numbers else None), rest
