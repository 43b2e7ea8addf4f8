"""A learned table as lines of a criteria set, and the staff version that stands behind it."""

import dataclasses
import datetime as dt
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kizuki.app import learned_watch
from kizuki.app.backtest_results import Result
from kizuki.app.learned_records import adopted_stops, keep_record, note_stop, record
from kizuki.app.learned_watch import watch_adopted
from kizuki.definitions.criteria import CriteriaSet
from kizuki.definitions.item_windows import sayable
from kizuki.definitions.loader import Definitions, load_definitions
from kizuki.definitions.shipped import shipped_definitions
from kizuki.judge.as_criteria import LEAST, MAX_STEPS, UNIT, Line, certain, read, written
from kizuki.judge.case_table import CaseTable, number_item
from kizuki.judge.drift import table_points
from kizuki.judge.point_table import NUMBER, ItemTable, PointTable
from kizuki.judge.selection import active, without_learned
from tests.unit.test_learned_watch import Days, table, usual

LOADED = load_definitions(shipped_definitions())
DAY = dt.date(2026, 11, 20)
NOW = dt.datetime(2026, 11, 20, 3, tzinfo=dt.UTC)


def cases(**columns: Any) -> CaseTable:
    items = tuple(number_item(n, np.asarray(v, dtype=float)) for n, v in columns.items())
    rows = len(items[0].values)
    return CaseTable(items, np.full(rows, np.nan), np.zeros(rows, dtype=np.int64), ("now",), np.arange(rows))


def points_table(*items: ItemTable, capacity: int = 100) -> PointTable:
    return PointTable("v", "hybrid", "y", -3.0, 0.0, capacity, items, {})


def random_cases(seed: int) -> tuple[PointTable, CaseTable]:
    rng = np.random.default_rng(seed)
    columns = {f"x{k}": rng.poisson(2.0, 500).astype(float) for k in range(4)}
    edges = (1.0, 2.0, 3.0, 5.0)
    steps = [ItemTable(n, NUMBER, edges, (), tuple(np.cumsum(rng.normal(0.2, 0.3, 5))), 0.1) for n in columns]
    columns["staff"] = rng.integers(0, 9, 500).astype(float)
    points = tuple(0.12 * k for k in range(9))
    staff = ItemTable("staff", NUMBER, tuple(float(k) for k in range(1, 9)), (), points, 0.0)
    return points_table(*steps, staff), cases(**columns)


@pytest.mark.parametrize("seed", range(6))
def test_the_lines_list_nearly_the_same_children_as_the_table(seed: int) -> None:
    learned, rows = random_cases(seed)
    found = written(learned, rows, np.arange(500), staff="staff", sayable={"x0", "x1", "x2", "x3"})
    assert found.agreement >= 0.8
    assert found.staff_factor == pytest.approx(0.12 * UNIT)
    own = certain(found.lines, rows) + np.round(found.staff_factor * rows.items[4].values)
    assert np.corrcoef(own, table_points(learned, rows))[0, 1] > 0.97
    assert (own >= found.threshold).sum() >= learned.capacity
    assert all(abs(line.points) >= LEAST for line in found.lines)
    assert max(sum(x.item == n for x in found.lines) for n in ("x0", "x1", "x2", "x3")) <= MAX_STEPS
    assert read(json.loads(json.dumps(found.as_dict()))).lines == found.lines


def test_an_unknown_never_counts_as_a_sign_and_always_as_protection() -> None:
    rows = cases(x=[np.nan, 0.0, 4.0])
    assert certain((Line("x", 3, 5), Line("x", 1, -2)), rows).tolist() == [-2.0, 0.0, 3.0]


def test_what_no_condition_can_name_is_no_line() -> None:
    rows = cases(x=[0.0] * 50 + [5.0] * 50, hidden=[0.0, 5.0] * 50)
    items = (ItemTable("x", NUMBER, (1.0,), (), (0.0, 1.0), 0.0), ItemTable("hidden", NUMBER, (1.0,), (), (0.0, 2.0), 0.0))
    found = written(points_table(*items), rows, np.arange(100), staff="staff", sayable={"x"})
    assert [line.item for line in found.lines] == ["x"]


def test_every_item_that_may_be_a_line_can_be_read_back_from_a_file() -> None:
    names = sayable(LOADED.items)
    assert {i for i in LOADED.items if "__" not in i and LOADED.items[i].judged} <= names
    assert not any(i.endswith("_ago") for i in names), "a window that ended months ago is only a side of a change"


def versions(*told: tuple[str, str, dt.date, dt.date | None, bool]) -> Definitions:
    """poverty as (version, fingerprint, from, to, on trial)."""
    main = LOADED.criteria["poverty"]

    def one(version: str, learned: str, begins: dt.date, ends: dt.date | None, trial: bool) -> CriteriaSet:
        text = main.text.model_copy(update={"learned_from": learned, "trial": trial})
        return dataclasses.replace(main, version=version, valid_from=begins, valid_to=ends, text=text)

    first, *others = (one(*t) for t in told)
    return dataclasses.replace(LOADED, criteria={"poverty": dataclasses.replace(first, others=tuple(others))})


START, MIDDLE, LATER = dt.date(2024, 4, 1), dt.date(2026, 4, 1), dt.date(2027, 4, 1)


def test_the_staff_version_goes_on_where_a_learned_one_is_taken_away() -> None:
    city = versions(("1", "", START, MIDDLE, False), ("2", "aa", MIDDLE, LATER, False), ("3", "bb", LATER, None, False))
    assert [c.version for c in active(city, DAY)] == ["2"]
    assert [c.version for c in active(without_learned(city, ["aa"]), DAY)] == ["1"]
    assert [c.version for c in active(without_learned(city, ["aa"]), LATER)] == ["3"], "only the stopped one goes"
    assert [c.version for c in active(without_learned(city), dt.date(2028, 1, 1))] == ["1"]
    assert [c.version for c in active(without_learned(city, []), DAY)] == ["2"]


def test_a_set_without_a_staff_version_stays() -> None:
    city = versions(("1", "aa", START, None, False))
    assert [c.version for c in active(without_learned(city, ["aa"]), DAY)] == ["1"]


def test_a_learned_trial_is_taken_away_alone() -> None:
    city = versions(("1", "", START, None, False), ("2", "aa", MIDDLE, None, True))
    left = without_learned(city, ["aa"]).criteria["poverty"]
    assert left.on(DAY) is not None and left.trials_on(DAY) == ()


def adopted(home: Path) -> str:
    told = {"criteria": "poverty", "table": table("t"), "sheet": "# 説明書", "written": {"agreement": 0.9}}
    found = Result("poverty", told)
    assert found.table is not None
    keep_record(home, found, found.table)
    return found.table.digest


def test_the_watch_stops_a_version_in_force_for_good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    manifest = type("Manifest", (), {"as_of": DAY.isoformat()})()
    monkeypatch.setattr(learned_watch, "PastDays", Days)
    monkeypatch.setattr(learned_watch, "SnapshotStore", lambda *_: type("Store", (), {"manifest": lambda *_: manifest})())
    digest = adopted(tmp_path)
    city = versions(("1", "", START, MIDDLE, False), ("2", digest, MIDDLE, None, False))
    Days.looks = {"poverty": usual()}
    assert watch_adopted(tmp_path, city, "snapshot", NOW) == {} == adopted_stops(tmp_path)
    Days.looks = {"poverty": usual() + 3}
    assert set(watch_adopted(tmp_path, city, "snapshot", NOW)) == {"poverty"}
    assert set(adopted_stops(tmp_path)) == {digest}
    Days.looks = {"poverty": usual()}
    assert watch_adopted(tmp_path, city, "snapshot", NOW) == {}
    assert set(adopted_stops(tmp_path)) == {digest}, "calm data do not bring a stopped table back; people do"


def test_a_record_is_sealed_and_a_stop_that_cannot_be_read_stops(tmp_path: Path) -> None:
    digest = adopted(tmp_path)
    sealed = (tmp_path / "backtests" / "adopted" / f"{digest}.sealed").read_bytes()
    assert "説明書".encode() not in sealed
    kept = record(tmp_path, digest)
    assert kept is not None and kept.sheet == "# 説明書"
    assert record(tmp_path, "0" * 64) is None and record(tmp_path, "") is None
    note_stop(tmp_path, digest, ["空欄"], NOW.isoformat())
    note_stop(tmp_path, digest, ["別の理由"], NOW.isoformat())
    assert adopted_stops(tmp_path) == {digest: ("空欄",)}
    (tmp_path / "backtests" / "adopted" / f"{digest}.stop.json").write_text("{", encoding="utf-8")
    assert set(adopted_stops(tmp_path)) == {digest}
