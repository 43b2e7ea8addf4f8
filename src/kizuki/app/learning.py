"""`judge learn`, `judge score` and `judge drift`: from a point-in-time CSV to a points table with its promise, and back."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from kizuki.app.learning_tables import (
    STAFF_NAMES,
    Roles,
    Sheet,
    case_table,
    columns_for,
    directions_of,
    known_by,
    read_sheet,
)
from kizuki.definitions.shipped import shipped_definitions
from kizuki.definitions.switches import Signer, load_signers, verify
from kizuki.govern.signing import read_key, sign
from kizuki.judge.case_table import CaseTable
from kizuki.judge.drift import drifted, table_points
from kizuki.judge.ladder import Learned, Question, learn
from kizuki.judge.point_table import Cell, PointTable, read_table
from kizuki.judge.promise import tied
from kizuki.judge.validation import auc
from kizuki.judge.yardstick import available, boosted
from kizuki.terms.errors import InputRefused, UsageError

SCORE_COLUMNS = ("row", "points", "probability", "verdict_known", "reasons")


@dataclass(frozen=True, slots=True)
class LearnRequest:
    """The options of `judge learn`."""

    items: Path
    roles: Roles
    capacity: int
    monotone: Path | None = None
    staff: str | None = None
    window_days: int | None = None
    seed: int = 20_260_401
    yardstick: bool = False


def learn_from(asked: LearnRequest) -> Learned:
    """Raises UsageError K548 for a capacity below one, InputRefused K541 to K547 for the files."""
    if asked.capacity < 1 or (asked.window_days is not None and asked.window_days < 1):
        raise UsageError(
            "K548", "件数か日数が正の数ではありません。", "--capacity／--window-days", "1 以上の整数を書いてください。"
        )
    sheet = read_sheet(asked.items)
    cases = case_table(sheet, asked.roles)
    directions = directions_of(asked.monotone, sheet)
    if asked.staff is not None:
        sheet.column(asked.staff)
    staff = asked.staff or next((n for n in STAFF_NAMES if n in sheet.columns), None)
    question = Question(
        label=asked.roles.label,
        capacity=asked.capacity,
        directions=directions,
        staff=staff,
        version=f"{asked.roles.label}:{cases.periods[-1]}:{asked.seed}",
        seed=asked.seed,
        known_by=known_by(cases.periods, asked.window_days),
    )
    found = learn(cases, question)
    return replace(found, yardstick=_yardstick(cases, question)) if asked.yardstick else found


def _yardstick(cases: CaseTable, asked: Question) -> dict[str, Any]:
    """The boosted machine taught on all closed periods but the last, on the last: what the learned table is held against.

    Raises UsageError K553 without the library; `{refused}` where there is no earlier period to teach it on.
    """
    if not available():
        fix = "./kizuki judge learn … --yardstick で実行するか、requirements/analysis.txt を入れてください。"
        raise UsageError("K553", "比べるためのライブラリ（analysis）がありません。", "--yardstick", fix)
    closed = cases.closed
    last = int(cases.period[closed].max()) if closed.any() else 0
    past = replace(cases, label=np.where(cases.period < last, cases.label, np.nan))
    test = closed & (cases.period == last)
    if np.nansum(past.label) < 1 or not (cases.label[test] == 1).any():
        return {"refused": "比べるための、結果の出た期が足りません。"}
    table = boosted(past, asked.directions, label=asked.label, capacity=asked.capacity, seed=asked.seed)
    points = table_points(table, cases.take(test))
    label = cases.label[test]
    value, n = auc(points, label == 1), min(asked.capacity, int(test.sum()))
    found = tied(points, label, n)["expected"]
    return {
        "method": "ebm",
        "period": cases.periods[last],
        "auc": None if value is None else round(value, 4),
        "precision": round(found / n, 4),
        "recall": round(found / float(label.sum()), 4),
    }


def learned_as_dict(found: Learned) -> dict[str, Any]:
    """The JSON of `judge learn`; `promise` is null where nothing can be promised, `refused` lists why it may not be
    published.
    """
    promised = found.promise
    return {
        "method": found.method,
        "events": found.events,
        "rows": found.rows,
        "points": found.table.as_dict() if found.table else None,
        "promise": None
        if promised is None
        else {
            "n": promised.n,
            "precision": round(promised.precision, 4),
            "recall": round(promised.recall, 4),
            "interval": {
                "precision": [round(v, 6) for v in promised.precision_interval],
                "recall": [round(v, 6) for v in promised.recall_interval],
            },
            "level": 0.9,
            "periods": promised.periods,
            "ties": promised.ties,
        },
        "calibration": found.calibration,
        "refused": list(found.refused),
        "notes": list(found.notes),
        "leaks": [{"item": s.item, "why": s.why} for s in found.leaks],
        "left_out": [{"item": item, "why": why} for item, why in found.left_out],
        "periods": list(found.periods),
        "required": None if found.guard is None else {"rows": found.guard.rows, "events": found.guard.events},
        "parameters": found.dof,
        "net_benefit": list(found.net_benefit),
    } | ({"yardstick": found.yardstick} if found.yardstick else {})


def write_points(found: Learned, path: Path, key: Path | None, signer: str) -> None:
    """The points table as a JSON file, signed where a key is given; raises InputRefused K549 if nothing was learned."""
    if found.table is None:
        raise InputRefused("K549", "書き出せる採点表がありません。", path.name, "refused に出ている理由を解いてください。")
    table = found.table
    if key is not None:
        table = table.signed(signer, sign(table.canonical(), read_key(key)))
    path.write_text(json.dumps(table.as_dict(), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def read_points(path: Path, signers: Mapping[str, Signer] | None = None) -> PointTable:
    """A points table that has not been changed; a signature, where there is one, must be a registered signer's (K549)."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"), parse_constant=_no_constant)
        table = read_table(content)
    except (OSError, UnicodeDecodeError, ValueError, RecursionError) as e:
        why = str(e) if type(e) is ValueError else "採点表のファイルを読めません。"
        raise InputRefused("K549", why, path.name, "judge learn --out が書いたファイルを、そのまま指定してください。") from e
    if table.signature is not None and signers is not None:
        signer = signers.get(str(table.signature.get("signer")))
        if signer is None or not verify(table.canonical(), str(table.signature.get("value")), signer.public_key):
            raise InputRefused(
                "K549", "採点表の署名を確かめられません。", path.name, "登録された署名者に署名し直してもらってください。"
            )
    return table


def signers_of(home: Path) -> Mapping[str, Signer]:
    """Everyone whose signature counts here: the shipped list and the home's own."""
    return load_signers([shipped_definitions(), home / "definitions"])


def score_rows(table: PointTable, items: Path, tell: Callable[[str], None]) -> Iterator[dict[str, Any]]:
    """One dict per input row in input order; raises InputRefused K541 to K543, K546, K550."""
    sheet = read_sheet(items)
    columns = columns_for(table, sheet)
    if table.items and not columns:
        raise InputRefused(
            "K550", "採点表の項目の列が一つもありません。", items.name, "採点表の item と同じ名前の列を入れてください。"
        )
    for name in missing_items(table, sheet):
        tell(f"「{name}」の列がありません。全ての行で不明として採点します。")
    cells: dict[str, list[Cell]] = {}
    for c in columns:
        values = c.values.tolist()
        known = c.known.tolist()
        cells[c.name] = [(c.levels[int(v)] if c.levels else v) if k else None for v, k in zip(values, known, strict=True)]
    for row in range(sheet.rows):
        found = table.score({name: column[row] for name, column in cells.items()})
        yield {
            "row": row,
            "points": repr(found.points),
            "probability": repr(found.probability),
            "verdict_known": "true" if found.verdict_known else "false",
            "reasons": json.dumps(found.reasons, ensure_ascii=False),
        }


def missing_items(table: PointTable, sheet: Sheet) -> list[str]:
    """Items of the table that the CSV has no column for: they count as unknown in every row."""
    return [i.name for i in table.items if i.name not in sheet.columns]


def drift_of(table: PointTable, items: Path) -> dict[str, Any]:
    """How far today's rows are from those the table was learned on."""
    sheet = read_sheet(items)
    columns = columns_for(table, sheet)
    rows = CaseTable(columns, np.full(sheet.rows, np.nan), np.zeros(sheet.rows, dtype=np.int64), ("",), np.arange(sheet.rows))
    return drifted(table, rows)


def _no_constant(text: str) -> float:
    raise ValueError("採点表の値が数ではありません。")
