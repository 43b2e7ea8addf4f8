"""名寄せ of a night: what the school lists add to the person records, matching, and the key master of the home."""

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from kizuki.cleanse.kana import clean_kana
from kizuki.cleanse.names import name_key
from kizuki.cleanse.variants import fold_loose
from kizuki.definitions.linkage import Linkage
from kizuki.definitions.loader import Definitions
from kizuki.definitions.sources import SourceManifest
from kizuki.engine.keys import KeyRing
from kizuki.engine.tables import arrow_schema, empty
from kizuki.link.event_store import id_ring
from kizuki.link.master import KeyMaster, LinkOutcome, append_events, read_master
from kizuki.link.matching import Context, match_records
from kizuki.link.tables import CLASS_YEAR, FORMER_NAME, LOOSE_NAME, SCHOOL_ROLL

_APRIL = 4


@dataclass(frozen=True, slots=True)
class History:
    """What conformed tables say beyond persons: each year's 学齢簿, the year a record's grade speaks of, former names."""

    roll: pa.Table
    class_years: pa.Table
    former_names: pa.Table


def linkage_of(definitions: Definitions) -> Linkage:
    """The city's linkage model and rules."""
    found: Linkage = definitions.linkage["linkage"]
    return found


def history_sources(definitions: Definitions) -> list[str]:
    """Sources whose conformed tables linking reads: the register, the 学齢簿, and whatever carries a grade."""
    rules = linkage_of(definitions).rules
    return sorted({rules.register_source, rules.roll_source, *graded_sources(definitions)})


HISTORY_COLUMNS = ("record_id", "name", "kana", "person_no", "fiscal_year", "school_code", "grade", "known_from")
"""All that is read of a conformed table here."""


def history(definitions: Definitions, conformed: Mapping[str, pa.Table]) -> History:
    """The history in `conformed` (by source id); sources not delivered are simply absent."""
    rules = linkage_of(definitions).rules
    roll, register = conformed.get(rules.roll_source), conformed.get(rules.register_source)
    return History(
        roll=_school_roll(roll) if roll is not None else empty(SCHOOL_ROLL),
        class_years=class_years(definitions, conformed),
        former_names=_former_names(register) if register is not None else empty(FORMER_NAME),
    )


def class_years(definitions: Definitions, conformed: Mapping[str, pa.Table]) -> pa.Table:
    """The school year each record that carries a grade speaks of, of the sources in `conformed`."""
    years = [_class_years(definitions.sources[s], conformed[s]) for s in graded_sources(definitions) if s in conformed]
    return pa.concat_tables([empty(CLASS_YEAR), *years])


def graded_sources(definitions: Definitions) -> list[str]:
    """Sources whose records carry a grade."""
    return sorted(m.id for m in definitions.sources.values() if any(spec.grade for spec in m.person_records))


def key_master(home: Path, keys: KeyRing, definitions: Definitions) -> KeyMaster:
    """The key master of a home as it stands now."""
    return read_master(home, keys, linkage_of(definitions).rules.register_source)


def link_night(
    home: Path,
    keys: KeyRing,
    definitions: Definitions,
    records: pa.Table,
    as_of: dt.date,
    *,
    past: History | None = None,
    whole: KeyMaster | None = None,
) -> LinkOutcome:
    """Every record of every source to one person; new events are on disk when this returns.

    A day before the newest night is a replay: it is answered from the key master of that day, and nothing is written. `whole` =
    the key master the night began with; words said since then wait for the next night.
    """
    whole = whole or key_master(home, keys, definitions)
    master = whole.as_of(as_of)
    if not master.newest:
        return _linked(master, keys, definitions, records, as_of, past=past)
    outcome = _linked(master, id_ring(home, keys, whole.persons_made), definitions, records, as_of, past=past)
    append_events(home, keys, outcome.events, renumber=True)
    id_ring(home, keys, whole.plus(outcome.events).persons_made)  # what tonight's ids were drawn from is gone from here on
    return outcome


def link_records(
    home: Path, keys: KeyRing, definitions: Definitions, records: pa.Table, as_of: dt.date, *, past: History | None = None
) -> LinkOutcome:
    """What `link_night` would give, with nothing written; persons it would make have other ids there."""
    return _linked(key_master(home, keys, definitions).as_of(as_of), keys, definitions, records, as_of, past=past)


def _linked(
    master: KeyMaster, ring: KeyRing, definitions: Definitions, records: pa.Table, as_of: dt.date, *, past: History | None
) -> LinkOutcome:
    linkage = linkage_of(definitions)
    must, cannot = master.standing(_residents(records, master))
    context = context_of(records, past or history(definitions, {}), must, cannot)
    return master.reconcile(match_records(records, linkage, context), ring, as_of, linkage.version)


def _residents(records: pa.Table, master: KeyMaster) -> frozenset[str]:
    """Keys of the residents among `records` that some word speaks about."""
    named = pa.array(sorted(r[1] for r in master.bonds.refs() if r[0] == master.register_source), pa.string())
    if not len(named):
        return frozenset()
    register = records.filter(pc.equal(records["source"], pa.scalar(master.register_source, pa.string())))
    found = register.filter(pc.is_in(register["record_id"], value_set=named))["record_id"]
    return frozenset(str(key) for key in found.to_pylist())


def decisions_version(home: Path, keys: KeyRing, as_of: dt.date, *, whole: KeyMaster | None = None) -> str:
    """A mark of what a night's linking rests on besides its records: earlier nights' ids and reviewers' words."""
    master = (whole or read_master(home, keys)).as_of(as_of)
    return hashlib.sha256(json.dumps(_told(master, as_of), default=str).encode()).hexdigest()[:16]


def _told(master: KeyMaster, as_of: dt.date) -> list[object]:
    nights = pc.less(master.events["night"], pa.scalar(as_of, pa.date32())).cast(pa.int64())
    earlier = int(pc.sum(nights).as_py() or 0)
    words = master.events.filter(pc.equal(master.events["kind"], pa.scalar("decide", pa.string())))
    columns = ["source", "record_id", "other_source", "other_record_id", "state"]
    return [earlier, words.select(columns).to_pylist()]


def context_of(records: pa.Table, past: History, must: pa.Table, cannot: pa.Table) -> Context:
    """What matching reads besides the records: the history, and the names that fold further."""
    names = [records["name_key"], past.roll["name_key"], past.former_names["name_key"]]
    distinct = sorted({n for column in names for n in pc.unique(column).to_pylist() if n})
    loose = [(n, folded) for n in distinct if (folded := fold_loose(n)) != n]
    table = pa.Table.from_pylist([{"name_key": n, "loose_key": f} for n, f in loose], arrow_schema(LOOSE_NAME))
    return Context(past.roll, past.class_years, past.former_names, table, must, cannot)


def _former_names(conformed: pa.Table) -> pa.Table:
    """Every name and reading a resident has ever been registered with."""
    columns = ["record_id", "name", "kana"]
    rows = plain(conformed, columns).group_by(columns).aggregate([])
    several = rows.group_by(["record_id"]).aggregate([("name", "count")])
    changed = several.filter(pc.greater(several["name_count"], pa.scalar(1, pa.int64())))["record_id"]
    rows = rows.filter(pc.is_in(rows["record_id"], value_set=changed.combine_chunks()))
    names = [name_key(n) if n else None for n in rows["name"].to_pylist()]
    kana = [clean_kana(k).key if k else None for k in rows["kana"].to_pylist()]
    table = pa.table(
        {"resident_id": rows["record_id"], "name_key": pa.array(names, pa.string()), "kana_key": pa.array(kana, pa.string())}
    )
    return _cast(table.filter(pc.is_valid(table["name_key"])), arrow_schema(FORMER_NAME))


def _school_roll(conformed: pa.Table) -> pa.Table:
    """Every name a child was written with on any year's 学齢簿, at any time known."""
    columns = ["person_no", "fiscal_year", "school_code", "grade", "name"]
    rows = plain(conformed, columns).group_by(columns).aggregate([])
    names = pc.unique(rows["name"]).to_pylist()
    keys = pa.array([name_key(n) if n else None for n in names], pa.string())
    found = keys.take(pc.index_in(rows["name"], value_set=pa.array(names, pa.string())))
    table = rows.drop_columns(["name"]).append_column("name_key", found)
    return _cast(table.filter(pc.is_valid(table["person_no"])), arrow_schema(SCHOOL_ROLL))


def _class_years(manifest: SourceManifest, conformed: pa.Table) -> pa.Table:
    """The year written in the record, else the fiscal year in which its newest version became known."""
    written = "fiscal_year" in {f.name for f in manifest.fields}
    column = "fiscal_year" if written else "known_from"
    rows = plain(conformed, ["record_id", column])
    newest = rows.group_by(["record_id"]).aggregate([(column, "max")]).rename_columns(["record_id", "fiscal_year"])
    if not written:
        days = newest["fiscal_year"]
        before_april = pc.less(pc.month(days), pa.scalar(_APRIL, pa.int64())).cast(pa.int64())
        newest = newest.set_column(1, "fiscal_year", pc.subtract(pc.year(days), before_april))
    source = pa.repeat(pa.scalar(manifest.id, pa.string()), newest.num_rows)
    table = newest.append_column("source", source)
    return _cast(table.filter(pc.is_valid(table["record_id"])), arrow_schema(CLASS_YEAR))


def plain(table: pa.Table, columns: list[str]) -> pa.Table:
    """The columns with dictionary encoding undone, so that texts of different deliveries compare."""
    chosen = table.select(columns)
    fields = [f.type.value_type if pa.types.is_dictionary(f.type) else f.type for f in chosen.schema]
    return chosen.cast(pa.schema([pa.field(n, t) for n, t in zip(columns, fields, strict=True)]))


def _cast(table: pa.Table, schema: pa.Schema) -> pa.Table:
    return table.select(schema.names).cast(schema)
