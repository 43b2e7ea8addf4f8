# ruff: noqa: INP001
"""Make src/kizuki/cleanse/data/mj_variants.tsv.gz from the MJ縮退マップ.

Run by hand, rarely (see src/kizuki/cleanse/data/README.md):

    npm pack @mandel59/mojidata && tar xzf mandel59-mojidata-*.tgz
    python tools/make_variant_table.py package/dist/moji.db src/kizuki/cleanse/data/mj_variants.tsv.gz

Rule, in two passes:

1. A character is replaced by the target that the strongest list names, only toward a lower JIS level (第1水準 before
   第2水準 …), repeated until nothing changes. Strongest first: 法務省告示582号, 戸籍統一文字情報, 民一2842号・民二5202号,
   JIS包摂規準. Among several targets this is a policy; targets of the same level are not chosen between.
2. A character for which the whole map, all lists together, names exactly one target is joined with it whatever the levels
   (頰 and 頬, 燈 and 灯); both then fold to the one of the lower level. Not joined are the pairs below, which are different
   names although a list of miswritings connects them, and the pairs of loose_pairs.tsv, which only the loose key joins.
"""

import gzip
import sqlite3
import sys
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

SOURCES = (
    ("法務省告示582号別表第四_一", "順位"),
    ("法務省告示582号別表第四_二", "順位"),
    ("戸籍統一文字情報_親字正字", "ホップ数"),
    ("民一2842号通達別表_誤字俗字正字一覧表_無印", None),
    ("民一2842号通達別表_誤字俗字正字一覧表_俗字", None),
    ("民二5202号通知別表_正字俗字等対照表", None),
    ("JIS包摂規準UCS統合規則", None),
)
NEVER = frozenset(map(frozenset, ("玉王", "師帥", "功切", "綱網", "着著")))
"""Different characters of everyday names that a list of miswritings or a glyph of old prints connects."""

Candidate = tuple[int, int, str]
"""Strength of the list (0 strongest), rank inside the list, target character."""


def jis_level(character: str) -> int:
    """1 and 2 for JIS X 0208, 3 and 4 for JIS X 0213, 5 outside."""
    try:
        code = character.encode("euc_jis_2004")
    except UnicodeEncodeError:
        return 5
    if len(code) == 3:
        return 4
    row, cell = code[0] - 0xA0, code[1] - 0xA0
    if 16 <= row <= 46 or (row == 47 and cell <= 51):
        return 1
    if 48 <= row <= 83 or (row == 84 and cell <= 6):
        return 2
    return 3


def candidates(database: sqlite3.Connection) -> dict[str, list[Candidate]]:
    """Every target each character is given by any list, for any of its glyphs."""
    found: dict[str, list[Candidate]] = {}
    for strength, (name, rank) in enumerate(SOURCES):
        for character, target, place in _rows(database, name, rank):
            source = unicodedata.normalize("NFKC", character)
            clean = unicodedata.normalize("NFKC", target)
            if len(source) == 1 and len(clean) == 1 and source != clean:
                found.setdefault(source, []).append((strength, place, clean))
    return found


def _rows(database: sqlite3.Connection, name: str, rank: str | None) -> Iterator[tuple[str, str, int]]:
    # Table and column names are the constants above; nothing here comes from outside.
    place = f't."{rank}"' if rank else "1"
    query = f'select m."対応するUCS", t."縮退UCS", {place} from "mjsm_{name}" t join mji m using ("MJ文字図形名")'
    for character, target, number in database.execute(query):
        if character and target:
            yield character, target, number


def choose(found: Mapping[str, list[Candidate]]) -> dict[str, str]:
    """One step per character: the strongest target of a lower JIS level."""
    step: dict[str, str] = {}
    for character, options in found.items():
        lower = [o for o in options if jis_level(o[2]) < jis_level(character)]
        if lower:
            step[character] = min(lower, key=lambda o: (o[0], o[1], jis_level(o[2]), o[2]))[2]
    return step


def fixpoint(step: Mapping[str, str]) -> dict[str, str]:
    """Follow the steps to the end; a step is only ever added from the end of a chain, so there is no circle."""
    return {character: _end(step, character) for character in step}


def single_targets(database: sqlite3.Connection) -> list[tuple[str, str]]:
    """Characters with exactly one target in the whole map, with that target."""
    found: dict[str, set[str]] = {}
    query = 'select m."対応するUCS", t."縮退UCS" from mjsm t join mji m using ("MJ文字図形名")'
    for character, target in database.execute(query):
        if character and target:
            source, clean = (unicodedata.normalize("NFKC", c) for c in (character, target))
            if len(source) == len(clean) == 1 and source != clean:
                found.setdefault(source, set()).add(clean)
    return sorted((source, *targets) for source, targets in found.items() if len(targets) == 1)


def join(step: dict[str, str], pairs: Iterable[tuple[str, str]], loose: set[frozenset[str]]) -> None:
    """Add the single-target pairs to the steps: the ends of both chains become one, the one of the lower level."""
    for source, target in pairs:
        if frozenset((source, target)) in NEVER | loose:
            continue
        one, other = _end(step, source), _end(step, target)
        if one != other and frozenset((one, other)) not in NEVER | loose:
            if jis_level(one) < jis_level(other):
                one, other = other, one
            step[one] = other


def _end(step: Mapping[str, str], character: str) -> str:
    while character in step:
        character = step[character]
    return character


def loose_pairs(path: Path) -> set[frozenset[str]]:
    """The pairs kept for the loose key."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return {frozenset(line.split("\t")[:2]) for line in lines if line and not line.startswith("#")}


def main(source: str, destination: str) -> None:
    """Read moji.db, write the sorted two-column table."""
    with sqlite3.connect(f"file:{source}?mode=ro", uri=True) as database:
        found = candidates(database)
        singles = single_targets(database)
    step = choose(found)
    join(step, singles, loose_pairs(Path(destination).with_name("loose_pairs.tsv")))
    table = fixpoint(step)
    lines = [f"{a}\t{b}\n" for a, b in sorted(table.items())]
    Path(destination).write_bytes(gzip.compress("".join(lines).encode("utf-8"), 9, mtime=0))
    several = sum(1 for options in found.values() if len({o[2] for o in options}) > 1)
    print(f"{len(table)} characters fold; {several} of {len(found)} had more than one target", file=sys.stderr)


if __name__ == "__main__":
    main(*sys.argv[1:3])
