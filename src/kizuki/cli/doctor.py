"""`kizuki doctor`: is this machine and this home fit to run?"""

import datetime as dt
import json
from dataclasses import asdict
from pathlib import Path

import typer

from kizuki.cli.options import AsJson, Home, definitions_of
from kizuki.terms.errors import RunFailed

app = typer.Typer()


@app.command()
def doctor(home: Home = Path("var"), as_json: AsJson = False) -> None:
    """鍵・空き容量・定義・公開データ・追加部品を確かめます。何も変えません。"""
    now = dt.datetime.now(dt.UTC).astimezone()
    if (home / "relay.db").exists():
        from kizuki.app.relay_doctor import examine_relay

        checks = examine_relay(home, now)
    else:
        from kizuki.app.doctor import examine

        checks = examine(home, lambda: definitions_of(home), now.date())
    if as_json:
        print(json.dumps({"checks": [asdict(c) for c in checks]}, ensure_ascii=False))
    else:
        for check in checks:
            mark = "○" if check.ok else "－" if check.optional else "✕"
            print(f"{mark} {check.name}：{check.message}")
    if not all(c.ok or c.optional for c in checks):
        raise typer.Exit(RunFailed.exit_code)
