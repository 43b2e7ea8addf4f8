"""G1: of any bytes, every physical line is accounted for, and every accepted value is what an independent parser reads."""

import csv
import io
import re
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from kizuki.definitions.sources import SourceManifest
from kizuki.definitions.yaml import build, read_text
from kizuki.sources.receive import receive_bytes
from kizuki.sources.received import LANDING_LINE, Previous, Received

MANIFEST = """
ID: trial
名称: 試し
所管: 試験課
系統: 試験
法的根拠: 個人情報保護法61条
利用目的: 試験
頻度: 毎月
猶予日数: 1
保存日数: 1
届け方: 差分
ファイル名: 'trial_(?P<as_of>\\d{8})\\.csv'
保留の基準: {不備行の上限: 100}
様式:
  - {ID: v1, 文字コード: %s, 末尾行: ['合計,\\d+,*']}
主キー: [key]
項目:
  - {名: key, 見出し: 番号, 型: 文字, 必須: はい, 機微: 運用}
  - {名: note, 見出し: 気づき, 型: 文字, 空欄: 対象外, 複数行: はい, 機微: 運用}
  - {名: days, 見出し: 日数, 型: 整数, 空欄: ゼロ, 機微: 運用}
"""
HEADER = "番号,気づき,日数"
PIECES = (
    "a", "1", "07", "髙﨑",
    "外\ue000字", "ﾔﾏﾀﾞ", ",", ",,", '"', '""', '","', '\n', "\r\n", "\r", " ", "　", "'", "\t", ";", "\\",
    "=1+1", "合計,3", "合計,3,,", "\0", "\x1a", "\ufffd", "～", "−", "①", "é", "😀", "\u2028", "\x85", "123456789018", '"a,b"',
    '"x\ny"', '"x""y"', "a,b,3", "a,b,x", 'k,"n\nm",3', ",b,3",
    '\nk,"q"z,3\n', "\nk,q\"z\",3\n", '\nk,"open,3\n',
)  # fmt: skip
ENDS = st.sampled_from(["\n", "\r\n", "\r"])


def manifest(encoding: str) -> SourceManifest:
    return build(SourceManifest, read_text(MANIFEST % encoding, Path("trial.yaml")))


BY_ENCODING = {"cp932": manifest("CP932"), "utf-8": manifest("UTF-8")}


def receive(data: bytes, encoding: str) -> Received:
    return receive_bytes(data, "trial_20260401.csv", BY_ENCODING[encoding], Previous())


@st.composite
def hostile(draw: st.DrawFn) -> tuple[bytes, str]:
    """A good header, then anything at all, some of it not even in the encoding."""
    encoding = draw(st.sampled_from(["cp932", "utf-8"]))
    text = HEADER + draw(ENDS) + "".join(draw(st.lists(st.sampled_from(PIECES), max_size=60)))
    data = text.encode(encoding, "replace")
    for position in draw(st.lists(st.integers(len(HEADER.encode(encoding)) + 2, max(len(data), 40)), max_size=3)):
        data = data[:position] + bytes([draw(st.integers(0, 255))]) + data[position:]
    return data, encoding


@settings(deadline=None, max_examples=200)
@given(hostile())
def test_every_line_is_accounted_for_and_no_value_is_invented(case: tuple[bytes, str]) -> None:
    data, encoding = case
    received = receive(data, encoding)
    assert received.lines == received.accepted + received.quarantined + received.declared
    if received.table is None or received.quarantine is None:
        assert received.status in ("refused", "held")
        assert received.reasons
        return
    text = data.decode(encoding, "replace").removeprefix("\ufeff")
    physical = re.split("(\r\n|\n|\r)", text)
    lines = [a + b for a, b in zip(physical[::2], [*physical[1::2], ""], strict=True)]
    lines = lines[:-1] if lines[-1] == "" else lines
    assert received.lines == len(lines)
    covered: list[int] = []
    for row in received.table.to_pylist():
        first = row[LANDING_LINE]
        reader = csv.reader(io.StringIO("".join(lines[first - 1 :]), newline=""), strict=True)
        assert next(reader) == [row["key"], row["note"], row["days"]]
        covered += range(first, first + reader.line_num)
    for aside in received.quarantine.to_pylist():
        covered += range(aside["line"], aside["line"] + aside["lines"])
    assert len(covered) == len(set(covered))
    assert len(covered) + received.declared == len(lines)


CELLS = st.text(alphabet=st.sampled_from("aあ髙①ｱ\ue000 ,\"\n\r'\t1\uff12"), max_size=8)
KEYS = CELLS.filter(lambda v: v.strip() and "\n" not in v and "\r" not in v)
ROWS = st.lists(st.tuples(KEYS, CELLS, st.integers(-(10**6), 10**6).map(str) | st.just("")), max_size=20)


@settings(deadline=None, max_examples=200)
@given(ROWS, st.sampled_from(["cp932", "utf-8"]), ENDS)
def test_what_was_written_well_is_accepted_whole(rows: list[tuple[str, str, str]], encoding: str, end: str) -> None:
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerows([HEADER.split(","), *rows])
    data = out.getvalue().encode(encoding)
    independent = list(csv.reader(io.StringIO(data.decode(encoding), newline="")))[1:]
    received = receive(data, encoding)
    assert received.status == "accepted"
    assert received.quarantined == 0
    assert received.table is not None
    assert [[r["key"], r["note"], r["days"]] for r in received.table.to_pylist()] == independent


@settings(deadline=None, max_examples=100)
@given(st.binary(max_size=3000), st.sampled_from(["cp932", "utf-8"]))
def test_no_bytes_raise(data: bytes, encoding: str) -> None:
    received = receive(data, encoding)
    assert received.status in ("refused", "held")
    assert received.reasons
    assert received.lines == received.accepted + received.quarantined + received.declared
