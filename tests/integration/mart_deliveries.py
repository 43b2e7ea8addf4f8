"""Hand-made deliveries → conformed tables → mart, small enough to reason about; conforming written twice, plainly."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc
from sqlglot import exp

from kizuki.engine.duck import DuckEngine
from kizuki.engine.steps import Select, together
from kizuki.mart.graph import selects
from kizuki.mart.queries import EVENT_SOURCES, SPELL_SOURCES

STRING, INT, DATE = pa.string(), pa.int64(), pa.date32()

COLUMNS: dict[str, dict[str, pa.DataType]] = {
    "resident_register": {
        "person_no": STRING, "household_no": STRING, "name": STRING, "kana": STRING, "former_family_name": STRING,
        "alias_name": STRING, "birth_date": DATE, "sex": STRING, "relation": STRING, "resident_from": DATE, "address": STRING,
        "address_extra": STRING, "postcode": STRING, "resident_type": STRING, "resident_status": STRING,
        "change_reason": STRING, "changed_on": DATE, "restraint_flag": STRING,
    },
    "school_enrolment": {
        "fiscal_year": INT, "person_no": STRING, "school_name": STRING, "grade": INT, "class_type": STRING,
        "school_aid": STRING, "guardian_no": STRING, "guardian_relation": STRING,
        "non_enrolled": STRING, "whereabouts_unknown": STRING,
    },
    "school_life": {
        "month": DATE, "school_code": STRING, "days_required": INT, "days_absent": INT, "late": INT, "early_leave": INT,
        "nurse_visits": INT, "bullying": INT, "separate_room_days": INT,
    },
    "municipal_tax": {"fiscal_year": INT, "person_no": STRING, "tax_class": STRING, "income_yen": INT},
    "single_parent_allowance": {
        "recipient_no": STRING, "child_no": STRING, "payment_class": STRING, "cause": STRING,
        "started_on": DATE, "ended_on": DATE,
    },
    "child_allowance": {"recipient_no": STRING, "child_no": STRING, "started_on": DATE, "ended_on": DATE, "suspended": STRING},
    "medical_subsidy": {"person_no": STRING, "category": STRING, "valid_from": DATE, "valid_until": DATE},
    "after_school_care": {
        "use_no": STRING, "grade": INT, "facility": STRING, "started_on": DATE, "ended_on": DATE, "reduction": STRING,
        "arrears_months": INT,
    },
    "disability_welfare": {
        "person_no": STRING, "handbook": STRING, "level": STRING, "issued_on": DATE, "returned_on": DATE, "service": STRING,
        "child_day_service": STRING,
    },
    "public_assistance": {
        "person_no": STRING, "household_type": STRING, "aid_types": STRING, "started_on": DATE, "ended_on": DATE,
    },
    "long_term_care": {
        "person_no": STRING, "care_level": STRING, "service": STRING, "certified_from": DATE, "certified_until": DATE,
    },
    "childcare": {
        "month": DATE, "child_no": STRING, "certification": STRING, "facility": STRING, "fee_class": STRING,
        "arrears_months": INT,
        "days_absent": INT,
    },
    "maternal_child_health": {
        "ledger_no": STRING, "kind": STRING, "held_on": DATE, "attendance": STRING, "result": STRING, "epds_total": INT,
        "epds_item10": INT, "caries": INT, "gestation_weeks": INT, "married": STRING, "smoking": STRING,
        "vaccine_delay_count": INT, "poor_weight_gain": STRING,
    },
    "family_consultation": {
        "case_no": STRING, "received_on": DATE, "route": STRING, "category": STRING, "severity": STRING,
        "council_class": STRING,
        "registered_on": DATE, "closed_on": DATE,
    },
    "childrens_cafeteria": {"visit_no": STRING, "visited_on": DATE, "age_band": STRING, "facility": STRING},
    "community_social_work": {"consult_no": STRING, "consulted_on": DATE, "category": STRING},
}  # fmt: skip
KEYS = {
    "resident_register": ("person_no",), "school_enrolment": ("fiscal_year", "person_no"),
    "school_life": ("month", "record_id"),
    "municipal_tax": ("fiscal_year", "person_no"), "single_parent_allowance": ("recipient_no", "child_no"),
    "child_allowance": ("recipient_no", "child_no", "started_on"), "medical_subsidy": ("person_no", "category", "valid_from"),
    "after_school_care": ("use_no",), "disability_welfare": ("person_no", "handbook", "service"),
    "public_assistance": ("person_no", "started_on"), "long_term_care": ("person_no", "certified_from"),
    "childcare": ("month", "child_no"), "maternal_child_health": ("ledger_no", "kind", "held_on"),
    "family_consultation": ("case_no", "received_on"), "childrens_cafeteria": ("visit_no",),
    "community_social_work": ("consult_no",),
}  # fmt: skip
RECORD_IDS = {
    "single_parent_allowance": "recipient_no", "child_allowance": "recipient_no", "after_school_care": "use_no",
    "childcare": "child_no", "maternal_child_health": "ledger_no", "family_consultation": "case_no",
    "childrens_cafeteria": "visit_no", "community_social_work": "consult_no", "school_life": "record_id",
}  # fmt: skip

Row = Mapping[str, Any]
ALL_SOURCES = frozenset(SPELL_SOURCES) | frozenset(EVENT_SOURCES)


@dataclass(frozen=True)
class Delivery:
    """One file: its source, the day it describes, full or diff, and its rows."""

    source: str
    as_of: dt.date
    rows: tuple[Row, ...]
    full: bool = False

    @property
    def id(self) -> str:
        """A readable delivery number."""
        return f"{self.source}-{self.as_of:%Y%m%d}"


class Engine(Protocol):
    """What the mart's queries need of an engine."""

    def register(self, name: str, table: pa.Table) -> None: ...

    def query(self, query: exp.Expression) -> pa.Table: ...


def conform(source: str, deliveries: Iterable[Delivery]) -> pa.Table:
    """Versions of each record, told by successive deliveries of one source."""
    live: dict[tuple[Any, ...], dict[str, Any]] = {}
    versions: list[dict[str, Any]] = []
    for delivery in sorted((d for d in deliveries if d.source == source), key=lambda d: d.as_of):
        told = {tuple(r.get(k) for k in KEYS[source]): (n, dict(r)) for n, r in enumerate(delivery.rows, start=2)}
        for key in [k for k in live if delivery.full and k not in told]:
            live.pop(key)["known_to"] = delivery.as_of
        for key, (line, row) in told.items():
            content = {c: row.get(c) for c in COLUMNS[source]}
            if key in live:
                if all(live[key][c] == v for c, v in content.items()):
                    continue
                live[key]["known_to"] = delivery.as_of
            record_id = row.get(RECORD_IDS.get(source, "person_no"))
            live[key] = {
                **content, "record_key": "|".join(map(str, key)), "record_id": record_id,
        "delivery_id": delivery.id, "line": line,
                "known_from": delivery.as_of, "known_to": None,
            }  # fmt: skip
            versions.append(live[key])
    return _typed(source, versions)


def _typed(source: str, versions: list[dict[str, Any]]) -> pa.Table:
    own = {
        "record_key": STRING, "record_id": STRING, "delivery_id": STRING, "line": pa.int32(),
        "known_from": DATE, "known_to": DATE,
    }  # fmt: skip
    table = {name: pa.array([v[name] for v in versions], type_) for name, type_ in {**own, **COLUMNS[source]}.items()}
    for name in COLUMNS[source]:
        states = ["known" if v[name] is not None else "not_entered" for v in versions]
        table[f"{name}_state"] = pa.array(states, STRING)
    return pa.table(table)


def build_mart(
    deliveries: Iterable[Delivery],
    as_of: dt.date,
    engine: Engine | None = None,
    wanted: tuple[str, ...] = (),
    links: pa.Table | None = None,
) -> dict[str, pa.Table]:
    """Tables and parts of the mart from deliveries told by `as_of` (all, or only `wanted`).

    Every record belongs to the person `P` + its key, or to whom `links` (terms.tables.LINK) says.
    """
    if engine is None:
        with DuckEngine(memory_limit="500MB", threads=1) as duck:
            return build_mart(deliveries, as_of, duck, wanted, links)
    tables = _base([d for d in deliveries if d.as_of <= as_of], ALL_SOURCES)
    if links is not None:
        tables |= {f"link.{s}": links.filter(pc.equal(links["source"], pa.scalar(s))) for s in ALL_SOURCES}
    made: dict[str, pa.Table] = {}
    for select in _selects(as_of, wanted):
        for local, names in select.inputs.items():
            parts = [tables[name] for name in ((names,) if isinstance(names, str) else names)]
            engine.register(local, together(parts))
        made[select.name] = tables[select.name] = select.shaped(engine.query(select.query))
    return made


@cache
def _selects(as_of: dt.date, wanted: tuple[str, ...]) -> list[Select]:
    every = selects(ALL_SOURCES, as_of)
    if not wanted:
        return every
    needed = set(wanted)
    for select in reversed(every):
        if select.name in needed:
            needed |= {n for names in select.inputs.values() for n in ((names,) if isinstance(names, str) else names)}
    return [s for s in every if s.name in needed]


def _base(known: list[Delivery], sources: frozenset[str]) -> dict[str, pa.Table]:
    tables = {f"conformed.{s}": conform(s, known) for s in sources}
    ids = {s: _record_ids(tables[f"conformed.{s}"]) for s in sources}
    tables |= {f"link.{s}": _link(s, ids[s]) for s in sources}
    tables |= {f"person_record.{s}": _person_records(s, tables[f"conformed.{s}"]) for s in sources}
    register = tables["conformed.resident_register"]
    households = sorted(set(register.column("household_no").to_pylist()))
    tables["household"] = pa.table(
        {"household_no": pa.array(households, STRING), "household_id": pa.array([f"H{h}" for h in households], STRING)}
    )
    addresses = sorted(set(register.column("address").drop_null().to_pylist()))
    tables["address"] = pa.table(
        {"address": pa.array(addresses, STRING), "town": pa.array([a.split("町")[0] for a in addresses], STRING)}
    )
    tables["category"] = pa.table({"source": ["long_term_care"], "field": ["care_level"], "code": ["21"], "label": ["要介護1"]})
    return tables | _operations(known)


def _operations(known: list[Delivery]) -> dict[str, pa.Table]:
    delivered = sorted({(d.source, d.as_of, d.id) for d in known})
    first = {s: min(a for t, a, _ in delivered if t == s) for s, _, _ in delivered}
    last = {s: max(a for t, a, _ in delivered if t == s) for s, _, _ in delivered}
    return {
        "delivery": pa.table(
            {
                "source": pa.array([s for s, _, _ in delivered], STRING),
                "as_of": pa.array([a for _, a, _ in delivered], DATE),
                "delivery_id": pa.array([i for _, _, i in delivered], STRING),
            }
        ),
        "feed_window": pa.table(
            {
                "source": pa.array(sorted(first), STRING),
                "first_from": pa.array([first[s] for s in sorted(first)], DATE),
                "last_as_of": pa.array([last[s] for s in sorted(first)], DATE),
            }
        ),
    }


def _person_records(source: str, conformed: pa.Table) -> pa.Table:
    n = conformed.num_rows
    return pa.table(
        {
            "source": pa.array([source] * n, STRING), "record_id": conformed.column("record_id"),
            "person_no": pa.nulls(n, STRING), "name": pa.nulls(n, STRING), "kana": pa.array(["カナ"] * n, STRING),
            "birth_date": pa.nulls(n, DATE), "sex": pa.nulls(n, STRING), "known_from": conformed.column("known_from"),
        }
    )  # fmt: skip


def _record_ids(table: pa.Table) -> list[str]:
    found: set[str] = set()
    for name in ("record_id", "person_no", "child_no", "recipient_no"):
        if name in table.column_names:
            found |= set(table.column(name).drop_null().to_pylist())
    return sorted(found)


def _link(source: str, ids: list[str]) -> pa.Table:
    n = len(ids)
    return pa.table(
        {
            "person_id": pa.array([f"P{i}" for i in ids], STRING),
            "source": pa.array([source] * n, STRING),
            "record_id": pa.array(ids, STRING),
            "rule": pa.array(["person_no"] * n, STRING),
            "weight": pa.nulls(n, pa.float64()),
            "state": pa.array(["auto"] * n, STRING),
        }
    )
