"""Items, judgements and eligibility computed by Spark are those computed by DuckDB, row for row (D1)."""

import datetime as dt
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from sqlglot import exp

from kizuki.app.eligibility import judge_programmes
from kizuki.app.judging import judge_all
from kizuki.definitions.loader import Definitions, load_definitions
from kizuki.engine.duck import DuckEngine
from kizuki.engine.spark import SparkEngine
from kizuki.mart.items import build_items
from kizuki.programmes.compile import Told, asking, homes
from kizuki.programmes.patterns import explained
from kizuki.programmes.synthetic_facts import fact_tables
from tests.unit.small_mart import AS_OF, SmallMart

BASE = Path(__file__).parents[2] / "definitions" / "base"


class OnSpark:
    """A Spark session with the face of the embedded engine that these stages use."""

    def __init__(self, spark: SparkEngine) -> None:
        self._spark = spark

    def register(self, name: str, table: pa.Table) -> None:
        self._spark.register(name, table)

    def unregister(self, name: str) -> None:
        self._spark._session.catalog.dropTempView(name)

    drop = unregister

    def cursor(self) -> "OnSpark":
        return self

    def query(self, query: exp.Expression) -> pa.Table:
        return self._spark.query(query)

    def materialise(self, name: str, query: exp.Expression) -> int:
        found = self._spark.query(query)
        self._spark.register(name, found)
        return int(found.num_rows)


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> SparkEngine:
    """The session is left open: a process has one, and other tests may be using it."""
    pytest.importorskip("pyspark")
    return SparkEngine(tmp_path_factory.mktemp("spark"))


def family_city() -> SmallMart:
    """Households of several shapes with something in every source."""
    mart = SmallMart()
    for n in range(6):
        home = f"h{n}"
        mart.person(f"mother{n}", dt.date(1985 + n, 5, 1), home, "世帯主" if n % 2 else "妻")
        if n % 2 == 0:
            mart.person(f"father{n}", dt.date(1984, 5, 1), home, "世帯主", sex="1")
        since = dt.date(2026, 6, 1) if n == 3 else dt.date(2016, 6, 1)
        mart.person(f"pupil{n}", dt.date(2016, 6, 1), home, since=since, covered=max(since, dt.date(2021, 12, 1)))
        mart.person(f"baby{n}", dt.date(2025, 12, 10), home)
        for month, days in ((dt.date(2026, 9, 30), 4 + n), (dt.date(2026, 10, 31), 7), (dt.date(2025, 10, 31), 2)):
            mart.event(f"pupil{n}", "absence_days", "school_life", month, float(days))
        mart.event(f"pupil{n}", "nurse_visits", "school_life", dt.date(2026, 10, 31), None, value_state="not_entered")
        mart.event(f"baby{n}", "checkup", "maternal_child_health", dt.date(2026, 5, 31), code="4か月児健診:未受診:")
        mart.event(f"mother{n}", "pregnancy_notice", "maternal_child_health", dt.date(2025, 6, 1), 20.0 + n)
    mart.event("baby1", "epds_total", "maternal_child_health", dt.date(2026, 2, 10), 11.0)
    mart.event("pupil2", "consultation", "family_consultation", dt.date(2026, 10, 1), 2.0)
    mart.spell("pupil1", "single_parent_allowance", "single_parent_allowance", status="全部")
    mart.spell("pupil3", "medical_subsidy", "medical_subsidy", status="ひとり親", valid_to=dt.date(2026, 11, 1))
    mart.spell("pupil2", "council_registration", "family_consultation", status="要支援")
    mart.spell("pupil5", "childcare", "childcare", amount=4.0)
    mart.spell("mother5", "disability", "disability_welfare", status="精神")
    mart.spell("pupil4", "public_assistance", "public_assistance", valid_to=dt.date(2026, 6, 1))
    mart.spell("pupil0", "school_aid", "school_enrolment")
    mart.spell("pupil2", "single_parent_allowance", "single_parent_allowance", status="停止")
    mart.spell("pupil5", "single_parent_allowance", "single_parent_allowance", status="却下", valid_from=dt.date(2026, 9, 1))
    mart.spell("pupil1", "disability", "disability_welfare", status="療育", detail="A")
    mart.spell("pupil3", "after_school_care", "after_school_care")
    mart.spell("baby2", "childcare", "childcare", status="3号")
    mart.spell("pupil4", "child_allowance", "child_allowance", status="差止")
    mart.spell("mother3", "child_allowance_recipient", "child_allowance")
    mart.person("expecting", dt.date(1998, 5, 1), "h9", "世帯主")
    mart.event("expecting", "pregnancy_notice", "maternal_child_health", dt.date(2026, 9, 1), 10.0)
    mart.spell("pupil0", "enrolment", "school_enrolment", detail="4")
    return mart


def everything(engine: Any, definitions: Definitions) -> dict[str, pa.Table]:
    for name, table in family_city().tables().items():
        engine.register(name, table)
    out = {"item": build_items(engine, definitions, AS_OF)}
    engine.register("item", out["item"])
    out |= judge_all(engine, definitions, AS_OF)
    out["eligibility"] = judge_programmes(engine, definitions, AS_OF)
    return out


def rows(table: pa.Table) -> Counter:
    return Counter(tuple(r.values()) for r in table.to_pylist())


@pytest.mark.spark
@pytest.mark.slow
def test_spark_and_duckdb_give_the_same_rows(spark: SparkEngine) -> None:
    definitions = load_definitions(BASE)
    with DuckEngine(memory_limit="400MB", threads=1) as duck:
        here = everything(duck, definitions)
    there = everything(OnSpark(spark), definitions)
    assert {n: t.num_rows for n, t in here.items() if not t.num_rows} == {}
    for name, table in here.items():
        assert rows(there[name]) == rows(table), name


@pytest.mark.spark
@pytest.mark.slow
def test_every_programme_answers_a_drawn_city_alike_on_both(spark: SparkEngine) -> None:
    """Facts of every kind and every unknown, on a day for which the figures are entered."""
    day = dt.date(2025, 10, 1)
    programmes = [p for p in load_definitions(BASE).programmes.values() if p.in_force(day)]
    told = Told({}, frozenset(p.id for p in programmes if p.text.receipt is not None))
    shared = homes(programmes, day)
    found: list[dict[str, Counter]] = []
    with DuckEngine(memory_limit="400MB", threads=1) as duck:
        for engine in (duck, OnSpark(spark)):
            for name, table in fact_tables(300).items():
                engine.register(name, table)
            engine.materialise("programme_home", shared.query)
            engine.materialise("programme_child", shared.children)
            asked = [asking(p, day, told, shared) for p in programmes]
            found.append({a.programme.id: rows(explained(a.programme.id, engine.query(a.query), a.patterns)) for a in asked})
    assert len(found[0]) == 16
    assert {row[3] for counted in found[0].values() for row in counted} == {"該当", "不明", "非該当"}
    for name, counted in found[0].items():
        assert found[1][name] == counted, name
