"""Who belongs to whom over time (`kinship`), moving out and back, and the seal of those who lived at a hidden place."""

import datetime as dt
from typing import Any

import pyarrow as pa
import pytest

from kizuki.engine.duck import DuckEngine
from kizuki.engine.sql import bind, load
from tests.integration.mart_deliveries import Delivery, build_mart

AS_OF = dt.date(2026, 11, 20)
FIRST, SPLIT, BIRTH = dt.date(2020, 4, 1), dt.date(2025, 6, 1), dt.date(2026, 2, 1)


def resident(
    number: str, household: str, relation: str | None, *, born: dt.date, on: dt.date = FIRST, **more: Any
) -> dict[str, Any]:
    """One register row; people live since 2020 unless told otherwise."""
    return {
        "person_no": number, "household_no": household, "name": f"人{number}", "relation": relation, "birth_date": born,
        "sex": "1", "resident_from": FIRST, "address": f"{household}町1", "resident_type": "1", "resident_status": "1",
        "change_reason": None, "changed_on": on, "restraint_flag": None,
    } | more  # fmt: skip


CHILD, ADULT = dt.date(2015, 5, 5), dt.date(1988, 5, 5)
FAMILY = (
    resident("FA", "h1", "世帯主", born=ADULT),
    resident("MO", "h1", "妻", born=ADULT),
    resident("C1", "h1", "子", born=CHILD),
    resident("C2", "h1", "子", born=CHILD),
    resident("GM", "h1", "母", born=dt.date(1960, 1, 1)),
    resident("LO", "h1", "同居人", born=ADULT),
)
SPLIT_FAMILY = (
    resident("MO", "h2", "世帯主", born=ADULT, on=SPLIT),
    resident("C2", "h2", "子", born=CHILD, on=SPLIT),
)


def built(*told: tuple[dt.date, tuple[dict[str, Any], ...]], more: tuple[Delivery, ...] = ()) -> dict[str, pa.Table]:
    """The mart of register changes and other deliveries."""
    days = [Delivery("resident_register", day, rows, full=i == 0) for i, (day, rows) in enumerate(told)]
    return build_mart([*days, *more], AS_OF)


def relations(mart: dict[str, pa.Table], child: str) -> set[tuple[str, str, bool]]:
    """(related, kind, together) of one child over every basis."""
    rows = [r for name, t in mart.items() if name.startswith("kinship.") for r in t.to_pylist()]
    return {(r["related_id"][1:], r["kind"], r["together"]) for r in rows if r["person_id"] == f"P{child}"}


def seals(mart: dict[str, pa.Table]) -> dict[str, str]:
    """Person → why sealed."""
    return {r["person_id"][1:]: r["reason"] for r in mart["seal"].to_pylist()}


def test_one_household_gives_parents_brothers_grandmother_and_the_lodger() -> None:
    assert relations(built((FIRST, FAMILY)), "C1") == {
        ("FA", "parent", True),
        ("MO", "parent_or_partner", True),
        ("C2", "sibling", True),
        ("GM", "grandparent", True),
        ("LO", "cohabitant", True),
    }


def test_after_the_split_each_child_keeps_the_other_parent_and_the_brother_in_another_household() -> None:
    mart = built((FIRST, FAMILY), (SPLIT, SPLIT_FAMILY))
    assert {("MO", "parent_or_partner", False), ("C2", "sibling", False), ("FA", "parent", True)} <= relations(mart, "C1")
    assert {("FA", "parent", False), ("C1", "sibling", False), ("MO", "parent", True)} <= relations(mart, "C2")
    (row,) = [r for r in mart["kinship.household"].to_pylist() if (r["person_id"], r["related_id"]) == ("PC1", "PC2")]
    assert (row["valid_from"], row["valid_to"]) == (FIRST, SPLIT)
    assert row["source"] == "resident_register" and row["delivery_id"] == "resident_register-20200401"


def test_a_half_brother_never_lived_with_is_found_through_the_shared_parent() -> None:
    baby = resident("HB", "h1", "子", born=BIRTH, on=BIRTH)
    mart = built((FIRST, FAMILY), (SPLIT, SPLIT_FAMILY), (BIRTH, (baby,)))
    assert ("HB", "sibling", False) in relations(mart, "C2")
    assert ("C2", "sibling", False) in relations(mart, "HB")
    (row,) = [r for r in mart["kinship.same_parent"].to_pylist() if r["person_id"] == "PC2"]
    assert (row["basis"], row["valid_from"], row["valid_to"]) == ("same_parent", BIRTH, None)


def test_what_is_not_told_is_not_made_kin() -> None:
    rows = (
        resident("A", "h9", "世帯主", born=ADULT),
        resident("B", "h9", None, born=CHILD),
        resident("C", "h9", "子", born=CHILD),
    )
    assert relations(built((FIRST, rows)), "B") == {("A", "cohabitant", True), ("C", "cohabitant", True)}


def test_offices_that_name_who_cares_for_a_child_are_evidence_of_their_own() -> None:
    row = {"recipient_no": "MO", "child_no": "C1", "started_on": FIRST, "ended_on": dt.date(2025, 5, 1), "suspended": None}
    pupil = {"fiscal_year": 2025, "person_no": "C2", "school_name": "東小", "grade": 4, "class_type": "1"}
    pupil |= {"guardian_no": "GM", "guardian_relation": "祖母"}
    more = (Delivery("child_allowance", SPLIT, (row,)), Delivery("school_enrolment", SPLIT, (pupil,), full=True))
    mart = built((FIRST, FAMILY), (SPLIT, SPLIT_FAMILY), more=more)
    (paid,) = mart["kinship.child_allowance"].to_pylist()
    assert (paid["person_id"], paid["related_id"], paid["kind"], paid["together"]) == ("PC1", "PMO", "guardian", False)
    assert (paid["valid_from"], paid["valid_to"], paid["source"]) == (FIRST, dt.date(2025, 6, 1), "child_allowance")
    assert ("GM", "guardian", False) in relations(mart, "C2")


def test_a_child_who_moves_out_and_back_under_the_same_number_is_one_person_with_one_history() -> None:
    out = resident("C1", "h1", "子", born=CHILD, on=dt.date(2023, 3, 1), resident_status="2", change_reason="転出")
    back = resident(
        "C1", "h3", "子", born=CHILD, on=dt.date(2024, 9, 1), change_reason="転入", resident_from=dt.date(2024, 9, 1)
    )
    head = resident("FA", "h3", "世帯主", born=ADULT, on=dt.date(2024, 9, 1))
    mart = built((FIRST, FAMILY), (dt.date(2023, 3, 5), (out,)), (dt.date(2024, 9, 5), (back, head)))
    lived = [r for r in mart["residence"].to_pylist() if r["person_id"] == "PC1" and r["known_to"] is None]
    assert [(r["valid_from"], r["valid_to"], r["address"]) for r in lived] == [
        (FIRST, dt.date(2023, 3, 1), "h1町1"),
        (dt.date(2024, 9, 1), None, "h3町1"),
    ]
    since = {r["covered_from"] for r in mart["coverage"].to_pylist() if r["person_id"] == "PC1"}
    assert since == {dt.date(2024, 9, 1)}, "before the return no source could know the child: 転入前・未整備"
    spans = [
        (r["valid_from"], r["valid_to"])
        for r in mart["kinship.household"].to_pylist()
        if r["related_id"] == "PFA" and r["person_id"] == "PC1"
    ]
    assert spans == [(FIRST, dt.date(2023, 3, 1)), (dt.date(2024, 9, 1), None)]


@pytest.mark.parametrize(("left_on", "reason"), [(dt.date(2025, 3, 1), "former_household"), (dt.date(2024, 3, 1), None)])
def test_who_lived_at_the_hidden_place_while_it_was_hidden_stays_sealed(left_on: dt.date, reason: str | None) -> None:
    sealed_on = dt.date(2024, 9, 1)
    mother = resident("MO", "h1", "世帯主", born=ADULT, on=sealed_on, restraint_flag="1")
    moved = (resident("FA", "h4", "世帯主", born=ADULT, on=left_on), resident("C1", "h4", "子", born=CHILD, on=left_on))
    days = sorted([(sealed_on, (mother,)), (left_on, moved)])
    found = seals(built((FIRST, FAMILY), *days))
    assert found["MO"] == "own" and found["C2"] == "household"
    assert found.get("C1") == reason and found.get("FA") == reason


def test_a_seal_kept_from_a_former_household_changes_no_item() -> None:
    seals = [{"person_id": p, "reason": r, "sealed_from": FIRST} for p, r in (("own", "own"), ("left", "former_household"))]
    with DuckEngine() as engine:
        engine.register("seal", pa.Table.from_pylist(seals))
        engine.register("item_child", pa.table({"person_id": ["own", "left"]}))
        engine.register("item_measure", pa.table({"item": ["domestic_violence_seal"], "of": ["seal"]}))
        hits = engine.query(bind(load("kizuki.mart", "item_hit_seal"), as_of=AS_OF)).to_pylist()
    assert [h["person_id"] for h in hits] == ["own"]
