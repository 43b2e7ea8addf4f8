"""Prefectures, cities and town areas of Japan, offline, from the postal table; plus the city's own list.

The table is read once and each city's towns are indexed when first asked for: a city's night touches a handful of them.
"""

import gzip
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files

from kizuki.cleanse.variants import fold

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
_SAME_IN_PLACES = str.maketrans("ヵヶがガノの之乃ッっつ龍舘嶋條峯", "ケケケケノノノノツツツ竜館島条峰")
_DISTRICT = re.compile(r"^.{1,5}?郡(?=.+[町村]$)")
_PREFIX = re.compile(r"^(?:大字|字)")
_WARD = re.compile(r"^(.+?市)(?=.+区$)")
_NUMERALS = re.compile(r"[〇一二三四五六七八九十]+")
_DIGITS = str.maketrans("〇一二三四五六七八九", "0123456789")


def place_key(text: str) -> str:
    """Comparison form of a place name, one character for one: 異体字, ケ/ヶ/が, の/之, ツ/ッ. Idempotent."""
    return fold(text).translate(_SAME_IN_PLACES)


def arabic(text: str) -> str:
    """Kanji numerals as digits: 三十二 → 32, 一〇 → 10."""

    def number(match: re.Match[str]) -> str:
        word = match.group()
        if "十" not in word:
            return word.translate(_DIGITS)
        tens, _, ones = word.partition("十")
        if "十" in ones:
            return word
        return str(int(tens.translate(_DIGITS) or 1) * 10 + int(ones.translate(_DIGITS) or 0))

    return _NUMERALS.sub(number, text)


def town_key(town: str) -> str:
    """Comparison form of a town area: without 大字, numerals as digits. Idempotent."""
    return arabic(_PREFIX.sub("", place_key(town)))


@dataclass(frozen=True)
class City:
    """One city, ward or town; its town areas come as `name=postcode` texts and are indexed on first use."""

    prefecture: str
    name: str
    areas: tuple[str, ...]

    @cached_property
    def towns(self) -> dict[str, tuple[str, str]]:
        """Every way of writing a town area → (its name, its postcode); the empty name is the city's own postcode."""
        index: dict[str, tuple[str, str]] = {}
        for area in self.areas:
            name, _, postcode = area.partition("=")
            for key in (place_key(name), town_key(name), _PREFIX.sub("", place_key(name))):
                index.setdefault(key, (name, postcode))
        return index

    @cached_property
    def longest(self) -> int:
        """Length of the longest key, where a prefix search starts."""
        return max(map(len, self.towns), default=0)

    def match_town(self, key: str) -> tuple[int, str, str] | None:
        """(length, name, postcode) of the longest town area that `key` begins with."""
        for length in range(min(self.longest, len(key)), 0, -1):
            found = self.towns.get(key[:length])
            if found:
                return (length, *found)
        return None


@dataclass(frozen=True)
class Gazetteer:
    """Cities by every way of writing their name: with and without 郡, 政令市 with and without the ward."""

    cities: tuple[City, ...]

    @cached_property
    def by_name(self) -> dict[str, tuple[City, ...]]:
        """Key of a city's name → the cities it can mean."""
        index: dict[str, list[City]] = {}
        for city in self.cities:
            for name in _spellings(city.name):
                index.setdefault(place_key(name), []).append(city)
        return {name: tuple(found) for name, found in index.items()}

    @cached_property
    def longest(self) -> int:
        """Length of the longest city name."""
        return max(map(len, self.by_name), default=0)

    def match_city(self, key: str, prefecture: str | None) -> tuple[int, tuple[City, ...]]:
        """(length, cities) of the longest city name that `key` begins with, within the prefecture if one is given."""
        for length in range(min(self.longest, len(key)), 1, -1):
            found = self.by_name.get(key[:length], ())
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
    if (short := _DISTRICT.sub("", name)) != name:
        yield short
    if ward := _WARD.match(name):
        yield ward.group(1)


@cache
def nationwide() -> Gazetteer:
    """The shipped table (credit in data/README.md)."""
    data = files("kizuki.cleanse").joinpath("data", "towns.tsv.gz").read_bytes()
    lines = (line.split("\t") for line in gzip.decompress(data).decode("utf-8").splitlines())
    return Gazetteer(tuple(City(prefecture, name, tuple(areas)) for _, prefecture, name, *areas in lines))
