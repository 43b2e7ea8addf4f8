"""One night's matching: every record of every office → the resident it belongs to, or a group of outsiders, or itself.

A star, not a web: each record joins at most one resident, so no chain of look-alikes can merge two residents. Pure: the same
records and decisions give the same table, in whatever order they come.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc
from sqlglot import exp

from kizuki.definitions.linkage import Linkage, LinkageModel
from kizuki.engine.duck import DuckEngine
from kizuki.engine.spark import SparkEngine
from kizuki.engine.sql import bind, load
from kizuki.engine.tables import arrow_schema, empty, shape
from kizuki.link.rules import AUTO, decide
from kizuki.link.scoring import PACKAGE, Engine, score
from kizuki.link.tables import CANDIDATE, CLASS_YEAR, FORMER_NAME, LOOSE_NAME, PAIR, REVIEW_PAIR, SCHOOL_ROLL, SCORED
from kizuki.link.training import learn
from kizuki.terms.kana import kana_code
from kizuki.terms.records import PERSON_RECORD

_BY_RECORD: list[tuple[str, Literal["ascending", "descending"]]] = [("source", "ascending"), ("record_id", "ascending")]


@dataclass(frozen=True, slots=True)
class Context:
    """What matching reads besides the records themselves; empty tables are allowed everywhere.

    `must_link` / `cannot_link` are reviewers' standing decisions about a record and a resident.
    """

    school_roll: pa.Table = field(default_factory=lambda: empty(SCHOOL_ROLL))
    class_years: pa.Table = field(default_factory=lambda: empty(CLASS_YEAR))
    former_names: pa.Table = field(default_factory=lambda: empty(FORMER_NAME))
    loose_names: pa.Table = field(default_factory=lambda: empty(LOOSE_NAME))
    must_link: pa.Table = field(default_factory=lambda: empty(PAIR))
    cannot_link: pa.Table = field(default_factory=lambda: empty(PAIR))


@dataclass(frozen=True, slots=True)
class Matching:
    """`assignment`: one row per record with the anchor of its group; `review`: pairs that wait for a person.

    `scored`: the pairs that were weighed (link.tables.SCORED), joined or not.
    """

    assignment: pa.Table
    review: pa.Table
    scored: pa.Table = field(default_factory=lambda: empty(SCORED))


def match_records(
    records: pa.Table, linkage: Linkage, context: Context | None = None, *, spark: SparkEngine | None = None
) -> Matching:
    """Match `records` (terms.records.PERSON_RECORD, all sources) to the register's rows among them.

    On the embedded engine, or on a given Spark session with the same outcome.
    """
    with _engine(spark) as engine:
        night = _Night(engine, linkage)
        night.prepare(shape(records, PERSON_RECORD), context or Context())
        night.take(load(PACKAGE, "by_return"))
        night.take(load(PACKAGE, "by_decision"))
        night.take(load(PACKAGE, "by_number"))
        night.reopen()
        night.take(load(PACKAGE, "by_unique_key"))
        night.take(load(PACKAGE, "by_school"))
        night.reopen()
        night.list_children()
        night.take(load(PACKAGE, "by_name_only"))
        night.weigh()
        night.take(load(PACKAGE, "by_listing"))
        return night.finish()


def weights(
    records: pa.Table, linkage: Linkage, context: Context | None = None, *, spark: SparkEngine | None = None
) -> pa.Table:
    """Every scored pair of unnumbered records and residents (link.tables.SCORED), whatever the rules say about it."""
    with _engine(spark) as engine:
        night = _Night(engine, linkage)
        night.prepare(shape(records, PERSON_RECORD), context or Context())
        night.reopen()
        night.list_children()
        return score(engine, linkage.model)


def ready(engine: DuckEngine, records: pa.Table, linkage: Linkage, context: Context | None = None) -> None:
    """Put the tables `record` and `resident`, ready for comparison, into an engine (for pairs somebody else has chosen)."""
    _Night(engine, linkage).prepare(shape(records, PERSON_RECORD), context or Context())


def relearn(records: pa.Table, linkage: Linkage, *, version: str, trained_on: str) -> LinkageModel:
    """A new model learnt from the records that carry a resident's number; the linkage given is left as it is."""
    with DuckEngine() as engine:
        night = _Night(engine, linkage)
        night.prepare(shape(records, PERSON_RECORD), Context())
        return learn(engine, linkage.model, version=version, trained_on=trained_on)


@contextmanager
def _engine(spark: SparkEngine | None) -> Iterator[Engine]:
    """The engine of one matching: a fresh embedded one, or the Spark session given, which stays open."""
    if spark is not None:
        yield spark
        return
    with DuckEngine() as engine:
        yield engine


class _Night:
    """The tables of one matching, by name in the engine; candidates gathered pass by pass."""

    def __init__(self, engine: Engine, linkage: Linkage) -> None:
        self.engine = engine
        self.linkage = linkage
        self.candidates: list[pa.Table] = [empty(CANDIDATE)]
        self.scored = empty(SCORED)

    def prepare(self, records: pa.Table, context: Context) -> None:
        """Records ready for comparison, the register apart."""
        for name, table in (
            ("person_record", records),
            ("kana_code", _kana_codes(records)),
            ("grade_band", _grade_bands(self.linkage)),
            ("school_roll", context.school_roll),
            ("class_year", context.class_years),
            ("former_name", context.former_names),
            ("loose_name", context.loose_names),
            ("must_link", context.must_link),
            ("cannot_link", context.cannot_link),
        ):
            self.engine.register(name, table)
        for name in ("record", "resident", "school_name"):
            self._materialise("prepare" if name == "record" else name, name)
        self._publish()

    def take(self, query: exp.Expression) -> None:
        """Run one pass; its automatic finds are out of reach of every later pass."""
        self.candidates.append(self.engine.query(self._bound(query)).cast(arrow_schema(CANDIDATE)))
        self._publish()

    def reopen(self) -> None:
        """Gather again the records no pass has placed."""
        self._materialise("open_record", "open_record")

    def list_children(self) -> None:
        """Bring the bare names of one place's list together: one child, one candidate, one question to a reviewer."""
        self._materialise("listing", "listing")
        self.take(load(PACKAGE, "by_listing_decision"))
        self.reopen()
        for name in ("open_lead", "forbidden"):
            self._materialise(name, name)

    def weigh(self) -> None:
        """The weighted comparison and the readable rules over it."""
        self.scored = score(self.engine, self.linkage.model)
        self.engine.register("scored", self.scored)
        self._materialise("ranked", "ranked")
        self.take(decide(self.linkage))

    def finish(self) -> Matching:
        """Review pairs, outsiders' groups, and the anchor of every record."""
        review = shape(self.engine.query(self._bound(load(PACKAGE, "review_pair"))), REVIEW_PAIR)
        self.engine.register("review_pair", review)
        self._materialise("outsider", "outsider")
        assignment = self.engine.query(self._bound(load(PACKAGE, "assignment")))
        review = review.sort_by([*_BY_RECORD, ("resident_id", "ascending")])
        return Matching(assignment.sort_by(_BY_RECORD), review, self.scored)

    def _bound(self, query: exp.Expression) -> exp.Expression:
        rules = self.linkage.rules
        return bind(
            query,
            register=rules.register_source,
            class_list=rules.class_list_source,
            review_candidates=rules.review_candidates,
        )

    def _materialise(self, query: str, name: str) -> None:
        self.engine.materialise(name, self._bound(load(PACKAGE, query)))

    def _publish(self) -> None:
        found = pa.concat_tables(self.candidates)
        self.engine.register("candidate", found)
        joined = pc.is_in(found["decision"], value_set=pa.array([AUTO, "reviewed"]))
        self.engine.register("matched", found.filter(joined))


def _kana_codes(records: pa.Table) -> pa.Table:
    whole = records["kana_key"].filter(pc.is_null(records["family_kana_key"]))
    columns = [records["family_kana_key"], records["given_kana_key"], whole]
    distinct = sorted({k for column in columns for k in pc.unique(column).to_pylist() if k is not None})
    return pa.table({"kana": pa.array(distinct, pa.string()), "code": pa.array([kana_code(k) for k in distinct], pa.string())})


def _grade_bands(linkage: Linkage) -> pa.Table:
    grades: Iterable[tuple[str, int, int]] = [(str(g), g, g) for g in range(1, 13)]
    bands = [*grades, *((b.label, b.first_grade, b.last_grade) for b in linkage.rules.grade_bands)]
    return pa.table(
        {
            "label": pa.array([b[0] for b in bands], pa.string()),
            "first_grade": pa.array([b[1] for b in bands], pa.int32()),
            "last_grade": pa.array([b[2] for b in bands], pa.int32()),
        }
    )
