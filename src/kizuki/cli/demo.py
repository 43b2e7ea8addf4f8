"""`kizuki demo`: the synthetic city, one night, the screens. The first of the two commands of the README."""

import datetime as dt
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kizuki.cli.options import AsJson, Home

if TYPE_CHECKING:
    from collections.abc import Callable

    from kizuki.app.demo import DemoResult

app = typer.Typer()
_TITLES = {"city": "街を作る", "story": "お知らせの二週間", "next_night": "二週間後の夜"}


@app.command()
def demo(
    home: Home = Path("var"),
    people: Annotated[int, typer.Option("--people", min=300, help="街の人数。")] = 182_835,
    seed: Annotated[int, typer.Option("--seed", help="街の種。同じ種なら同じ街になります。")] = 20231116,
    profile: Annotated[str, typer.Option("--profile", help="実証団体のプロファイル（izumi など）。省くと全部の類型。")] = "",
    no_serve: Annotated[bool, typer.Option("--no-serve", help="画面を開かずに終わります。")] = False,
    port: Annotated[int, typer.Option("--port", help="画面の番号。")] = 8000,
    as_json: AsJson = False,
) -> None:
    """合成の街を作り、受領から公開までの一晩を通し、画面を開きます。登場する人はすべて架空です。"""
    from kizuki.app import startup
    from kizuki.app.demo import Story, build_demo
    from kizuki.synth.city import BEFORE_NOTICES

    began = time.monotonic()
    now = dt.datetime.now(dt.UTC).astimezone()
    story = Story(BEFORE_NOTICES, _notices) if not profile else None
    result = build_demo(home, people=people, seed=seed, now=now, progress=_tell, profile=profile, story=story)
    startup.open_app(home, demo=True)
    from kizuki.app.demo_users import ensure_demo_users

    result.users = ensure_demo_users(True)
    if as_json:
        print(json.dumps(result.as_dict(), ensure_ascii=False), flush=True)
    else:
        _summary(result, time.monotonic() - began)
    if not no_serve:
        from kizuki.cli.serve import listen

        listen(home, port=port)


def _notices(home: Path, progress: "Callable[[str], None]") -> int:
    from kizuki.app import startup

    startup.open_app(home, demo=True)
    from kizuki.app.demo_notices import tell  # needs the opened app

    told = tell(home, progress)
    return told.sent if told else 0


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _summary(result: "DemoResult", seconds: float) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    table = Table(title=f"わかば市（架空）　{result.people:,}人・{result.households:,}世帯・こども{result.children:,}人")
    for title, align in (("段階", "left"), ("行", "right"), ("秒", "right"), ("最大MB", "right")):
        table.add_column(title, justify="right" if align == "right" else "left")
    for s in result.stages:
        table.add_row(_TITLES.get(s.name, s.name), f"{s.rows:,}", f"{s.seconds:.1f}", f"{s.peak_mb:,.0f}")
    table.add_row("ここまで", "", f"{seconds:.1f}", "")
    console.print(table)
    console.print(
        f"届いたファイル {result.deliveries:,}件・{result.rows:,}行　"
        f"支援候補 {result.candidates:,}人　使われていない支援 {result.unclaimed:,}件"
    )
    console.print("サインイン（デモの入口では合言葉なしで役割を選べます）")
    for user in result.users:
        console.print(f"  {user['login']:<16} {user['password']}", highlight=False)
