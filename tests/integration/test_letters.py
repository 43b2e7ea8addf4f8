"""案内の名簿 and 窓あき封筒の手紙: who is invited, codes that live only on paper, sheets printed once, never the sealed."""

import dataclasses
import datetime as dt
import re
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from kizuki.app import consent_desk, consents, demo_users, invitations, letter_pdf, letters, notice_facts
from kizuki.app.consent_desk import Wish
from kizuki.app.release import Actor
from kizuki.app.served import Served, definitions_of
from kizuki.push import codes
from kizuki.push.lines import Answer
from kizuki.records.consent_models import Invitation, LetterPrint
from kizuki.records.models import AuditEvent, AuditSubject, SealOverlay, User
from kizuki.records.notice_models import (
    ConsentEvent,
    Notice,
    NoticeBatch,
    NoticeChannel,
    NoticeStatus,
    NoticeStop,
    Recipient,
    RegistrationCode,
)
from kizuki.terms.errors import InputRefused, NotPermitted, RunFailed, UsageError
from tests.marked_city import MarkedView, mark

pytestmark = pytest.mark.django_db
Make = Callable[..., Actor]


@pytest.fixture
def city(marked_city: MarkedView, app_home: Path) -> Served:
    """The marked city as pages are served from it; a child of each household receives childcare."""
    return Served(marked_city, definitions_of(app_home, "marked"))  # type: ignore[arg-type]


@pytest.fixture
def desk(city: Served, actor_for: Make) -> Actor:
    return actor_for("programme_desk")


@pytest.fixture
def invitation(city: Served, desk: Actor) -> Invitation:
    return invitations.make(desk, city, "秋の案内", "childcare_free")


def test_a_list_holds_the_parents_who_may_be_told_and_counts_the_rest(invitation: Invitation) -> None:
    people = set(Recipient.objects.values_list("person_id", flat=True))
    assert people == {"m1", "f4"}
    assert invitation.counts == {"looked_at": 3, "invited": 2, "left_out": {"支援措置": 1}}
    assert all(re.fullmatch(r"[2-9A-HJKMNP-Z]{8}", n) for n in Recipient.objects.values_list("recipient_no", flat=True))


def test_whoever_answered_is_not_asked_again_and_a_name_is_used_once(city: Served, desk: Actor, invitation: Invitation) -> None:
    number = Recipient.objects.get(person_id="m1").recipient_no
    consents.take_in(Answer("e", number, "unwanted", (), "2026.1", "line", timezone.now().isoformat()), "e")
    with pytest.raises(InputRefused, match="K672"):
        invitations.make(desk, city, "秋の案内", "childcare_free")
    again = invitations.make(desk, city, "冬の案内", "childcare_free")
    assert again.counts["invited"] == 1 and again.counts["left_out"][invitations.ALREADY] == 1
    assert Recipient.objects.count() == 2, "a person keeps the number they have"


def test_letters_are_printed_once_with_codes_that_are_kept_only_as_digests(invitation: Invitation, desk: Actor) -> None:
    made = letters.print_invitations(desk, invitation.pk)
    assert {s.name for s in made.letters} == {mark(p, "person", "name") for p in ("m1", "f4")}
    assert {s.address[0] for s in made.letters} == {mark(p, "residence", "address") for p in ("m1", "f4")}
    drawn = {codes.typed(s.code) for s in made.letters}
    assert None not in drawn and len(drawn) == 2
    kept = str(list(RegistrationCode.objects.values())) + str(list(AuditEvent.objects.values()))
    assert not any(c in kept for c in drawn if c)
    with pytest.raises(InputRefused, match="K673"):
        letters.print_invitations(desk, invitation.pk)
    assert LetterPrint.objects.count() == 2


def test_a_letter_again_needs_a_reason_and_kills_the_first_code(invitation: Invitation, desk: Actor) -> None:
    first = letters.print_invitations(desk, invitation.pk).letters[0]
    with pytest.raises(InputRefused, match="K673"):
        letters.print_invitations(desk, invitation.pk, number=first.number)
    second = letters.print_invitations(desk, invitation.pk, number=first.number, reason="紙づまり").letters[0]
    assert second.copy == 2 and second.code != first.code
    assert consent_desk.find(desk, second.code) == first.number
    with pytest.raises(InputRefused, match="K674"):
        consent_desk.find(desk, first.code)
    assert list(LetterPrint.objects.filter(copy=2).values_list("reason", flat=True)) == ["紙づまり"]


def test_a_seal_put_after_the_list_was_drawn_stops_the_letter_and_a_closed_list_prints_nothing(
    invitation: Invitation, desk: Actor
) -> None:
    SealOverlay.objects.create(person_id="c4", by=User.objects.create(username="k"), reason="申出")
    made = letters.print_invitations(desk, invitation.pk)
    assert [s.name for s in made.letters] == [mark("m1", "person", "name")] and made.left_out == 1
    invitations.close(desk, invitation.pk)
    assert not RegistrationCode.objects.filter(revoked_at__isnull=True).exists()
    with pytest.raises(InputRefused, match="K673"):
        letters.print_invitations(desk, invitation.pk)


def test_the_event_names_whom_the_letters_were_to_before_they_exist(
    invitation: Invitation, desk: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    letters.print_invitations(desk, invitation.pk)
    event = AuditEvent.objects.filter(action="letter.print").latest("seq")
    assert AuditSubject.objects.filter(event=event).count() == 2

    def full(*_: Any, **__: Any) -> None:
        from django.db import DatabaseError

        raise DatabaseError("disk full")

    monkeypatch.setattr(AuditEvent, "save", full)
    with pytest.raises(NotPermitted, match="K703"):
        letters.print_invitations(desk, invitation.pk, number=Recipient.objects.all()[0].recipient_no, reason="再発行")
    assert LetterPrint.objects.count() == 2, "what could not be recorded was not printed"


@pytest.mark.parametrize("role", ["notice_officer", "steering", "caseworker", "data_owner"])
def test_only_the_desk_prints_and_enters(role: str, invitation: Invitation, actor_for: Make) -> None:
    number = Recipient.objects.all()[0].recipient_no
    for act in (
        lambda: letters.print_invitations(actor_for(role), invitation.pk),
        lambda: letters.print_notices(actor_for(role)),
        lambda: consent_desk.recipient_page(actor_for(role), number),
        lambda: consent_desk.find(actor_for(role), number),
    ):
        with pytest.raises(NotPermitted, match="K701"):
            act()


def wish(answer: str = "wanted", **more: Any) -> Wish:
    told = {"scopes": ["tax"], "channel": "counter", "on": timezone.localdate(), "text_version": "2026.1"} | more
    return Wish(answer, **told)


def test_an_answer_at_the_counter_holds_and_so_does_its_withdrawal(invitation: Invitation, desk: Actor) -> None:
    number = Recipient.objects.get(person_id="m1").recipient_no
    consent_desk.record(desk, number, wish())
    assert consents.standing(["h1"], timezone.now())["h1"].scopes == {"tax"}
    page = consent_desk.recipient_page(desk, number)
    assert page.standing and page.person["name"] == mark("m1", "person", "name")
    assert [e.recorded_by.username for e in page.history if e.recorded_by] == ["programme_desk"]
    consent_desk.record(desk, number, wish("withdrawn"))
    assert consents.standing(["h1"], timezone.now()) == {}


@pytest.mark.parametrize(
    "more",
    [
        {"text_version": "1999"},
        {"scopes": ["everything"]},
        {"channel": "line"},
        {"on": dt.date(2999, 1, 1)},
        {"on": dt.date(2026, 3, 31)},
    ],
    ids=["no such text", "no such scope", "not a way to staff", "in the future", "before the text"],
)
def test_an_answer_nobody_can_have_given_is_refused(invitation: Invitation, desk: Actor, more: dict[str, Any]) -> None:
    with pytest.raises(InputRefused, match="K675"):
        consent_desk.record(desk, Recipient.objects.all()[0].recipient_no, wish(**more))
    assert not ConsentEvent.objects.exists()


def test_a_no_on_paper_of_an_earlier_day_wins_over_a_yes_of_that_day(invitation: Invitation, desk: Actor) -> None:
    number = Recipient.objects.get(person_id="m1").recipient_no
    day = timezone.localdate() - dt.timedelta(days=2)
    noon = dt.datetime.combine(day, dt.time(12), timezone.get_current_timezone())
    consents.take_in(Answer("e", number, "wanted", (), "2026.1", "line", noon.isoformat()), "e")
    consent_desk.record(desk, number, wish("unwanted", channel="paper", on=day))
    assert consents.standing(["h1"], timezone.now()) == {}


def notice_to(person: str, home: str, child: str = "", **batch: Any) -> Notice:
    now = timezone.now()
    maker, approver = (User.objects.get_or_create(username=n)[0] for n in ("maker", "approver"))
    programme = str(batch.pop("programme", "school_aid"))
    told = {"status": "承認済み", "decided_by": approver, "decided_at": now, "leaves_at": now - dt.timedelta(minutes=1)} | batch
    made = NoticeBatch.objects.create(
        programme=programme, office="学校教育課", template="t", template_version="1", template_digest="d", snapshot="s",
        created_by=maker, **told,
    )  # fmt: skip
    return Notice.objects.create(
        notice_id=uuid.uuid4(), batch=made, recipient=Recipient.objects.get(person_id=person), household_id=home,
        child_id=child,
        programme=programme, channel=NoticeChannel.LETTER, retry_key=uuid.uuid4(), not_before=now - dt.timedelta(hours=1),
        expires_at=now + dt.timedelta(days=1), status_at=now,
    )  # fmt: skip


WORKED_WITH: set[str] = set()
"""Households 要対協 works with; the marked city marks everybody so."""


@pytest.fixture
def agreed(invitation: Invitation, desk: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    real = notice_facts.homes
    monkeypatch.setattr(
        notice_facts,
        "homes",
        lambda *given: dataclasses.replace(real(*given), in_care=frozenset(WORKED_WITH), unlinked=frozenset()),
    )
    for person in ("m1", "f4"):
        consent_desk.record(desk, Recipient.objects.get(person_id=person).recipient_no, wish())


def test_a_notice_on_paper_is_printed_once_names_no_programme_and_carries_one_number(agreed: None, desk: Actor) -> None:
    notice = notice_to("m1", "h1")
    made = letters.print_notices(desk)
    assert [(s.number, s.code) for s in made.letters] == [(str(notice.notice_id), "")]
    assert "就学援助" not in made.form.notice_title + made.form.notice_body
    notice.refresh_from_db()
    assert notice.status == NoticeStatus.PRINTED
    with pytest.raises(InputRefused, match="K673"):
        letters.print_notices(desk)
    again = letters.print_notices(desk, notice_id=str(notice.notice_id), reason="汚れた")
    assert again.letters[0].copy == 2
    assert [e.detail for e in notice.events.order_by("pk")] == ["", "again"]


@pytest.mark.parametrize("status", list(NoticeStatus))
def test_what_surely_did_not_arrive_by_line_goes_by_post_and_nothing_else_does(
    agreed: None, desk: Actor, status: NoticeStatus
) -> None:
    notice = notice_to("m1", "h1")
    Notice.objects.filter(pk=notice.pk).update(channel=NoticeChannel.LINE, status=status)
    if status in (NoticeStatus.FAILED, NoticeStatus.BLOCKED):
        assert [s.number for s in letters.print_notices(desk).letters] == [str(notice.pk)]
        notice.refresh_from_db()
        assert (notice.status, notice.channel) == (NoticeStatus.PRINTED, NoticeChannel.LETTER)
        assert letters.waiting_notices() == 0
        return
    with pytest.raises(InputRefused, match="K673"):
        letters.print_notices(desk)
    Notice.objects.filter(pk=notice.pk).update(status=NoticeStatus.FAILED, not_before=timezone.now() - dt.timedelta(days=31))
    assert letters.waiting_notices() == 0, "long ago"


def test_those_held_back_do_not_stand_in_the_way_of_the_others(
    agreed: None, desk: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(letters, "MOST", 1)
    held = notice_to("m1", "h1", status="承認待ち")
    Notice.objects.filter(pk=held.pk).update(not_before=timezone.now() - dt.timedelta(days=3))
    free = notice_to("f4", "h3")
    assert [s.number for s in letters.print_notices(desk).letters] == [str(free.pk)]
    for number in ("not a number", ""):
        with pytest.raises(InputRefused, match="K673"):
            letters.print_notices(desk, notice_id=number, reason="x")


@pytest.mark.parametrize(
    "why",
    [
        *("withdrawn", "stopped", "not approved", "in the minutes of grace", "received meanwhile", "sealed"),
        *("worked with", "told lately", "cap of the month"),
    ],
)
def test_a_notice_does_not_leave_on_paper_against_any_last_look(
    agreed: None, desk: Actor, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.integration.test_letters.WORKED_WITH", {"h1"} if why == "worked with" else set())
    later = timezone.now() + dt.timedelta(minutes=9)
    batch = {"not approved": {"status": "承認待ち"}, "in the minutes of grace": {"leaves_at": later}}.get(why, {})
    before = {"told lately": ("school_aid",), "cap of the month": ("child_allowance", "child_medical")}.get(why, ())
    for programme in before:
        told = notice_to("m1", "h1", programme=programme)
        Notice.objects.filter(pk=told.pk).update(channel=NoticeChannel.LINE, status=NoticeStatus.ACCEPTED)
    notice = notice_to("m1", "h1", "nobody" if why == "received meanwhile" else "", **batch)
    if why == "withdrawn":
        consent_desk.record(desk, notice.recipient.recipient_no, wish("withdrawn"))
    if why == "stopped":
        NoticeStop.objects.create(programme="", reason="x", stopped_by=User.objects.get(username="maker"))
    if why == "sealed":
        SealOverlay.objects.create(person_id="c1", by=User.objects.get(username="maker"), reason="申出")
    with pytest.raises(InputRefused, match="K673"):
        letters.print_notices(desk)
    notice.refresh_from_db()
    assert notice.status == NoticeStatus.WAITING and not LetterPrint.objects.exists()


@pytest.fixture
def page(invitation: Invitation, settings: Any, client: Client) -> Client:
    settings.KIZUKI_DEMO = True
    User.objects.filter(username="programme_desk").update(username="who made the list")
    demo_users.ensure_demo_users(True)
    client.post("/demo/", {"role": "programme_desk"})
    return client


def test_the_pdf_is_a_pdf_in_a_file_that_names_nobody(page: Client, invitation: Invitation) -> None:
    answer = page.post(f"/consents/invitations/{invitation.pk}/print/", {"form": "pdf"})
    assert answer.status_code == 200 and answer.content.startswith(b"%PDF-")
    assert answer["Content-Disposition"] == f'attachment; filename="annai_{invitation.pk}.pdf"'
    assert answer["Cache-Control"] == "no-store"


@pytest.mark.parametrize("missing", ["extra", "font"])
def test_without_extra_or_font_nothing_counts_as_printed(
    page: Client, invitation: Invitation, missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if missing == "extra":
        import sys

        monkeypatch.setitem(sys.modules, "weasyprint", None)
    else:
        monkeypatch.setattr(letter_pdf.shutil, "which", lambda _: None)
    with pytest.raises((UsageError, RunFailed), match=r"K676|K677"):
        letter_pdf.ready()
    answer = page.post(f"/consents/invitations/{invitation.pk}/print/", {"form": "pdf"})
    assert ("K676" if missing == "extra" else "K677") in answer.content.decode()
    assert not LetterPrint.objects.exists()


def test_the_page_of_letters_and_the_answer_through_the_form(page: Client, invitation: Invitation) -> None:
    answer = page.post(f"/consents/invitations/{invitation.pk}/print/", {"form": "html"}).content.decode()
    code = next(iter(re.findall(r"\d{4}-\d{4}-\d{4}", answer)))
    opened = page.post("/consents/find/", {"number": code})
    assert opened.status_code == 302 and code.replace("-", "") not in opened["Location"]
    form = {"answer": "wanted", "scope": ["tax"], "channel": "paper", "version": "2026.1", "on": "2026-11-21"}
    assert page.post(opened["Location"], form).status_code == 302
    assert "お知らせを受け取る" in page.get(opened["Location"]).content.decode()
    assert page.post(opened["Location"], form | {"on": "x"}).status_code == 422
    assert page.post("/consents/find/", {"number": "0000-0000-0001"}).status_code == 422
