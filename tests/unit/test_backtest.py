"""The past as it was known: items of past days, who was at risk, whose outcome is known, what is left out."""

import csv
import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from kizuki.app import backtest
from kizuki.app.backtest import STAFF, History, PastDays, write_history
from kizuki.definitions.criteria import OutcomeText
from kizuki.definitions.loader import load_definitions
from kizuki.definitions.shipped import shipped_definitions
from kizuki.engine.keys import KeyRing
from kizuki.engine.tables import empty
from kizuki.terms.errors import InputRefused, UsageError
from kizuki.terms.tables import RESIDENCE
from tests.unit.small_mart import AS_OF, SmallMart

DEFINITIONS = load_definitions(shipped_definitions())
DAY = dt.date(2025, 10, 31)
"""The sources of the small mart reach to 2026-10-31: the last closed year begins here."""


@pytest.fixture(autouse=True)
def one_past_year(monkeypatch: pytest.MonkeyPatch) -> None:
    """One closed year and the open one: each day costs seconds."""
    monkeypatch.setattr(backtest, "PERIODS", 1)


class View:
    """A snapshot of the small mart."""

    id = "small"
    as_of = AS_OF

    def __init__(self, mart: SmallMart) -> None:
        self._tables = mart.tables() | {"residence": empty(RESIDENCE)}

    def tables(self, *names: str) -> dict[str, pa.Table]:
        return {name: self._tables[name] for name in names}


def city() -> SmallMart:
    mart = SmallMart()
    mart.person("mother", dt.date(1985, 5, 1), "h1", "世帯主")
    for child in ("begins", "had", "never", "leaves"):
        mart.person(child, dt.date(2016, 6, 1), "h1")
    return mart


def registered(mart: SmallMart, person: str, on: dt.date, **more: Any) -> None:
    mart.spell(person, "council_registration", "family_consultation", status="要支援", valid_from=on, known_from=on, **more)


def history(mart: SmallMart, criteria: str = "abuse") -> History:
    with PastDays(View(mart), DEFINITIONS) as days:
        return days.history(criteria)


def labels(past: History, day: dt.date = DAY) -> dict[str, float]:
    at = past.cases.periods.index(day.isoformat())
    rows = np.flatnonzero(past.cases.period == at)
    return {past.people[r]: float(past.cases.label[r]) for r in rows}


def item(past: History, person: str, name: str, day: dt.date = DAY) -> float:
    at = past.cases.periods.index(day.isoformat())
    column = next(c for c in past.cases.items if c.name == name)
    row = next(r for r, p in enumerate(past.people) if p == person and past.cases.period[r] == at)
    return float(column.values[row])


def test_who_already_had_it_is_not_at_risk_and_silence_is_no_only_for_who_was_watched() -> None:
    mart = city()
    registered(mart, "begins", dt.date(2026, 3, 1))
    registered(mart, "had", dt.date(2025, 2, 1))
    leaver = next(p for p in mart.persons if p["person_id"] == "leaves")
    leaver["valid_to"] = dt.date(2026, 1, 15)
    found = labels(history(mart))
    assert found["begins"] == 1.0 and found["never"] == 0.0
    assert "had" not in found
    assert np.isnan(found["leaves"])


def test_the_last_day_is_open_and_no_window_reaches_beyond_the_sources() -> None:
    past = history(city())
    assert past.cases.periods[-1] == AS_OF.isoformat()
    assert np.isnan(past.cases.label[past.cases.period == len(past.cases.periods) - 1]).all()
    assert past.cases.periods[-2] == DAY.isoformat()


@pytest.mark.parametrize("late", [DAY, DAY + dt.timedelta(days=30)])
def test_what_was_told_on_the_day_or_later_changes_no_item_and_no_point(late: dt.date) -> None:
    plain, told = city(), city()
    told.event("never", "consultation", "family_consultation", dt.date(2025, 9, 1), known_from=late)
    before, after = history(plain), history(told)
    at = before.cases.period == before.cases.periods.index(DAY.isoformat())
    for one, other in zip(before.cases.items, after.cases.items, strict=True):
        np.testing.assert_array_equal(one.values[at], other.values[at], err_msg=one.name)
    assert item(after, "never", "consultations_1y") == 0.0


def test_what_was_told_the_day_before_counts() -> None:
    mart = city()
    mart.event("never", "consultation", "family_consultation", dt.date(2025, 9, 1), known_from=DAY - dt.timedelta(days=1))
    past = history(mart)
    assert item(past, "never", "consultations_1y") == 1.0
    assert item(past, "never", STAFF) > item(past, "leaves", STAFF)


def test_children_who_have_grown_up_since_were_known_then() -> None:
    mart = city()
    mart.person("grown", dt.date(2008, 1, 10), "h2")
    mart.coverages = [c for c in mart.coverages if c["person_id"] != "grown"]  # the mart covers only today's families
    past = history(mart)
    assert labels(past)["grown"] == 0.0
    assert item(past, "grown", "consultations_1y") == 0.0


def test_monthly_records_must_still_come_for_silence_to_mean_no() -> None:
    mart = SmallMart()
    for child in ("attends", "gone", "often"):
        mart.person(child, dt.date(2014, 6, 1), "h1")
    for child, days in (("attends", 1.0), ("often", 4.0), ("gone", 1.0)):
        for month in range(24):
            year, at = divmod(2024 * 12 + 10 + month, 12)
            end = dt.date(year + (at == 11), (at + 1) % 12 + 1, 1) - dt.timedelta(days=1)
            if child != "gone" or end < dt.date(2026, 4, 1):
                value = days if end > dt.date(2025, 11, 5) else 0.0
                mart.event(child, "absence_days", "school_life", end, value, known_from=end)
    found = labels(history(mart, "absence"), dt.date(2025, 11, 5))
    assert found["often"] == 1.0 and found["attends"] == 0.0
    assert np.isnan(found["gone"])


def test_a_set_without_records_of_its_outcome_says_so() -> None:
    with pytest.raises(InputRefused) as refused:
        history(city(), "young_carer")
    assert refused.value.code == "K561"
    with pytest.raises(UsageError) as unknown:
        history(city(), "nothing")
    assert unknown.value.code == "K560"


def test_nationality_is_carried_for_fairness_and_is_no_item() -> None:
    mart = city()
    mart.persons[1]["resident_type"] = "2"
    past = history(mart)
    assert "外国籍" in past.groups["nationality"]
    assert not [c.name for c in past.cases.items if "nation" in c.name or "resident_type" in c.name]


def test_the_table_names_nobody_and_leaves_the_unknown_blank(tmp_path: Path) -> None:
    mart = city()
    out = tmp_path / "past.csv"
    past = history(mart)
    assert write_history(past, out, KeyRing.load(tmp_path)) == len(past.people)
    text = out.read_text(encoding="utf-8")
    assert "never" not in text and "h1" not in text
    rows = list(csv.DictReader(text.splitlines()))
    assert {r["outcome"] for r in rows if r["as_of"] == AS_OF.isoformat()} == {""}
    assert len({r["household"] for r in rows}) == 1


def school(mart: SmallMart, person: str, kind: str, start: dt.date) -> None:
    mart.spell(person, kind, "school_enrolment", status="x", valid_from=start, known_from=start)


def test_a_spell_that_began_with_the_other_it_needs_says_neither_yes_nor_no() -> None:
    mart = SmallMart()
    for child in ("pupil", "enters", "neither"):
        mart.person(child, dt.date(2014 if child == "pupil" else 2019, 6, 1), child)
    school(mart, "pupil", "enrolment", dt.date(2021, 4, 1))
    school(mart, "enters", "enrolment", dt.date(2026, 4, 1))
    for child in ("pupil", "enters"):
        school(mart, child, "school_aid", dt.date(2026, 4, 1))
    found = labels(history(mart, "poverty"))
    assert found["pupil"] == 1.0 and found["neither"] == 0.0
    assert np.isnan(found["enters"])


def test_an_adults_consultation_is_counted_for_the_children_who_live_there_that_day() -> None:
    mart = SmallMart()
    for home in ("asks", "quiet", "asked"):
        mart.person(f"{home}_parent", dt.date(1985, 5, 1), home, "世帯主")
        mart.person(f"{home}_child", dt.date(2016, 6, 1), home)
    for home, day in (("asks", dt.date(2026, 3, 1)), ("asked", dt.date(2025, 3, 1))):
        mart.event(f"{home}_parent", "csw_consultation", "community_social_work", day, known_from=day)
    found = labels(history(mart, "poverty"))
    assert found == {"asks_child": 1.0, "quiet_child": 0.0}


def test_words_of_the_outcome_that_do_not_fit_are_refused() -> None:
    own = {"元データ": "x", "種類": "y"}
    for wrong in ({"種別": "継続の開始", "だれの": "世帯"}, {"種別": "出来事", "一年前から続く継続": "enrolment"}):
        with pytest.raises(ValueError, match="書けます"):
            OutcomeText.model_validate(own | wrong)
