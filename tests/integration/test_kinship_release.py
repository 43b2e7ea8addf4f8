"""Relations come out through the one door: least data of kin elsewhere, and no way to a sealed household (G5, G6)."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from kizuki.app import child_queries, demo_users
from kizuki.app.child_queries import HOUSEHOLD
from kizuki.app.kin_panel import HOMES, KIN, KINSHIP
from kizuki.app.release import MASKED, Actor, Released, release
from kizuki.app.release_plan import Query
from kizuki.records.models import SealGrant, SealOverlay, User
from kizuki.terms.errors import NotPermitted
from tests.marked_city import CANDIDATES, MarkedView, mark

Make = Callable[..., Actor]


def kin(actor: Actor, person: str) -> Released:
    return release(actor, KIN, action="child.view", person_id=person)


def found(released: Released) -> set[str]:
    return {r["person_id"] for r in released.rows}


def test_a_caseworker_sees_name_and_relation_of_kin_elsewhere_and_nothing_more(
    marked_city: MarkedView, actor_for: Make
) -> None:
    actor = actor_for("caseworker")
    rows = {r["person_id"]: r for r in kin(actor, "c1").rows}
    assert {p: r["kind"] for p, r in rows.items()} == {"c4": "sibling", "f4": "parent"}
    assert rows["c4"]["name"] == mark("c4", "person", "name")
    assert "address" not in KIN.columns.keys() | {o.rpartition(".")[2] for o in KIN.columns.values()}
    with pytest.raises(NotPermitted, match="K702"):
        release(actor, HOUSEHOLD, action="child.view", person_id="c4")


def test_being_kin_opens_no_other_query(marked_city: MarkedView, actor_for: Make) -> None:
    actor = actor_for("caseworker")
    others = [q for q in vars(child_queries).values() if isinstance(q, Query) and not q.kin]
    assert others
    for query in others:
        more = {"as_of": marked_city.as_of} if query.name == "child_facts" else {}
        assert not {"c4", "f4"} & found(release(actor, query, action="child.view", person_id="c1", **more))


def test_a_role_without_the_grant_sees_no_kin(
    marked_city: MarkedView, actor_for: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kizuki.app import accounts

    matrix = accounts.governance()
    role = matrix.roles["caseworker"]
    grant = role.grants["support"].model_copy(update={"kin_classes": frozenset()})
    closed = matrix.model_copy(
        update={"roles": matrix.roles | {"caseworker": role.model_copy(update={"grants": {"support": grant}})}}
    )
    monkeypatch.setattr(accounts, "governance", lambda: closed)
    assert kin(actor_for("caseworker"), "c1").rows == []


@pytest.mark.parametrize("role", ["caseworker", "steering"])
def test_no_relation_leads_to_a_sealed_household(marked_city: MarkedView, actor_for: Make, role: str) -> None:
    released = kin(actor_for(role), "c5")
    assert released.rows == [] and released.refused_rows == 0, "not even a count may tell that somebody is hidden"


def test_the_sealed_child_still_has_her_own_household_and_those_who_are_not_hidden(
    marked_city: MarkedView, actor_for: Make
) -> None:
    actor = actor_for("caseworker")
    assert found(kin(actor, "c3")) == {"c5", "f4"}
    together = release(actor, KINSHIP, action="child.view", person_id="c3").rows
    assert [r["related_id"] for r in together] == ["m3"]


def test_a_seal_put_by_staff_hides_the_relation_at_the_next_response(marked_city: MarkedView, actor_for: Make) -> None:
    actor = actor_for("caseworker")
    other = User.objects.create(username="other")
    SealOverlay.objects.create(person_id="f4", by=other, reason="保護命令")
    assert kin(actor, "c1").rows == []  # c4 lives with f4: the seal spreads over the household


def test_who_may_look_behind_the_seal_sees_the_relation(marked_city: MarkedView, actor_for: Make) -> None:
    actor = actor_for("caseworker")
    other = User.objects.create(username="other")
    until = timezone.now() + timedelta(hours=1)
    SealGrant.objects.create(person_id="c3", user_id=actor.user_id, by=other, reason="担当", expires_at=until)
    assert found(kin(actor, "c5")) == {"c3", "m3"}


def test_every_query_over_kinship_is_closed_to_sealed_households(marked_city: MarkedView, actor_for: Make) -> None:
    """Written for queries yet to come: the rule stands at the table, not in each query."""
    from kizuki.app.release_plan import _DECLARED, AT_HAND, Limits, sql

    reading = [q for q in _DECLARED if "kinship" in q.tables]
    assert reading
    for query in reading:
        assert "_sealed_persons" in sql(query, Limits(frozenset(), frozenset(query.columns), AT_HAND, without_sealed=False))


def test_the_former_homes_of_a_sealed_child_tell_no_town(marked_city: MarkedView, actor_for: Make) -> None:
    actor = actor_for("caseworker")
    assert [r["town"] for r in release(actor, HOMES, action="child.view", person_id="c3").rows] == [MASKED]
    assert [r["town"] for r in release(actor, HOMES, action="child.view", person_id="c1").rows] != [MASKED]


@pytest.mark.django_db
@pytest.mark.parametrize("person", [c for c in CANDIDATES if c != "c3"])
def test_no_page_of_another_household_says_anything_of_the_sealed_one(
    marked_city: MarkedView, settings: Any, client: Client, person: str
) -> None:
    """The whole answer of the page is searched: names, ids, addresses, anything marked as theirs."""
    settings.KIZUKI_DEMO = True
    demo_users.ensure_demo_users(True)
    client.post("/demo/", {"role": "caseworker"})
    body = client.get(f"/children/{person}/").content.decode()
    assert f"印{person}" in body
    body = body.partition("</nav>\n")[2].partition('class="sheet"')[2]  # 次のこども leads through the list, not through kinship
    assert [m for m in ("印c3", "印m3", "/children/c3/", "/children/m3/") if m in body] == []
