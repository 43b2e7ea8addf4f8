"""What the screens read: the published snapshot in memory, following CURRENT without ever standing still."""

import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from sqlglot import exp

from kizuki.app.snapshot_view import Server
from kizuki.engine.cache import TableCache
from kizuki.engine.keys import KeyRing
from kizuki.engine.snapshots import Manifest, SnapshotStore, parts
from kizuki.engine.tables import empty, shape
from kizuki.terms.errors import RunFailed
from kizuki.terms.tables import ALL_TABLES, SEAL


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path


def _publish(home: Path, snapshot: str, *people: str) -> None:
    keys = KeyRing.load(home)
    cache = TableCache(home / "cache", keys)
    day = pa.array([0] * len(people), pa.int32()).cast(pa.date32())
    tables = {name: empty(schema) for name, schema in ALL_TABLES.items()}
    tables["seal"] = shape(pa.table({"person_id": list(people), "reason": ["own"] * len(people), "sealed_from": day}), SEAL)
    entries = cache.store("all", snapshot, tables)
    manifest = Manifest(
        snapshot, "2026-11-20", "2026-11-21T03:00:00+09:00", "defs", True, {n: parts([e]) for n, e in entries.items()}
    )
    SnapshotStore(home / "snapshots", keys).publish(manifest, cache)


def _people(server: Server) -> list[str]:
    found = server.view().cursor().query(exp.select("person_id").from_("seal").order_by("person_id"))
    return list(found.column("person_id").to_pylist())


@pytest.fixture
def server(home: Path) -> Iterator[Server]:
    served = Server(home)
    yield served
    if served.store.current_id():
        served.refresh().engine.close()


def test_before_the_first_run_there_is_a_sentence(server: Server) -> None:
    with pytest.raises(RunFailed, match="K401"):
        server.view()


def test_every_table_of_the_snapshot_can_be_read(home: Path, server: Server) -> None:
    _publish(home, "one", "p2", "p1")
    view = server.view()
    assert (view.id, view.as_of.isoformat(), view.synthetic) == ("one", "2026-11-20", True)
    assert view.published_at.isoformat() == "2026-11-21T03:00:00+09:00"
    for name in ALL_TABLES:
        assert view.cursor().query(exp.select("*").from_(name)).column_names == list(ALL_TABLES[name].column_names())
    assert _people(server) == ["p1", "p2"]


def test_the_old_view_serves_until_the_new_one_is_loaded(home: Path, server: Server) -> None:
    _publish(home, "one", "p1")
    old = server.view()
    _publish(home, "two", "p1", "p2")
    assert server.view() is old
    deadline = time.monotonic() + 10
    while server.view().id != "two" and time.monotonic() < deadline:
        time.sleep(0.01)
    assert _people(server) == ["p1", "p2"]
    assert server.refresh() is server.view()


def test_a_snapshot_that_cannot_be_read_does_not_take_the_served_one_away(home: Path, server: Server) -> None:
    _publish(home, "one", "p1")
    old = server.view()
    (home / "snapshots" / "CURRENT").write_text("gone")
    assert server.view() is old
    time.sleep(0.2)
    assert server.view() is old
    (home / "snapshots" / "CURRENT").write_text("one")


def test_each_thread_has_a_handle_of_its_own(home: Path, server: Server) -> None:
    _publish(home, "one", "p1")
    view = server.view()
    assert view.cursor() is view.cursor()
    assert view.cursor() is not view.engine
