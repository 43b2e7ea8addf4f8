"""The answer of the race on whole cities: every difficulty must reach its share of the ceiling and the staff's finds."""

import dataclasses

import pytest

from kizuki.app.bench_city_learning import CityRace, report_city_learning, summed

RACE = CityRace(
    seed=1,
    difficulty="貧困",
    method="hybrid",
    events=900,
    children=20_000,
    onsets=150,
    expected=150.0,
    n=300,
    learned=25.0,
    staff=20.0,
    ceiling=30.0,
    learned_auc=0.8,
    staff_auc=0.6,
    moved_in=(51.0, 50.0, 0.8, 1.2),
    seconds=30.0,
)


@pytest.mark.parametrize(
    ("learned", "staff", "holds"),
    [(25.0, 20.0, True), (23.0, 20.0, False), (26.0, 27.0, False)],
    ids=["reaches", "short of the ceiling", "below the staff"],
)
def test_both_bars_must_hold(learned: float, staff: float, holds: bool) -> None:
    found = [RACE, dataclasses.replace(RACE, difficulty="児童虐待", learned=learned, staff=staff)]
    assert [s.holds for s in summed(found)] == [True, holds]
    assert ("：届く。" in report_city_learning(found)) is holds


def test_cities_are_added_up_and_each_list_is_held_against_what_was_there_to_find() -> None:
    found = [dataclasses.replace(RACE, learned=20.0), dataclasses.replace(RACE, seed=2, learned=30.0)]
    assert summed(found)[0].share == pytest.approx(50 / 60)
    few = [dataclasses.replace(RACE, learned=20.0, onsets=100)]  # fewer began than was to be expected
    assert summed(few)[0].share == pytest.approx((20 / 100) / (30 / 150))


def test_who_moved_in_is_told_or_said_to_be_untellable() -> None:
    assert "1.02（0.80〜1.20）" in report_city_learning([RACE])
    assert "E/O は合わせて 判定できない" in report_city_learning([dataclasses.replace(RACE, moved_in=None)])
