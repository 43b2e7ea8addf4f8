"""判定の評価: lists against a truth that no stage may read (the synthetic city's, or outcomes a city has collected).

Truth files: people.csv (true_person, source, record_id) and difficulty.csv (true_person, difficulty, since, probability).
The label is a first onset within a year after the snapshot's day among children not in difficulty that day; `current` is
about those already in it.
"""

import csv
import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from sqlglot import exp

from kizuki.app.snapshot_view import SnapshotView
from kizuki.definitions.loader import Definitions
from kizuki.judge.validation import at_capacity, auc, by_group, report
from kizuki.terms.errors import InputRefused
from kizuki.terms.states import JudgementVerdict

CAPACITIES = (100, 300, 600)
_AHEAD = dt.timedelta(days=365)
_AGE_BANDS = ((0, "0-2"), (3, "3-5"), (6, "6-11"), (12, "12-14"), (15, "15-17"))


@dataclass(frozen=True, slots=True)
class Truth:
    """One child and difficulty: since when (None = not within a year), and the true yearly chance of onset."""

    since: dt.date | None
    chance: float


def evaluate(view: SnapshotView, definitions: Definitions, truth: Path) -> dict[str, Any]:
    """Figures per criteria set; raises InputRefused K506 if the truth files are missing or unreadable."""
    known = _truth_by_person(view, truth)
    people = _groups(view)
    verdicts: dict[str, list[dict[str, Any]]] = {}
    for row in _rows(view, "judgement", ("person_id", "criteria", "verdict", "points", "max_points", "rank")):
        verdicts.setdefault(row["criteria"], []).append(row)
    out = {}
    for name, rows in sorted(verdicts.items()):
        criteria = definitions.criteria.get(name)
        answers = known.get(criteria.name if criteria else name) or known.get(name)
        if answers:
            out[name] = _evaluate_set(rows, answers, people, view.as_of)
    return out


def onsets(view: SnapshotView, truth: Path, difficulty: str) -> dict[str, bool]:
    """Child → whether the difficulty began within a year, for children not already in it (as `evaluate` labels them)."""
    known = _truth_by_person(view, truth).get(difficulty, {})
    return {p: t.since is not None and t.since <= view.as_of + _AHEAD for p, t in known.items() if not _already(t, view.as_of)}


def chances(view: SnapshotView, truth: Path, difficulty: str) -> dict[str, float]:
    """Child → true chance that the difficulty begins within a year, for the same children as `onsets`."""
    known = _truth_by_person(view, truth).get(difficulty, {})
    return {p: t.chance for p, t in known.items() if not _already(t, view.as_of)}


def _already(truth: Truth, day: dt.date) -> bool:
    return truth.since is not None and truth.since <= day


def _evaluate_set(
    rows: Sequence[dict[str, Any]], answers: Mapping[str, Truth], people: Mapping[str, Mapping[str, str]], day: dt.date
) -> dict[str, Any]:
    judged = [(r, answers[r["person_id"]]) for r in rows if r["person_id"] in answers]
    score = np.array([r["points"] + r["max_points"] / 1000 for r, _ in judged], dtype=np.float64)
    order = np.array([_order(r) for r, _ in judged], dtype=np.float64)
    chance = np.array([t.chance for _, t in judged], dtype=np.float64)
    now = np.array([t.since is not None and t.since <= day for _, t in judged], dtype=np.bool_)
    soon = np.array([t.since is not None and day < t.since <= day + _AHEAD for _, t in judged], dtype=np.bool_)
    listed = np.array([r["verdict"] == JudgementVerdict.CANDIDATE.value for r, _ in judged], dtype=np.bool_)
    free = ~now
    found = report(score[free], order[free], soon[free], chance[free], capacities=CAPACITIES)
    chosen = [people.get(r["person_id"], {}) for r, _ in judged]
    groups = {k: [p.get(k, "不明") for p in chosen] for k in ("sex", "age", "moved_in")}
    current = auc(score, now)
    reached = [at_capacity(order, now, n) for n in CAPACITIES]
    counts = {v.value: sum(r["verdict"] == v.value for r in rows) for v in JudgementVerdict}
    return found | {
        "label": "基準日から1年以内に始まる困難（基準日に既に困難のあるこどもを除く）",
        "current": {"events": int(now.sum()), "auc": None if current is None else round(current, 4), "at_capacity": reached},
        "verdicts": counts,
        "calibration": None,
        "by_group": by_group(listed, now | soon, groups),
    }


def _order(row: Mapping[str, Any]) -> float:
    """The list's own order, then everybody else by points."""
    return -float(row["rank"]) if row["rank"] is not None else -1e6 + row["points"] + row["max_points"] / 1000


def _truth_by_person(view: SnapshotView, folder: Path) -> dict[str, dict[str, Truth]]:
    """difficulty → person → truth; a true person is the one the register's record was linked to."""
    linked = {(r["source"], r["record_id"]): r["person_id"] for r in _rows(view, "link", ("source", "record_id", "person_id"))}
    register: dict[str, str] = {}
    for row in _csv(folder / "people.csv", ("true_person", "source", "record_id")):
        person = linked.get((row["source"], row["record_id"]))
        if person is not None and (row["source"] == "resident_register" or row["true_person"] not in register):
            register[row["true_person"]] = person
    out: dict[str, dict[str, Truth]] = {}
    for row in _csv(folder / "difficulty.csv", ("true_person", "difficulty", "since", "probability")):
        person = register.get(row["true_person"])
        if person is not None:
            since = dt.date.fromisoformat(row["since"]) if row["since"] else None
            out.setdefault(row["difficulty"], {})[person] = Truth(since, float(row["probability"]))
    return out


def _csv(path: Path, columns: Sequence[str]) -> Iterator[dict[str, str]]:
    try:
        with open(path, encoding="utf-8-sig", newline="") as f:
            reader = csv.DictReader(f)
            if set(columns) - set(reader.fieldnames or ()):
                raise InputRefused("K506", "正解のファイルの列が足りません。", path.name, f"必要な列：{'、'.join(columns)}")
            yield from reader
    except (OSError, UnicodeDecodeError) as e:
        raise InputRefused("K506", "正解のファイルを読めません。", path.name, "--truth にフォルダを指定してください。") from e


def _rows(view: SnapshotView, table: str, columns: Sequence[str]) -> list[dict[str, Any]]:
    found: pa.Table = view.cursor().query(exp.select(*columns).from_(table))
    rows: list[dict[str, Any]] = found.to_pylist()
    return rows


def _groups(view: SnapshotView) -> dict[str, dict[str, str]]:
    """Sex, age band and 転入1年未満 of everybody in the register."""
    out = {}
    for row in _rows(view, "person", ("person_id", "sex", "birth_date", "resident_from", "valid_to", "known_to")):
        if row["valid_to"] is None and row["known_to"] is None and row["birth_date"] is not None:
            age = (view.as_of - row["birth_date"]).days // 365.2425
            came, born = row["resident_from"], row["birth_date"]
            fresh = came is not None and came > born and (view.as_of - came).days < _AHEAD.days
            band = [label for low, label in _AGE_BANDS if age >= low]
            new = "転入1年未満" if fresh else "それ以外"
            out[row["person_id"]] = {"sex": str(row["sex"]), "age": band[-1] if band else "不明", "moved_in": new}
    return out
