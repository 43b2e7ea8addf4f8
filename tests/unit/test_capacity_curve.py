"""The capacity screen: households counted once, each order promised by itself, the drawing in bounds."""

import itertools
import re

import numpy as np
import pytest

from kizuki.judge.backtest import BackTest
from kizuki.judge.capacity import curve
from kizuki.judge.case_table import CaseTable, number_item
from kizuki.web.charts.capacity import HEIGHT, WIDTH, Point, draw


def past(seed: int = 2, children: int = 600) -> tuple[CaseTable, BackTest, np.ndarray]:
    """Two closed years and an open one; staff points know half of what the learned order knows. Two children per household."""
    rng = np.random.default_rng(seed)
    rows = children * 3
    signal = rng.normal(size=rows)
    period = np.repeat(np.arange(3), children)
    label = (rng.random(rows) < 1 / (1 + np.exp(3.0 - 1.6 * signal))).astype(float)
    label[period == 2] = np.nan
    staff = np.round(np.maximum(signal + rng.normal(size=rows), 0))
    crossed = np.where(period < 2, signal, np.nan)
    rolled = np.where(period == 1, signal, np.nan)
    household = np.arange(rows) % children // 2
    cases = CaseTable((number_item("staff_points", staff),), label, period, ("2024", "2025", "2026"), household)
    return cases, BackTest(crossed, rolled, rolled * 0), staff


def test_each_order_is_promised_by_itself_and_the_better_one_promises_more() -> None:
    cases, test, staff = past()
    steps = curve(cases, test, staff, [60, 120, 6000], seed=1)
    assert [s.n for s in steps] == [60, 120]  # there are 600 children: a list of 6,000 is no list
    for step in steps:
        assert step.learned.precision > step.staff.precision
        low, high = step.staff.precision_interval
        assert low <= step.staff.precision <= high
    assert steps[0].staff.ties["tied"] > 1 and steps[0].staff.ties["worst"] < steps[0].staff.ties["best"]


def test_siblings_are_one_household() -> None:
    cases, test, staff = past()
    step = curve(cases, test, staff, [600], seed=1)[0]
    assert step.households == pytest.approx(300)


def test_the_drawing_stays_inside_and_marks_the_choice() -> None:
    points = [Point(m, m / 5, m / 10, m / 3, m / 4, chosen=m == 25) for m in (2, 5, 10, 25, 200)]
    chart = draw(points)
    assert chart is not None and [chosen for *_, chosen in chart.marks].count(True) == 1
    for path in (chart.band, chart.line, chart.learned):
        numbers = [float(n) for n in re.findall(r"[\d.]+", path)]
        assert all(0 <= x <= WIDTH for x in numbers[::2]) and all(0 <= y <= HEIGHT for y in numbers[1::2])
    places = [t.at for t in chart.across]
    assert all(b - a >= 44 for a, b in itertools.pairwise(places))


def test_nothing_known_draws_nothing() -> None:
    assert draw([]) is None
