"""The ledger and 「前回から」 read published, encrypted snapshots: two days of a small city, one of them gone later."""

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from kizuki.app import demo_users, snapshot_view, stop_ledger
from kizuki.app.served import Definitions, Served
from kizuki.app.since_last import since_last
from kizuki.definitions.loader import load_definitions
from kizuki.definitions.shipped import shipped_definitions
from kizuki.records.models import AuditEvent
from tests.functional.city import AS_OF, publish

pytestmark = pytest.mark.django_db
LOADED = load_definitions(shipped_definitions())


@pytest.fixture
def home(app_home: Path, settings: Any) -> Path:
    publish(app_home, children=20)
    settings.KIZUKI_DEMO = True
    demo_users.ensure_demo_users(True)
    return app_home


def client_of(role: str) -> Client:
    client = Client()
    assert client.post("/demo/", {"role": role}).status_code == 302
    client.get("/docs/")
    return client


def test_changes_are_read_from_the_publication_of_the_day_before(home: Path) -> None:
    view = snapshot_view.current_view(home)
    served = Served(view, Definitions(LOADED))
    found = since_last(served, frozenset())
    assert found.earlier == f"{AS_OF.year}/{AS_OF.month}/{AS_OF.day - 1}"
    assert found.by_person and {c.kind for c in found.by_person.values()} == {"changed"}
    assert all(c.added == (("absence", "p0"),) for c in found.by_person.values())
    assert since_last(served, frozenset({"absence"})).by_person == {}


def test_the_ledger_reads_who_was_listed_and_says_unknown_when_the_snapshot_is_gone(home: Path) -> None:
    worker, steering = client_of("caseworker"), client_of("steering")
    assert worker.get("/candidates/").status_code == 200
    store = snapshot_view.server_of(home).store
    listed = stop_ledger.Listed("absence", store)
    (event,) = AuditEvent.objects.filter(action="candidates.view", actor="caseworker")
    on_page = {s.subject for s in event.subjects.all()}
    current = listed.in_snapshot(store.current_id() or "")
    assert current and len(on_page & current.keys()) > 0
    page = steering.get("/sheets/absence/ledger/").content.decode()
    assert f">{len(on_page & current.keys())}人<" in page and "活用主体" in page
    assert listed.in_snapshot("0" * 32) is None


def test_no_earlier_day_means_no_mark(home: Path, tmp_path: Path) -> None:
    view = snapshot_view.current_view(home)
    served = Served(view, Definitions(LOADED))
    for name in snapshot_view.server_of(home).store.ids():
        if name != view.id:
            (home / "snapshots" / name / "manifest.json").unlink()
    other = frozenset({"no-such-set"})  # another key than the tests above: worked out anew
    assert since_last(served, other).by_person == {}
    assert since_last(served, other).earlier == ""
