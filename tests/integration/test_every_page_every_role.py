"""G5 and G6 over the whole product: every address as every role on the marked city.

Markers found in an answer must be allowed by the matrix and written in the log by that very request.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import DatabaseError
from django.test import Client

from kizuki.app import audit, demo_users
from kizuki.app.accounts import governance
from kizuki.govern.seals import tells_place
from kizuki.records.models import AuditEvent, AuditSubject
from kizuki.records.notice_models import Recipient
from kizuki.terms.tables import ALL_TABLES, Klass
from tests.conftest import ROLES
from tests.crawl import Answer, crawl, requests, screens
from tests.marked_city import APART, CANDIDATES, HOUSEHOLDS, PEOPLE, SEALED, MarkedView

pytestmark = pytest.mark.django_db
MARK = re.compile(r"印(\w\d|h\d)・(\w+)・(\w+)印")
KIN = {related for child, related, _ in APART if child in CANDIDATES and related not in SEALED}
KIN_CELLS = {("person", "name"), ("person", "birth_date"), ("person", "resident_status")}
"""All that is told of kin who live elsewhere, besides the relation itself."""
_FAMILY = {"handover.identity", "handover.household"}
IN_DOCUMENT = {("person", "name"): _FAMILY, ("person", "kana"): _FAMILY, ("person", "alias_name"): _FAMILY}
IN_DOCUMENT |= {("spell", "status"): {"handover.council"}, ("spell", "detail"): {"handover.school"}}
IN_DOCUMENT |= {("event", "code"): {"handover.consultation", "handover.health"}}
"""A stored 引継ぎ書 is logged by its parts: which of them carries a cell."""
IN_REACH = {p for members in HOUSEHOLDS.values() if set(members) & set(CANDIDATES) for p in members}


@pytest.fixture
def signed_in(marked_city: MarkedView, settings: Any, client: Client) -> Any:
    """Signs the client in as the demo user of a role."""
    settings.KIZUKI_DEMO = True
    demo_users.ensure_demo_users(True)
    Recipient.objects.create(recipient_no="FIRST", person_id="m1")
    Recipient.objects.create(recipient_no="SECOND", person_id="m3")  # sealed

    def enter(role: str) -> Client:
        assert client.post("/demo/", {"role": role}).status_code == 302
        client.get("/docs/")  # fixes the purpose
        return client

    return enter


def answers(client: Client, role: str) -> Iterator[tuple[Answer, list[AuditEvent]]]:
    """Each answer with the events its request wrote."""
    last = audit.head().seq
    for answer in crawl(client, role, [*PEOPLE, "nobody"]):
        events = list(AuditEvent.objects.filter(seq__gt=last).order_by("seq"))
        last = audit.head().seq
        yield answer, events


def klass_of(table: str, column: str) -> Klass:
    return next(c.klass for c in ALL_TABLES[table].columns if c.name == column)


@pytest.mark.parametrize("role", ROLES)
def test_no_leak_and_no_unlogged_read(role: str, signed_in: Any) -> None:
    client = signed_in(role)
    grant = next(iter(governance().roles[role].grants.values()))
    statuses: set[int] = set()
    for answer, events in answers(client, role):
        statuses.add(answer.status)
        assert answer.status < 500, answer.path
        seen = {(e, s) for e in events for s in AuditSubject.objects.filter(event=e).values_list("subject", flat=True)}
        tokens = {s for _, s in seen}
        fields = {f for e in events for f in json.loads(e.body)["fields"]}
        for person, table, column in set(MARK.findall(answer.text)):
            where = (role, answer.path, person, table, column)
            klass = klass_of(table, column)
            assert klass in grant.classes or klass is Klass.BY_SOURCE, where
            assert f"{table}.{column}" in fields or fields & IN_DOCUMENT.get((table, column), set()), where
            if person in PEOPLE:
                assert audit.subject_token(person) in tokens, where
                known_kin = person in KIN and (table, column) in KIN_CELLS
                assert person in IN_REACH or role in ("steering", "link_reviewer", "programme_desk") or known_kin, where
            assert not (person in SEALED and tells_place(column, klass)), where
    assert 200 in statuses
    assert audit.verify().ok


@pytest.mark.parametrize("role", ["data_owner", "analyst", "it", "notice_officer", "auditor"])
def test_roles_without_children_see_no_marker_at_all(role: str, signed_in: Any) -> None:
    for answer, _ in answers(signed_in(role), role):
        assert not re.search(r"印\w{1,3}・|・\w+印", answer.text), answer.path


def test_the_caseworker_does_see_markers(signed_in: Any) -> None:
    found = {m for answer, _ in answers(signed_in("caseworker"), "caseworker") for m in MARK.findall(answer.text)}
    assert {p for p, _, _ in found} >= {"c1", "c3", "c5"}
    assert ("c1", "residence", "address") in found and ("c1", "spell", "facility") in found


def test_a_reviewer_sees_the_two_sides_of_pairs_and_nothing_else(signed_in: Any) -> None:
    found = {m for answer, _ in answers(signed_in("link_reviewer"), "link_reviewer") for m in MARK.findall(answer.text)}
    assert {table for _, table, _ in found} == {"review_side"}
    assert {p for p, _, _ in found} == {"c1", "c2", "c3", "c5", "m1"}
    assert ("c1", "review_side", "town") in found


def test_the_desk_of_a_programme_sees_who_and_where_and_nothing_of_the_sealed_ones_place(signed_in: Any) -> None:
    found = {m for answer, _ in answers(signed_in("programme_desk"), "programme_desk") for m in MARK.findall(answer.text)}
    assert {table for _, table, _ in found} == {"person", "residence"}
    assert {p for p, table, _ in found if table == "residence"} == {"m1", "f4"}, "letters and the counter; nobody's else"
    assert ("m3", "person", "name") in found, "who stands at the counter may be asked by name"
    assert not {p for p, _, _ in found} & {"c3"}


def test_a_record_that_may_be_a_sealed_childs_tells_no_place_either(signed_in: Any) -> None:
    for answer, _ in answers(signed_in("link_reviewer"), "link_reviewer"):
        if "pairsealed" in answer.path:
            told = [m for m in MARK.findall(answer.text) if tells_place(m[2], klass_of(m[1], m[2]))]
            assert told == [], answer.path


def test_every_screen_is_crawled() -> None:
    assert {name for name, *_ in requests(PEOPLE) if name} == screens()


@pytest.mark.parametrize("role", ["caseworker", "steering"])
def test_a_seal_put_now_hides_the_place_on_every_page_at_once(role: str, signed_in: Any) -> None:
    from kizuki.records.models import SealOverlay, User

    client = signed_in(role)
    SealOverlay.objects.create(person_id="c1", by=User.objects.get(username="steering"), reason="申出")
    for answer, _ in answers(client, role):
        for person, table, column in MARK.findall(answer.text):
            assert not (person in HOUSEHOLDS["h1"] and tells_place(column, klass_of(table, column))), answer.path


def test_when_the_log_cannot_be_written_no_page_carries_a_marker(signed_in: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    client = signed_in("caseworker")

    def full(*_: Any, **__: Any) -> None:
        raise DatabaseError("disk full")

    monkeypatch.setattr(AuditEvent, "save", full)
    refused = 0
    for answer in crawl(client, "caseworker", PEOPLE):
        assert not MARK.search(answer.text), answer.path
        refused += "K703" in answer.text
    assert refused > 10


def test_refused_children_cannot_be_told_from_unknown_ones(signed_in: Any) -> None:
    client = signed_in("caseworker")
    known, unknown = client.get("/children/c4/"), client.get("/children/nobody/")
    assert known.status_code == unknown.status_code == 403
    plain = [re.sub(rb'value="\w{64}"', b"", r.content) for r in (known, unknown)]  # the form's own token differs each time
    assert plain[0] == plain[1]


def test_a_name_search_leaves_no_word_in_the_log(signed_in: Any) -> None:
    client = signed_in("caseworker")
    client.get("/candidates/?name=さがしたなまえ")
    text = "".join(AuditEvent.objects.values_list("body", flat=True))
    assert "さがした" not in text and "サガシタ" not in text
