"""`kizuki run`: one night, or the same night as of another day."""

import datetime as dt
import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from kizuki.cli.options import AsJson, Home, definitions_of, parse_day

app = typer.Typer()


@app.command()
def run(
    home: Home = Path("var"),
    as_of: Annotated[str, typer.Option("--as-of", help="この日までに届いたデータで行う（YYYY-MM-DD）。省くと今日。")] = "",
    as_json: AsJson = False,
) -> None:
    """届いたデータを取り込み、名寄せ・判定をして、新しい一覧を公開します。失敗しても前回の一覧はそのまま残ります。"""
    from kizuki.app import startup
    from kizuki.app.run import Words
    from kizuki.app.run import run as one_night

    now = dt.datetime.now(dt.UTC).astimezone()
    day = parse_day(as_of) if as_of else now.date()
    words: Words | None = None
    if used := startup.open_if_used(home):
        from kizuki.app.link_review_words import write_words as words  # needs the opened app
    result = one_night(
        home, definitions_of(home), day, now, progress=lambda text: print(text, file=sys.stderr, flush=True), words=words
    )
    if used:
        from kizuki.app.handover_retention import delete_expired  # needs the opened app

        result.deleted_handovers = delete_expired(now)
    if as_json:
        print(json.dumps(result.as_dict(), ensure_ascii=False))
    else:
        print(f"公開しました：{result.snapshot}（受領 {result.accepted}件、保留 {result.held}件、返却 {result.refused}件）")
