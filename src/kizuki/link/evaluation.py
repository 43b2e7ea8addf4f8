"""How good a linking is against a known truth: pairs, clusters, and how each source and each kind of difficulty fared."""

from typing import Any

import pyarrow as pa

from kizuki.engine.duck import DuckEngine
from kizuki.engine.sql import bind, load
from kizuki.link.scoring import PACKAGE

_DIGITS = 6


def evaluate(link: pa.Table, truth: pa.Table, records: pa.Table, review: pa.Table, register_source: str) -> dict[str, Any]:
    """The figures of the `link evaluate` verb (without `seconds`).

    `truth` has one row per record: true_person, source, record_id. Pairwise figures count pairs of records of one person;
    `cluster` is B-cubed; by source and case, precision is the share of joined records joined to the right resident, recall the
    share of records with a resident joined to the right one. `automatic_rate`: the share of records with a resident that a
    machine joined. A figure over nothing is null.
    """
    with DuckEngine() as engine:
        for name, table in (("link", link), ("truth", truth), ("person_record", records), ("review_pair", review)):
            engine.register(name, table)
        totals = engine.query(load(PACKAGE, "evaluation_totals")).to_pylist()[0]
        engine.materialise("outcome", bind(load(PACKAGE, "evaluation_outcome"), register=register_source))
        groups = engine.query(load(PACKAGE, "evaluation_groups")).to_pylist()
    whole = next((g for g in groups if g["kind"] == "all"), None)
    return {
        "records": totals["records"],
        "pairwise": _figures(totals["right_pairs"], totals["found_pairs"], totals["true_pairs"]),
        "cluster": _balanced(
            _share(totals["cluster_precision"], totals["records"]), _share(totals["cluster_recall"], totals["records"])
        ),
        "automatic_rate": _share(whole["automatic"], whole["with_resident"]) if whole else None,
        "review_pairs": review.num_rows,
        "by_source": {g["name"]: _group(g) for g in groups if g["kind"] == "source"},
        "by_case": {g["name"]: _group(g) for g in groups if g["kind"] == "case"},
    }


def _group(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "records": row["records"],
        **_figures(row["correct"], row["joined"], row["with_resident"]),
        "automatic": _share(row["automatic"], row["with_resident"]),
        "waiting": row["waiting"],
    }


def _figures(correct: float, found: float, actual: float) -> dict[str, float | None]:
    return _balanced(_share(correct, found), _share(correct, actual))


def _balanced(precision: float | None, recall: float | None) -> dict[str, float | None]:
    both = None if precision is None or recall is None else precision + recall
    f1 = None if precision is None or recall is None or not both else round(2 * precision * recall / both, _DIGITS)
    return {"precision": precision, "recall": recall, "f1": f1}


def _share(part: float, whole: float) -> float | None:
    return round(float(part) / float(whole), _DIGITS) if whole else None
