"""`kizuki notice`: what notices would go, what became of those that went, and the exchange of files with the relay."""

import datetime as dt
import getpass
import json
import sys
from pathlib import Path
from typing import Any

import typer

from kizuki.cli.options import AsJson, Home

app = typer.Typer(no_args_is_help=True)


@app.command()
def plan(home: Home = Path("var"), as_json: AsJson = False) -> None:
    """いま送れるお知らせの数と、送らない理由ごとの数を示します（氏名は出ません。数えたことを操作ログに残します）。"""
    actor = _opened(home)
    from kizuki.app.notice_plan import plan as plan_notices

    found = plan_notices(actor, home, _now())
    rows = {programme: {"candidates": count, "suppressed": dict(held)} for programme, (count, held) in found.programmes.items()}
    answer = {
        "candidates": found.candidates,
        "suppressed": dict(found.suppressed),
        "programmes": rows,
        "snapshot": found.snapshot,
        "as_of": found.as_of.isoformat(),
    }
    if as_json:
        print(json.dumps(answer, ensure_ascii=False))
        return
    print(f"送れるお知らせ {found.candidates}件（データ基準日 {found.as_of}）")
    for why, count in sorted(found.suppressed.items(), key=lambda pair: -pair[1]):
        print(f"  送らない：{why} {count}件")


@app.command()
def status(home: Home = Path("var"), as_json: AsJson = False) -> None:
    """お知らせのまとまりごとの状態と、送った結果の数を示します。"""
    actor = _opened(home)
    from kizuki.app.notice_board import statuses

    rows = statuses(actor)
    if as_json:
        print(json.dumps({"batches": rows}, ensure_ascii=False))
        return
    if not rows:
        print("お知らせはまだありません。画面「お知らせ」で作ります。")
    for row in rows:
        told = "、".join(f"{title} {count}" for title, count in row["notices"].items())
        print(f"まとまり {row['batch']}\t{row['programme']}\t{row['status']}\t{told or '送るものはまだありません'}")


@app.command()
def export(home: Home = Path("var"), as_json: AsJson = False) -> None:
    """中継から届いた便を取り込み、中継へ送る便を relay/out に一つ書きます（送るものが無ければ書きません）。"""
    actor = _opened(home)
    from kizuki.app.core_parts import core_parts
    from kizuki.app.exchange import exchange
    from kizuki.engine.keys import KeyRing
    from kizuki.push.exchange import file_name
    from kizuki.terms.errors import InputRefused

    done = exchange(actor, home, KeyRing.load(home), _now(), core_parts())
    answer = {
        "taken_files": done.taken_files,
        "taken_lines": done.taken_lines,
        "written": file_name(done.written) if done.written else "",
        "written_lines": done.written_lines,
        "refused": done.refused,
    }
    if as_json:
        print(json.dumps(answer, ensure_ascii=False))
    else:
        print(f"取り込んだ便 {done.taken_files}（{done.taken_lines}行）")
        print(f"書いた便 {answer['written'] or 'なし'}（{done.written_lines}行）")
    for refusal in done.refused:
        print(refusal, file=sys.stderr)
    if done.refused:
        raise InputRefused(
            "K820", "取り込めない便がありました。", "relay/in", "上の理由に従って直し、もう一度実行してください。"
        )


def _opened(home: Path) -> Any:
    """The app of the home, opened; the actor is whoever sits at the terminal, as 情報発信."""
    from kizuki.app import startup
    from kizuki.govern.actor import Actor

    startup.open_app(home)
    login = getpass.getuser()
    return Actor(0, login, login, "notice_officer", "notice", "cli")


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC).astimezone()
