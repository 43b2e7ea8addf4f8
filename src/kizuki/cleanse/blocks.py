"""The part of an address after the town area: 小字, then at most three numbers, then the 方書.

丁目・番・号, 番地・枝番, 地割 and bare hyphens all give `3-12-5`. A number may carry one sign before it (甲, 亥, ハ), as in
藤橋町亥45番地1. What names a room or a floor is no block number.
"""

import re

from kizuki.cleanse.numerals import KANJI_FIGURES, number

SIGNS = (
    "甲乙丙丁戊己庚辛壬癸子丑寅卯辰巳午未申酉戌亥"
    "イロハニホヘトチリヌルヲワカヨタレソツネナラムウヰオクヤマケフコエテアサキユメミシヱヒモセス"
)
"""Characters that stand before a lot number: 十干, 十二支, いろは."""

_DASH = "-\u2010-\u2015−ーｰ─━~〜"
_HYPHENS = re.compile(rf"(?<=[0-9目丁番地号割{KANJI_FIGURES}])\s*[{_DASH}]+\s*(?=[0-9{KANJI_FIGURES}{SIGNS}A-Za-z])")
_MOST_NUMBERS = 3
_UNIT = r"丁目|丁|番地割|地割|番地|番外地|番町|番丁|[の\u30ce之]町|番|条(?!通)|号(?![室棟館])"
_ROOM = r"(?!\d|号[室棟館]|階|F|f|棟|室|LDK)"
_NUMBER = re.compile(
    rf"第?([{SIGNS}]?)\s*(?:(?<=[{SIGNS}])の)?(?:(\d+){_ROOM}({_UNIT})?|([{KANJI_FIGURES}]+)(?:({_UNIT})|(?=\s*$|\s*[,(]|[-の\u30ce之][0-9{KANJI_FIGURES}{SIGNS}])))"
)
_BETWEEN = re.compile(rf"\s*[-の\u30ce之](?=[{SIGNS}]?\s*[\d{KANJI_FIGURES}])|\s+(?=\d+(?:番|号))")
_JOINED = re.compile(rf"^[-の\u30ce之](?=[{SIGNS}]?[\d{KANJI_FIGURES}])")
_LEADING = re.compile(r"^[-,、\s]+")
_TRAILING = re.compile(r"^(?:地先|先|地内|地)(?=\s|$)")
_SUBAREA = re.compile(rf"(?:小?字)?[^\s\d,()]{{1,20}}?(?=[{SIGNS}]?\d+(?!号[室棟館]|階|F|棟|室))")
_NOTE = re.compile(rf"\([^()]*\)\s*(?=[{SIGNS}]?\d)")
_NAMED_SUBAREA = re.compile(r"(?:小?字)[^\s\d]{1,12}?(?=\d)")
_BUILDING = re.compile(
    "[\u30a1-\u30fa]{3}|[A-Za-z]|荘|団地|住宅|寮|館|ビル|棟|様方|方$|アパート|社宅|公舎|官舎|会館|学校|病院|園$|内$|センター|第"
)


def one_hyphen(text: str) -> str:
    """Every dash between two parts of a block as `-`; a long vowel mark inside a name stays."""
    return _HYPHENS.sub("-", text)


def read_block(text: str) -> tuple[str | None, str | None]:
    """(`3-12-5`, the rest: 小字 and 方書) of the text after the town area; None for what is not there."""
    text, subarea = _without_subarea(_JOINED.sub("", text))
    numbers, after, last = _numbers(text)
    if last in ("地割", "番地割"):
        after, below = _without_subarea(after)
        more, after, _ = _numbers(after)
        numbers, subarea = [*numbers, *more][:_MOST_NUMBERS], subarea or below
    after = _TRAILING.sub("", after) if numbers else after
    rest = " ".join(p for p in (subarea, _LEADING.sub("", after).strip()) if p)
    return "-".join(numbers) or None, rest or None


def _without_subarea(text: str) -> tuple[str, str | None]:
    # 字石坂5-4 and 緑町1613番地 are lots of a smaller area; コーポ桜201 is a building.
    if _NUMBER.match(text):
        return text, None
    if note := _NOTE.match(text):
        return text[note.end() :], note.group().strip()
    match = _NAMED_SUBAREA.match(text) or _SUBAREA.match(text)
    if match and (match.group().startswith(("字", "小字")) or not _BUILDING.search(match.group())):
        return text[match.end() :], match.group()
    return text, None


def _numbers(text: str) -> tuple[list[str], str, str]:
    """Up to three numbers, the text after them, the last unit written."""
    found: list[str] = []
    rest, unit = text, ""
    while len(found) < _MOST_NUMBERS and (match := _NUMBER.match(rest)):
        sign, digits, digit_unit, kanji, kanji_unit = match.groups()
        value = number(digits or kanji)
        if value is None:
            break
        found.append(f"{sign}{value}")
        unit, after = digit_unit or kanji_unit or "", rest[match.end() :]
        rest = after
        if unit == "号" or unit.endswith("地割"):
            break
        if between := _BETWEEN.match(after):
            rest = after[between.end() :]
        elif unit:
            rest = after.lstrip()
        else:
            break
    return found, rest, unit
