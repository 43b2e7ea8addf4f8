"""The answer of the race on whole cities: every difficulty must reach its share of the ceiling and the staff's finds."""

import dataclasses

import pytest

from kizuki.app.bench_city_learning import CityRace, reached, report_city_learning

RACE = CityRace(1, "貧困", "hybrid", 900, 20_000, 150, 300, 24.0, 20.0, 30.0, 0.8, 0.6, (1.02, 0.8, 1.2), 30.0)


@pytest.mark.parametrize(
    ("learned", "staff", "holds"),
    [(24.0, 20.0, True), (23.0, 20.0, False), (26.0, 27.0, False)],
    ids=["reaches", "short of the ceiling", "below the staff"],
)
def test_both_bars_must_hold(learned: float, staff: float, holds: bool) -> None:
    found = [RACE, dataclasses.replace(RACE, difficulty="児童虐待", learned=learned, staff=staff)]
    assert reached(found) is holds
    assert ("：届く。" in report_city_learning(found)) is holds


def test_cities_are_added_up_before_they_are_judged() -> None:
    found = [dataclasses.replace(RACE, learned=20.0), dataclasses.replace(RACE, seed=2, learned=30.0)]
    assert reached(found)
    assert "83%" in report_city_learning(found)
    assert "判定できない" in report_city_learning([dataclasses.replace(RACE, moved_in=None)])
