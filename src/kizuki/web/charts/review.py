"""Pictures of review as geometry: how much each comparison says, and hours of work against what is found.

Pure arithmetic, ready for SVG templates; the same figures stand in words or in a table beside each picture.
"""

from collections.abc import Sequence
from dataclasses import dataclass

BAR_WIDTH = 200.0
_FULL = 16.0
"""Weight (doublings of the odds) that fills a side: an exact birthday is worth about that."""

WIDTH, HEIGHT = 760.0, 300.0
LEFT, RIGHT, TOP, BOTTOM = 56.0, 16.0, 18.0, 48.0


@dataclass(frozen=True, slots=True)
class Stroke:
    """One bar from the middle: to the right for "one person", to the left for "two people"."""

    x: float
    width: float
    against: bool


def stroke(weight: float) -> Stroke:
    """The bar of one weight; at least two units wide, so that weak evidence is still seen."""
    half = BAR_WIDTH / 2
    width = max(min(abs(weight) / _FULL, 1.0) * half, 2.0)
    return Stroke(half if weight >= 0 else half - width, round(width, 1), weight < 0)


@dataclass(frozen=True, slots=True)
class Dot:
    """One floor on one curve."""

    x: float
    y: float
    label: str


@dataclass(frozen=True, slots=True)
class Tick:
    """One mark of an axis."""

    at: float
    label: str


@dataclass(frozen=True, slots=True)
class Tradeoff:
    """Two curves over hours of work: share found (●) and share that is one person (■); `budget_x` = the month's hours."""

    found: tuple[Dot, ...]
    right: tuple[Dot, ...]
    hours: tuple[Tick, ...]
    shares: tuple[Tick, ...]
    budget_x: float | None
    width: float = WIDTH
    height: float = HEIGHT

    @property
    def budget_anchor(self) -> str:
        """Where the label of the month's hours lies, so that it stays inside the picture."""
        return "end" if (self.budget_x or 0.0) > self.width / 2 else "start"

    @property
    def found_line(self) -> str:
        """SVG points of the share found."""
        return " ".join(f"{d.x},{d.y}" for d in self.found)

    @property
    def right_line(self) -> str:
        """SVG points of the share that is one person."""
        return " ".join(f"{d.x},{d.y}" for d in self.right)


def tradeoff(points: Sequence[tuple[float, float, float | None, float | None]], budget_hours: float) -> Tradeoff:
    """The picture of (floor, hours, share found, share right); unknown shares are left out, not drawn as zero."""
    most = max([hours for _, hours, _, _ in points] + [budget_hours]) or 1.0
    step = _round_step(most / 5)
    top = step * -(-most // step)

    def x(hours: float) -> float:
        return round(LEFT + (WIDTH - LEFT - RIGHT) * hours / top, 1)

    def y(share: float) -> float:
        return round(TOP + (HEIGHT - TOP - BOTTOM) * (1 - share), 1)

    return Tradeoff(
        found=tuple(Dot(x(h), y(f), f"{floor:g}") for floor, h, f, _ in points if f is not None),
        right=tuple(Dot(x(h), y(r), f"{floor:g}") for floor, h, _, r in points if r is not None),
        hours=tuple(Tick(x(step * i), f"{step * i:g}") for i in range(round(top / step) + 1)),
        shares=tuple(Tick(y(s / 4), f"{25 * s}%") for s in range(5)),
        budget_x=x(budget_hours),
    )


def _round_step(rough: float) -> float:
    """1, 2 or 5 times a power of ten, not below `rough`."""
    power = 1.0
    while power * 10 <= rough:
        power *= 10
    while power > rough:
        power /= 10
    return next(power * k for k in (1, 2, 5, 10) if power * k >= rough)
