"""Prefectures, cities and town areas of Japan, offline, from the postal table; plus the city's own list.

The table is read once and each city's towns are indexed when first asked for: a city's night touches a handful of them.
"""

import gzip
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from typing import NamedTuple

from kizuki.cleanse.blocks import SIGNS
from kizuki.cleanse.numerals import FIGURE, KANJI_FIGURES, arabic
from kizuki.cleanse.variants import fold, fold_loose

PREFECTURES = (
    "北海道",
    "青森県",
    "岩手県",
    "宮城県",
    "秋田県",
    "山形県",
    "福島県",
    "茨城県",
    "栃木県",
    "群馬県",
    "埼玉県",
    "千葉県",
    "東京都",
    "神奈川県",
    "新潟県",
    "富山県",
    "石川県",
    "福井県",
    "山梨県",
    "長野県",
    "岐阜県",
    "静岡県",
    "愛知県",
    "三重県",
    "滋賀県",
    "京都府",
    "大阪府",
    "兵庫県",
    "奈良県",
    "和歌山県",
    "鳥取県",
    "島根県",
    "岡山県",
    "広島県",
    "山口県",
    "徳島県",
    "香川県",
    "愛媛県",
    "高知県",
    "福岡県",
    "佐賀県",
    "長崎県",
    "熊本県",
    "大分県",
    "宮崎県",
    "鹿児島県",
    "沖縄県",
)
_SAME_IN_PLACES = str.maketrans("ヵヶがガ箇个の之乃ッっつ條壱弐治", "ケケケケケケノノノツツツ条一二冶")
_DISTRICT = re.compile(r"^.{1,5}?郡(?=.+[町村]$)")
_ISLAND = re.compile(r"^(?:三宅島|八丈島)(?=.+[町村]$)")
_SUBDIVISION = re.compile("大?字")
_WARD = re.compile(r"^(.+?市)(.+区)$")
_TOKENS = re.compile(rf"大?字|{FIGURE}|[0-9]+|.", re.DOTALL)
_SPECIAL = re.compile(rf"字|[0-9]|{FIGURE}")
_LONGEST = 40
"""No name of a town area, however written, is longer."""
_EVERY_CHARACTER = tuple(range(_LONGEST + 1))
_NO_CUT = -1
_AFTER_SHORT_TOWN = re.compile(rf"\s*(?:$|[\d,(-]|[{KANJI_FIGURES}]|大?字|の?\d|[{SIGNS}]\s*\d|無番|地内)|\s")


def place_key(text: str) -> str:
    """Comparison form of a place name, one character for one: 異体字 and loose pairs, ケ/ヶ/が/箇, の/之, ツ/ッ, 鍛冶/鍛治.

    Idempotent.
    """
    return fold_loose(fold(text)).translate(_SAME_IN_PLACES)


def town_key(town: str) -> str:
    """Comparison form of a town area: without 大字 and 字, numerals as digits. Idempotent."""
    return arabic(_SUBDIVISION.sub("", place_key(town)))


class PlaceText(NamedTuple):
    """A text in comparison form, and where each of its prefixes ends in the text itself (-1: inside a number)."""

    text: str
    key: str
    ends: tuple[int, ...]


def place_text(text: str) -> PlaceText:
    """`text` made ready for looking up towns: prefixes of `key` compare like `town_key`."""
    key = place_key(text[:_LONGEST])
    if not _SPECIAL.search(key):
        return PlaceText(text, key, _EVERY_CHARACTER)
    out: list[str] = []
    ends = [0]
    for match in _TOKENS.finditer(key):
        token = match.group()
        if token in ("大字", "字"):
            continue
        form = arabic(token) if token[0] in KANJI_FIGURES else token
        out.append(form)
        ends.extend([_NO_CUT] * (len(form) - 1))
        ends.append(match.end())
    return PlaceText(text, "".join(out), tuple(ends))


@dataclass(frozen=True)
class City:
    """One city, ward or town; its town areas come as `name=postcode` texts and are indexed on first use."""

    prefecture: str
    name: str
    areas: tuple[str, ...]

    @cached_property
    def towns(self) -> dict[str, tuple[str, str]]:
        """Comparison form of a town area → (its name, its postcode); the empty name is the city's own postcode."""
        index: dict[str, tuple[str, str]] = {}
        for area in self.areas:
            name, _, postcode = area.partition("=")
            index.setdefault(town_key(name), (name, postcode))
        return index

    @cached_property
    def longest(self) -> int:
        """Length of the longest key, where a prefix search starts."""
        return max(map(len, self.towns), default=0)

    def match_town(self, place: PlaceText) -> tuple[int, str, str] | None:
        """(length in the text, name, postcode) of the longest town area the text begins with.

        A name of one character (大, 岡) counts only where the name visibly ends, or any unlisted town would be cut after it.
        """
        for length in range(min(self.longest, len(place.key)), 0, -1):
            end = place.ends[length]
            if end == _NO_CUT or not (found := self.towns.get(place.key[:length])):
                continue
            # 字 is left out of the keys; where it ends the name itself (十文字) it belongs to it.
            end += found[0].endswith("字") and place.text.startswith("字", end)
            if length > 1 or _AFTER_SHORT_TOWN.match(place.text, end):
                return (end, *found)
        return None


@dataclass(frozen=True)
class Gazetteer:
    """Cities by every way of writing their name: with and without 郡, 政令市 with and without the ward, the ward alone."""

    cities: tuple[City, ...]

    @cached_property
    def by_name(self) -> dict[str, tuple[City, ...]]:
        """Key of a city's name → the cities it can mean; a former name means the city of today."""
        index: dict[str, list[City]] = {}
        today: dict[tuple[str, str], list[City]] = {}
        for city in self.cities:
            for name in _spellings(city.name):
                index.setdefault(place_key(name), []).append(city)
                today.setdefault((city.prefecture, name), []).append(city)
        for prefecture, former, name in former_cities():
            for spelling in _spellings(former):
                known = index.setdefault(place_key(spelling), [])
                known.extend(c for c in today.get((prefecture, name), ()) if c not in known)
        return {name: tuple(found) for name, found in index.items()}

    @cached_property
    def longest(self) -> int:
        """Length of the longest city name."""
        return max(map(len, self.by_name), default=0)

    def match_city(self, key: str, prefecture: str | None) -> tuple[int, tuple[City, ...]]:
        """(length, cities) of the longest city name that `key` begins with, within the prefecture if one is given."""
        for length in range(min(self.longest, len(key)), 1, -1):
            if not (found := self.by_name.get(key[:length])):
                continue
            inside = tuple(c for c in found if prefecture is None or c.prefecture == prefecture)
            if inside:
                return length, inside
        return 0, ()

    def with_city(self, prefecture: str, name: str, towns: Iterable[str]) -> "Gazetteer":
        """A copy that also knows the city's own 町字 list (住民記録), which wins over the postal table."""
        own = City(prefecture, name, tuple(sorted({t for t in towns if t})))
        return Gazetteer((*(c for c in self.cities if (c.prefecture, c.name) != (prefecture, name)), own))


def _spellings(name: str) -> Iterator[str]:
    yield name
    if (short := _DISTRICT.sub("", name)) != name or (short := _ISLAND.sub("", name)) != name:
        yield short
    if ward := _WARD.match(name):
        yield ward.group(1)
        yield ward.group(2)


@cache
def former_cities() -> tuple[tuple[str, str, str], ...]:
    """(prefecture, former name, name today) of cities and wards that kept their towns under a new name."""
    lines = files("kizuki.cleanse").joinpath("data", "former_cities.tsv").read_text(encoding="utf-8").splitlines()
    rows = (line.split("\t") for line in lines if line and not line.startswith("#"))
    return tuple((prefecture, former, today) for prefecture, former, today in rows)


@cache
def nationwide() -> Gazetteer:
    """The shipped table (credit in data/README.md)."""
    data = files("kizuki.cleanse").joinpath("data", "towns.tsv.gz").read_bytes()
    lines = (line.split("\t") for line in gzip.decompress(data).decode("utf-8").splitlines())
    return Gazetteer(tuple(City(prefecture, name, tuple(areas)) for _, prefecture, name, *areas in lines))
