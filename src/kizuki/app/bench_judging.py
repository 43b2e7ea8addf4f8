"""How long 判定 takes, points, reasons and unknowns of every set: a city's own children, then a nation of such cities.

The many children are copies of the city's under other ids, judged some cities at a time: memory does not grow with them.
"""

import datetime as dt
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from kizuki.app.judging import judge_all
from kizuki.app.snapshot_view import current_view
from kizuki.definitions.loader import Definitions
from kizuki.engine.duck import DuckEngine
from kizuki.engine.measure import measured
from kizuki.judge.selection import active

CHILDREN: Final = (30_000, 1_000_000)
_TOGETHER: Final = 250_000
"""Children judged at once: enough for every processor to have its share, little enough for a small machine."""
_MEMORY: Final = "4GB"


@dataclass(frozen=True, slots=True)
class JudgedChildren:
    """One size: children, sets, rows of items read, answers given; seconds by the clock and of all processors."""

    children: int
    sets: int
    items: int
    judgements: int
    reasons: int
    seconds: float
    cpu_seconds: float
    peak_mb: float

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def measure_judging(
    home: Path, definitions: Definitions, day: dt.date, sizes: Sequence[int] = CHILDREN
) -> list[JudgedChildren]:
    """Every size in turn, from the items of the newest snapshot; making the copies is not counted."""
    items = current_view(home).tables("item")["item"]
    ids: Any = items.column("person_id").cast(pa.string())
    people = pc.unique(ids)
    return [_measure(items, people, definitions, day, size) for size in sizes]


def _measure(items: pa.Table, people: Any, definitions: Definitions, day: dt.date, size: int) -> JudgedChildren:
    seconds = worked = 0.0
    counts = dict.fromkeys(("item", "judgement", "judgement_reason"), 0)
    with measured() as usage:
        for part in _parts(items, people, size):
            with DuckEngine(_MEMORY) as engine:
                engine.register("item", part)
                start, before = time.perf_counter(), time.process_time()
                made = judge_all(engine, definitions, day)
                seconds += time.perf_counter() - start
                worked += time.process_time() - before
            counts["item"] += part.num_rows
            for name, table in made.items():
                counts[name] += table.num_rows
    given = (counts["item"], counts["judgement"], counts["judgement_reason"])
    return JudgedChildren(size, len(active(definitions, day)), *given, seconds, worked, usage.peak_mb)


def _parts(items: pa.Table, people: Any, size: int) -> Iterator[pa.Table]:
    """Item tables of so many children in all, some cities at a time; the last city gives only as many as are wanted."""
    copy, left = 0, size
    while left > 0:
        part: list[pa.Table] = []
        room = min(left, _TOGETHER)
        while room > 0:
            few = min(room, len(people))
            part.append(_copy(items, people, copy, few))
            copy, room, left = copy + 1, room - few, left - few
        yield pa.concat_tables(part, promote_options="permissive")


def _copy(items: pa.Table, people: Any, copy: int, few: int) -> pa.Table:
    """The items of the first `few` children, as children of the city number `copy`."""
    ids: Any = items.column("person_id").cast(pa.string())
    if few < len(people):
        kept = pc.is_in(ids, value_set=people.slice(0, few))
        items, ids = items.filter(kept), ids.filter(kept)
    place = items.schema.get_field_index("person_id")
    return items.set_column(place, "person_id", pc.binary_join_element_wise(ids, str(copy), "-"))


def report_judging(found: Sequence[JudgedChildren]) -> str:
    """The table of `bench/results.md`."""
    lines = [
        "## 判定：点・理由・分からないこと（街の項目を、別のこどもとして写して増やす）",
        "",
        "| こども | 判定基準 | 項目の行 | 判定 | 理由 | 秒 | 同（CPU秒） | 最大メモリ（MB） |",
        "|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {f.children:,} | {f.sets} | {f.items:,} | {f.judgements:,} | {f.reasons:,} | {f.seconds:.2f} | {f.cpu_seconds:.2f} "
        f"| {f.peak_mb:,.0f} |"
        for f in found
    ]
    return "\n".join([*lines, ""])
