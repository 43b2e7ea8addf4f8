"""The learned order on a whole synthetic city: taught by the city's own records alone, held against its truth afterwards.

One row is one city and difficulty. At risk are the children not in difficulty on the day; a find is one whose difficulty begins
within the year. The ceiling is what the order of the true yearly chance is expected to find; a learned order may do better
where the records show signs of the coming months, which the chance of a year does not hold.
"""

import datetime as dt
import json
import multiprocessing
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from kizuki.app.backtest import MOVED_IN, PastDays
from kizuki.app.backtest_results import DEFAULT_MONTHLY, fairness_of, learned_from
from kizuki.app.city_definitions import definitions_of
from kizuki.app.demo import build_demo
from kizuki.app.evaluation import chances, onsets
from kizuki.app.snapshot_view import SnapshotView, current_view
from kizuki.judge.drift import table_points
from kizuki.judge.promise import tied
from kizuki.judge.validation import auc
from kizuki.terms.errors import RunFailed

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

    `moved_in`: expected ÷ recorded cases of children who came within the year, its 95 % interval; None where nobody can say.
    """

    seed: int
    difficulty: str
    method: str
    events: int
    children: int
    onsets: int
    n: int
    learned: float
    staff: float
    ceiling: float
    learned_auc: float | None
    staff_auc: float | None
    moved_in: tuple[float, float, float] | None
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
            given = (folder, people, seed, capacity, str(answer))
            process = multiprocessing.get_context("spawn").Process(target=_measure, args=given)
            process.start()
            process.join()
            if process.exitcode:
                fix = "上に出ている知らせに従ってください。"
                raise RunFailed("K412", f"合成都市（シード {seed}）の測定が途中で止まりました。", "bench", fix)
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
        n=capacity,
        learned=tied(points, label, capacity)["expected"],
        staff=tied(staff, label, capacity)["expected"],
        ceiling=tied(chance, chance, capacity)["expected"],
        learned_auc=auc(points, label == 1),
        staff_auc=auc(staff, label == 1),
        moved_in=_moved_in(fairness_of(past, learned)["moved_in"]),
        seconds=seconds,
    )


def _moved_in(groups: Sequence[dict[str, Any]]) -> tuple[float, float, float] | None:
    here = next((g for g in groups if g["group"] == MOVED_IN), None)
    if here is None or here.get("e_o") is None or here["intervals"].get("e_o") is None:
        return None
    low, high = here["intervals"]["e_o"]
    return float(here["e_o"]), float(low), float(high)


def report_city_learning(found: Sequence[CityRace]) -> str:
    """The table of `bench/results.md`."""
    lines = [
        f"## 合成都市の記録から学んだ順（{len({f.seed for f in found})}都市、正解は学びに使わない）",
        "",
        "| 都市 | 困難 | 方法 | 過去の該当 | 困難の無いこども | 一年以内に始まる | N | 学んだ順 | 現場の順 "
        "| 真の確率の順（期待値） | AUC 学んだ | AUC 現場 | 転入1年未満の E/O（95%区間） | 学ぶ秒 |",
        "|---:|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---|---:|",
    ]
    for f in found:
        told = ["―" if value is None else f"{value:.3f}" for value in (f.learned_auc, f.staff_auc)]
        came = "判定できない" if f.moved_in is None else "{:.2f}（{:.2f}〜{:.2f}）".format(*f.moved_in)
        lines.append(
            f"| {f.seed} | {f.difficulty} | {f.method} | {f.events:,} | {f.children:,} | {f.onsets} | {f.n} | {f.learned:.1f} "
            f"| {f.staff:.1f} | {f.ceiling:.1f} | {told[0]} | {told[1]} | {came} | {f.seconds:.0f} |"
        )
    answer = "届く" if reached(found) else "届かない困難がある"
    test = f"試験（どの困難でも、真の確率の順の{SHARE:.0%}以上で、現場の順を下回らない）：{answer}。"
    return "\n".join([*lines, "", *(_summary(*_sums(found, name)) for name in _names(found)), "", test, ""])


def reached(found: Sequence[CityRace]) -> bool:
    """Whether, over the cities, every difficulty reaches `SHARE` of the ceiling and is not below the staff's order."""
    sums = [_sums(found, name) for name in _names(found)]
    return all(mine >= max(SHARE * best, staff) for _, mine, staff, best in sums)


def _names(found: Sequence[CityRace]) -> list[str]:
    return list(dict.fromkeys(f.difficulty for f in found))


def _sums(found: Sequence[CityRace], difficulty: str) -> tuple[str, float, float, float]:
    """The difficulty, and the finds over the cities: learned, staff, ceiling."""
    here = [f for f in found if f.difficulty == difficulty]
    return difficulty, sum(f.learned for f in here), sum(f.staff for f in here), sum(f.ceiling for f in here)


def _summary(difficulty: str, mine: float, staff: float, best: float) -> str:
    shares = [f"{mine / max(other, 1e-9):.0%}" for other in (best, staff)]
    return f"- {difficulty}：学んだ順は、真の確率の順の {shares[0]}、現場の順の {shares[1]}を見つけた。"
