"""住所の読み取りの成績：公開されている実在の住所と、全国の町字を書き方ごとに書き分けたもの。

The public sample (credit in public_addresses.LICENSE.txt) shows what people really write; the sweep shows that no region and no
spelling is left out. The scores are printed per class; run with `-s` to read them.
"""

import csv
import random
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from kizuki.cleanse.addresses import Address, clean_address
from kizuki.cleanse.places import City, nationwide, place_key, town_key

BAR = 0.997
PUBLIC = Path(__file__).with_name("public_addresses.csv")
_BLOCK_OF_TOWN = re.compile(r"(?<=.)[一二三四五六七八九十]+丁目?$")
_DISTRICT = re.compile(r"^.{1,5}?郡(?=.+[町村]$)")
_OTHER_KE = str.maketrans("ケヶがのノ之ツ", "ヶがケノ之のッ")
_OLD = str.maketrans(
    "沢浜桜国竜関広斎瀬滝辺栄恵高崎峰島館曽万円寿豊黒岳野", "澤濱櫻國龍關廣齋瀨瀧邊榮惠髙﨑峯嶋舘曾萬圓壽豐黑嶽埜"
)
_KANJI = "〇一二三四五六七八九"


def test_public_addresses_are_read_to_the_town() -> None:
    with PUBLIC.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    right = [_is_there(clean_address(r["住所"]), r["市区町村"], r["町丁目"]) for r in rows]
    print(f"公開の住所 {len(rows):,} 件: 大字 {sum(right) / len(rows):.2%}")
    assert len(rows) > 800
    assert sum(right) / len(rows) >= BAR


def _is_there(read: Address, city: str, town: str) -> bool:
    names = {town_key(town), town_key(_BLOCK_OF_TOWN.sub("", town))}
    return place_key(read.city or "") == place_key(city) and town_key(read.town or "") in names


@cache
def towns() -> list[tuple[City, str]]:
    """One town in forty, in every prefecture."""
    listed = [(city, area.partition("=")[0]) for city in nationwide().cities for area in city.areas]
    return [(city, name) for city, name in listed if name and "(" not in name][::40]


def kanji(number: int) -> str:
    tens, ones = divmod(number, 10)
    ten = "" if not tens else "十" if tens == 1 else _KANJI[tens] + "十"
    return ten + (_KANJI[ones] if ones or not tens else "")


def wide(text: str) -> str:
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)


def spellings(city: City, town: str) -> Iterator[tuple[str, str, str]]:
    """(class of spelling, the address, its block)."""
    dice = random.Random(city.name + town)
    where, a, b, c = city.prefecture + city.name, dice.randint(1, 9), dice.randint(1, 40), dice.randint(1, 30)
    yield "番地", f"{where}{town}{b}番地{c}", f"{b}-{c}"
    yield "全角", wide(f"{where}{town}{b}-{c}"), f"{b}-{c}"
    yield "大字つき", f"{where}大字{town}{b}番地の{c}", f"{b}-{c}"
    yield "漢数字の丁目", f"{where}{town}{kanji(a)}丁目{b}番{c}号", f"{a}-{b}-{c}"
    yield "すべて漢数字", f"{where}{town}{kanji(a)}丁目{kanji(b)}番{kanji(c)}号", f"{a}-{b}-{c}"
    yield "空白と方書", f"{city.prefecture} {city.name} {town} {a}-{b}-{c} コーポ{a}01", f"{a}-{b}-{c}"
    yield "部屋まで4連", f"{where}{town}{a}-{b}-{c}-{a}02", f"{a}-{b}-{c}"
    yield "都道府県なし", f"{city.name}{town}{b}-{c}", f"{b}-{c}"
    if (short := _DISTRICT.sub("", city.name)) != city.name:
        yield "郡なし", f"{city.prefecture}{short}{town}{b}-{c}", f"{b}-{c}"
    if (other := town.translate(_OTHER_KE)) != town:
        yield "ケ・ノ・ツの揺れ", f"{where}{other}{b}-{c}", f"{b}-{c}"
    if (old := town.translate(_OLD)) != town:
        yield "旧字", f"{where}{old}{b}-{c}", f"{b}-{c}"


@pytest.mark.parametrize("part", ["大字", "番地"])
def test_every_spelling_of_towns_all_over_the_country_is_read(part: str) -> None:
    score: dict[str, list[bool]] = {}
    for city, town in towns():
        for spelling, text, block in spellings(city, town):
            read = clean_address(text)
            right = _is_there(read, city.name, town) if part == "大字" else read.block == block
            score.setdefault(spelling, []).append(right)
    for spelling, right in score.items():
        print(f"{part} {spelling} {len(right):,} 件: {sum(right) / len(right):.2%}")
    assert len(score) == 11
    assert all(sum(right) / len(right) >= BAR for right in score.values()), part
