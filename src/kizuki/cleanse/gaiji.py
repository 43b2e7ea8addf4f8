"""外字: private-use characters of one source system → characters everyone can read, for matching only.

CP932 deliveries carry them as U+E000 to U+F8FF. What the table does not list becomes the wildcard 〓 and a flag: the record
is kept, people are told, and the wildcard never equals a real character.
"""

import csv
import re
from collections.abc import Mapping
from pathlib import Path

from kizuki.cleanse.flags import Flag
from kizuki.terms.errors import DefinitionError

WILDCARD = "〓"
PRIVATE = re.compile("[\ue000-\uf8ff\U000f0000-\U0010ffff]")
_CODE_POINT = re.compile(r"^(?:U\+|u\+|0x)?([0-9A-Fa-f]{4,6})$")

GaijiTable = Mapping[int, str]
"""Code point of the private character → one or more readable characters."""


def read_gaiji(raw: str, table: GaijiTable, flags: list[Flag]) -> str:
    """`raw` with its private characters read through the table, unknown ones as 〓."""
    if raw.isascii() or not PRIVATE.search(raw):
        return raw

    def replace(match: re.Match[str]) -> str:
        known = table.get(ord(match.group()))
        flags.append(Flag.GAIJI_UNKNOWN if known is None else Flag.GAIJI_MAPPED)
        return WILDCARD if known is None else known

    return PRIVATE.sub(replace, raw)


def load_gaiji(path: Path) -> dict[str, dict[int, str]]:
    """Source id → table, from a UTF-8 CSV with the columns `元データ,外字,文字` (外字 as `U+E000` or the character itself).

    Raises DefinitionError K202 naming the line that cannot be read.
    """
    tables: dict[str, dict[int, str]] = {}
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        for row in reader:
            source, point, character = (row.get("元データ") or "").strip(), _point(row.get("外字") or ""), row.get("文字") or ""
            if not source or point is None or not character or PRIVATE.search(character):
                where = f"{path.name} {reader.line_num}行目"
                raise DefinitionError(
                    "K202", "外字表の行を読めません。", where, "「元データ」「外字（U+E000 の形）」「文字」を書いてください。"
                )
            tables.setdefault(source, {})[point] = character
    return tables


def _point(text: str) -> int | None:
    text = text.strip()
    if len(text) == 1:
        point = ord(text)
    elif match := _CODE_POINT.match(text):
        point = int(match.group(1), 16)
    else:
        return None
    return point if point <= 0x10FFFF and PRIVATE.match(chr(point)) else None
