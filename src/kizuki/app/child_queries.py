"""The reads the child page and the 引継ぎ書 are made of: each output column names the classified column it comes from."""

from typing import Final

from kizuki.app.release import Query

HOUSEHOLD: Final = Query(
    name="child_household",
    tables=("person", "household_member", "residence"),
    columns={
        "person_id": "person.person_id",
        "household_id": "household_member.household_id",
        "relation": "household_member.relation",
        "name": "person.name",
        "kana": "person.kana",
        "alias_name": "person.alias_name",
        "birth_date": "person.birth_date",
        "sex": "person.sex",
        "resident_status": "person.resident_status",
        "resident_from": "person.resident_from",
        "address": "residence.address",
        "address_extra": "residence.address_extra",
        "source": "person.source",
        "delivery_id": "person.delivery_id",
    },
    subject="person_id",
)
FACTS: Final = Query(
    name="child_facts",
    tables=("spell", "event", "coverage", "household_member"),
    columns={
        "person_id": "spell.person_id",
        "fact": "-",
        "kind": "spell.kind",
        "status": "spell.status",
        "facility": "spell.facility",
        "detail": "spell.detail",
        "amount": "spell.amount",
        "starts_on": "event.happened_on",
        "ends_on": "event.happened_on",
        "value": "event.value",
        "value_state": "event.value_state",
        "code": "event.code",
        "source": "spell.source",
        "delivery_id": "spell.delivery_id",
    },
    subject="person_id",
)
REASONS: Final = Query(
    name="child_reasons",
    tables=("judgement", "judgement_reason"),
    columns={
        "person_id": "judgement.person_id",
        "criteria": "judgement.criteria",
        "version": "judgement.version",
        "verdict": "judgement.verdict",
        "rank": "judgement.rank",
        "entry": "judgement_reason.entry",
        "answer": "judgement_reason.answer",
        "text": "judgement_reason.text",
        "weight": "judgement_reason.points",
        "source": "judgement_reason.source",
        "delivery_id": "judgement_reason.delivery_id",
        "observed_on": "judgement_reason.observed_on",
        "unknown_reason": "judgement_reason.unknown_reason",
    },
    subject="person_id",
)
PROGRAMMES: Final = Query(
    name="child_programmes",
    tables=("eligibility", "household_member"),
    columns={
        "person_id": "eligibility.person_id",
        "programme": "eligibility.programme",
        "household_id": "eligibility.household_id",
        "verdict": "eligibility.verdict",
        "receiving": "eligibility.receiving",
        "unclaimed": "eligibility.unclaimed",
        "reasons": "eligibility.reasons",
        "unknown": "eligibility.unknown",
    },
    subject="person_id",
)
