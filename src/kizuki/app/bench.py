"""Measuring a night: cities of several sizes, each in a process of its own; then a rerun and the next day with one delivery."""

import datetime as dt
import json
import math
import os
import platform
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from kizuki.app.bench_judging import JudgedChildren, measure_judging, report_judging
from kizuki.app.bench_pages import measure_pages
from kizuki.app.bench_process import apart
from kizuki.app.pipeline import STAGES
from kizuki.app.run import run
from kizuki.app.snapshot_view import Server
from kizuki.definitions.loader import load_definitions
from kizuki.definitions.shipped import shipped_definitions
from kizuki.engine.keys import KeyRing
from kizuki.engine.measure import measured
from kizuki.synth.city import build_city
from kizuki.synth.write import write_city

AS_OF = dt.date(2026, 11, 20)
NOW = dt.datetime(2026, 11, 21, 3, 0, tzinfo=dt.UTC)
SEED = 1
_PORT = 8765
_WHOLE = 100_000
"""From so many people on, 判定 is measured by itself too, on the city's own children and on copies of them."""
NEW_SOURCE = "childrens_cafeteria"
_TITLES = {stage.name: stage.title for stage in STAGES}


@dataclass(slots=True)
class CityTimes:
    """One city: what its first night, a rerun and the next day's night (one new delivery each), and serving the result took.

    Seconds of whole nights are by the clock: some stages run beside one another.
    """

    people: int
    city_seconds: float = 0.0
    input_rows: int = 0
    stages: list[dict[str, Any]] = field(default_factory=list)
    rerun_stages: list[dict[str, Any]] = field(default_factory=list)
    next_stages: list[dict[str, Any]] = field(default_factory=list)
    seconds: float = 0.0
    rerun_seconds: float = 0.0
    next_seconds: float = 0.0
    served_seconds: float = 0.0
    view_mb: float = 0.0
    pages: list[dict[str, Any]] = field(default_factory=list)
    judging: list[dict[str, Any]] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)

    @property
    def peak_mb(self) -> float:
        """The most memory any stage took."""
        return float(max((s["peak_mb"] for s in self.stages), default=0.0))


def measure_cities(sizes: Sequence[int], progress: Callable[[str], None]) -> list[CityTimes]:
    """Measure each size in a fresh process, so that no city pays for the memory of the one before."""
    found = []
    for people in sizes:
        progress(f"{people:,}人…")
        with tempfile.TemporaryDirectory(prefix="kizuki-bench-") as folder:
            answer = Path(folder) / "answer.json"
            apart(_measure, (people, folder, str(answer)), f"{people:,}人の街")
            found.append(CityTimes(**json.loads(answer.read_text(encoding="utf-8"))))
        progress(f"{people:,}人 {found[-1].seconds:.1f}秒 {found[-1].peak_mb:.0f}MB")
    return found


def _measure(people: int, folder: str, answer: str) -> None:
    home = Path(folder) / "home"
    times = CityTimes(people)
    with measured() as usage:
        write_city(build_city(people, SEED), home)
    times.city_seconds = usage.seconds
    kept_back = [keep_back(home) for _ in range(2)]
    times.stages, times.seconds = _night(home, AS_OF)
    times.input_rows = times.stages[0]["rows"]
    shutil.move(kept_back.pop(), home / "inbox" / NEW_SOURCE)
    times.rerun_stages, times.rerun_seconds = _night(home, AS_OF)
    shutil.move(kept_back.pop(), home / "inbox" / NEW_SOURCE)
    times.next_stages, times.next_seconds = _night(home, AS_OF + dt.timedelta(days=1))
    with measured() as usage:
        Server(home).view()
    times.served_seconds, times.view_mb = usage.seconds, usage.peak_mb
    times.pages = [asdict(p) for p in measure_pages(home, _PORT)]
    if people >= _WHOLE:
        times.judging = [j.as_dict() for j in measure_judging(home, load_definitions(shipped_definitions()), AS_OF)]
    Path(answer).write_text(json.dumps(times.as_dict()), encoding="utf-8")


def _night(home: Path, as_of: dt.date) -> tuple[list[dict[str, Any]], float]:
    settle(home)
    KeyRing.load(home)
    done = run(home, load_definitions(shipped_definitions()), as_of, NOW)
    return [asdict(stage) for stage in done.stages], done.seconds


def keep_back(home: Path) -> Path:
    """Take the newest file of one source aside, to be a later night's only delivery."""
    newest = max((home / "inbox" / NEW_SOURCE).iterdir())
    return Path(shutil.move(newest, home.parent / newest.name))


def settle(home: Path) -> None:
    """Let the files look finished, so that no waiting is measured."""
    past = time.time() - 3600
    for path in (home / "inbox").glob("*/*"):
        os.utime(path, (past, past))


def report(cities: Sequence[CityTimes]) -> str:
    """The table of `bench/results.md`."""
    lines = [
        "# 速さの記録",
        "",
        f"測った機械：{platform.system()} {platform.machine()}、{os.cpu_count()} コア、Python {platform.python_version()}。"
        "合成都市（種 1）、都市を作る時間は含まない。",
        "",
    ]
    for city in cities:
        lines += _city_table(city)
    if len(cities) > 1:
        lines += [*_growth_table(cities), ""]
    judged = [JudgedChildren(**j) for city in cities for j in city.judging]
    return "\n".join([*lines, *([report_judging(judged)] if judged else [])]) + ("" if judged else "\n")


def _city_table(city: CityTimes) -> list[str]:
    lines = [
        f"## {city.people:,} 人（受け入れた行 {city.input_rows:,}、都市を作る {city.city_seconds:.1f} 秒）",
        "",
        "| 段階 | 行 | 秒 | 最大メモリ MB | 行/秒 | 届け1件で同じ日をもう一度 秒 | 届け1件で翌日 秒 |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for first, again, following in zip(city.stages, city.rerun_stages, city.next_stages, strict=True):
        speed = first["rows"] / first["seconds"] if first["seconds"] >= 0.01 else 0
        lines.append(
            f"| {_TITLES[first['name']]} | {first['rows']:,} | {first['seconds']:.2f} | {first['peak_mb']:,.0f} "
            f"| {speed:,.0f} | {again['seconds']:.2f} | {following['seconds']:.2f} |"
        )
    later = f"**{city.rerun_seconds:.1f}** | **{city.next_seconds:.1f}**"
    lines.append(f"| **全体（時計で）** | | **{city.seconds:.1f}** | **{city.peak_mb:,.0f}** | | {later} |")
    served = (
        f"公開から画面が新しいデータに替わるまで {city.served_seconds:.2f} 秒（画面の側の最大メモリ {city.view_mb:,.0f} MB）。"
    )
    return [*lines, "", served, "", *_page_table(city), ""]


def _page_table(city: CityTimes) -> list[str]:
    rows = [f"| {p['page']} | {p['p50_ms']:.0f} | {p['p95_ms']:.0f} | {p['kilobytes']:.0f} |" for p in city.pages]
    return ["| 画面（活用主体、1人で続けて開く） | 中央 ms | 95% ms | KB |", "|---|---:|---:|---:|", *rows]


def _growth_table(cities: Sequence[CityTimes]) -> list[str]:
    small, large = cities[0], cities[-1]
    ratio = math.log(large.people / small.people)
    lines = [
        f"## 人数に対する伸び（{small.people:,} → {large.people:,} 人。1.0 なら人数に比例）",
        "",
        "| 段階 | 秒の指数 | メモリの指数 |",
        "|---|---:|---:|",
    ]
    rows = [*zip(small.stages, large.stages, strict=True)]
    for one, other in rows:
        exponents = [math.log(max(other[k], 0.01) / max(one[k], 0.01)) / ratio for k in ("seconds", "peak_mb")]
        lines.append(f"| {_TITLES[one['name']]} | {exponents[0]:.2f} | {exponents[1]:.2f} |")
    whole = math.log(large.seconds / small.seconds) / ratio, math.log(large.peak_mb / small.peak_mb) / ratio
    return [*lines, f"| **全体** | **{whole[0]:.2f}** | **{whole[1]:.2f}** |"]
