"""未受給 of a whole city: every programme in force over every household with children."""

import datetime as dt
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa
from sqlglot import exp

from kizuki.definitions.loader import Definitions
from kizuki.definitions.programmes import Programme, in_force
from kizuki.engine.duck import DuckEngine
from kizuki.engine.sql import bind, load
from kizuki.engine.tables import empty, shape
from kizuki.programmes.compile import Asking, Told, asking, homes
from kizuki.programmes.patterns import explained
from kizuki.terms.tables import ELIGIBILITY

_PACKAGE = "kizuki.programmes"
_STEPS = ("fact_pregnancy", "fact_member", "fact_parent", "fact_spell", "fact_receipt", "fact")
_TEXT: pa.DataType = pa.string()
_RECEIPT_RULE = pa.schema(
    [*(pa.field(n, _TEXT) for n in ("programme", "kind", "status", "state")), pa.field("days", pa.int32())]
)
_FEEDS = {
    "tax": "municipal_tax",
    "assistance": "public_assistance",
    "allowance": "single_parent_allowance",
    "disabled": "disability_welfare",
    "maternal": "maternal_child_health",
    "childcare": "childcare",
    "after_school": "after_school_care",
}
"""Parameters of sql/fact.sql and the source each asks about."""
_SOURCE_REACH = pa.schema([pa.field("source", _TEXT), pa.field("reach", pa.date32())])
_AT_ONCE = 2


def judge_programmes(engine: DuckEngine, definitions: Definitions, as_of: dt.date) -> pa.Table:
    """The `eligibility` table (terms.tables); `engine` holds the mart tables.

    A programme not in force on `as_of` gives no rows. Facts of a feed that is off or never came are unknown.
    """
    return judge_texts(engine, definitions, in_force(definitions.programmes, as_of), as_of, figures_on=as_of)


def judge_texts(
    engine: DuckEngine, definitions: Definitions, programmes: Sequence[Programme], as_of: dt.date, *, figures_on: dt.date
) -> pa.Table:
    """`eligibility` rows of these texts over the facts of `as_of`, with the figures of the tables on `figures_on`."""
    if not programmes:
        return empty(ELIGIBILITY)
    until = _until(engine, as_of)
    told_of = {p.id: p.text.receipt.source for p in programmes if p.text.receipt is not None}
    receipts = frozenset(name for name, source in told_of.items() if not _silence(definitions, until, source))
    made: list[str] = []
    engine.register("receipt_rule", pa.Table.from_pylist(_receipt_rules(programmes), _RECEIPT_RULE))
    engine.register("source_reach", pa.Table.from_pylist([{"source": s, "reach": d} for s, d in until.items()], _SOURCE_REACH))
    try:
        _make_facts(engine, definitions, until, as_of, made)
        told, shared = Told(until, receipts), homes(programmes, figures_on)
        for name, query in (("programme_home", shared.query), ("programme_child", shared.children)):
            engine.materialise(name, query)
            made.append(name)
        tables = answered(engine, [asking(p, figures_on, told, shared) for p in programmes])
        return shape(pa.concat_tables(tables), ELIGIBILITY)
    finally:
        for name in reversed(made):
            engine.drop(name)
        engine.unregister("source_reach")
        engine.unregister("receipt_rule")


def answered(engine: DuckEngine, asked: Sequence[Asking]) -> list[pa.Table]:
    """The `eligibility` rows of each programme; `programme_home`, `programme_child` and `fact_receipt` are tables of `engine`.

    Two at a time: a town's rows are too few for one question to keep two processors busy.
    """

    def ask(one: Asking, own: DuckEngine) -> pa.Table:
        return explained(one.programme.id, own.query(one.query), one.patterns)

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(ask, asked, [engine.cursor() for _ in asked]))


def _make_facts(
    engine: DuckEngine, definitions: Definitions, until: dict[str, dt.date], as_of: dt.date, made: list[str]
) -> None:
    silent = {name: _silence(definitions, until, source) for name, source in _FEEDS.items()}
    for name in _STEPS:
        engine.materialise(name, bind(load(_PACKAGE, name), as_of=as_of, **silent))
        made.append(name)


def _receipt_rules(programmes: Sequence[Programme]) -> list[dict[str, str | int | None]]:
    rows: list[dict[str, str | int | None]] = []
    for programme in programmes:
        receipt = programme.text.receipt
        if receipt is None:
            continue
        states = (("receiving", receipt.statuses or (None,)), ("applied", receipt.applied), ("refused", receipt.refused))
        rows += [
            {"programme": programme.id, "kind": receipt.kind, "status": status, "state": state, "days": receipt.refused_days}
            for state, statuses in states
            for status in statuses
        ]
    return rows


def _until(engine: DuckEngine, as_of: dt.date) -> dict[str, dt.date]:
    """Until when each source's data reaches."""
    reach = exp.select("source", exp.alias_(exp.Max(this=exp.column("covered_until")), "reach")).from_("coverage")
    rows = engine.query(reach.group_by("source")).to_pylist()
    return {r["source"]: min(r["reach"], as_of) for r in rows}


def _silence(definitions: Definitions, until: dict[str, dt.date], source: str) -> str:
    """Why a source tells nothing: feed_off, feed_never, or '' while it does."""
    manifest = definitions.sources.get(source)
    if manifest is not None and not manifest.enabled:
        return "feed_off"
    return "" if source in until else "feed_never"
