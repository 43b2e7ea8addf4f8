"""確かめた結果 → 訂正の依頼・ラベル; reviews on the public sheet; the family's sheet; what changed since the last run."""

import csv
import datetime as dt
import io
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from kizuki.app import corrections_asked, criteria_reviews, feedback, public_sheet, resident_sheet, worklist, worklist_order
from kizuki.app.feedback import Given
from kizuki.app.list_filters import Filters, remembered
from kizuki.app.served import Definitions, Served
from kizuki.app.since_last import Change, Listing, Since, compare
from kizuki.definitions.loader import load_definitions
from kizuki.definitions.shipped import shipped_definitions
from kizuki.records.models import AuditEvent, Case, CorrectionRequest, Feedback, SealOverlay, User
from kizuki.terms.errors import InputRefused, NotPermitted
from tests import marked_city
from tests.marked_city import MarkedView, _home, rows

pytestmark = pytest.mark.django_db
LOADED = load_definitions(shipped_definitions())
TODAY = dt.date(2026, 11, 26)


@pytest.fixture
def view(app_home: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[MarkedView]:
    """The marked city judged by the shipped 不登校: own absence, a sibling's absence, a consultation; c1 and c2 both listed."""
    import kizuki.web.urls  # noqa: F401

    content = rows()
    for judged in content["judgement"]:
        judged |= {"criteria": "absence", "version": "2026.1"}
        if judged["person_id"] == "c2":
            judged |= {"verdict": "該当", "rank": 4}
    (base,) = [r for r in content["judgement_reason"] if r["person_id"] == "c1"]
    made = [("absent", "自分の欠席", "school_life"), ("sibling_absent", "きょうだいの欠席", "school_life")]
    content["judgement_reason"] = [
        {**base, "person_id": p, "criteria": "absence", "entry": e, "text": t, "source": s}
        for p in ("c1", "c2", "c3")
        for e, t, s in made
    ]
    monkeypatch.setattr(marked_city, "rows", lambda: content)
    city = MarkedView(id="absence-city")
    for name, module in list(sys.modules.items()):
        if name.startswith("kizuki.") and hasattr(module, "current_view"):
            monkeypatch.setattr(module, "current_view", lambda *a, **k: city)
    yield city
    city.engine.close()


@pytest.fixture
def city(view: MarkedView) -> Served:
    return Served(view, Definitions(LOADED))  # type: ignore[arg-type]


def test_an_answer_can_be_changed_and_undone(city: Served, actor_for: Any) -> None:
    worker = actor_for("caseworker")
    feedback.give(worker, city, "c1", "absence", Given("当たり", note="会えた"))
    later = feedback.give(worker, city, "c1", "absence", Given("外れ"))
    assert [a.answer for a in feedback.answers(worker, "c1", "absence")] == ["外れ", "当たり"]
    feedback.undo(worker, later.pk)
    (standing,) = feedback.answers(worker, "c1", "absence")
    assert (standing.answer, standing.note) == ("当たり", "会えた")
    stored = bytes(Feedback.objects.get(answer="当たり").note or b"")
    assert "会えた".encode() not in stored
    with pytest.raises(InputRefused):
        feedback.undo(actor_for("caseworker", login="another"), standing.id)


@pytest.mark.parametrize("given", [Given("だいたい"), Given("情報誤り"), Given("情報誤り", entry="nothing")])
def test_an_answer_that_says_nothing_is_refused(city: Served, actor_for: Any, given: Given) -> None:
    with pytest.raises(InputRefused):
        feedback.give(actor_for("caseworker"), city, "c1", "absence", given)
    assert not Feedback.objects.exists()


def test_a_child_out_of_scope_gets_no_answer(city: Served, actor_for: Any) -> None:
    with pytest.raises(NotPermitted):
        feedback.give(actor_for("caseworker"), city, "c4", "absence", Given("当たり"))
    with pytest.raises(NotPermitted):
        feedback.give(actor_for("steering"), city, "c1", "absence", Given("当たり"))


def test_false_data_goes_to_the_owning_office_and_tells_it_nothing_more(city: Served, actor_for: Any) -> None:
    worker, owner = actor_for("caseworker"), actor_for("data_owner")
    feedback.give(worker, city, "c1", "absence", Given("情報誤り", note="秘密の書き添え", entry="absent"))
    assert corrections_asked.listing(owner, city) == []  # no office yet
    User.objects.filter(username="data_owner").update(department="保育課")
    assert corrections_asked.listing(owner, city) == []
    User.objects.filter(username="data_owner").update(department=LOADED.sources["school_life"].owner)
    ((row,)) = corrections_asked.listing(owner, city)
    told = {f.name: getattr(row["request"], f.name) for f in CorrectionRequest._meta.fields if f.name != "feedback"}
    assert told["what"] == "欠席" and "absence" not in str(told) and "c1" not in str(told)
    corrections_asked.answer(owner, city, row["request"].pk, "訂正した")
    assert feedback.answers(worker, "c1", "absence")[0].correction.endswith("訂正した")
    with pytest.raises(InputRefused):
        corrections_asked.answer(owner, city, row["request"].pk, "訂正した")


def test_undoing_false_data_takes_the_request_back_and_redoing_it_reopens(city: Served, actor_for: Any) -> None:
    worker = actor_for("caseworker")
    feedback.give(worker, city, "c1", "absence", Given("情報誤り", entry="absent"))
    later = feedback.give(worker, city, "c1", "absence", Given("当たり"))
    assert CorrectionRequest.objects.get().status == "取り下げ"
    feedback.undo(worker, later.pk)
    assert CorrectionRequest.objects.get().status == "依頼中"


def test_labels_are_authorised_recorded_and_pseudonymous_for_analysts(city: Served, actor_for: Any) -> None:
    worker = actor_for("caseworker")
    for person, answer in (("c1", "当たり"), ("c2", "既知"), ("c3", "情報誤り")):
        feedback.give(worker, city, person, "absence", Given(answer, note="書き添え", entry="absent"))
    feedback.give(worker, city, "c1", "absence", Given("外れ"))
    found = {r["person"]: r for r in csv.DictReader(io.StringIO(feedback.labels(actor_for("steering"))))}
    assert {p: (r["answer"], r["label"], r["already_known"]) for p, r in found.items()} == {
        "c1": ("外れ", "0", "0"),
        "c2": ("既知", "1", "1"),
        "c3": ("情報誤り", "", "0"),
    }
    homes = {p: r["household"] for p, r in found.items()}
    assert len(set(homes.values())) == len({_home(p) for p in homes}), "one mark for a household, another for another"
    assert not set(homes.values()) & {"", *(_home(p) for p in homes)}, "and it says nothing by itself"
    masked = feedback.labels(actor_for("analyst"))
    assert {r["household"] for r in csv.DictReader(io.StringIO(masked))} == set(homes.values())
    cells = {cell for row in csv.reader(io.StringIO(masked)) for cell in row}
    assert not cells & {"c1", "c2", "c3"} and "書き添え" not in masked
    assert AuditEvent.objects.filter(action="labels.export").count() == 2
    with pytest.raises(NotPermitted):
        feedback.labels(worker)


def test_a_review_is_of_one_version_and_stands_on_the_sheet(city: Served, actor_for: Any) -> None:
    steering = actor_for("steering")
    written = criteria_reviews.Written("2026.1", "専門家の検証", TODAY, "大学の研究者2人", "重みを見直すべき項目がある")
    criteria_reviews.add(steering, city, "absence", written, today=TODAY)
    found = public_sheet.sheet(actor_for("auditor"), city, "absence")
    assert found is not None and [r.summary for r in found.reviews] == ["重みを見直すべき項目がある"]
    for wrong in (
        criteria_reviews.Written("9", "専門家の検証", TODAY, "人", "内容"),
        criteria_reviews.Written("2026.1", "専門家の検証", TODAY + dt.timedelta(days=1), "人", "内容"),
        criteria_reviews.Written("2026.1", "うわさ", TODAY, "人", "内容"),
        criteria_reviews.Written("2026.1", "専門家の検証", TODAY, " ", "内容"),
    ):
        with pytest.raises(InputRefused):
            criteria_reviews.add(steering, city, "absence", wrong, today=TODAY)
    with pytest.raises(NotPermitted):
        criteria_reviews.add(actor_for("caseworker"), city, "absence", written, today=TODAY)


def test_the_sheet_says_not_yet_checked_until_enough_children_were_looked_at(city: Served, actor_for: Any) -> None:
    by = User.objects.create(username="w")
    for n in range(29):
        Feedback.objects.create(
            person_id=f"x{n}", criteria="absence", version="2026.1", as_of=TODAY, listed=True, answer="当たり", by=by
        )
    reader = actor_for("caseworker")

    def checked() -> tuple[str, ...]:
        found = public_sheet.sheet(reader, city, "absence")
        assert found is not None
        return found.checked

    assert checked()[0].startswith(public_sheet.NOT_CHECKED)
    for n in range(29, 33):
        Feedback.objects.create(
            person_id=f"x{n}", criteria="absence", version="2026.1", as_of=TODAY, listed=True, answer="外れ", by=by
        )
    assert checked() == (
        "一覧にあったこどものうち、職員が確かめて結果を記録したのは、およそ35人です（この版）",
        "支援や確認が要った：30人",
        "支援は要らなかった：7人以下",
        "すでに支援につながっていた：7人以下",
        "もとのデータが誤っていた：7人以下",
    )


@pytest.mark.parametrize("name", sorted(LOADED.criteria))
def test_every_set_has_a_whole_sheet(city: Served, actor_for: Any, name: str) -> None:
    found = public_sheet.sheet(actor_for("data_owner"), city, name)
    assert found is not None and found.data and found.lines and found.checked and found.legal_basis
    assert all(d.source.owner and d.items for d in found.data)


def test_the_familys_sheet_tells_of_the_child_alone_and_is_recorded(city: Served, actor_for: Any) -> None:
    found = resident_sheet.resident_sheet(actor_for("caseworker"), city, "c1")
    assert [(title, [t.text for t in lines]) for title, lines in found.sets] == [("不登校", ["自分の欠席"])]
    assert AuditEvent.objects.filter(action="resident.print").count() == 1
    with pytest.raises(NotPermitted):
        resident_sheet.resident_sheet(actor_for("steering"), city, "c1")


def test_a_sealed_household_gets_no_sheet(city: Served, actor_for: Any) -> None:
    with pytest.raises(NotPermitted) as refused:
        resident_sheet.resident_sheet(actor_for("caseworker"), city, "c3")
    assert refused.value.code == "K774"
    SealOverlay.objects.create(person_id="m1", by=User.objects.create(username="s"), reason="申出")
    with pytest.raises(NotPermitted):
        resident_sheet.resident_sheet(actor_for("caseworker"), city, "c1")


def test_no_sentence_of_the_familys_sheet_can_rest_on_somebody_else_or_on_a_report(city: Served) -> None:
    told = {
        (c.id, e.id): [t.id for t in resident_sheet.terms_of(e.condition)]
        for c in LOADED.criteria.values()
        for e in c.entries
        if resident_sheet._about_the_child_alone(c, e.id, city)
    }
    assert told
    for items in told.values():
        for name in items:
            item = LOADED.items[name]
            parts = [item] if item.record else [LOADED.items[item.difference.now], LOADED.items[item.difference.before]]
            for part in parts:
                assert part.record.of not in ("sibling_event", "sibling_spell", "adult_event", "adult_spell", "tax", "mother")
                assert part.source not in ("family_consultation", "community_social_work", "municipal_tax")
    assert not LOADED.criteria["abuse"].text.told_to_family


def test_siblings_share_a_line_and_the_choice_is_remembered(city: Served, actor_for: Any) -> None:
    worker = actor_for("caseworker")
    page = worklist.worklist(worker, city, remembered(worker, {"known": "all", "merged": "1"}))
    first = page.rows[0]
    assert (first.person_id, [s.person_id for s in first.siblings]) == ("c1", ["c2"])
    assert (page.total, page.children, page.rows[0].people) == (3, 4, "c1 c2")
    assert remembered(worker, {}).merged and not remembered(actor_for("caseworker", login="other"), {}).merged
    assert not remembered(worker, {"known": "all"}).merged and not remembered(worker, {}).merged


def test_the_already_known_can_be_left_out_as_far_as_one_may_know_them(city: Served, actor_for: Any) -> None:
    def listed(actor: Any, known: str) -> set[str]:
        return {r.person_id for r in worklist.worklist(actor, city, Filters(known=known)).rows}

    worker, steering = actor_for("caseworker"), actor_for("steering")
    assert listed(worker, "hide") == set() and listed(worker, "only") == {"c1", "c2", "c3", "c5"}  # 要対協 for all of them
    assert listed(steering, "hide") == {"c1", "c2", "c3", "c5"}  # may read neither 要対協 nor 生活保護: learns nothing
    Case.objects.create(person_id="c2", status="支援中")
    assert listed(steering, "hide") == {"c3", "c5"}  # a sibling's case makes the household known


def test_what_changed_since_the_last_run(city: Served, actor_for: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    now = {"c1": {"absence": Listing("2026.1", frozenset({"absent", "sibling_absent"}))}}
    since = Since("2026/11/19", compare({"c1": {"absence": Listing("2026.1", frozenset({"absent"}))}}, now))
    monkeypatch.setattr(worklist_order, "since_last", lambda *_: since)
    page = worklist.worklist(actor_for("caseworker"), city, Filters(since="changed"))
    assert [(r.person_id, r.change) for r in page.rows] == [("c1", "理由が変わった")]
    assert page.rows[0].change_text == "不登校：「きょうだいの欠席」が加わりました"
    assert not worklist.worklist(actor_for("caseworker"), city, Filters(since="new")).rows


def test_compare_names_who_came_left_and_why() -> None:
    one, two = Listing("1", frozenset({"a"})), Listing("2", frozenset({"a", "b"}))
    found = compare({"p": {"x": one}, "q": {"x": one}, "r": {"x": one}}, {"p": {"x": one}, "r": {"x": two}, "s": {"y": two}})
    assert found == {
        "q": Change("left", left=("x",)),
        "r": Change("changed", added=(("x", "b"),), versions=("x",)),
        "s": Change("new", ("y",)),
    }
