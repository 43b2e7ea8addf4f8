"""Hand-made mart tables for tests: a row is what differs from an ordinary one."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from kizuki.engine.duck import DuckEngine
from kizuki.terms.tables import COVERAGE, EVENT, HOUSEHOLD_MEMBER, PERSON, SEAL, SPELL, TableSchema

AS_OF = dt.date(2026, 11, 20)
START = dt.date(2021, 12, 1)
TYPES = {"string": pa.string(), "double": pa.float64(), "int": pa.int32(), "date": pa.date32(), "bool": pa.bool_()}
SOURCES = (
    *("resident_register", "school_enrolment", "school_life", "single_parent_allowance", "child_allowance", "medical_subsidy"),
    *("after_school_care", "disability_welfare", "public_assistance", "long_term_care", "childcare", "maternal_child_health"),
    *("family_consultation", "childrens_cafeteria", "community_social_work"),
)
_EVIDENCE = {"source": "resident_register", "delivery_id": "d1", "record_id": "r1", "known_from": START}


def arrow(schema: TableSchema, rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Rows as the declared table; absent columns are NULL."""
    return pa.Table.from_pylist([dict(r) for r in rows], pa.schema([(c.name, TYPES[c.type]) for c in schema.columns]))


class SmallMart:
    """A mart in the making; everybody is a resident since birth unless told otherwise."""

    def __init__(self) -> None:
        self.persons: list[dict[str, Any]] = []
        self.members: list[dict[str, Any]] = []
        self.spells: list[dict[str, Any]] = []
        self.events: list[dict[str, Any]] = []
        self.seals: list[dict[str, Any]] = []
        self.coverages: list[dict[str, Any]] = []

    def person(self, person_id: str, born: dt.date, household: str, relation: str = "子", **more: Any) -> str:
        """One resident in one household."""
        since = more.pop("since", born)
        covered = more.pop("covered", max(since, START))
        sources = more.pop("sources", SOURCES)
        row = {"person_id": person_id, "birth_date": born, "resident_from": since, "valid_from": since, "sex": "2"}
        self.persons.append(row | {"resident_status": "resident", "sealed": False} | _EVIDENCE | more)
        self.members.append(
            {"household_id": household, "person_id": person_id, "relation": relation, "valid_from": since} | _EVIDENCE
        )
        for source in sources:
            until = dt.date(2026, 11, 5) if source == "school_life" else dt.date(2026, 10, 31)
            self.coverages.append({"person_id": person_id, "source": source, "covered_from": covered, "covered_until": until})
        return person_id

    def spell(self, person_id: str, kind: str, source: str, **more: Any) -> None:
        """One spell, in force since 2025-04-01."""
        row = {"person_id": person_id, "kind": kind, "valid_from": dt.date(2025, 4, 1)} | _EVIDENCE | {"source": source}
        self.spells.append(row | more)

    def event(self, person_id: str, kind: str, source: str, on: dt.date, value: float | None = 1.0, **more: Any) -> None:
        """One event, known."""
        row = {"person_id": person_id, "kind": kind, "happened_on": on, "value": value, "value_state": "known"}
        self.events.append(row | _EVIDENCE | {"source": source} | more)

    def tables(self) -> dict[str, pa.Table]:
        """All tables by name."""
        return {
            "person": arrow(PERSON, self.persons),
            "household_member": arrow(HOUSEHOLD_MEMBER, self.members),
            "spell": arrow(SPELL, self.spells),
            "event": arrow(EVENT, self.events),
            "seal": arrow(SEAL, self.seals),
            "coverage": arrow(COVERAGE, self.coverages),
        }

    def load_into(self, engine: DuckEngine) -> None:
        """Register everything."""
        for name, table in self.tables().items():
            engine.register(name, table)
