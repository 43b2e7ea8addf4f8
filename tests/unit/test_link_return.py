"""A child who comes back under a new number is a question to people, never joined by machine."""

import datetime as dt

import pyarrow as pa
import pytest

from kizuki.app.linking import linkage_of
from kizuki.definitions.loader import load_definitions
from kizuki.definitions.shipped import shipped_definitions
from kizuki.engine.tables import arrow_schema
from kizuki.link.matching import Context, match_records
from kizuki.link.tables import PAIR
from tests.unit.link_people import REGISTER, number, record, resident, table

LINKAGE = linkage_of(load_definitions(shipped_definitions()))
NAME, KANA, BORN = ("佐藤", "葵"), ("サトウ", "アオイ"), "2015-05-05"
LEFT, CAME = dt.date(2021, 12, 1), dt.date(2026, 6, 30)


def people(**back: object) -> pa.Table:
    """A child known since 2021 and one known since 2026; `back` is what differs in the second."""
    again = resident(2, NAME, KANA, BORN, sex="1", known_from=CAME) | back
    return table(resident(1, NAME, KANA, BORN, sex="1", known_from=LEFT), again)


def test_the_same_name_birthday_and_sex_under_a_new_number_waits_for_people() -> None:
    found = match_records(people(), LINKAGE)
    assert [(r["source"], r["record_id"], r["resident_id"], r["reason"]) for r in found.review.to_pylist()] == [
        (REGISTER, number(2), number(1), "returned")
    ]
    anchors = {r["record_id"]: r["anchor_id"] for r in found.assignment.to_pylist()}
    assert anchors == {number(1): number(1), number(2): number(2)}, "two residents stay two persons"


@pytest.mark.parametrize(
    "back",
    [{"birth_date": dt.date(2015, 5, 6)}, {"sex": "2"}, {"name_key": "佐藤蓮", "given_key": "蓮", "kana_key": "サトウレン"}],
    ids=["another birthday", "another sex", "a twin of another name"],
)
def test_anything_that_differs_is_no_question(back: dict[str, object]) -> None:
    assert match_records(people(**back), LINKAGE).review.num_rows == 0


def test_a_spelling_in_other_characters_is_still_asked_about() -> None:
    assert match_records(people(name_key="佐籐葵"), LINKAGE).review.num_rows == 1


def test_what_a_reviewer_has_answered_is_not_asked_again() -> None:
    told = pa.Table.from_pylist(
        [{"source": REGISTER, "record_id": number(2), "resident_id": number(1)}], schema=arrow_schema(PAIR)
    )
    assert match_records(people(), LINKAGE, Context(cannot_link=told)).review.num_rows == 0


def test_other_records_of_the_child_still_find_the_resident_by_number() -> None:
    other = record("school_enrolment", "E1", person_no=number(2), kanji=NAME, kana=KANA, birth_date=dt.date(2015, 5, 5))
    found = match_records(pa.concat_tables([people(), table(other)]), LINKAGE)
    (row,) = [r for r in found.assignment.to_pylist() if r["record_id"] == "E1"]
    assert row["anchor_id"] == number(2)
