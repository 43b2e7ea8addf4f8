"""What the mart makes of deliveries, told as small stories with known endings."""

import datetime as dt
from typing import Any

import pyarrow as pa

from kizuki.mart.queries import KINDS
from tests.integration.mart_city import LAST, deliveries
from tests.integration.mart_deliveries import Delivery, build_mart

D = dt.date
APRIL, MAY, JUNE, JULY = (D(2024, m, 30) for m in (4, 5, 6, 7))


def _resident(person: str, **more: Any) -> dict[str, Any]:
    return {
        "person_no": person, "household_no": "H", "name": "人", "birth_date": D(2015, 5, 1), "sex": "1", "resident_status": "1",
        "resident_from": D(2020, 4, 1), "changed_on": D(2020, 4, 1), "address": "あ町1", "resident_type": "1", **more,
    }  # fmt: skip


def _told(table: pa.Table, *names: str, now: bool = True) -> list[tuple[Any, ...]]:
    rows = [r for r in table.to_pylist() if not now or r["known_to"] is None]
    return [tuple(r[n] for n in names) for r in rows]


def test_a_move_ends_one_residence_and_begins_the_next() -> None:
    mart = build_mart(
        [
            Delivery("resident_register", APRIL, (_resident("1"),), full=True),
            Delivery(
                "resident_register", JUNE, (_resident("1", address="い町2", changed_on=D(2024, 6, 9), change_reason="転居"),)
            ),
        ],
        JUNE,
        wanted=("residence", "event.resident_register", "person.resident"),
    )
    assert _told(mart["residence"], "town", "valid_from", "valid_to", "known_from") == [
        ("あ", D(2020, 4, 1), D(2024, 6, 9), JUNE),
        ("い", D(2024, 6, 9), None, JUNE),
    ]
    assert _told(mart["event.resident_register"], "kind", "happened_on") == [("moved_within", D(2024, 6, 9))]
    assert _told(mart["person.resident"], "valid_from", "valid_to", "known_from") == [(D(2020, 4, 1), None, APRIL)]


def test_a_correction_told_later_rewrites_the_past_from_then_on() -> None:
    wrong = _resident("1", household_no="X", changed_on=D(2024, 3, 1))
    mart = build_mart(
        [
            Delivery("resident_register", APRIL, (wrong,), full=True),
            Delivery("resident_register", JUNE, ({**wrong, "household_no": "Y"},)),
        ],
        JUNE,
        wanted=("household_member",),
    )
    assert _told(mart["household_member"], "household_id", "valid_from", "known_from", "known_to", now=False) == [
        ("HX", D(2024, 3, 1), APRIL, JUNE),
        ("HY", D(2024, 3, 1), JUNE, None),
    ]


def test_one_who_moved_out_has_no_household_but_stays_a_person() -> None:
    gone = _resident("1", resident_status="2", changed_on=D(2024, 5, 10), change_reason="転出")
    mart = build_mart(
        [Delivery("resident_register", APRIL, (_resident("1"),), full=True), Delivery("resident_register", MAY, (gone,))],
        MAY,
        wanted=("household_member", "person.resident"),
    )
    assert _told(mart["household_member"], "valid_from", "valid_to") == [(D(2020, 4, 1), D(2024, 5, 10))]
    assert _told(mart["person.resident"], "resident_status", "valid_from", "resident_until") == [
        ("resident", D(2020, 4, 1), None),
        ("moved_out", D(2024, 5, 10), D(2024, 5, 10)),
    ]


def test_a_resident_missing_from_a_full_extract_is_no_longer_here_but_not_forgotten() -> None:
    mart = build_mart(
        [
            Delivery("resident_register", APRIL, (_resident("1"), _resident("2")), full=True),
            Delivery("resident_register", JUNE, (_resident("2"),), full=True),
        ],
        JUNE,
        wanted=("household_member",),
    )
    assert _told(mart["household_member"], "person_id", "valid_to") == [("P1", JUNE), ("P2", None)]


def _payment(**more: Any) -> dict[str, Any]:
    return {"recipient_no": "9", "child_no": "1", "payment_class": "全部", "cause": "離婚", "started_on": D(2024, 1, 1), **more}


def test_the_last_month_paid_belongs_to_the_spell_of_child_and_recipient() -> None:
    paid = Delivery("single_parent_allowance", MAY, (_payment(ended_on=D(2024, 3, 1)),), full=True)
    mart = build_mart([paid], MAY, wanted=("spell.single_parent_allowance",))
    assert sorted(_told(mart["spell.single_parent_allowance"], "person_id", "kind", "record_id", "valid_to")) == [
        ("P1", "single_parent_allowance", "1", D(2024, 4, 1)),
        ("P9", "single_parent_allowance_recipient", "9", D(2024, 4, 1)),
    ]


def test_a_benefit_missing_from_a_full_extract_has_ended_and_is_remembered() -> None:
    mart = build_mart(
        [
            Delivery("single_parent_allowance", APRIL, (_payment(),), full=True),
            Delivery("single_parent_allowance", MAY, (), full=True),
        ],
        MAY,
        wanted=("spell.single_parent_allowance",),
    )
    child = [r for r in mart["spell.single_parent_allowance"].to_pylist() if r["person_id"] == "P1"]
    assert [(r["valid_to"], r["known_from"], r["known_to"]) for r in child] == [(None, APRIL, MAY), (MAY, MAY, None)]


def test_last_years_enrolment_stays_when_only_this_years_is_delivered() -> None:
    def year(n: int) -> dict[str, Any]:
        return {"fiscal_year": n, "person_no": "1", "school_name": "東小", "grade": 1, "class_type": "1"}

    mart = build_mart(
        [
            Delivery("school_enrolment", D(2023, 5, 1), (year(2023),), full=True),
            Delivery("school_enrolment", D(2024, 5, 1), (year(2024),), full=True),
        ],
        JUNE,
        wanted=("spell.school_enrolment",),
    )
    assert _told(mart["spell.school_enrolment"], "kind", "valid_from", "valid_to") == [
        ("enrolment", D(2023, 4, 1), D(2024, 4, 1)),
        ("enrolment", D(2024, 4, 1), D(2025, 4, 1)),
    ]


def _month(number: int, **more: Any) -> dict[str, Any]:
    return {
        "month": D(2024, number, 1),
        "child_no": "1",
        "certification": "2号",
        "facility": "ほし園",
        "arrears_months": 0,
        **more,
    }


def test_months_of_childcare_are_one_spell_open_until_a_month_lacks_the_child() -> None:
    other = _month(6, child_no="2")
    told = [Delivery("childcare", day, (_month(day.month),)) for day in (APRIL, MAY)]
    told.append(Delivery("childcare", JUNE, (other,)))
    until_may = build_mart(told, MAY, wanted=("spell.childcare",))["spell.childcare"]
    assert _told(until_may, "valid_from", "valid_to", "known_from") == [(D(2024, 4, 1), None, APRIL)]
    until_june = build_mart(told, JUNE, wanted=("spell.childcare",))["spell.childcare"].to_pylist()
    ended = [(r["valid_from"], r["valid_to"]) for r in until_june if r["person_id"] == "P1" and r["known_to"] is None]
    assert ended == [(D(2024, 4, 1), D(2024, 6, 1))]


def test_a_corrected_month_of_childcare_changes_that_month_only() -> None:
    told = [Delivery("childcare", day, (_month(day.month),)) for day in (APRIL, MAY, JUNE)]
    told.append(Delivery("childcare", JULY, (_month(5, facility="つき園"), _month(7))))
    spells = build_mart(told, JULY, wanted=("spell.childcare",))["spell.childcare"]
    assert _told(spells, "facility", "valid_from", "valid_to") == [
        ("ほし園", D(2024, 4, 1), D(2024, 5, 1)),
        ("つき園", D(2024, 5, 1), D(2024, 6, 1)),
        ("ほし園", D(2024, 6, 1), None),
    ]


def test_a_blank_count_keeps_its_state_and_a_zero_is_a_zero() -> None:
    row = {"record_id": "S-1", "month": D(2024, 5, 1), "school_code": "S", "days_required": 20, "days_absent": 0, "late": None}
    events = build_mart([Delivery("school_life", JUNE, (row,))], JUNE, wanted=("event.school_life",))["event.school_life"]
    told = {r["kind"]: (r["happened_on"], r["value"], r["value_state"]) for r in events.to_pylist()}
    assert told["absence_days"] == (D(2024, 5, 31), 0.0, "known")
    assert told["late_count"] == (D(2024, 5, 31), None, "not_entered")
    assert len(told) == 7


def test_what_was_not_asked_at_a_checkup_gives_no_row() -> None:
    row = {"ledger_no": "1", "kind": "3歳児健診", "held_on": D(2024, 5, 7), "attendance": "受診", "result": None, "caries": 2}
    mart = build_mart([Delivery("maternal_child_health", JUNE, (row,))], JUNE, wanted=("event.maternal_child_health",))
    events = mart["event.maternal_child_health"]
    assert ("checkup", "3歳児健診:受診:", 1.0) in _told(events, "kind", "code", "value")
    assert ("caries", "3歳児健診", 2.0) in _told(events, "kind", "code", "value")


def test_a_seal_reaches_everyone_who_now_shares_the_household() -> None:
    rows = (
        _resident("1", restraint_flag="1", changed_on=D(2024, 2, 1)),
        _resident("2"),
        _resident("3", household_no="K"),
        _resident("4", resident_status="2", restraint_flag="1", changed_on=D(2024, 1, 5)),
    )
    seals = build_mart([Delivery("resident_register", APRIL, rows, full=True)], APRIL, wanted=("seal",))["seal"]
    assert sorted((r["person_id"], r["reason"], r["sealed_from"]) for r in seals.to_pylist()) == [
        ("P1", "own", D(2024, 2, 1)),
        ("P2", "household", D(2024, 2, 1)),
        ("P4", "own", D(2024, 1, 5)),
    ]


def test_coverage_begins_when_the_child_moved_in_or_the_source_began() -> None:
    rows = (
        _resident("1", resident_from=D(2024, 3, 3)),
        _resident("2", birth_date=D(1980, 1, 1)),
        _resident("3", household_no="K"),
    )
    alone = _resident("8", household_no="Z", birth_date=D(1950, 1, 1))
    mart = build_mart([Delivery("resident_register", APRIL, (*rows, alone), full=True)], APRIL, wanted=("coverage",))
    assert [tuple(r.values()) for r in mart["coverage"].to_pylist()] == [
        ("P1", "resident_register", APRIL, APRIL),
        ("P2", "resident_register", APRIL, APRIL),
        ("P3", "resident_register", APRIL, APRIL),
    ]
    late = build_mart(
        [Delivery("resident_register", APRIL, rows, full=True), Delivery("childcare", D(2023, 1, 31), (_month(4),))],
        APRIL,
        wanted=("coverage",),
    )["coverage"]
    assert ("P1", "childcare", D(2024, 3, 3), D(2023, 1, 31)) in [tuple(r.values()) for r in late.to_pylist()]


def test_a_person_no_register_names_is_kept_as_a_non_resident() -> None:
    visit = {"visit_no": "V1", "visited_on": D(2024, 4, 2), "facility": "ひまわり"}
    told = [
        Delivery("resident_register", APRIL, (_resident("1"),), full=True),
        Delivery("childrens_cafeteria", APRIL, (visit,)),
    ]
    people = build_mart(told, APRIL, wanted=("person.unregistered",))["person.unregistered"].to_pylist()
    assert [(p["person_id"], p["resident_status"], p["delivery_id"]) for p in people] == [
        ("PV1", "non_resident", "childrens_cafeteria-20240430")
    ]


def test_every_kind_of_spell_and_event_is_made_by_the_source_said_to_make_it() -> None:
    mart = build_mart(deliveries(), LAST)
    found: dict[str, set[str]] = {}
    for name in (n for n in mart if n.startswith(("spell.", "event."))):
        found.setdefault(name.partition(".")[2], set()).update(str(k) for k in mart[name].column("kind").to_pylist())
    assert {source: sorted(kinds - set(KINDS[source])) for source, kinds in found.items() if kinds - set(KINDS[source])} == {}
    assert sorted(KINDS) == sorted(found)
    every = [kind for kinds in KINDS.values() for kind in kinds]
    assert len(every) == len(set(every))
