"""転入元への照会: the questions that decide, the letter, and nothing for a sealed household (journey: moved-in)."""

import datetime as dt
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from kizuki.app.inquiries import inquiry, questions
from kizuki.app.release import Actor
from kizuki.app.served import Definitions, Served
from kizuki.definitions.loader import load_definitions
from kizuki.definitions.shipped import shipped_definitions
from kizuki.records.models import AuditEvent
from kizuki.terms.errors import NotPermitted
from tests import marked_city
from tests.marked_city import AS_OF, MarkedView, row, rows

LOADED = load_definitions(shipped_definitions())
MOVED = dt.date(2026, 9, 10)
UNKNOWN = ("consultations_1y", "consultations_3y", "moves_1y")
ENTRIES = ("consulted_1y", "consulted_3y", "frequent_moves")


@pytest.fixture
def view(app_home: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[MarkedView]:
    """The marked city, in which c1 and the sealed c3 have just moved in and wait for what happened before."""
    changed = rows() | moved_in_rows()
    monkeypatch.setattr(marked_city, "rows", lambda: changed)
    city = MarkedView()
    for name, module in list(sys.modules.items()):
        if name.startswith("kizuki.") and hasattr(module, "current_view"):
            monkeypatch.setattr(module, "current_view", lambda *a, **k: city)
    yield city
    city.engine.close()


def moved_in_rows() -> dict[str, list[dict[str, Any]]]:
    content = rows()
    source = "family_consultation"
    for person in content["person"]:
        person["resident_from"] = MOVED
    for found in content["judgement"]:
        verdict = "要確認" if found["person_id"] in ("c1", "c3") else "該当"
        found |= {"criteria": "abuse", "version": "2026.1", "verdict": verdict}
    content["judgement_reason"] = [
        row("judgement_reason", p, criteria="abuse", entry=e, answer="unknown", unknown_reason="moved_in", source=source)
        for p in ("c1", "c3", "c5")
        for e in ENTRIES
    ]
    content["item"] = [
        row("item", p, item=i, state="not_collected", unknown_reason="moved_in", source=LOADED.items[i].source)
        for p in ("c1", "c3", "c5")
        for i in UNKNOWN
    ]
    return {name: content[name] for name in ("person", "judgement", "judgement_reason", "item")}


def served(view: MarkedView) -> Served:
    return Served(view, Definitions(LOADED))  # type: ignore[arg-type]


@pytest.mark.django_db
def test_the_letter_asks_only_what_decides_and_does_not_tell_our_view(view: MarkedView, actor_for: Any) -> None:
    actor: Actor = actor_for("caseworker")
    found = inquiry(actor, "c1", served(view))
    assert {q.item for q in found.questions} == set(UNKNOWN)
    assert {q.criteria for q in found.questions} == {("児童虐待",)}
    for text in ("家庭児童相談", "2026年9月9日まで", "空欄は「無し」とみなしません", "個人情報保護法第61条第1項"):
        assert text in found.letter
    assert "児童虐待" not in found.letter and "要確認" not in found.letter
    assert not found.held
    assert AuditEvent.objects.filter(action="child.view").exists()


@pytest.mark.django_db
def test_a_sealed_household_gets_no_letter(view: MarkedView, actor_for: Any) -> None:
    found = inquiry(actor_for("caseworker"), "c3", served(view))
    assert found.questions and not found.letter and "支援措置" in found.held


@pytest.mark.django_db
def test_a_judgement_that_is_decided_asks_nothing(view: MarkedView, actor_for: Any) -> None:
    found = inquiry(actor_for("caseworker"), "c5", served(view))
    assert (found.questions, found.letter, found.held) == ((), "", "")


@pytest.mark.django_db
def test_who_may_not_open_the_child_gets_no_questions(view: MarkedView, actor_for: Any) -> None:
    for role in ("analyst", "it", "auditor"):
        with pytest.raises(NotPermitted):
            inquiry(actor_for(role), "c1", served(view))


def test_periods_end_the_day_before_the_move_and_changes_ask_for_the_earlier_part() -> None:
    asked = questions(
        LOADED, [("absence", "increased", "2026.1")], {"absence_increase", "absence_days_3m"}, moved=MOVED, as_of=AS_OF
    )
    assert [(q.item, q.title, q.until) for q in asked] == [("absence_increase", "前年同期の欠席日数", dt.date(2026, 9, 9))]
    assert asked[0].since == dt.date(2025, 8, 21)
    assert questions(LOADED, [("absence", "increased", "2025.9")], {"absence_increase"}, moved=MOVED, as_of=AS_OF) == ()


@pytest.mark.django_db
def test_a_sealed_child_without_an_address_gets_no_letter_either(app_home: Any, monkeypatch: Any, actor_for: Any) -> None:
    content = rows() | moved_in_rows()
    for residence in content["residence"]:
        residence["address"] = None  # nothing to mask: the seal itself must be asked
    monkeypatch.setattr(marked_city, "rows", lambda: content)
    city = MarkedView()
    for name, module in list(sys.modules.items()):
        if name.startswith("kizuki.") and hasattr(module, "current_view"):
            monkeypatch.setattr(module, "current_view", lambda *a, **k: city)
    found = inquiry(actor_for("caseworker"), "c3", served(city))
    assert found.questions and not found.letter and "支援措置" in found.held
    assert inquiry(actor_for("caseworker"), "c1", served(city)).letter


@pytest.mark.django_db
def test_the_screen_shows_the_letter_and_for_a_sealed_child_only_why_there_is_none(
    view: MarkedView, settings: Any, client: Any
) -> None:
    from kizuki.app import demo_users

    settings.KIZUKI_DEMO = True
    demo_users.ensure_demo_users(True)
    client.post("/demo/", {"role": "caseworker"})
    client.get("/docs/")
    page = client.get("/children/c1/inquiry/").content.decode()
    assert "<pre>" in page and "転入したこどもについての照会" in page and "児童虐待" in page.partition("</pre>")[2]
    sealed = client.get("/children/c3/inquiry/").content.decode()
    assert "<pre>" not in sealed and "照会文は作れません" in sealed
