"""G4: a night killed or broken anywhere changes nothing, and running it again ends where an undisturbed night ends."""

import datetime as dt
import multiprocessing
import os
import random
import shutil
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from sqlglot import exp

from kizuki.app import run as night
from kizuki.app.eligibility import judge_programmes
from kizuki.app.judging import judge_all
from kizuki.app.pipeline import STAGES, side_by_side
from kizuki.cli.options import definitions_of
from kizuki.engine.duck import DuckEngine
from kizuki.engine.keys import KeyRing
from kizuki.engine.lock import exclusive
from kizuki.engine.snapshots import SnapshotStore
from kizuki.engine.tables import shape
from kizuki.mart.items import build_items
from kizuki.synth.city import build_city
from kizuki.synth.write import write_city
from kizuki.terms.errors import RunFailed
from kizuki.terms.tables import ITEM
from tests.integration.night_driver import AS_OF, NOW
from tests.integration.night_driver import main as drive

READ = ("person", "household_member", "spell", "event", "coverage", "seal")
YESTERDAY = dt.date(2026, 10, 31)
PROCESSES = multiprocessing.get_context("forkserver")  # a fresh process each time, the program already imported
PROCESSES.set_forkserver_preload(["tests.integration.night_driver"])
pytestmark = pytest.mark.slow

PUBLISHED = [s.name for s in STAGES].index("publish") + 1
"""So many stages done, and tonight's snapshot is served; what comes after only looks at it."""


def _run(home: Path, as_of: dt.date, how: str = "whole", when: float = 0) -> int:
    """The exit code of a night in a process of its own: 0 when it ended, negative when it was killed."""
    process = PROCESSES.Process(target=drive, args=(home, as_of, how, when))
    process.start()
    process.join()
    return int(process.exitcode or 0)


@pytest.fixture(scope="module")
def yesterday(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small city whose files are received and whose list of yesterday is served."""
    home = tmp_path_factory.mktemp("night") / "home"
    write_city(build_city(300, 7), home)
    settled = time.time() - 3600
    for path in (home / "inbox").glob("*/*"):
        os.utime(path, (settled, settled))
    assert _run(home, YESTERDAY) == 0
    return home


@pytest.fixture(scope="module")
def undisturbed(yesterday: Path) -> Path:
    """The same home after an undisturbed night."""
    home = _copy(yesterday, "undisturbed")
    assert _run(home, AS_OF) == 0
    return home


def _copy(home: Path, name: str) -> Path:
    return Path(shutil.copytree(home, home.parent / name))


def _store(home: Path) -> SnapshotStore:
    return SnapshotStore(home / "snapshots", KeyRing.load(home))


def _assert_served(home: Path, snapshot: str | None) -> None:
    """CURRENT names that snapshot and every table of it can be read."""
    store = _store(home)
    assert store.current_id() == snapshot
    manifest = store.manifest(snapshot or "")
    assert all(store.load(manifest, table).num_rows == rows for table, rows in manifest.rows().items())


def _assert_same_snapshot(home: Path, other: Path) -> None:
    ours, theirs = _store(home), _store(other)
    assert ours.current_id() == theirs.current_id()
    mine, its = ours.manifest(ours.current_id() or ""), theirs.manifest(theirs.current_id() or "")
    assert mine.tables.keys() == its.tables.keys()
    assert {t: _differences(ours.load(mine, t), theirs.load(its, t)) for t in mine.tables} == dict.fromkeys(mine.tables, 0)


def _differences(one: pa.Table, other: pa.Table) -> int:
    with DuckEngine() as engine:
        engine.register("one", one)
        engine.register("other", other)
        both = [("one", "other"), ("other", "one")]
        rows = [[exp.select(exp.Star()).from_(name) for name in pair] for pair in both]
        return sum(int(engine.query(exp.except_(*pair, distinct=False)).num_rows) for pair in rows)


def test_killed_after_every_single_step_the_night_still_ends_the_same(yesterday: Path, undisturbed: Path) -> None:
    home = _copy(yesterday, "killed-at-steps")
    before = _store(home).current_id()
    kills = 0
    while _run(home, AS_OF, "step_end", 1) < 0:
        kills += 1
        _assert_served(home, before)
    assert kills > 20
    _assert_same_snapshot(home, undisturbed)


@pytest.mark.parametrize("kind", ["stage_begin", "stage_end"])
def test_killed_at_every_stage_boundary_the_night_still_ends_the_same(yesterday: Path, undisturbed: Path, kind: str) -> None:
    home = _copy(yesterday, f"killed-at-{kind}")
    before = _store(home).current_id()
    for number in range(1, len(STAGES) + 1):
        assert _run(home, AS_OF, kind, number) < 0
        done = number if kind == "stage_end" else number - 1
        published = done >= PUBLISHED
        _assert_served(home, _store(undisturbed).current_id() if published else before)
    assert _run(home, AS_OF) == 0
    _assert_same_snapshot(home, undisturbed)


def test_killed_at_any_moment_the_night_still_ends_the_same(yesterday: Path, undisturbed: Path) -> None:
    home = _copy(yesterday, "killed-at-random")
    rng = random.Random(20261120)
    allowed = {_store(home).current_id(), _store(undisturbed).current_id()}
    for _ in range(8):
        _run(home, AS_OF, "seconds", rng.uniform(0.5, 4.0))
        served = _store(home).current_id()
        assert served in allowed
        _assert_served(home, served)
    assert _run(home, AS_OF) == 0
    _assert_same_snapshot(home, undisturbed)


def test_killed_while_receiving_no_row_is_lost(tmp_path: Path, undisturbed: Path) -> None:
    home = tmp_path / "home"
    write_city(build_city(300, 7), home)
    settled = time.time() - 3600
    for path in (home / "inbox").glob("*/*"):
        os.utime(path, (settled, settled))
    shutil.copytree(undisturbed / "keys", home / "keys")
    for number in (1, 40, 200):
        assert _run(home, AS_OF, "received", number) < 0
    assert _run(home, YESTERDAY) == 0
    assert _run(home, AS_OF) == 0
    assert _store(home).manifest(_store(home).current_id() or "").rows() == _rows_of(undisturbed)


def _rows_of(home: Path) -> dict[str, int]:
    store = _store(home)
    return store.manifest(store.current_id() or "").rows()


def test_the_order_of_rows_decides_nothing(undisturbed: Path) -> None:
    store = _store(undisturbed)
    manifest = store.manifest(store.current_id() or "")
    mart = {table: store.load(manifest, table) for table in READ}
    made = [_judged(mart, undisturbed, random.Random(seed), threads) for seed, threads in ((1, 1), (2, 2))]
    assert {t: _differences(made[0][t], made[1][t]) for t in made[0]} == dict.fromkeys(made[0], 0)


def test_items_built_apart_by_source_are_the_items_built_together(undisturbed: Path) -> None:
    store = _store(undisturbed)
    manifest = store.manifest(store.current_id() or "")
    with DuckEngine() as engine:
        for table in READ:
            engine.register(table, store.load(manifest, table))
        together = shape(build_items(engine, definitions_of(undisturbed), AS_OF), ITEM)
    assert _differences(store.load(manifest, "item"), together) == 0


def _judged(mart: Mapping[str, pa.Table], home: Path, rng: random.Random, threads: int) -> dict[str, pa.Table]:
    """Items, judgements and eligibility from the same mart with its rows shuffled."""
    definitions = definitions_of(home)
    with DuckEngine(threads=threads) as engine:
        for name, table in mart.items():
            engine.register(name, table.take(pa.array(rng.sample(range(table.num_rows), table.num_rows), pa.int64())))
        item = build_items(engine, definitions, AS_OF)
        eligibility = judge_programmes(engine, definitions, AS_OF)
    with DuckEngine(threads=threads) as engine:
        engine.register("item", item)
        return {"item": item, "eligibility": eligibility, **judge_all(engine, definitions, AS_OF)}


def test_a_stage_that_breaks_leaves_yesterdays_list_served(yesterday: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = _copy(yesterday, "broken")
    before = _store(home).current_id()

    def broken(_: object) -> int:
        raise ZeroDivisionError("山田花子")

    stages = tuple(replace(s, run=broken) if s.name == "judge" else s for s in STAGES)
    monkeypatch.setattr(night, "STAGES", stages)
    with pytest.raises(RunFailed, match="K402") as told:
        night.run(home, definitions_of(home), AS_OF, NOW)
    assert "山田花子" not in str(told.value)
    _assert_served(home, before)
    told_last = list(night.run_ledger(home).read())[-6:]  # the stages beside it were let end
    failed = [(e["stage"], e["fault"]) for e in told_last if e["event"] == "run_failed"]
    assert failed == [("judge", "ZeroDivisionError")]
    assert not any(e["event"] == "run_end" for e in told_last)


def test_a_second_run_at_the_same_time_is_turned_away(yesterday: Path) -> None:
    with exclusive(yesterday / "ledger" / "run.lock"):
        assert _run(yesterday, AS_OF) > 0
        with pytest.raises(RunFailed, match="K905"):
            night.run(yesterday, definitions_of(yesterday), AS_OF, NOW)


def test_running_again_computes_nothing_anew(undisturbed: Path) -> None:
    again = night.run(undisturbed, definitions_of(undisturbed), AS_OF, NOW)
    assert again.skipped == sum(stage.steps for stage in again.stages) > 20
    assert again.snapshot == _store(undisturbed).current_id()


def test_stages_beside_one_another_need_nothing_of_one_another() -> None:
    """The stage before the first of them is over when they begin; what follows begins when all have ended."""
    groups = [[stage.name for stage in group] for group in side_by_side(STAGES)]
    assert [name for group in groups for name in group] == [stage.name for stage in STAGES]
    assert [group for group in groups if len(group) > 1] == [["review", "judge", "programmes"]]
