"""The log against somebody with the database in their hands: edit, delete, insert, swap, truncate, fork, key swap."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from kizuki.app import audit
from kizuki.engine.keys import KeyRing
from kizuki.govern import chain
from kizuki.govern.actor import Actor
from kizuki.records.models import AuditEvent, AuditHead, AuditSubject

pytestmark = pytest.mark.django_db
TRIGGERS = ("audit_event_no_update", "audit_event_no_delete", "audit_subject_no_update", "audit_subject_no_delete")
SOMEONE = Actor(1, "tanto", "担当", "caseworker", "support", "s")


@pytest.fixture
def log(app_home: Path) -> Path:
    """Six events about two children, each."""
    for n in range(6):
        audit.record(SOMEONE, "child.view", audit.Entry(subjects=(f"p{n}", "p0"), fields=("person.name",), count=2))
    return app_home


@pytest.fixture
def without_triggers(log: Path) -> Path:
    """The attacker first removes the database's own refusal."""
    with connection.cursor() as cursor:
        for name in TRIGGERS:
            cursor.execute(f"DROP TRIGGER {name}")
    return log


def test_an_untouched_log_holds(log: Path) -> None:
    assert audit.verify() == chain.Verdict(6, True)
    assert [s.seq for s in audit.sightings("p0")] == [6, 5, 4, 3, 2, 1]
    assert [s.seq for s in audit.sightings("p3")] == [4]


@pytest.mark.parametrize(
    "change",
    [
        lambda: AuditEvent.objects.filter(seq=2).update(actor="x"),
        lambda: AuditEvent.objects.all().delete(),
        lambda: AuditSubject.objects.all().delete(),
        lambda: AuditSubject.objects.update(subject="x"),
    ],
)
def test_the_database_refuses_any_change(log: Path, change: Callable[[], Any]) -> None:
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        change()
    assert audit.verify().ok


def _edit() -> None:
    event = AuditEvent.objects.get(seq=3)
    AuditEvent.objects.filter(seq=3).update(body=event.body.replace("child.view", "feed.view"), action="feed.view")


def _insert() -> None:
    last = AuditEvent.objects.get(seq=6)
    last.seq, last.prev = 7, last.mac
    last.save(force_insert=True)
    AuditSubject.objects.bulk_create(
        [AuditSubject(event_id=7, subject=s) for s in AuditSubject.objects.filter(event_id=6).values_list("subject", flat=True)]
    )


def _swap() -> None:
    three, four = AuditEvent.objects.get(seq=3), AuditEvent.objects.get(seq=4)
    AuditEvent.objects.filter(seq=3).update(body=four.body, mac=four.mac, prev=four.prev)
    AuditEvent.objects.filter(seq=4).update(body=three.body, mac=three.mac, prev=three.prev)


def _truncate() -> None:
    AuditSubject.objects.filter(event_id__gte=5).delete()
    AuditEvent.objects.filter(seq__gte=5).delete()
    AuditHead.objects.filter(id=1).update(seq=4, mac=AuditEvent.objects.get(seq=4).mac)


ATTACKS: dict[str, tuple[Callable[[], Any], int]] = {
    "edit": (_edit, 3),
    "edit a column only": (lambda: AuditEvent.objects.filter(seq=2).update(actor="other"), 2),
    "delete": (lambda: (AuditSubject.objects.filter(event_id=2).delete(), AuditEvent.objects.filter(seq=2).delete()), 2),
    "insert": (_insert, 7),
    "swap": (_swap, 3),
    "drop a person from the list": (lambda: AuditSubject.objects.filter(event_id=4)[:1].get().delete(), 4),
    "add a person to the list": (lambda: AuditSubject.objects.create(event_id=5, subject="0" * 32), 5),
    "person without event": (lambda: AuditEvent.objects.filter(seq=6).delete(), 6),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_each_attack_is_found_where_it_happened(name: str, without_triggers: Path) -> None:
    attack, where = ATTACKS[name]
    with connection.constraint_checks_disabled():
        attack()
        verdict = audit.verify()
        assert (verdict.ok, verdict.first_bad) == (False, where), verdict
        AuditSubject.objects.all().delete()  # leave no dangling rows behind for the test database's own checks


def _noted(home: Path, head: chain.Head) -> None:
    audit._keep_head(head)  # the on-commit note, which a rolled-back test never reaches


def test_a_cut_tail_is_found_by_the_note_beside_the_database(without_triggers: Path) -> None:
    _noted(without_triggers, audit.head())
    _truncate()
    verdict = audit.verify()
    assert not verdict.ok and verdict.first_bad == 5 and "切られて" in verdict.problem


def test_a_cut_tail_with_its_note_is_found_by_the_printed_head(without_triggers: Path) -> None:
    printed = audit.head()
    _truncate()
    assert audit.verify().ok  # both the database and its note were set back together
    assert not audit.verify([printed]).ok


def test_a_fork_after_a_restored_backup_is_found(without_triggers: Path) -> None:
    _noted(without_triggers, audit.head())
    _truncate()
    for _ in range(3):
        audit.record(SOMEONE, "feed.view")
    verdict = audit.verify()
    assert not verdict.ok and verdict.first_bad == 6


def test_a_rewrite_with_another_key_is_found(log: Path) -> None:
    links = [chain.Link(e.seq, e.body, e.prev, e.mac) for e in AuditEvent.objects.order_by("seq")]
    assert chain.verify(links, KeyRing.load(log).key("audit")).ok
    assert not chain.verify(links, b"\0" * 32).ok


def test_disk_full_releases_nothing_and_keeps_the_chain(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from kizuki.terms.errors import NotPermitted

    with monkeypatch.context() as m:
        m.setattr(AuditHead.objects, "filter", lambda **_: (_ for _ in ()).throw(DatabaseError("database or disk is full")))
        with pytest.raises(NotPermitted, match="K703"):
            audit.record(SOMEONE, "child.view")
    audit.record(SOMEONE, "child.view")
    assert audit.verify() == chain.Verdict(7, True)


def test_a_locked_database_releases_nothing(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    other = sqlite3.connect(path, timeout=0)
    with pytest.raises(sqlite3.OperationalError):
        other.execute("BEGIN IMMEDIATE")
    other.close()
    holder.close()
