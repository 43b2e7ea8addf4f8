"""A few families over a year of deliveries from every source: so that every query has something to get wrong."""

import datetime as dt
import random
from typing import Any

from tests.integration.mart_deliveries import Delivery

LAST = dt.date(2024, 12, 31)
MONTH_ENDS = tuple(dt.date(2024 + (m // 12), m % 12 + 1, 1) - dt.timedelta(days=1) for m in range(1, 13))
MONTHS = tuple(d.replace(day=1) for d in MONTH_ENDS)


def deliveries(people: int = 40, seed: int = 1) -> list[Delivery]:
    """The same people and seed give the same deliveries."""
    rng = random.Random(seed)
    numbers = [f"{n:010d}" for n in range(people)]
    pick: Any = rng.choice
    found: list[Delivery] = []
    for index, day in enumerate(MONTH_ENDS):
        told = sorted(rng.sample(numbers, people if index in (0, 6) else people // 4))
        found.append(Delivery("resident_register", day, tuple(_resident(n, index, pick) for n in told), index in (0, 6)))
        found += [Delivery(source, day, _rows(source, index, numbers, rng), source in _FULL) for source in _MAKERS]
    return found


def _resident(number: str, index: int, pick: Any) -> dict[str, Any]:
    child = int(number) % 3 == 0
    return {
        "person_no": number, "household_no": f"{int(number) // 3 + pick([0, 0, 0, 1]):010d}", "name": f"人{number}",
        "kana": pick(["カナ", None]),
        "alias_name": pick([None, None, "通称"]), "sex": pick("12"),
        "birth_date": dt.date(2012 if child else 1985, 5, 1 + int(number) % 28),
        "relation": pick(["子", "子", "妻の子", None] if child else ["妻", "世帯主", "世帯主", "母", None]),
        "resident_from": dt.date(2020, 4, 1), "address": pick(["あ町1-2", "い町3", None]), "postcode": "5940001",
        "resident_type": pick("112"), "resident_status": pick("111123"), "restraint_flag": pick([None, "0", "0", "1"]),
        "change_reason": pick(["転入", "転居", "離婚", None]), "changed_on": MONTHS[index] - dt.timedelta(days=pick([1, 40])),
    }  # fmt: skip


def _school_year(n: str, i: int, pick: Any) -> dict[str, Any]:
    return {
        "fiscal_year": 2023 if i < 3 else 2024, "person_no": n, "school_name": pick(["東小", "西小"]), "grade": pick([1, 2]),
        "class_type": pick("12"), "school_aid": pick([None, "1"]),
        "guardian_no": pick([None, f"{int(n) // 3 * 3 + 1:010d}"]), "guardian_relation": pick(["父", "祖母", None]),
        "non_enrolled": pick(["0", "1"]), "whereabouts_unknown": None,
    }  # fmt: skip


def _school_month(n: str, i: int, pick: Any) -> dict[str, Any]:
    return {
        "record_id": f"S1-2024-1-1-{n}", "month": MONTHS[i], "school_code": "S1", "days_required": 20,
        "days_absent": pick([0, 3, None]), "late": pick([0, None]), "early_leave": 1, "nurse_visits": pick([None, 2]),
        "bullying": None, "separate_room_days": pick([None, 4]),
    }  # fmt: skip


def _checkup(n: str, i: int, pick: Any) -> dict[str, Any]:
    return {
        "ledger_no": n, "kind": pick(["3歳児健診", "妊娠届"]), "held_on": MONTHS[i], "attendance": pick(["受診", "未受診"]),
        "result": pick(["異常なし", None]), "epds_total": pick([None, 9]), "caries": pick([None, 0, 2]),
        "gestation_weeks": pick([None, 25]),
        "married": pick([None, "0", "1"]), "smoking": pick([None, "1"]), "vaccine_delay_count": pick([None, 1]),
        "poor_weight_gain": pick([None, "0", "1"]),
    }  # fmt: skip


_MAKERS: dict[str, Any] = {
    "school_enrolment": _school_year,
    "school_life": _school_month,
    "municipal_tax": lambda n, i, pick: {
        "fiscal_year": 2024, "person_no": n, "tax_class": pick("1234"), "income_yen": pick([None, 10**6]),
    },
    "single_parent_allowance": lambda n, i, pick: {
        "recipient_no": n, "child_no": f"{int(n) // 3 * 3:010d}", "payment_class": pick(["全部", "停止"]),
        "cause": pick(["離婚", None]),
        "started_on": MONTHS[0], "ended_on": pick([None, None, MONTHS[i]]),
    },
    "child_allowance": lambda n, i, pick: {
        "recipient_no": n, "child_no": f"{int(n) // 3 * 3:010d}", "started_on": MONTHS[0], "ended_on": pick([None, MONTHS[-1]]),
        "suspended": pick([None, "1"]),
    },
    "medical_subsidy": lambda n, i, pick: {
        "person_no": n, "category": pick(["こども", "ひとり親"]), "valid_from": MONTHS[0],
        "valid_until": pick([None, MONTH_ENDS[-1]]),
    },
    "after_school_care": lambda n, i, pick: {
        "use_no": f"U{n}", "grade": 2, "facility": pick(["A会", "B会"]), "started_on": MONTHS[0], "ended_on": None,
        "reduction": pick([None, "1"]), "arrears_months": pick([None, 0, 2]),
    },
    "disability_welfare": lambda n, i, pick: {
        "person_no": n, "handbook": pick(["療育", "なし"]), "level": pick(["A", None]), "issued_on": pick([None, MONTHS[0]]),
        "returned_on": None, "service": pick([None, "居宅"]), "child_day_service": pick([None, "1"]),
    },
    "public_assistance": lambda n, i, pick: {
        "person_no": n, "household_type": "母子", "aid_types": pick(["生活", "生活・住宅"]), "started_on": MONTHS[0],
        "ended_on": pick([None, MONTHS[i]]),
    },
    "long_term_care": lambda n, i, pick: {
        "person_no": n, "care_level": pick(["21", "99"]), "service": None, "certified_from": MONTHS[0],
        "certified_until": pick([None, MONTH_ENDS[-1]]),
    },
    "childcare": lambda n, i, pick: {
        "month": MONTHS[i] if pick([1, 1, 1, 0]) else MONTHS[i - 1], "child_no": n, "certification": "2号",
        "facility": pick(["ほし園", "つき園"]), "fee_class": pick(["D1", None]), "arrears_months": pick([None, 0, 1]),
        "days_absent": pick([None, 2]),
    },
    "maternal_child_health": _checkup,
    "family_consultation": lambda n, i, pick: {
        "case_no": f"C{n}", "received_on": MONTHS[i], "route": pick(["学校", None]), "category": "心理",
        "severity": pick(["重度", None]), "council_class": pick(["要保護", "なし"]), "registered_on": pick([None, MONTHS[0]]),
        "closed_on": pick([None, MONTHS[-1]]),
    },
    "childrens_cafeteria": lambda n, i, pick: {
        "visit_no": f"V{n}{i:02d}", "visited_on": MONTHS[i], "age_band": pick(["未就学", None]), "facility": "ひまわり",
    },
    "community_social_work": lambda n, i, pick: {"consult_no": f"W{n}{i:02d}", "consulted_on": MONTHS[i], "category": "家計"},
}  # fmt: skip
_FULL = frozenset(
    ("school_enrolment", "single_parent_allowance", "after_school_care", "disability_welfare", "public_assistance")
)


def _rows(source: str, index: int, numbers: list[str], rng: random.Random) -> tuple[dict[str, Any], ...]:
    return tuple(_MAKERS[source](n, index, rng.choice) for n in sorted(rng.sample(numbers, len(numbers) // 3)))
