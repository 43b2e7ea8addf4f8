"""お知らせの効果 on the marked city: counted from deliveries after the notice, told so that nobody is recognised."""

import datetime as dt
import json
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from kizuki.app import notice_effect
from kizuki.app.release import Actor
from kizuki.app.served import Served, definitions_of
from kizuki.records.models import User
from kizuki.records.notice_models import Notice, NoticeBatch, NoticeStatus, Recipient
from kizuki.terms.errors import NotPermitted
from tests import marked_city
from tests.marked_city import MarkedView, row, rows

pytestmark = pytest.mark.django_db
Make = Callable[..., Actor]
SENT = dt.datetime(2026, 10, 5, 10, tzinfo=timezone.get_default_timezone())
BEFORE, LATER = dt.date(2026, 10, 1), dt.date(2026, 10, 20)


def spell(person: str, status: str, known: dt.date) -> dict[str, Any]:
    kind = "medical_subsidy"
    return row("spell", person, source=kind, kind=kind, status=status, known_from=known)


def answer(child: str | None, home: str, verdict: str, holding: list[str]) -> dict[str, Any]:
    found = row("eligibility", child or home, programme="medical_single_parent", household_id=home, verdict=verdict)
    return found | {
        "person_id": child,
        "unclaimed": False,
        "reasons": json.dumps([{"条件": c} for c in holding]),
        "unknown": "[]",
    }


@pytest.fixture
def served(app_home: Path, db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """c1 received after the notice, c2 had it before, c4 was refused after, h4 turned out not to be entitled."""
    changed = rows()
    changed["spell"] = [
        spell("c1", "ひとり親", LATER),
        spell("c2", "ひとり親", BEFORE),
        spell("c4", "却下", LATER),
        spell("m1", "こども", LATER),  # another subsidy: not this programme's status
    ]
    changed["eligibility"] = [answer(None, "h4", "非該当", []), answer(None, "h3", "該当", [])]
    monkeypatch.setattr(marked_city, "rows", lambda: changed)
    city = MarkedView()
    for name, module in list(sys.modules.items()):
        if name.startswith("kizuki.") and hasattr(module, "current_view"):
            monkeypatch.setattr(module, "current_view", lambda *a, **k: city)
    yield Served(city, definitions_of(app_home, "marked"))  # type: ignore[arg-type]
    city.engine.close()


def batch() -> NoticeBatch:
    maker, _ = User.objects.get_or_create(username="maker")
    told = {"programme": "medical_single_parent", "office": "保険年金課", "template": "t", "template_version": "1"}
    return NoticeBatch.objects.create(**told, template_digest="d", snapshot="s", created_by=maker)


def notice(of: NoticeBatch, home: str, child: str = "", *, status: str = NoticeStatus.ACCEPTED, wave: int = 0) -> Notice:
    recipient, _ = Recipient.objects.get_or_create(recipient_no=f"N{home}{child}", person_id=f"p{home}{child}")
    at = SENT + dt.timedelta(weeks=4 * wave)
    told = {"household_id": home, "child_id": child, "programme": of.programme, "channel": "line", "status": status}
    ids = {"notice_id": uuid.uuid4(), "retry_key": uuid.uuid4(), "not_before": at, "expires_at": at, "status_at": at}
    return Notice.objects.create(batch=of, recipient=recipient, wave=wave, **told, **ids)


def test_what_deliveries_showed_after_the_notice_and_only_for_its_child(served: Served) -> None:
    of = batch()
    for home, child in (("h1", "c1"), ("h1", "c2"), ("h3", ""), ("h4", ""), ("h2", "")):
        notice(of, home, child)
    notice(of, "h9", status=NoticeStatus.FAILED)
    found = {
        (f.household_id, n.child_id): f for f, n in zip(notice_effect.fates(served), Notice.objects.order_by("pk"), strict=True)
    }
    assert (found["h1", "c1"].applied_on, found["h1", "c1"].received_on) == (LATER, LATER)
    assert found["h1", "c2"].applied_on is None, "received before: no work of the notice"
    assert found["h3", ""].refused and found["h3", ""].applied_on == LATER and found["h3", ""].received_on is None
    rules = served.definitions.loaded.programmes["medical_single_parent"].text.rules
    assert found["h4", ""].contradicted == tuple(r.name for r in rules)
    assert not found["h2", ""].wrong and found["h2", ""].sent and not found["h9", ""].sent


def test_a_household_that_changed_long_after_was_not_wrongly_told(served: Served) -> None:
    late = notice(batch(), "h4")
    Notice.objects.filter(pk=late.pk).update(not_before=SENT - dt.timedelta(days=200))
    assert not notice_effect.fates(served)[0].wrong


def test_few_are_not_told_on_the_page_nor_in_the_file_nor_by_a_sum(served: Served, actor_for: Make) -> None:
    few, many = batch(), batch()
    for n in range(2):
        notice(few, f"few{n}")
    for n in range(30):
        notice(many, f"many{n}")
    found = notice_effect.effect(actor_for("steering"), served)
    assert [line.sent for line in found.batches] == ["1〜4", "30"]
    assert [line.sent for line in found.programmes] == ["—"], "32 − 30 would tell it"
    text = notice_effect.as_csv(actor_for("steering"), served).decode("utf-8-sig")
    assert "32" not in text and ",2," not in text and "1〜4" in text
    assert [line.answer for line in found.batches] == ["", ""]


def test_drawn_weeks_too_small_say_so(served: Served, actor_for: Make) -> None:
    of = batch()
    notice(of, "h1", "c1")
    notice(of, "h3", wave=1)
    found = notice_effect.effect(actor_for("steering"), served)
    assert [line.answer for line in found.batches] == ["判定できない"]
    assert found.batches[0].interval == "" and found.batches[0].early == "1〜4 / 1〜4"


def test_without_notices_there_is_nothing_and_other_roles_see_nothing(served: Served, actor_for: Make) -> None:
    assert notice_effect.effect(actor_for("notice_officer"), served).programmes == ()
    for role in ("caseworker", "it", "auditor"):
        with pytest.raises(NotPermitted, match="K701"):
            notice_effect.effect(actor_for(role), served)
