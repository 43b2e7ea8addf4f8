"""`kizuki programme`: the catalogue, the words its conditions may use, and the answer for any household."""

import datetime as dt
import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from kizuki.cli.options import AsJson, Home, definitions_of, parse_day
from kizuki.definitions.programmes import Programme
from kizuki.definitions.programmes.facts import FACTS
from kizuki.definitions.programmes.households import read_household
from kizuki.programmes.judging import failed_examples, judge_household
from kizuki.terms.errors import InputRefused

app = typer.Typer(no_args_is_help=True)


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
            "choices": list(f.term.choices),
            "meaning": f.meaning,
        }
        for f in FACTS
    ]
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
    programmes = [p for _, p in sorted(definitions_of(home).programmes.items())]
    for number, line in enumerate(sys.stdin, start=1):
        if line.strip():
            for answer in _answers(programmes, line, number, day):
                print(json.dumps(answer, ensure_ascii=False))


def _answers(programmes: list[Programme], line: str, number: int, day: dt.date) -> list[dict[str, Any]]:
    try:
        case = json.loads(line)
        stated = case["household"]
        if not isinstance(stated, dict):
            raise TypeError
    except (ValueError, KeyError, TypeError) as e:
        fix = '{"case": …, "household": {"members": […]}} の形で書いてください。'
        raise InputRefused("K602", "世帯を読めません。", f"標準入力の{number}行目", fix) from e
    try:
        household = read_household(stated, day)
    except InputRefused as e:
        raise InputRefused(e.code, e.what, f"標準入力の{number}行目　{e.where}", e.fix) from e
    return [{"case": case.get("case")} | a.as_dict() for a in judge_household(programmes, household, day)]
