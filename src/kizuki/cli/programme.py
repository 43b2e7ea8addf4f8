"""`kizuki programme`: the catalogue, the words its conditions may use, and the answer for any household."""

import datetime as dt
import getpass
import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from kizuki.cli.options import AsJson, Home, definitions_of, parse_day
from kizuki.definitions.programmes import Programme
from kizuki.definitions.programmes.facts import BIRTH_DATE, BIRTH_DATE_TITLE, FACTS
from kizuki.programmes.judging import Bench, failed_examples
from kizuki.programmes.statements import as_line, judge_lines
from kizuki.terms.errors import InputRefused

app = typer.Typer(no_args_is_help=True)
_REMARK = "K605"
_MOST_REMARKS = 200
"""So many remarks on the input are written out; the rest are counted."""


@app.command(name="list")
def list_programmes(home: Home = Path("var"), as_json: AsJson = False) -> None:
    """制度の一覧を示します（例のうち、定義のとおりになった数を添えます）。"""
    rows = [_described(p) for _, p in sorted(definitions_of(home).programmes.items())]
    if as_json:
        print(json.dumps({"programmes": rows}, ensure_ascii=False))
    else:
        for row in rows:
            print(f"{row['id']}\t{row['name']}\t{row['owner']}\t例 {row['examples']}/{row['examples_total']}")


def _described(programme: Programme) -> dict[str, Any]:
    text, failed = programme.text, failed_examples(programme)
    figures = [max(r.last_day for r in t.rows) for t in text.tables if t.rows]
    return {
        "id": programme.id,
        "name": programme.name,
        "owner": text.owner,
        "unit": text.unit,
        "valid_from": text.validity.start.isoformat(),
        "valid_to": text.validity.end.isoformat() if text.validity.end else None,
        "examples": len(text.examples) - len(failed),
        "examples_total": len(text.examples),
        "failed": failed,
        "guidance": text.guidance,
        "amount_per": text.amount.per if text.amount else None,
        "figures_until": min(figures).isoformat() if figures else None,
    }


@app.command()
def vocabulary(as_json: AsJson = False) -> None:
    """条件に使える項目（閉じた語彙）を示します。held_by は世帯員（member）か世帯（household）です。"""
    rows = [
        {
            "id": f.term.id,
            "name": f.term.title,
            "unit": f.term.unit,
            "type": f.term.kind.name.lower(),
            "held_by": f.held_by,
            "choices": [*f.term.choices, *f.as_unknown],
            "meaning": f.meaning,
            "derived": f.derived,
        }
        for f in FACTS
    ]
    born = {"id": BIRTH_DATE, "name": BIRTH_DATE_TITLE, "unit": "", "type": "date", "held_by": "member", "choices": []}
    rows.append(born | {"meaning": "生年月日（YYYY-MM-DD）。年齢・年度末年齢・月初年齢を計算する", "derived": False})
    if as_json:
        print(json.dumps({"facts": rows}, ensure_ascii=False))
    else:
        for row in rows:
            print(f"{row['id']}\t{row['name']}\t{row['held_by']}\t{row['meaning']}")


@app.command()
def judge(
    date: Annotated[str, typer.Option("--date", help="判定する日（YYYY-MM-DD）。")],
    home: Home = Path("var"),
    as_json: AsJson = True,
) -> None:
    """標準入力のJSON Lines（1行1世帯）を判定し、制度ごとの答えを1行ずつ書きます。書かれていない項目は不明です。"""
    del as_json  # always JSON Lines
    day = parse_day(date)
    bench = Bench([p for _, p in sorted(definitions_of(home).programmes.items())], day)
    refused = said = 0
    for judged in judge_lines(sys.stdin.buffer, bench, day):
        for answer in judged.answers:
            sys.stdout.write(as_line(answer) + "\n")
        remarks = [f"[{_REMARK}] 標準入力の{judged.line}行目　{hint}" for hint in judged.hints]
        if judged.refused is not None:
            refused += 1
            e = judged.refused
            remarks.append(f"[{e.code}] {e.where}　{e.what}{e.fix}")
        for remark in remarks[: max(0, _MOST_REMARKS - said)]:
            print(remark, file=sys.stderr)
        said += len(remarks)
    sys.stdout.flush()
    if said > _MOST_REMARKS:
        print(f"ほかに{said - _MOST_REMARKS:,}件あります。", file=sys.stderr)
    if refused:
        fix = "標準エラーに示した行を直してください。ほかの行は判定しました。"
        raise InputRefused("K604", f"{refused:,}行を判定できませんでした。", "標準入力", fix)


@app.command(name="import")
def import_registry(
    file: Annotated[Path, typer.Argument(help="台帳（レジストリ）のファイル。CSV（UTF-8・CP932）かJSON。")],
    home: Home = Path("var"),
    user: Annotated[str, typer.Option("--user", help="取り込む利用者のID。省くと、いまのOSの利用者名。")] = "",
    as_json: AsJson = False,
) -> None:
    """台帳の名称・概要・窓口・URLを、条件のない案として取り込みます（条件を書いて承認されるまで判定に使いません）。"""
    from kizuki.app import startup

    try:
        content = file.read_bytes()
    except OSError as e:
        raise InputRefused("K607", "ファイルを読めません。", str(file), "名前と読み取りの権限を確かめてください。") from e
    startup.open_app(home)
    from kizuki.app import accounts, programme_registry  # needs the opened app

    actor = accounts.actor_named(user or getpass.getuser())
    done = programme_registry.import_registry(actor, content)
    for line in done.refused:
        print(line, file=sys.stderr)
    if done.left_out:
        print(f"使わなかった列：{'、'.join(done.left_out)}", file=sys.stderr)
    told = (
        f"案 {done.made}件　いまある制度と同じ {done.same}件　すでに案がある {done.waiting}件　断った行 {len(done.refused)}件"
    )
    print(json.dumps(done.as_dict(), ensure_ascii=False) if as_json else told)


@app.command(name="export")
def export_registry(
    home: Home = Path("var"),
    out: Annotated[Path | None, typer.Option("--out", help="書き出すファイル。省くと標準出力。")] = None,
) -> None:
    """制度の一覧を、台帳（ユニバーサルメニュー）と同じ列のCSVで書き出します。"""
    from kizuki.app import startup

    startup.open_app(home)
    from kizuki.app import programme_registry  # needs the opened app

    today = dt.datetime.now(tz=dt.UTC).astimezone().date()
    texts = [p.on(today) for _, p in sorted(definitions_of(home).programmes.items())]
    content = programme_registry.export_registry(texts).encode("utf-8-sig")
    if out is None:
        sys.stdout.buffer.write(content)
        sys.stdout.flush()
        return
    try:
        out.write_bytes(content)
    except OSError as e:
        raise InputRefused("K607", "ファイルに書けません。", str(out), "場所と書き込みの権限を確かめてください。") from e
    print(f"{len(texts)}制度を {out} に書き出しました。", file=sys.stderr)
