"""判定 of a whole city: every criteria set in force over the item table."""

import datetime as dt
from collections.abc import Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from kizuki.definitions.criteria import CriteriaSet
from kizuki.definitions.loader import Definitions
from kizuki.engine.duck import DuckEngine
from kizuki.judge.pivot import items_query
from kizuki.judge.points import (
    ANSWERS,
    HITS,
    ITEMS,
    answers_query,
    hits_query,
    judgement_query,
    reason_query,
    terms_read,
)
from kizuki.judge.selection import active, on_trial, with_parts
from kizuki.terms.tables import JUDGEMENT, JUDGEMENT_REASON, JUDGEMENT_TRIAL, TableSchema

_TYPES = {"string": pa.string(), "int": pa.int32(), "date": pa.date32()}


def judge_all(engine: DuckEngine, definitions: Definitions, as_of: dt.date) -> Mapping[str, pa.Table]:
    """`judgement` and `judgement_reason` (terms.tables) of every child; `engine` holds `item`.

    Sets not in force on `as_of` give no rows; entries on a feed the city does not receive are left out where they say so.
    """
    return judge_sets(engine, active(definitions, as_of), definitions)


def judge_trials(engine: DuckEngine, definitions: Definitions, as_of: dt.date) -> pa.Table:
    """`judgement_trial`: every version on trial, each judged by itself beside what is in force; nobody is listed by it."""
    made = [_empty(JUDGEMENT_TRIAL)]
    for trial in on_trial(definitions, as_of):
        found = judge_sets(engine, with_parts(trial, definitions, as_of), definitions, reasons=False)[JUDGEMENT.name]
        made.append(found.filter(pc.equal(found.column("criteria"), pa.scalar(trial.id))))
    return pa.concat_tables(made).combine_chunks()


def judge_sets(
    engine: DuckEngine, sets: Sequence[CriteriaSet], definitions: Definitions, *, reasons: bool = True
) -> Mapping[str, pa.Table]:
    """`judgement` of the given versions (no two of one set), and `judgement_reason` unless only verdicts are asked for."""
    if not sets:
        return {t.name: _empty(t) for t in (JUDGEMENT, JUDGEMENT_REASON)}
    ages = [definitions.items[name].term() for name in ("age_years", "age_fy_end")]
    made: list[str] = []
    try:
        for name, query in (
            (ITEMS, items_query(terms_read(sets, ages))),
            (ANSWERS, answers_query(sets)),
            *([(HITS, hits_query(sets))] if reasons else []),
        ):
            engine.materialise(name, query)
            made.append(name)
        return {
            JUDGEMENT.name: _typed(engine.query(judgement_query(sets)), JUDGEMENT),
            JUDGEMENT_REASON.name: (
                _typed(engine.query(reason_query()), JUDGEMENT_REASON) if reasons else _empty(JUDGEMENT_REASON)
            ),
        }
    finally:
        for name in reversed(made):
            engine.drop(name)


def _schema(table: TableSchema) -> pa.Schema:
    return pa.schema([pa.field(c.name, _TYPES[c.type]) for c in table.columns])


def _typed(rows: pa.Table, table: TableSchema) -> pa.Table:
    return rows.select(list(table.column_names())).cast(_schema(table))


def _empty(table: TableSchema) -> pa.Table:
    return _schema(table).empty_table()
