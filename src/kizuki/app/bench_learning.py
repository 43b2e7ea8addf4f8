"""Measuring the promise: worlds whose next period is known, learned without it, and whether what was promised came true."""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from kizuki.app.bench_worlds import World, WorldShape, make_world
from kizuki.app.learning_tables import known_by
from kizuki.judge.case_table import CaseTable, Floats, number_item
from kizuki.judge.drift import table_points
from kizuki.judge.ladder import Learned, Question, learn
from kizuki.judge.promise import tied
from kizuki.judge.validation import auc

STAFF = "staff_points"
SHAPES = (
    WorldShape(children=8000, periods=5, base_rate=0.012),
    WorldShape(children=5000, periods=3, base_rate=0.03, base_drift=0.15),
    WorldShape(children=5000, periods=4, base_rate=0.004),
    WorldShape(children=6000, periods=2, base_rate=0.02),
)
"""A city with years of records; a few uneven years; few cases; two years only."""
_SHARE = 0.02


@dataclass(frozen=True, slots=True)
class Outcome:
    """One world: what was promised, what came, and what somebody who knew the true probability, or staff, would have found."""

    world: int
    method: str
    events: int
    n: int
    precision: float
    recall: float
    precision_interval: tuple[float, float]
    recall_interval: tuple[float, float]
    ceiling: float
    staff: float
    auc: float
    seconds: float

    @property
    def kept(self) -> tuple[bool, bool]:
        """Whether precision and recall fell inside their intervals."""
        (a, b), (c, d) = self.precision_interval, self.recall_interval
        return a <= self.precision <= b, c <= self.recall <= d

    def as_dict(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self) | {"kept": self.kept}


def measure_worlds(count: int, progress: Callable[[str], None], *, shapes: Sequence[WorldShape] = SHAPES) -> list[Outcome]:
    """`count` worlds, the shapes in turn; refused tables are counted as they are, nothing is left out."""
    found = []
    for seed in range(count):
        found.append(measure_world(shapes[seed % len(shapes)], seed))
        progress(f"模擬の街 {seed + 1}/{count}")
    return found


def measure_world(shape: WorldShape, seed: int, *, with_staff: bool = True) -> Outcome:
    """Learn on all periods but the last, promise, and look at the last."""
    world = make_world(shape, seed)
    capacity = max(20, round(_SHARE * shape.children))
    started = time.perf_counter()
    learned = learn(past_of(world, with_staff=with_staff), question_of(world, capacity, with_staff=with_staff))
    seconds = time.perf_counter() - started
    return _outcome(world, learned, capacity, seconds, seed)


def past_of(world: World, *, with_staff: bool) -> CaseTable:
    """What the learner may see: the last period's outcomes are blank, the staff's points are an item like others."""
    cases = world.cases
    label = np.where(cases.period == world.last, np.nan, cases.label)
    items = (*cases.items, number_item(STAFF, world.staff)) if with_staff else cases.items
    return replace(cases, label=label, items=items)


def question_of(world: World, capacity: int, *, with_staff: bool) -> Question:
    """The question a city would ask."""
    known = known_by(world.cases.periods, None)
    staff = STAFF if with_staff else None
    return Question("結果", capacity, world.directions, staff, "bench", 1, known)


def _outcome(world: World, learned: Learned, capacity: int, seconds: float, seed: int) -> Outcome:
    assert learned.table is not None and learned.promise is not None
    future = np.flatnonzero(world.cases.period == world.last)
    label = world.cases.label[future]
    points = points_of(learned, past_of(world, with_staff=True).take(future))
    found, ceiling, staff = (
        tied(score, label, capacity)["expected"] for score in (points, world.chance[future], world.staff[future])
    )
    events = max(float(label.sum()), 1.0)
    promised = learned.promise
    return Outcome(
        world=seed,
        method=learned.method,
        events=learned.events,
        n=promised.n,
        precision=found / capacity,
        recall=found / events,
        precision_interval=promised.precision_interval,
        recall_interval=promised.recall_interval,
        ceiling=ceiling / events,
        staff=staff / events,
        auc=auc(points, label == 1) or 0.5,
        seconds=seconds,
    )


def points_of(learned: Learned, cases: CaseTable) -> Floats:
    """The points of every row, by the table alone."""
    assert learned.table is not None
    return table_points(learned.table, cases)


def report_learning(found: Sequence[Outcome]) -> str:
    """The table of `bench/results.md`."""
    lines = [
        f"## 学習した採点表の約束（模擬の街 {len(found)}、次の期を見ずに学ぶ）",
        "",
        "| 街 | 方法 | 過去の該当 | N | 適合率 | 90%区間 | 再現率 | 90%区間 | 真の確率の再現率 | 現場の点の再現率 | AUC | 秒 |",
        "|---:|---|---:|---:|---:|---|---:|---|---:|---:|---:|---:|",
    ]
    for o in found:
        (a, b), (c, d) = o.precision_interval, o.recall_interval
        marks = ["" if kept else " ×" for kept in o.kept]
        lines.append(
            f"| {o.world} | {o.method} | {o.events} | {o.n} | {o.precision:.3f}{marks[0]} | {a:.3f}〜{b:.3f} "
            f"| {o.recall:.3f}{marks[1]} | {c:.3f}〜{d:.3f} | {o.ceiling:.3f} | {o.staff:.3f} | {o.auc:.3f} | {o.seconds:.1f} |"
        )
    return "\n".join([*lines, "", _summary(found), ""])


def _summary(found: Sequence[Outcome]) -> str:
    precision, recall = (sum(o.kept[k] for o in found) / len(found) for k in (0, 1))
    mine, ceiling, staff = (sum(values) for values in zip(*((o.recall, o.ceiling, o.staff) for o in found), strict=True))
    wide = [
        float(np.mean([b - a for a, b in (getattr(o, k) for o in found)])) for k in ("precision_interval", "recall_interval")
    ]
    return (
        f"区間に入った割合：適合率 {precision:.0%}、再現率 {recall:.0%}。"
        f"区間の幅の平均：適合率 {wide[0]:.3f}、再現率 {wide[1]:.3f}。"
        f"再現率の合計は、真の確率の {mine / ceiling:.0%}、現場の点の {mine / staff:.0%}。"
    )
