"""`kizuki relay`: the core's side of the exchange with the relay (the relay itself is `serve --role relay`)."""

import datetime as dt
import json
import sys
from dataclasses import asdict
from pathlib import Path

import typer

from kizuki.cli.options import AsJson, Home, at_terminal
from kizuki.terms.errors import InputRefused

app = typer.Typer(no_args_is_help=True)


@app.callback()
def _root() -> None:
    """LINE との中継へ渡す便と、中継からの便。"""


@app.command()
def exchange(home: Home = Path("var"), as_json: AsJson = False) -> None:
    """本体の側の便の受け渡し：relay/in の便を取り込み、渡すことがあれば relay/out に一つ書きます。"""
    from kizuki.app import startup

    startup.open_app(home)
    from kizuki.app import exchange as core
    from kizuki.app.exchange_parts import core_parts
    from kizuki.engine.keys import KeyRing

    actor = at_terminal("it", "operation")
    done = core.exchange(actor, home, KeyRing.load(home), dt.datetime.now(dt.UTC).astimezone(), core_parts())
    if as_json:
        print(json.dumps(asdict(done), ensure_ascii=False))
    else:
        wrote = f"{done.written}番の便（{done.written_lines}行）を書きました。" if done.written else "渡すことはありません。"
        print(f"取り込んだ便 {done.taken_files}件（{done.taken_lines}行）。{wrote}")
    if done.refused:
        print("\n".join(done.refused), file=sys.stderr)
        raise typer.Exit(InputRefused.exit_code)
