"""Review by people: two where the city says so, blind, a third when they differ, undone at any depth."""

import datetime as dt
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from kizuki.app import link_review as desk
from kizuki.app import link_review_check as checks
from kizuki.app import link_review_words as words
from kizuki.app.link_review_counts import review_counts
from kizuki.app.link_review_history import history
from kizuki.app.link_review_pair import pair_page
from kizuki.app.link_review_thresholds import thresholds
from kizuki.app.release import MASKED
from kizuki.app.served import Served, served
from kizuki.engine.keys import KeyRing
from kizuki.govern.actor import Actor
from kizuki.link import master as masters
from kizuki.records.models import AuditEvent, LinkDecision, LinkOpinion, LinkSample, SealGrant, SealOverlay, User
from kizuki.terms.errors import InputRefused, NotPermitted
from tests.marked_city import AS_OF, MarkedView, mark

pytestmark = pytest.mark.django_db
Make = Callable[..., Actor]


@pytest.fixture
def now(marked_city: MarkedView, app_home: Path) -> Served:
    return served(app_home)


@pytest.fixture
def reviewers(now: Served, actor_for: Make) -> tuple[Actor, Actor, Actor]:
    first, second, third = (actor_for("link_reviewer", login=f"reviewer{i}") for i in range(3))
    return first, second, third


def listed(actor: Actor, now: Served, name: str) -> list[str]:
    return [p.pair_id for p in desk.Answers(actor, now).listed(name)]


def shown(actor: Actor, now: Served, pair: str, name: str = desk.NEW) -> Any:
    page = pair_page(actor, now, pair, name, desk.Answers(actor, now))
    assert page is not None
    return page


def test_one_person_settles_an_ordinary_pair(now: Served, reviewers: tuple[Actor, Actor, Actor]) -> None:
    first, second, _ = reviewers
    said = words.answer(first, now, "pairplain", "same")
    assert "決まりました" in said.text
    decision = LinkDecision.objects.get()
    assert (decision.answer, decision.people, decision.two_people, decision.event_seq) == ("same", 1, False, None)
    assert listed(second, now, desk.NEW) == ["pairsealed"]
    with pytest.raises(InputRefused, match="K733"):
        words.answer(second, now, "pairplain", "different")


def test_a_sealed_household_takes_two_who_do_not_see_each_other(now: Served, reviewers: tuple[Actor, Actor, Actor]) -> None:
    first, second, third = reviewers
    before = shown(second, now, "pairsealed")
    assert "もう一人" in words.answer(first, now, "pairsealed", "same").text
    assert LinkDecision.objects.count() == 0
    assert listed(first, now, desk.SECOND) == [] and listed(first, now, desk.NEW) == ["pairplain"]
    assert listed(second, now, desk.SECOND) == ["pairsealed"]
    after = shown(second, now, "pairsealed", desk.SECOND)
    hidden = {"list_name": desk.NEW}
    assert {f: getattr(after, f) for f in after.__slots__} | hidden == {
        f: getattr(before, f) for f in before.__slots__
    } | hidden
    words.answer(second, now, "pairsealed", "same")
    assert LinkDecision.objects.get().people == 2
    assert listed(third, now, desk.SECOND) == []


def test_the_same_person_twice_is_not_two_people(now: Served, reviewers: tuple[Actor, Actor, Actor]) -> None:
    first, _, _ = reviewers
    words.answer(first, now, "pairsealed", "same")
    words.answer(first, now, "pairsealed", "same")
    assert LinkDecision.objects.count() == 0
    with pytest.raises(IntegrityError), transaction.atomic():
        LinkOpinion.objects.create(pair_id="pairsealed", by_id=first.user_id, answer="same")


def test_a_difference_goes_to_a_third(now: Served, reviewers: tuple[Actor, Actor, Actor]) -> None:
    first, second, third = reviewers
    words.answer(first, now, "pairsealed", "same")
    words.answer(second, now, "pairsealed", "different")
    assert LinkDecision.objects.count() == 0
    assert listed(third, now, desk.SPLIT) == ["pairsealed"]
    assert listed(first, now, desk.SPLIT) == listed(second, now, desk.SPLIT) == []
    words.answer(third, now, "pairsealed", "different")
    assert (LinkDecision.objects.get().answer, LinkDecision.objects.get().people) == ("different", 2)


def test_a_seal_put_now_makes_two_people_needed_at_once(now: Served, reviewers: tuple[Actor, Actor, Actor]) -> None:
    first, _, _ = reviewers
    SealOverlay.objects.create(person_id="c2", by=User.objects.get(pk=first.user_id), reason="申出")
    words.answer(first, now, "pairplain", "same")
    assert LinkDecision.objects.count() == 0
    page = shown(first, now, "pairplain")
    assert page.two_people and "町字" in page.hidden


def test_a_hold_waits_for_anybody_and_decides_nothing(now: Served, reviewers: tuple[Actor, Actor, Actor]) -> None:
    first, second, _ = reviewers
    words.answer(first, now, "pairplain", "hold")
    assert listed(first, now, desk.HELD) == listed(second, now, desk.HELD) == ["pairplain"]
    words.answer(first, now, "pairplain", "different")
    assert LinkDecision.objects.get().answer == "different"


def test_the_place_of_either_side_is_hidden_on_both_unless_a_grant_opens_it(now: Served, reviewers: Any) -> None:
    first = reviewers[0]
    page = shown(first, now, "pairsealed")
    told = [piece.text for line in page.lines for side in (line.record, line.resident) for piece in side]
    assert MASKED not in told
    assert not any(column in "".join(told) for column in ("town", "phone", "postcode", "school_code"))
    assert mark("c3", "review_side", "name")[:4] in "".join(told)
    by = User.objects.create(username="chief")
    until = dt.datetime(2100, 1, 1, tzinfo=dt.UTC)
    SealGrant.objects.create(person_id="c3", user_id=first.user_id, by=by, reason="担当", expires_at=until)
    assert "town" in "".join(p.text for line in shown(first, now, "pairsealed").lines for p in line.record)


def test_an_answer_is_audited_under_both_persons_without_a_word_of_it(now: Served, reviewers: Any) -> None:
    words.answer(reviewers[0], now, "pairplain", "same")
    event = AuditEvent.objects.get(action="link.answer")
    assert event.subjects.count() == 2
    assert "pairplain" not in event.body and "same" not in event.body


def test_undo_opens_the_pair_again_and_keeps_the_others_answer(now: Served, reviewers: Any) -> None:
    first, second, _ = reviewers
    words.answer(first, now, "pairsealed", "same")
    words.answer(second, now, "pairsealed", "same")
    words.undo(second)
    assert LinkDecision.objects.filter(withdrawn_at=None).count() == 0
    assert listed(second, now, desk.SECOND) == ["pairsealed"]
    words.answer(second, now, "pairsealed", "different")
    assert listed(reviewers[2], now, desk.SPLIT) == ["pairsealed"]
    words.undo(second)
    words.undo(first)
    assert listed(first, now, desk.NEW) == ["pairplain", "pairsealed"]
    with pytest.raises(InputRefused, match="K734"):
        words.undo(first)


def test_a_settled_word_is_taken_back_with_a_reason_and_the_history_keeps_both(now: Served, reviewers: Any) -> None:
    first = reviewers[0]
    for _ in range(3):  # to any depth
        words.answer(first, now, "pairplain", "same")
        decision = LinkDecision.objects.get(withdrawn_at=None)
        with pytest.raises(InputRefused, match="K735"):
            words.withdraw(first, decision.pk, "  ")
        words.withdraw(first, decision.pk, "見間違い")
        with pytest.raises(InputRefused, match="K736"):
            words.withdraw(first, decision.pk, "見間違い")
        assert "pairplain" in listed(first, now, desk.NEW)
    rows = history(first, now, 1).rows
    assert [r.withdrawn.endswith("見間違い") for r in rows] == [True] * 3
    assert LinkOpinion.objects.count() == 3


def keymaster(home: Path) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = masters.read_master(home, KeyRing.load(home)).events.to_pylist()
    return events


def test_words_reach_the_key_master_once_with_who_and_why(now: Served, reviewers: Any, app_home: Path) -> None:
    first, second, _ = reviewers
    keys = KeyRing.load(app_home)
    words.answer(first, now, "pairplain", "different")
    words.answer(first, now, "pairsealed", "same")
    words.answer(second, now, "pairsealed", "same")
    assert review_counts(app_home)["tonight"] == 2
    assert words.write_words(app_home, keys, AS_OF) == 2
    assert words.write_words(app_home, keys, AS_OF) == 0
    plain, sealed = keymaster(app_home)
    assert (plain["state"], plain["actor"], plain["night"]) == ("different", "reviewer0", AS_OF)
    assert plain["record_id"] == mark("c1", "review_case", "record_id")
    assert plain["other_record_id"] == mark("c1", "review_case", "resident_id")
    assert (sealed["state"], sealed["actor"], sealed["rule"].endswith("（2人）")) == ("same", "reviewer0・reviewer1", True)
    must, cannot = masters.read_master(app_home, keys).standing()
    assert (must.num_rows, cannot.num_rows) == (1, 1)
    words.withdraw(first, LinkDecision.objects.get(pair_id="pairsealed").pk, "別の人と分かった")
    assert words.write_words(app_home, keys, AS_OF + dt.timedelta(days=1)) == 1
    must, cannot = masters.read_master(app_home, keys).standing()
    assert (must.num_rows, cannot.num_rows) == (0, 1)


def test_a_run_killed_after_writing_does_not_say_it_twice(now: Served, reviewers: Any, app_home: Path) -> None:
    keys = KeyRing.load(app_home)
    words.answer(reviewers[0], now, "pairplain", "same")
    words.write_words(app_home, keys, AS_OF)
    LinkDecision.objects.update(event_seq=None)  # killed between the file and the database
    assert words.write_words(app_home, keys, AS_OF) == 1
    assert len(keymaster(app_home)) == 1
    assert LinkDecision.objects.get().event_seq == 1


def test_a_restored_database_that_counts_again_loses_no_word(now: Served, reviewers: Any, app_home: Path) -> None:
    keys = KeyRing.load(app_home)
    words.answer(reviewers[0], now, "pairplain", "same")
    words.write_words(app_home, keys, AS_OF)
    number = LinkDecision.objects.get().pk
    LinkOpinion.objects.all().delete()
    LinkDecision.objects.all().delete()
    words.answer(reviewers[0], now, "pairplain", "different")
    LinkDecision.objects.update(event_seq=None)
    later = LinkDecision.objects.get()
    LinkOpinion.objects.update(decision=None)
    later.delete()
    later.pk = number
    later.save(force_insert=True)
    assert words.write_words(app_home, keys, AS_OF) == 1
    assert [e["state"] for e in keymaster(app_home)] == ["same", "different"]


def test_a_word_the_key_master_refuses_waits_and_stops_nobody(
    now: Served, reviewers: Any, app_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, _ = reviewers
    words.answer(first, now, "pairplain", "same")
    words.answer(first, now, "pairsealed", "same")
    words.answer(second, now, "pairsealed", "same")
    whole = masters.KeyMaster.decide
    plain = mark("c1", "review_case", "record_id")

    def refusing(self: Any, left: Any, right: Any, answer: str, **told: Any) -> Any:
        if left[1] == plain:
            raise InputRefused("K320", "食い違います。", "", "")
        return whole(self, left, right, answer, **told)

    monkeypatch.setattr(masters.KeyMaster, "decide", refusing)
    assert words.write_words(app_home, KeyRing.load(app_home), AS_OF) == 1
    assert [r.state for r in history(first, now, 1).rows] == ["反映済み", "ほかの決定と食い違うため、反映していません（K320）"]
    monkeypatch.setattr(masters.KeyMaster, "decide", whole)
    assert words.write_words(app_home, KeyRing.load(app_home), AS_OF) == 1
    assert {r.state for r in history(first, now, 1).rows} == {"反映済み"}


def test_a_record_found_to_be_one_residents_is_not_offered_to_another(
    now: Served, reviewers: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = reviewers[0]
    whole = desk.index_of(now)
    one_record = {k: replace(p, group_id="g") for k, p in whole.by_id.items()}
    waiting = tuple(one_record[p.pair_id] for p in whole.waiting)
    monkeypatch.setattr(desk, "index_of", lambda _: replace(whole, by_id=one_record, waiting=waiting))
    words.answer(first, now, "pairplain", "same")
    assert listed(first, now, desk.NEW) == []
    with pytest.raises(InputRefused, match="K737"):
        words.answer(first, now, "pairsealed", "same")
    words.answer(first, now, "pairsealed", "different")  # this can always be said


def test_a_replay_of_an_earlier_night_writes_nothing(now: Served, reviewers: Any, app_home: Path) -> None:
    keys = KeyRing.load(app_home)
    words.answer(reviewers[0], now, "pairplain", "same")
    words.write_words(app_home, keys, AS_OF)
    words.answer(reviewers[0], now, "pairsealed", "same")
    words.answer(reviewers[1], now, "pairsealed", "same")
    assert words.write_words(app_home, keys, AS_OF - dt.timedelta(days=1)) == 0
    assert words.unwritten().count() == 1


def test_a_word_undone_before_the_night_never_reaches_the_key_master(now: Served, reviewers: Any, app_home: Path) -> None:
    words.answer(reviewers[0], now, "pairplain", "same")
    words.undo(reviewers[0])
    assert words.write_words(app_home, KeyRing.load(app_home), AS_OF) == 0
    assert keymaster(app_home) == []


def test_which_records_a_pair_means_is_not_readable_in_the_app_database(now: Served, reviewers: Any) -> None:
    words.answer(reviewers[0], now, "pairplain", "same")
    sealed = bytes(LinkDecision.objects.get().sealed_keys)
    assert mark("c1", "review_case", "record_id").encode() not in sealed


def test_the_sample_is_recorded_and_judged_without_being_told(now: Served, reviewers: Any) -> None:
    first, second, _ = reviewers
    board = checks.board(first, now)
    sample = LinkSample.objects.get()
    assert (sample.month, sample.eligible, sample.drawn, sample.probability) == ("2026-11", 40, 1, 1 / 40)
    assert board.total.interval is None and board.total.precision_text == "まだ分からない"
    mixed = [p.pair_id for p in checks.check_list(now, desk.Answers(first, now))]
    assert "pairmachine" in mixed
    page = shown(first, now, "pairmachine", desk.CHECK)
    assert page.bars == () and page.reasons == () and page.blind
    told = words.answer(first, now, "pairmachine", "different", checking=True).text
    assert told == "「別の人」と答えました。"
    assert LinkDecision.objects.count() == 0  # taking a link of the machine's apart takes two
    words.answer(second, now, "pairmachine", "different")
    total = checks.board(first, now).total
    assert (total.right, total.wrong, total.precision) == (0, 1, 0.0)
    assert LinkDecision.objects.get().event_seq is None


def test_a_link_found_right_changes_nothing_in_the_key_master(now: Served, reviewers: Any, app_home: Path) -> None:
    checks.board(reviewers[0], now)
    words.answer(reviewers[0], now, "pairmachine", "same", checking=True)
    total = checks.board(reviewers[0], now).total
    assert (total.right, total.wrong, total.left) == (1, 0, 0)
    assert total.interval == pytest.approx((0.025, 1.0), abs=1e-6)
    assert words.write_words(app_home, KeyRing.load(app_home), AS_OF) == 0


@pytest.mark.parametrize(
    ("found", "of", "expected"),
    [
        (0, 10, (0.0, 0.3085)),
        (10, 10, (0.6915, 1.0)),
        (9, 10, (0.5550, 0.9975)),
        (48, 50, (0.8629, 0.9951)),
        (599, 600, (0.9907, 0.99996)),
    ],
)
def test_the_interval_is_clopper_and_pearsons(found: int, of: int, expected: tuple[float, float]) -> None:
    assert checks.exact_interval(found, of, 95) == pytest.approx(expected, abs=6e-5)


def test_thresholds_say_unknown_where_nobody_has_looked(now: Served, reviewers: Any, app_home: Path) -> None:
    first = reviewers[0]
    before = thresholds(first, now, app_home, "reviewed")
    assert [(p.pairs, p.precision, p.recall, p.unseen_errors) for p in before.points] == [(2, None, None, None)]
    words.answer(first, now, "pairplain", "same")
    after = thresholds(first, now, app_home, "reviewed").points[0]
    assert (after.precision, after.recall, after.unseen_errors) == (1.0, 1.0, 0.0)
    assert after.interval == pytest.approx((0.025, 1.0), abs=1e-6)
    assert after.hours == 2 * before.rules.minutes_per_pair / 60


def test_truth_is_read_only_beside_a_synthetic_city(now: Served, reviewers: Any, app_home: Path) -> None:
    (app_home / "truth").mkdir()
    rows = ["true_person,source,record_id"]
    for person in ("c1", "c3"):
        rows.append(f"t-{person},childcare,{mark(person, 'review_case', 'record_id')}")
    rows.append(f"t-c1,resident_register,{mark('c1', 'review_case', 'resident_id')}")
    rows.append(f"t-other,resident_register,{mark('c3', 'review_case', 'resident_id')}")
    (app_home / "truth" / "people.csv").write_text("\n".join(rows), encoding="utf-8")
    (app_home / "synthetic.json").write_text("{}", encoding="utf-8")
    found = thresholds(reviewers[0], now, app_home, "truth")
    assert found.basis == "truth" and found.points[0].precision == 0.5


@pytest.mark.parametrize("role", ["caseworker", "steering", "it", "analyst", "auditor", "data_owner", "notice_officer"])
def test_only_reviewers_review(role: str, now: Served, actor_for: Make) -> None:
    actor = actor_for(role)
    for act in (
        lambda: words.answer(actor, now, "pairplain", "same"),
        lambda: words.undo(actor),
        lambda: words.withdraw(actor, 1, "x"),
        lambda: desk.desk(actor, now),
        lambda: history(actor, now, 1),
        lambda: pair_page(actor, now, "pairplain", desk.NEW, desk.Answers(actor, now)),
    ):
        with pytest.raises(NotPermitted, match="K701"):
            act()
    assert LinkOpinion.objects.count() == 0


def test_counts_for_the_it_office_hold_no_personal_value(now: Served, reviewers: Any, app_home: Path) -> None:
    words.answer(reviewers[0], now, "pairsealed", "same")
    text = json.dumps(review_counts(app_home), ensure_ascii=False)
    assert json.loads(text)["waiting"] == {"new": 1, "second": 1, "split": 0, "held": 0}
    assert "印" not in text and "pair" not in text


@pytest.fixture
def residents(now: Served, monkeypatch: pytest.MonkeyPatch) -> str:
    """`pairplain` as a pair of two rows of the register."""
    whole = desk.index_of(now)
    turned = {"pairplain": replace(whole.by_id["pairplain"], source="resident_register", rule="returned")}
    by_id = {**whole.by_id, **turned}
    waiting = tuple(by_id[p.pair_id] for p in whole.waiting)
    monkeypatch.setattr(desk, "index_of", lambda _: replace(whole, by_id=by_id, waiting=waiting))
    return "pairplain"


def test_two_residents_are_one_person_only_by_two_people_and_a_third_if_they_differ(
    now: Served, reviewers: Any, residents: str
) -> None:
    first, second, third = reviewers
    assert desk.desk(first, now).of_residents == 1
    assert "もう一人" in words.answer(first, now, residents, "same").text
    words.answer(second, now, residents, "different")
    assert LinkDecision.objects.count() == 0 and listed(third, now, desk.SPLIT) == [residents]
    words.answer(third, now, residents, "same")
    assert (LinkDecision.objects.get().answer, LinkDecision.objects.get().two_people) == ("same", True)
    words.undo(third)
    assert LinkDecision.objects.filter(withdrawn_at=None).count() == 0
    assert listed(third, now, desk.SPLIT) == [residents]


def test_both_histories_of_the_register_are_shown_and_recorded(now: Served, reviewers: Any, residents: str) -> None:
    page = shown(reviewers[0], now, residents)
    assert page.why.title == "番号の変わった住民かもしれない" and page.two_people
    assert page.residents is not None and "住民記録" in page.sides[0]
    told = {kind.title: [p.text for p in (*kind.later, *kind.earlier)] for kind in page.residents.kinds}
    assert list(told) == ["住民だった期間", "氏名", "住所", "世帯"]
    assert mark("c1", "review_history", "address") in told["住所"] and mark("c2", "review_history", "name") in str(told["氏名"])
    assert all("うち3人は相手の世帯にも" in text for text in told["世帯"])
    assert "同じ日に住民だった期間があります" in page.residents.notes[0]
    body = AuditEvent.objects.get(action="link.review").body
    assert "review_history.address" in body and "review_history.relation" in body


def test_a_seal_on_either_side_hides_the_addresses_of_both_histories(now: Served, reviewers: Any, residents: str) -> None:
    by = User.objects.create(username="chief")
    for person in ("c1", "c2"):
        overlay = SealOverlay.objects.create(person_id=person, by=by, reason="申出")
        page = shown(reviewers[0], now, residents)
        told = repr(page.residents)
        assert "印c1・review_history・address印" not in told and "印c2・review_history・address印" not in told
        assert "支援措置のため表示しません" in told
        overlay.delete()
    assert "印c1・review_history・address印" in repr(shown(reviewers[0], now, residents).residents)


def test_a_third_row_of_the_same_resident_may_be_found_too(now: Served, reviewers: Any, residents: str) -> None:
    answers = desk.Answers(reviewers[0], now)
    words.answer(reviewers[0], now, residents, "same")
    words.answer(reviewers[1], now, residents, "same")
    answers = desk.Answers(reviewers[0], now)
    other = replace(answers.index.by_id[residents], pair_id="another")
    assert not answers.taken(other)


def test_a_blind_check_mixes_in_no_pair_of_two_residents(now: Served, reviewers: Any, residents: str) -> None:
    mixed = checks.check_list(now, desk.Answers(reviewers[0], now))
    assert residents not in [p.pair_id for p in mixed] and "pairmachine" in [p.pair_id for p in mixed]
