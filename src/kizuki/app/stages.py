"""What each stage of the night does: thin adapters between the stages, which know tables and not each other.

Every stage gets the `Night` and hands its tables on by name through the runner; returns the rows it dealt with.
"""

import datetime as dt
import hashlib
import json
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from kizuki.app import learned_watch
from kizuki.app.city_definitions import WritingTables, writing_tables
from kizuki.app.corrections import corrections_table
from kizuki.app.deliveries import Delivery, accepted_deliveries, read_landing
from kizuki.app.eligibility import judge_programmes
from kizuki.app.freshness import feed_table
from kizuki.app.judging import judge_all, judge_trials
from kizuki.app.learned_records import adopted_stops
from kizuki.app.linking import HISTORY_COLUMNS, decisions_version, history, history_sources, key_master, link_night
from kizuki.app.receive import receive_inbox
from kizuki.app.snapshot_view import SNAPSHOTS
from kizuki.cleanse.addresses import town_of
from kizuki.cleanse.conform import conform_counted
from kizuki.cleanse.person_records import PersonContext, learn_addresses, learn_context, person_records_counted
from kizuki.definitions.loader import Definitions
from kizuki.engine.duck import DuckEngine
from kizuki.engine.encode import encoded, in_order
from kizuki.engine.keys import KeyRing
from kizuki.engine.measure import release_memory
from kizuki.engine.snapshots import Manifest, SnapshotStore, parts
from kizuki.engine.steps import Inputs, Runner, Step, code_version, together
from kizuki.engine.tables import empty, shape
from kizuki.judge.selection import not_applied, without_learned
from kizuki.mart.graph import CONFORMED, LINK, PERSON_RECORD, address_step, mart_steps, parts_of
from kizuki.mart.items import base_selects, build_item_group, earliest_asked, groups, sources_read
from kizuki.mart.queries import REGISTER, SPELL_SOURCES
from kizuki.terms.tables import ALL_TABLES
from kizuki.terms.wareki import read_date

CODE = ("kizuki.cleanse", "kizuki.link", "kizuki.mart", "kizuki.judge", "kizuki.programmes")
SYNTHETIC_MARK = "synthetic.json"
"""A file of this name in a home says that every delivery there comes from the synthetic city."""

_SHARED_MEMORY = "1000MB"
"""For steps that hold the whole mart beside the engine: together they stay within 2 GB."""
_COUNTED = "cleansing.{}.{}"
"""Parts of the table `cleansing`: what was done to the fields of a source, and to its names, readings and addresses."""
_RESIDENTS = "person.resident"
"""The part of `person` that households are made of: who is only a visitor somewhere changes no item and no eligibility."""
_PREGNANCIES = "maternal_child_health"
"""The source that tells of pregnancies to the programmes."""
_ORDER = {
    "item": ("person_id", "item"),
    "judgement": ("person_id", "criteria"),
    "judgement_reason": ("person_id", "criteria", "entry", "answer"),
    "judgement_trial": ("person_id", "criteria", "version"),
    "eligibility": ("household_id", "programme", "person_id"),
}
_MONTHS = {"daily": 0, "weekly": 0, "monthly": 1, "quarterly": 3, "termly": 4, "yearly": 12, "once": 0}


@dataclass(slots=True)
class Night:
    """One run: where, by which definitions, for which day, and what has come of it so far."""

    home: Path
    keys: KeyRing
    definitions: Definitions
    as_of: dt.date
    now: dt.datetime
    runner: Runner
    progress: Callable[[str], None]
    received: list[Any] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)
    snapshot: str = ""
    decisions: str = ""

    @property
    def sources(self) -> list[str]:
        """Sources with at least one accepted delivery, in a fixed order."""
        return sorted({d.source for d in self.deliveries})

    def run(self, steps: Sequence[Step]) -> int:
        """Run steps; returns the rows they gave."""
        return sum(done.rows for done in self.runner.run(steps))


def receive(night: Night) -> int:
    """受領: take the drop folder in, then fix what is known by the as-of date (G3)."""
    night.received = receive_inbox(night.home, night.definitions, night.now)
    night.deliveries = accepted_deliveries(night.home, until=night.as_of)
    return sum(d.rows for d in night.deliveries)


def cleanse(night: Night) -> int:
    """整形: each source's deliveries into versions of its records, then into persons as it writes them."""
    rows = night.run([_conform_step(night, source) for source in night.sources])
    taught = _Taught(writing_tables(night.home))
    night.run([_person_record_step(night, source, taught) for source in night.sources])
    read_date.cache_clear()  # kept from 受領 until here, where the last date is read; at city size a hundred megabytes
    return rows


def _conform_step(night: Night, source: str) -> Step:
    manifest = night.definitions.sources[source]
    deliveries = [d for d in night.deliveries if d.source == source]
    corrections = corrections_table(night.home, night.keys, source, until=night.as_of)

    def compute(_: Inputs) -> Mapping[str, pa.Table]:
        landed = ((d.delivery, d.as_of, d.kind, read_landing(night.home, night.keys, d.delivery)) for d in deliveries)
        table, counts = conform_counted(manifest, landed, corrections)
        return {CONFORMED.format(source): table, _COUNTED.format(source, "fields"): counts}

    return Step(
        name=f"conform.{source}",
        inputs=(),
        outputs=(CONFORMED.format(source), _COUNTED.format(source, "fields")),
        version=code_version("kizuki.cleanse"),
        compute=compute,
        params=(manifest.model_dump_json(), *(d.delivery for d in deliveries), _digest(corrections)),
    )


@dataclass(slots=True)
class _Taught:
    """The city's own tables, and what the register teaches: the same for every source of the night, read and learnt once."""

    own: WritingTables
    by_register: PersonContext | None = None
    _learning: threading.Lock = field(default_factory=threading.Lock)

    def context(self, register: Callable[[], pa.Table] | None) -> PersonContext:
        """What names and addresses are read with."""
        if register is None:
            return learn_context(None, self.own.gaiji, self.own.variants)
        with self._learning:
            if self.by_register is None:
                self.by_register = learn_context(register(), self.own.gaiji, self.own.variants)
            return self.by_register


def _person_record_step(night: Night, source: str, taught: _Taught) -> Step:
    manifest = night.definitions.sources[source]
    own, register = CONFORMED.format(source), CONFORMED.format(REGISTER)
    named = any(spec.name or spec.kana or spec.address for spec in manifest.person_records)
    tables = {own, register} if named and REGISTER in night.sources else {own}

    def compute(inputs: Inputs) -> Mapping[str, pa.Table]:
        context = taught.context((lambda: inputs[register]) if register in tables else None)
        records, counts = person_records_counted(manifest, inputs[own], context)
        return {PERSON_RECORD.format(source): records, _COUNTED.format(source, "persons"): counts}

    return Step(
        name=f"person_record.{source}",
        inputs=tuple(sorted(tables)),
        outputs=(PERSON_RECORD.format(source), _COUNTED.format(source, "persons")),
        version=code_version("kizuki.cleanse"),
        compute=compute,
        params=(manifest.model_dump_json(), taught.own.version),
    )


def link(night: Night) -> int:
    """名寄せ: every record of every source to one person."""
    sources = night.sources
    told = [s for s in history_sources(night.definitions) if s in sources]
    whole = key_master(night.home, night.keys, night.definitions)
    night.decisions = decisions_version(night.home, night.keys, night.as_of, whole=whole)  # fixed here: later words wait

    def compute(inputs: Inputs) -> Mapping[str, pa.Table]:
        past = history(night.definitions, {s: inputs.of(CONFORMED.format(s), HISTORY_COLUMNS) for s in told})
        records = together([inputs[PERSON_RECORD.format(s)] for s in sources])
        found = link_night(night.home, night.keys, night.definitions, records, night.as_of, past=past, whole=whole)
        return {
            "review_pair": found.review,
            "redirect": found.redirect,
            **{LINK.format(s): _of_source(found.link, s) for s in sources},
        }

    step = Step(
        name="link",
        inputs=(*(PERSON_RECORD.format(s) for s in sources), *(CONFORMED.format(s) for s in told)),
        outputs=("review_pair", "redirect", *(LINK.format(s) for s in sources)),
        version=code_version("kizuki.link"),
        compute=compute,
        params=(night.definitions.version, night.as_of.isoformat(), night.decisions),
    )
    return night.run([step])


def _of_source(links: pa.Table, source: str) -> pa.Table:
    return links.filter(pc.equal(links.column("source"), pa.scalar(source)))


def mart(night: Night) -> int:
    """データマート: persons, households, residences, spells, events, seals and coverage."""
    night.run(_given(night))

    def towns_of(addresses: Sequence[str]) -> list[str | None]:
        rules = learn_addresses(addresses)
        return [town_of(a, rules) for a in addresses]

    address = address_step(towns_of, code_version("kizuki.cleanse"))
    return night.run(mart_steps(night.sources, night.as_of, night.keys.key("household"), address))


def _given(night: Night) -> list[Step]:
    """Small tables that come from the ledger and the definitions rather than from a step."""
    tables = {"delivery": _delivery_table(night), "feed_window": _feed_window(night), "category": _categories(night)}
    return [_constant(name, table) for name, table in tables.items()]


def _constant(name: str, table: pa.Table) -> Step:
    return Step(name, (), (name,), "1", lambda _: {name: table}, (_digest(table),))


def _delivery_table(night: Night) -> pa.Table:
    schema = _schema(source=pa.string(), as_of=pa.date32(), delivery_id=pa.string())
    first: dict[tuple[str, dt.date], str] = {}
    for d in night.deliveries:
        first.setdefault((d.source, d.as_of), d.delivery)
    rows = [{"source": s, "as_of": day, "delivery_id": i} for (s, day), i in sorted(first.items())]
    return pa.Table.from_pylist(rows, schema)


def _feed_window(night: Night) -> pa.Table:
    """From when and until when each source's deliveries can tell: its first data reach back one period."""
    schema = _schema(source=pa.string(), first_from=pa.date32(), last_as_of=pa.date32())
    rows = []
    for source in night.sources:
        days = [d.as_of for d in night.deliveries if d.source == source]
        back = _MONTHS[str(night.definitions.sources[source].cadence)]
        rows.append({"source": source, "first_from": _months_before(min(days), back), "last_as_of": max(days)})
    return pa.Table.from_pylist(rows, schema)


def _months_before(day: dt.date, months: int) -> dt.date:
    """The first of the month `months` earlier; the day itself for none."""
    if not months:
        return day
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return dt.date(year, month + 1, 1)


def _categories(night: Night) -> pa.Table:
    schema = _schema(source=pa.string(), field=pa.string(), code=pa.string(), label=pa.string())
    rows = [
        {"source": source.id, "field": column.name, "code": code, "label": label}
        for source in night.definitions.sources.values()
        for column in source.fields
        for code, label in column.categories.items()
    ]
    return pa.Table.from_pylist(rows, schema)


def items(night: Night) -> int:
    """項目: one value or one reason per child and item; apart by source, so that a new delivery touches only its own items."""
    base = base_selects((_RESIDENTS,), night.as_of)
    night.run([select.step() for select in base])
    return night.run([_item_step(night, name, group) for name, group in groups(night.definitions).items()])


def _item_step(night: Night, name: str, group: Definitions) -> Step:
    sources = sources_read(group)
    tables = {table: [table] for table in ("item_child", "item_member", "seal")}
    tables |= {table: _parts(night, table, sources) for table in ("spell", "event", "coverage")}

    def compute(engine: DuckEngine, as_of: dt.date) -> Mapping[str, pa.Table]:
        return {"item": build_item_group(engine, group, as_of)}

    return _engine_step(night, f"item.{name}", tables, {"item": f"item.{name}"}, compute)


def judge(night: Night) -> int:
    """判定: every criteria set in force over the items; those that are not are named."""
    for sentence in not_applied(night.definitions, night.as_of):
        night.progress(sentence)
    stopped = sorted(adopted_stops(night.home))
    definitions = without_learned(night.definitions, stopped)

    def compute(engine: DuckEngine, as_of: dt.date) -> Mapping[str, pa.Table]:
        trial = judge_trials(engine, definitions, as_of)
        return {**judge_all(engine, definitions, as_of), "judgement_trial": trial}

    outputs = {table: table for table in ("judgement", "judgement_reason", "judgement_trial")}
    step = _engine_step(night, "judge", {"item": _parts(night, "item")}, outputs, compute)
    return night.run([replace(step, params=(*step.params, *stopped))])


def programmes(night: Night) -> int:
    """未受給: every programme over every household with children."""
    tables = {"household_member": ["household_member"], "person": [_RESIDENTS], "spell": _parts(night, "spell")}
    tables["coverage"] = _parts(night, "coverage", {REGISTER, *SPELL_SOURCES, _PREGNANCIES})
    tables["event"] = _parts(night, "event", {_PREGNANCIES})

    def compute(engine: DuckEngine, as_of: dt.date) -> Mapping[str, pa.Table]:
        return {"eligibility": judge_programmes(engine, night.definitions, as_of)}

    return night.run([_engine_step(night, "programmes", tables, {"eligibility": "eligibility"}, compute)])


Judge = Callable[[DuckEngine, dt.date], Mapping[str, pa.Table]]


def _engine_step(
    night: Night, name: str, tables: Mapping[str, Sequence[str]], outputs: Mapping[str, str], compute: Judge
) -> Step:
    """A step over tables under their own names in one engine; `outputs` names what becomes of each table it gives.

    A table no source has parts of yet is there without rows; events no item asks about are left out.
    """

    def run(inputs: Inputs) -> Mapping[str, pa.Table]:
        with DuckEngine(_SHARED_MEMORY) as engine:
            for table, parts_read in tables.items():
                rows = [_asked(night, part, inputs[part]) for part in parts_read]
                engine.register(table, together(rows) if rows else empty(ALL_TABLES[table]))
            release_memory()  # of the events left out
            made = compute(engine, night.as_of)
        return {outputs[table]: _published_form(table, rows) for table, rows in made.items()}

    return Step(
        name=name,
        inputs=tuple(part for parts_read in tables.values() for part in parts_read),
        outputs=tuple(outputs.values()),
        version=code_version(*CODE, "kizuki.definitions"),
        compute=run,
        params=(night.definitions.version, night.as_of.isoformat()),
    )


def _asked(night: Night, part: str, rows: pa.Table) -> pa.Table:
    table, _, source = part.partition(".")
    if table != "event":
        return rows
    reach = {s: max(d.as_of for d in night.deliveries if d.source == s) for s in night.sources}
    kinds = {str(kind) for kind in pc.unique(rows.column("kind")).to_pylist()}
    since = earliest_asked(night.definitions, source, kinds, reach)
    return rows.filter(pc.greater(rows.column("happened_on"), pa.scalar(since)))


def _published_form(table: str, rows: pa.Table) -> pa.Table:
    """Rows in the declared shape, one person's together and always in the same order."""
    shaped = shape(rows, ALL_TABLES[table])
    return in_order(encoded(shaped.schema, shaped.to_batches()), _ORDER[table])


def freshness(night: Night) -> int:
    """鮮度: one row per source."""
    table = feed_table(night.home, night.definitions.sources, night.as_of)
    return night.run([_constant("feed", table)])


def publish(night: Night) -> int:
    """公開: the tables as one immutable snapshot, served from the moment CURRENT names it."""
    tables = {
        name: parts([night.runner.tables[part] for part in _parts(night, name)]) for name in ALL_TABLES if _parts(night, name)
    }
    manifest = Manifest(
        id=snapshot_id(night),
        as_of=night.as_of.isoformat(),
        published_at=night.now.isoformat(),
        definitions=night.definitions.version,
        synthetic=(night.home / SYNTHETIC_MARK).exists(),
        tables=tables,
        deliveries=tuple(d.delivery for d in night.deliveries),
    )
    store = SnapshotStore(night.home / SNAPSHOTS, night.keys)
    store.publish(manifest, night.runner.cache)
    store.prune()
    night.snapshot = manifest.id
    return sum(manifest.rows().values())


def watch(night: Night) -> int:
    """見張り: learned tables that no longer fit today's children are stopped, one by one; nothing else stops."""
    answers = learned_watch.watch(night.home, night.definitions, night.snapshot, night.now)
    for name, reasons in answers.items():
        if reasons:
            night.progress(f"判定基準「{name}」の学んだ表を止めました：{'、'.join(reasons)}")
    halted = learned_watch.watch_adopted(night.home, night.definitions, night.snapshot, night.now)
    for name, reasons in halted.items():
        night.progress(f"判定基準「{name}」の学んだ版を止め、現場の点の版で判定し直します：{'、'.join(reasons)}")
    if halted:  # nobody's list waits for tomorrow in an order that no longer holds
        judge(night)
        publish(night)
    return len(answers) + len(halted)


def snapshot_id(night: Night) -> str:
    """The same deliveries, decisions, definitions and code on the same day are the same snapshot."""
    corrections = [corrections_table(night.home, night.keys, s, until=night.as_of) for s in night.sources]
    told = [
        night.as_of.isoformat(),
        night.definitions.version,
        code_version(*CODE),
        night.decisions,
        *sorted(adopted_stops(night.home)),
        *(_digest(table) for table in corrections),
        writing_tables(night.home).version,
        *sorted(d.delivery for d in night.deliveries),
    ]
    return f"{night.as_of:%Y%m%d}-{hashlib.sha256('|'.join(told).encode()).hexdigest()[:12]}"


def _schema(**types: pa.DataType) -> pa.Schema:
    return pa.schema([pa.field(name, type_) for name, type_ in types.items()])


def _digest(table: pa.Table | None) -> str:
    """A mark of a small table's content."""
    rows = [] if table is None else table.to_pylist()
    return hashlib.sha256(json.dumps(rows, default=str, sort_keys=True).encode()).hexdigest()


def _parts(night: Night, table: str, sources: Collection[str] | None = None) -> list[str]:
    """The stored parts of a mart table; of the given sources only, if any are given."""
    found = parts_of(table, night.runner.tables)
    return found if sources is None else [part for part in found if part.partition(".")[2] in sources]
