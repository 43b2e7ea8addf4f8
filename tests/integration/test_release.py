"""G5: one door. What comes out is exactly what the matrix grants, and nothing comes out unwritten."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError

from kizuki.app import audit
from kizuki.app.release import MASKED, Actor, Query, Released, release
from kizuki.records.models import AuditEvent, AuditSubject, Case, SealGrant, SealOverlay, Share, User
from kizuki.terms.errors import NotPermitted
from tests.marked_city import CANDIDATES, PEOPLE, MarkedView, mark

HOUSEHOLD = Query(
    name="child_household",
    tables=("person", "household_member", "residence"),
    columns={
        "person_id": "person.person_id",
        "household_id": "household_member.household_id",
        "relation": "household_member.relation",
        "name": "person.name",
        "kana": "person.kana",
        "alias_name": "person.alias_name",
        "birth_date": "person.birth_date",
        "sex": "person.sex",
        "resident_status": "person.resident_status",
        "resident_from": "person.resident_from",
        "address": "residence.address",
        "address_extra": "residence.address_extra",
        "source": "person.source",
        "delivery_id": "person.delivery_id",
    },
    subject="person_id",
)
FACTS = Query(
    name="child_facts",
    tables=("spell", "event", "coverage", "household_member"),
    columns={
        "person_id": "spell.person_id",
        "fact": "-",
        "kind": "spell.kind",
        "status": "spell.status",
        "facility": "spell.facility",
        "detail": "spell.detail",
        "amount": "spell.amount",
        "starts_on": "event.happened_on",
        "ends_on": "event.happened_on",
        "value": "event.value",
        "value_state": "event.value_state",
        "code": "event.code",
        "source": "spell.source",
        "delivery_id": "spell.delivery_id",
    },
    subject="person_id",
)
FEEDS = Query(
    name="feed_board",
    tables=("feed",),
    columns={
        c: f"feed.{c}" for c in ("source", "last_as_of", "last_received_at", "state", "deliveries", "rows", "quarantined")
    },
    subject=None,
)
Make = Callable[..., Actor]
AS_OF = "2026-11-20"


def household(actor: Actor, person: str = "c1") -> Released:
    return release(actor, HOUSEHOLD, action="child.view", person_id=person)


def child_facts(actor: Actor, person: str = "c1") -> Released:
    return release(actor, FACTS, action="child.view", person_id=person, as_of=AS_OF)


def people(found: Released) -> set[str]:
    return {r["person_id"] for r in found.rows}


def last_event() -> dict[str, Any]:
    event = AuditEvent.objects.order_by("-seq").first()
    assert event is not None
    body: dict[str, Any] = json.loads(event.body)
    return body


def test_a_caseworker_sees_a_candidate_with_the_household(marked_city: MarkedView, actor_for: Make) -> None:
    found = household(actor_for("caseworker"))
    assert people(found) == {"c1", "c2", "m1"}
    assert {r["name"] for r in found.rows} == {mark(p, "person", "name") for p in ("c1", "c2", "m1")}
    assert found.withheld == () and found.refused_rows == 0


def test_household_members_show_no_health_or_consultation(marked_city: MarkedView, actor_for: Make) -> None:
    found = child_facts(actor_for("caseworker"))
    sources = {p: {r["source"] for r in found.rows if r["person_id"] == p} for p in ("c1", "c2", "m1")}
    assert {"maternal_child_health", "family_consultation"} <= sources["c1"]
    assert not {"maternal_child_health", "family_consultation"} & (sources["c2"] | sources["m1"])
    assert found.refused_rows > 0


def test_sources_without_class_and_tax_stay_closed(marked_city: MarkedView, actor_for: Make) -> None:
    found = child_facts(actor_for("caseworker"))
    assert not {"municipal_tax", "new_source"} & {r["source"] for r in found.rows}


def test_a_child_outside_the_scope_is_refused(marked_city: MarkedView, actor_for: Make) -> None:
    with pytest.raises(NotPermitted, match="K702"):
        household(actor_for("caseworker"), "c4")
    with pytest.raises(NotPermitted, match="K702"):
        household(actor_for("caseworker"), "nobody")


def test_a_sibling_who_is_no_candidate_shows_household_fields_only(marked_city: MarkedView, actor_for: Make) -> None:
    found = child_facts(actor_for("caseworker"), "c2")
    of_c2 = {r["source"] for r in found.rows if r["person_id"] == "c2" and r["fact"] != "coverage"}
    assert "school_enrolment" in of_c2 and not {"maternal_child_health", "family_consultation"} & of_c2


def test_assignment_and_sharing_open_a_child_and_end(marked_city: MarkedView, actor_for: Make) -> None:
    from django.utils import timezone

    actor = actor_for("caseworker")
    user = User.objects.get(pk=actor.user_id)
    other = User.objects.create(username="other")
    case = Case.objects.create(person_id="c4", assignee=user)
    assert people(household(actor, "c4")) == {"c4", "f4"}
    case.assignee = other
    case.save()
    with pytest.raises(NotPermitted):
        household(actor, "c4")
    share = Share.objects.create(
        person_id="c4", user=user, by=other, reason="相談", expires_at=timezone.now() + timedelta(hours=1)
    )
    assert people(household(actor, "c4")) == {"c4", "f4"}
    Share.objects.filter(pk=share.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    with pytest.raises(NotPermitted):
        household(actor, "c4")


def test_a_list_holds_back_what_is_outside_and_says_how_many(marked_city: MarkedView, actor_for: Make) -> None:
    listed = Query(name="case_subjects", tables=("person",), columns={"person_id": "person.person_id"}, subject="person_id")
    found = release(actor_for("caseworker"), listed, action="case.change", people=tuple(PEOPLE))
    assert people(found) == {"c1", "c2", "m1", "c3", "m3", "c5"}
    assert found.refused_rows == 2


@pytest.mark.parametrize("role", ["it", "auditor", "notice_officer", "data_owner", "link_reviewer", "analyst"])
def test_other_roles_cannot_open_a_child(role: str, marked_city: MarkedView, actor_for: Make) -> None:
    with pytest.raises(NotPermitted, match="K701"):
        household(actor_for(role))
    assert AuditSubject.objects.count() == 0


@pytest.mark.parametrize("role", ["it", "auditor", "notice_officer", "data_owner", "link_reviewer"])
def test_roles_without_persons_get_no_person_through_any_action(role: str, marked_city: MarkedView, actor_for: Make) -> None:
    with pytest.raises(NotPermitted):
        release(actor_for(role), HOUSEHOLD, action="today.view", person_id="c1")


def test_the_analyst_gets_pseudonyms_and_cannot_name_a_child(marked_city: MarkedView, actor_for: Make) -> None:
    actor = actor_for("analyst")
    order = Query(
        name="worklist_order",
        tables=("judgement", "person", "household_member"),
        columns={
            "person_id": "judgement.person_id",
            "criteria": "judgement.criteria",
            "verdict": "judgement.verdict",
            "rank": "judgement.rank",
            "household_id": "household_member.household_id",
            "name": "person.name",
            "kana": "person.kana",
            "birth_date": "person.birth_date",
        },
        subject="person_id",
    )
    found = release(actor, order, action="analysis.run")
    assert len(found.rows) == 5
    assert not people(found) & set(PEOPLE)
    assert all(r["name"] is MASKED and r["birth_date"] is MASKED for r in found.rows)
    assert {r["verdict"] for r in found.rows} == {"該当", "要確認", "非該当"}
    with pytest.raises(NotPermitted, match="K702"):
        release(actor, HOUSEHOLD, action="analysis.run", person_id="c1")


def test_steering_sees_results_not_addresses_or_consultations(marked_city: MarkedView, actor_for: Make) -> None:
    actor = actor_for("steering")
    found = household(actor, "c4")
    assert all(r["address"] is MASKED for r in found.rows) and "address" in dict(found.withheld)
    assert not {"family_consultation", "maternal_child_health"} & {r["source"] for r in child_facts(actor).rows}


def test_every_release_writes_one_event_without_values(marked_city: MarkedView, actor_for: Make) -> None:
    actor = actor_for("caseworker")
    household(actor)
    body = last_event()
    assert (body["action"], body["outcome"], body["count"], body["subject_count"]) == ("child.view", "allowed", 3, 3)
    assert "person.name" in body["fields"] and body["purpose"] == "support" and body["snapshot"] == "marked-1"
    text = AuditEvent.objects.get(seq=AuditEvent.objects.count()).body
    assert "印" not in text and '"c1"' not in text
    assert [s.actor for s in audit.sightings("c2")] == ["caseworker"]
    assert audit.sightings("c4") == []


def test_withheld_fields_are_not_written_as_seen(marked_city: MarkedView, actor_for: Make) -> None:
    household(actor_for("steering"))
    assert "residence.address" not in last_event()["fields"]


def test_without_audit_nothing_leaves(marked_city: MarkedView, actor_for: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    actor = actor_for("caseworker")

    def full(*_: Any, **__: Any) -> None:
        raise DatabaseError("disk full")

    monkeypatch.setattr(AuditEvent, "save", full)
    with pytest.raises(NotPermitted, match="K703"):
        household(actor)
    monkeypatch.undo()
    assert AuditEvent.objects.count() == 0


def test_reasons_are_sealed_and_terms_hashed(marked_city: MarkedView, actor_for: Make) -> None:
    release(actor_for("caseworker"), HOUSEHOLD, action="child.view", reason="印理由", person_id="c1")
    body = last_event()
    assert body["reason"] and "印理由" not in json.dumps(body, ensure_ascii=False)
    assert audit.sightings("c1")[0].reason == "印理由"


def test_feeds_are_open_to_those_who_run_them(marked_city: MarkedView, actor_for: Make) -> None:
    for role in ("it", "data_owner", "caseworker", "steering"):
        assert len(release(actor_for(role), FEEDS, action="feed.view").rows) == 8
    assert AuditEvent.objects.count() == 4


def test_a_declaration_that_hides_what_it_reads_is_refused_or_overruled() -> None:
    from kizuki.app.release_plan import facts

    lying = Query(name="case_subjects", tables=("person",), columns={"person_id": "-"}, subject=None)
    with pytest.raises(ValueError, match="subject"):
        facts(lying)
    columns = dict(HOUSEHOLD.columns) | {"address": "-"}
    rules = facts(Query("child_household", HOUSEHOLD.tables, columns, "person_id")).rules
    assert [o.path for o in rules["address"].origins] == ["residence.address"]
    with pytest.raises(ValueError, match="tables"):
        facts(Query("child_household", ("person",), HOUSEHOLD.columns, "person_id"))


# 支援措置 (G6)


@pytest.mark.parametrize("role", ["caseworker", "steering"])
def test_a_seal_hides_every_place_of_the_household(role: str, marked_city: MarkedView, actor_for: Make) -> None:
    actor = actor_for(role)
    rows = household(actor, "c3").rows + child_facts(actor, "c3").rows
    assert {r["person_id"] for r in rows} == {"c3", "m3"}
    text = json.dumps(rows, default=str, ensure_ascii=False)
    for person in ("c3", "m3"):
        assert mark(person, "residence", "address") not in text
        assert "facility" not in text.replace('"facility"', "")


def test_a_named_grant_opens_one_household_for_one_person_until_its_end(marked_city: MarkedView, actor_for: Make) -> None:
    from django.utils import timezone

    actor, other = actor_for("caseworker"), actor_for("caseworker", login="other")
    boss = User.objects.create(username="boss")
    soon = timezone.now() + timedelta(hours=1)
    grant = SealGrant.objects.create(person_id="c3", user_id=actor.user_id, by=boss, reason="担当", expires_at=soon)
    assert {r["address"] for r in household(actor, "c3").rows} == {mark(p, "residence", "address") for p in ("c3", "m3")}
    assert all(r["address"] is MASKED for r in household(other, "c3").rows)
    SealGrant.objects.filter(pk=grant.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert all(r["address"] is MASKED for r in household(actor, "c3").rows)


def test_a_seal_put_by_staff_works_at_the_next_response_over_the_household(marked_city: MarkedView, actor_for: Make) -> None:
    actor = actor_for("caseworker")
    assert all(r["address"] is not MASKED for r in household(actor, "c1").rows)
    overlay = SealOverlay.objects.create(person_id="m1", by_id=actor.user_id, reason="来庁時の申出")
    assert all(r["address"] is MASKED for r in household(actor, "c1").rows)
    from django.utils import timezone

    SealOverlay.objects.filter(pk=overlay.pk).update(lifted_at=timezone.now(), lifted_by_id=actor.user_id)
    assert all(r["address"] is not MASKED for r in household(actor, "c1").rows)


# queries made for the test: what a screen might one day ask


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Query]:
    """Declares a query from SQL text, as if it lay in app/sql."""
    import sqlglot

    from kizuki.app import release_plan as plan

    texts: dict[str, str] = {}
    shipped = plan.load  # type: ignore[attr-defined]
    monkeypatch.setattr(plan, "load", lambda p, n: sqlglot.parse_one(texts[n], read="duckdb") if n in texts else shipped(p, n))

    def declare(text: str, columns: dict[str, str], tables: tuple[str, ...], subject: str | None = None) -> Query:
        name = f"made_{len(text)}_{hash(text)}"
        texts[name] = text
        return Query(name, tables, columns, subject)

    return declare


def test_a_count_covers_only_what_the_actor_may_see(made: Any, marked_city: MarkedView, actor_for: Make) -> None:
    count = made("SELECT COUNT(*) AS n FROM event", {"n": "-"}, ("event",))
    found = release(actor_for("caseworker"), count, action="today.view").rows
    assert found == [{"n": 6 * 6}]  # six persons in scope, eight sources less tax and the one without class
    with pytest.raises(NotPermitted):
        release(actor_for("it"), count, action="today.view")


def test_finding_by_place_leaves_sealed_persons_out(made: Any, marked_city: MarkedView, actor_for: Make) -> None:
    by_school = made(
        "SELECT s.person_id FROM spell AS s WHERE s.facility = $school",
        {"person_id": "spell.person_id"},
        ("spell",),
        "person_id",
    )
    actor = actor_for("caseworker")
    assert people(release(actor, by_school, action="candidates.view", school=mark("c1", "spell", "facility"))) == {"c1"}
    assert people(release(actor, by_school, action="candidates.view", school=mark("c3", "spell", "facility"))) == set()


def test_what_may_not_be_read_may_not_be_searched_by(made: Any, marked_city: MarkedView, actor_for: Make) -> None:
    by_address = made(
        "SELECT r.person_id FROM residence AS r WHERE r.address = $address OR $address IS NULL",
        {"person_id": "residence.person_id"},
        ("residence",),
        "person_id",
    )
    actor = actor_for("steering")
    with pytest.raises(NotPermitted, match="K705"):
        release(actor, by_address, action="candidates.view", address="x")
    assert len(release(actor, by_address, action="candidates.view", address=None).rows) == len(PEOPLE)


def test_a_disguised_column_is_still_what_it_is_made_from(made: Any, marked_city: MarkedView, actor_for: Make) -> None:
    disguised = made(
        "WITH a AS (SELECT person_id, UPPER(address) AS x FROM residence) SELECT a.person_id, a.x AS note FROM a",
        {"person_id": "residence.person_id", "note": "-"},
        ("residence",),
        "person_id",
    )
    found = release(actor_for("steering"), disguised, action="child.view")
    assert all(r["note"] is MASKED for r in found.rows) and "note" in dict(found.withheld)
    sealed = release(actor_for("caseworker"), disguised, action="child.view")
    assert {r["note"] is MASKED for r in sealed.rows if r["person_id"] in ("c3", "m3")} == {True}


def test_a_missing_parameter_is_an_error_not_an_open_door(marked_city: MarkedView, actor_for: Make) -> None:
    with pytest.raises(ValueError, match="as_of"):
        release(actor_for("caseworker"), FACTS, action="child.view", person_id="c1")
    assert AuditEvent.objects.count() == 0


def test_candidates_are_what_the_city_says() -> None:
    assert CANDIDATES == ["c1", "c3", "c5"]
