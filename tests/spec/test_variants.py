"""異体字：MJ縮退マップの縮退先が一つだけの字はすべて畳まれ、どの表にもない組は畳まれない。

`mj_targets.tsv.gz` is the whole map as published (credit in mj_targets.LICENSE.md): one character, then every target any of its
lists names. It is evidence the shipped table is checked against, not the table itself.
"""

import gzip
import sys
import unicodedata
from functools import cache
from pathlib import Path

from kizuki.cleanse.names import clean_name, name_key
from kizuki.cleanse.variants import loose_variants, official_variants

TARGETS = Path(__file__).with_name("mj_targets.tsv.gz")
APART = {("玉", "王"), ("師", "帥"), ("功", "切"), ("切", "功"), ("綱", "網"), ("着", "著")}
"""Single targets that are not followed: different names which a list of miswritings connects."""
UNLIKE = (
    "王玉 未末 土士 日曰 千干 己巳 大犬 大太 田由 坂阪 堀掘 師帥 綱網 人入 "
    "問間 天夫 木本 今令 白自 石右 牛午 治冶 陣陳 微徴 侯候 祐裕 斉斎"
)


@cache
def targets() -> dict[str, str]:
    text = gzip.decompress(TARGETS.read_bytes()).decode("utf-8")
    return dict(line.split("\t") for line in text.splitlines())


def singles() -> list[tuple[str, str]]:
    return [(source, target) for source, target in targets().items() if len(target) == 1]


def test_every_single_target_of_the_map_folds() -> None:
    loose = {frozenset((chr(a), b)) for a, b in loose_variants().items()}
    left = set()
    for source, target in singles():
        one, other = clean_name(source), clean_name(target)
        same = one.loose_key == other.loose_key if frozenset((source, target)) in loose else one.key == other.key
        if not same:
            left.add((source, target))
    assert len(singles()) > 16_000
    assert left == APART


def test_nothing_folds_together_that_no_table_joins() -> None:
    joined = _Groups()
    for source, found in targets().items():
        for target in found:
            joined.join(source, target)
    strict: dict[str | None, str] = {}
    for character in every_kanji():
        first = strict.setdefault(name_key(character), character)
        assert joined.end(first) == joined.end(character), (first, character)
    for code, target in loose_variants().items():
        joined.join(chr(code), target)
    loose: dict[str | None, str] = {}
    for character in every_kanji():
        first = loose.setdefault(clean_name(character).loose_key, character)
        assert joined.end(first) == joined.end(character), (first, character)


def test_characters_that_only_look_alike_stay_apart() -> None:
    for one, other in UNLIKE.split():
        assert name_key(one) != name_key(other), (one, other)


def test_a_character_folds_at_once_to_where_its_target_folds() -> None:
    table = official_variants()
    assert all(ord(target) not in table for target in table.values())
    assert all(source in targets() or source in "".join(targets().values()) for source in map(chr, table))


def every_kanji() -> list[str]:
    """Every unified ideograph, as its own NFKC form."""
    return [
        c
        for c in map(chr, range(0x3400, sys.maxunicode))
        if unicodedata.name(c, "").startswith("CJK UNIFIED IDEOGRAPH") and unicodedata.normalize("NFKC", c) == c
    ]


class _Groups:
    """Characters connected by pairs (union-find)."""

    def __init__(self) -> None:
        self.parent: dict[str, str] = {}

    def end(self, character: str) -> str:
        while (above := self.parent.get(character, character)) != character:
            character = above
        return character

    def join(self, one: str, other: str) -> None:
        self.parent[self.end(one)] = self.end(other)
