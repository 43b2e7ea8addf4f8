"""Learning the numbers of the model from pairs whose 宛名番号 agree; a separate, rare command, never part of a night.

m comes from records that carry a number of the register and a name; u from random pairs of different people. Both are shares
among pairs that can show the degree at all (a pair without kana says nothing about kana). What too few pairs speak about keeps
its earlier number. Numbers are kept within limits: left alone, a disagreement never seen in training gets a weight of -110.
"""

from typing import Any

import pyarrow as pa

from kizuki.definitions.linkage import Comparison, Level, LinkageModel
from kizuki.engine.duck import DuckEngine
from kizuki.engine.sql import bind, load
from kizuki.link.comparisons import state_numbers
from kizuki.link.scoring import PACKAGE, linker_for, renamed

RANDOM_PAIRS = 1_000_000
LEAST_PAIRS = 200
"""Fewer comparable pairs than this teach nothing."""
_LEAST_U, _MOST_U = 1e-6, 0.999
_BOTH, _KANJI, _KANA = "both", "kanji", "kana"
_NEEDS = {"both": _BOTH, "kanji_kana_differs": _BOTH, "kana_kanji_differs": _BOTH, "kanji": _KANJI, "kana": _KANA}

Counts = dict[tuple[str, int, str], int]
"""(attribute, state, which writings of the name both sides have) → pairs."""


def learn(engine: DuckEngine, model: LinkageModel, *, version: str, trained_on: str) -> LinkageModel:
    """A new model from the tables `record` and `resident` of a prepared engine."""
    residents = engine.query(load(PACKAGE, "training_resident"))
    records = engine.query(load(PACKAGE, "training_record"))
    buckets = max(1, residents.num_rows * records.num_rows // RANDOM_PAIRS)
    alike = _counts(residents, records, model, ("label",), same_person=True)
    apart = _counts(_bucketed(residents, buckets), _bucketed(records, buckets), model, ("bucket",), same_person=False)
    comparisons = tuple(_learnt(c, alike, apart, model) for c in model.comparisons)
    return model.model_copy(update={"version": version, "trained_on": trained_on, "comparisons": comparisons})


def _bucketed(table: pa.Table, buckets: int) -> pa.Table:
    """Rows dealt out into buckets in order, so that neighbours (one household) land in different ones."""
    dealt = pa.array((n % buckets for n in range(table.num_rows)), pa.int64())
    return table.set_column(table.schema.get_field_index("bucket"), "bucket", dealt)


def _counts(
    residents: pa.Table, records: pa.Table, model: LinkageModel, blocking: tuple[str, ...], *, same_person: bool
) -> Counts:
    with DuckEngine() as engine:
        linker = linker_for(engine, residents, records, model, blocking=(blocking,), retain=("label",))
        pairs = linker.inference.predict(warning_mode="never")
        query = bind(load(PACKAGE, "training_counts"), same_person=same_person)
        rows = engine.query(renamed(query, "predicted", pairs.physical_name)).to_pylist()
    return {(r["attribute"], r["state"], r["written"]): r["pairs"] for r in rows}


def _learnt(comparison: Comparison, alike: Counts, apart: Counts, model: LinkageModel) -> Comparison:
    states = state_numbers(comparison)

    def number(level: Level) -> Level:
        m = _share(comparison.id, level, states[level.title], alike)
        u = _share(comparison.id, level, states[level.title], apart)
        changes: dict[str, Any] = {}
        if m is not None:
            changes["m"] = round(min(max(m, model.floor), model.ceiling), 6)
        if u is not None:
            changes["u"] = round(min(max(u, _LEAST_U), _MOST_U), 7)
        return level.model_copy(update=changes)

    return comparison.model_copy(update={"levels": tuple(number(level) for level in comparison.levels)})


def _share(attribute: str, level: Level, state: int, counts: Counts) -> float | None:
    """Share of the degree among pairs that can show it; None when too few can. Half a pair is added for the unseen."""
    needs = _NEEDS.get(level.id) if attribute in ("family", "given") else None
    wanted = {k: n for k, n in counts.items() if k[0] == attribute and k[1] >= 0 and needs in (None, k[2])}
    if attribute == "birth" and level.id in ("cohort", "band"):
        return None  # numbered records carry birth dates; the school year and the age band keep their numbers
    total = sum(wanted.values())
    if total < LEAST_PAIRS:
        return None
    return (sum(n for k, n in wanted.items() if k[1] == state) + 0.5) / (total + 1)
