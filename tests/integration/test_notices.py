"""Notices from being made to what the relay says: two people, last-moment checks, stops, and nothing twice (G8)."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from kizuki.app import notice_batches, notice_facts, notice_outbox, notice_plan, notice_stops
from kizuki.app.criteria_board import definitions_now
from kizuki.govern.actor import Actor
from kizuki.push import lines
from kizuki.push.candidates import Answer, Held
from kizuki.records.models import SealOverlay, User
from kizuki.records.notice_models import BatchStatus, Notice, NoticeBatch, NoticeEvent, NoticeStatus, Recipient
from kizuki.terms.errors import InputRefused, NotPermitted, RunFailed
from tests.marked_city import MarkedView

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 11, 25, 1, 0, tzinfo=dt.UTC)  # Wednesday, ten in the morning in Japan
PROGRAMME = "school_aid"
OFFICE = "学校教育課"
SCOPES = frozenset({"tax", "programme_name"})


@dataclass
class Consents:
    """A stand-in for `app.consents`: who may be told, changed at will by a test."""

    told: dict[str, "Standing"]

    def standing(self, household_ids: Any, at: dt.datetime) -> dict[str, "Standing"]:
        return {h: s for h, s in self.told.items() if h in set(household_ids)}


@dataclass(frozen=True)
class Standing:
    recipient_no: str
    person_id: str
    scopes: frozenset[str] = SCOPES
    channel: str = "line"


@dataclass
class World:
    """One city of three households, two of which agreed; the officer, the office and a colleague."""

    home: Path
    officer: Actor
    owner: Actor
    colleague: Actor
    consents: Consents
    answers: list[Answer]

    def approved(self, now: dt.datetime = NOW, waves: int = 1) -> NoticeBatch:
        made = notice_batches.create(self.officer, self.home, programme=PROGRAMME, template="neutral", waves=waves, now=now)
        notice_batches.test_send(self.officer, self.home, made.pk, now)
        notice_batches.request(self.officer, self.home, made.pk, now)
        seen = len(notice_batches.recount(self.home, notice_batches.batch(made.pk), now).chosen)
        return notice_batches.approve(self.owner, self.home, made.pk, seen=seen, now=now)

    def hand(self, now: dt.datetime, seq: int = 1) -> list[lines.Line]:
        found = notice_outbox.lines_to_hand(self.home, now)
        notice_outbox.handed(found, seq, now)
        return found


def sends(found: list[lines.Line]) -> list[lines.Send]:
    return [x for x in found if isinstance(x, lines.Send)]


LATER = NOW + dt.timedelta(minutes=10)


@pytest.fixture
def world(marked_city: MarkedView, actor_for: Callable[..., Actor], monkeypatch: pytest.MonkeyPatch, app_home: Path) -> World:
    children = (("h1", "c1"), ("h3", "c4"), ("h4", "c5"), ("h2", "c3"))
    answers = [Answer(PROGRAMME, h, c, "該当", False, True) for h, c in children]

    def of_these(view: Any, programmes: Any, as_of: Any, asked: notice_facts.Asked) -> list[Answer]:
        names = {p.id for p in programmes}
        homes = asked.households
        return [a for a in answers if a.programme in names and (homes is None or a.household_id in homes)]

    monkeypatch.setattr(notice_facts, "answers", of_these)
    real = notice_facts.homes
    monkeypatch.setattr(
        notice_facts,
        "homes",
        lambda *a: replace(real(*a), in_care=frozenset(), unlinked=frozenset()),  # every marked person is in both
    )
    consents = Consents({"h1": Standing("r1", "m1"), "h2": Standing("r2", "m3"), "h3": Standing("r3", "f4")})
    monkeypatch.setattr(notice_facts.consents, "standing", consents.standing)
    for number, person in (("r1", "m1"), ("r2", "m3"), ("r3", "f4")):
        Recipient.objects.create(recipient_no=number, person_id=person)
    officer, owner = actor_for("notice_officer"), actor_for("data_owner")
    User.objects.filter(pk=owner.user_id).update(department=OFFICE)
    return World(app_home, officer, owner, actor_for("steering"), consents, answers)


def test_from_making_to_the_outcome(world: World) -> None:
    made = world.approved()
    assert made.status == BatchStatus.APPROVED and made.counts["candidates"] == 2
    assert made.counts["suppressed"] == {Held.SAFETY.value: 1, Held.NO_CONSENT.value: 1}
    assert Notice.objects.filter(status=NoticeStatus.WAITING).count() == 2
    assert world.hand(NOW + dt.timedelta(minutes=9)) == [], "ten minutes to take it back"
    found = world.hand(LATER)
    assert {s.recipient_no for s in sends(found)} == {"r1", "r3"}
    text = next(x for x in found if isinstance(x, lines.Template))
    assert "{リンク}" in text.text and "就学援助" not in text.text and not text.named
    assert all(s.template == text.template and s.template.startswith("t-") for s in sends(found))
    assert world.hand(LATER, 2) == [], "handed over once"
    first = sends(found)[0]
    told = lines.Outcome(first.notice_id, "accepted", LATER.isoformat(), "200")
    for _ in range(3):
        notice_outbox.take_in(told, "1:1")
    notice_outbox.take_in(lines.Outcome(first.notice_id, "failed", LATER.isoformat(), ""), "1:2")
    one = Notice.objects.get(pk=first.notice_id)
    assert one.status == NoticeStatus.ACCEPTED
    assert NoticeEvent.objects.filter(notice=one, status="accepted").count() == 1
    notice_outbox.take_in(lines.Opened(first.notice_id, LATER.isoformat()), "1:3")
    assert Notice.objects.get(pk=first.notice_id).opened_at == LATER


def test_every_line_says_nothing_about_a_person_or_a_programme(world: World) -> None:
    world.approved()
    text = "\n".join(lines.to_json(x) for x in world.hand(LATER))
    for word in ("印", "school_aid", "就学援助", "h1", "h3", "m1", "f4", "c1", "c4"):
        assert f'"{word}"' not in text and (len(word) < 3 or word not in text)


@pytest.mark.parametrize("change", ["withdrawn", "claimed", "sealed", "moved", "unlinked_recipient"])
def test_the_last_moment_holds_what_changed_after_approval(change: str, world: World) -> None:
    world.approved()
    if change == "withdrawn":
        del world.consents.told["h1"]
    elif change == "claimed":
        world.answers[0] = replace(world.answers[0], receiving=True, unclaimed=False)
    elif change == "sealed":
        SealOverlay.objects.create(person_id="c1", reason="急ぎ", by_id=world.colleague.user_id)
    elif change == "moved":
        world.answers.pop(0)
    else:
        world.consents.told["h1"] = Standing("r9", "m1")
    assert {s.recipient_no for s in sends(world.hand(LATER))} == {"r3"}
    held = Notice.objects.get(household_id="h1")
    assert held.status == NoticeStatus.HELD
    assert held.events.filter(status="held").exclude(detail="").count() == 1


def test_a_withdrawal_after_handing_over_asks_the_notice_back_once(world: World) -> None:
    world.approved()
    world.hand(LATER)
    del world.consents.told["h1"]
    one = Notice.objects.get(household_id="h1")
    assert world.hand(LATER, 2) == [lines.Cancel(str(one.pk))]
    assert world.hand(LATER, 3) == []
    notice_outbox.take_in(lines.Outcome(str(one.pk), "cancelled", LATER.isoformat(), ""), "1:1")
    assert Notice.objects.get(pk=one.pk).status == NoticeStatus.CANCELLED


def test_who_made_it_cannot_approve_it_and_another_office_neither(world: World) -> None:
    made = notice_batches.create(world.officer, world.home, programme=PROGRAMME, template="neutral", waves=1, now=NOW)
    with pytest.raises(InputRefused, match="K815"):
        notice_batches.request(world.officer, world.home, made.pk, NOW)
    assert "一度だけ" in notice_batches.test_send(world.officer, world.home, made.pk, NOW)
    notice_batches.request(world.officer, world.home, made.pk, NOW)
    with pytest.raises(NotPermitted, match="K701"):
        notice_batches.approve(world.officer, world.home, made.pk, seen=2, now=NOW)
    User.objects.filter(pk=world.owner.user_id).update(department="保育課")
    with pytest.raises(NotPermitted, match="ほかの課"):
        notice_batches.approve(world.owner, world.home, made.pk, seen=2, now=NOW)
    with pytest.raises(InputRefused, match="K816"):
        notice_batches.approve(world.colleague, world.home, made.pk, seen=3, now=NOW)
    assert Notice.objects.count() == 0
    assert notice_batches.approve(world.colleague, world.home, made.pk, seen=2, now=NOW).status == BatchStatus.APPROVED


def test_taking_back_within_ten_minutes_leaves_nothing(world: World) -> None:
    made = world.approved()
    with pytest.raises(InputRefused, match="K818"):
        notice_batches.cancel(world.officer, made.pk, " ", NOW)
    assert notice_batches.cancel(world.officer, made.pk, "文面の誤り", NOW) == (2, 0)
    assert world.hand(LATER) == []
    assert set(Notice.objects.values_list("status", flat=True)) == {NoticeStatus.CANCELLED}


def test_a_stop_holds_everything_until_two_have_lifted_it(world: World) -> None:
    made = world.approved()
    definitions = definitions_now(world.home)
    notice_stops.stop(world.officer, definitions, notice_stops.ALL, "誤りの疑い", NOW)
    assert world.hand(LATER) == [lines.Stop(on=True)]
    assert world.hand(LATER, 2) == []
    assert set(made.notices.values_list("status", flat=True)) == {NoticeStatus.WAITING}
    with pytest.raises(InputRefused, match="K817"):
        notice_stops.lift(world.colleague, definitions, notice_stops.ALL, NOW)
    notice_stops.ask_to_lift(world.officer, definitions, notice_stops.ALL, "確かめた", NOW)
    with pytest.raises(NotPermitted):
        notice_stops.lift(world.officer, definitions, notice_stops.ALL, NOW)
    with pytest.raises(NotPermitted, match="自分の課"):
        notice_stops.lift(world.owner, definitions, notice_stops.ALL, NOW)
    notice_stops.lift(world.colleague, definitions, notice_stops.ALL, NOW)
    found = world.hand(LATER, 3)
    assert found[0] == lines.Stop(on=False) and len(sends(found)) == 2


def test_a_stop_of_one_programme_asks_back_what_the_relay_has(world: World) -> None:
    world.approved()
    world.hand(LATER)
    notice_stops.stop(world.owner, definitions_now(world.home), PROGRAMME, "制度の誤り", LATER)
    assert {type(x) for x in world.hand(LATER, 2)} == {lines.Cancel}


def test_a_race_with_taking_back_keeps_the_file_from_leaving(world: World) -> None:
    made = world.approved()
    found = notice_outbox.lines_to_hand(world.home, LATER)
    notice_batches.cancel(world.officer, made.pk, "文面の誤り", LATER)
    with pytest.raises(RunFailed, match="K819"):
        notice_outbox.handed(found, 1, LATER)


def test_lines_not_handed_come_again_with_the_same_keys(world: World) -> None:
    world.approved()
    first, second = (sends(notice_outbox.lines_to_hand(world.home, LATER)) for _ in range(2))
    assert first == second and len(first) == 2


def test_the_evening_and_the_weekend_wait_for_monday(world: World) -> None:
    friday = dt.datetime(2026, 11, 27, 9, 0, tzinfo=dt.UTC)  # 18:00 in Japan: less than three hours are left
    world.approved(friday)
    assert world.hand(friday + dt.timedelta(minutes=10)) == []
    found = sends(world.hand(dt.datetime(2026, 11, 29, 1, 0, tzinfo=dt.UTC)))
    assert {(s.not_before, s.expires_at) for s in found} == {("2026-11-30T09:00:00+09:00", "2026-11-30T20:00:00+09:00")}


def test_the_same_programme_is_not_told_of_twice(world: World) -> None:
    world.approved()
    again = notice_batches.create(world.officer, world.home, programme=PROGRAMME, template="neutral", waves=1, now=LATER)
    assert again.counts["candidates"] == 0
    assert again.counts["suppressed"][Held.UNDER_WAY.value] == 2


def test_unknown_is_never_sent_again_and_becomes_known_when_opened(world: World) -> None:
    world.approved()
    first = sends(world.hand(LATER))[0]
    notice_outbox.take_in(lines.Outcome(first.notice_id, "unknown", LATER.isoformat(), ""), "1:1")
    assert world.hand(LATER + dt.timedelta(days=1), 2) == []
    notice_outbox.take_in(lines.Opened(first.notice_id, LATER.isoformat()), "1:2")
    assert Notice.objects.get(pk=first.notice_id).status == NoticeStatus.ACCEPTED


def test_the_real_queries_run_and_the_plan_adds_up(
    marked_city: MarkedView, actor_for: Callable[..., Actor], app_home: Path
) -> None:
    found = notice_plan.plan(actor_for("notice_officer"), app_home, NOW)
    assert found.candidates == 0  # nobody has agreed
    rows = marked_city.engine.query(_count()).to_pylist()[0]["n"]
    assert isinstance(rows, int) and sum(found.suppressed.values()) == rows


def _count() -> Any:
    from sqlglot import exp

    assert pa
    return exp.select(exp.alias_(exp.Count(this=exp.Star()), "n")).from_("eligibility")
