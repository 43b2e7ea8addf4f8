"""学んだ表の見張り: each night, whether today's children still look like those each learned table was made from.

Where they do not, that one table is stopped, with the reasons on the board; the night, the staff points and every other set go
on. A new back-test makes a new table and ends the stop. What is kept names items and how far they moved, never a child.
"""

import datetime as dt
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from kizuki.app.backtest import PastDays
from kizuki.app.backtest_results import FOLDER, Result, all_kept
from kizuki.app.learned_records import adopted_stops, note_stop, record
from kizuki.definitions.loader import Definitions
from kizuki.engine.keys import KeyRing
from kizuki.engine.snapshots import Manifest, SnapshotStore
from kizuki.judge.drift import drifted
from kizuki.judge.point_table import PointTable
from kizuki.terms.errors import KizukiError

_UNSEEN: Final = "今日のデータと比べられませんでした"


@dataclass(frozen=True, slots=True)
class Stored:
    """A published snapshot whose tables are read when asked for: a night need not hold all of them."""

    store: SnapshotStore
    manifest: Manifest

    @property
    def id(self) -> str:
        """Snapshot id."""
        return self.manifest.id

    @property
    def as_of(self) -> dt.date:
        """The day it describes."""
        return dt.date.fromisoformat(self.manifest.as_of)

    def tables(self, *names: str) -> Mapping[str, pa.Table]:
        """Tables as they were published."""
        return {name: self.store.load(self.manifest, name) for name in names}


def watch(home: Path, definitions: Definitions, snapshot: str, now: dt.datetime) -> dict[str, tuple[str, ...]]:
    """Compare every learned table with the children of a published snapshot and note the answer.

    Returns criteria → reasons it is stopped (empty = in use); sets without a learned table are not looked at.
    """
    learned = {name: result for name, result in all_kept(home).items() if result.table is not None and not result.empty}
    if not learned:
        return {}
    store = SnapshotStore(home / "snapshots", KeyRing.load(home))
    answers: dict[str, tuple[str, ...]] = {}
    with PastDays(Stored(store, store.manifest(snapshot)), definitions) as days:
        for name, result in learned.items():
            reasons = _reasons(days, name, result)
            _note(home, name, result, reasons, now)
            answers[name] = reasons
    return answers


def watch_adopted(home: Path, definitions: Definitions, snapshot: str, now: dt.datetime) -> dict[str, tuple[str, ...]]:
    """The same for the tables that versions in force or on trial are made of: criteria → reasons of those stopped just now."""
    store = SnapshotStore(home / "snapshots", KeyRing.load(home))
    used = list(_adopted(definitions, dt.date.fromisoformat(store.manifest(snapshot).as_of)))
    standing = adopted_stops(home)
    asked = {n: r for n, d in used if d not in standing and (r := record(home, d)) is not None}
    if not asked:
        return {}
    with PastDays(Stored(store, store.manifest(snapshot)), definitions) as days:
        found = {name: _compared(days, name, r.table) for name, r in asked.items()}
    for name, reasons in found.items():
        if reasons:
            note_stop(home, asked[name].table.digest, reasons, now.isoformat())
    return {name: reasons for name, reasons in found.items() if reasons}


def _adopted(definitions: Definitions, day: dt.date) -> Iterator[tuple[str, str]]:
    """(set, fingerprint) of the versions on trial and in force that name a learned table; the one in force comes last."""
    for name, main in definitions.criteria.items():
        serving = main.on(day)
        for version in (*main.trials_on(day), *([serving] if serving is not None else [])):
            if version.text.learned_from:
                yield name, version.text.learned_from


def _reasons(days: PastDays, name: str, result: Result) -> tuple[str, ...]:
    if result.table is None:
        return ("この判定基準は、いま使われていません",)
    return _compared(days, name, result.table)


def _compared(days: PastDays, name: str, table: PointTable) -> tuple[str, ...]:
    if name not in days.sets:
        return ("この判定基準は、いま使われていません",)
    try:
        found: Mapping[str, Any] = drifted(table, days.today(name).cases)
    except KizukiError as e:
        return (f"{_UNSEEN}（{e.code}）",)
    return tuple(str(r) for r in found["reasons"])


def _note(home: Path, name: str, result: Result, reasons: tuple[str, ...], now: dt.datetime) -> None:
    told = {"digest": digest_of(result), "checked_at": now.isoformat(), "reasons": list(reasons)}
    path = home / FOLDER / f"{name}.watch.json"
    temporary = path.with_suffix(f".{os.getpid()}.new")
    temporary.write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")
    temporary.replace(path)


def digest_of(result: Result) -> str:
    """The fingerprint of the learned table, blank where there is none."""
    return result.table.digest if result.table is not None else ""


def stopped(home: Path, result: Result | None) -> tuple[str, ...]:
    """Why the learned table of a set is stopped; empty while it is in use or was never looked at.

    A note about an earlier table counts no more; a note that cannot be read stops.
    """
    if result is None:
        return ()
    path = home / FOLDER / f"{result.criteria}.watch.json"
    if not path.is_file():
        return ()
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        same, reasons = told["digest"] == digest_of(result), tuple(str(r) for r in told["reasons"])
    except (ValueError, KeyError, TypeError):
        return (_UNSEEN,)
    return reasons if same else ()


def all_stopped(home: Path) -> dict[str, tuple[str, ...]]:
    """Every set whose learned table is stopped, with the reasons."""
    return {name: why for name, result in all_kept(home).items() if (why := stopped(home, result))}
