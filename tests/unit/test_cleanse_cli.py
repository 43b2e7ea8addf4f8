"""`kizuki clean …`: one JSON object per line, as the contract says."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from kizuki.cli.clean import app


def run(*arguments: str, lines: str | None = None) -> list[dict[str, object]]:
    done = CliRunner().invoke(app, list(arguments), input=lines)
    assert done.exit_code == 0, done.output
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_lines_from_standard_input_keep_their_order_and_number() -> None:
    rows = run("date", lines="平成5年4月1日\r\n\n令和5年2月30日\n")
    assert [(r["input"], r["date"], r["state"], bool(r["reason"])) for r in rows] == [
        ("平成5年4月1日", "1993-04-01", "known", False),
        ("", None, "not_entered", True),
        ("令和5年2月30日", None, "not_entered", True),
    ]


@pytest.mark.parametrize(
    ("verb", "text", "keys"),
    [
        ("name", "髙橋　花子", {"input", "display", "key", "loose_key", "family", "given", "flags"}),
        ("phone", "０９０-1234-5678", {"input", "phone", "flags"}),
        ("postcode", "〒594-0071", {"input", "postcode", "flags"}),
        ("kana", "ﾀｶﾊｼ", {"input", "kana", "key", "flags"}),
        ("address", "和泉市府中町2-7-5", {"input", "prefecture", "city", "town", "block", "rest", "postcode", "key", "flags"}),
    ],
)
def test_answers_carry_the_keys_of_the_contract(verb: str, text: str, keys: set[str]) -> None:
    (row,) = run(verb, text)
    assert keys <= set(row)
    assert row["input"] == text


def test_five_digits_alone_are_a_serial_number_unless_told_otherwise() -> None:
    (read,) = run("date", "45017")
    assert (read["date"], read["spelling"]) == ("2023-04-01", "表計算の通し番号")
    assert run("date", "--no-serial", "45017")[0]["date"] is None


def test_an_address_without_its_city_is_read_from_the_city_s_own_place() -> None:
    (read,) = run("address", "--city", "和泉市", "府中町2-7-5")
    assert (read["prefecture"], read["city"], read["town"], read["block"]) == ("大阪府", "和泉市", "府中町", "2-7-5")


def test_what_is_no_text_of_anything_gets_an_answer_all_the_same() -> None:
    odd = "\x00\n\u202e\n\U0010ffff\n" + "丁目" * 500 + "\n" + "－" * 300 + "\n(((\n〒〒〒\n十十十百千\n"
    for verb in ("name", "kana", "date", "address", "phone", "postcode"):
        assert len(run(verb, lines=odd)) == 8


def test_the_tables_of_the_home_are_used_unless_others_are_named(tmp_path: Path) -> None:
    folder = tmp_path / "definitions"
    folder.mkdir()
    (folder / "外字.csv").write_text("元データ,外字,文字\nresident_register,U+E000,吉\n", encoding="utf-8")
    (read,) = run("name", "--home", str(tmp_path), "\ue000田　一")
    assert (read["key"], read["flags"]) == ("吉田一", ["gaiji_mapped"])


def test_a_city_may_bring_its_own_surnames_gaiji_and_variants(tmp_path: Path) -> None:
    (tmp_path / "姓.txt").write_text("東海林\n東\n", encoding="utf-8")
    (tmp_path / "外字.csv").write_text("元データ,外字,文字\nresident_register,U+E000,吉\n", encoding="utf-8")
    (tmp_path / "異体字.csv").write_text("文字,比較文字\n斎,斉\n", encoding="utf-8")
    options = [
        "--surnames",
        str(tmp_path / "姓.txt"),
        "--gaiji",
        str(tmp_path / "外字.csv"),
        "--variants",
        str(tmp_path / "異体字.csv"),
    ]
    rows = run("name", *options, "東海林\ue000子", "齋藤　一")
    assert [(r["family"], r["given"], r["key"]) for r in rows] == [
        ("東海林", "吉子", "東海林吉子"),
        ("齋藤", "一", "斉藤一"),
    ]
