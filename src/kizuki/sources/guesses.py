"""Guesses about one column of an unknown file, from its title and its distinct values, each with the evidence for it."""

import datetime as dt
import re
import unicodedata
from dataclasses import dataclass, field

from kizuki.sources.checks import _DOUBLE, _INT, fold
from kizuki.sources.mynumber import candidates, names_mynumber, passes
from kizuki.terms.wareki import DateReading, Spelling, read_date

MAX_CATEGORIES = 12
SERIAL_DAYS = "和暦と通し番号"
_FIRST_COUNTED, _LAST_COUNTED = dt.date(1927, 5, 18), dt.date(2050, 12, 31)
"""Five digits begin in 1927 (10000); later than this no record speaks of yet."""
_DAY_TITLE = re.compile(r"日|年月|date|開始|終了|birth|dob", re.IGNORECASE)
_COUNT_TITLE = re.compile(r"額|数|率|料|単価|番号|コード|ID$|No", re.IGNORECASE)
_KANA = re.compile(r"[\u3041-\u3096\u30a1-\u30fc\uff66-\uff9f\s\u3000・.\-]+")
_FIXED_WIDTH_NUMBER = re.compile(r"0[0-9]+")
_PHONE = re.compile(r"[0-9(（][0-9()（）\-ー－ ]{5,14}[0-9]")
_POSTCODE = re.compile(r"〒?[0-9]{3}-?[0-9]{4}")
_PERSON_NAME = re.compile(r"[\u4e00-\u9fff々〆ヶ\ue000-\uf8ff]{1,5}[ \u3000][\u3041-\u30fe\u4e00-\u9fff々\ue000-\uf8ff]{1,6}")
_MARKS = frozenset({"0", "1", "Y", "N", "有", "無", "男", "女", "○", "はい", "いいえ"})
_TIME = re.compile(r".?\d{1,2}:\d{2}")
_SLUG = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Hint:
    """What a title says: words to look for, the normaliser (Japanese label) and the sensitivity class (Japanese label)."""

    words: re.Pattern[str]
    normaliser: str
    klass: str


def _hint(words: str, normaliser: str, klass: str) -> Hint:
    return Hint(re.compile(words, re.IGNORECASE), normaliser, klass)


HINTS = (
    _hint(r"宛名番号|住民番号|識別番号|個人コード|person_?no", "番号10桁", "本人"),
    _hint(r"フリガナ|ふりがな|カナ|かな|kana", "カナ", "本人"),
    _hint(r"(施設|学校|保育|園|法人|事業|団体|設置|管理|銀行|品|ファイル).*名|(facility|school|owner|label).*", "", "運用"),
    _hint(r"氏名|名前|姓名|保護者|世帯主|代表者|通称|旧氏", "氏名", "本人"),
    _hint(r"生年月日|誕生日|birth|dob", "和暦", "本人"),
    _hint(r"性別|^sex$|gender", "コード", "本人"),
    _hint(r"郵便|〒|zip|post_?code", "郵便番号", "住所"),
    _hint(r"電話|携帯|^tel|^fax|phone|ファックス", "電話", "住所"),
    _hint(r"住所|所在地|方書|居所|address|^add[0-9]?$", "住所", "住所"),
    _hint(r"続柄|世帯", "", "世帯"),
    _hint(r"所得|課税|税|収入", "", "税"),
    _hint(r"生活保護|扶助|障害|障がい|手帳|介護", "", "福祉"),
    _hint(r"手当|給付|減免|滞納|支給|階層", "", "給付"),
    _hint(r"健診|検診|接種|妊娠|体重|身長|むし歯|虫歯|EPDS", "", "母子保健"),
    _hint(r"相談|虐待|要対協|通告|支援措置|DV|気づき|備考|メモ|所見", "", "相談"),
    _hint(r"学年|学級|^組$|出席|欠席|遅刻|早退|就学", "", "学校"),
    _hint(r"保育|学童|利用|定員|入所", "", "保育"),
)


@dataclass(slots=True)
class Column:
    """What is known of one column: its key in the header, its name, values with their counts, and the guesses."""

    title: str
    name: str
    counts: dict[str, int]
    type: str = "文字"
    normaliser: str = "なし"
    klass: str = "運用"
    categories: dict[str, str] = field(default_factory=dict)
    multiline: bool = False
    mynumber: bool = False
    evidence: list[str] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """Rows of the file."""
        return sum(self.counts.values())

    @property
    def filled(self) -> int:
        """Rows with something in this column."""
        return sum(n for value, n in self.counts.items() if value.strip())

    @property
    def unique(self) -> bool:
        """No blank, nothing twice."""
        return self.rows > 0 and self.filled == self.rows == len(self.counts)


def guess(column: Column) -> None:
    """Fill in type, normaliser, class and evidence. A type is proposed only if every value in the file reads as it."""
    values = [v for v in column.counts if v.strip()]
    share = column.filled / column.rows if column.rows else 0
    column.evidence.append(f"記入率{share:.0%}・{len(values)}種類")
    column.multiline = any("\n" in v or "\r" in v for v in values)
    hint = next((h for h in HINTS if h.words.search(unicodedata.normalize("NFKC", column.title))), None)
    if hint is not None:
        column.klass = hint.klass
    if values:
        _guess_type(column, values, coded=hint is None or hint.normaliser in ("", "コード"))
    if column.type == "文字":
        _guess_normaliser(column, values, hint.normaliser if hint else "")
    found = [d for v in values for d in candidates(v)]
    passing = sum(1 for d in found if passes(d))
    if names_mynumber(column.title) or (passing and passing * 2 >= len(found)):
        column.mynumber = True
        column.evidence.append("個人番号の疑い。この列を除いて書き出してもらうこと")
    if column.klass != "運用":
        column.evidence.append(f"個人に関する項目らしい（{column.klass}）")


def _serial_days(column: Column, values: list[str], dates: list[DateReading]) -> bool:
    """Propose a spreadsheet's count of days where every value is a date or such a number, in years a record can be from."""
    counted = [v for v, d in zip(values, dates, strict=True) if d.date is None]
    found = [read_date(v, excel_serial=True) for v in counted]
    if not found or not all(d.date is not None and _FIRST_COUNTED <= d.date <= _LAST_COUNTED for d in found):
        return False
    column.type, column.normaliser = "日付", SERIAL_DAYS
    others = f"、ほかの{len(values) - len(counted)}種類は日付の書き方" if len(counted) < len(values) else ""
    years = sorted(d.date.year for d in found if d.date is not None)
    column.evidence.append(
        f"{len(counted)}種類は5桁の数字で、表計算の通し番号として読むと{years[0]}年〜{years[-1]}年{others}。番号やコードでないことを確かめること"
    )
    return True


def _guess_type(column: Column, values: list[str], *, coded: bool) -> None:
    folded = [fold(v) for v in values]
    dates = [read_date(v) for v in values]
    spellings = {d.spelling for d in dates if d.date is not None}
    numbers = all(_INT.fullmatch(v) for v in folded)
    named_a_day = _DAY_TITLE.search(column.title) is not None
    if all(d.date is not None for d in dates) and (named_a_day or not numbers):
        column.type, column.normaliser = "日付", "和暦"
        column.evidence.append("日付：" + "、".join(sorted(s.value for s in spellings)))
        return
    if named_a_day and not _COUNT_TITLE.search(column.title) and _serial_days(column, values, dates):
        return
    readable = sum(d.date is not None for d in dates)
    if named_a_day and spellings - {Spelling.NONE} and readable:
        column.evidence.append(f"{readable}種類は日付、{len(values) - readable}種類は日付として読めない")
    if coded and _few(column, values):
        column.type, column.normaliser = "コード", "コード"
        column.categories = {v: v for v in sorted(set(folded))}
    elif numbers and not any(_FIXED_WIDTH_NUMBER.fullmatch(v) for v in folded) and all(len(v) <= 9 for v in folded):
        column.type, column.normaliser = "整数", "整数"
    elif all(_DOUBLE.fullmatch(v) for v in folded) and not numbers:
        column.type, column.normaliser = "小数", "小数"


def _few(column: Column, values: list[str]) -> bool:
    """A handful of short values, each often: a code."""
    short = all(len(v) <= 10 and "\n" not in v and not _TIME.fullmatch(v) for v in values)
    if len(values) == 1 and values[0] not in _MARKS:
        return False  # one value says nothing about what the next file may hold
    return short and len(values) <= MAX_CATEGORIES and column.filled >= 10 * len(values)


def _guess_normaliser(column: Column, values: list[str], hinted: str) -> None:
    if values and all(_KANA.fullmatch(v) for v in values) and hinted in ("", "カナ", "氏名"):
        column.normaliser = "カナ"
        half = any("\uff66" <= c <= "\uff9f" for v in values for c in v)
        column.evidence.append("カナだけ（半角あり）" if half else "カナだけ")
        if hinted:
            column.klass = "本人"
    elif values and sum(1 for v in values if _PERSON_NAME.fullmatch(v)) * 10 >= len(values) * 7:
        column.normaliser, column.klass = "氏名", "本人"
        column.evidence.append("姓と名の形")
    elif hinted in ("電話", "郵便番号"):
        pattern = _PHONE if hinted == "電話" else _POSTCODE
        if sum(1 for v in values if pattern.fullmatch(fold(v))) * 2 >= len(values):
            column.normaliser = hinted
    elif hinted in ("氏名", "住所", "番号10桁", "カナ"):
        column.normaliser = hinted
    if values and all(_FIXED_WIDTH_NUMBER.fullmatch(fold(v)) for v in values):
        column.evidence.append("先頭がゼロの番号なので文字として扱う")


def english_names(titles: tuple[str, ...], known: dict[str, str]) -> list[str]:
    """A distinct English name for each column: the one other sources use for the title, the title if ASCII, or column_N."""
    names: list[str] = []
    for position, title in enumerate(titles, start=1):
        name = known.get(title, "")
        if not name and title.isascii():
            name = _SLUG.sub("_", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", title).lower()).strip("_")
        if not name or not name[0].isalpha():
            name = f"column_{position}"
        names.append(name if name not in names else f"{name[:50]}_{position}")
    return names
