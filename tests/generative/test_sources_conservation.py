"""G1 at the desk: every physical line is accepted, set aside or declared, and what is accepted is what was delivered."""

import csv
from dataclasses import dataclass, replace

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kizuki.definitions.loader import load_definitions
from kizuki.definitions.shipped import shipped_definitions
from kizuki.definitions.sources import SourceManifest
from kizuki.sources.receive import Stamp, inspect_bytes
from kizuki.sources.received import LANDING_LINE, Received

MANY = settings(deadline=None, max_examples=50)
STAMP = Stamp("2026-10-31", "diff")
# Second bytes of CP932 that look like \ and |, half-width kana, extension characters, 外字, surrounding space.
TEXT = st.text("aZ 表ソ能ｱﾞ髙①\ue000\u3000，、", max_size=6)


def small(encoding: str) -> SourceManifest:
    field = {"機微": "福祉"}
    return SourceManifest.model_validate(
        {
            "ID": "small", "名称": "小", "所管": "課", "系統": "系", "法的根拠": "条例", "利用目的": "試験", "頻度": "毎月",
            "猶予日数": 5, "保存日数": 100, "届け方": "差分", "ファイル名": r"small_(?P<as_of>\d{8})\.csv",
            "様式": [{"ID": "v1", "文字コード": encoding, "末尾行": [r"合計,\d+,*"]}], "主キー": ["key"],
            "項目": [
                field | {"名": "key", "見出し": "番号", "型": "文字", "必須": "はい"},
                field | {"名": "day", "見出し": "日", "型": "日付", "必須": "はい", "整え方": "和暦"},
                field | {"名": "kind", "見出し": "区分", "型": "コード", "空欄": "ゼロ", "区分": {"1": "一", "2": "二"}},
                field | {"名": "note", "見出し": "記事", "型": "文字", "空欄": "対象外", "複数行": "はい"},
            ],
        }
    )  # fmt: skip


CHILDCARE = load_definitions(shipped_definitions()).sources["childcare"]
MANIFESTS = {"small-cp932": small("CP932"), "small-utf8": small("UTF-8"), "childcare": CHILDCARE}


@dataclass(frozen=True)
class Part:
    """Bytes of one or more lines (no final newline) and whether they must be accepted."""

    text: bytes
    good: bool = False
    stray_quote: bool = False


def quoted(value: str, always: bool) -> str:
    return '"' + value.replace('"', '""') + '"' if always or any(c in value for c in '",\r\n') else value


def good_values(name: str) -> st.SearchStrategy[list[str]]:
    if name == "childcare":
        return st.tuples(
            st.sampled_from(["2026/10", "令和8年10月"]), st.sampled_from(["1", "0000000012"]), st.sampled_from(["1号", "2号"]),
            TEXT.map(lambda t: "園" + t + ',"'), st.sampled_from(["", "標準"]), TEXT,
            st.sampled_from(["", "0", "\uff13"]), st.just("31"),
        ).map(list)  # fmt: skip
    note = st.lists(st.sampled_from(["表", '"', ",", "\n", "\r\n", "ソ", " ", "x"]), max_size=8).map("".join)
    day = st.sampled_from(["平成5年4月1日", "H5.4.1", "4050401", "1993/04/01"])
    return st.tuples(TEXT.map(lambda t: "k" + t), day, st.sampled_from(["", "1", "\uff12"]), note).map(list)


def parts(name: str, encoding: str) -> st.SearchStrategy[Part]:
    def line(values: list[str], always: bool) -> bytes:
        return ",".join(quoted(v, always) for v in values).encode(encoding)

    rows = st.tuples(good_values(name), st.booleans())
    good = rows.map(lambda r: Part(line(*r), good=True))
    date_at, code_at = (0, 2) if name == "childcare" else (1, 2)
    bad_date = rows.map(lambda r: Part(line([*r[0][:date_at], "令和5年2月30日", *r[0][date_at + 1 :]], r[1])))
    bad_code = rows.map(lambda r: Part(line([*r[0][:code_at], "九", *r[0][code_at + 1 :]], r[1])))
    short = rows.map(lambda r: Part(line(r[0][:-1], r[1])))
    long = rows.map(lambda r: Part(line([*r[0], "x"], r[1])))
    fixed = st.sampled_from(
        [
            Part(b""),
            Part(b"   "),
            Part(b"\xff\x81,x"),
            Part("化".encode("euc_jp") + b"\x80,,,"),
            Part(b"a\x00b,,,"),
            Part(b",,,,,,"),
        ]
    )
    stray = st.sampled_from([b'k,"x', b'k"x"y,,,', b'"', b'k,""",1,x', b'"k"x,1,2,3']).map(lambda t: Part(t, stray_quote=True))
    return st.one_of(good, good, good, bad_date, bad_code, short, long, fixed, stray)


def delivered(data: bytes, line: int, encoding: str) -> list[str]:
    """The record that begins on a physical line, read by the csv module alone."""
    rest = (b.decode(encoding) for b in data.splitlines(keepends=True)[line - 1 :])
    return next(csv.reader(rest, strict=True))


def rows_of(received: Received) -> dict[int, list[str]]:
    assert received.table is not None
    table: pa.Table = received.table
    columns = [table[n].to_pylist() for n in table.column_names if n != LANDING_LINE]
    return dict(zip(table[LANDING_LINE].to_pylist(), map(list, zip(*columns, strict=True)), strict=True))


@pytest.mark.parametrize("name", MANIFESTS)
@MANY
@given(data=st.data())
def test_every_line_is_accounted_for_and_nothing_is_altered(name: str, data: st.DataObject) -> None:
    manifest = MANIFESTS[name]
    layout = manifest.layouts[0]
    chosen = data.draw(st.lists(parts(name, layout.encoding), max_size=12))
    newline = data.draw(st.sampled_from([b"\r\n", b"\n"]))
    trailer = data.draw(st.sampled_from([b"", "合計,3".encode(layout.encoding), "合計,3,,,".encode(layout.encoding)]))
    pieces = [",".join(manifest.titles(layout)).encode(layout.encoding)]
    expected, at = [], 2
    for part in chosen:
        if part.good:
            expected.append(at)
        pieces.append(part.text)
        at += max(1, len((part.text + b"\n").splitlines()))
    body = newline.join([*pieces, *([trailer] if trailer else [])]) + data.draw(st.sampled_from([newline, b""]))
    bom = b"\xef\xbb\xbf" if layout.encoding == "utf-8" and data.draw(st.booleans()) else b""

    received = inspect_bytes(bom + body, "x", manifest, STAMP)

    assert received.status == "accepted", received.reasons
    assert received.lines == len(body.splitlines()) == received.accepted + received.quarantined + received.declared
    rows = rows_of(received)
    for line, values in rows.items():
        assert values == delivered(body, line, layout.encoding)
    if not any(p.stray_quote for p in chosen):
        assert sorted(rows) == expected
    assert received.quarantine is not None
    assert sum(received.quarantine["lines"].to_pylist()) == received.quarantined
    assert not set(received.quarantine["line"].to_pylist()) & set(rows)


def test_the_oracle_would_see_an_altered_value() -> None:
    body = ",".join(CHILDCARE.titles(CHILDCARE.layouts[0])).encode("cp932") + "\r\n2026/10,1,1号, 園 ,,,,".encode("cp932")
    received = inspect_bytes(body, "x", CHILDCARE, STAMP)
    assert received.table is not None
    trimmed = received.table.set_column(4, "facility", pa.array(["園"]))
    assert rows_of(replace(received, table=trimmed))[2] != delivered(body, 2, "cp932")
