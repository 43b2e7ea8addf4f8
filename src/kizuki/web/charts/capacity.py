"""Expected finds at each capacity as geometry: a line with its 90 % band for the order in force, dashed for the learned order.

Pure arithmetic; the same figures stand in a table below, so the drawing carries nothing alone.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 720.0, 260.0
LEFT, RIGHT, TOP, BOTTOM = 56.0, 16.0, 18.0, 40.0


@dataclass(frozen=True, slots=True)
class Point:
    """One capacity a month: expected finds, the ends of the interval, finds of the learned order (None = not shown)."""

    monthly: int
    found: float
    low: float
    high: float
    learned: float | None
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class Tick:
    """A label on an axis at a position."""

    at: float
    label: str


@dataclass(frozen=True, slots=True)
class Curve:
    """The drawing: SVG paths, marks (x, y, chosen), ticks and a sentence for readers who cannot see it."""

    width: float
    height: float
    band: str
    line: str
    learned: str
    marks: tuple[tuple[float, float, bool], ...]
    across: tuple[Tick, ...]
    up: tuple[Tick, ...]
    base: float
    left: float
    right: float
    summary: str


def draw(points: Sequence[Point]) -> Curve | None:
    """The curve; None without points."""
    if not points:
        return None
    most = max([1.0, *(p.high for p in points), *(p.learned or 0.0 for p in points)])
    widest = max(p.monthly for p in points)

    def x(monthly: float) -> float:
        return round(LEFT + (WIDTH - LEFT - RIGHT) * monthly / widest, 1)

    def y(found: float) -> float:
        return round(HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * found / most, 1)

    upper = [(x(p.monthly), y(p.high)) for p in points]
    lower = [(x(p.monthly), y(p.low)) for p in reversed(points)]
    step = max(1, round(most / 4))
    return Curve(
        WIDTH,
        HEIGHT,
        band=_path([*upper, *lower]) + " Z",
        line=_path([(x(p.monthly), y(p.found)) for p in points]),
        learned=_path([(x(p.monthly), y(p.learned)) for p in points if p.learned is not None]),
        marks=tuple((x(p.monthly), y(p.found), p.chosen) for p in points),
        across=_across(points, x),
        up=tuple(Tick(y(v), f"{v}人") for v in range(0, int(most) + 1, step)),
        base=HEIGHT - BOTTOM,
        left=LEFT,
        right=WIDTH - RIGHT,
        summary=f"月の件数ごとの見込みの図。{len(points)}通り。同じ数が下の表にあります。",
    )


def _path(places: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{'M' if k == 0 else 'L'}{a} {b}" for k, (a, b) in enumerate(places))


def _across(points: Sequence[Point], x: Callable[[float], float]) -> tuple[Tick, ...]:
    """Labels that do not run into one another."""
    ticks: list[Tick] = []
    for p in points:
        at = x(p.monthly)
        if not ticks or at - ticks[-1].at >= 44:
            ticks.append(Tick(at, f"{p.monthly}件"))
    return tuple(ticks)
