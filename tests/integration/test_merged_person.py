"""Two person ids become one: work written under either is found under the one that stays, and back when that is undone."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from kizuki.app import cases
from kizuki.app.current_person import current_person, ids_of
from kizuki.app.release import Actor, in_scope
from kizuki.app.scope import people_of, seals
from kizuki.records.models import Case, CaseStatus, SealOverlay, Share, User
from tests.marked_city import MarkedView

pytestmark = pytest.mark.django_db
OLD = "c1-before"
Merge = Callable[[], None]


@pytest.fixture(scope="module")
def merged_view() -> Iterator[MarkedView]:
    """The marked city in which `OLD` was dissolved into c1, and c4's former id into c4."""
    view = MarkedView(id="marked-2", merged={OLD: "c1", "c4-before": "c4"})
    yield view
    view.engine.close()


@pytest.fixture
def merge(marked_city: MarkedView, merged_view: MarkedView, monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], None]:
    """Serves the city with the merge or without it."""

    def serve(merged: bool) -> None:
        served = merged_view if merged else marked_city
        monkeypatch.setattr("kizuki.app.current_person.current_view", lambda: served)

    return serve


@pytest.fixture
def worker(actor_for: Callable[..., Actor], marked_city: MarkedView) -> Actor:
    return actor_for("caseworker")


def test_a_case_is_found_under_the_id_that_stays_and_back_after_the_undo(merge: Any, worker: Actor) -> None:
    case = Case.objects.create(person_id=OLD, status=CaseStatus.SUPPORTING, assignee_id=worker.user_id)
    merge(False)
    before = cases.case_states()
    assert set(before) == {OLD}
    assert cases.case_of("c1") == cases.NEW_CASE
    merge(True)
    assert cases.case_states() == {"c1": before[OLD]}
    assert cases.case_of("c1") == cases.case_of(OLD) == before[OLD]
    done = cases.change(worker, ["c1"], cases.Wish(status=CaseStatus.MEETING.value), version=1)
    assert [c.pk for c in cases.history("c1")] == list(done.changes)
    case.refresh_from_db()
    assert (case.person_id, case.status) == (OLD, CaseStatus.MEETING)
    assert not Case.objects.filter(person_id="c1").exists()
    assert cases.undo(worker, done.changes).text.startswith("1人")
    merge(False)
    assert {p: s.status for p, s in cases.case_states().items()} == {OLD: CaseStatus.SUPPORTING.value}
    assert cases.case_of("c1") == cases.NEW_CASE


def test_of_two_cases_the_work_going_on_counts_and_a_new_one_goes_to_the_present_id(merge: Any, worker: Actor) -> None:
    merge(True)
    Case.objects.create(person_id=OLD, status=CaseStatus.SUPPORTING)
    Case.objects.create(person_id="c1", status=CaseStatus.DISMISSED)
    assert cases.case_of("c1").status == cases.case_states()["c1"].status == CaseStatus.SUPPORTING.value
    Case.objects.all().delete()
    cases.change(worker, ["c1"], cases.Wish(status=CaseStatus.CHECKING.value))
    assert Case.objects.get().person_id == "c1"


def test_shares_cases_and_seals_reach_the_present_id(merge: Any, worker: Actor, marked_city: MarkedView) -> None:
    from datetime import timedelta

    from django.utils import timezone

    by = User.objects.create(username="係長")
    Share.objects.create(
        person_id="c4-before", user_id=worker.user_id, by=by, reason="共有", expires_at=timezone.now() + timedelta(days=1)
    )
    SealOverlay.objects.create(person_id=OLD, by=by, reason="申出")
    merge(False)
    assert not in_scope(worker, ["c4"])
    assert "c1" not in seals(worker, people_of(marked_city)).sealed
    merge(True)
    assert in_scope(worker, ["c4"])
    assert {"c1", "c2", "m1"} <= seals(worker, people_of(marked_city)).sealed


def test_ids_of_a_person_are_the_present_one_and_those_dissolved_into_it(merge: Any) -> None:
    merge(True)
    assert current_person(OLD) == "c1"
    assert ids_of(OLD) == ids_of("c1") == ("c1", OLD)
    merge(False)
    assert ids_of(OLD) == (OLD,)


def test_an_address_from_before_the_merge_leads_to_the_child(merge: Any, client: Any, marked_city: MarkedView) -> None:
    from kizuki.web.views import children

    merge(True)

    class _Request:
        method, GET = "GET", type("Q", (), {"urlencode": lambda self: "tab=x"})()

    answer = children.child(_Request(), OLD)  # type: ignore[arg-type]
    assert (answer.status_code, answer["Location"]) == (302, "/children/c1/?tab=x")
