"""`kizuki audit`: is the log whole, and who saw whom."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kizuki.cli.options import AsJson, Home, at_terminal
from kizuki.terms.errors import RunFailed, UsageError

if TYPE_CHECKING:
    from kizuki.govern.chain import Head

app = typer.Typer(no_args_is_help=True)


@app.command()
def verify(
    home: Home = Path("var"),
    head: Annotated[list[str] | None, typer.Option("--head", help="紙などに控えた末尾（通番:連鎖値）。何度でも。")] = None,
    as_json: AsJson = False,
) -> None:
    """操作ログが、書き換え・削除・挿入・切り詰めを受けていないことを確かめます。"""
    from kizuki.app import startup

    startup.open_app(home)
    from kizuki.app import audit  # needs the opened app

    verdict = audit.verify([_head(text) for text in head or ()])
    if as_json:
        end = audit.head()
        found = {"events": verdict.events, "ok": verdict.ok, "first_bad": verdict.first_bad, "problem": verdict.problem}
        print(json.dumps(found | {"head": f"{end.seq}:{end.mac}"}, ensure_ascii=False))
    elif verdict.ok:
        end = audit.head()
        print(f"操作ログ {verdict.events} 件に、改変は見つかりません。末尾の控え：{end.seq}:{end.mac}")
    if not verdict.ok:
        raise RunFailed(
            "K706",
            f"操作ログに異常があります：{verdict.problem}",
            f"{verdict.first_bad} 番",
            "データベースに触れず、監査責任者に連絡してください。控えと照らして、いつからの異常かを調べます。",
        )


@app.command(name="who-saw")
def who_saw(person: Annotated[str, typer.Argument(help="個人ID。")], home: Home = Path("var"), as_json: AsJson = False) -> None:
    """このこどもの情報を、だれが・いつ・何のために見たかを、新しい順に示します（調べたことも記録します）。"""
    from kizuki.app import startup

    startup.open_app(home)
    from kizuki.app import audit  # needs the opened app

    found = audit.who_saw(at_terminal("auditor", "audit"), person)
    if as_json:
        print(json.dumps({"events": [asdict(s) for s in found]}, ensure_ascii=False))
        return
    for s in found:
        print(f"{s.at}　{s.actor}（{s.role}・{s.purpose}）　{s.action}　{s.reason}")


def _head(text: str) -> "Head":
    from kizuki.govern.chain import Head

    seq, _, mac = text.partition(":")
    if not seq.isdigit() or len(mac) != 64:
        raise UsageError("K792", "控えの末尾を読めません。", "--head", "通番:連鎖値（64文字）の形で入れてください。")
    return Head(int(seq), mac)
