"""G3: the mart of day D, built from what was delivered by D, is the whole mart read as it was known on D."""

import datetime as dt
from collections import Counter
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.integration.mart_deliveries import Delivery, build_mart

START = dt.date(2024, 1, 31)
DAYS = tuple(START + dt.timedelta(days=30 * n) for n in range(8))
MONTHS = tuple(dt.date(2024, m, 1) for m in range(1, 4))
people = st.sampled_from(["1", "2"])
register_row = st.builds(
    lambda person, **rest: {
        "person_no": person,
        "sex": "1",
        "birth_date": dt.date(2015, 4, int(person)),
        "name": "氏名",
        **rest,
    },
    people,
    household_no=st.sampled_from(["A", "B"]),
    relation=st.sampled_from(["子", "世帯主", None]),
    address=st.sampled_from(["あ町1", "い町2", None]),
    kana=st.sampled_from(["カナ", None]),
    resident_status=st.sampled_from(["1", "1", "1", "2", "3"]),
    change_reason=st.sampled_from(["転入", "転居", "転出", None]),
    changed_on=st.sampled_from([d - dt.timedelta(days=9) for d in DAYS]),
    restraint_flag=st.sampled_from(["1", "0", None]),
)
childcare_row = st.builds(
    dict,
    month=st.sampled_from(MONTHS),
    child_no=people,
    certification=st.just("2号"),
    facility=st.sampled_from(["ほし園", "つき園"]),
    fee_class=st.just("D1"),
    arrears_months=st.sampled_from([0, None]),
    days_absent=st.sampled_from([0, 3, None]),
)
assistance_row = st.builds(
    dict,
    person_no=people,
    household_type=st.just("母子"),
    aid_types=st.sampled_from(["生活", "生活・住宅"]),
    started_on=st.sampled_from(MONTHS),
    ended_on=st.sampled_from([None, DAYS[4]]),
)
consultation_row = st.builds(
    dict,
    case_no=people,
    received_on=st.sampled_from(MONTHS),
    severity=st.sampled_from(["重度", None]),
    council_class=st.sampled_from(["要保護", "要支援", "なし"]),
    registered_on=st.sampled_from([None, MONTHS[1]]),
    closed_on=st.sampled_from([None, DAYS[5]]),
)
handbook_row = st.builds(
    dict,
    person_no=people,
    handbook=st.sampled_from(["療育", "なし"]),
    level=st.sampled_from(["A", "B1"]),
    issued_on=st.sampled_from([None, MONTHS[0]]),
    service=st.sampled_from([None, "居宅"]),
    child_day_service=st.sampled_from(["1", "0"]),
)


def _deliveries(source: str, row: st.SearchStrategy[dict[str, Any]], full: st.SearchStrategy[bool]) -> Any:
    one = st.builds(Delivery, st.just(source), st.sampled_from(DAYS), st.lists(row, max_size=5).map(tuple), full)
    return st.lists(one, max_size=7, unique_by=lambda d: d.as_of)


CASES = {
    "register": (
        _deliveries("resident_register", register_row, st.booleans()),
        ("person.resident", "household_member", "residence", "event.resident_register"),
    ),
    "childcare": (_deliveries("childcare", childcare_row, st.just(False)), ("spell.childcare", "event.childcare")),
    "assistance": (_deliveries("public_assistance", assistance_row, st.just(True)), ("spell.public_assistance",)),
    "consultation": (
        _deliveries("family_consultation", consultation_row, st.just(False)),
        ("spell.family_consultation", "event.family_consultation"),
    ),
    "handbook": (_deliveries("disability_welfare", handbook_row, st.just(True)), ("spell.disability_welfare",)),
}


def _rows(table: pa.Table, as_of: dt.date) -> Counter[tuple[Any, ...]]:
    """Rows as known on a day: what was told later is not there, what was superseded later is still in force."""
    found = []
    for row in table.to_pylist():
        if row["known_from"] <= as_of:
            if row["known_to"] is not None and row["known_to"] > as_of:
                row["known_to"] = None
            found.append(tuple(row.values()))
    return Counter(found)


@pytest.mark.parametrize("case", CASES)
@settings(deadline=None, max_examples=50)
@given(data=st.data(), day=st.sampled_from(DAYS))
def test_the_mart_of_a_day_is_the_whole_mart_as_known_on_that_day(case: str, data: st.DataObject, day: dt.date) -> None:
    strategy, tables = CASES[case]
    delivered = data.draw(strategy)
    whole = build_mart(delivered, DAYS[-1], wanted=tables)
    then = build_mart(delivered, day, wanted=tables)
    for name in tables:
        assert _rows(then[name], day) == _rows(whole[name], day), name


@pytest.mark.parametrize("case", ["register", "childcare"])
@settings(deadline=None, max_examples=25)
@given(data=st.data())
def test_nobody_is_in_two_states_on_one_day(case: str, data: st.DataObject) -> None:
    strategy, tables = CASES[case]
    mart = build_mart(data.draw(strategy), DAYS[-1], wanted=tables)
    for name in (t for t in tables if not t.startswith("event")):
        known = [r for r in mart[name].to_pylist() if r["known_to"] is None]
        for row in known:
            same = [r for r in known if r["person_id"] == row["person_id"] and r is not row]
            assert not [r for r in same if _overlap(r, row)], name


def _overlap(a: dict[str, Any], b: dict[str, Any]) -> bool:
    far = dt.date.max
    return bool(a["valid_from"] < (b["valid_to"] or far) and b["valid_from"] < (a["valid_to"] or far))


@pytest.mark.parametrize("day", DAYS)
def test_the_oracle_notices_a_fact_told_later(day: dt.date) -> None:
    row = {"person_no": "1", "started_on": MONTHS[0], "household_type": "母子", "aid_types": "生活"}
    late = [Delivery("public_assistance", DAYS[-1], (row,), True)]
    whole = build_mart(late, DAYS[-1], wanted=("spell.public_assistance",))["spell.public_assistance"]
    assert bool(_rows(whole, day)) == (day == DAYS[-1])
