"""The people who are hard to tell apart are in the city, in its files, and told apart by its truth."""

import csv
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pytest

from kizuki.synth import City, build_city, write_city
from kizuki.synth.hard_cases import twin_pairs
from kizuki.synth.population import CHILD

PEOPLE = 3000


@pytest.fixture(scope="module")
def city() -> City:
    return build_city(PEOPLE)


@pytest.fixture(scope="module")
def truth(city: City, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, str]]:
    home = tmp_path_factory.mktemp("home")
    write_city(city, home)
    with Path(home, "truth", "people.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _known(truth: list[dict[str, str]]) -> dict[str, dict[str, set[str]]]:
    """Person → source → record ids."""
    out: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for row in truth:
        out[row["true_person"]][row["source"]].add(row["record_id"])
    return out


def test_an_absent_twin_is_known_to_offices_and_not_to_the_register(city: City, truth: list[dict[str, str]]) -> None:
    people = city.people
    absent = np.flatnonzero(people.unregistered)
    before, after = twin_pairs(people)
    other = {int(a): int(b) for a, b in zip(before, after, strict=True)} | {
        int(b): int(a) for a, b in zip(before, after, strict=True)
    }
    assert len(absent) >= 1
    known = _known(truth)
    for row in absent.tolist():
        assert not people.unregistered[other[row]]
        assert "resident_register" in known[f"T{other[row]:07}"]
        assert "resident_register" not in known[f"T{row:07}"]
    assert any(known[f"T{row:07}"] for row in absent.tolist())
    assert int(people.registered_on(city.window.today).sum()) == PEOPLE


def test_twins_with_names_one_kana_apart(city: City) -> None:
    people, kana = city.people, city.book.given_kana.words
    before, after = twin_pairs(people)
    names = [(kana[people.given[a]], kana[people.given[b]]) for a, b in zip(before, after, strict=True)]
    assert any(len(x) == len(y) and sum(p != q for p, q in zip(x, y, strict=True)) == 1 for x, y in names)
    same = [(a, b) for a, b in zip(before, after, strict=True) if people.given[a] == people.given[b]]
    assert same == []


def test_different_children_of_one_name_and_of_one_birthday(city: City, truth: list[dict[str, str]]) -> None:
    people = city.people
    here = np.flatnonzero((people.role == CHILD) & people.registered_on(city.window.today))
    names = Counter(zip(people.family[here].tolist(), people.given[here].tolist(), strict=True))
    days = Counter(zip(people.family[here].tolist(), people.given[here].tolist(), people.birth[here].tolist(), strict=True))
    assert sum(n > 1 for n in names.values()) >= 3
    twice = [key for key, n in days.items() if n > 1]
    assert twice
    for family, given, birth in twice:
        rows = [r for r in here if (people.family[r], people.given[r], people.birth[r]) == (family, given, birth)]
        assert len({people.unit[r] for r in rows}) == len(rows)
        known = _known(truth)
        assert all(len(known[f"T{r:07}"]["resident_register"]) == 1 for r in rows)


def test_who_came_back_has_two_numbers_and_one_truth(city: City, truth: list[dict[str, str]]) -> None:
    people = city.people
    earlier = np.flatnonzero(people.earlier_of >= 0)
    later = people.earlier_of[earlier]
    assert np.any(people.role[earlier] == CHILD)
    for name in ("birth", "sex", "family", "given", "maiden"):
        assert (getattr(people, name)[earlier] == getattr(people, name)[later]).all()
    assert (people.leave[earlier] < people.enter[later]).all()
    assert (city.person_no[earlier] != city.person_no[later]).all()
    known = _known(truth)
    for old, new in zip(earlier.tolist(), later.tolist(), strict=True):
        numbers = {f"{city.person_no[old]:010}", f"{city.person_no[new]:010}"}
        assert known[f"T{new:07}"]["resident_register"] == numbers
        assert f"T{old:07}" not in known
