"""`kizuki bench`: how long one night takes, how much memory, and how both grow with the city."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from kizuki.cli.options import AsJson
from kizuki.terms.errors import UsageError

app = typer.Typer()


@app.command()
def bench(
    people: Annotated[str, typer.Option("--people", help="都市の人数（コンマ区切り）。")] = "20000,60000,183000",
    out: Annotated[Path, typer.Option("--out", help="表を書くファイル。")] = Path("bench/results.md"),
    worlds: Annotated[int, typer.Option("--worlds", help="学習の約束を測る模擬の街の数（0 で測らない）。")] = 20,
    as_json: AsJson = False,
) -> None:
    """合成都市で一晩を、模擬の街で学習の約束を測り、表を bench/results.md に書きます。"""
    from kizuki.app.bench import measure_cities, report
    from kizuki.app.bench_learning import measure_worlds, report_learning

    try:
        sizes = [int(size) for size in people.split(",") if size.strip()]
    except ValueError as e:
        raise UsageError("K405", "人数を読めません。", "--people", "20000,60000 のように数字で書いてください。") from e
    cities = measure_cities(sizes, progress=_tell)
    outcomes = measure_worlds(worlds, progress=_tell)
    text = report(cities) + ("\n" + report_learning(outcomes) if outcomes else "")
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(text, encoding="utf-8")
    answer = {"cities": [c.as_dict() for c in cities], "worlds": [o.as_dict() for o in outcomes]}
    print(json.dumps(answer, ensure_ascii=False) if as_json else text)


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
