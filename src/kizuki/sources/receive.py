"""受領・検査: one delivered file in, accepted rows and quarantined lines out. Pure: no clock, no disk, no network.

The order matters. What cannot be a CSV is refused before anything is decoded; 個人番号 is looked for before anything could be
kept; the header decides the layout; every line is then a record, a declared header, trailer or blank line, or set aside with
a reason.
"""

import datetime as dt
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv

from kizuki.definitions.sources import Field, Layout, SourceManifest
from kizuki.sources import mynumber
from kizuki.sources.checks import check_column
from kizuki.sources.gates import decide
from kizuki.sources.received import (
    LANDING_LINE,
    Kind,
    Previous,
    Quarantined,
    Reason,
    Received,
    quarantine_table,
    safe_file_name,
)
from kizuki.sources.records import Records, split_line, split_records
from kizuki.sources.text import MAX_LINE_BYTES, Codes, Flags, Lines, Offsets, declared_text, not_a_csv, split_lines, to_utf8

csv: Any = pyarrow.csv  # the stubs know neither its buffers nor its handler

_TRAILER_REACH = 10
_RESEND_LINE = "元のシステムでこの行を直して送り直してください。"
_MYNUMBER_FIX = "個人番号の列を除いて書き出し直し、送り直してください。届いたファイルは保存していません。"
_MYNUMBER_LINE = Reason(
    "K117", "個人番号らしい12桁の番号が書かれています。", "番号を消して送り直してください。行の内容は保存していません。"
)
_STRUCTURE = {
    "bad_quote": Reason("K131", '引用符（"）の使い方が規則に合わず、列に分けられません。', _RESEND_LINE),
    "mojibake": Reason("K132", "文字化けした文字があります。", "元のシステムの文字コードの設定を確かめ、送り直してください。"),
    "nul": Reason("K133", "文字でないデータ（NUL）が入っています。", _RESEND_LINE),
}


@dataclass(frozen=True, slots=True)
class Stamp:
    """When the data of a file are from and whether it is a full extract."""

    as_of: str | None
    kind: Kind


def receive_bytes(
    data: bytes, file_name: str, manifest: SourceManifest, previous: Previous, stamp: Stamp | None = None
) -> Received:
    """Check one file against its manifest and what came before.

    `stamp` overrides what the file name says (a file handed over by hand). Nothing raises on bad input: the outcome says why.
    """
    return decide(inspect_bytes(data, file_name, manifest, stamp), previous, manifest)


def inspect_bytes(data: bytes, file_name: str, manifest: SourceManifest, stamp: Stamp | None = None) -> Received:
    """The part of the check that needs only the file and its manifest."""
    named = stamp or stamp_of(file_name, manifest)
    digest = hashlib.sha256(data).hexdigest()
    blank = Received(
        delivery=delivery_id(digest, manifest, named or Stamp(None, "full")),
        source=manifest.id,
        status="refused",
        sha256=digest,
        file=safe_file_name(file_name),
        manifest=manifest.fingerprint,
    )
    if not manifest.enabled:
        return blank.refused(
            Reason("K105", f"「{manifest.name}」の受領は止められています。", "決裁の署名で受領を始めてください。")
        )
    if named is None:
        fix = f"ファイル名を「{manifest.id}_年月日8桁_full.csv」のように付け直してください。"
        return blank.refused(Reason("K104", "ファイル名からデータの時点を読めません。", fix))
    blank = replace(blank, as_of=named.as_of, kind=named.kind)
    unfit = not_a_csv(data)
    if unfit is not None:
        return blank.refused(unfit)
    return _with_layout(data, manifest, blank)


def stamp_of(file_name: str, manifest: SourceManifest) -> Stamp | None:
    """As-of date and kind from the file name, or None if it does not follow the manifest."""
    found = re.fullmatch(manifest.file_name, file_name)
    if found is None:
        return None
    groups = found.groupdict()
    digits = groups["as_of"] or ""
    try:
        as_of = dt.datetime.strptime(digits, "%Y%m%d").replace(tzinfo=dt.UTC).date() if len(digits) == 8 else None
    except ValueError:
        as_of = None
    if as_of is None:
        return None
    default: Kind = "diff" if manifest.delivery == "diff" else "full"
    kind: Kind = {"full": "full", "diff": "diff"}.get(groups.get("kind") or "", default)  # type: ignore[assignment]
    return Stamp(as_of.isoformat(), kind)


def delivery_id(sha256: str, manifest: SourceManifest, stamp: Stamp) -> str:
    """The same content, as of the same day, read by the same manifest, is the same delivery."""
    parts = "\x1f".join((manifest.id, manifest.fingerprint, stamp.as_of or "", stamp.kind, sha256))
    return hashlib.sha256(parts.encode()).hexdigest()[:24]


def _with_layout(data: bytes, manifest: SourceManifest, blank: Received) -> Received:
    headers = [(layout, _header(data, layout)) for layout in manifest.layouts]
    for _, cells in headers:
        for position, title in enumerate(cells or (), start=1):
            if mynumber.names_mynumber(title) and title not in _waived_titles(manifest):
                return blank.refused(Reason("K116", f"{position}列目の見出しが個人番号を表しています。", _MYNUMBER_FIX, line=1))
    matching = [layout for layout, cells in headers if cells == list(manifest.titles(layout)) or layout.header_rows == 0]
    if not matching:
        return _header_changed(data, manifest, blank, [(layout, c) for layout, c in headers if c is not None])
    current = [x for x in matching if blank.as_of is None or x.valid_from <= blank.as_of <= x.valid_until]
    received = _Reader(data, manifest, (current or matching)[0], blank).read()
    if current or received.status == "refused":
        return received
    message = f"様式「{matching[0].id}」は、データの時点（{blank.as_of}）では使わないことになっています。"
    return received.held(Reason("K111", message, "様式の適用期間かファイル名の年月日を確かめてください。"))


def _header(data: bytes, layout: Layout) -> list[str] | None:
    """The cells of the header line read in the layout's encoding; None if it cannot be read so."""
    if layout.header_rows == 0:
        return None
    rest = data
    for _ in range(layout.header_rows):
        found = re.search(rb"\r\n|\n|\r", rest[:MAX_LINE_BYTES])
        line, rest = (rest[: found.start()], rest[found.end() :]) if found else (rest[:MAX_LINE_BYTES], b"")
    text = declared_text(line, layout.encoding)
    return None if text is None else split_line(text, layout.delimiter)


def _waived_titles(manifest: SourceManifest) -> set[str]:
    return {f.title for f in manifest.fields if f.mynumber_waiver}


def _header_changed(data: bytes, manifest: SourceManifest, blank: Received, read: list[tuple[Layout, list[str]]]) -> Received:
    """Held for a header no layout has; refused if its content is 個人番号, for nothing of that may be kept."""
    text = to_utf8(data, read[0][0].encoding if read else manifest.layouts[0].encoding)
    lines = split_lines(text)
    if int((lines.ends - lines.starts).max()) > MAX_LINE_BYTES:
        return blank.refused(_too_long())
    found = mynumber.scan_texts(lines.text(i) for i in range(len(lines)))
    if found.is_mynumber_column or (found.passing and found.cells < mynumber.COLUMN_CELLS):
        return blank.refused(Reason("K116", "個人番号らしい12桁の番号が並んでいます。", _MYNUMBER_FIX))
    held = replace(blank, status="held", lines=len(lines), quarantined=len(lines))
    return replace(held, reasons=(_header_reason(data, manifest, read),))


def _header_reason(data: bytes, manifest: SourceManifest, read: list[tuple[Layout, list[str]]]) -> Reason:
    fix = "書き出しの設定を戻すか、新しい様式を定義に加えてから「保留の解除」をしてください。"
    for layout in manifest.layouts:
        other = layout.model_copy(update={"encoding": "utf-8" if layout.encoding == "cp932" else "cp932"})
        if _header(data, other) == list(manifest.titles(layout)):
            return Reason("K110", f"文字コードが定義（{layout.encoding}）と違います。", fix, line=1)
    if not read:
        return Reason("K110", "見出しの行を、定義の文字コードで読めません。", fix, line=1)
    layout, cells = min(read, key=lambda x: len(set(manifest.titles(x[0])) ^ set(x[1])))
    titles = manifest.titles(layout)
    missing = [f"「{t}」" for t in titles if t not in cells]
    unknown = [str(i) for i, c in enumerate(cells, start=1) if c not in titles]
    # Only titles of the definition are named: without a header line the first cells are a person's data.
    details = [
        f"無い列：{'、'.join(missing)}" if missing else "",
        f"知らない列：{'、'.join(unknown[:20])}列目" if unknown else "",
    ]
    detail = "。".join(d for d in details if d) or "列の並びが違います"
    return Reason("K110", f"見出しが様式「{layout.id}」と違います。{detail}。", fix, line=1)


def _too_long() -> Reason:
    return Reason(
        "K102", "1行が長すぎます（1MBを超える）。CSVではありません。", "改行のあるCSVで書き出し直して送ってください。"
    )


@dataclass
class _Reader:
    """One pass over one file whose layout is known; collects quarantined records as it goes."""

    data: bytes
    manifest: SourceManifest
    layout: Layout
    blank: Received
    aside: list[Quarantined] = field(default_factory=list)
    declared: int = 0
    refusal: Reason | None = None

    def read(self) -> Received:
        """The outcome; asserts that no line is lost."""
        lines = split_lines(to_utf8(self.data, self.layout.encoding))
        if len(lines) and int((lines.ends - lines.starts).max()) > MAX_LINE_BYTES:
            return self.blank.refused(_too_long())
        multiline = any(f.multiline for f in self.fields())
        body = Lines(lines.data, lines.starts[self.layout.header_rows :], lines.ends[self.layout.header_rows :])
        self.declared = len(lines) - len(body)
        records = split_records(_rebased(body), self.layout.delimiter, multiline)
        body = _rebased(body)
        keep = self._set_structure_aside(body, records)
        table, kept = self._parse(body, records, keep)
        table, kept = self._check(table, kept, body, records)
        if self.refusal is not None:
            return self.blank.refused(self.refusal)
        return self._outcome(table, kept, records, len(lines))

    def fields(self) -> list[Field]:
        """The fields this layout carries, in file order."""
        return [self.manifest.field(name) for name in self.manifest.columns(self.layout) if name is not None]

    def _line_no(self, records: Records, index: int) -> int:
        return int(records.first[index]) + self.layout.header_rows + 1

    def _put_aside(self, body: Lines, records: Records, index: int, reason: Reason, *, keep_row: bool = True) -> None:
        line, count = self._line_no(records, index), int(records.count[index])
        first = int(records.first[index])
        row = body.text(first, first + count - 1) if keep_row and None not in self.manifest.columns(self.layout) else None
        self.aside.append(Quarantined(line, count, replace(reason, line=line), row))

    def _set_structure_aside(self, body: Lines, records: Records) -> Flags:
        """Everything known from the text alone: blank lines, trailers, broken quotes and characters. Returns what to parse."""
        keep = records.readable.copy()
        self.declared += int(np.count_nonzero(records.blank))
        for index in np.flatnonzero(~keep & ~records.blank).tolist():
            kind = next(k for k in ("nul", "mojibake", "bad_quote") if getattr(records, k)[index])
            self._aside_unless_mynumber(body, records, index, _STRUCTURE[kind])
        for index in range(max(0, len(keep) - _TRAILER_REACH), len(keep)):
            if keep[index] and self._is_trailer(body.text(int(records.first[index]))):
                keep[index] = False
                self.declared += 1
        return keep

    def _is_trailer(self, text: str) -> bool:
        return text == "\x1a" or any(re.fullmatch(p, text) for p in self.layout.trailer_patterns)

    def _aside_unless_mynumber(self, body: Lines, records: Records, index: int, reason: Reason) -> None:
        first = int(records.first[index])
        text = body.text(first, first + int(records.count[index]) - 1)
        secret = bool(mynumber.scan_texts([text]).passing)
        self._put_aside(body, records, index, _MYNUMBER_LINE if secret else reason, keep_row=not secret)

    def _parse(self, body: Lines, records: Records, keep: Flags) -> tuple[pa.Table, Offsets]:
        """Split the kept records strictly; returns the listed columns and the record index of each row."""
        kept = np.flatnonzero(keep)
        columns = self.manifest.columns(self.layout)
        names = [name or f"-{i}" for i, name in enumerate(columns)]
        wanted = [name for name in columns if name is not None]
        wrong: list[int] = []

        def on_invalid(row: Any) -> str:
            wrong.append(int(row.number) - 1)
            return "skip"

        text = _joined(body, records, kept)
        if text:
            table = _split_columns(text, names, wanted, self.layout.delimiter, on_invalid)
        else:
            table = pa.table({name: pa.array([], pa.string()).dictionary_encode() for name in wanted})
        for position in wrong:
            self._wrong_columns(body, records, int(kept[position]), len(columns))
        kept = np.delete(kept, wrong)
        if table.num_rows != len(kept):
            raise AssertionError(f"parser returned {table.num_rows} rows for {len(kept)} records")
        return table, kept

    def _wrong_columns(self, body: Lines, records: Records, index: int, expected: int) -> None:
        if records.count[index] == 1 and self._is_trailer(body.text(int(records.first[index]))):
            self.declared += 1
            return
        message = f"列の数が定義（{expected}列）と違います。"
        self._aside_unless_mynumber(body, records, index, Reason("K130", message, _RESEND_LINE))

    def _check(self, table: pa.Table, kept: Offsets, body: Lines, records: Records) -> tuple[pa.Table, Offsets]:
        """Run the compiled checks; failing rows are set aside with their first reason, 個人番号 before all others."""
        bad = np.zeros(table.num_rows, np.bool_)
        secret = np.zeros(table.num_rows, np.bool_)
        failures = []
        for spec in self.fields():
            values, indices = _coded(table[spec.name])
            failures += check_column(spec, values, indices)
            found = None if spec.mynumber_waiver else mynumber.scan_column(values, indices)
            if found is not None and found.is_mynumber_column:
                self.refusal = Reason(
                    "K116", f"「{spec.title}」の列に個人番号らしい番号が並んでいます。", _MYNUMBER_FIX, column=spec.title
                )
                return table, kept
            if found is not None and not found.is_other_numbering:
                secret |= found.rows
        self._check_untaken(body)
        for row in np.flatnonzero(secret).tolist():
            self._put_aside(body, records, int(kept[row]), _MYNUMBER_LINE, keep_row=False)
        bad |= secret
        for failure in failures:
            for row in np.flatnonzero(failure.rows & ~bad).tolist():
                self._put_aside(body, records, int(kept[row]), failure.reason)
            bad |= failure.rows
        if not bad.any():
            return table, kept
        return table.filter(pa.array(~bad)), kept[~bad]

    def _check_untaken(self, body: Lines) -> None:
        """A column that is not taken in never becomes a table, yet must not carry 個人番号 past us."""
        if None in self.manifest.columns(self.layout):
            found = mynumber.scan_texts(body.text(i) for i in range(len(body)))
            if found.is_mynumber_column:
                self.refusal = Reason("K116", "取り込まない列に個人番号らしい番号が並んでいます。", _MYNUMBER_FIX)

    def _outcome(self, table: pa.Table, kept: Offsets, records: Records, total: int) -> Received:
        numbers = pa.array(records.first[kept] + self.layout.header_rows + 1, pa.int32())
        landing = table.add_column(0, LANDING_LINE, numbers)
        accepted, quarantined = int(records.count[kept].sum()), sum(q.lines for q in self.aside)
        if total != accepted + quarantined + self.declared:
            raise AssertionError(f"{total} lines, but {accepted} + {quarantined} + {self.declared} accounted for")
        return replace(
            self.blank,
            status="accepted",
            layout=self.layout.id,
            lines=total,
            accepted=accepted,
            quarantined=quarantined,
            declared=self.declared,
            rows=landing.num_rows,
            reasons=tuple(q.reason for q in sorted(self.aside, key=lambda q: q.line)),
            table=landing,
            quarantine=quarantine_table(self.manifest.id, self.blank.delivery, self.aside),
        )


def _rebased(lines: Lines) -> Lines:
    """Lines whose data begin at their first line, so that positions and bytes agree."""
    if not len(lines) or lines.starts[0] == 0:
        return lines if len(lines) else Lines(b"", lines.starts, lines.ends)
    offset = lines.starts[0]
    return Lines(lines.data[int(offset) :], lines.starts - offset, lines.ends - offset)


def _joined(body: Lines, records: Records, kept: Offsets) -> bytes:
    """The text of the kept records; the whole body untouched when nothing was taken out."""
    if len(kept) == len(records.first):
        return body.data
    starts = body.starts[records.first[kept]]
    last = records.first[kept] + records.count[kept] - 1
    ends = np.append(body.starts, len(body.data))[last + 1]
    breaks = np.flatnonzero(starts[1:] != ends[:-1]) if len(kept) else np.zeros(0, np.int64)
    run_starts = starts[np.concatenate([[0], breaks + 1])] if len(kept) else starts
    run_ends = ends[np.concatenate([breaks, [len(kept) - 1]])] if len(kept) else ends
    return b"".join(body.data[a:b] for a, b in zip(run_starts.tolist(), run_ends.tolist(), strict=True))


def _split_columns(
    text: bytes, names: list[str], wanted: list[str], delimiter: str, on_invalid: Callable[[Any], str]
) -> pa.Table:
    """pyarrow's parser as a strict splitter: every value text, nothing trimmed, nothing null, unlisted columns dropped."""
    table: pa.Table = csv.read_csv(
        pa.BufferReader(text),
        read_options=csv.ReadOptions(column_names=names, use_threads=False, block_size=len(text) + 1),
        parse_options=csv.ParseOptions(
            delimiter=delimiter,
            quote_char='"' if b'"' in text else False,
            newlines_in_values=b'"' in text,
            ignore_empty_lines=False,
            invalid_row_handler=on_invalid,
        ),
        convert_options=csv.ConvertOptions(
            column_types={name: pa.dictionary(pa.int32(), pa.string()) for name in wanted},
            include_columns=wanted,
            null_values=[],
            strings_can_be_null=False,
            quoted_strings_can_be_null=False,
            check_utf8=False,
        ),
    )
    return table


def _coded(column: Any) -> tuple[Any, Codes]:
    """Distinct values of a column and each row's index into them."""
    whole = column.unify_dictionaries().combine_chunks()
    if isinstance(whole, pa.ChunkedArray):
        whole = pa.array([], pa.string()).dictionary_encode() if whole.num_chunks == 0 else whole.chunk(0)
    return whole.dictionary, whole.indices.to_numpy(zero_copy_only=False)
