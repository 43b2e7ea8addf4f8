"""検証の結果: what the back-test of one criteria set gave, kept sealed in the home and read by the screens.

Only sums are kept, never a row about a child. Making it takes minutes for a large city, so a verb makes it (once a month) and
the screens read it. Nothing learned is put to use by being kept here: staff points stay in force until somebody approves.
"""

import json
import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from kizuki.app.backtest import GROUPS, STAFF, WINDOW_MONTHS, History, PastDays
from kizuki.app.learning import LearnRequest
from kizuki.app.learning_tables import Roles, known_by
from kizuki.app.model_sheet import model_sheet
from kizuki.definitions.item_windows import sayable
from kizuki.engine.keys import KeyRing
from kizuki.judge.as_criteria import written
from kizuki.judge.calibration import calibration
from kizuki.judge.capacity import Step, curve
from kizuki.judge.case_table import Floats
from kizuki.judge.fairness import compare, flagged
from kizuki.judge.features import STAFF as STAFF_RUNG
from kizuki.judge.ladder import FEW, Learned, Question, coming, learn
from kizuki.judge.point_table import PointTable, read_table
from kizuki.judge.promise import Promise
from kizuki.terms.errors import InputRefused, RunFailed

FOLDER: Final = "backtests"
MONTHLY: Final = (2, 5, 10, 15, 20, 25, 30, 40, 50, 75, 100, 150, 200)
"""Cases a month the capacity screen offers; a list of a year is twelve times as long."""
DEFAULT_MONTHLY: Final = 25
SEED: Final = 20_260_401
_DAYS = 365


@dataclass(frozen=True, slots=True)
class Result:
    """One criteria set's back-test: `told` is the JSON kept in the home; `empty` says why there are no figures."""

    criteria: str
    told: Mapping[str, Any]

    @property
    def empty(self) -> str:
        """Why no figure may be shown; blank where figures may be."""
        return str(self.told.get("empty") or "")

    @property
    def table(self) -> PointTable | None:
        """The learned points table, None where nothing was learned."""
        return read_table(self.told["table"]) if self.told.get("table") else None


def back_test_of(days: PastDays, criteria: str, monthly: int = DEFAULT_MONTHLY) -> dict[str, Any]:
    """The whole back-test of one set as JSON; a set whose past cannot be seen gives the reason instead."""
    head = {"criteria": criteria, "version": days.criteria(criteria).version, "snapshot": days.view.id}
    head |= {"as_of": days.view.as_of.isoformat(), "definitions": days.definitions.version}
    try:
        past = days.history(criteria)
    except InputRefused as nothing:
        return head | {"events": None, "empty": f"{nothing.what}{nothing.fix}"}
    found, asked = _learned(past, monthly)
    told = head | _told(past, found)
    told |= {"table": found.table.as_dict() if found.table else None, "sheet": model_sheet(found, asked, _titles(days))}
    return told | {"written": _written(past, found, sayable(days.definitions.items))}


def _titles(days: PastDays) -> dict[str, str]:
    """What the columns of a set's past are called: a sheet is read by people who never saw an identifier."""
    return {name: item.title for name, item in days.definitions.items.items()} | {STAFF: "現場の点"}


def _written(past: History, found: Learned, names: Collection[str]) -> dict[str, Any] | None:
    """The learned table as lines of a criteria set; None where nothing was learned that may be used."""
    if found.table is None or found.refused or found.method == STAFF_RUNG or found.events < FEW:
        return None
    return written(found.table, past.cases, coming(past.cases), staff=STAFF, sayable=names).as_dict()


def learned_from(past: History, monthly: int = DEFAULT_MONTHLY) -> Learned:
    """What `judge learn` makes of a city's own past; nothing is kept or put to use."""
    return _learned(past, monthly)[0]


def _learned(past: History, monthly: int) -> tuple[Learned, LearnRequest]:
    """`judge learn` on the history; staff points are one of its columns."""
    cases = past.cases
    label = past.criteria.text.past_case or past.criteria.name
    rows = int((cases.period == cases.period.max()).sum()) if len(cases) else 1
    capacity = max(1, min(monthly * WINDOW_MONTHS, rows // 4))
    question = Question(
        label=label,
        capacity=capacity,
        directions={},
        staff=STAFF,
        version=f"{past.criteria.id}:{cases.periods[-1]}:{SEED}",
        seed=SEED,
        known_by=known_by(cases.periods, _DAYS),
    )
    request = LearnRequest(Path(past.criteria.id), Roles(label, "as_of", "household"), capacity, staff=STAFF, window_days=_DAYS)
    return learn(cases, question), request


def _told(past: History, found: Learned) -> dict[str, Any]:
    cases = past.cases
    told: dict[str, Any] = {
        "events": found.events,
        "rows": found.rows,
        "method": found.method,
        "refused": list(found.refused),
        "notes": list(found.notes),
        "periods": list(found.periods),
        "calibration": found.calibration,
        "children": int((cases.period == len(cases.periods) - 1).sum()),
        "empty": "",
        "steps": [],
        "fairness": {},
    }
    if found.events < FEW:
        many = "10件未満" if found.events < 10 else f"{found.events}件"
        return told | {"empty": f"過去の該当は{many}です。30件に満たないあいだは、見込みの数を出しません。"}
    staff = cases.items[0].values
    if found.test is not None:
        capacities = [m * WINDOW_MONTHS for m in MONTHLY]
        told["steps"] = [_step(s) for s in curve(cases, found.test, staff, capacities, SEED)]
    return told | {"fairness": fairness_of(past, found)}


def _step(step: Step) -> dict[str, Any]:
    return {
        "n": step.n,
        "staff": _promised(step.staff),
        "learned": _promised(step.learned),
        "households": step.households,
        "benefit": list(step.benefit),
    }


def _promised(p: Promise) -> dict[str, Any]:
    return {
        "precision": p.precision,
        "recall": p.recall,
        "precision_interval": list(p.precision_interval),
        "recall_interval": list(p.recall_interval),
        "ties": p.ties,
    }


def _chance(past: History, found: Learned) -> Floats | None:
    """Each row's probability as it would have been said before its outcome: rolled where it was, else cross-fitted."""
    if found.test is None or found.table is None:
        return None
    crossed = found.test.crossed + found.table.intercept
    rolled = found.test.rolled + found.test.rolled_level
    return np.asarray(1 / (1 + np.exp(-np.where(np.isnan(rolled), crossed, rolled))))


def fairness_of(past: History, found: Learned) -> dict[str, Any]:
    """Each grouping over every closed row: the staff list of that day against what came after, E/O of the learned chance."""
    chance = _chance(past, found)
    closed = past.cases.closed if chance is None else past.cases.closed & ~np.isnan(chance)
    label, listed = past.cases.label[closed] == 1, flagged(past.listed[closed])
    out: dict[str, Any] = {}
    for grouping in GROUPS:
        names = [g for g, k in zip(past.groups[grouping], closed.tolist(), strict=True) if k]
        out[grouping] = compare(listed, label, names, None if chance is None else chance[closed])
    if chance is not None and label.any():
        points = np.log(chance[closed] / (1 - chance[closed]))
        out["whole"] = calibration(points, past.cases.label[closed])
    return out


def keep(home: Path, told: Mapping[str, Any]) -> None:
    """Seal one result into the home, replacing the one before."""
    folder = home / FOLDER
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    name = str(told["criteria"])
    body = json.dumps(told, ensure_ascii=False, allow_nan=False, default=float).encode()
    temporary = folder / f"{name}.{os.getpid()}.new"
    temporary.write_bytes(KeyRing.load(home).seal(body, "backtest", name))
    temporary.replace(folder / f"{name}.sealed")


def kept(home: Path, criteria: str) -> Result | None:
    """The last result of a set; None before the first. Raises RunFailed K902 if it was altered."""
    path = home / FOLDER / f"{criteria}.sealed"
    if not path.is_file():
        return None
    try:
        told = json.loads(KeyRing.load(home).unseal(path.read_bytes(), "backtest", criteria))
    except ValueError as e:
        raise RunFailed("K902", "検証の結果を読めません。", criteria, "judge backtest をもう一度実行してください。") from e
    return Result(criteria, told)


def all_kept(home: Path) -> dict[str, Result]:
    """Every result of a home by criteria set."""
    names = sorted(p.stem for p in (home / FOLDER).glob("*.sealed"))
    return {n: r for n in names if (r := kept(home, n)) is not None}
