"""Bodies of letters are deleted when the city's period is over: recorded first, decisions kept, nothing younger touched."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from kizuki.app import audit, handover, handover_in
from kizuki.app.child_page import child_page
from kizuki.app.handover_retention import delete_expired
from kizuki.app.release import Actor
from kizuki.app.served import Served
from kizuki.definitions.governance import HandoverRules
from kizuki.records.models import AuditEvent, Handover, HandoverStatus, ReceivedHandover
from kizuki.terms.errors import InputRefused, NotPermitted
from tests.integration.test_handover import approver, city, incoming, posted, prepared

pytestmark = pytest.mark.django_db
Make = Callable[..., Actor]
__all__ = ["city"]


def after(days: int) -> dt.datetime:
    return timezone.now() + dt.timedelta(days=days, minutes=1)


def bodies(home: Path, way: str) -> int:
    return len(list((home / "handover" / way).glob("*.sealed")))


def issued(make: Make, served: Served) -> Handover:
    made = prepared(make, served)
    handover.decide(approver(make), made.pk, approve=True)
    handover.issue(make("caseworker"), made.pk)
    return made


def test_the_body_goes_when_its_days_are_over_and_the_decisions_stay(city: Served, actor_for: Make, app_home: Path) -> None:
    made, days = issued(actor_for, city), handover.rules().retention.issued_days
    assert delete_expired(after(days - 1)) == 0 and bodies(app_home, "out") == 1
    assert delete_expired(after(days)) == 1 and bodies(app_home, "out") == 0
    assert delete_expired(after(days)) == 0
    (event,) = AuditEvent.objects.filter(action="handover.delete")
    assert event.actor == "夜の処理" and str(made.pk) in event.body and "印" not in event.body
    assert {s.action for s in audit.sightings("c1")} >= {"handover.delete"}
    shown = handover.show(actor_for("caseworker"), made.pk, action="handover.prepare")
    assert (shown.kept, shown.parts, shown.handover.status) == (False, (), HandoverStatus.ISSUED)
    assert shown.handover.decided_by is not None


@pytest.mark.parametrize("state", ["waiting", "returned", "withdrawn", "approved"])
def test_what_was_never_issued_goes_sooner(state: str, city: Served, actor_for: Make, app_home: Path) -> None:
    made = prepared(actor_for, city)
    if state == "withdrawn":
        handover.withdraw(actor_for("caseworker"), made.pk)
    elif state != "waiting":
        handover.decide(approver(actor_for), made.pk, approve=state == "approved", reason="直してください")
    days = handover.rules().retention.unissued_days
    assert delete_expired(after(days - 1)) == 0
    assert delete_expired(after(days)) == 1 and bodies(app_home, "out") == 0
    if state == "waiting":
        with pytest.raises(InputRefused, match="K767"):
            handover.decide(approver(actor_for), made.pk, approve=True)


def test_a_body_another_letter_still_needs_is_kept(city: Served, actor_for: Make, app_home: Path) -> None:
    one, other = prepared(actor_for, city), prepared(actor_for, city)
    assert one.digest == other.digest and bodies(app_home, "out") == 1
    handover.withdraw(actor_for("caseworker"), one.pk)
    handover.decide(approver(actor_for), other.pk, approve=True)
    Handover.objects.filter(pk=one.pk).update(prepared_at=timezone.now() - dt.timedelta(days=400))
    assert delete_expired(timezone.now()) == 0 and bodies(app_home, "out") == 1
    assert handover.issue(actor_for("caseworker"), other.pk)


def test_a_letter_nobody_is_found_for_goes_soon_and_a_confirmed_one_leaves_the_timeline(
    city: Served, actor_for: Make, app_home: Path
) -> None:
    retention = handover.rules().retention
    letter = handover_in.receive(actor_for("caseworker"), posted(incoming()))
    assert delete_expired(after(retention.unconfirmed_days - 1)) == 0
    handover_in.confirm(approver(actor_for), letter.pk, "c5")
    assert delete_expired(after(retention.unconfirmed_days)) == 0
    assert told(actor_for, city)
    assert delete_expired(after(retention.confirmed_days)) == 1 and bodies(app_home, "in") == 0
    assert not told(actor_for, city)
    assert not handover_in.show(approver(actor_for), letter.pk).kept
    assert ReceivedHandover.objects.get().person_id == "c5"


def told(make: Make, served: Served) -> list[str]:
    page = child_page(make("caseworker"), served, "c5")
    assert page is not None
    return [f.text for f in page.facts if "まえの市" in f.text]


def test_an_unconfirmed_letter_can_no_longer_be_given_to_anybody(city: Served, actor_for: Make) -> None:
    letter = handover_in.receive(actor_for("caseworker"), posted(incoming()))
    assert delete_expired(after(handover.rules().retention.unconfirmed_days)) == 1
    assert handover_in.show(approver(actor_for), letter.pk).matches == ()
    with pytest.raises(InputRefused, match="K767"):
        handover_in.confirm(approver(actor_for), letter.pk, "c5")


def test_what_cannot_be_recorded_is_not_deleted(
    city: Served, actor_for: Make, app_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    issued(actor_for, city)

    def no_disk(*_: Any, **__: Any) -> int:
        raise NotPermitted("K703", "記録できません。")

    monkeypatch.setattr(audit, "record", no_disk)
    with pytest.raises(NotPermitted, match="K703"):
        delete_expired(after(10_000))
    assert bodies(app_home, "out") == 1


def test_a_period_shorter_than_an_approval_holds_is_refused(city: Served) -> None:
    rules = handover.rules().model_dump(by_alias=True)
    rules["保存日数"]["交付しなかったもの"] = rules["有効日数"] - 1
    with pytest.raises(ValueError, match="有効日数より短く"):
        HandoverRules.model_validate(rules)
