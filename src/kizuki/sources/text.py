"""From delivered bytes to UTF-8 and physical lines: is it text at all, in which encoding, where does each line begin and end.

Measured: Python's `cp932` agrees with the WHATWG shift_jis index on every double-byte code, 外字 (private use) included;
`shift_jis` must not be used. The single bytes 80, A0 and FD to FF decode without an error but are no character of the code:
they are treated as 文字化け.
"""

import codecs
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kizuki.sources.received import Reason

Offsets = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.int32]

MAX_LINE_BYTES = 1 << 20
REPLACEMENT = "\ufffd"
_HANDLER = "kizuki-mojibake"
_BOM = codecs.BOM_UTF8
_SNIFFED = 1 << 16
_MIN_CONTROL = 4
_NOT_CHARACTERS = {ord(c): REPLACEMENT for c in "\x80\xa0\uf8f0\uf8f1\uf8f2\uf8f3"}
_MAGIC = (
    (b"PK\x03\x04", "ZIPまたはExcel（xlsx）"),
    (b"PK\x05\x06", "ZIP"),
    (b"\xd0\xcf\x11\xe0", "Excel（xls）などのOffice文書"),
    (b"%PDF", "PDF"),
    (b"\x89PNG", "画像（PNG）"),
    (b"\xff\xd8\xff", "画像（JPEG）"),
    (b"GIF8", "画像（GIF）"),
    (b"BM", "画像（BMP）"),
    (b"II*\x00", "画像（TIFF）"),
    (b"MM\x00*", "画像（TIFF）"),
    (b"\x1f\x8b", "圧縮ファイル（gzip）"),
    (b"BZh", "圧縮ファイル（bzip2）"),
    (b"\xfd7zXZ", "圧縮ファイル（xz）"),
    (b"\x28\xb5\x2f\xfd", "圧縮ファイル（zstd）"),
    (b"7z\xbc\xaf", "圧縮ファイル（7z）"),
    (b"Rar!", "圧縮ファイル（RAR）"),
    (b"\x7fELF", "実行ファイル"),
    (b"MZ", "実行ファイル"),
    (b"#!", "スクリプト"),
    (b"<?", "XML・HTML・スクリプト"),
    (b"<!", "HTML"),
    (b"<html", "HTML"),
    (b"<svg", "画像（SVG）"),
    (b"SQLite format 3", "データベース"),
    (b"PAR1", "Parquet"),
    (b"{\\rtf", "リッチテキスト"),
)
_PRINTABLE_MAGIC = frozenset({b"BM", b"MZ", b"BZh", b"PAR1", b"GIF8", b"Rar!"})
_RESEND = "CSVで書き出し直して送ってください。"


def _mojibake(error: UnicodeError) -> tuple[str, int]:
    # One byte at a time: a broken lead byte must not swallow the comma or newline after it.
    assert isinstance(error, UnicodeDecodeError)
    return REPLACEMENT, error.start + 1


codecs.register_error(_HANDLER, _mojibake)


def not_a_csv(data: bytes) -> Reason | None:
    """Why these bytes cannot be a CSV file at all (K101 empty, K102 another kind of file, K103 encoding), or None."""
    head = data[:_SNIFFED]
    if not data.strip():
        return Reason("K101", "ファイルが空です。", "書き出しを確かめて、送り直してください。")
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return Reason("K103", "文字コードがUTF-16です。", "CP932（Shift_JIS）かUTF-8で書き出し直してください。")
    bare = head.lstrip(_BOM).lstrip() if head.startswith(_BOM) else head
    for magic, kind in _MAGIC:
        # A few signatures are plain letters: a header that merely starts with them is text if nothing binary follows.
        if bare[: len(magic)].lower() == magic.lower() and (magic not in _PRINTABLE_MAGIC or _binary(head)):
            return Reason("K102", f"CSVではありません（{kind}）。", _RESEND)
    if b"\x1b$" in head:
        return Reason("K103", "文字コードがJIS（ISO-2022-JP）です。", "CP932（Shift_JIS）かUTF-8で書き出し直してください。")
    if head.count(b"\x00") * 4 > len(head):
        return Reason(
            "K103", "文字コードがUTF-16か、CSVではありません。", "CP932（Shift_JIS）かUTF-8で書き出し直してください。"
        )
    if _binary(head):
        return Reason("K102", "CSVではありません（文字でないデータ）。", _RESEND)
    return None


def _binary(head: bytes) -> bool:
    """More than one control character in 200 bytes, and not just the end mark of an old system: no exported text."""
    values = np.frombuffer(head, np.uint8)
    control = (values < 0x20) & (values != 0x09) & (values != 0x0A) & (values != 0x0D) & (values != 0x00)
    found = int(np.count_nonzero(control))
    return found >= _MIN_CONTROL and found * 200 > len(head)


def to_utf8(data: bytes, encoding: str) -> bytes:
    """The text in UTF-8 without a byte order mark; every undecodable byte has become U+FFFD."""
    if encoding == "utf-8":
        body = data[len(_BOM) :] if data.startswith(_BOM) else data
        try:
            body.decode("utf-8")
            return body
        except UnicodeDecodeError:
            return body.decode("utf-8", _HANDLER).encode()
    if data.isascii():
        return data
    text = data.decode("cp932", _HANDLER)
    if any(chr(c) in text for c in _NOT_CHARACTERS):
        text = text.translate(_NOT_CHARACTERS)
    return text.encode("utf-8")


def declared_text(data: bytes, encoding: str) -> str | None:
    """Strictly decoded text, or None; for headers."""
    try:
        return to_utf8(data, encoding).decode() if REPLACEMENT.encode() not in to_utf8(data, encoding) else None
    except UnicodeDecodeError:
        return None


@dataclass(frozen=True, slots=True)
class Lines:
    """Physical lines of UTF-8 text: content of line i is `data[starts[i]:ends[i]]`, without its newline."""

    data: bytes
    starts: Offsets
    ends: Offsets

    def __len__(self) -> int:
        return len(self.starts)

    def text(self, first: int, last: int | None = None) -> str:
        """Lines first..last (0-based, inclusive) as delivered, inner newlines included."""
        end = self.ends[first if last is None else last]
        return self.data[self.starts[first] : end].decode("utf-8", "replace")

    def holding(self, positions: Offsets) -> Offsets:
        """The line each byte position lies in."""
        return np.searchsorted(self.starts, positions, side="right") - 1


def split_lines(data: bytes) -> Lines:
    """Where each physical line is; a final newline does not begin another line."""
    values = np.frombuffer(data, np.uint8)
    lf = np.flatnonzero(values == 10)
    if b"\r" not in data:
        return _lines(data, lf, lf + 1)
    cr = np.flatnonzero(values == 13)
    following = values[np.minimum(cr + 1, len(values) - 1)]
    lone = cr[(following != 10) | (cr + 1 >= len(values))]
    before = values[np.maximum(lf - 1, 0)]
    lf_ends = np.where((before == 13) & (lf > 0), lf - 1, lf)
    if not len(lone):
        return _lines(data, lf_ends, lf + 1)
    ends, begins = np.concatenate([lf_ends, lone]), np.concatenate([lf + 1, lone + 1])
    order = np.argsort(begins, kind="stable")
    return _lines(data, ends[order], begins[order])


def _lines(data: bytes, ends: Offsets, next_starts: Offsets) -> Lines:
    starts = np.concatenate([np.zeros(1, np.int64), next_starts])
    ends = np.concatenate([ends, np.array([len(data)], np.int64)])
    if starts[-1] >= len(data):
        starts, ends = starts[:-1], ends[:-1]
    return Lines(data, starts, ends)
