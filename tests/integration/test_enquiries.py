"""問合せ振分: to the owning office, by a day, once; nobody else's; and the guide the desk answers from."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest
from django.utils import timezone

from kizuki.app import enquiries, staff_guide
from kizuki.app.enquiries import Question
from kizuki.app.release import Actor
from kizuki.definitions.loader import load_definitions
from kizuki.definitions.shipped import shipped_definitions
from kizuki.push.lines import Asked
from kizuki.records.models import User
from kizuki.records.notice_models import Enquiry, Notice, Recipient
from kizuki.terms.errors import InputRefused, NotPermitted
from tests.integration.test_letters import notice_to
from tests.marked_city import MarkedView

pytestmark = pytest.mark.django_db
Make = Callable[..., Actor]
LOADED = load_definitions(shipped_definitions())


@pytest.fixture
def notice(marked_city: MarkedView, app_home: Path, db: None) -> Notice:
    Recipient.objects.create(recipient_no="NOM1", person_id="m1")
    return notice_to("m1", "h1")


@pytest.fixture
def desk(actor_for: Make) -> Callable[[str], Actor]:
    """A member of the desk of one office."""

    def make(office: str) -> Actor:
        actor = actor_for("programme_desk", login=f"desk {office}")
        User.objects.filter(pk=actor.user_id).update(department=office)
        return actor

    return make


def asked(notice: Notice | None, event: str = "e1", topic: str = "how", at: str = "2026-11-20T18:00:00+09:00") -> None:
    line = Asked(event, "NOM1", str(notice.notice_id) if notice else "", topic, at)
    enquiries.take_in(line, event)


def test_a_question_goes_to_the_office_of_the_programme_with_a_day_and_only_once(
    notice: Notice, desk: Callable[[str], Actor]
) -> None:
    for _ in range(2):
        asked(notice)
    mine = enquiries.listing(desk("学校教育課"))
    assert [(r.number, r.topic, r.programme) for r in mine] == [("NOM1", "申請のしかたを知りたい", "就学援助")]
    assert mine[0].enquiry.due_on == dt.date(2026, 11, 30), "五開庁日（課に二日足す）。勤労感謝の日を数えない"
    assert enquiries.listing(desk("こども給付課")) == []


def test_without_a_notice_it_goes_to_the_first_office_and_an_unknown_topic_counts_as_other(
    notice: Notice, desk: Callable[[str], Actor]
) -> None:
    asked(None, topic="whatever the relay says")
    assert [(r.topic, r.programme) for r in enquiries.listing(desk("こども給付課"))] == [("そのほか", "（制度なし）")]


def test_taken_handed_over_answered_and_then_closed(notice: Notice, desk: Callable[[str], Actor]) -> None:
    asked(None)
    first, other = desk("こども給付課"), desk("保育課")
    found = Enquiry.objects.get()
    enquiries.take(first, found.pk)
    with pytest.raises(InputRefused, match="K678"):
        enquiries.answer(other, found.pk, "制度を案内した")
    before = found.due_on
    enquiries.hand_over(first, found.pk, "保育課")
    with pytest.raises(InputRefused, match="K678"):
        enquiries.take(first, found.pk)
    with pytest.raises(InputRefused, match="K678"):
        enquiries.answer(other, found.pk, "自由に書いた結果")
    enquiries.answer(other, found.pk, "制度を案内した")
    found.refresh_from_db()
    assert (found.status, found.result, found.due_on) == ("対応済み", "制度を案内した", before)
    assert [(s.what, s.office) for s in found.steps.order_by("pk")] == [
        ("受付", "こども給付課"), ("引き受け", "こども給付課"), ("課の変更", "保育課"), ("回答", "保育課"),
    ]  # fmt: skip
    with pytest.raises(InputRefused, match="K678"):
        enquiries.take(other, found.pk)


def test_a_call_is_entered_with_the_number_on_the_letter_or_with_none(notice: Notice, desk: Callable[[str], Actor]) -> None:
    actor = desk("こども給付課")
    by_notice = enquiries.enter(actor, Question("call", "", "phone", str(notice.notice_id)))
    assert (by_notice.notice_id, by_notice.office) == (notice.notice_id, "学校教育課")
    assert enquiries.enter(actor, Question("call", "", "phone", "nom-1")).recipient == notice.recipient
    assert enquiries.enter(actor, Question("other", "childcare_free", "counter")).office == "保育課"
    for wrong in (Question("x", "", "phone"), Question("call", "x", "phone"), Question("call", "", "line")):
        with pytest.raises(InputRefused, match="K678"):
            enquiries.enter(actor, wrong)
    with pytest.raises(InputRefused, match="K678"):
        enquiries.enter(actor, Question("call", "", "phone", "NOSUCH"))


def test_what_is_late_is_marked_and_counted_and_counts_name_nobody(
    notice: Notice, desk: Callable[[str], Actor], actor_for: Make
) -> None:
    asked(notice)
    Enquiry.objects.update(due_on=timezone.localdate() - dt.timedelta(days=1))
    assert [r.overdue for r in enquiries.listing(desk("学校教育課"))] == [True]
    count = enquiries.counts(actor_for("steering"))
    assert [(c.office, c.waiting, c.late, c.answered) for c in count] == [("学校教育課", 1, 1, 0)]


@pytest.mark.parametrize("role", ["caseworker", "steering", "notice_officer", "it", "auditor"])
def test_only_the_desk_reads_enquiries(role: str, notice: Notice, actor_for: Make) -> None:
    with pytest.raises(NotPermitted, match="K701"):
        enquiries.listing(actor_for(role))


def test_a_question_of_nobody_known_refuses_the_file(notice: Notice) -> None:
    with pytest.raises(InputRefused, match="K671"):
        enquiries.take_in(Asked("e", "NOBODY", "", "how", timezone.now().isoformat()), "e")


@pytest.mark.parametrize("programme", sorted(LOADED.programmes))
def test_the_guide_tells_every_programme_from_its_own_definition(programme: str) -> None:
    found = LOADED.programmes[programme]
    text = staff_guide.pages(LOADED, dt.date(2026, 11, 20))[f"guide/{programme}"]
    for said in (found.name, found.text.owner, found.text.contact, *(r.name for r in found.text.rules), *found.text.to_confirm):
        assert said in text
    for rule in found.text.rules:
        assert rule.ask in text and rule.ground in text
    assert "断り方" in text and "支援措置" in text
    assert ("額を答えないでください" in text) == bool(found.amount_expired(dt.date(2026, 11, 20)))
    assert not any(str(v) in text for t in found.text.tables for r in t.rows for v in r.values if v > 999)


def test_a_programme_past_its_days_says_so() -> None:
    text = staff_guide.pages(LOADED, dt.date(2020, 1, 1))["guide/single_parent_allowance"]
    assert "有効期間の外" in text
