"""The night's watch over learned tables: a changed feed stops the one table that reads it, and nothing else."""

import datetime as dt
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kizuki.app import learned_watch
from kizuki.app.backtest_results import keep
from kizuki.app.learned_watch import all_stopped, watch
from kizuki.judge.case_table import CaseTable, number_item
from kizuki.judge.drift import training_shares
from kizuki.judge.point_table import NUMBER, ItemTable, PointTable
from kizuki.terms.errors import InputRefused

NOW = dt.datetime(2026, 11, 20, 3, tzinfo=dt.UTC)


def cases(values: np.ndarray) -> CaseTable:
    rows = len(values)
    blank = np.full(rows, np.nan)
    return CaseTable((number_item("x", values),), blank, np.zeros(rows, dtype=np.int64), ("now",), np.arange(rows))


def usual() -> np.ndarray:
    return np.random.default_rng(4).poisson(1.0, 800).astype(float)


def table(name: str) -> dict[str, Any]:
    item = ItemTable("x", NUMBER, (1.0, 2.0), (), (0.0, 0.5, 1.0), 0.2)
    facts = {"training": training_shares((item,), cases(usual()), -3.0, np.arange(800))}
    return PointTable(name, "hybrid", "y", -3.0, 0.0, 10, (item,), facts).as_dict()


class Days:
    """Stands for the past days of a snapshot: what each set's children look like today."""

    looks: dict[str, np.ndarray] = {}

    def __init__(self, *_: object) -> None:
        self.sets = self.looks

    def __enter__(self) -> "Days":
        return self

    def __exit__(self, *_: object) -> None: ...

    def today(self, name: str) -> Any:
        if not len(self.looks[name]):
            raise InputRefused("K561", "", "", "")
        return type("Today", (), {"cases": cases(self.looks[name])})


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(learned_watch, "PastDays", Days)
    monkeypatch.setattr(learned_watch, "SnapshotStore", lambda *_: type("Store", (), {"manifest": lambda self, name: name})())
    for name in ("poverty", "abuse"):
        keep(tmp_path, {"criteria": name, "events": 90, "empty": "", "table": table(name)})
    keep(tmp_path, {"criteria": "absence", "events": 4, "empty": "過去の該当は10件未満です。", "table": table("absence")})
    return tmp_path


def night(home: Path, **looks: np.ndarray) -> dict[str, tuple[str, ...]]:
    Days.looks = looks
    return watch(home, None, "snapshot", NOW)  # type: ignore[arg-type]


def test_calm_data_stops_nothing(home: Path) -> None:
    assert night(home, poverty=usual(), abuse=usual()) == {"poverty": (), "abuse": ()}
    assert all_stopped(home) == {}


def test_a_feed_that_went_blank_stops_its_table_alone(home: Path) -> None:
    gone = usual()
    gone[:400] = np.nan
    found = night(home, poverty=gone, abuse=usual())
    assert found["abuse"] == () and "空欄" in found["poverty"][0]
    assert set(all_stopped(home)) == {"poverty"}


def test_the_stop_ends_when_the_data_is_as_before(home: Path) -> None:
    night(home, poverty=usual() + 3, abuse=usual())
    assert set(all_stopped(home)) == {"poverty"}
    night(home, poverty=usual(), abuse=usual())
    assert all_stopped(home) == {}


def test_a_set_that_cannot_be_compared_is_stopped_and_the_night_goes_on(home: Path) -> None:
    found = night(home, poverty=np.array([]), abuse=usual())
    assert "K561" in found["poverty"][0] and found["abuse"] == ()
    assert night(home, abuse=usual())["poverty"] == ("この判定基準は、いま使われていません",)


def test_the_note_holds_no_person_and_an_unreadable_one_stops(home: Path) -> None:
    night(home, poverty=usual(), abuse=usual())
    note = home / "backtests" / "poverty.watch.json"
    assert json.loads(note.read_text(encoding="utf-8")).keys() == {"digest", "checked_at", "reasons"}
    note.write_text("{", encoding="utf-8")
    assert set(all_stopped(home)) == {"poverty"}


def test_without_a_learned_table_the_night_looks_at_nothing(tmp_path: Path) -> None:
    assert watch(tmp_path, None, "snapshot", NOW) == {}  # type: ignore[arg-type]
