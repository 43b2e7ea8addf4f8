"""The timeline of one child as geometry: lanes, bars, monthly columns and marks, ready for an SVG template.

Pure arithmetic: facts in, coordinates out; all text keeps its own row so that no label covers another.
Shapes carry the meaning (● ■ ▲, bar, column, hatch); colour only repeats it.
"""

import calendar
import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

LABEL_WIDTH = 64
ROW = 17
PAD = 4
COLUMN_HEIGHT = 30
AXIS = 20


@dataclass(frozen=True, slots=True)
class Bar:
    """Something in force from one day to another (end exclusive, None = continuing)."""

    lane: str
    label: str
    starts_on: dt.date
    ends_on: dt.date | None


@dataclass(frozen=True, slots=True)
class Mark:
    """One dated happening; tone is record ●, notice ■ or check ▲."""

    lane: str
    label: str
    on: dt.date
    tone: str = "record"


@dataclass(frozen=True, slots=True)
class Column:
    """One month's count; value None = the month is unknown (drawn as ？, never as zero)."""

    lane: str
    month_end: dt.date
    value: float | None


@dataclass(frozen=True, slots=True)
class Gap:
    """A lane has no records before this day (moved in, or the feed began later)."""

    lane: str
    until: dt.date


@dataclass(frozen=True, slots=True)
class Shape:
    """One drawn thing: x, y, width and height in SVG units; `label` starts at `label_x`."""

    x: float
    y: float
    width: float
    height: float
    label: str
    label_x: float
    tone: str = "record"
    started_earlier: bool = False
    anchor: str = "start"
    title: str = ""

    @property
    def label_y(self) -> float:
        """Baseline of the label: above a column, level with a mark."""
        return self.y - 2 if self.anchor == "middle" else self.y + 4

    @property
    def triangle(self) -> str:
        """SVG path of ▲ around the point."""
        return f"M{self.x} {self.y - 5.5:.1f} L{self.x + 5.5:.1f} {self.y + 4.5:.1f} L{self.x - 5.5:.1f} {self.y + 4.5:.1f} Z"

    @property
    def square(self) -> str:
        """SVG path of ■ around the point."""
        return f"M{self.x - 4.5:.1f} {self.y - 4.5:.1f} h9 v9 h-9 Z"


@dataclass(slots=True)
class Lane:
    """One band of the chart."""

    title: str
    y: float
    height: float
    shaded: bool
    bars: list[Shape] = field(default_factory=list)
    columns: list[Shape] = field(default_factory=list)
    marks: list[Shape] = field(default_factory=list)
    gap: Shape | None = None
    column_title: str = ""

    @property
    def text_y(self) -> float:
        """Baseline of the lane's name."""
        return self.y + 15


@dataclass(frozen=True, slots=True)
class Tick:
    """A vertical line with a date above it."""

    x: float
    label: str
    anchor: str = "middle"


@dataclass(frozen=True, slots=True)
class Timeline:
    """The whole chart; `height` follows from how many rows the facts need."""

    width: float
    height: float
    left: float
    right: float
    lanes: tuple[Lane, ...]
    ticks: tuple[Tick, ...]
    today_x: float
    summary: str


@dataclass(frozen=True, slots=True)
class Window:
    """The drawn period and its width; maps a day to x."""

    starts_on: dt.date
    ends_on: dt.date
    width: float

    @property
    def left(self) -> float:
        return LABEL_WIDTH

    @property
    def right(self) -> float:
        return self.width - 14

    def x(self, day: dt.date) -> float:
        """Position of a day, clamped into the window."""
        span = max((self.ends_on - self.starts_on).days, 1)
        share = min(max((day - self.starts_on).days / span, 0.0), 1.0)
        return round(self.left + share * (self.right - self.left), 1)


def draw(
    lanes: Sequence[str],
    facts: Iterable[Bar | Mark | Column | Gap],
    window: Window,
    *,
    column_title: str = "欠席(日/月)",
) -> Timeline:
    """Place all facts of the window; lanes keep their order and exist even when empty (an empty lane says: nothing known)."""
    facts = list(facts)
    drawn: list[Lane] = []
    y = float(AXIS)
    for index, title in enumerate(lanes):
        lane = _draw_lane(title, [f for f in facts if f.lane == title], window, y, shaded=index % 2 == 1)
        if lane.columns:
            lane.column_title = column_title
        drawn.append(lane)
        y += lane.height
    return Timeline(
        width=window.width,
        height=y + 2,
        left=window.left,
        right=window.right,
        lanes=tuple(drawn),
        ticks=_ticks(window),
        today_x=window.x(window.ends_on),
        summary=_summary(drawn),
    )


def _draw_lane(title: str, facts: Sequence[Bar | Mark | Column | Gap], window: Window, y: float, *, shaded: bool) -> Lane:
    bars = [f for f in facts if isinstance(f, Bar) and _in_force(f, window)]
    marks = [f for f in facts if isinstance(f, Mark) and window.starts_on <= f.on <= window.ends_on]
    columns = [f for f in facts if isinstance(f, Column) and window.starts_on <= f.month_end <= _month_after(window.ends_on)]
    lane = Lane(title, y, 0, shaded)
    top = y + PAD
    top = _place_bars(lane, bars, window, top)
    top = _place_columns(lane, columns, window, top)
    top = _place_marks(lane, marks, window, top)
    lane.height = max(top - y + PAD, ROW + 2 * PAD)
    gaps = [f.until for f in facts if isinstance(f, Gap) and f.until > window.starts_on]
    if gaps:
        x = window.x(max(gaps))
        free = not any(shape.x < x for shape in (*lane.bars, *lane.marks))  # words never cover a record
        label = "記録なし" if free else ""
        lane.gap = Shape(
            window.left, y, x - window.left, lane.height, label, window.left + 4, title="この市の記録がまだ無い期間"
        )
    return lane


def _in_force(bar: Bar, window: Window) -> bool:
    return bar.starts_on <= window.ends_on and (bar.ends_on is None or bar.ends_on > window.starts_on)


def _place_bars(lane: Lane, bars: Sequence[Bar], window: Window, top: float) -> float:
    """First row whose last bar ends before this one begins; labels may run past a short bar's end."""
    free: list[float] = []
    for bar in sorted(bars, key=lambda b: (b.starts_on, b.label)):
        x, until = window.x(bar.starts_on), window.x(bar.ends_on or window.ends_on)
        earlier = bar.starts_on < window.starts_on
        label = ("◀ " if earlier else "") + bar.label
        needed = max(until - x, 3.0)
        row = _first_free(free, x)
        free[row] = max(x + needed, min(x + text_width(label) + 10, window.right))
        label_x, anchor = x + 5, "start"
        if x + 5 + text_width(label) > window.right + 8:
            label_x, anchor = window.right - 3, "end"
        lane.bars.append(
            Shape(x, top + row * ROW, needed, ROW - 3, label, label_x, started_earlier=earlier, anchor=anchor, title=bar.label)
        )
    return top + len(free) * ROW


def _place_columns(lane: Lane, columns: Sequence[Column], window: Window, top: float) -> float:
    """Months as columns from a common base line; the scale's top is at least ten days so that one day looks like one day."""
    if not columns:
        return top
    highest = max([10.0, *(c.value for c in columns if c.value is not None)])
    base = top + COLUMN_HEIGHT + 12
    month = (window.right - window.left) / max((window.ends_on - window.starts_on).days / 30.4, 1)
    width = max(min(month * 0.62, 16.0), 1.5)
    for column in columns:
        first = column.month_end.replace(day=1)
        x = window.x(first) + (window.x(column.month_end) - window.x(first) - width) / 2
        if column.value is None:
            lane.columns.append(Shape(x, base - 10, width, 10, "？", x + width / 2, tone="unknown", anchor="middle"))
        elif column.value > 0:
            height = round(column.value / highest * COLUMN_HEIGHT, 1)
            text = f"{column.value:g}"
            lane.columns.append(Shape(x, base - height, width, height, text, x + width / 2, anchor="middle"))
    return base + 2


def _place_marks(lane: Lane, marks: Sequence[Mark], window: Window, top: float) -> float:
    """Marks with the label at the right, or at the left when the edge is near; each in the first row with room."""
    free: list[float] = []
    last: dict[tuple[str, str], float] = {}
    for mark in sorted(marks, key=lambda m: (m.on, m.label)):
        x = window.x(mark.on)
        wide = text_width(mark.label) + 14
        repeated = x - last.get((mark.label, mark.tone), -1e9) < wide + 60
        last[(mark.label, mark.tone)] = x
        label = "" if repeated else mark.label
        flipped = x + wide > window.right + 10
        begin = x - wide if flipped and label else x - 6
        row = _first_free(free, begin)
        free[row] = (x + 8) if flipped or not label else x + wide
        lane.marks.append(
            Shape(
                x,
                top + row * ROW + 8,
                10,
                10,
                label,
                x - 9 if flipped else x + 9,
                tone=mark.tone,
                anchor="end" if flipped else "start",
                title=f"{mark.on.year}/{mark.on.month}/{mark.on.day} {mark.label}",
            )
        )
    return top + len(free) * ROW


def _first_free(free: list[float], x: float) -> int:
    for row, until in enumerate(free):
        if until <= x:
            return row
    free.append(0.0)
    return len(free) - 1


def text_width(text: str, size: float = 12.0) -> float:
    """Approximate width of a label: full-width characters count one em, others a bit over half."""
    return sum(size if ord(c) > 0x2E7F else size * 0.58 for c in text)


def _ticks(window: Window) -> tuple[Tick, ...]:
    """Quarter lines for up to three years, January lines beyond."""
    days = (window.ends_on - window.starts_on).days
    step = 3 if days <= 1100 else 12
    months = (1, 4, 7, 10) if step == 3 else (1,)
    ticks = []
    for year in range(window.starts_on.year, window.ends_on.year + 1):
        for month in months:
            day = dt.date(year, month, 1)
            if window.starts_on <= day <= window.ends_on and window.right - window.x(day) > 24:
                ticks.append(Tick(window.x(day), f"{year}/{month}" if step == 3 else f"{year}年"))
    return tuple(ticks)


def _month_after(day: dt.date) -> dt.date:
    return day + dt.timedelta(days=calendar.monthrange(day.year, day.month)[1])


def _summary(lanes: Sequence[Lane]) -> str:
    """One sentence for readers who cannot see the drawing; the identical table follows it."""
    parts = [f"{lane.title}{len(lane.bars) + len(lane.columns) + len(lane.marks)}件" for lane in lanes]
    return "分野別の経過図。" + "、".join(parts) + "。同じ内容の一覧表が下にあります。"
