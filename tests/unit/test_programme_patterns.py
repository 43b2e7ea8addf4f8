"""Answers packed into numbers and told again in words."""

import datetime as dt
from functools import cache
from typing import Any

import pyarrow as pa
import pytest
from sqlglot import exp

from kizuki.app.eligibility import answered
from kizuki.definitions.loader import load_definitions
from kizuki.definitions.programmes.facts import REASONS
from kizuki.definitions.shipped import shipped_definitions
from kizuki.engine.duck import DuckEngine
from kizuki.engine.sql import load
from kizuki.programmes import patterns
from kizuki.programmes.compile import Asking, Homes, Told, asking, homes
from kizuki.programmes.patterns import Part, Patterns
from kizuki.programmes.synthetic_facts import fact_tables

DAY = dt.date(2025, 10, 1)


@cache
def city() -> dict[str, pa.Table]:
    return fact_tables(400)


def questions() -> tuple[Homes, list[Asking]]:
    programmes = [p for p in load_definitions(shipped_definitions()).programmes.values() if p.in_force(DAY)]
    told = Told({}, frozenset(p.id for p in programmes if p.text.receipt is not None))
    shared = homes(programmes, DAY)
    return shared, [asking(p, DAY, told, shared) for p in programmes]


def answers() -> list[dict[str, Any]]:
    shared, asked = questions()
    with DuckEngine(memory_limit="400MB", threads=1) as engine:
        engine.register("fact", city()["fact"])
        engine.register("drawn", city()["fact_receipt"])
        engine.materialise("fact_receipt", exp.select("*").from_("drawn"))
        engine.materialise("programme_home", shared.query)
        engine.materialise("programme_child", shared.children)
        return [row for table in answered(engine, asked) for row in table.to_pylist()]


def test_what_does_not_fit_one_number_is_told_by_several(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = answers()
    assert {r["verdict"] for r in whole} == {"該当", "不明", "非該当"}
    assert len({r["unknown"] for r in whole}) > 50
    monkeypatch.setattr(patterns, "_LARGEST_KEY", 2_000)
    assert max(len(a.patterns.keys) for a in questions()[1]) > 3
    assert answers() == whole


def test_every_part_has_its_own_digits() -> None:
    parts = tuple(Part(tuple(f"{n}{s}" for s in range(size)), ("",) * size) for n, size in enumerate((3, 3, 2, 5, 11)))
    packed = Patterns(parts, ())
    (places,) = packed.keys
    assert [unit for _, unit in places] == [1, 3, 9, 18, 90]
    for wanted in ((2, 1, 0, 4, 10), (0, 0, 1, 0, 0), (1, 2, 1, 3, 7)):
        key = sum(state * unit for state, (_, unit) in zip(wanted, places, strict=True))
        found = packed.states([pa.array([key]).to_numpy()])
        assert tuple(int(state[0]) for state in found) == wanted


def test_the_facts_of_a_city_give_no_reason_outside_the_list() -> None:
    """A reason that is no place in `REASONS` would be told as none at all."""
    whys = [c for c in load("kizuki.programmes", "fact").expressions if c.alias_or_name.endswith("_why")]
    assert len(whys) > 20
    said = {text.this for why in whys for case in why.find_all(exp.Literal) if (text := case).is_string and _is_told(text)}
    assert {"moved_in", "needs_certificate"} <= said <= set(REASONS), said - set(REASONS)
    assert list(REASONS) == sorted(REASONS), "of several members' reasons the first is told, on every engine"


def _is_told(text: exp.Literal) -> bool:
    """A text that comes out, not one that a value is compared with."""
    return not isinstance(text.parent, exp.EQ | exp.NEQ | exp.In)
