"""Items: every child has every item; silence means what the definition says; unknowns carry their reason."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from kizuki.definitions.items import load
from kizuki.definitions.loader import Definitions
from kizuki.engine.duck import DuckEngine
from kizuki.mart.items import build_items, months_before
from kizuki.terms.errors import DefinitionError
from tests.unit.small_mart import AS_OF, SmallMart

BASE = Path(__file__).parents[2] / "definitions" / "base" / "items"
DEFINITIONS = Definitions(sources={}, version="t", items=load(BASE))


def items_of(mart: SmallMart, as_of: dt.date = AS_OF) -> dict[tuple[str, str], dict[str, Any]]:
    with DuckEngine(memory_limit="300MB", threads=1) as engine:
        mart.load_into(engine)
        rows = build_items(engine, DEFINITIONS, as_of).to_pylist()
    found = {(r["person_id"], r["item"]): r for r in rows}
    assert len(found) == len(rows)
    return found


def short(row: dict[str, Any]) -> tuple[str, float | None, str | None]:
    return row["state"], row["value"], row["unknown_reason"]


@pytest.fixture
def mart() -> SmallMart:
    mart = SmallMart()
    mart.person("mother", dt.date(1990, 5, 1), "h1", "世帯主")
    mart.person("pupil", dt.date(2014, 6, 1), "h1")  # 12 years, 小6 (age at the end of the fiscal year 12)
    mart.person("baby", dt.date(2026, 1, 10), "h1")
    return mart


def test_every_child_has_every_item_and_adults_none(mart: SmallMart) -> None:
    found = items_of(mart)
    assert {p for p, _ in found} == {"pupil", "baby"}
    assert len(found) == 2 * len(DEFINITIONS.items)
    assert all((r["unknown_reason"] is None) == (r["state"] in ("known", "zero", "not_applicable")) for r in found.values())


def test_ages_and_household(mart: SmallMart) -> None:
    found = items_of(mart)
    assert short(found["pupil", "age_years"]) == ("known", 12.0, None)
    assert short(found["pupil", "siblings_count"]) == ("known", 1.0, None)
    assert short(found["pupil", "single_adult_household"]) == ("known", 1.0, None)
    assert short(found["baby", "absence_days_3m"]) == ("not_applicable", None, None)
    assert short(found["pupil", "checkup_missed"]) == ("not_applicable", None, None)


def test_spells_in_force_and_silence(mart: SmallMart) -> None:
    mart.spell("pupil", "single_parent_allowance", "single_parent_allowance", status="全部")
    mart.spell("pupil", "public_assistance", "public_assistance", valid_to=dt.date(2026, 6, 1))
    found = items_of(mart)
    assert short(found["pupil", "single_parent_allowance_full"]) == ("known", 1.0, None)
    assert found["pupil", "single_parent_allowance_full"]["delivery_id"] == "d1"
    assert short(found["pupil", "single_parent_allowance_partial"]) == ("zero", 0.0, None)
    assert short(found["pupil", "public_assistance_now"]) == ("zero", 0.0, None)
    assert short(found["pupil", "public_assistance_ended_1y"]) == ("known", 1.0, None)


def test_a_spell_due_for_renewal_since_the_last_data_is_unknown(mart: SmallMart) -> None:
    mart.spell("pupil", "medical_subsidy", "medical_subsidy", status="ひとり親", valid_to=dt.date(2026, 11, 1))
    assert short(items_of(mart)["pupil", "medical_single_parent_now"]) == ("not_collected", None, "feed_late")
    mart.spell("pupil", "medical_subsidy", "medical_subsidy", status="ひとり親", valid_from=dt.date(2026, 11, 1))
    assert short(items_of(mart)["pupil", "medical_single_parent_now"]) == ("known", 1.0, None)


def test_school_months_sum_over_the_window_and_absent_child_is_unlinked(mart: SmallMart) -> None:
    for month, days in (
        (dt.date(2026, 8, 31), 1),
        (dt.date(2026, 9, 30), 4),
        (dt.date(2026, 10, 31), 7),
        (dt.date(2026, 7, 31), 9),
    ):
        mart.event("pupil", "absence_days", "school_life", month, float(days))
    mart.event("pupil", "absence_days", "school_life", dt.date(2025, 10, 31), 2.0)
    mart.event("pupil", "nurse_visits", "school_life", dt.date(2026, 9, 30), 3.0)
    mart.event("pupil", "nurse_visits", "school_life", dt.date(2026, 10, 31), None, value_state="not_entered")
    found = items_of(mart)
    assert short(found["pupil", "absence_days_3m"]) == ("known", 12.0, None)
    assert found["pupil", "absence_days_3m"]["observed_on"] == dt.date(2026, 10, 31)
    assert short(found["pupil", "absence_increase"]) == ("known", 10.0, None)
    assert short(found["pupil", "nurse_visits_3m"]) == ("not_entered", 3.0, "not_entered")  # at least three
    assert short(found["pupil", "bullying_1y"]) == ("not_collected", None, "unlinked")
    assert short(found["baby", "sibling_absence_3m"]) == ("known", 12.0, None)


def test_moved_in_children_are_unknown_not_zero(mart: SmallMart) -> None:
    moved = dt.date(2026, 9, 10)
    mart.person("newcomer", dt.date(2015, 6, 1), "h2", since=moved)
    mart.event("newcomer", "consultation", "family_consultation", dt.date(2026, 10, 1), 2.0)
    mart.event("newcomer", "absence_days", "school_life", dt.date(2026, 10, 31), 6.0)
    mart.event("newcomer", "moved_in", "resident_register", moved)
    found = items_of(mart)
    assert short(found["newcomer", "consultations_3y"]) == ("not_collected", 1.0, "moved_in")  # at least one
    seen = found["newcomer", "consultations_3y"]
    assert seen["delivery_id"] and seen["record_id"] and seen["observed_on"] == dt.date(2026, 10, 1), "the record that is seen"
    assert found["newcomer", "absence_days_3m_prev_year"]["delivery_id"] is None, "nothing seen, nothing to show"
    assert short(found["pupil", "consultations_3y"]) == ("zero", 0.0, None)
    assert short(found["newcomer", "absence_days_3m"]) == ("not_collected", 6.0, "moved_in")
    assert short(found["newcomer", "absence_days_3m_prev_year"]) == ("not_collected", None, "moved_in")
    assert short(found["newcomer", "absence_increase"]) == ("not_collected", None, "moved_in")
    assert short(found["newcomer", "public_assistance_now"]) == ("zero", 0.0, None)
    assert short(found["newcomer", "public_assistance_ended_1y"]) == ("not_collected", None, "moved_in")


def test_feeds_that_never_came_or_stopped(mart: SmallMart) -> None:
    for row in mart.coverages:
        if row["source"] == "childcare":
            row["covered_until"] = dt.date(2026, 3, 31)
    mart.coverages = [c for c in mart.coverages if c["source"] != "family_consultation"]
    mart.spell("baby", "council_registration", "family_consultation", status="要支援")
    found = items_of(mart)
    assert short(found["pupil", "consultations_1y"]) == ("not_collected", None, "feed_never")
    assert short(found["baby", "council_registration_now"]) == ("known", 1.0, None)
    assert short(found["pupil", "arrears_months_max"]) == ("not_collected", None, "feed_late")
    assert short(found["pupil", "non_taxable_household"]) == ("not_collected", None, "feed_never")


def test_taxes_of_all_adults_are_needed_to_say_yes_and_one_is_enough_to_say_no(mart: SmallMart) -> None:
    mart.person("father", dt.date(1988, 5, 1), "h1", "夫")
    for row in list(mart.coverages):
        mart.coverages.append(
            row | {"source": "municipal_tax", "covered_from": dt.date(2021, 12, 1), "covered_until": dt.date(2026, 6, 15)}
        )
    mart.spell("mother", "tax_year", "municipal_tax", status="非課税", amount=0.0, valid_from=dt.date(2026, 6, 1))
    assert short(items_of(mart)["pupil", "non_taxable_household"]) == ("not_entered", None, "not_entered")
    mart.spell("father", "tax_year", "municipal_tax", status="転入不明", valid_from=dt.date(2026, 6, 1))
    assert short(items_of(mart)["pupil", "non_taxable_household"]) == ("not_collected", None, "moved_in")
    mart.spells[-1] |= {"status": "課税", "amount": 2_000_000.0}
    found = items_of(mart)
    assert short(found["pupil", "non_taxable_household"]) == ("known", 0.0, None)
    assert short(found["pupil", "household_income_yen"]) == ("known", 2_000_000.0, None)


def test_health_of_infants(mart: SmallMart) -> None:
    mart.event("baby", "epds_total", "maternal_child_health", dt.date(2026, 2, 10), 11.0)
    mart.event("mother", "pregnancy_notice", "maternal_child_health", dt.date(2025, 10, 1), 24.0)
    mart.event("baby", "checkup", "maternal_child_health", dt.date(2026, 5, 31), code="4か月児健診:未受診:")
    found = items_of(mart)
    assert short(found["baby", "epds_high"]) == ("known", 1.0, None)
    assert short(found["baby", "epds_item10"]) == ("not_collected", None, "unlinked")
    assert short(found["baby", "late_pregnancy_notice"]) == ("known", 1.0, None)
    assert short(found["baby", "checkup_missed"]) == ("known", 1.0, None)
    mart.event("baby", "checkup", "maternal_child_health", dt.date(2026, 6, 20), code="4か月児健診:受診:異常なし")
    assert short(items_of(mart)["baby", "checkup_missed"]) == ("zero", 0.0, None)


def test_the_seal_is_an_item_no_role_can_read(mart: SmallMart) -> None:
    mart.seals.append({"person_id": "pupil", "reason": "own", "sealed_from": dt.date(2026, 1, 1)})
    found = items_of(mart)
    assert short(found["pupil", "domestic_violence_seal"]) == ("known", 1.0, None)
    assert {found[p, "domestic_violence_seal"]["source"] for p in ("pupil", "baby")} == {"seal"}


def test_only_what_was_known_on_the_day_counts(mart: SmallMart) -> None:
    mart.event("pupil", "consultation", "family_consultation", dt.date(2026, 10, 1), known_from=dt.date(2026, 11, 21))
    mart.spell("pupil", "public_assistance", "public_assistance", known_from=dt.date(2026, 12, 1))
    before = items_of(mart)
    assert short(before["pupil", "consultations_1y"]) == ("zero", 0.0, None)
    assert short(before["pupil", "public_assistance_now"]) == ("zero", 0.0, None)


def test_a_month_back_from_a_long_month() -> None:
    assert months_before(dt.date(2026, 5, 31), 3) == dt.date(2026, 2, 28)
    assert months_before(dt.date(2026, 1, 15), 13) == dt.date(2024, 12, 15)


def test_definitions_refuse_titles_that_conditions_could_not_write(tmp_path: Path) -> None:
    text = (BASE / "consultation.yaml").read_text(encoding="utf-8").replace("要対協に登録中", "要対協（登録中）")
    (tmp_path / "consultation.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(DefinitionError) as error:
        load(tmp_path)
    assert error.value.code == "K804" and "条件に書けません" in error.value.where


def test_check_up_results_are_unknown_until_someone_looked(mart: SmallMart) -> None:
    assert short(items_of(mart)["baby", "infant_followup"]) == ("not_collected", None, "unlinked")
    mart.event("baby", "checkup", "maternal_child_health", dt.date(2026, 2, 10), code="新生児訪問:受診:異常なし")
    assert short(items_of(mart)["baby", "infant_followup"]) == ("known", 0.0, None)
    mart.event("baby", "checkup", "maternal_child_health", dt.date(2026, 5, 20), code="4か月児健診:受診:")
    assert short(items_of(mart)["baby", "infant_followup"]) == ("not_entered", None, "not_entered")
    mart.events[-1]["code"] = "4か月児健診:受診:要経過観察"
    found = items_of(mart)
    assert short(found["baby", "infant_followup"]) == ("known", 1.0, None)
    assert short(found["baby", "newborn_visit_missed"]) == ("zero", 0.0, None)


def test_the_household_as_children_carry_it(mart: SmallMart) -> None:
    mart.person("grandmother", dt.date(1950, 5, 1), "h1", "母")
    mart.person("twin", dt.date(2026, 1, 10), "h1")
    mart.spell("grandmother", "long_term_care", "long_term_care", status="要介護3")
    mart.event("mother", "csw_consultation", "community_social_work", dt.date(2026, 9, 1))
    mart.event("mother", "divorced", "resident_register", dt.date(2026, 8, 1))
    found = items_of(mart)
    assert short(found["pupil", "young_siblings_count"]) == ("known", 2.0, None)
    assert short(found["pupil", "adults_under_65_count"]) == ("known", 1.0, None)
    assert short(found["pupil", "adults_count"]) == ("known", 2.0, None)
    assert [found[p, "multiple_birth"]["value"] for p in ("pupil", "baby", "twin")] == [0.0, 1.0, 1.0]
    assert short(found["pupil", "adult_care_certified"]) == ("known", 1.0, None)
    assert short(found["pupil", "adult_care_service"])[1] == 0.0  # certified, and no service is written
    assert short(found["pupil", "adult_csw_consultations_1y"]) == ("known", 1.0, None)
    assert short(found["pupil", "family_change_6m"]) == ("known", 1.0, None)
    mart.spells[-1]["detail"] = "訪問介護"
    assert short(items_of(mart)["pupil", "adult_care_service"]) == ("known", 1.0, None)


def test_what_became_known_on_the_day_is_left_out_for_learning(mart: SmallMart) -> None:
    mart.event("pupil", "consultation", "family_consultation", dt.date(2026, 10, 1), known_from=AS_OF)
    with DuckEngine(memory_limit="300MB", threads=1) as engine:
        mart.load_into(engine)
        served, learned = (
            {(r["person_id"], r["item"]): r["value"] for r in build_items(engine, DEFINITIONS, AS_OF, known_by=day).to_pylist()}
            for day in (None, AS_OF - dt.timedelta(days=1))
        )
    assert (served["pupil", "consultations_1y"], learned["pupil", "consultations_1y"]) == (1.0, 0.0)
    assert served["pupil", "age_years"] == learned["pupil", "age_years"]


def test_a_kind_the_mart_does_not_have_is_refused_instead_of_looking_like_silence(mart: SmallMart) -> None:
    item = DEFINITIONS.items["consultations_1y"]
    assert item.record is not None
    strange = item.model_copy(update={"record": item.record.model_copy(update={"kinds": ("consultations",)})})
    definitions = Definitions(sources={}, version="t", items={item.id: strange})
    with DuckEngine(memory_limit="300MB", threads=1) as engine, pytest.raises(DefinitionError) as error:
        mart.load_into(engine)
        build_items(engine, definitions, AS_OF)
    assert error.value.code == "K509" and "consultations" in error.value.what
