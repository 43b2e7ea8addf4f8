"""`kizuki clean name|kana|date|address|phone|postcode`: try the cleansing on lines, one JSON object per line; nothing is kept.

`clean audit` writes out the distinct writings of one source of a home, for the office that owns it; that is recorded.
"""

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from kizuki.app.city_definitions import definitions_of, writing_tables
from kizuki.cleanse.addresses import AddressRules, clean_address
from kizuki.cleanse.dates import clean_date
from kizuki.cleanse.flags import Cleaned, Flag
from kizuki.cleanse.gaiji import load_gaiji
from kizuki.cleanse.kana import KanaRegister, clean_kana
from kizuki.cleanse.names import NameRegister, NameRules, clean_name, register_of
from kizuki.cleanse.scalars import clean_phone, clean_postcode
from kizuki.cleanse.variants import load_own_table
from kizuki.cli.options import AsJson, Home, at_terminal
from kizuki.terms.errors import UsageError

app = typer.Typer(no_args_is_help=True, help="氏名・カナ・日付・住所・電話の整え方を、行ごとに試します（標準入力か引数）。")

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
    own = writing_tables(home)
    rules = NameRules(
        gaiji=load_gaiji(gaiji).get(source, {}) if gaiji else own.gaiji.get(source, {}),
        own_variants=load_own_table(variants) if variants else own.variants,
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
def date(
    texts: Texts = None,
    home: Home = Path("var"),
    as_json: AsJson = True,
    serial: Annotated[bool, typer.Option(help="5桁の数だけのものを、表計算の通し番号として読む。")] = True,
) -> None:
    """日付：西暦の日付、状態、読めない理由、どの書き方として読んだか。"""
    _each(texts, lambda text: _date_row(text, serial))


@app.command()
def address(
    texts: Texts = None,
    home: Home = Path("var"),
    as_json: AsJson = True,
    prefecture: Annotated[str | None, typer.Option(help="自分の都道府県（市区町村名のない住所に使う）。")] = None,
    city: Annotated[str | None, typer.Option(help="自分の市区町村（市区町村名のない住所に使う）。")] = None,
) -> None:
    """住所：都道府県、市区町村、町字、番地、残り、郵便番号、比較鍵、印。"""
    parts = ("prefecture", "city", "town", "block", "rest", "postcode", "key", "flags")
    rules = AddressRules(prefecture, city)
    if city:
        listed = [c for c in AddressRules().gazetteer.cities if c.name == city and prefecture in (None, c.prefecture)]
        towns = {area.partition("=")[0] for c in listed for area in c.areas}
        rules = AddressRules(listed[0].prefecture if listed else prefecture, city, frozenset(towns))
    _each(texts, lambda text: _row(text, clean_address(text, rules), parts))


@app.command()
def phone(texts: Texts = None, home: Home = Path("var"), as_json: AsJson = True) -> None:
    """電話：数字だけの番号、印。"""
    _each(texts, lambda text: _scalar_row(text, "phone", clean_phone(text)))


@app.command()
def postcode(texts: Texts = None, home: Home = Path("var"), as_json: AsJson = True) -> None:
    """郵便番号：7桁、印。"""
    _each(texts, lambda text: _scalar_row(text, "postcode", clean_postcode(text)))


@app.command()
def audit(
    source: Annotated[str, typer.Argument(help="元データのID（`source list`）。")],
    field: Annotated[str, typer.Option(help="項目（英語名）。省くとすべて。")] = "",
    flag: Annotated[str, typer.Option(help="整え方の印（gaiji_unknown など）。省くと印のあるものすべて。")] = "",
    every: Annotated[bool, typer.Option("--every", help="何もしなかった書き方も出す。")] = False,
    out: Annotated[Path | None, typer.Option("--out", help="書き出し先。省くと標準出力。")] = None,
    home: Home = Path("var"),
) -> None:
    """元データの書き方の一覧：届いた書き方、整えた形、規則、印。個人の情報です（書き出したことを操作ログに残します）。"""
    from kizuki.app import startup
    from kizuki.app.writings_export import Wanted, export_writings

    if flag and flag not in set(Flag):
        raise UsageError("K204", "その印はありません。", "--flag", f"次のどれかを指定してください：{'、'.join(Flag)}")
    startup.open_app(home)
    from kizuki.app import release  # needs the opened app

    actor = at_terminal("data_owner", "source_quality")

    def record(*, subjects: Sequence[str], fields: Sequence[str], count: int, reason: str) -> None:
        release.record_output(actor, "source.export", subjects=subjects, fields=fields, count=count, reason=reason)

    content = export_writings(home, definitions_of(home), source, Wanted(field, flag, every), record=record)
    if out is None:
        sys.stdout.buffer.write(content)
    else:
        out.write_bytes(content)


def _name_row(text: str, rules: NameRules) -> dict[str, Any]:
    return _row(text, clean_name(text, rules), ("display", "key", "loose_key", "family", "given", "flags"))


def _scalar_row(text: str, name: str, cleaned: Cleaned[str]) -> dict[str, Any]:
    return {"input": text, name: cleaned.value, "flags": [str(f) for f in cleaned.flags]}


def _date_row(text: str, serial: bool) -> dict[str, Any]:
    read = clean_date(text, serial)
    return {
        "input": text,
        "date": read.date.isoformat() if read.date else None,
        "state": str(read.state),
        "reason": read.reason,
        "spelling": str(read.spelling),
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
