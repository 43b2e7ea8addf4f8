"""住所 → prefecture, city, town area, block number and the rest (方書), offline.

Read from the front: each part is the longest known name the text begins with. What is not in a table is cut by how addresses
are written, and flagged. 丁目 belongs to the block (桜台三丁目12番5号 = 桜台3-12-5), so every spelling gives one key.
"""

import re
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from kizuki.cleanse.blocks import one_hyphen, read_block
from kizuki.cleanse.flags import Flag
from kizuki.cleanse.numerals import KANJI_FIGURES, number
from kizuki.cleanse.places import PREFECTURES, City, Gazetteer, nationwide, place_key, place_text, town_key
from kizuki.cleanse.text import base_form, distinct

_POSTCODE = re.compile(r"^〒?\s*(\d{3})-?(\d{4})(?!\d)\s*")
_POST_MARK = re.compile(r"^〒\s*")
_CITY_BY_SHAPE = re.compile(r"^(?:\D{1,5}?郡)?\D{1,6}?[市区町村]")
_DISTRICT = re.compile(r"^\D{1,5}?郡")
_FORMER_WARD = re.compile(r"^\D{1,3}?区")
_TOWN_BY_SHAPE = re.compile(r"^(?:大字|字)?([^\s\d]{1,15}?)(?=\s|\d|[〇一二三四五六七八九十]+(?:丁|番)|第?\d+地割|$)")
_DIVISION = re.compile(rf"^第?(\d+|[{KANJI_FIGURES}]+)地割")
_NUMBERED_TOWN = re.compile(rf"^(?:\d+|[{KANJI_FIGURES}]+)番[町丁]")
_OTHER_ENDING = str.maketrans("町丁", "丁町")
_KYOTO_STREETS = re.compile(r"^.*(?:[上下](?:が?る|ル)|[東西]へ?入(?:る|ル)?|入[るル])")
_STREETS = re.compile(r"^.*通(?!り?\d)り?")
_NORTHERN = re.compile(r"^([東西南北]?(?:\d+|[一二三四五六七八九十]+))(?=[東西南北](?:\d|[一二三四五六七八九十]))")
_LONGEST_CITY = 16
"""No city with its 郡 has a longer name."""
_PREFECTURES = frozenset(PREFECTURES)
_STEMS = {p[:-1]: p for p in PREFECTURES if p != "北海道"}


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
    text, postcode = _postcode(one_hyphen(base_form(raw, flags).strip("\"'")))
    if not text:
        return Address(None, None, None, None, None, postcode, None, None, distinct(flags))
    prefecture, text = _written_prefecture(text, rules)
    city_name, candidates, text = _city(text, prefecture, rules, flags)
    city, town, found_code, text = _town(text, candidates, flags)
    if city is not None:
        city_name = city.name
    if prefecture is None:
        prefecture = _prefecture(city, candidates, flags)
    block, rest = read_block(text)
    if block is None:
        flags.append(Flag.BLOCK_MISSING)
    whole_key = (place_key(city_name or "") + town_key(town)) if town else None
    return Address(prefecture, city_name, town, block, rest, postcode or found_code, whole_key, block, distinct(flags))


def town_of(raw: str, rules: AddressRules = _NOWHERE) -> str | None:
    """Only the town area: what a city's own list is made from."""
    return clean_address(raw, rules).town


def _postcode(text: str) -> tuple[str, str | None]:
    if match := _POSTCODE.match(text):
        return text[match.end() :], match.group(1) + match.group(2)
    return _POST_MARK.sub("", text), None


def _written_prefecture(text: str, rules: AddressRules) -> tuple[str | None, str]:
    """The prefecture the text begins with; its suffix may be left out before a city of it (大阪 和泉市)."""
    key = place_key(text[:4])
    for length in (3, 4):
        if key[:length] in _PREFECTURES:
            return key[:length], text[length:].lstrip()
    stem = _STEMS.get(text[:2]) or _STEMS.get(text[:3])
    if stem and not rules.gazetteer.match_city(place_key(text[:_LONGEST_CITY]), None)[0]:
        after = text[len(stem) - 1 :].lstrip()
        if rules.gazetteer.match_city(place_key(after[:_LONGEST_CITY]), stem)[0]:
            return stem, after
    return None, text


def _city(
    text: str, prefecture: str | None, rules: AddressRules, flags: list[Flag]
) -> tuple[str | None, tuple[City, ...], str]:
    length, found = rules.gazetteer.match_city(place_key(text[:_LONGEST_CITY]), prefecture)
    if not found and (district := _DISTRICT.match(text)):
        # The 郡 may be misspelt or no longer exist; the town behind it decides.
        more, found = rules.gazetteer.match_city(place_key(text[district.end() :][:_LONGEST_CITY]), prefecture)
        length = district.end() + more
    known = bool(found) and (not rules.home or rules.home[0] in found)
    elsewhere = known or not rules.home or prefecture not in (None, rules.prefecture)
    at_home = not elsewhere and rules.home[0].match_town(place_text(text))
    if found and at_home:
        # 府中町2-7-5 is a town of the own city, unless what follows is a town of 府中町.
        rest = place_text(text[length:].lstrip())
        found = tuple(c for c in found if c.match_town(rest))
    if found:
        name = found[0].name if len(found) == 1 else text[:length]
        return name, found, text[length:].lstrip()
    if at_home:
        return rules.city, rules.home, text
    if match := _CITY_BY_SHAPE.match(text):
        flags.append(Flag.CITY_UNLISTED)
        return match.group(), (), text[match.end() :].lstrip()
    flags.append(Flag.CITY_MISSING)
    return rules.city, rules.home, text


def _town(text: str, candidates: tuple[City, ...], flags: list[Flag]) -> tuple[City | None, str | None, str | None, str]:
    """(the one city it lies in, town, postcode, text after it)."""
    if candidates and candidates[0].prefecture == "北海道":
        text = _NORTHERN.sub(r"\1条", text)
    for start in _starts(text, candidates):
        if found := _listed(text, start, candidates):
            return found
    if match := _NUMBERED_TOWN.match(text):
        # 七番丁 is written 7番町 by people who do not live there.
        swapped = match.group()[:-1] + match.group()[-1].translate(_OTHER_ENDING) + text[match.end() :]
        if found := _listed(swapped, 0, candidates):
            return found
    only = candidates[0] if len(candidates) == 1 else None
    if (match := _DIVISION.match(text)) and (division := number(match.group(1))):
        return only, f"第{division}地割", None, text[match.end() :].lstrip()
    if match := _TOWN_BY_SHAPE.match(text):
        flags.append(Flag.TOWN_GUESSED)
        return only, match.group(1), None, text[match.end() :].lstrip()
    flags.append(Flag.TOWN_MISSING)
    return only, None, None, text


def _listed(text: str, start: int, candidates: tuple[City, ...]) -> tuple[City | None, str, str | None, str] | None:
    """The longest listed town at that place: (its one city, town, postcode, text after it)."""
    place = place_text(text[start:])
    matches = [(m, c) for c in candidates if (m := c.match_town(place))]
    if not matches:
        return None
    longest = max(m[0] for m, _ in matches)
    best = [(m, c) for m, c in matches if m[0] == longest]
    (length, town, postcode), city = best[0]
    only = city if len(best) == 1 else None
    return only, town, (postcode or None) if only else None, text[start + length :].lstrip()


def _starts(text: str, candidates: tuple[City, ...]) -> list[int]:
    """Where a town may begin: in Kyoto after its streets, else at once, else after a ward that no longer exists."""
    starts = [0]
    if any(c.prefecture == "京都府" for c in candidates):
        if crossing := _KYOTO_STREETS.match(text):
            starts.insert(0, crossing.end())
        if street := _STREETS.match(text):
            starts.append(street.end())
    if ward := _FORMER_WARD.match(text):
        starts.append(ward.end())
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
