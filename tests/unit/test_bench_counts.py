"""Learned or staff, raced: the test of never being below, and a world small enough to run."""

import dataclasses

import pytest

from kizuki.app.bench_counts import Race, never_below, race, report_counts
from kizuki.app.bench_worlds import WorldShape

EVEN = Race(60, 1, "hybrid", 60, 80, 3.0, 3.0, 4.0, 0.5, (True, True))


@pytest.mark.parametrize(
    ("gains", "holds"),
    [((0.1, 0.2), True), ((-0.4, 0.5), True), ((-0.6, 0.9), False), ((-0.2, 0.1), False)],
    ids=["above", "within chance", "one world beyond chance", "below on average"],
)
def test_both_halves_of_the_test_must_hold(gains: tuple[float, ...], holds: bool) -> None:
    found = [dataclasses.replace(EVEN, world=k, learned=3.0 + g) for k, g in enumerate(gains)]
    assert never_below(found) is holds
    assert ("：下回らない。" in report_counts(found)) is holds


def test_below_thirty_cases_the_order_is_the_staff_s_own() -> None:
    found = race(20, WorldShape(children=1500, periods=3, items=12, base_rate=20 / 4500), 3)
    assert found.events < 30 and found.method == "staff_points"
    assert found.gain == pytest.approx(0.0) and found.noise == pytest.approx(0.0)
    assert found.ceiling >= found.staff > 0
