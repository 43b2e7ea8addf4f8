"""One rule for reading a date as municipal systems write it: 和暦 in every spelling, 西暦, era codes, months.

`read_date` is pure and is the only date parser of the project: the receiving check and the cleansing call the same one, so a
value that passed the check can never fail to be read later.

Sources: 元号 periods from the 元号を改める政令 and 詔書 of each era; era digits 1 to 5 are those of the 住民記録 standard
layouts.
"""

import datetime as dt
import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache


class Spelling(StrEnum):
    """How a date was written."""

    KANJI = "和暦（令和5年4月1日）"
    LETTER = "和暦略記（R5.4.1）"
    CODE = "元号コード（5050401）"
    WESTERN = "西暦（2023/4/1）"
    COMPACT = "西暦8桁（20230401）"
    SERIAL = "表計算の通し番号"
    NONE = "日付ではない"


class Precision(StrEnum):
    """Whether the day was written; a month is read as its first day."""

    DAY = "day"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class DateReading:
    """What was read: `date` is None exactly when `reason` (Japanese, without the value) is not empty."""

    date: dt.date | None
    reason: str = ""
    spelling: Spelling = Spelling.NONE
    precision: Precision = Precision.DAY


@dataclass(frozen=True, slots=True)
class Era:
    """One 元号: first and last day on which it can be written (the day of change may be written either way)."""

    name: str
    letter: str
    code: str
    first: dt.date
    last: dt.date


ERAS = (
    Era("明治", "M", "1", dt.date(1868, 1, 25), dt.date(1912, 7, 30)),
    Era("大正", "T", "2", dt.date(1912, 7, 30), dt.date(1926, 12, 25)),
    Era("昭和", "S", "3", dt.date(1926, 12, 25), dt.date(1989, 1, 7)),
    Era("平成", "H", "4", dt.date(1989, 1, 8), dt.date(2019, 4, 30)),
    Era("令和", "R", "5", dt.date(2019, 5, 1), dt.date(2117, 12, 31)),
)
_BY_NAME = {key: era for era in ERAS for key in (era.name, era.name[0], era.letter)}
_BY_CODE = {era.code: era for era in ERAS}
_FIRST_YEAR, _LAST_YEAR = ERAS[0].first.year, ERAS[-1].last.year
_SERIAL_ORIGIN = dt.date(1899, 12, 30)

_ERA_KANJI = re.compile(r"(明治|大正|昭和|平成|令和|[明大昭平令])(元|\d{1,2})年(\d{1,2})月(?:(\d{1,2})日)?")
_ERA_MARKS = re.compile(
    r"(明治|大正|昭和|平成|令和|[明大昭平令MTSHR])[.\-]?(元|\d{1,2})[./\-,年](\d{1,2})(?:[./\-,月](\d{1,2}))?日?"
)
_ERA_PACKED = re.compile(r"(明治|大正|昭和|平成|令和|[明大昭平令MTSHR])-?(\d{2})(\d{2})(\d{2})")
_ERA_CODE = re.compile(r"([1-5])-?(\d{2})(\d{2})(\d{2})|([1-5])[./\-](\d{1,2})[./\-](\d{1,2})[./\-](\d{1,2})")
_WESTERN = re.compile(r"(\d{4})(?:[./\-](\d{1,2})(?:[./\-](\d{1,2}))?|年(\d{1,2})月(?:(\d{1,2})日)?)")
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})?")
_SERIAL = re.compile(r"(\d{5})(?:\.\d+)?")
_TAIL = re.compile(
    r"(?:[T ]?\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+\-]\d{2}:?\d{2})?"
    r"|[ ]?(?:午前|午後)?\d{1,2}時(?:\d{1,2}分)?(?:\d{1,2}秒)?"
    r"|\([日月火水木金土](?:曜日?)?\)|[ ]?(?:生まれ|生れ|生|付け|付|現在)|\.)$"
)
_AROUND = " \"'「」"
_KANJI_NUMBER = re.compile(r"[〇一二三四五六七八九十]+")
_KANJI_DIGITS = str.maketrans("〇一二三四五六七八九", "0123456789")
_MARKS = str.maketrans(
    dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u30fc", "-")
    | {"。": ".", "・": ".", "、": ","}
    | dict(zip("壱弐参拾", "一二三十", strict=True))
)


@lru_cache(maxsize=400_000)
def read_date(text: str, excel_serial: bool = False) -> DateReading:
    """Read one written date; blank, impossible or unknown spellings give `date=None` and a Japanese reason.

    `excel_serial` allows five digits as days since 1899-12-30; it is off because 5 digits alone say nothing.
    """
    plain = _plain(text)
    if not plain:
        return DateReading(None, "空欄です。")
    if excel_serial and (found := _SERIAL.fullmatch(plain)):
        return DateReading(_SERIAL_ORIGIN + dt.timedelta(days=int(found[1])), spelling=Spelling.SERIAL)
    for pattern, spelling in ((_ERA_KANJI, Spelling.KANJI), (_ERA_MARKS, Spelling.LETTER), (_ERA_PACKED, Spelling.LETTER)):
        if found := pattern.fullmatch(plain):
            return _era_date(_BY_NAME[found[1]], found[2], found[3], found[4], spelling)
    if found := _ERA_CODE.fullmatch(plain):
        code, year, month, day = (g for g in found.groups() if g is not None)
        return _era_date(_BY_CODE[code], year, month, day, Spelling.CODE)
    if found := _WESTERN.fullmatch(plain):
        if month := found[2] or found[4]:
            return _western_date(found[1], month, found[3] or found[5], Spelling.WESTERN)
        return DateReading(None, "月がありません。")
    if found := _COMPACT.fullmatch(plain):
        return _western_date(found[1], found[2], found[3], Spelling.COMPACT)
    return DateReading(None, "日付として読める書き方ではありません。")


def parse_date(text: str, excel_serial: bool = False) -> tuple[dt.date | None, str]:
    """The date and an empty reason, or None and the Japanese reason."""
    reading = read_date(text, excel_serial)
    return reading.date, reading.reason


def _plain(text: str) -> str:
    """Half width, capitals, Arabic numerals, no spaces, no time of day, weekday, 生 or 西暦."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text).translate(_MARKS)
        text = _KANJI_NUMBER.sub(lambda m: _kanji_number(m[0]), text)
    text = text.strip(_AROUND).removeprefix("西暦")
    while (shorter := _TAIL.sub("", text)) != text:
        text = shorter
    return "".join(text.split()).upper()


def _kanji_number(text: str) -> str:
    if "十" not in text:
        return text.translate(_KANJI_DIGITS)
    tens, _, ones = text.partition("十")
    if "十" in ones:
        return text
    return str(int(tens.translate(_KANJI_DIGITS) or 1) * 10 + int(ones.translate(_KANJI_DIGITS) or 0))


def _era_date(era: Era, year: str, month: str, day: str | None, spelling: Spelling) -> DateReading:
    number = 1 if year == "元" else int(year)
    if number == 0:
        return DateReading(None, "元号の年が0です。", spelling)
    western = era.first.year + number - 1
    reading = _western_date(str(western), month, day, spelling)
    if reading.date is None:
        return reading
    # A month may begin before its era did (平成元年1月 began on the 8th): the month as a whole must touch the era.
    first = era.first if day else era.first.replace(day=1)
    if not first <= reading.date <= era.last:
        return DateReading(
            None, f"{era.name}に無い日付です（{era.name}は{era.first:%Y-%m-%d}から{era.last:%Y-%m-%d}まで）。", spelling
        )
    return reading


def _western_date(year: str, month: str, day: str | None, spelling: Spelling) -> DateReading:
    if not _FIRST_YEAR <= int(year) <= _LAST_YEAR:
        return DateReading(None, f"年が{_FIRST_YEAR}〜{_LAST_YEAR}の外です。", spelling)
    try:
        date = dt.date(int(year), int(month), int(day) if day else 1)
    except ValueError:
        return DateReading(None, "暦に無い日付です。", spelling)
    return DateReading(date, "", spelling, Precision.DAY if day else Precision.MONTH)
