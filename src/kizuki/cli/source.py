"""`kizuki source`: what the systems deliver, taking it in, putting right what was wrong with it."""

import datetime as dt
import getpass
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from kizuki.cli.options import AsJson, Home, at_terminal, definitions_of, parse_day
from kizuki.definitions.sources import SourceManifest
from kizuki.terms.errors import InputRefused, UsageError

app = typer.Typer(no_args_is_help=True)

_STATUS = {"accepted": "受け入れました", "held": "保留しました", "refused": "受け取れません", "duplicate": "受領済みです"}
Delivery = Annotated[str, typer.Argument(help="受領番号。")]
DecisionText = Annotated[str, typer.Option("--decision", help="決裁番号、または判断の理由。")]


@app.command(name="list")
def list_sources(home: Home = Path("var"), as_json: AsJson = False) -> None:
    """元データの一覧を示します。"""
    rows = [
        {
            "id": m.id,
            "name": m.name,
            "owner": m.owner,
            "network": m.network,
            "cadence": m.cadence.value,
            "columns": len(m.fields),
            "enabled": m.enabled,
            "legal_basis": m.legal_basis,
            "delivery": m.delivery,
        }
        for m in definitions_of(home).sources.values()
    ]
    if as_json:
        _json({"sources": rows})
        return
    for row in rows:
        off = "" if row["enabled"] else "（停止中）"
        print(f"{row['id']}\t{row['name']}{off}\t{row['owner']}\t{row['cadence']}\t{row['columns']}列")


@app.command()
def manifest(
    source: Annotated[str, typer.Argument(help="元データのID。")], home: Home = Path("var"), as_json: AsJson = True
) -> None:
    """受領の定義を Data Package v2 の JSON で示します。"""
    from kizuki.sources.datapackage import datapackage

    del as_json  # always JSON
    _json(datapackage(_manifest(home, source)), indent=2)


@app.command()
def schema() -> None:
    """受領の定義（YAML）の JSON Schema を示します。編集ソフトの補完に使えます。"""
    from kizuki.definitions.loader import source_schema

    _json(source_schema(), indent=2)


@app.command()
def draft(file: Annotated[Path, typer.Argument(help="見本のCSV。")], home: Home = Path("var"), as_json: AsJson = False) -> None:
    """CSVから受領の定義の下書き（YAML）を作ります。推定の根拠を添えます。"""
    from kizuki.app.drafting import draft_file

    text = draft_file(file, definitions_of(home).sources)
    if as_json:
        _json({"file": file.name, "manifest": text})
    else:
        print(text, end="")


@app.command()
def receive(
    file: Annotated[Path, typer.Argument(help="受け取るCSV。")],
    source: Annotated[str, typer.Option("--source", help="元データのID。")] = "",
    manifest_file: Annotated[Path | None, typer.Option("--manifest", help="下書きなど、受領の定義のファイル。")] = None,
    as_of: Annotated[str, typer.Option("--as-of", help="データの時点（YYYY-MM-DD）。省くとファイル名から。")] = "",
    kind: Annotated[str, typer.Option("--kind", help="full（全件）か diff（差分）。省くとファイル名から。")] = "",
    home: Home = Path("var"),
    as_json: AsJson = False,
) -> None:
    """ファイルを1つ受け取り、検査します。ファイルはそのまま残ります。"""
    from kizuki.app.desk import Handover
    from kizuki.app.receive import receive_file
    from kizuki.definitions.loader import load_manifest

    if bool(source) == (manifest_file is not None):
        raise UsageError("K147", "元データの指定がありません。", "", "--source か --manifest の一方を指定してください。")
    found = load_manifest(manifest_file) if manifest_file else _manifest(home, source)
    stamp = _stamp(file, found, as_of, kind)
    outcome = receive_file(
        home, file, found, Handover(getpass.getuser(), "command_line", _now()), stamp=stamp, trial=not source
    )
    if as_json:
        _json(outcome)
    else:
        _tell(outcome)
    if outcome["status"] == "refused":
        raise typer.Exit(InputRefused.exit_code)


def _stamp(file: Path, found: SourceManifest, as_of: str, kind: str) -> Any:
    """What was said on the command line, filled up from the file name; None leaves it all to the name."""
    from kizuki.sources.receive import Stamp, stamp_of

    if not as_of and not kind:
        return None
    if kind not in ("", "full", "diff"):
        raise UsageError("K147", "届け方の指定が違います。", "--kind", "full か diff を指定してください。")
    named = stamp_of(file.name, found) or Stamp(None, "full" if found.delivery == "full" else "diff")
    day = parse_day(as_of).isoformat() if as_of else named.as_of
    return Stamp(day, kind or named.kind)  # type: ignore[arg-type]


@app.command()
def export(
    delivery: Delivery,
    out: Annotated[Path | None, typer.Option("--out", help="書き出し先。省くと標準出力。")] = None,
    form: Annotated[str, typer.Option("--format", help="csv か parquet。")] = "csv",
    exact: Annotated[bool, typer.Option("--exact", help="表計算の数式よけ（先頭の'）を付けません。")] = False,
    home: Home = Path("var"),
) -> None:
    """受け入れた行を、空欄の意味とともに書き出します（書き出したことを操作ログに残します）。"""
    from kizuki.app import startup
    from kizuki.app.source_export import export_delivery

    if form not in ("csv", "parquet"):
        raise UsageError("K147", "形式の指定が違います。", "--format", "csv か parquet を指定してください。")
    startup.open_app(home)
    from kizuki.app import release  # needs the opened app

    actor = at_terminal("data_owner", "source_quality")

    def record(*, subjects: Sequence[str], fields: Sequence[str], count: int, reason: str) -> None:
        release.record_output(actor, "source.export", subjects=subjects, fields=fields, count=count, reason=reason)

    chosen: Literal["csv", "parquet"] = "parquet" if form == "parquet" else "csv"
    content = export_delivery(home, definitions_of(home).sources, delivery, form=chosen, record=record, exact=exact)
    if out is None:
        sys.stdout.buffer.write(content)
    else:
        out.write_bytes(content)


@app.command()
def quarantine(delivery: Delivery, home: Home = Path("var"), as_json: AsJson = False) -> None:
    """取り分けた行の番号・列・理由・対応を示します（行の内容は示しません）。"""
    from kizuki.app.deliveries import QUARANTINE, read_quarantine
    from kizuki.engine.keys import KeyRing

    rows: list[dict[str, Any]] = []
    if (home / QUARANTINE / f"{delivery}.parquet").exists():
        rows = read_quarantine(home, KeyRing.load(home), delivery).drop_columns(["row"]).to_pylist()
    if as_json:
        _json({"delivery": delivery, "quarantined": rows})
        return
    for row in rows:
        print(f"{row['line']}行目\t{row['column'] or '-'}\t[{row['code']}] {row['message']}\t{row['fix']}")


@app.command()
def correct(
    delivery: Delivery,
    line: Annotated[int, typer.Option("--line", help="ファイルの行番号。")],
    field: Annotated[str, typer.Option("--field", help="項目（英語名）。")],
    value: Annotated[str, typer.Option("--value", help="正しい値。元のシステムと同じ書き方で。")],
    reason: Annotated[str, typer.Option("--reason", help="補正の理由。")],
    home: Home = Path("var"),
    as_json: AsJson = False,
) -> None:
    """受け入れた行の値を補正します。元のデータは変わらず、誰がいつ直したかが残ります。"""
    from kizuki.app.corrections import Place
    from kizuki.app.corrections import correct as record
    from kizuki.app.deliveries import standing

    source = standing(home).get(delivery, {}).get("source", "")
    made = record(
        home,
        _manifest(home, source),
        Place(delivery, line, field),
        value,
        reason=reason,
        actor=getpass.getuser(),
        at=_now(),
    )
    _json({"correction": made.id, "delivery": delivery, "line": line, "field": field}) if as_json else print(made.id)


@app.command(name="undo-correction")
def undo_correction(
    correction: Annotated[str, typer.Argument(help="補正の番号。")],
    reason: Annotated[str, typer.Option("--reason", help="取り消しの理由。")],
    home: Home = Path("var"),
    as_json: AsJson = False,
) -> None:
    """補正を取り消します。補正も取り消しも記録に残ります。"""
    from kizuki.app.corrections import undo

    made = undo(home, correction, reason=reason, actor=getpass.getuser(), at=_now())
    _json({"correction": made.id, "undoes": made.undoes}) if as_json else print(made.id)


@app.command(name="release-held")
def release_held(delivery: Delivery, decision: DecisionText, home: Home = Path("var"), as_json: AsJson = False) -> None:
    """保留したファイルを、決裁にもとづいて受け入れます。"""
    from kizuki.app.held_files import release_held as let_in

    sources = definitions_of(home).sources
    outcome = let_in(home, sources, delivery, decision=decision, actor=getpass.getuser(), at=_now())
    _json(outcome) if as_json else _tell(outcome)


@app.command(name="return-held")
def return_held(delivery: Delivery, decision: DecisionText, home: Home = Path("var"), as_json: AsJson = False) -> None:
    """保留したファイルを返却します（封をした控えは消します。送付元から送り直してもらいます）。"""
    from kizuki.app.held_files import return_held as send_back

    event = send_back(home, delivery, decision=decision, actor=getpass.getuser(), at=_now())
    _json({"delivery": delivery, "status": "returned", "file": event["file"]}) if as_json else print("返却しました。")


@app.command(name="new-signer")
def new_signer(
    signer: Annotated[str, typer.Argument(help="署名者のID（英小文字）。")],
    name: Annotated[str, typer.Option("--name", help="職名など。")],
    key: Annotated[Path, typer.Option("--key", help="秘密鍵を置く場所（PEM）。データの置き場所の外に。")],
    home: Home = Path("var"),
) -> None:
    """署名の鍵を作り、署名者として登録します。"""
    from kizuki.govern import signing

    if key.exists():
        raise UsageError("K144", "その場所にはすでにファイルがあります。", key.name, "別の場所を指定してください。")
    print(signing.register_signer(home, signer, name, signing.new_signer(key)))


@app.command(name="switch-on")
def switch_on(
    source: Annotated[str, typer.Argument(help="元データのID。")],
    decision: Annotated[str, typer.Option("--decision", help="決裁番号。")],
    key: Annotated[Path, typer.Option("--key", help="署名者の秘密鍵（PEM）。")],
    decided_on: Annotated[str, typer.Option("--decided-on", help="決裁日（YYYY-MM-DD）。省くと今日。")] = "",
    decider: Annotated[str, typer.Option("--decider", help="決裁者。省くと署名者の名称。")] = "",
    home: Home = Path("var"),
) -> None:
    """署名の要る元データ（税など）の受領を、決裁の署名で始めます。"""
    from kizuki.govern import signing

    private = signing.read_key(key)
    signer = signing.signer_of(home, private)
    day = parse_day(decided_on) if decided_on else _now().date()
    made = signing.Decision(decision, day.isoformat(), decider or signer.name)
    path = signing.switch_on(home, _manifest(home, source), made, signer=signer.id, key=private)
    try:
        definitions_of(home)
    except Exception:
        path.unlink()  # a switch that does not hold must not stop every other verb
        raise
    print(path)


def _manifest(home: Path, source: str) -> SourceManifest:
    sources = definitions_of(home).sources
    if source not in sources:
        raise UsageError("K145", "その元データの定義はありません。", source, "kizuki source list で確かめてください。")
    return sources[source]


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC).astimezone()


def _json(content: dict[str, Any], indent: int | None = None) -> None:
    print(json.dumps(content, ensure_ascii=False, indent=indent))


def _tell(outcome: dict[str, Any]) -> None:
    counts = f"{outcome['lines']}行＝受入{outcome['accepted']}＋保留{outcome['quarantined']}＋見出し等{outcome['declared']}"
    print(f"{_STATUS[outcome['status']]}。{counts}　受領番号 {outcome['delivery']}")
    for r in outcome["reasons"]:
        place = f"{r['line']}行目" if r["line"] else "ファイル全体"
        print(f"  {place}　[{r['code']}] {r['message']}　対応：{r['fix']}")
