"""How good a linking is against a known truth: pairs, clusters, wrong links by kind, and how each source and difficulty fared.

Pairwise: of all pairs of records given one person, the share that truly are one human (precision), and of all true pairs the
share given one person (recall). B-cubed (Bagga & Baldwin 1998, "Algorithms for scoring coreference chains"; the form with equal
weights, Amigó et al. 2009, doi 10.1007/s10791-008-9066-8): for each record, precision is the share of the records of its found
person that are of its true person, recall the share of the records of its true person that are of its found person, each record
counting itself; the figures are means over records, F1 their harmonic mean.
"""

from dataclasses import dataclass, field
from math import sqrt
from typing import Any

import pyarrow as pa

from kizuki.engine.duck import DuckEngine
from kizuki.engine.sql import bind, load
from kizuki.engine.tables import empty
from kizuki.link.scoring import PACKAGE
from kizuki.link.tables import RESIDENT_CASE

AUTOMATIC_RATE = (
    "住民記録に本人のいる、住民記録以外の記録のうち、機械が住民に結び付けたもの（state=auto）の割合。"
    "分母は正解のある記録、宛名番号を持つ記録も含む。automatic_rate_without_number は宛名番号のない記録だけの割合。"
)
"""The exact meaning of `automatic_rate`, printed beside it."""

AFTER_REVIEW = "審査を待つ組のすべてに、審査者が正しく答えたとしたときの値。"

_DIGITS = 6
_Z95 = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Judged:
    """What is judged and by what: the links and review pairs of a linking, the person records it read, the truth.

    `truth` has one row per record: true_person, source, record_id. `cases` says which residents are in which difficulty.
    """

    link: pa.Table
    review: pa.Table
    records: pa.Table
    truth: pa.Table
    register: str
    cases: pa.Table = field(default_factory=lambda: empty(RESIDENT_CASE))


def evaluate(judged: Judged) -> dict[str, Any]:
    """The figures of the `link evaluate` verb (without `seconds` and `id_churn`). A figure over nothing is null.

    By source and case, over records outside the register: `n` have a resident; precision is the share of joined records joined
    to the right resident, recall the share of the `n` joined to the right one, `interval` their 95 % Wilson intervals.
    """
    with DuckEngine() as engine:
        _register(engine, judged)
        now = _grouped(engine, "evaluation_known", judged.register)
        for name in ("case", "outcome"):
            table = "person_case" if name == "case" else name
            engine.materialise(table, bind(load(PACKAGE, f"evaluation_{name}"), register=judged.register))
        groups = engine.query(load(PACKAGE, "evaluation_groups")).to_pylist()
        wrong = engine.query(bind(load(PACKAGE, "evaluation_wrong"), register=judged.register)).to_pylist()[0]
        later = _grouped(engine, "evaluation_answered", judged.register)
    by_case = {g["name"]: g for g in groups if g["kind"] == "case"}
    waiting = judged.review.group_by(["source", "record_id"]).aggregate([]).num_rows
    return {
        "records": now["records"],
        "unknown_in_truth": judged.truth.num_rows - now["records"],
        "pairwise": _pairwise(now),
        "cluster": _cluster(now),
        **_automatic(next((g for g in groups if g["kind"] == "all"), None), by_case.get("no_number"), wrong),
        "review_pairs": judged.review.num_rows,
        "records_in_review": waiting,
        "review_share": _share(waiting, judged.records.num_rows),
        "after_review": {"pairwise": _pairwise(later), "cluster": _cluster(later), "meaning": AFTER_REVIEW},
        "by_source": {g["name"]: _group(g) for g in groups if g["kind"] == "source"},
        "by_case": {name: _group(g) for name, g in by_case.items()},
    }


def churn(before: pa.Table, after: pa.Table) -> dict[str, Any]:
    """Records known before and after (source, record_id, person_id), how many changed their person, and persons gone since."""
    with DuckEngine() as engine:
        for name, table in (("before", before), ("after", after)):
            engine.register(name, table.select(["source", "record_id", "person_id"]))
        found = engine.query(load(PACKAGE, "evaluation_churn")).to_pylist()[0]
    return {**found, "share": _share(found["moved"], found["records"])}


def wilson(part: int, whole: int) -> list[float] | None:
    """95 % interval of a share (Wilson 1927); None over nothing."""
    if not whole:
        return None
    share, z2 = part / whole, _Z95**2
    middle = (share + z2 / (2 * whole)) / (1 + z2 / whole)
    half = _Z95 / (1 + z2 / whole) * sqrt(share * (1 - share) / whole + z2 / (4 * whole * whole))
    return [round(max(0.0, middle - half), _DIGITS), round(min(1.0, middle + half), _DIGITS)]


def _register(engine: DuckEngine, judged: Judged) -> None:
    for name, table in (
        ("link", judged.link),
        ("truth", judged.truth),
        ("person_record", judged.records),
        ("review_pair", judged.review),
        ("resident_case", judged.cases),
    ):
        engine.register(name, table)


def _grouped(engine: DuckEngine, query: str, register: str) -> dict[str, Any]:
    """The sums over records when each has the person `query` gives it; leaves the table `placed` behind."""
    engine.materialise("placed", bind(load(PACKAGE, query), register=register))
    found: dict[str, Any] = engine.query(load(PACKAGE, "evaluation_totals")).to_pylist()[0]
    return found


def _automatic(whole: dict[str, Any] | None, unnumbered: dict[str, Any] | None, wrong: dict[str, Any]) -> dict[str, Any]:
    def rate(group: dict[str, Any] | None) -> float | None:
        return _share(group["automatic_of_residents"], group["with_resident"]) if group else None

    links, right = (whole["automatic"], whole["automatic_right"]) if whole else (0, 0)
    return {
        "automatic_rate": rate(whole),
        "automatic_rate_meaning": AUTOMATIC_RATE,
        "automatic_rate_without_number": rate(unnumbered),
        "automatic": {"links": links, "wrong": wrong, "precision": _share(right, links), "interval": wilson(right, links)},
        "absent_twin_links": wrong["absent_twin"],
    }


def _group(row: dict[str, Any]) -> dict[str, Any]:
    n, joined, correct = row["with_resident"], row["joined"], row["correct"]
    return {
        "records": row["records"],
        "n": n,
        **_balanced(_share(correct, joined), _share(correct, n)),
        "interval": {"precision": wilson(correct, joined), "recall": wilson(correct, n)},
        "automatic": _share(row["automatic_of_residents"], n),
        "waiting": row["waiting"],
        "recall_after_review": _share(row["reachable"], n),
    }


def _pairwise(totals: dict[str, Any]) -> dict[str, float | None]:
    right = totals["right_pairs"]
    return _balanced(_share(right, totals["found_pairs"]), _share(right, totals["true_pairs"]))


def _cluster(totals: dict[str, Any]) -> dict[str, float | None]:
    records = totals["records"]
    return _balanced(_share(totals["cluster_precision"], records), _share(totals["cluster_recall"], records))


def _balanced(precision: float | None, recall: float | None) -> dict[str, float | None]:
    both = None if precision is None or recall is None else precision + recall
    f1 = None if precision is None or recall is None or not both else round(2 * precision * recall / both, _DIGITS)
    return {"precision": precision, "recall": recall, "f1": f1}


def _share(part: float, whole: float) -> float | None:
    return round(float(part) / float(whole), _DIGITS) if whole else None
