"""What reviewers are asked: the pairs in the order the city decided, both sides as written, and the lots of the monthly check.

Pure: the same tables and rules give the same pairs. Who answered what is not known here.
"""

import datetime as dt
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

import pyarrow as pa
from sqlglot import exp

from kizuki.definitions.link_review import Harm, ReviewRules
from kizuki.definitions.linkage import Linkage, LinkageModel
from kizuki.engine.duck import DuckEngine
from kizuki.engine.keys import KeyRing
from kizuki.engine.sql import bind, load
from kizuki.engine.tables import arrow_schema, empty, shape
from kizuki.link.comparisons import MISSING_STATE, Degree, degrees
from kizuki.link.matching import Context, ready
from kizuki.terms.records import PERSON_RECORD
from kizuki.terms.tables import REVIEW_CASE, REVIEW_HISTORY, REVIEW_SIDE

PACKAGE = "kizuki.link"
WAITING, BELOW, DECIDED, AUTOMATIC = "waiting", "below", "decided", "automatic"
_PAIR = ("source", "record_id", "resident_id")
_POOL_TIMES = 4
"""Lots are made for more records than a month's sample needs: records come and go between the nights of a month."""
_ADULT_YEARS = 18
_PERIOD = ("side", "kind", "valid_from", "name", "kana", "address", "relation")
_FLAGS = {Harm.LOOK_ALIKE: "look_alike", Harm.SEALED: "sealed", Harm.EVIDENCE: "evidence_of_child", Harm.SENSITIVE: "sensitive"}
_LAST = ((True,) * len(Harm), float("inf"))


@dataclass(frozen=True, slots=True)
class Asked:
    """What the pairs are made from.

    `tables`: link (all sources together), review_pair, decided (PAIR), seal, person, residence, household_member,
    register_record (the register's persons as written). `class_years`: CLASS_YEAR. `writings`: source → its persons as
    written, read one at a time.
    """

    tables: Mapping[str, pa.Table]
    class_years: pa.Table
    writings: Callable[[str], pa.Table]
    sources: Sequence[str]
    evidence_sources: Collection[str]
    careful_sources: Collection[str]


def month_seed(keys: KeyRing, day: dt.date) -> str:
    """The seed of a month's lots: nobody can foretell it, and once recorded with the sample anybody can draw it again."""
    return keys.token("link-check", f"{day:%Y-%m}")


def prepare(asked: Asked, linkage: Linkage, rules: ReviewRules, keys: KeyRing, as_of: dt.date) -> dict[str, pa.Table]:
    """`review_case` (one row per pair), `review_side` (two rows per pair: the record and the resident), `review_history`.

    `review_history` has the register's periods of both sides of every pair of two residents.
    """
    register = linkage.rules.register_source
    with DuckEngine() as engine:
        for name, table in asked.tables.items():
            engine.register(name, table)
        engine.register("evidence_source", _names(asked.evidence_sources))
        engine.register("careful_source", _names(asked.careful_sources))
        engine.register("left_out", _names(rules.check.left_out_rules))
        pool = rules.check.monthly * _POOL_TIMES
        born = _years_before(as_of, _ADULT_YEARS)
        query = bind(
            load(PACKAGE, "review_case"), register=register, seed=month_seed(keys, as_of), pool=pool, adult_born_on=born
        )
        pairs = engine.query(query)
        engine.register("asked_pair", pairs)
        writings = _writings(engine, asked, register)
        engine.register("review_writing", writings)
        compared = _compared(pairs, writings, asked, linkage)
        share = linkage.model.resident_share / max(asked.tables["register_record"].num_rows, 2)
        weights, prior = level_weights(linkage.model), math.log2(share / (1 - share))
        rows = [row | _weighed(compared[_key(row)], weights, prior) for row in pairs.to_pylist()]
        cases = shape(_ordered(rows, keys, rules), REVIEW_CASE)
        engine.register("review_case", cases)
        sides = shape(engine.query(bind(load(PACKAGE, "review_side"), register=register)), REVIEW_SIDE)
        history = shape(engine.query(bind(load(PACKAGE, "review_history"), register=register)), REVIEW_HISTORY)
    by_person: list[tuple[str, Literal["ascending", "descending"]]] = [("person_id", "ascending"), ("pair_id", "ascending")]
    by_period = [*by_person, *((c, "ascending") for c in _PERIOD)]
    by_side = [*by_person, ("side", "ascending")]  # a pair already joined has one person on both sides
    return {"review_case": cases, "review_side": sides.sort_by(by_side), "review_history": history.sort_by(by_period)}


def _writings(engine: DuckEngine, asked: Asked, register: str) -> pa.Table:
    """Both sides as written; one source at a time: the persons of all offices together are many, those asked about few."""
    parts = [empty(PERSON_RECORD)]
    for source in asked.sources:
        engine.register("person_record", asked.writings(source))
        parts.append(engine.query(bind(load(PACKAGE, "review_writing"), register=register)).cast(arrow_schema(PERSON_RECORD)))
        engine.unregister("person_record")
    return pa.concat_tables(parts)


def _compared(pairs: pa.Table, writings: pa.Table, asked: Asked, linkage: Linkage) -> dict[tuple[str, ...], dict[str, int]]:
    """(source, record, resident) → the state of agreement of every attribute, by the very conditions the machine uses.

    The machine weighs only what its keys left over, and nothing of a bare name; a reviewer sees the evidence of every pair.
    """
    with DuckEngine() as engine:
        ready(engine, writings, linkage, Context(class_years=asked.class_years))
        engine.register("asked_pair", pairs)
        compared = cast(exp.Select, bind(load(PACKAGE, "review_compared"), register=linkage.rules.register_source))
        conditions = degrees()
        states = [exp.alias_(_state(*parts), name) for name, parts in conditions.items()]
        found = engine.query(exp.select(*_PAIR, *states).from_(compared.subquery("compared")))
    return {_key(row): {name: row[name] for name in conditions} for row in found.to_pylist()}


def _state(missing: exp.Condition, found: Mapping[str, Degree]) -> exp.Case:
    """The number of the first degree that holds, as `comparisons.state_numbers` counts them."""
    case = exp.Case().when(missing.copy(), exp.Literal.number(MISSING_STATE))
    for back, degree in enumerate(found.values()):
        case = case.when(degree.condition.copy(), exp.Literal.number(len(found) - back))
    return case.else_(exp.Literal.number(0))


def level_weights(model: LinkageModel) -> dict[str, dict[int, tuple[str, float]]]:
    """Attribute → state number → (title of the degree, its weight: how many doublings of the odds it is worth)."""
    found: dict[str, dict[int, tuple[str, float]]] = {}
    for comparison in model.comparisons:
        top = len(comparison.levels) - 1
        found[comparison.id] = {top - i: (lv.title, math.log2(lv.m / lv.u)) for i, lv in enumerate(comparison.levels)}
    return found


_Weights = Mapping[str, Mapping[int, tuple[str, float]]]


def _weighed(states: Mapping[str, int], weights: _Weights, prior: float) -> dict[str, Any]:
    known = [weights[name][state][1] for name, state in states.items() if state != MISSING_STATE]
    evidence = " ".join(f"{name}={state}" for name, state in states.items())
    return {"strength": round(prior + sum(known), 6), "evidence": evidence}


def _key(row: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(str(row[name]) for name in _PAIR)


def _ordered(rows: Sequence[Mapping[str, Any]], keys: KeyRing, rules: ReviewRules) -> pa.Table:
    """The cases with their tokens and places: by the city's order, candidates of one record side by side."""
    cases = [_case(row, keys) for row in rows]
    for case in cases:
        if case["state"] == WAITING and case["strength"] < rules.least_strength:
            case["state"] = BELOW
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
    """By the first condition of the order that holds, then the second, …; then strong evidence first, as it is quicker."""
    harms = case["harms"].split()
    return tuple(step.harm not in harms for step in rules.order), -case["strength"]


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
