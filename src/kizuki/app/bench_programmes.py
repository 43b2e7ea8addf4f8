"""How long the programmes take over a whole city or nation: households that never lived, judged area by area."""

import datetime as dt
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlglot import exp

from kizuki.app.eligibility import answered
from kizuki.definitions.programmes import Programme
from kizuki.engine.duck import DuckEngine
from kizuki.engine.measure import measured
from kizuki.programmes.compile import Told, asking, homes
from kizuki.programmes.synthetic_facts import fact_tables

AREA = 100_000
"""Households judged at once: what is held in memory does not grow with the country."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One size: seconds to build the queries once, then to judge with explanations, rows given, and the peak of memory.

    `judge_seconds` are by the clock; `cpu_seconds` those of all processors, which other work on the machine does not change.
    """

    households: int
    programmes: int
    members: int
    rows: int
    build_seconds: float
    judge_seconds: float
    cpu_seconds: float
    peak_mb: float

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def measure_programmes(
    programmes: Sequence[Programme], day: dt.date, sizes: Sequence[int], progress: Callable[[str], None]
) -> list[Judged]:
    """Every size in turn; making the facts is not counted."""
    found = []
    for size in sizes:
        found.append(_measure([p for p in programmes if p.in_force(day)], day, size))
        progress(f"{size:,}世帯 × {found[-1].programmes}制度　{found[-1].judge_seconds:.2f}秒")
    return found


def _measure(programmes: Sequence[Programme], day: dt.date, size: int) -> Judged:
    told = Told({}, frozenset(p.id for p in programmes if p.text.receipt is not None))
    start = time.perf_counter()
    shared = homes(programmes, day)
    asked = [asking(p, day, told, shared) for p in programmes]
    built = time.perf_counter() - start
    seconds, worked, rows, members = 0.0, 0.0, 0, 0
    with measured() as usage:
        for first in range(0, size, AREA):
            tables = fact_tables(min(AREA, size - first), first=first)
            members += tables["fact"].num_rows
            with DuckEngine() as engine:
                engine.register("fact", tables["fact"])
                engine.register("drawn_receipt", tables["fact_receipt"])
                engine.materialise("fact_receipt", exp.select("*").from_("drawn_receipt"))
                start, before = time.perf_counter(), time.process_time()
                engine.materialise("programme_home", shared.query)
                engine.materialise("programme_child", shared.children)
                rows += sum(table.num_rows for table in answered(engine, asked))
                seconds += time.perf_counter() - start
                worked += time.process_time() - before
    return Judged(size, len(programmes), members, rows, built, seconds, worked, usage.peak_mb)


def report_programmes(found: Sequence[Judged]) -> str:
    """The table of `bench/results.md`."""
    lines = [
        "## 制度の判定と説明（作った世帯）",
        "",
        "| 世帯 | 制度 | 構成員 | 答え | 組立（秒） | 判定と説明（秒） | 同（CPU秒） | 最大メモリ（MB） |",
        "|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {f.households:,} | {f.programmes} | {f.members:,} | {f.rows:,} | {f.build_seconds:.2f} | {f.judge_seconds:.2f} "
        f"| {f.cpu_seconds:.2f} | {f.peak_mb:.0f} |"
        for f in found
    ]
    return "\n".join(lines) + "\n"
