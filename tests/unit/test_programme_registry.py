"""The registry's files are read whatever writes them; what is wrong is said with a code and nothing goes missing."""

import csv
import io
import json
from pathlib import Path

import pytest

from kizuki.app.programme_registry import COLUMNS, CONTACT, OWNER, TITLE, export_registry, read_registry
from kizuki.definitions.loader import load_definitions
from kizuki.definitions.programmes.text import RegistryText
from kizuki.terms.errors import InputRefused

ROOT = Path(__file__).parents[2] / "definitions" / "base"
PSID = "psid3.0+9000020131016+10+UM54"


def csv_text(*rows: dict[str, str], columns: tuple[str, ...] = COLUMNS) -> str:
    target = io.StringIO()
    writer = csv.DictWriter(target, columns)
    writer.writeheader()
    writer.writerows(rows)
    return target.getvalue()


ROW = {
    "PSID": PSID,
    TITLE: "紙おむつの支給",
    "概要": "乳児に、支給券を\nお渡しします",
    OWNER: "子育て支援課",
    CONTACT: "給付係",
}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932"])
def test_csv_in_every_encoding_gives_the_same_entry(encoding: str) -> None:
    found = read_registry(csv_text(ROW).encode(encoding))
    (_, entry), *rest = found.entries
    assert not rest and not found.refused and not found.left_out
    assert entry == dict.fromkeys(COLUMNS, "") | ROW | {"概要": "乳児に、支給券を お渡しします"}


def test_column_names_are_read_however_their_brackets_are_written() -> None:
    text = csv_text({"PSID（サービスID）": PSID, "タイトル(制度名)": "甲", "独自の列": "x"}, columns=(
        "PSID（サービスID）", "タイトル(制度名)", "独自の列"))  # fmt: skip
    found = read_registry(text.encode())
    assert found.entries == [("2行目", {"PSID": PSID, TITLE: "甲"})]
    assert found.left_out == ("独自の列",)


def test_every_row_is_taken_or_refused_aloud_with_its_place() -> None:
    text = csv_text(ROW, ROW | {"PSID": "", TITLE: " "}, ROW, ROW | {"PSID": "p2", "概要": "長" * 9_000})
    found = read_registry((text + ",".join(["余"] * 30) + "\n").encode())
    assert len(found.entries) == 1 and len(found.refused) == 4
    assert "PSIDが3行目と同じ" in "".join(found.refused) and all("行目：" in line for line in found.refused)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"\xff\xfe\x00\x00\x81", "K607"),
        ("概要\nx\n".encode(), "K608"),
        (b"", "K608"),
        (f'{TITLE}\n"閉じない\n'.encode(), "K607"),
        (b"[1, 2", "K607"),
        (b" " * 20_000_001, "K609"),
    ],
)
def test_what_is_no_registry_is_refused_with_its_code(content: bytes, code: str) -> None:
    with pytest.raises(InputRefused, match=code):
        read_registry(content)


def test_the_tokyo_registry_in_json() -> None:
    entry = {
        "institutionName": {"canonicalName": "児童育成手当", "shortName": "育成手当"},
        "summary": "ひとり親家庭等への手当",
        "target": {"targetPersons": "ひとり親", "lessThanOrEqualTo": {"targetAge": 18}},
        "support": {"description": "月額", "monetarySupport": "13,500円", "materiallySupport": ""},
        "area": {"areaCode": "131016;千代田区"},
        "localGovernmentLink": {"uri": "https://example.lg.jp/"},
        "basicInformation": {"psid": PSID, "organization": "9000020131016"},
        "tag": {"categoryCode": ["10"], "targetCode": "20"},
    }
    found = read_registry(json.dumps({"items": [entry, "x"]}).encode())
    (_, read), *rest = found.entries
    assert not rest and found.refused == ["2件目：制度の形をしていないので取り込んでいません。"]
    assert (read[TITLE], read["PSID"], read["市町村"]) == ("児童育成手当", PSID, "千代田区")
    assert (read["対象者"], read["支援内容"]) == ("ひとり親　18歳以下", "月額　13,500円")
    assert read["詳細参照先"] == "https://example.lg.jp/" and read["タグ"] == "10、20"


def test_the_catalogue_comes_out_in_the_same_columns_and_reads_back() -> None:
    programmes = list(load_definitions(ROOT).programmes.values())
    one = programmes[0]
    told = RegistryText.model_validate({"PSID": PSID, "概要": "=見出し", "詳細参照先": "https://example.lg.jp/a,b"})
    one = type(one)(one.id, one.name, one.text.model_copy(update={"registry": told}))
    text = export_registry([one, *programmes[1:]])
    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == len(programmes) and tuple(rows[0]) == COLUMNS
    assert rows[0]["概要"] == "'=見出し"  # no spreadsheet may take it for a formula
    back = read_registry(text.encode("utf-8-sig"))
    assert [e[TITLE] for _, e in back.entries] == [p.name for p in programmes]
    assert back.entries[0][1]["概要"] == "=見出し" and not back.refused
