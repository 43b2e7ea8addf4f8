"""Fact tables of households that never lived, as large as wanted: what `bench --programmes` and the Spark parity test judge.

Every fact is unknown for some, so that explanations and things to ask are built as they are for a real city.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from kizuki.definitions.expression import Kind
from kizuki.definitions.programmes.facts import CHILD, FACTS, OTHER, PARENT, Fact

_CHILDREN = (0.52, 0.38, 0.10)
_REASONS = ("moved_in", "not_entered", "feed_late")
_UNKNOWN_SHARE = 0.06
Array = npt.NDArray[np.int64]
Column = Any
"""An Arrow array of any type."""


def fact_tables(households: int, *, first: int = 0, seed: int = 1) -> dict[str, pa.Table]:
    """`fact` (one row per member) and `fact_receipt` of so many households, numbered from `first`."""
    rng = np.random.default_rng((seed, first))
    parents = rng.choice((1, 2), households, p=(0.14, 0.86))
    children = rng.choice((1, 2, 3), households, p=_CHILDREN)
    others = (rng.random(households) < 0.12).astype(np.int64)  # share with a grandparent
    size = parents + children + others
    home = np.repeat(np.arange(households), size)
    place = np.arange(len(home)) - np.repeat(np.cumsum(size) - size, size)
    role = np.where(place < parents[home], 1, np.where(place < (parents + children)[home], 0, 2))
    years = np.where(role == 0, rng.integers(0, 18, len(home)), np.where(role == 1, 36, 66))
    columns = {"household_id": _named("h", home + first), "person_id": _named("p", np.arange(len(home)) + first * 8)}
    for fact in FACTS:
        columns |= _fact_columns(rng, fact, home, role=role, years=years, parents=parents)
    receipt = role == 0
    received = receipt & (rng.random(len(home)) < 0.5)  # share of children in receipt
    count = int(received.sum())
    ids = {n: columns[n].filter(pa.array(received)) for n in ("household_id", "person_id")}
    programmes = pa.array(np.array(["child_allowance", "child_medical", "school_aid"])[rng.integers(0, 3, count)])
    state = pa.array(np.where(rng.random(count) < 0.97, "receiving", "applied"))
    certain = pa.array(np.ones(count, np.int32))
    return {
        "fact": pa.table(columns),
        "fact_receipt": pa.table({**ids, "programme": programmes, "state": state, "certain": certain}),
    }


def _named(letter: str, numbers: Array) -> Column:
    return pa.array(np.char.add(letter, numbers.astype("U10")))


def _fact_columns(
    rng: np.random.Generator, fact: Fact, home: Array, *, role: Array, years: Array, parents: Array
) -> dict[str, Column]:
    name, count = fact.term.id, len(home)
    unknown = rng.random(count) < _UNKNOWN_SHARE
    if fact.held_by == "household":
        whole = rng.random(len(parents))
        unknown = whole[home] < _UNKNOWN_SHARE
    if name in ("role", "age_years", "age_fy_end", "age_month_start", "household_size", "main_earner"):
        unknown = np.zeros(count, bool)
    values = _values(rng, fact, home, role=role, years=years, parents=parents)
    reasons = pa.array(np.array(_REASONS)[home % 3])
    return {name: pa.array(values, mask=unknown), f"{name}_why": reasons}


def _values(
    rng: np.random.Generator, fact: Fact, home: Array, *, role: Array, years: Array, parents: Array
) -> npt.NDArray[np.object_] | npt.NDArray[np.float64] | npt.NDArray[np.bool_] | npt.NDArray[np.str_]:
    name = fact.term.id
    chosen: dict[str, npt.NDArray[np.float64] | npt.NDArray[np.bool_] | npt.NDArray[np.str_]] = {
        "role": np.array([CHILD, PARENT, OTHER])[role],
        "age_years": years.astype(float),
        "age_month_start": years.astype(float),
        "age_fy_end": (years + (home % 2)).astype(float),
        "income_yen": np.where(role == 0, 0.0, np.round(rng.gamma(2.0, 1_500_000.0, len(home)))),
        "dependants": (home % 3).astype(float),
        "household_size": np.bincount(home)[home].astype(float),
        "main_earner": role == 1,
        "single_parent": (role == 0) & (parents[home] == 1),
    }
    if name in chosen:
        return chosen[name]
    whole = len(parents) if fact.held_by == "household" else len(home)
    if fact.term.kind is Kind.TRUTH:
        drawn: npt.NDArray[np.bool_] | npt.NDArray[np.str_] | npt.NDArray[np.float64] = rng.random(whole) < 0.1
    elif fact.term.kind is Kind.TEXT:
        drawn = np.array(fact.term.choices)[rng.integers(0, len(fact.term.choices), whole)]
    else:
        drawn = rng.integers(0, 300_000, whole).astype(float)
    return drawn[home] if fact.held_by == "household" else drawn
