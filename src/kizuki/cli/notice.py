"""`kizuki notice`: who could be told, what became of what was sent, and the lines of both. Numbers only, never a person."""

import datetime as dt
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from kizuki.cli.options import AsJson, Home, at_terminal

if TYPE_CHECKING:
    from kizuki.govern.actor import Actor

app = typer.Typer(no_args_is_help=True)


@app.command()
def plan(home: Home = Path("var"), as_json: AsJson = False) -> None:
    """いま、どの制度を何世帯に知らせられるか、何件をどの理由で止めるかを示します（何も作りません）。"""
    actor = _open(home)
    from kizuki.app import notice_plan

    found = notice_plan.plan(actor, home, dt.datetime.now(dt.UTC))
    if as_json:
        programmes = {p: {"candidates": n, "suppressed": held} for p, (n, held) in found.programmes.items()}
        told = {"candidates": found.candidates, "suppressed": found.suppressed, "programmes": programmes}
        print(json.dumps(told | {"snapshot": found.snapshot, "as_of": found.as_of.isoformat()}, ensure_ascii=False))
        return
    for programme, (count, held) in found.programmes.items():
        listed = "、".join(f"{why} {n}" for why, n in sorted(held.items()))
        print(f"{programme}\t候補 {count}\t{listed}")
    print(f"候補は合わせて {found.candidates} 件です。")


@app.command()
def status(home: Home = Path("var"), as_json: AsJson = False) -> None:
    """お知らせが、どの状態に何件あるかを示します。"""
    actor = _open(home)
    from kizuki.app import notice_board

    found = notice_board.status(actor, dt.datetime.now(dt.UTC))
    if as_json:
        print(json.dumps(asdict(found), ensure_ascii=False))
        return
    for state, count in sorted(found.notices.items()):
        print(f"{state}\t{count}")
    print(f"開いた {found.opened} 件、中継から3日答えのない {found.late} 件、緊急停止 {'、'.join(found.stopped) or 'なし'}")


@app.command()
def export(home: Home = Path("var"), as_json: AsJson = True) -> None:
    """お知らせを1行1件のJSON Linesで書き出します（世帯・宛先は含みません。書き出しは記録されます）。"""
    del as_json  # always JSON Lines
    actor = _open(home)
    from kizuki.app import notice_board

    for line in notice_board.export(actor):
        print(json.dumps(line, ensure_ascii=False))


def _open(home: Path) -> "Actor":
    """The app of the home, and whoever runs the command."""
    from kizuki.app import startup

    startup.open_app(home)
    return at_terminal("notice_officer", "notice")
