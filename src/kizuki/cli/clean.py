"""`kizuki clean name|kana|date|address`: try the cleansing on lines, one JSON object per line; nothing is kept."""

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from kizuki.cleanse.addresses import clean_address
from kizuki.cleanse.dates import clean_date
from kizuki.cleanse.gaiji import load_gaiji
from kizuki.cleanse.kana import KanaRegister, clean_kana
from kizuki.cleanse.names import NameRegister, NameRules, clean_name, register_of
from kizuki.cleanse.variants import load_own_table
from kizuki.cli.options import AsJson, Home

app = typer.Typer(no_args_is_help=True, help="氏名・カナ・日付・住所の整え方を、行ごとに試します（標準入力か引数）。")

Texts = Annotated[list[str] | None, typer.Argument(help="整える文字。省くと標準入力の各行。")]


@app.command()
def name(
    texts: Texts = None,
    home: Home = Path("var"),
    as_json: AsJson = True,
    surnames: Annotated[Path | None, typer.Option(help="姓の一覧（1行1つ、UTF-8）。空白のない氏名を分けるのに使う。")] = None,
    gaiji: Annotated[Path | None, typer.Option(help="外字表（CSV：元データ,外字,文字）。")] = None,
    source: Annotated[str, typer.Option(help="外字表のどの元データとして読むか。")] = "resident_register",
    variants: Annotated[Path | None, typer.Option(help="市の異体字表（CSV：文字,比較文字）。")] = None,
) -> None:
    """氏名：表示、比較鍵、緩い鍵、姓、名、印。"""
    rules = NameRules(
        gaiji=load_gaiji(gaiji).get(source, {}) if gaiji else {},
        own_variants=load_own_table(variants) if variants else {},
    )
    if surnames:
        known = register_of(surnames.read_text(encoding="utf-8-sig").split(), (), rules)
        rules = NameRules(rules.gaiji, rules.own_variants, NameRegister(known.families))
    _each(texts, lambda text: _name_row(text, rules))


@app.command()
def kana(texts: Texts = None, home: Home = Path("var"), as_json: AsJson = True) -> None:
    """フリガナ：整えた形、比較鍵、印。"""
    _each(texts, lambda text: _row(text, clean_kana(text, KanaRegister()), ("kana", "key", "loose_key", "flags")))


@app.command()
def date(texts: Texts = None, home: Home = Path("var"), as_json: AsJson = True) -> None:
    """日付：西暦の日付、状態、読めない理由。"""
    _each(texts, _date_row)


@app.command()
def address(texts: Texts = None, home: Home = Path("var"), as_json: AsJson = True) -> None:
    """住所：都道府県、市区町村、町字、番地、残り、郵便番号、比較鍵、印。"""
    parts = ("prefecture", "city", "town", "block", "rest", "postcode", "key", "flags")
    _each(texts, lambda text: _row(text, clean_address(text), parts))


def _name_row(text: str, rules: NameRules) -> dict[str, Any]:
    return _row(text, clean_name(text, rules), ("display", "key", "loose_key", "family", "given", "flags"))


def _date_row(text: str) -> dict[str, Any]:
    read = clean_date(text)
    return {
        "input": text,
        "date": read.date.isoformat() if read.date else None,
        "state": str(read.state),
        "reason": read.reason,
    }


def _row(text: str, cleaned: Any, parts: tuple[str, ...]) -> dict[str, Any]:
    values = {part: getattr(cleaned, part) for part in parts}
    return {"input": text, **values, "flags": [str(f) for f in values["flags"]]}


def _each(texts: list[str] | None, rule: Callable[[str], Mapping[str, Any]]) -> None:
    for text in texts if texts is not None else _lines():
        print(json.dumps(rule(text), ensure_ascii=False))


def _lines() -> Iterator[str]:
    # Lines end at LF or CRLF only: other separators Unicode knows may be part of a value.
    sys.stdin.reconfigure(encoding="utf-8", errors="surrogateescape", newline="\n")  # type: ignore[union-attr]
    for line in sys.stdin:
        yield line.removesuffix("\n").removesuffix("\r")
