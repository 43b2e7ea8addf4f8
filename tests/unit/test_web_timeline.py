"""The timeline's geometry: everything inside the window is inside the frame, and unknown is never zero."""

import datetime as dt

from hypothesis import given, settings
from hypothesis import strategies as st

from kizuki.web.charts.timeline import Bar, Column, Gap, Mark, Window, draw, text_width

START, END = dt.date(2024, 11, 1), dt.date(2026, 11, 20)
WINDOW = Window(START, END, 1000.0)
DAYS = st.dates(dt.date(2015, 1, 1), dt.date(2028, 1, 1))
BARS = st.builds(
    lambda day, days, label: Bar("福祉", label, day, None if days is None else day + dt.timedelta(days=days)),
    DAYS,
    st.none() | st.integers(1, 2000),
    st.sampled_from(["児童手当", "児童扶養手当（全部）", "郷荘小学校 小4"]),
)


@given(st.lists(BARS, max_size=25))
@settings(deadline=None, max_examples=50)
def test_bars_stay_inside_the_frame_and_never_overlap(bars: list[Bar]) -> None:
    lane = draw(["福祉"], bars, WINDOW).lanes[0]
    for bar in lane.bars:
        assert WINDOW.left <= bar.x <= WINDOW.right
        assert lane.y <= bar.y and bar.y + bar.height <= lane.y + lane.height
    rows: dict[float, float] = {}
    for bar in sorted(lane.bars, key=lambda b: b.x):
        assert bar.x >= rows.get(bar.y, 0.0)
        rows[bar.y] = bar.x + bar.width if bar.width > 3 else bar.x


@given(DAYS, st.none() | st.integers(1, 2000))
@settings(deadline=None, max_examples=50)
def test_a_bar_is_drawn_exactly_when_it_was_in_force_within_the_window(day: dt.date, days: int | None) -> None:
    ends = None if days is None else day + dt.timedelta(days=days)
    drawn = draw(["福祉"], [Bar("福祉", "児童手当", day, ends)], WINDOW).lanes[0].bars
    assert bool(drawn) == (day <= END and (ends is None or ends > START))
    if drawn:
        assert drawn[0].started_earlier == (day < START)


def test_an_unknown_month_is_marked_and_a_zero_month_is_left_empty() -> None:
    months = [Column("教育", dt.date(2026, 9, 30), None), Column("教育", dt.date(2026, 10, 31), 0.0)]
    lane = draw(["教育"], months, WINDOW).lanes[0]
    assert [(c.label, c.tone) for c in lane.columns] == [("？", "unknown")]


def test_marks_keep_their_shape_and_stay_readable_near_the_right_edge() -> None:
    marks = [Mark("相談", "家庭児童相談の受付（ネグレクト）", dt.date(2026, 11, 18), "check"), Mark("相談", "転入", START)]
    near, early = sorted(draw(["相談"], marks, WINDOW).lanes[0].marks, key=lambda m: -m.x)
    assert (near.tone, near.anchor, early.anchor) == ("check", "end", "start")
    assert near.label_x - text_width(near.label, 11) > 0


def test_a_lane_says_where_nothing_can_be_known() -> None:
    chart = draw(["住民", "教育"], [Gap("教育", dt.date(2026, 4, 1))], WINDOW)
    assert chart.lanes[0].gap is None
    gap = chart.lanes[1].gap
    assert gap is not None and gap.x + gap.width == WINDOW.x(dt.date(2026, 4, 1))
