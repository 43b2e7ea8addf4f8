"""Items: every child gets one row per defined item, with a value or the reason there is none.

The definitions say which records of the mart count, in which window, and what silence means; the SQL beside this file only
carries that out. Windows end where the source's data ends, so a feed two weeks behind does not look like two quiet weeks.
"""

import calendar
import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import pyarrow as pa
from sqlglot import exp

from kizuki.definitions.items import ItemDefinition
from kizuki.definitions.loader import Definitions
from kizuki.engine.duck import DuckEngine
from kizuki.engine.sql import bind, load
from kizuki.engine.steps import Select
from kizuki.mart.queries import KINDS
from kizuki.terms.errors import DefinitionError
from kizuki.terms.tables import ITEM

_PACKAGE = "kizuki.mart"
_BASE = ("item_child", "item_member")
_HITS = (
    "item_hit_event",
    "item_hit_spell",
    "item_hit_family",
    "item_hit_register",
    "item_hit_tax",
    "item_hit_health",
    "item_hit_pregnancy",
    "item_hit_seal",
)
_WINDOWED = frozenset({"event", "sibling_event", "adult_event"})
_HOME = (
    "age_years",
    "age_fy_end",
    "school_transition",
    "siblings",
    "adults",
    "adults_under_65",
    "single_adult",
    "grandparents",
)
_OTHER_KINDS = {
    "register": {*_HOME, "young_siblings", "multiple_birth"},
    "tax": {"tax_free", "undeclared", "income"},
    "mother": {"mother"},
    "seal": {"seal"},
}
"""Measures the item queries make themselves, by origin; every other origin counts kinds of the mart."""
_BEFORE_ANY_RECORD = dt.date(1900, 1, 1)
_TYPES = {"string": pa.string(), "double": pa.float64(), "int": pa.int32(), "date": pa.date32()}


def _schema(**columns: str) -> pa.Schema:
    """A schema from type names and the columns of each."""
    return pa.schema([pa.field(name, _TYPES[type_]) for type_, names in columns.items() for name in names.split()])


_RULE = _schema(
    string="item source guarded_as reduce absence feed age_basis",
    double="at_least at_most",
    int="age_low age_high",
    date="window_from window_to",
)
_MEASURE = _schema(string="item of measure code part", date="window_from window_to")
_DIFFERENCE = _schema(string="item now_item before_item")


def base_selects(person: tuple[str, ...], as_of: dt.date) -> list[Select]:
    """The children on `as_of` and the members of their households; `person` names the parts of the person table.

    Sorted, so that a person nobody lives with changes neither.
    """
    household: dict[str, str | tuple[str, ...]] = {"person": person, "household_member": "household_member"}
    member: dict[str, str | tuple[str, ...]] = {**household, "item_child": "item_child"}
    return [
        Select(name, inputs, _query(name, as_of).order_by("person_id", "household_id"))
        for name, inputs in (("item_child", household), ("item_member", member))
    ]


def groups(definitions: Definitions) -> dict[str, Definitions]:
    """The items by source, each group to be built by itself; one group of all where a difference spans two sources."""
    items: Mapping[str, ItemDefinition] = definitions.items
    for item in items.values():
        if item.difference is not None:
            related = (item, items[item.difference.now], items[item.difference.before])
            if len({one.source for one in related}) > 1:
                return {"all": definitions}
    sources = sorted({item.source for item in items.values()})
    return {s: replace(definitions, items={i: item for i, item in items.items() if item.source == s}) for s in sources}


def sources_read(group: Definitions) -> set[str]:
    """The sources whose spells and events the items of a group count."""
    items: Mapping[str, ItemDefinition] = group.items
    kinds = {kind for item in items.values() if item.record is not None for kind in item.record.kinds}
    return {item.source for item in items.values()} | {s for s, made in KINDS.items() if kinds & set(made)}


def build_items(engine: DuckEngine, definitions: Definitions, as_of: dt.date, *, known_by: dt.date | None = None) -> pa.Table:
    """The `item` table (terms.tables.ITEM) on `as_of`: one row per resident child aged 0 to 17 and item, none missing.

    `engine` holds the mart tables. Only facts known on `as_of` are read (G3), or on the earlier day `known_by`: learning asks
    for the day before, so that nothing told on the day itself leaks into what is to predict it. A window the source does not
    cover for the child, a feed that is off, late or never came, and a blank field are unknown, each with its reason (G2).
    """
    made: list[str] = []
    try:
        for name in _BASE:
            _make(engine, made, name, _query(name, as_of, known_by))
        return build_item_group(engine, definitions, as_of, known_by=known_by)
    finally:
        for name in reversed(made):
            engine.drop(name)


def build_item_group(
    engine: DuckEngine, definitions: Definitions, as_of: dt.date, *, known_by: dt.date | None = None
) -> pa.Table:
    """`build_items` for the items of `definitions` alone, where `engine` holds the results of `base_selects` too.

    Raises DefinitionError K509 on an item that counts a kind of record the mart does not have: it would look like silence.
    """
    items: Mapping[str, ItemDefinition] = definitions.items
    _check_kinds(items.values())
    made: list[str] = []
    try:
        _register(engine, made, "item_rule", _RULE, _rules(engine, definitions, as_of, known_by))
        _register(engine, made, "item_measure", _MEASURE, _measures(engine.query(_all("item_rule")).to_pylist(), items))
        _register(engine, made, "item_difference", _DIFFERENCE, _differences(items))
        _make(engine, made, "item_cover", _query("item_cover", as_of, known_by))
        counted = (_query(name, as_of, known_by) for name in _HITS)
        hits = exp.union(*(exp.select("*").from_(query.subquery("hit")) for query in counted), distinct=False)
        _make(engine, made, "item_hit", hits)
        for name in ("item_reduced", "item_state"):
            _make(engine, made, name, _query(name, as_of, known_by))
        return engine.query(_query("item_change", as_of, known_by)).cast(_arrow_schema())
    finally:
        for name in reversed(made):
            if name in ("item_rule", "item_measure", "item_difference"):
                engine.unregister(name)
            else:
                engine.drop(name)


def _check_kinds(items: Iterable[ItemDefinition]) -> None:
    mart = {kind for kinds in KINDS.values() for kind in kinds}
    for item in items:
        strange = set(item.record.kinds) - _OTHER_KINDS.get(item.record.of, mart) if item.record is not None else set()
        if strange:
            what = f"項目「{item.title}」の種類「{min(strange)}」という記録はありません。"
            raise DefinitionError("K509", what, f"items：{item.id}", "データマートにある記録の種類を書いてください。")


def _query(name: str, as_of: dt.date, known_by: dt.date | None = None) -> Any:
    return bind(load(_PACKAGE, name), as_of=as_of, known=known_by or as_of)


def _all(table: str) -> Any:
    return exp.select("*").from_(table)


def _register(engine: DuckEngine, made: list[str], name: str, schema: pa.Schema, rows: Iterator[dict[str, Any]]) -> None:
    engine.register(name, pa.Table.from_pylist(list(rows), schema))
    made.append(name)


def _make(engine: DuckEngine, made: list[str], name: str, query: Any) -> None:
    engine.materialise(name, query)
    made.append(name)


def _rules(engine: DuckEngine, definitions: Definitions, as_of: dt.date, known_by: dt.date | None) -> Iterator[dict[str, Any]]:
    """One row per item: its window as dates, and whether its feed is on, late, off or never came."""
    until = {r["source"]: r["covered_until"] for r in engine.query(_query("item_until", as_of, known_by)).to_pylist()}
    for item in definitions.items.values():
        if item.difference is not None:
            continue
        reach = until.get(item.source)
        window_from, window_to = window(item, reach or as_of)
        manifest = definitions.sources.get(item.source)
        yield {
            "item": item.id,
            "source": item.source,
            "guarded_as": item.guarded_as,
            "reduce": item.reduce,
            "absence": item.silence,
            "feed": feed_state(manifest is None or manifest.enabled, reach, as_of, item.stale_days),
            "age_basis": item.ages.basis,
            "at_least": item.at_least,
            "at_most": item.at_most,
            "age_low": item.ages.low,
            "age_high": item.ages.high,
            "window_from": window_from,
            "window_to": window_to,
        }


def window(item: ItemDefinition, reach: dt.date) -> tuple[dt.date, dt.date]:
    """The item's window (after the first date, up to and including the second), given how far its source's data reaches."""
    end = months_before(reach, item.shift_months)
    if item.months < 0:
        return _BEFORE_ANY_RECORD, end
    return months_before(end, item.months), end


def earliest_asked(definitions: Definitions, source: str, kinds: Collection[str], reach: Mapping[str, dt.date]) -> dt.date:
    """The day up to which no item counts events of this source; `kinds` are its events', `reach` how far each source's data
    goes.

    Only items bound to their window say so; if any other may look at the source, the answer is the beginning of time.
    """
    records = [(item, item.record) for item in definitions.items.values() if item.record is not None]
    asking = [(item, record) for item, record in records if item.source == source or set(record.kinds) & set(kinds)]
    if not all(record.of in _WINDOWED and item.source in reach for item, record in asking):
        return _BEFORE_ANY_RECORD
    return min((window(item, reach[item.source])[0] for item, _ in asking), default=_BEFORE_ANY_RECORD)


def months_before(day: dt.date, months: int) -> dt.date:
    """The same day of an earlier month, or that month's last day."""
    count = day.year * 12 + day.month - 1 - months
    year, month = divmod(count, 12)
    return dt.date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def feed_state(enabled: bool, reach: dt.date | None, as_of: dt.date, stale_days: int) -> str:
    """on, late, never or off."""
    if not enabled:
        return "off"
    if reach is None:
        return "never"
    return "late" if (as_of - reach).days > stale_days else "on"


def _measures(rules: list[dict[str, Any]], items: Mapping[str, ItemDefinition]) -> Iterator[dict[str, Any]]:
    """One row per item, record kind and code it counts."""
    for rule in rules:
        record = items[rule["item"]].record
        if record is None:
            continue
        for measure in record.kinds:
            for code in record.codes or (None,):
                yield {
                    "item": rule["item"],
                    "of": record.of,
                    "measure": measure,
                    "code": code,
                    "part": record.part or None,
                    "window_from": rule["window_from"],
                    "window_to": rule["window_to"],
                }


def _differences(items: Mapping[str, ItemDefinition]) -> Iterator[dict[str, Any]]:
    for item in items.values():
        if item.difference is not None:
            yield {"item": item.id, "now_item": item.difference.now, "before_item": item.difference.before}


def _arrow_schema() -> pa.Schema:
    return pa.schema([pa.field(c.name, _TYPES[c.type]) for c in ITEM.columns])
