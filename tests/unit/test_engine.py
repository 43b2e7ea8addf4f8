"""Engine: the step graph runs only what changed, snapshots are replaced whole, the lock and the ledger survive a kill."""

import gc
import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
import sqlglot

from kizuki.engine.cache import Entry, TableCache
from kizuki.engine.duck import DuckEngine
from kizuki.engine.encode import in_order
from kizuki.engine.keys import KeyRing
from kizuki.engine.lock import exclusive
from kizuki.engine.measure import measured, seldom_collecting, share_one_heap
from kizuki.engine.snapshots import Manifest, SnapshotStore, parts
from kizuki.engine.steps import Done, Inputs, Runner, Select, Step
from kizuki.engine.tables import digest, empty, shape
from kizuki.terms.errors import RunFailed
from kizuki.terms.tables import COVERAGE, FEED, SEAL


@pytest.fixture
def keys() -> KeyRing:
    return KeyRing(b"k" * 32)


@pytest.fixture
def cache(tmp_path: Path, keys: KeyRing) -> TableCache:
    return TableCache(tmp_path / "cache", keys)


def _numbers(*values: int) -> pa.Table:
    return pa.table({"n": pa.array(values, pa.int64())})


class Counting:
    """Two steps: `first` gives what it is told to, `second` doubles it; counts how often each ran."""

    def __init__(self) -> None:
        self.ran: list[str] = []

    def steps(self, value: int, first_version: str = "1") -> list[Step]:
        def first(_: Inputs) -> Mapping[str, pa.Table]:
            self.ran.append("first")
            return {"a": _numbers(value)}

        def second(inputs: Inputs) -> Mapping[str, pa.Table]:
            self.ran.append("second")
            return {"b": _numbers(*(n * 2 for n in inputs["a"].column("n").to_pylist()))}

        return [
            Step("first", (), ("a",), first_version, first, (str(value),)),
            Step("second", ("a",), ("b",), "1", second),
        ]


def test_an_unchanged_step_is_not_run_again(cache: TableCache) -> None:
    counting = Counting()
    Runner(cache).run(counting.steps(1))
    again = Runner(cache)
    done = again.run(counting.steps(1))
    assert counting.ran == ["first", "second"]
    assert [d.skipped for d in done] == [True, True]
    assert again.load("b").to_pydict() == {"n": [2]}


def test_changed_parameters_run_the_step_and_what_depends_on_it(cache: TableCache) -> None:
    counting = Counting()
    Runner(cache).run(counting.steps(1))
    Runner(cache).run(counting.steps(2))
    assert counting.ran == ["first", "second"] * 2


def test_a_change_that_gives_the_same_table_stops_there(cache: TableCache) -> None:
    counting = Counting()
    Runner(cache).run(counting.steps(1))
    Runner(cache).run(counting.steps(1, first_version="2"))
    assert counting.ran == ["first", "second", "first"]


def test_a_lost_table_is_made_again(cache: TableCache) -> None:
    counting = Counting()
    runner = Runner(cache)
    runner.run(counting.steps(1))
    cache.path(runner.tables["b"]).unlink()
    Runner(cache).run(counting.steps(1))
    assert counting.ran == ["first", "second", "second"]


def test_each_step_is_reported_once_its_result_is_safe(cache: TableCache) -> None:
    told: list[Done] = []
    runner = Runner(cache, told.append)
    runner.run(Counting().steps(1))
    assert [(d.step, d.rows) for d in told] == [("first", 1), ("second", 1)]


def test_a_step_that_gives_other_tables_than_declared_is_refused(cache: TableCache) -> None:
    with pytest.raises(ValueError, match="declared"):
        Runner(cache).run([Step("s", (), ("a",), "1", lambda _: {"b": _numbers(1)})])


def test_steps_that_do_not_need_each_other_run_side_by_side(cache: TableCache) -> None:
    together = threading.Barrier(2, timeout=10)

    def meet(name: str) -> Step:
        def compute(_: Inputs) -> Mapping[str, pa.Table]:
            together.wait()
            return {name: _numbers(1)}

        return Step(name, (), (name,), "1", compute)

    assert len(Runner(cache, workers=2).run([meet("a"), meet("b")])) == 2


def test_a_step_that_needs_the_memory_for_itself_gets_it(cache: TableCache) -> None:
    going: list[str] = []
    seen: dict[str, list[str]] = {}

    def busy(name: str, *, alone: bool = False) -> Step:
        def compute(_: Inputs) -> Mapping[str, pa.Table]:
            going.append(name)
            time.sleep(0.05)
            seen[name] = list(going)
            going.remove(name)
            return {name: _numbers(1)}

        return Step(name, (), (name,), "1", compute, alone=alone)

    Runner(cache, workers=2).run([busy("a"), busy("large", alone=True), busy("b"), busy("c")])
    assert seen["large"] == ["large"]


def test_a_step_that_fails_stops_the_run_and_says_what_it_said(cache: TableCache) -> None:
    def fail(_: Inputs) -> Mapping[str, pa.Table]:
        raise RunFailed("fault", "x")

    runner = Runner(cache)
    with pytest.raises(RunFailed, match="fault"):
        runner.run([Step("bad", (), ("a",), "1", fail), *Counting().steps(1)])
    with pytest.raises(ValueError, match="nobody makes"):
        Runner(cache).run([Step("s", ("nowhere",), ("a",), "1", fail)])


def test_a_query_step_reads_parts_together_and_keeps_to_its_schema(cache: TableCache) -> None:
    runner = Runner(cache)
    runner.tables = cache.store("given", "k", {"t.one": _numbers(1), "t.two": _numbers(2)})
    query = sqlglot.parse_one("select cast(sum(n) as bigint) as total from t")
    runner.run([Select("total", {"t": ("t.one", "t.two")}, query).step()])
    assert runner.load("total").to_pydict() == {"total": [3]}
    with pytest.raises(ValueError, match="seal"):
        runner.run([Select("total", {"t": "t.one"}, query, SEAL).step()])


def test_the_cache_keeps_nothing_readable(cache: TableCache) -> None:
    cache.store("s", "k", {"t": pa.table({"secret_column": ["CANARY-VALUE"]})})
    for path in cache.folder.iterdir():
        body = path.read_bytes()
        assert b"CANARY-VALUE" not in body
        assert b"secret_column" not in body


def test_a_swapped_table_is_noticed(cache: TableCache) -> None:
    found = cache.store("s", "k", {"a": _numbers(1), "b": _numbers(2)})
    os.replace(cache.path(found["a"]), cache.path(found["b"]))
    with pytest.raises(RunFailed, match="K904"):
        cache.load(found["b"])


def test_an_altered_byte_is_noticed(cache: TableCache) -> None:
    entry = cache.store("s", "k", {"a": _numbers(*range(1000))})["a"]
    body = bytearray(cache.path(entry).read_bytes())
    body[len(body) // 2] ^= 1
    cache.path(entry).write_bytes(body)
    with pytest.raises(RunFailed, match="K903"):
        cache.load(entry)


def test_the_sweep_removes_only_what_was_not_used(cache: TableCache) -> None:
    old = cache.store("s", "old", {"a": _numbers(1)})["a"]
    new = cache.store("s", "new", {"a": _numbers(2)})["a"]
    for path in (cache.path(old), cache.folder / "s-old.json"):
        os.utime(path, (0, 0))
    assert cache.sweep(unused_since=1.0) == 2
    assert cache.path(new).exists()


@pytest.fixture
def store(tmp_path: Path, keys: KeyRing) -> SnapshotStore:
    return SnapshotStore(tmp_path / "snapshots", keys)


def _manifest(id_: str, entries: Mapping[str, Entry]) -> Manifest:
    tables = {"seal": parts([e for n, e in entries.items()])}
    return Manifest(id_, "2026-11-20", "2026-11-20T03:00:00+09:00", "defs", True, tables, ("d1",))


def _seal_rows(*people: str) -> pa.Table:
    n = len(people)
    day = pa.array([0] * n, pa.int32()).cast(pa.date32())
    return shape(pa.table({"person_id": list(people), "reason": ["own"] * n, "sealed_from": day}), SEAL)


def test_a_published_snapshot_is_read_back_in_parts(cache: TableCache, store: SnapshotStore) -> None:
    entries = cache.store("s", "k", {"seal.a": _seal_rows("p1"), "seal.b": _seal_rows("p2"), "seal.c": _seal_rows()})
    assert store.publish(_manifest("one", entries), cache)
    manifest = store.manifest("one")
    assert store.current_id() == "one"
    assert manifest.rows() == {"seal": 2}
    assert sorted(store.load(manifest, "seal").column("person_id").to_pylist()) == ["p1", "p2"]


def test_a_table_without_rows_keeps_its_columns(cache: TableCache, store: SnapshotStore) -> None:
    entries = cache.store("s", "k", {"seal.a": _seal_rows()})
    store.publish(_manifest("one", entries), cache)
    assert store.load(store.manifest("one"), "seal").schema == empty(SEAL).schema


def test_publishing_the_same_again_changes_nothing(cache: TableCache, store: SnapshotStore) -> None:
    entries = cache.store("s", "k", {"seal.a": _seal_rows("p1")})
    store.publish(_manifest("one", entries), cache)
    assert not store.publish(_manifest("one", entries), cache)


def test_an_altered_manifest_is_noticed(cache: TableCache, store: SnapshotStore) -> None:
    store.publish(_manifest("one", cache.store("s", "k", {"seal.a": _seal_rows("p1")})), cache)
    path = store.folder / "one" / "manifest.json"
    path.write_text(path.read_text().replace('"synthetic": true', '"synthetic": false'))
    with pytest.raises(RunFailed, match="K907"):
        store.manifest("one")


def test_a_manifest_that_cannot_be_read_is_told(store: SnapshotStore) -> None:
    with pytest.raises(RunFailed, match="K906"):
        store.manifest("none")


def test_old_snapshots_go_but_never_the_one_served(cache: TableCache, store: SnapshotStore) -> None:
    entries = cache.store("s", "k", {"seal.a": _seal_rows("p1")})
    for n in range(4):
        store.publish(_manifest(f"s{n}", entries), cache)
        os.utime(store.folder / f"s{n}" / "manifest.json", (n, n))
    store.publish(_manifest("s0", entries), cache)
    (store.folder / "half.tmp").mkdir()
    store.prune(keep=1)
    assert store.ids() == ["s0", "s3"]
    assert not (store.folder / "half.tmp").exists()


def test_a_copy_stands_where_links_are_not_possible(
    cache: TableCache, store: SnapshotStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(*_: object) -> None:
        raise OSError

    monkeypatch.setattr(os, "link", no_links)
    store.publish(_manifest("one", cache.store("s", "k", {"seal.a": _seal_rows("p1")})), cache)
    assert store.load(store.manifest("one"), "seal").num_rows == 1


def test_two_runs_cannot_hold_the_lock(tmp_path: Path) -> None:
    with exclusive(tmp_path / "run.lock"), pytest.raises(RunFailed, match="K905"), exclusive(tmp_path / "run.lock"):
        pass
    with exclusive(tmp_path / "run.lock"):
        pass


def test_the_lock_of_a_killed_run_is_free(tmp_path: Path) -> None:
    lock = tmp_path / "run.lock"
    code = (
        "import os, signal, sys; from pathlib import Path; from kizuki.engine.lock import exclusive\n"
        "with exclusive(Path(sys.argv[1])): os.kill(os.getpid(), signal.SIGKILL)"
    )
    killed = subprocess.run([sys.executable, "-c", code, str(lock)], check=False)
    assert killed.returncode < 0
    with exclusive(lock):
        pass


def test_measuring_sees_a_large_block() -> None:
    with measured() as usage:
        block = bytearray(80 * 1024 * 1024)
        block[::4096] = b"x" * len(block[::4096])
    assert usage.peak_mb > 80
    assert usage.seconds > 0


def test_a_block_within_another_does_not_hide_its_peak() -> None:
    with measured() as outer:
        block = bytearray(80 * 1024 * 1024)
        block[::4096] = b"x" * len(block[::4096])
        del block
        with measured() as inner:
            pass
    assert outer.peak_mb > inner.peak_mb


def test_the_engine_reads_no_file_and_no_python_variable() -> None:
    hidden = _numbers(1)  # a variable DuckDB would otherwise find by name
    with DuckEngine() as engine:
        with pytest.raises(duckdb.Error):
            engine.query(sqlglot.parse_one("select * from read_text('/etc/hostname')"))
        with pytest.raises(duckdb.Error):
            engine.query(sqlglot.parse_one("select * from hidden"))
    assert hidden.num_rows == 1


def test_a_second_handle_sees_the_same_tables() -> None:
    with DuckEngine() as engine:
        engine.register("given", _seal_rows("p1", "p2"))
        engine.materialise("seal", sqlglot.parse_one("select * from given"))
        found = engine.cursor().query(sqlglot.parse_one("select person_id from seal where person_id = 'p2'"))
    assert found.to_pydict() == {"person_id": ["p2"]}


def test_shaping_refuses_other_columns_blanks_and_types() -> None:
    good = _seal_rows("p1")
    assert shape(good, SEAL).schema == empty(SEAL).schema
    with pytest.raises(ValueError, match="columns"):
        shape(good.drop_columns(["reason"]), SEAL)
    with pytest.raises(ValueError, match="blank"):
        shape(good.set_column(0, "person_id", pa.nulls(1, pa.string())), SEAL)
    with pytest.raises(ValueError, match="fit"):
        rows = {c.name: pa.array(["x"]) for c in FEED.columns}
        shape(pa.table(rows), FEED)
    assert shape(empty(COVERAGE), COVERAGE).num_rows == 0


def test_the_digest_follows_content_and_order() -> None:
    assert digest(_numbers(1, 2)) == digest(pa.concat_tables([_numbers(1, 2)]))
    assert len({digest(_numbers(1, 2)), digest(_numbers(2, 1)), digest(_numbers(1, 2).rename_columns(["m"]))}) == 3


def test_encoded_rows_are_sorted_as_the_query_says_with_blanks_first() -> None:
    rows = pa.table({"a": ["b", None, "a", "b"], "n": pa.array([2, 1, 1, None], pa.int64()), "d": [0.5, 0.1, None, 0.5]})
    with DuckEngine() as engine:
        engine.register("t", rows)
        found = engine.query_encoded(sqlglot.parse_one("select a, n, d from t"))
    assert pa.types.is_dictionary(found.schema.field("a").type)
    ordered = in_order(found, ["a", "n", "d"])
    assert ordered.column("a").to_pylist() == [None, "a", "b", "b"]
    assert ordered.column("n").to_pylist() == [1, 1, None, 2]


def test_sorting_by_more_than_one_integer_can_hold_still_sorts() -> None:
    values = [7, 2**61, 0, 2**61 - 1]
    table = pa.table({"a": pa.array(values, pa.int64()), "b": pa.array(list(reversed(values)), pa.int64())})
    assert in_order(table, ["a", "b"]).column("a").to_pylist() == sorted(values)


def test_the_collector_is_given_back_its_thresholds() -> None:
    usual = gc.get_threshold()
    with pytest.raises(RuntimeError), seldom_collecting():
        assert gc.get_threshold()[0] > usual[0]
        raise RuntimeError
    assert gc.get_threshold() == usual


def test_arrow_takes_memory_from_the_system() -> None:
    before = pa.default_memory_pool()
    try:
        share_one_heap()
        assert pa.default_memory_pool().backend_name == "system"
    finally:
        pa.set_memory_pool(before)


def test_a_table_read_lately_is_read_once_and_few_columns_are_not_the_whole(
    cache: TableCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = pa.table({"a": pa.array(["x", "y"]), "b": pa.array([1, 2])})
    entry = cache.store("s", "k", {"t": whole})["t"]
    first = cache.load(entry)
    assert cache.load(entry) is first
    assert cache.load(entry, ["b", "elsewhere"]).column_names == ["b"]
    assert cache.load(entry).column_names == ["a", "b"]
    monkeypatch.setattr("kizuki.engine.cache._RECENT_BYTES", 0)
    small = TableCache(cache.folder, cache.keys)
    again = small.load(entry)
    assert small.load(entry) is again, "in use somewhere"
    del again
    gc.collect()
    assert not small._recent._in_use, "and let go when it is in use no longer"
