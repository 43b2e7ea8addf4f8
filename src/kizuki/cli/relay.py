"""`kizuki relay`: the core's side of the exchange with the relay (the relay itself is `serve --role relay`)."""

import datetime as dt
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from kizuki.cli.options import AsJson, Home, at_terminal
from kizuki.terms.errors import InputRefused

app = typer.Typer(no_args_is_help=True)
User = Annotated[str, typer.Option("--user", help="つなぎ直しを求める・行う利用者のID（権限を確かめます）。")]
StateFile = Annotated[Path, typer.Argument(help="中継の relay state が書いた state.kzs。")]
COUNTS = {
    "found_handed": "中継がもう持っているお知らせ（渡したものとして扱う）",
    "unknown_notices": "ここにはなく、中継が送ったか送るところだったお知らせ（二度と送らない）",
    "to_hand_again": "届いていない便にあったお知らせ（同じ番号で渡し直す）",
    "differing": "ここでは送っていないことになっていて、中継では送ったお知らせ（人が確かめる）",
    "unknown_recipients": "ここにはない宛先（何も送らない）",
    "unknown_codes": "ここにはない登録番号（使えなくする）",
    "codes_taken_back": "取り消したままにした登録番号",
    "kept_silent": "送らないままにした宛先（撤回として記録し、あらためて答えてもらう）",
    "stop_kept": "緊急停止（止めたまま）",
    "lines_read": "読み直した中継からの行",
    "files_found": "中継が取り込んでいた本体の便",
    "files_given_up": "中継が取り込まなかった本体の便（捨てた）",
}


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


@app.command()
def state(home: Home = Path("var"), as_json: AsJson = False) -> None:
    """中継の側：中継が何を持っているかを、署名したファイル state.kzs に書きます（本体を控えから戻したとき）。"""
    from kizuki.app.relay_startup import open_relay

    relay = open_relay(home)
    from kizuki.app.relay_state import ASIDE, FILE, write_state

    aside = write_state(relay, dt.datetime.now(dt.UTC).astimezone())
    if as_json:
        print(json.dumps({"file": str(home / FILE), "laid_aside": aside}, ensure_ascii=False))
        return
    print(f"{home / FILE} を書きました。本体に運び、relay resume で使ってください。")
    if aside:
        print(f"続きでない便 {aside}件を {ASIDE} フォルダーによけました。")


@app.command()
def resume(file: StateFile, user: User, home: Home = Path("var"), as_json: AsJson = False) -> None:
    """本体の側：控えから戻した本体を中継とつなぎ直します。一人目が求め、別の一人が同じファイルで行います。"""
    from kizuki.app import startup

    startup.open_app(home)
    from kizuki.app import relay_resume
    from kizuki.app.accounts import actor_named
    from kizuki.app.exchange_parts import core_parts

    actor, now = actor_named(user), dt.datetime.now(dt.UTC).astimezone()
    done = relay_resume.resume(actor, home, relay_resume.read_state(file), now, core_parts().takers)
    if as_json:
        print(json.dumps(asdict(done), ensure_ascii=False))
        return
    print(
        "つなぎ直しました。" if done.done else "まだ何も変えていません。別の職員が同じファイルで行うと、次のとおりになります。"
    )
    for name, count in done.counts.items():
        if count:
            print(f"　{COUNTS[name]}：{count}件")
