"""The learned order on a whole synthetic city: taught by the city's own records alone, held against its truth afterwards.

One row is one city and difficulty. At risk are the children not in difficulty on the day; a find is one whose difficulty begins
within the year. The ceiling is what the order of the true yearly chance is expected to find, of all that is expected to begin;
a learned order may do better where the records show signs of the coming months, which the chance of a year does not hold.
"""

import datetime as dt
import json
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from kizuki.app.backtest import MOVED_IN, PastDays
from kizuki.app.backtest_results import DEFAULT_MONTHLY, fairness_of, learned_from
from kizuki.app.bench_process import apart
from kizuki.app.city_definitions import definitions_of
from kizuki.app.demo import build_demo
from kizuki.app.evaluation import chances, onsets
from kizuki.app.snapshot_view import SnapshotView, current_view
from kizuki.judge.drift import table_points
from kizuki.judge.promise import tied
from kizuki.judge.validation import auc

SEEDS: Final = (20231116, 7)
PEOPLE: Final = 182_835
CRITERIA: Final = ("absence", "poverty", "abuse")
CAPACITY: Final = DEFAULT_MONTHLY * 12
SHARE: Final = 0.8
"""Of what the order of the true chance is expected to find, so much should be found."""
_NOW: Final = dt.datetime(2026, 11, 21, 3, 0, tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True)
class CityRace:
    """Finds among the first `n` of the children at risk (ties shared out), in children; `events` = past cases learned from.

    `onsets` began, `expected` is how many were to begin by the true chance. `moved_in`: cases the learned chance said among
    children who came within the year, cases recorded, and their ratio's 95 % interval; None where nobody can say.
    """

    seed: int
    difficulty: str
    method: str
    events: int
    children: int
    onsets: int
    expected: float
    n: int
    learned: float
    staff: float
    ceiling: float
    learned_auc: float | None
    staff_auc: float | None
    moved_in: tuple[float, float, float, float] | None
    seconds: float

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def measure_city_learning(
    seeds: Sequence[int], progress: Callable[[str], None], *, people: int = PEOPLE, capacity: int = CAPACITY
) -> list[CityRace]:
    """Every city in a process of its own; raises RunFailed K412 where one stops."""
    found: list[CityRace] = []
    for seed in seeds:
        with tempfile.TemporaryDirectory(prefix="kizuki-bench-") as folder:
            answer = Path(folder) / "answer.json"
            apart(_measure, (folder, people, seed, capacity, str(answer)), f"合成都市（シード {seed}）")
            found += [CityRace(**row) for row in json.loads(answer.read_text(encoding="utf-8"))]
        progress(f"合成都市 {seed}：記録から学んだ順を正解と比べました")
    return found


def _measure(folder: str, people: int, seed: int, capacity: int, answer: str) -> None:
    home = Path(folder) / "home"
    build_demo(home, people=people, seed=seed, now=_NOW, progress=lambda _: None)
    rows = [race.as_dict() for race in race_city(home, home / "truth", seed=seed, capacity=capacity)]
    Path(answer).write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")


def race_city(home: Path, truth: Path, *, seed: int, capacity: int = CAPACITY) -> list[CityRace]:
    """The three difficulties the synthetic city has a truth for."""
    view = current_view(home)
    with PastDays(view, definitions_of(home)) as days:
        return [_race(view, days, name, truth=truth, seed=seed, capacity=capacity) for name in CRITERIA if name in days.sets]


def _race(view: SnapshotView, days: PastDays, name: str, *, truth: Path, seed: int, capacity: int) -> CityRace:
    started = time.perf_counter()
    past = days.history(name)
    learned = learned_from(past)
    seconds = time.perf_counter() - started
    today, difficulty = days.today(name), days.criteria(name).name
    begins, chance_of = (told(view, truth, difficulty) for told in (onsets, chances))
    free = np.array([row for row, person in enumerate(today.people) if person in begins], dtype=np.int64)
    label = np.array([float(begins[today.people[row]]) for row in free])
    chance = np.array([chance_of[today.people[row]] for row in free])
    staff = today.cases.items[0].values[free]
    points = staff if learned.table is None else table_points(learned.table, today.cases)[free]
    return CityRace(
        seed=seed,
        difficulty=difficulty,
        method=learned.method,
        events=learned.events,
        children=len(free),
        onsets=int(label.sum()),
        expected=float(chance.sum()),
        n=capacity,
        learned=tied(points, label, capacity)["expected"],
        staff=tied(staff, label, capacity)["expected"],
        ceiling=tied(chance, chance, capacity)["expected"],
        learned_auc=auc(points, label == 1),
        staff_auc=auc(staff, label == 1),
        moved_in=_moved_in(fairness_of(past, learned)["moved_in"]),
        seconds=seconds,
    )


def _moved_in(groups: Sequence[dict[str, Any]]) -> tuple[float, float, float, float] | None:
    here = next((g for g in groups if g["group"] == MOVED_IN), None)
    if here is None or here.get("e_o") is None or here["intervals"].get("e_o") is None:
        return None
    low, high = here["intervals"]["e_o"]
    return float(here["e_o"] * here["events"]), float(here["events"]), float(low), float(high)


@dataclass(frozen=True, slots=True)
class Summed:
    """One difficulty over all cities: finds, and what they are of."""

    difficulty: str
    learned: float
    staff: float
    ceiling: float
    onsets: float
    expected: float
    moved_in: tuple[float, float]

    @property
    def share(self) -> float:
        """Recall of the learned order ÷ recall of the true chance's."""
        mine, best = self.learned / max(self.onsets, 1.0), self.ceiling / max(self.expected, 1e-9)
        return mine / max(best, 1e-9)

    @property
    def holds(self) -> bool:
        """Whether both bars hold."""
        return self.share >= SHARE and self.learned >= self.staff


def summed(found: Sequence[CityRace]) -> list[Summed]:
    """The difficulties in order of appearance."""
    out = []
    for name in dict.fromkeys(f.difficulty for f in found):
        here = [f for f in found if f.difficulty == name]
        names = ("learned", "staff", "ceiling", "onsets", "expected")
        counts = {k: float(sum(getattr(f, k) for f in here)) for k in names}
        came = [f.moved_in for f in here if f.moved_in is not None]
        out.append(Summed(difficulty=name, **counts, moved_in=(sum(c[0] for c in came), sum(c[1] for c in came))))
    return out


def report_city_learning(found: Sequence[CityRace]) -> str:
    """The table of `bench/results.md`."""
    lines = [
        f"## 合成都市の記録から学んだ順（{len({f.seed for f in found})}都市、正解は学びに使わない）",
        "",
        "| 都市 | 困難 | 方法 | 過去の該当 | 困難の無いこども | 一年以内に始まる（期待値） | N | 学んだ順 | 現場の順 "
        "| 真の確率の順（期待値） | AUC 学んだ | AUC 現場 | 転入1年未満の E/O（95%区間） | 学ぶ秒 |",
        "|---:|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---|---:|",
    ]
    for f in found:
        told = ["―" if value is None else f"{value:.3f}" for value in (f.learned_auc, f.staff_auc)]
        lines.append(
            f"| {f.seed} | {f.difficulty} | {f.method} | {f.events:,} | {f.children:,} | {f.onsets}（{f.expected:.0f}） "
            f"| {f.n} | {f.learned:.1f} | {f.staff:.1f} | {f.ceiling:.1f} | {told[0]} | {told[1]} | {_came(f)} "
            f"| {f.seconds:.0f} |"
        )
    sums = summed(found)
    answer = "届く" if all(s.holds for s in sums) else "届かない困難がある"
    test = f"試験（どの困難でも、再現率が真の確率の順の{SHARE:.0%}以上で、現場の順を下回らない）：{answer}。"
    return "\n".join([*lines, "", *(_summary(s) for s in sums), "", test, ""])


def _came(f: CityRace) -> str:
    if f.moved_in is None:
        return "判定できない"
    expected, observed, low, high = f.moved_in
    return f"{expected / max(observed, 1.0):.2f}（{low:.2f}〜{high:.2f}）"


def _summary(s: Summed) -> str:
    recall = [f"{100 * found / max(of, 1e-9):.1f}%" for found, of in ((s.learned, s.onsets), (s.ceiling, s.expected))]
    came = f"{s.moved_in[0] / s.moved_in[1]:.2f}（記録された該当 {s.moved_in[1]:.0f}件）" if s.moved_in[1] else "判定できない"
    return (
        f"- {s.difficulty}：再現率 {recall[0]}（真の確率の順 {recall[1]} の {s.share:.0%}）、"
        f"見つけた人数は現場の順の {s.learned / max(s.staff, 1e-9):.0%}。転入1年未満の E/O は合わせて {came}。"
    )
