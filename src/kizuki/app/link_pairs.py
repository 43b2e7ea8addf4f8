"""Linking any two tables with the city's cleansing, model and rules: LEFT plays the register, RIGHT an office's list."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa

from kizuki.app.linking import History, context_of, linkage_of
from kizuki.app.pair_records import pair_records, readers_of
from kizuki.app.pair_tables import read_kinds, read_table
from kizuki.definitions.loader import Definitions
from kizuki.engine.tables import empty
from kizuki.link.matching import match_records, weights
from kizuki.link.tables import CLASS_YEAR, FORMER_NAME, PAIR, SCHOOL_ROLL

RIGHT = "right"


def link_pairs(
    definitions: Definitions, left: Path, right: Path, columns: Path, tell: Callable[[str], None] = lambda text: None
) -> list[dict[str, Any]]:
    """Per joined or doubtful RIGHT row its best LEFT row: left_id, right_id, weight (None if never weighed), decision.

    Rows come in the order of right_id; a RIGHT row is in at most one of them. Several RIGHT rows may have the same LEFT row: an
    office may list a person twice. `tell` hears what was passed over. Raises InputRefused (see pair_tables).
    """
    kinds = read_kinds(columns)
    register, office = read_table(left, kinds), read_table(right, kinds)
    for heading in kinds.unused(register.headings, office.headings):
        tell(f"対応表の列「{heading}」は、どちらの表にもありません。")
    readers = readers_of(register.rows, office.rows)
    source = linkage_of(definitions).rules.register_source
    records = [pair_records(register.rows, source, readers), pair_records(office.rows, RIGHT, readers)]
    if not register.rows or not office.rows:
        return []
    return _best_candidates(definitions, pa.concat_tables(records))


def _best_candidates(definitions: Definitions, records: pa.Table) -> list[dict[str, Any]]:
    linkage = linkage_of(definitions)
    nothing = History(empty(SCHOOL_ROLL), empty(CLASS_YEAR), empty(FORMER_NAME))
    context = context_of(records, nothing, empty(PAIR), empty(PAIR))
    matching = match_records(records, linkage, context)
    weighed = _weighed(weights(records, linkage, context))
    register = linkage.rules.register_source

    def row(right_id: str, left_id: str, decision: str) -> dict[str, Any]:
        return {"left_id": left_id, "right_id": right_id, "weight": weighed.get((right_id, left_id)), "decision": decision}

    found = {
        r["record_id"]: row(r["record_id"], r["anchor_id"], "auto")
        for r in matching.assignment.to_pylist()
        if r["source"] == RIGHT and r["anchor_source"] == register
    }
    doubtful = [row(r["record_id"], r["resident_id"], "review") for r in matching.review.to_pylist() if r["source"] == RIGHT]
    for pair in sorted(doubtful, key=_best_first):
        found.setdefault(pair["right_id"], pair)
    return [found[key] for key in sorted(found)]


def _best_first(pair: dict[str, Any]) -> tuple[bool, float, str]:
    weight = pair["weight"]
    return weight is None, -(weight or 0.0), pair["left_id"]


def _weighed(scored: pa.Table) -> dict[tuple[str, str], float]:
    """(right id, left id) → weight."""
    columns = [scored[name].to_pylist() for name in ("record_uid", "resident_id", "weight")]
    return {(uid.removeprefix(f"{RIGHT}:"), resident): weight for uid, resident, weight in zip(*columns, strict=True)}
