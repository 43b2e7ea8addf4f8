# ruff: noqa: INP001
"""Make src/kizuki/cleanse/data/mj_variants.tsv.gz from the MJ縮退マップ.

Run by hand, rarely (see src/kizuki/cleanse/data/README.md):

    npm pack @mandel59/mojidata && tar xzf mandel59-mojidata-*.tgz
    python tools/make_variant_table.py package/dist/moji.db src/kizuki/cleanse/data/mj_variants.tsv.gz

Rule: a character is replaced by the target that the strongest list names
(法務省告示582号 → 戸籍統一文字情報 → 民一2842号・民二5202号 → JIS包摂規準), only toward a lower JIS level
(第1水準 before 第2水準 …), repeated until nothing changes. Targets of the same level are not followed, even when
they are the only one: that would join 玉 and 王, 師 and 帥. Lists of mere resemblance
(読み・字形による類推, 辞書類等による関連字, 別字) are not used for the same reason.
"""

import gzip
import sqlite3
import sys
import unicodedata
from collections.abc import Iterator, Mapping
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
    """Follow the steps to the end; each goes to a lower level, so there is no circle."""
    final: dict[str, str] = {}
    for character, target in step.items():
        here = target
        while here in step:
            here = step[here]
        final[character] = here
    return final


def main(source: str, destination: str) -> None:
    """Read moji.db, write the sorted two-column table."""
    with sqlite3.connect(f"file:{source}?mode=ro", uri=True) as database:
        found = candidates(database)
    table = fixpoint(choose(found))
    lines = [f"{a}\t{b}\n" for a, b in sorted(table.items())]
    Path(destination).write_bytes(gzip.compress("".join(lines).encode("utf-8"), 9, mtime=0))
    several = sum(1 for options in found.values() if len({o[2] for o in options}) > 1)
    print(f"{len(table)} characters fold; {several} of {len(found)} had more than one target", file=sys.stderr)


if __name__ == "__main__":
    main(*sys.argv[1:3])
