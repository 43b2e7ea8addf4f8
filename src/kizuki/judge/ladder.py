"""Learning a 採点表 from past cases: which rung the number of cases allows, how it did where it was not trained, what
is promised.

Fewer than 30 cases: staff points only. 30 to 299: staff points and items shrunk together. From 300: each item with
its own shrinkage. A rung whose parameters ask for more cases than there are (Riley) is stepped down from; when none
is left the table is made for study only and `refused` says why. Nothing learned is taken if it finds fewer than the
staff points did, cross-fitted or rolled forward in time.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from kizuki.judge.backtest import BackTest, back_test, train
from kizuki.judge.calibration import calibration
from kizuki.judge.case_table import CaseTable, Flags, Floats, Ints
from kizuki.judge.drift import training_shares
from kizuki.judge.features import ADDITIVE, HYBRID, STAFF, Features, features
from kizuki.judge.leakage import Leak, leaks
from kizuki.judge.net_benefit import net_benefit
from kizuki.judge.penalised import Fit
from kizuki.judge.point_table import PointTable
from kizuki.judge.promise import Promise, promise, tied
from kizuki.judge.sample_size import Required, required
from kizuki.judge.validation import auc

FEW, MANY = 30, 300
_MIN_TO_TEST = 10
_STEADY_SLOPE = (0.5, 2.0)


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: the label's name, capacity, agreed signs, the staff column, and the version to write."""

    label: str
    capacity: int
    directions: Mapping[str, int]
    staff: str | None
    version: str
    seed: int
    known_by: Flags


@dataclass(frozen=True, slots=True)
class Learned:
    """Everything found; `table` is None where there is nothing to learn from, `promise` where nothing can be promised."""

    method: str
    events: int
    rows: int
    table: PointTable | None
    promise: Promise | None
    calibration: dict[str, Any] | None
    refused: tuple[str, ...]
    notes: tuple[str, ...]
    leaks: tuple[Leak, ...]
    left_out: tuple[tuple[str, str], ...]
    periods: tuple[dict[str, Any], ...]
    guard: Required | None
    dof: float
    net_benefit: tuple[dict[str, Any], ...] = ()
    yardstick: dict[str, Any] | None = None
    test: BackTest | None = None


@dataclass(frozen=True, slots=True)
class _Rung:
    """One rung tried: what it was fitted on, its coefficients and its scores out of sample."""

    found: Features
    fit: Fit
    test: BackTest


def learn(cases: CaseTable, asked: Question) -> Learned:
    """The whole of `judge learn`, from the columns to the promise."""
    suspects = leaks(cases)
    clean = _without(cases, {s.item for s in suspects})
    events, rows = int(np.nansum(cases.label)), int(cases.closed.sum())
    if events < 1 or events == rows:
        return _nothing(events, rows, suspects)
    staff = asked.staff if asked.staff in {c.name for c in clean.items} else None
    rung, guard, refused = _climb(clean, asked, staff, events)
    notes: list[str] = []
    if staff and rung.found.rung != STAFF:
        rung = _not_below_staff(rung, clean, asked, staff, notes)
    refused += [f"項目「{s.item}」：{s.why}" for s in suspects]
    told = _told(rung, clean, asked, refused=refused, notes=notes, suspects=suspects, guard=guard)
    points = next((c.values for c in clean.items if c.name == staff), None)
    return replace(told, net_benefit=net_benefit(clean, rung.test.crossed, points, asked.capacity), test=rung.test)


def _climb(cases: CaseTable, asked: Question, staff: str | None, events: int) -> tuple[_Rung, Required | None, list[str]]:
    """The highest rung the cases carry; below the lowest, a table for study and the reason."""
    wanted = [ADDITIVE] if events >= MANY else []
    wanted += [HYBRID] if events >= FEW else []
    wanted += [STAFF] if staff else []
    short: list[str] = []
    guard = None
    tried: _Rung | None = None
    for name in wanted:
        tried = _try(cases, asked, staff, name)
        guard = _required(tried, cases)
        if events >= guard.events and int(cases.closed.sum()) >= guard.rows:
            return tried, guard, []
        short.append(
            f"過去の該当 {events}件では、{_IN_WORDS[name]}（自由な数 {guard.parameters}）に足りません"
            f"（Riley の基準で {guard.events}件・{guard.rows}行以上）。"
        )
    if not wanted:
        short.append(
            f"過去の該当が {events}件しかなく（{FEW}件未満）、"
            "現場の点の列もありません。現場の点（職員の採点表）を使ってください。"
        )
    return tried or _try(cases, asked, staff, HYBRID), guard, short


_IN_WORDS = {ADDITIVE: "項目ごとに学ぶ表", HYBRID: "まとめて縮める表", STAFF: "現場の点だけの表"}


def _try(cases: CaseTable, asked: Question, staff: str | None, name: str) -> _Rung:
    found = features(cases, asked.directions, staff, name)
    fit = train(found, cases, np.flatnonzero(cases.closed))
    return _Rung(found, fit, back_test(found, cases, asked.known_by, seed=asked.seed))


def _required(rung: _Rung, cases: CaseTable) -> Required:
    """Riley's sample for what the rung leaves free: one number per shrinkage, since coefficients under it are not free."""
    label = cases.label[cases.closed]
    free = len(rung.found.groups.family) - 1 if rung.found.rung == ADDITIVE else len(set(rung.found.groups.family.tolist())) - 1
    within = _auc_within(rung.test.crossed, cases) or 0.5
    return required(max(free, 1), float(label.mean()), within)


def _auc_within(score: Floats, cases: CaseTable) -> float | None:
    """AUC inside each period, weighted by cases: a period's own base rate does not count as insight."""
    found = []
    for t in range(len(cases.periods)):
        rows = (cases.period == t) & ~np.isnan(score)
        value = auc(score[rows], cases.label[rows] == 1)
        if value is not None:
            found.append((value, float(cases.label[rows].sum())))
    return float(np.average([v for v, _ in found], weights=[w for _, w in found])) if found else None


def _not_below_staff(rung: _Rung, cases: CaseTable, asked: Question, staff: str, notes: list[str]) -> _Rung:
    """The learned rung only if it found no fewer than staff points alone and ranked better, both ways it was never trained.

    Cross-fitted it must not fall behind on either count; rolled forward in time (where there are periods to roll over) it must
    find no fewer, for a table that only fits the past it was learned on is what rolling shows up. A tie goes to the staff.
    """
    alone = _try(cases, asked, staff, STAFF)
    mine, theirs = (_found(r.test.crossed, cases, asked.capacity) for r in (rung, alone))
    learned, staffs = (_auc_within(r.test.crossed, cases) or 0.5 for r in (rung, alone))
    later, staff_later = (_found(r.test.rolled, cases, asked.capacity) for r in (rung, alone))
    if mine >= theirs and learned > staffs and later >= staff_later:
        return rung
    notes.append("過去の検証で現場の点を上回らなかったため、現場の点を使います。")
    return alone


def _found(score: Floats, cases: CaseTable, capacity: int) -> float:
    total = 0.0
    for t in range(len(cases.periods)):
        rows = (cases.period == t) & ~np.isnan(score)
        if rows.any():
            total += tied(score[rows], cases.label[rows], capacity)["expected"]
    return total


def _told(
    rung: _Rung,
    cases: CaseTable,
    asked: Question,
    *,
    refused: list[str],
    notes: list[str],
    suspects: tuple[Leak, ...],
    guard: Required | None,
) -> Learned:
    closed = cases.closed
    events = int(np.nansum(cases.label))
    ahead = coming(cases)
    rows_next = len(ahead)
    last = int(cases.period[closed].max())
    table = _table(rung, cases, asked, ahead, last)
    promised = None
    if events >= _MIN_TO_TEST and not np.isnan(rung.test.crossed[closed]).all():
        test, n = rung.test, asked.capacity
        promised = promise(cases, test.crossed, test.rolled, capacity=n, rows_next=rows_next, seed=asked.seed)
    else:
        refused.append(f"過去の該当が {events}件で、検証ができません（{_MIN_TO_TEST}件以上）。")
    checked = _calibrated(rung, cases)
    _remarks(cases, promised, checked, notes)
    return Learned(
        method=rung.found.rung,
        events=events,
        rows=int(closed.sum()),
        table=replace(table, facts={**table.facts, "publishable": not refused}),
        promise=promised,
        calibration=checked,
        refused=tuple(refused),
        notes=tuple(notes),
        leaks=suspects,
        left_out=rung.found.left_out,
        periods=tuple(_period(rung, cases, t, asked.capacity) for t in range(len(cases.periods))),
        guard=guard,
        dof=round(rung.fit.dof, 1),
    )


def coming(cases: CaseTable) -> Ints:
    """Rows that stand for the next period: those after every closed one, else the last closed period."""
    last = int(cases.period[cases.closed].max())
    after = cases.period > last
    return np.flatnonzero(cases.period == (cases.period[after].min() if after.any() else last))


def _table(rung: _Rung, cases: CaseTable, asked: Question, ahead: Ints, last: int) -> PointTable:
    level = rung.found.level(rung.fit, last)
    made = rung.found.tables(rung.fit)
    scores = np.sort(level + rung.found.order(rung.fit, ahead))[::-1]
    n = min(asked.capacity, len(scores))
    facts = {
        "rows": int(cases.closed.sum()),
        "events": int(np.nansum(cases.label)),
        "periods": [cases.periods[t] for t in sorted(set(cases.period[cases.closed].tolist()))],
        "parameters": round(rung.fit.dof, 1),
        # everybody scored that day, also whose outcome nobody saw (who left school): they will be among those scored later
        "training": training_shares(made, cases, float(level), np.flatnonzero(cases.period == last)),
    }
    return PointTable(
        asked.version, rung.found.rung, asked.label, float(level), float(scores[n - 1]), asked.capacity, made, facts
    )


def _calibrated(rung: _Rung, cases: CaseTable) -> dict[str, Any] | None:
    """Of the rolled periods where there are any (the future as it would have been), else cross-fitted.

    Staff points alone have one number to fit (`one_number`): their calibration without rolled periods is of the same rows.
    """
    rolled = ~np.isnan(rung.test.rolled)
    rows = rolled if rolled.any() else ~np.isnan(rung.test.crossed)
    if not rows.any() or not cases.label[rows].sum():
        return None
    by = "rolling_origin" if rolled.any() else "one_number" if rung.found.rung == STAFF else "cross_fit"
    points = (rung.test.rolled + rung.test.rolled_level if rolled.any() else rung.test.crossed + rung.fit.intercept)[rows]
    return calibration(points, cases.label[rows]) | {"by": by}


def _period(rung: _Rung, cases: CaseTable, t: int, capacity: int) -> dict[str, Any]:
    """One line of the back-test table."""
    here = cases.period == t
    line: dict[str, Any] = {"period": cases.periods[t], "rows": int(here.sum()), "events": int(np.nansum(cases.label[here]))}
    for name, score in (("cross_fit", rung.test.crossed), ("rolling_origin", rung.test.rolled)):
        rows = here & ~np.isnan(score)
        if not rows.any():
            line[name] = None
            continue
        found = tied(score[rows], cases.label[rows], capacity)["expected"]
        n, events = min(capacity, int(rows.sum())), float(cases.label[rows].sum())
        value = auc(score[rows], cases.label[rows] == 1)
        line[name] = {
            "auc": None if value is None else round(value, 4),
            "precision": round(found / n, 4),
            "recall": round(found / events, 4) if events else None,
        }
    return line


def _remarks(cases: CaseTable, promised: Promise | None, checked: dict[str, Any] | None, notes: list[str]) -> None:
    if promised and promised.periods < 3:
        notes.append(
            f"結果の出た期が {promised.periods}つしかなく、"
            "期ごとの違いを十分に測れません。交差検証に頼り、区間を広くしています。"
        )
    slope = (checked or {}).get("slope")
    if slope is not None and not _STEADY_SLOPE[0] <= slope <= _STEADY_SLOPE[1]:
        notes.append(f"検証での傾きが {slope:.2f} です（1 が望ましい）。確率は目安としても使わないでください。")
    part = [cases.periods[t] for t in range(len(cases.periods)) if 0 < np.isnan(cases.label[cases.period == t]).mean() < 1]
    if part:
        notes.append(f"結果が一部だけ空欄の期があります（{'、'.join(part[:5])}）。空欄の行は学ぶのにも検証にも使っていません。")


def _without(cases: CaseTable, names: set[str]) -> CaseTable:
    return replace(cases, items=tuple(c for c in cases.items if c.name not in names))


def _nothing(events: int, rows: int, suspects: tuple[Leak, ...]) -> Learned:
    why = "過去の該当が1件もありません。" if not events else "該当でない行が1件もありません。"
    return Learned("none", events, rows, None, None, None, (why,), (), suspects, (), (), None, 0.0)
