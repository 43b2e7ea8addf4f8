"""Measuring 名寄せ alone, over cities of several sizes: the first night, then the next with one new delivery.

Measured is the whole stage: person records read back from the step cache, matching, the key master, its events on disk. What
comes before (making the city, receiving, cleansing) runs in a process of its own and is told apart. Cities above `WHOLE_CITY`
deliver their last year only, enough for every source to name its people; the table says so.
"""

import datetime as dt
import json
import math
import re
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from kizuki.app import stages
from kizuki.app.bench import AS_OF, NEW_SOURCE, NOW, SEED, keep_back, settle
from kizuki.app.bench_process import apart
from kizuki.app.linking import linkage_of
from kizuki.definitions.loader import load_definitions
from kizuki.definitions.shipped import shipped_definitions
from kizuki.engine.cache import TableCache
from kizuki.engine.keys import KeyRing
from kizuki.engine.measure import measured, release_memory
from kizuki.engine.steps import Runner
from kizuki.mart.graph import PERSON_RECORD
from kizuki.synth.city import build_city
from kizuki.synth.write import write_city

WHOLE_CITY = 250_000
_YEAR = dt.timedelta(days=365)
_AS_OF_IN_NAME = re.compile(r"_(\d{8})_")


@dataclass(slots=True)
class LinkageTimes:
    """One city: its size as linking sees it, what went before, and the two nights of the stage."""

    people: int
    last_year_only: bool
    before_seconds: float = 0.0
    residents: int = 0
    records: int = 0
    first_seconds: float = 0.0
    first_mb: float = 0.0
    next_seconds: float = 0.0
    next_mb: float = 0.0


def measure_linkage(sizes: Sequence[int], progress: Callable[[str], None]) -> list[LinkageTimes]:
    """Measure each size; every step in a fresh process, so that none pays for the memory of another.

    Raises RunFailed K412 when a step breaks off.
    """
    found = []
    for people in sizes:
        progress(f"{people:,}人…")
        with tempfile.TemporaryDirectory(prefix="kizuki-bench-") as folder:
            _write(folder, LinkageTimes(people, people > WHOLE_CITY))
            for step in (_prepare, _first_night, _next_night):
                apart(step, (folder,), f"{people:,}人の街")
            found.append(_read(folder))
        progress(f"{people:,}人 初回 {found[-1].first_seconds:.1f}秒 {found[-1].first_mb:.0f}MB")
    return found


def _prepare(folder: str) -> None:
    times, home = _read(folder), Path(folder) / "home"
    with measured() as usage:
        write_city(build_city(times.people, SEED), home)
        if times.last_year_only:
            _drop_older(home)
        keep_back(home)
        settle(home)
        KeyRing.load(home)
        stages.cleanse(_night(home))
    times.before_seconds = usage.seconds
    _write(folder, times)


def _first_night(folder: str) -> None:
    times, night = _read(folder), _night(Path(folder) / "home")
    stages.cleanse(night)  # every table is in the cache
    register = linkage_of(night.definitions).rules.register_source
    times.records = sum(night.runner.tables[PERSON_RECORD.format(s)].rows for s in night.sources)
    times.residents = night.runner.tables[PERSON_RECORD.format(register)].rows
    times.first_seconds, times.first_mb = _measure_link(night)
    _write(folder, times)


def _next_night(folder: str) -> None:
    times, home = _read(folder), Path(folder) / "home"
    for path in Path(folder).glob("*.csv"):
        shutil.move(path, home / "inbox" / NEW_SOURCE)
    settle(home)
    night = _night(home, AS_OF + dt.timedelta(days=1))
    stages.cleanse(night)
    times.next_seconds, times.next_mb = _measure_link(night)
    _write(folder, times)


def _measure_link(night: stages.Night) -> tuple[float, float]:
    release_memory()
    with measured() as usage:
        stages.link(night)
    return usage.seconds, usage.peak_mb


def _night(home: Path, as_of: dt.date = AS_OF) -> stages.Night:
    """The night up to 受領."""
    keys = KeyRing.load(home)
    runner = Runner(TableCache(home / "cache", keys))
    night = stages.Night(home, keys, load_definitions(shipped_definitions()), as_of, NOW, runner, lambda text: None)
    stages.receive(night)
    return night


def _drop_older(home: Path) -> None:
    """Leave the files of the last year: every source's last full extract and what changed since."""
    first = AS_OF - _YEAR
    for path in (home / "inbox").glob("*/*"):
        told = _AS_OF_IN_NAME.search(path.name)
        if told and dt.date.fromisoformat(told.group(1)) < first:
            path.unlink()


def _write(folder: str, times: LinkageTimes) -> None:
    (Path(folder) / "times.json").write_text(json.dumps(asdict(times)), encoding="utf-8")


def _read(folder: str) -> LinkageTimes:
    return LinkageTimes(**json.loads((Path(folder) / "times.json").read_text(encoding="utf-8")))


def report(cities: Sequence[LinkageTimes]) -> str:
    """The table of `bench/linkage.md`, with the growth from the smallest city to the largest."""
    lines = [
        "# 名寄せの速さと伸び",
        "",
        f"合成都市（種 {SEED}）。測ったのは名寄せの段階の全部：人の記録の読み出し、照合、統合キーマスタ、その記録の保存。"
        "都市を作る・受領・整形の時間は含まない（別の列に示す）。翌日は、新しい届け1件のあとの夜。",
        "",
        "| 人数 | 届け | 住民記録の人 | 記録 | 名寄せの前 秒 | 初回 秒 | 初回 MB | 翌日 秒 | 翌日 MB | 記録/秒 |",
        "|---:|---|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for c in cities:
        span = "直近1年だけ" if c.last_year_only else "5年分の全部"
        lines.append(
            f"| {c.people:,} | {span} | {c.residents:,} | {c.records:,} | {c.before_seconds:.0f} | {c.first_seconds:.1f} "
            f"| {c.first_mb:,.0f} | {c.next_seconds:.1f} | {c.next_mb:,.0f} | {c.records / max(c.first_seconds, 0.01):,.0f} |"
        )
    if len(cities) > 1:
        lines += ["", _growth(cities[0], cities[-1])]
    return "\n".join(lines) + "\n"


def _growth(small: LinkageTimes, large: LinkageTimes) -> str:
    ratio = math.log(large.records / small.records)
    seconds = math.log(large.first_seconds / max(small.first_seconds, 0.01)) / ratio
    memory = math.log(large.first_mb / max(small.first_mb, 1.0)) / ratio
    return f"記録の数に対する伸びの指数（1.0 なら比例）：初回の秒 {seconds:.2f}、初回のメモリ {memory:.2f}。"
