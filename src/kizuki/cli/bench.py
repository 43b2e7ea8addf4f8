"""`kizuki bench`: how long one night takes, how much memory, and how both grow with the city."""

import datetime as dt
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kizuki.cli.options import AsJson
from kizuki.terms.errors import UsageError

if TYPE_CHECKING:
    from kizuki.app.bench_programmes import Judged

app = typer.Typer()
_HOUSEHOLDS = [80_000, 1_500_000]
"""A city of some size, and the households with children of a whole prefecture and more."""


@app.command()
def bench(
    people: Annotated[str | None, typer.Option("--people", help="都市の人数（コンマ区切り）。")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="表を書くファイル。")] = None,
    link: Annotated[bool, typer.Option("--link", help="名寄せの段階だけを測ります（700,000人まで）。")] = False,
    worlds: Annotated[int, typer.Option("--worlds", help="学習の約束を測る模擬の街の数（0 で測らない）。")] = 20,
    *,
    cities: Annotated[int, typer.Option("--cities", help="学んだ順を正解と比べる合成都市の数（0〜2）。")] = 2,
    programmes: Annotated[str, typer.Option("--programmes", help="制度の判定だけを測る世帯数（コンマ区切り）。")] = "",
    as_json: AsJson = False,
) -> None:
    """合成都市で一晩を、作った世帯で制度の判定を、模擬の街と合成都市で学習の約束を測り、bench/results.md に表を書きます。

    --link なら名寄せだけを測り、bench/linkage.md に書きます。--people を指定すると、制度の判定と合成都市での学習は測りません。
    """
    from kizuki.app.bench_programmes import report_programmes

    if programmes:
        found = _programmes(_sizes(programmes, "--programmes"))
        print(
            json.dumps({"programmes": [f.as_dict() for f in found]}, ensure_ascii=False)
            if as_json
            else report_programmes(found)
        )
        return
    if link:
        _linkage(_sizes(people or "20000,60000,183000,700000"), out or Path("bench/linkage.md"), as_json)
        return
    from kizuki.app.bench import measure_cities, report
    from kizuki.app.bench_city_learning import SEEDS, measure_city_learning, report_city_learning
    from kizuki.app.bench_counts import measure_counts, report_counts
    from kizuki.app.bench_learning import measure_worlds, report_learning

    nights = measure_cities(_sizes(people or "20000,60000,183000"), progress=_progress)
    judged = [] if people else _programmes(_HOUSEHOLDS)
    outcomes = measure_worlds(worlds, progress=_progress)
    races = measure_counts(worlds, progress=_progress) if worlds else []
    learned = "\n" + report_learning(outcomes) + "\n" + report_counts(races) if outcomes else ""
    on_truth = [] if people else measure_city_learning(SEEDS[:cities], progress=_progress)
    learned += "\n" + report_city_learning(on_truth) if on_truth else ""
    text = report(nights) + ("\n" + report_programmes(judged) if judged else "") + learned
    figures = {
        "cities": [c.as_dict() for c in nights],
        "programmes": [j.as_dict() for j in judged],
        "worlds": [o.as_dict() for o in outcomes],
        "counts": [r.as_dict() for r in races],
        "on_truth": [r.as_dict() for r in on_truth],
    }
    _tell(text, figures, out or Path("bench/results.md"), as_json)


def _linkage(sizes: list[int], out: Path, as_json: bool) -> None:
    from kizuki.app.bench_linkage import measure_linkage, report

    cities = measure_linkage(sizes, progress=_progress)
    _tell(report(cities), {"cities": [asdict(c) for c in cities]}, out, as_json)


def _sizes(text: str, option: str = "--people") -> list[int]:
    try:
        return [int(size) for size in text.split(",")]
    except ValueError as e:
        raise UsageError("K405", "人数を読めません。", option, "20000,60000 のように数字で書いてください。") from e


def _progress(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _tell(text: str, figures: dict[str, Any], out: Path, as_json: bool) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(text, encoding="utf-8")
    print(json.dumps(figures, ensure_ascii=False) if as_json else text)


def _programmes(sizes: list[int]) -> "list[Judged]":
    """制度 alone, over made-up households, on a day for which figures are entered (so that every answer is possible)."""
    from kizuki.app.bench_programmes import measure_programmes
    from kizuki.definitions.loader import load_definitions
    from kizuki.definitions.shipped import shipped_definitions

    programmes = list(load_definitions(shipped_definitions()).programmes.values())
    return measure_programmes(programmes, dt.date(2025, 10, 1), sizes, progress=_progress)
