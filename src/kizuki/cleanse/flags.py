"""What a cleansing step did or could not do: the closed list of flags, each with the Japanese words staff read."""

from enum import StrEnum
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")


class Flag(StrEnum):
    """One thing that was done to, or could not be done with, one value."""

    WIDTH = "width"
    SPACE = "space"
    VARIANT = "variant"
    SELECTOR = "selector"
    GAIJI_MAPPED = "gaiji_mapped"
    GAIJI_UNKNOWN = "gaiji_unknown"
    CONTROL = "control"
    ALPHABET = "alphabet"
    SPLIT_BY_REGISTER = "split_by_register"
    SPLIT_BY_LIST = "split_by_list"
    NOT_SPLIT = "not_split"
    PARENTHESES = "parentheses"
    HONORIFIC = "honorific"
    HIRAGANA = "hiragana"
    ROMAJI = "romaji"
    NOT_KANA = "not_kana"
    LEADING_ZERO = "leading_zero"
    TOO_LONG = "too_long"
    TOO_SHORT = "too_short"
    NOT_NUMBER = "not_number"
    NOT_DATE = "not_date"
    AREA_CODE_MISSING = "area_code_missing"
    IMPLAUSIBLE = "implausible"
    EXTENSION = "extension"
    SEVERAL = "several"
    READING_DOUBTFUL = "reading_doubtful"
    PREFECTURE_INFERRED = "prefecture_inferred"
    PREFECTURE_AMBIGUOUS = "prefecture_ambiguous"
    CITY_UNLISTED = "city_unlisted"
    CITY_MISSING = "city_missing"
    TOWN_GUESSED = "town_guessed"
    TOWN_MISSING = "town_missing"
    BLOCK_MISSING = "block_missing"

    @property
    def label(self) -> str:
        """Japanese label shown to staff."""
        return _TITLES[self]

    @property
    def needs_people(self) -> bool:
        """Whether it could not be settled by rule: the office, the 外字表 or a reviewer has to see to it."""
        return self in _FOR_PEOPLE


_TITLES = {
    Flag.WIDTH: "全角・半角をそろえた",
    Flag.SPACE: "空白をそろえた",
    Flag.VARIANT: "比較のために異体字を畳んだ（表示は原文のまま）",
    Flag.SELECTOR: "比較のために字形指定（IVS）を外した",
    Flag.GAIJI_MAPPED: "外字を外字表で読み替えた",
    Flag.GAIJI_UNKNOWN: "外字表にない外字がある（比較では〓として扱う）",
    Flag.CONTROL: "見えない制御文字を外した",
    Flag.ALPHABET: "アルファベットの氏名",
    Flag.SPLIT_BY_REGISTER: "住民記録の姓名から姓と名を分けた",
    Flag.SPLIT_BY_LIST: "よくある姓の一覧から姓と名を分けた（住民記録にない姓）",
    Flag.NOT_SPLIT: "姓と名を分けられない",
    Flag.PARENTHESES: "括弧の中を比較から外した",
    Flag.HONORIFIC: "敬称を比較から外した",
    Flag.HIRAGANA: "ひらがなをカタカナにした",
    Flag.ROMAJI: "ローマ字をカタカナに読み替えた",
    Flag.NOT_KANA: "カナでない文字がある",
    Flag.LEADING_ZERO: "先頭のゼロを補った・外した",
    Flag.TOO_LONG: "桁が多い",
    Flag.TOO_SHORT: "桁が足りない",
    Flag.NOT_NUMBER: "数として読めない",
    Flag.NOT_DATE: "日付として読めない",
    Flag.AREA_CODE_MISSING: "市外局番がない",
    Flag.IMPLAUSIBLE: "電話番号としてあり得ない",
    Flag.EXTENSION: "内線などの続きを外した",
    Flag.SEVERAL: "番号がいくつかあり、最初のものを採った",
    Flag.READING_DOUBTFUL: "氏名の漢字とカナが、住民記録で学んだ読み方では結びつかない",
    Flag.PREFECTURE_INFERRED: "都道府県を市区町村名から補った",
    Flag.PREFECTURE_AMBIGUOUS: "同じ名の市区町村が複数の都道府県にある",
    Flag.CITY_UNLISTED: "市区町村が全国表にない",
    Flag.CITY_MISSING: "市区町村を読み取れない",
    Flag.TOWN_GUESSED: "町字が町字表にない（書き方から区切った）",
    Flag.TOWN_MISSING: "町字を読み取れない",
    Flag.BLOCK_MISSING: "番地を読み取れない",
}


_FOR_PEOPLE = frozenset(
    {
        Flag.GAIJI_UNKNOWN,
        Flag.NOT_SPLIT,
        Flag.READING_DOUBTFUL,
        Flag.NOT_KANA,
        Flag.TOO_LONG,
        Flag.TOO_SHORT,
        Flag.NOT_NUMBER,
        Flag.NOT_DATE,
        Flag.AREA_CODE_MISSING,
        Flag.IMPLAUSIBLE,
        Flag.PREFECTURE_AMBIGUOUS,
        Flag.CITY_UNLISTED,
        Flag.CITY_MISSING,
        Flag.TOWN_MISSING,
    }
)


class Cleaned(NamedTuple, Generic[T]):
    """A cleansed value and what was done to it; `value` is None when nothing usable remains."""

    value: T | None
    flags: tuple[Flag, ...] = ()
