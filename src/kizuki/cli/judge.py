"""`kizuki judge`: the judgements of a published day, and how good they are."""

import datetime as dt
import getpass
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kizuki.cli.options import AsJson, Home, definitions_of, parse_day
from kizuki.terms.errors import InputRefused

if TYPE_CHECKING:
    from kizuki.app.snapshot_view import SnapshotView

app = typer.Typer(no_args_is_help=True)


@app.command()
def export(
    home: Home = Path("var"),
    as_of: Annotated[str, typer.Option("--as-of", help="この日の公開データから（YYYY-MM-DD）。省くと最新。")] = "",
    as_json: AsJson = True,
) -> None:
    """判定結果を1行1件のJSONで書き出します（書き出したことを操作ログに残します）。"""
    from kizuki.app import startup
    from kizuki.govern.actor import Actor

    del as_json  # always JSON Lines
    startup.open_app(home)
    from kizuki.app import release  # needs the opened app

    view = _view(home, parse_day(as_of) if as_of else None)
    rows = list(_judgements(view))
    login = getpass.getuser()
    actor = Actor(0, login, login, "analyst", "analysis", "cli")
    people = sorted({r["person_id"] for r in rows})
    release.record_output(actor, "judge.export", subjects=people, fields=["judgement"], count=len(rows), reason="judge export")
    for row in rows:
        print(json.dumps(row, ensure_ascii=False, default=_day))


@app.command()
def evaluate(
    home: Home = Path("var"),
    truth: Annotated[Path | None, typer.Option("--truth", help="正解のフォルダ。省くと <home>/truth。")] = None,
    as_json: AsJson = False,
) -> None:
    """一覧がどれだけ見つけられるかを、正解と比べて示します（合成都市、または市が集めた結果）。"""
    from kizuki.app.evaluation import evaluate as against_truth

    found = against_truth(_view(home, None), definitions_of(home), truth or home / "truth")
    if as_json:
        print(json.dumps(found, ensure_ascii=False))
        return
    for name, figures in found.items():
        print(f"{name}：こども {figures['children']}人、該当となる困難 {figures['events']}人、AUC {figures['auc']}")
        for point in figures["at_capacity"]:
            print(f"  上位{point['n']}人のうち {point['found']}人（95%区間 {point['interval']['precision']}）")


def _view(home: Path, day: dt.date | None) -> "SnapshotView":
    """The newest snapshot, or the newest of a day; raises InputRefused K505 if that day was never published."""
    from kizuki.app.snapshot_view import current_view, load_view, server_of

    if day is None:
        return current_view(home)
    store = server_of(home).store
    for name in reversed(store.ids()):
        if store.manifest(name).as_of == day.isoformat():
            return load_view(store, name)
    raise InputRefused(
        "K505", "その日の公開データがありません。", day.isoformat(), f"kizuki run --as-of {day} で作ってください。"
    )


def _judgements(view: "SnapshotView") -> Iterator[dict[str, Any]]:
    """One dict per child and set, listed children first in their order."""
    from sqlglot import exp

    reasons: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in view.cursor().query(exp.select("*").from_("judgement_reason")).to_pylist():
        reasons.setdefault((row.pop("person_id"), row.pop("criteria")), []).append(row)
    ordered = exp.select("*").from_("judgement").order_by("criteria", "rank", "person_id")
    for row in view.cursor().query(ordered).to_pylist():
        mine = reasons.get((row["person_id"], row["criteria"]), [])
        row["reasons"] = [r for r in mine if r["answer"] == "true"]
        row["unknown"] = [r for r in mine if r["answer"] == "unknown"]
        yield row


def _day(value: object) -> str:
    if isinstance(value, dt.date):
        return value.isoformat()
    raise TypeError("not a date")
