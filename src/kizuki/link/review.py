"""What reviewers are asked: the pairs in the order the city decided, both sides as written, and the lots of the monthly check.

Pure: the same tables and rules give the same pairs. Who answered what is not known here.
"""

import datetime as dt
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from kizuki.definitions.link_review import Harm, ReviewRules
from kizuki.engine.duck import DuckEngine
from kizuki.engine.keys import KeyRing
from kizuki.engine.sql import bind, load
from kizuki.engine.tables import arrow_schema, shape
from kizuki.terms.tables import REVIEW_CASE, REVIEW_SIDE

PACKAGE = "kizuki.link"
WAITING, DECIDED, AUTOMATIC = "waiting", "decided", "automatic"
_POOL_TIMES = 4
"""Lots are made for more records than a month's sample needs: records come and go between the nights of a month."""
_ADULT_YEARS = 18
_FLAGS = {Harm.LOOK_ALIKE: "look_alike", Harm.SEALED: "sealed", Harm.EVIDENCE: "evidence_of_child", Harm.SENSITIVE: "sensitive"}
_LAST = ((True,) * len(Harm), float("inf"))


@dataclass(frozen=True, slots=True)
class Asked:
    """What the pairs are made from.

    `tables`: link (all sources together), review_pair, decided (PAIR), seal, household_member, register_record (the
    register's persons as written). `writings`: source → its persons as written, read one source at a time.
    """

    tables: Mapping[str, pa.Table]
    writings: Callable[[str], pa.Table]
    sources: Sequence[str]
    evidence_sources: Collection[str]
    careful_sources: Collection[str]


def month_seed(keys: KeyRing, day: dt.date) -> str:
    """The seed of a month's lots: nobody can foretell it, and once recorded with the sample anybody can draw it again."""
    return keys.token("link-check", f"{day:%Y-%m}")


def prepare(asked: Asked, rules: ReviewRules, keys: KeyRing, as_of: dt.date, register: str) -> dict[str, pa.Table]:
    """`review_case` (one row per pair) and `review_side` (two rows per pair: the record and the resident)."""
    with DuckEngine() as engine:
        for name, table in asked.tables.items():
            engine.register(name, table)
        engine.register("evidence_source", _names(asked.evidence_sources))
        engine.register("careful_source", _names(asked.careful_sources))
        pool = rules.check.monthly * _POOL_TIMES
        born = _years_before(as_of, _ADULT_YEARS)
        query = bind(
            load(PACKAGE, "review_case"), register=register, seed=month_seed(keys, as_of), pool=pool, adult_born_on=born
        )
        cases = shape(_ordered(engine.query(query).to_pylist(), keys, rules), REVIEW_CASE)
        return {"review_case": cases, "review_side": _sides(engine, cases, asked, register)}


def _sides(engine: DuckEngine, cases: pa.Table, asked: Asked, register: str) -> pa.Table:
    engine.register("review_case", cases)
    parts = []
    for source in asked.sources:  # one at a time: the persons of all offices together are many, those asked about few
        engine.register("person_record", asked.writings(source))
        parts.append(engine.query(bind(load(PACKAGE, "review_side"), register=register)))
        engine.unregister("person_record")
    sides = shape(pa.concat_tables(parts), REVIEW_SIDE)
    return sides.sort_by([("pair_id", "ascending"), ("side", "ascending")])


def _ordered(rows: Sequence[Mapping[str, Any]], keys: KeyRing, rules: ReviewRules) -> pa.Table:
    """The cases with their tokens and places: by the city's order, candidates of one record side by side."""
    cases = [_case(row, keys) for row in rows]
    waiting = [c for c in cases if c["state"] == WAITING]
    first: dict[str, tuple[Any, ...]] = {}
    for case in waiting:
        first[case["group_id"]] = min(_urgency(case, rules), first.get(case["group_id"], _LAST))
    waiting.sort(key=lambda c: (first[c["group_id"]], c["group_id"], _urgency(c, rules), c["pair_id"]))
    for place, case in enumerate(waiting, start=1):
        case["place"] = place
    cases.sort(key=lambda c: (c["person_id"], c["pair_id"], c["state"]))
    return pa.Table.from_pylist(cases, schema=arrow_schema(REVIEW_CASE))


def _urgency(case: Mapping[str, Any], rules: ReviewRules) -> tuple[Any, ...]:
    """The first condition of the order that holds counts most, then the second, …; stronger evidence first, as it is quicker."""
    harms = case["harms"].split()
    return tuple(step.harm not in harms for step in rules.order), -(case["weight"] or 0.0)


def _case(row: Mapping[str, Any], keys: KeyRing) -> dict[str, Any]:
    found = {name: row.get(name) for name in REVIEW_CASE.column_names()}
    harms = [str(harm) for harm, flag in _FLAGS.items() if row[flag]] or [str(Harm.OTHER)]
    pair = keys.token("review-pair", row["source"], row["record_id"], row["resident_id"])
    group = keys.token("review-group", row["source"], row["record_id"])
    return found | {"pair_id": pair, "group_id": group, "harms": " ".join(harms), "place": None}


def _names(sources: Collection[str]) -> pa.Table:
    return pa.table({"source": pa.array(sorted(sources), pa.string())})


def _years_before(day: dt.date, years: int) -> dt.date:
    try:
        return day.replace(year=day.year - years)
    except ValueError:  # 29 February
        return day.replace(year=day.year - years, day=28)
