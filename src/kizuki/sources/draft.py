"""A proposed manifest for any CSV: encoding, newline, header, types, kana, keys and fill rates, with the evidence beside each.

The text loads as it is. What only the owning office knows (legal basis, purpose, how often) is marked 未確認, and such a draft
may be received but never run as a recurring feed.
"""

import json
import re
from collections import Counter
from dataclasses import dataclass
from itertools import combinations

from kizuki.definitions.sources import column_keys
from kizuki.sources.guesses import SERIAL_DAYS, Column, english_names, guess
from kizuki.sources.received import Reason
from kizuki.sources.records import split_line, split_records
from kizuki.sources.text import REPLACEMENT, Lines, not_a_csv, split_lines, to_utf8

_PREVIEW = 50
_PERSON = {
    "宛名番号": "番号10桁",
    "氏名": "氏名",
    "カナ": "カナ",
    "生年月日": "和暦",
    "郵便番号": "郵便番号",
    "住所": "住所",
    "電話": "電話",
}
_DATED = r"_(?P<as_of>\d{8})_(?P<kind>full|diff)\.csv"
_KEY_WORDS = re.compile(r"番号|ID$|コード|No|^id$|キー", re.IGNORECASE)
_TOTALS = re.compile(r"(合計|小計|総計|計|件数)[,\t; \d\"]*")
_ENCODING_LABEL = {"utf-8": "UTF-8", "cp932": "CP932"}
_DELIMITER_LABEL = {",": "カンマ", "\t": "タブ", ";": "セミコロン"}


@dataclass(frozen=True, slots=True)
class Shape:
    """How the file is written."""

    encoding: str
    newline: str
    delimiter: str
    header_rows: int
    titles: tuple[str, ...]
    multiline: bool
    totals: bool
    notes: tuple[str, ...]


def propose(data: bytes, source_id: str, known_names: dict[str, str]) -> str | Reason:
    """The YAML of a draft manifest, or why these bytes cannot be one CSV file.

    `known_names` maps titles to the English names other sources already use.
    """
    unfit = not_a_csv(data)
    if unfit is not None:
        return unfit
    encoding, doubt = _encoding(data)
    lines = split_lines(to_utf8(data, encoding))
    shape = _shape(data, lines, encoding)
    if isinstance(shape, Reason):
        return shape
    columns = _columns(lines, shape, known_names)
    for column in columns:
        guess(column)
    key = _primary_key(columns)
    notes = [*shape.notes, *([doubt] if doubt else [])]
    return _yaml(source_id, shape, columns, key, notes)


def _encoding(data: bytes) -> tuple[str, str]:
    """Byte order mark, else strict UTF-8, else strict CP932, else the one that spoils fewer characters."""
    spoiled = {e: to_utf8(data, e).count(REPLACEMENT.encode()) for e in ("utf-8", "cp932")}
    if data.startswith(b"\xef\xbb\xbf") or spoiled["utf-8"] == 0:
        return "utf-8", ""
    if spoiled["cp932"] == 0:
        return "cp932", ""
    best = min(spoiled, key=lambda e: spoiled[e])
    return best, f"どの文字コードでも読めない文字が{spoiled[best]}個ある。その行は受領で保留される"


def _shape(data: bytes, lines: Lines, encoding: str) -> Shape | Reason:
    preview = [lines.text(i) for i in range(min(_PREVIEW, len(lines)))]
    delimiter = max((",", "\t", ";"), key=lambda d: sum(t.count(d) for t in preview))
    cells = [split_line(t, delimiter) for t in preview]
    widths = Counter(len(c) for c in cells if c is not None and len(c) > 1) or Counter(len(c) for c in cells if c is not None)
    if not widths:
        return Reason("K110", "見出しの行を見つけられません。", "1行目に見出しのあるCSVで書き出してください。")
    width = widths.most_common(1)[0][0]
    header = next((i for i, c in enumerate(cells) if c is not None and len(c) == width and _looks_like_header(c)), None)
    if header is None:
        return Reason("K110", "見出しの行を見つけられません。", "1行目に見出しのあるCSVで書き出してください。")
    notes = [f"見出しの前に{header}行ある"] if header else []
    body = split_records(lines, delimiter, multiline=True)
    notes += [f"引用符の乱れた行が{int(body.bad_quote.sum())}行ある"] if body.bad_quote.any() else []
    tail = [lines.text(i) for i in range(max(header + 1, len(lines) - 10), len(lines))]
    titles = cells[header]
    assert titles is not None
    return Shape(
        encoding=encoding,
        newline="crlf" if data.count(b"\r\n") * 2 > data.count(b"\n") else "lf",
        delimiter=delimiter,
        header_rows=header + 1,
        titles=tuple(titles),
        multiline=bool((body.count > 1).any()),
        totals=any(_TOTALS.fullmatch(t) for t in tail),
        notes=tuple(notes),
    )


def _looks_like_header(cells: list[str]) -> bool:
    """Mostly filled with words: no number, no date, hardly a repetition."""
    filled = [c for c in cells if c.strip()]
    words = [c for c in filled if not re.fullmatch(r"[\d.,/\-:]+", c.strip())]
    return len(words) == len(filled) and len(set(filled)) * 10 >= len(filled) * 8 and len(filled) * 2 >= len(cells)


def _columns(lines: Lines, shape: Shape, known_names: dict[str, str]) -> list[Column]:
    keys = column_keys(shape.titles)
    columns = [Column(t, n, {}) for t, n in zip(keys, english_names(keys, known_names), strict=True)]
    records = split_records(lines, shape.delimiter, shape.multiline)
    for first, count, fine in zip(records.first.tolist(), records.count.tolist(), records.readable.tolist(), strict=True):
        if first < shape.header_rows or not fine:
            continue
        text = lines.text(first, first + count - 1)
        cells = _cells(text, shape.delimiter)
        if len(cells) == len(columns) and not _TOTALS.fullmatch(text):
            for column, value in zip(columns, cells, strict=True):
                column.counts[value] = column.counts.get(value, 0) + 1
    _remember_rows(columns)
    return columns


def _cells(text: str, delimiter: str) -> list[str]:
    """Fields of one well-formed record, newlines inside quotes kept."""
    if '"' not in text:
        return text.split(delimiter)
    cells, start, inside = [], 0, False
    for position, character in enumerate(text):
        if character == '"':
            inside = not inside
        elif character == delimiter and not inside:
            cells.append(text[start:position])
            start = position + 1
    cells.append(text[start:])
    return [c[1:-1].replace('""', '"') if c.startswith('"') else c for c in cells]


def _remember_rows(columns: list[Column]) -> None:
    for column in columns:
        if not column.counts:
            column.counts[""] = 0


def _primary_key(columns: list[Column]) -> list[Column]:
    """The likeliest key: one column without blanks or repetitions, best with a title that says so; else the fullest ones."""
    candidates = [c for c in columns if c.unique and c.type not in ("小数", "日付") and not c.multiline]
    candidates.sort(
        key=lambda c: (_KEY_WORDS.search(c.title) is None, c.klass == "住所", max((len(v) for v in c.counts), default=0))
    )
    if candidates:
        return candidates[:1]
    full = [c for c in columns if c.rows and c.filled == c.rows and not c.multiline]
    for pair in combinations(sorted(full, key=lambda c: -len(c.counts))[:6], 2):
        if len(pair[0].counts) * len(pair[1].counts) > 2 * pair[0].rows:
            return list(pair)
    return full or [max(columns, key=lambda c: c.filled)]


def _yaml(source_id: str, shape: Shape, columns: list[Column], key: list[Column], notes: list[str]) -> str:
    listed = [c for c in columns if not c.mynumber]
    key = [c for c in key if c in listed] or listed[:1]
    sure = len(key) == 1 and key[0].unique
    out = ["# 受領の定義の下書き。「未確認」の所を所管課が埋め、推定を確かめてから使う。"]
    out += [f"# 注意：{note}" for note in notes]
    out += [
        f"ID: {source_id}",
        "名称: 未確認の元データ",
        "所管: 未確認",
        "系統: 未確認",
        "法的根拠: 未確認   # 定期の連携にする前に、条項を書く",
        "利用目的: 未確認",
        "頻度: 随時   # 毎日・毎週・毎月・四半期・学期・毎年・随時",
        "猶予日数: 0",
        "保存日数: 365",
        "届け方: 全件   # 全件・差分・全件と差分",
        f"ファイル名: {_quoted(source_id + _DATED)}",
        "様式:",
        "  - ID: v1",
        f"    文字コード: {_ENCODING_LABEL[shape.encoding]}",
        f"    改行: {shape.newline.upper()}",
        f"    区切り: {_DELIMITER_LABEL[shape.delimiter]}",
        f"    見出し行数: {shape.header_rows}",
        f"    列の並び: [{', '.join(_quoted(t) for t in shape.titles)}]",
    ]
    if len(listed) < len(columns):
        out.append(f"    取り込まない列: [{', '.join(_quoted(c.title) for c in columns if c.mynumber)}]")
    if shape.totals:
        out.append("    末尾行: ['(合計|小計|総計|計|件数)[,\\t; \\d\"]*']")
    comment = "" if sure else "   # 重なりのない列が見つからない。確かめること"
    out.append(f"主キー: [{', '.join(c.name for c in key)}]{comment}")
    out += _person(listed, key)
    out.append("項目:")
    out += [_field(c, c in key) for c in listed]
    return "\n".join(out) + "\n"


def _person(columns: list[Column], key: list[Column]) -> list[str]:
    """How a row names a person, if it seems to; without this the source is not linked."""
    told: dict[str, str] = {}
    for role, way in _PERSON.items():
        ways = {way, SERIAL_DAYS} if role == "生年月日" else {way}
        found = [c for c in columns if c.normaliser in ways and c.klass in ("本人", "住所")]
        if found:
            told[role] = found[0].name
    if not {"宛名番号", "氏名", "カナ"} & set(told):
        return []
    fields = "".join(f", {role}: {name}" for role, name in told.items())
    return ["人の記録:", f"  - {{役割: 本人, 記録の鍵: [{', '.join(c.name for c in key)}]{fields}}}"]


def _field(column: Column, key: bool) -> str:
    parts = [f"名: {column.name}", f"見出し: {_quoted(column.title)}", f"型: {column.type}"]
    parts.append("必須: はい" if key else "空欄: 未入力")
    if column.categories:
        parts.append("区分: {" + ", ".join(f"{_quoted(k)}: {_quoted(v)}" for k, v in column.categories.items()) + "}")
    parts += [f"整え方: {column.normaliser}", f"機微: {column.klass}"]
    if column.multiline:
        parts.append("複数行: はい")
    return "  - {" + ", ".join(parts) + "}   # " + "。".join(column.evidence)


def _quoted(text: str) -> str:
    """A JSON string, which is a YAML string."""
    return json.dumps(text, ensure_ascii=False)
