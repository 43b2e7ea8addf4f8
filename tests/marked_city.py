"""A city of eight people in which every personal text is a marker `印…`, so that a test can tell exactly what came out.

h1: child c1 (candidate), sibling c2 (not), mother m1. h2: child c3 (candidate, sealed), mother m3.
h3: child c4 (not a candidate), father f4. h4: child c5 (candidate; nobody else).
Related across households: c1 and c4 are half siblings, f4 is c1's father; c3 (sealed) is c5's sister, f4 is c3's father too.
"""

import datetime as dt
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from kizuki.app.near_tables import NearTables
from kizuki.engine.duck import DuckEngine
from kizuki.engine.tables import arrow_schema
from kizuki.terms.tables import ALL_TABLES, TableSchema

AS_OF = dt.date(2026, 11, 20)
HOUSEHOLDS = {"h1": ("c1", "c2", "m1"), "h2": ("c3", "m3"), "h3": ("c4", "f4"), "h4": ("c5",)}
PEOPLE = [p for members in HOUSEHOLDS.values() for p in members]
CHILDREN = ["c1", "c2", "c3", "c4", "c5"]
CANDIDATES = ["c1", "c3", "c5"]
SEALED = ["c3", "m3"]
APART = [
    ("c1", "c4", "sibling"),
    ("c1", "f4", "parent"),
    ("c4", "c1", "sibling"),
    ("c5", "c3", "sibling"),
    ("c5", "m3", "parent"),
]
APART += [("c3", "c5", "sibling"), ("c3", "f4", "parent")]
TOGETHER = [("c1", "m1", "parent"), ("c1", "c2", "sibling"), ("c3", "m3", "parent"), ("c4", "f4", "parent")]
SPELL_KINDS = {
    "school_enrolment": "enrolment",
    "municipal_tax": "tax_year",
    "single_parent_allowance": "single_parent_allowance",
    "childcare": "childcare",
    "public_assistance": "public_assistance",
    "maternal_child_health": "child_day_service",
    "family_consultation": "council_registration",
    "new_source": "new_kind",
}
EVENT_KINDS = {"maternal_child_health": "checkup", "family_consultation": "consultation", "childcare": "childcare_absence_days"}
SOURCES = list(SPELL_KINDS)

_FEED = {
    "last_as_of": AS_OF,
    "last_received_at": "2026-11-20T08:00",
    "state": "fresh",
    "deliveries": 3,
    "rows": 9,
    "quarantined": 0,
}
_CLEANSING = {"field": "name", "rule": "name", "detail": "", "writings": 1, "cells": 2}
_NUMBERS = {"int": 1, "double": 1.0, "bool": True, "date": AS_OF, "string": "x"}


def mark(person: str, table: str, column: str) -> str:
    """The marker of one cell."""
    return f"印{person}・{table}・{column}印"


def row(table: str, person: str, **given: Any) -> dict[str, Any]:
    """One row with every text a marker, then the given values."""
    found: dict[str, Any] = {}
    for c in ALL_TABLES[table].columns:
        found[c.name] = mark(person, table, c.name) if c.type == "string" else _NUMBERS[c.type]
    known = {"person_id": person, "valid_from": dt.date(2020, 4, 1), "valid_to": None, "known_to": None}
    known |= {"known_from": dt.date(2021, 12, 1), "source": "resident_register", "delivery_id": "d1", "sealed": False}
    return {k: given.get(k, known.get(k, v)) for k, v in found.items()}


def _home(person: str) -> str:
    return next(h for h, members in HOUSEHOLDS.items() if person in members)


def rows() -> dict[str, list[dict[str, Any]]]:
    """All tables of the city."""
    plain = ("person", "household_member", "residence", "coverage")
    everyone = {t: [row(t, p, household_id=_home(p)) for p in PEOPLE] for t in plain}
    for person in everyone["person"]:
        child = person["person_id"].startswith("c")
        person |= {"birth_date": dt.date(2016 if child else 1985, 6, 1), "sex": "2", "resident_until": None}
        person |= {"resident_status": "resident"}
    people_by_source = [(p, s) for p in PEOPLE for s in SOURCES]
    return {
        **everyone,
        "spell": [row("spell", p, source=s, kind=SPELL_KINDS[s]) for p, s in people_by_source],
        "event": [row("event", p, source=s, kind=EVENT_KINDS.get(s, s), value_state="known") for p, s in people_by_source],
        "item": [row("item", p, source=s, item=f"{s}_item", state="known", unknown_reason=None) for p, s in people_by_source],
        "seal": [row("seal", p, reason="own" if p == "c3" else "household") for p in SEALED],
        "link": [row("link", p) for p in PEOPLE],
        "redirect": [],
        "review_case": _pairs(),
        "review_side": _sides(),
        "review_history": _periods(),
        "judgement": [_judged(p) for p in CHILDREN],
        "judgement_reason": [
            row("judgement_reason", p, criteria="poverty", answer="true", unknown_reason=None) for p in CANDIDATES
        ],
        "judgement_trial": [_judged(p) for p in CHILDREN],
        "eligibility": [_programme(p) for p in CHILDREN] + [_programme(None, h) for h in HOUSEHOLDS],
        "kinship": [_related(*pair, together=pair in TOGETHER) for pair in (*TOGETHER, *APART)],
        "feed": [_FEED | {"source": s} for s in SOURCES],
        "cleansing": [_CLEANSING | {"source": s, "flag": f} for s in SOURCES for f in ("all", "gaiji_unknown")],
    }


def _related(person: str, related: str, kind: str, *, together: bool) -> dict[str, Any]:
    found = row("kinship", person, related_id=related, kind=kind, basis="household")
    return found | {"together": together}


EVIDENCE = "family=7 given=7 birth=4 sex=-1 address=2 phone=-1"
PAIRS = {"pairplain": ("c1", "c2", "waiting"), "pairsealed": ("c3", "c5", "waiting"), "pairmachine": ("c1", "m1", "automatic")}
"""Pair → resident, person of the record, state; c3 is sealed, so the record of `pairsealed` may be hers."""


def _pairs() -> list[dict[str, Any]]:
    made = []
    for place, (pair, (resident, other, state)) in enumerate(PAIRS.items(), start=1):
        waiting = state == "waiting"
        told = {"pair_id": pair, "other_person_id": other, "state": state, "group_id": pair, "rule": "look_given"}
        told |= {"strength": 12.0, "evidence": EVIDENCE, "harms": "look_alike", "source": "childcare"}
        told |= {"place": place if waiting else None, "lot": None if waiting else "0a", "eligible": None if waiting else 40}
        made.append(row("review_case", resident, **told))
    return made


def _sides() -> list[dict[str, Any]]:
    made = []
    for pair, (resident, other, _) in PAIRS.items():
        made.append(row("review_side", resident, pair_id=pair, side="resident", other_person_id=other))
        made.append(row("review_side", other, pair_id=pair, side="record", other_person_id=resident, source="childcare"))
    return made


def _periods() -> list[dict[str, Any]]:
    """What the register tells over time, for every pair a person may be asked about (two residents, where a test says so)."""
    made = []
    for pair, (resident, other, state) in PAIRS.items():
        for kind in ("name", "stay", "address", "household") if state == "waiting" else ():
            told: dict[str, Any] = {"pair_id": pair, "kind": kind, "members": 4, "met_again": 3}
            made.append(row("review_history", resident, side="resident", other_person_id=other, **told))
            made.append(row("review_history", other, side="record", other_person_id=resident, **told))
    return made


UNKNOWN_OF_PROGRAMME = ("c3", "c5")
"""Children of whom one fact a programme asks about is unknown."""


def _judged(person: str) -> dict[str, Any]:
    verdict = {"c1": "該当", "c3": "要確認", "c5": "該当"}.get(person, "非該当")
    rank = CANDIDATES.index(person) + 1 if person in CANDIDATES else None
    return row("judgement", person, criteria="poverty", version="1", verdict=verdict, rank=rank)


def _programme(person: str | None, household: str | None = None) -> dict[str, Any]:
    found = row("eligibility", person or household or "", programme="school_aid", household_id=household or _home(person or ""))
    open_fact = '[{"条件": "tax", "確認すること": "課税区分：申告を案内する", "項目": "tax_class", "理由": "undeclared"}]'
    verdict, unknown = ("不明", open_fact) if person in UNKNOWN_OF_PROGRAMME else ("該当", "[]")
    told = {"person_id": person, "verdict": verdict, "receiving": False, "unclaimed": verdict == "該当"}
    return found | told | {"reasons": "[]", "unknown": unknown}


def table(schema: TableSchema, content: list[dict[str, Any]]) -> pa.Table:
    """Rows as the declared Arrow table."""
    return pa.Table.from_pylist(content, schema=arrow_schema(schema))


@dataclass
class MarkedView:
    """A served snapshot made of the marked city, without files."""

    id: str = "marked-1"
    as_of: dt.date = AS_OF
    published_at: str = "2026-11-20T09:00:00+09:00"
    synthetic: bool = True
    home: Path | None = None
    merged: dict[str, str] = field(default_factory=dict)
    engine: DuckEngine = field(default_factory=lambda: DuckEngine(memory_limit="200MB", threads=1))
    near: NearTables = field(init=False)
    made: dict[str, pa.Table] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        content = rows()
        content["redirect"] = [{"person_id": old, "current_person_id": now} for old, now in self.merged.items()]
        tables = {name: table(schema, content[name]) for name, schema in ALL_TABLES.items()}
        self.near, self.made = NearTables(tables), tables
        for name, made in tables.items():
            self.engine.register("arriving", made)
            self.engine.materialise(name, _everything())
            self.engine.unregister("arriving")

    def tables(self, *names: str) -> dict[str, pa.Table]:
        """Tables of the snapshot as they were read."""
        return {name: self.made[name] for name in names}

    def cursor(self) -> DuckEngine:
        """Another handle on the same tables."""
        return self.engine.cursor()


def _everything() -> Any:
    from sqlglot import exp

    return exp.select("*").from_("arriving")
