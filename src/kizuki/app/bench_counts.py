"""Learned or staff, by number of past cases: is the learned order ever worse than the staff's, beyond chance?

The chance of whom it happens to is taken out: a list is worth the sum of the true probabilities of those on it (`gain` =
learned minus staff, in children). What is left is the luck of what was learned. The test has two halves, both of which must
hold at every count: the mean gain over the worlds is not below 0, and in no world does the gain lie more than `LIMIT` standard
deviations of next year's own chance below 0: an order so little worse that a whole year could not show it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from kizuki.app.bench_learning import past_of, points_of, question_of
from kizuki.app.bench_worlds import World, WorldShape, make_world
from kizuki.judge.case_table import Floats
from kizuki.judge.ladder import Learned, learn
from kizuki.judge.promise import tied

LIMIT: Final = 1.0
SHAPES: Final[Mapping[int, WorldShape]] = {
    20: WorldShape(children=4000, periods=3, base_rate=20 / 12_000),
    60: WorldShape(children=4000, periods=3, base_rate=60 / 12_000),
    150: WorldShape(children=4000, periods=3, base_rate=150 / 12_000),
    400: WorldShape(children=6000, periods=3, base_rate=400 / 18_000),
    1500: WorldShape(children=8000, periods=5, base_rate=1500 / 40_000),
}
"""Expected past cases → the town they come from."""
_SHARE: Final = 0.02
_FIRST_SEED: Final = 7000
"""Worlds no rule of the learner was ever chosen on."""


@dataclass(frozen=True, slots=True)
class Race:
    """One world: true expected finds of the learned, the staff's and the best possible list of `n`, and next year's chance.

    `kept` = whether the realised precision and recall fell inside the promised interval; None where nothing was promised.
    """

    count: int
    world: int
    method: str
    events: int
    n: int
    learned: float
    staff: float
    ceiling: float
    noise: float
    kept: tuple[bool, bool] | None

    @property
    def gain(self) -> float:
        """Children more than by the staff's order."""
        return self.learned - self.staff

    @property
    def below(self) -> float:
        """How far below the staff's, in standard deviations of next year's chance; 0 where not below."""
        return max(-self.gain, 0.0) / self.noise if self.noise else 0.0

    def as_dict(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self) | {"gain": self.gain}


def measure_counts(worlds: int, progress: Callable[[str], None], *, counts: Sequence[int] = tuple(SHAPES)) -> list[Race]:
    """`worlds` worlds at each count."""
    found = []
    for count in counts:
        for k in range(worlds):
            found.append(race(count, SHAPES[count], _FIRST_SEED + k))
        progress(f"過去の該当 約{count}件：模擬の街 {worlds}")
    return found


def race(count: int, shape: WorldShape, seed: int) -> Race:
    """One world learned without its last period, both lists held against the truth of that period."""
    world = make_world(shape, seed)
    n = max(20, round(_SHARE * shape.children))
    learned = learn(past_of(world, with_staff=True), question_of(world, n, with_staff=True))
    future = np.flatnonzero(world.cases.period == world.last)
    chance, staff = world.chance[future], world.staff[future]
    points = points_of(learned, past_of(world, with_staff=True).take(future))
    mine, theirs, best = (tied(s, chance, n)["expected"] for s in (points, staff, chance))
    apart = np.setxor1d(_first(points, n), _first(staff, n))
    noise = float(np.sqrt((chance[apart] * (1 - chance[apart])).sum()))
    kept = _kept(world, learned, points, n)
    return Race(count, seed, learned.method, learned.events, n, mine, theirs, best, noise, kept)


def _first(score: Floats, n: int) -> Any:
    return np.argsort(-score, kind="stable")[:n]


def _kept(world: World, learned: Learned, points: Floats, n: int) -> tuple[bool, bool] | None:
    if learned.promise is None:
        return None
    label = world.cases.label[world.cases.period == world.last]
    found = tied(points, label, n)["expected"]
    (a, b), (c, d) = learned.promise.precision_interval, learned.promise.recall_interval
    return a <= found / n <= b, c <= found / max(float(label.sum()), 1.0) <= d


def never_below(found: Sequence[Race]) -> bool:
    """Both halves of the test, at every count."""
    counts = {r.count for r in found}
    means = [float(np.mean([r.gain for r in found if r.count == c])) for c in counts]
    return min(means, default=0.0) >= 0 and max((r.below for r in found), default=0.0) <= LIMIT


def report_counts(found: Sequence[Race]) -> str:
    """The table of `bench/results.md`."""
    lines = [
        "## 学んだ順は、現場の点の順を下回らないか（過去の該当の件数ごと、真の確率で数えた人数）",
        "",
        "| 過去の該当 | 街 | 学んだ順を使った街 | 学んだ順 | 現場の順 | 真の確率の順 | 平均の差 "
        "| 最悪の街（次の年の偶然の標準偏差で） | 区間に入った：適合率 | 再現率 |",
        "|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for count in sorted({r.count for r in found}):
        here = [r for r in found if r.count == count]
        used = sum(r.method not in ("staff_points", "none") for r in here)
        mine, theirs, best = (float(np.mean([getattr(r, k) for r in here])) for k in ("learned", "staff", "ceiling"))
        kept = [r.kept for r in here if r.kept is not None]
        inside = [f"{sum(k[place] for k in kept)}/{len(kept)}" for place in (0, 1)]
        worst = max(r.below for r in here)
        lines.append(
            f"| {count} | {len(here)} | {used} | {mine:.2f} | {theirs:.2f} | {best:.2f} | {mine - theirs:+.2f} "
            f"| {-worst:.2f} | {inside[0]} | {inside[1]} |"
        )
    answer = "下回らない" if never_below(found) else "下回る街がある"
    return "\n".join([*lines, "", f"試験（平均の差が0以上、どの街でも偶然の{LIMIT:g}標準偏差より下回らない）：{answer}。", ""])
