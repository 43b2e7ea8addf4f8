"""Profiles: fourteen municipalities as definitions only; each judges what the pilot report says it judges."""

import datetime as dt
from pathlib import Path

import pytest

from kizuki.app.city_definitions import definitions_of, follow_profile, profile_of
from kizuki.app.criteria_pages import criteria_page, items_page
from kizuki.definitions.loader import Definitions, load_definitions
from kizuki.definitions.profiles import apply_profile, load_profile, profile_ids
from kizuki.definitions.shipped import shipped_definitions, shipped_profiles
from kizuki.judge.selection import active, left_out
from kizuki.terms.errors import DefinitionError

DAY = dt.date(2026, 11, 20)
TEAMS = {
    "aizumisato": {"school_maladjustment"},
    "misato-kawajima": {"abuse", "postpartum_depression", "developmental"},
    "inzai": {"abuse", "parenting_anxiety"},
    "yokosuka": {"abuse", "household_health"},
    "kaisei": {"young_carer", "poverty", "abuse", "withdrawal", "postpartum_depression", "developmental", "overall"},
    "sado": {"abuse", "poverty"},
    "yamagata": {"bullying", "absence", "young_carer", "poverty", "developmental"},
    "izumi": {"poverty", "abuse"},
    "nobeoka": {"abuse", "absence", "young_carer", "poverty", "postpartum_depression", "developmental"},
    "toda": {"absence", "poverty", "abuse"},
    "akishima": {"young_carer", "poverty", "abuse", "absence"},
    "amagasaki": {"developmental"},
    "hiroshima-fuchu": {"abuse"},
    "fukuoka": {"abuse", "young_carer"},
}


def followed(home: Path, name: str) -> Definitions:
    follow_profile(home, name)
    return definitions_of(home)


def test_the_fourteen_teams_are_all_there() -> None:
    assert set(profile_ids(shipped_profiles())) == set(TEAMS)


@pytest.mark.parametrize("name", sorted(TEAMS))
def test_a_profile_judges_its_difficulties_with_its_sources(tmp_path: Path, name: str) -> None:
    definitions = followed(tmp_path, name)
    assert profile_of(tmp_path) == name
    assert set(definitions.criteria) == TEAMS[name]
    assert {c.id for c in active(definitions, DAY)} == TEAMS[name]
    received = {s for s, m in definitions.sources.items() if m.enabled}
    assert received <= set(definitions.profile.sources)
    assert definitions.profile.deployment_ground
    page = criteria_page(definitions)
    assert all(f"`{c.id}` 版 {c.version}" in page for c in definitions.criteria.values())
    assert all(e.name in page for c in definitions.criteria.values() for e in c.examples)
    assert "過去1年の相談件数" in items_page(definitions)


def test_all_three_deployment_types_occur() -> None:
    titles = {load_profile(shipped_profiles(), name).deployment_title for name in TEAMS}
    assert titles == {"庁内完結型", "外部データ取得型", "外部分析基盤活用型"}


def test_alternatives_on_a_source_outside_are_dropped_and_the_rest_is_kept(tmp_path: Path) -> None:
    definitions = followed(tmp_path, "fukuoka")
    found = {c.id: c for c in active(definitions, DAY)}["young_carer"]
    consultation = next(e for e in found.entries if e.id == "consultation")
    assert "community_social_work" not in definitions.profile.sources
    assert consultation.condition != definitions.criteria["young_carer"].entries[8].condition
    assert left_out(definitions.criteria["young_carer"], definitions) == ()


def test_the_city_lies_over_its_profile(tmp_path: Path) -> None:
    follow_profile(tmp_path, "amagasaki")
    folder = tmp_path / "definitions" / "criteria"
    folder.mkdir()
    (folder / "developmental.yaml").write_text("ID: developmental\n承認者: 市長\n", encoding="utf-8")
    found = definitions_of(tmp_path).criteria["developmental"]
    assert (found.name, found.text.approver, found.ages.low) == ("発達障害等・就学時の配慮", "市長", 3)


def test_without_a_profile_everything_is_judged(tmp_path: Path) -> None:
    definitions = definitions_of(tmp_path)
    assert (profile_of(tmp_path), definitions.profile, len(definitions.criteria)) == ("", None, 11)


PROFILE = """ID: town
名称: 試験の町
団体: [試験の町]
構成類型: 庁内完結型
構成類型の根拠: 試験
困難の類型: [abuse]
元データ: [resident_register, family_consultation, maternal_child_health]
"""


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("[abuse]", "[abuse, sadness]", "K809"),
        ("resident_register, family", "resident_register, newspapers, family", "K809"),
        ("[abuse]", "[absence]", "K809"),
        ("resident_register, ", "", "K804"),
        ("ID: town", "ID: village", "K808"),
        ("庁内完結型", "雲の上", "K804"),
    ],
)
def test_profiles_that_cannot_work_are_refused(tmp_path: Path, old: str, new: str, code: str) -> None:
    (tmp_path / "town").mkdir()
    (tmp_path / "town" / "profile.yaml").write_text(PROFILE.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(DefinitionError) as error:
        apply_profile(load_definitions(shipped_definitions()), load_profile(tmp_path, "town"))
    assert error.value.code == code and error.value.fix


def test_an_unknown_profile_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError) as error:
        follow_profile(tmp_path, "atlantis")
    assert error.value.code == "K808" and "izumi" in error.value.fix
    assert not (tmp_path / "definitions").exists()
