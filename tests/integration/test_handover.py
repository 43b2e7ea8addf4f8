"""引継ぎ: two people, least data, the seal looked at to the last moment; and receiving what another municipality says."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError
from django.utils import timezone

from kizuki.app import accounts, audit, handover, handover_in
from kizuki.app.child_page import child_page
from kizuki.app.handover_document import Wish
from kizuki.app.release import Actor
from kizuki.app.served import Served, definitions_of
from kizuki.govern import envelope
from kizuki.records.models import AuditEvent, Handover, HandoverStatus, SealGrant, SealOverlay, Share, User
from kizuki.terms.errors import InputRefused, NotPermitted
from tests.marked_city import MarkedView, mark

Make = Callable[..., Actor]
NEXT = envelope.Keys.of(b"n" * 32, b"s" * 32)
"""The keys of the next municipality."""


def wish(**more: Any) -> Wish:
    told = {
        "destination": "となり町",
        "address": NEXT.address,
        "basis": "consent",
        "parts": ("identity", "household", "council", "consultation", "health", "school"),
        "reason": "支援を続けるため",
    }
    return Wish(**(told | more))


@pytest.fixture
def city(marked_city: MarkedView, app_home: Path) -> Served:
    """The marked city as pages are served from it."""
    return Served(marked_city, definitions_of(app_home, "marked"))  # type: ignore[arg-type]


def prepared(make: Make, city: Served, person: str = "c1", **more: Any) -> Handover:
    return handover.prepare(make("caseworker"), city, person, wish(**more))


def approver(make: Make, login: str = "steering") -> Actor:
    return make("steering", login=login)


def opened(letter: bytes) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(envelope.unseal(letter, NEXT).content)
    return body


def grant(actor: Actor, person: str) -> None:
    other, _ = User.objects.get_or_create(username="grantor")
    until = timezone.now() + timedelta(hours=1)
    SealGrant.objects.create(person_id=person, user_id=actor.user_id, by=other, reason="担当", expires_at=until)


def test_prepared_by_one_approved_by_another_issued_once_and_only_the_next_municipality_opens_it(
    city: Served, actor_for: Make
) -> None:
    made = prepared(actor_for, city)
    caseworker = actor_for("caseworker")
    with pytest.raises(InputRefused, match="K763"):
        handover.issue(caseworker, made.pk)
    handover.decide(approver(actor_for), made.pk, approve=True)
    letter = handover.issue(caseworker, made.pk)
    body = opened(letter)
    assert body["部分"]["identity"]["行"][0]["氏名"] == mark("c1", "person", "name")
    assert body["引継ぎ先"] == "となり町" and body["根拠"]["条文"] == "個人情報保護法69条2項1号"
    assert {r["氏名"] for r in body["部分"]["household"]["行"]} == {mark(p, "person", "name") for p in ("m1", "c2")}
    assert "印" not in letter.decode()
    with pytest.raises(InputRefused, match="K764"):
        envelope.unseal(letter, handover.keys())
    with pytest.raises(InputRefused, match="K763"):
        handover.issue(caseworker, made.pk)


def test_the_document_holds_nothing_but_the_chosen_parts(city: Served, actor_for: Make) -> None:
    made = prepared(actor_for, city, basis="maternal_health", parts=("identity", "health"))
    handover.decide(approver(actor_for), made.pk, approve=True)
    body = opened(handover.issue(actor_for("caseworker"), made.pk))
    assert set(body["部分"]) == {"identity", "health"}
    text = json.dumps(body, ensure_ascii=False)
    for table, column in (
        ("residence", "address"),
        ("spell", "facility"),
        ("judgement_reason", "text"),
        ("person", "person_no"),
    ):
        assert mark("c1", table, column) not in text
    assert not [p for p in ("c2", "m1", "c4", "f4") if f"印{p}" in text], "nobody else, at home or elsewhere"


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"basis": "maternal_health"}, "K761"),
        ({"basis": "none"}, "K761"),
        ({"reason": " "}, "K761"),
        ({"parts": ("household",)}, "K761"),
        ({"address": "abc"}, "K766"),
    ],
    ids=["parts the ground does not cover", "no ground", "no reason", "nobody's", "no key"],
)
def test_what_no_ground_covers_is_refused(city: Served, actor_for: Make, more: dict[str, Any], code: str) -> None:
    with pytest.raises(InputRefused, match=code):
        prepared(actor_for, city, **more)
    assert not Handover.objects.exists()


def test_a_child_outside_the_scope_and_a_role_without_the_right_are_refused(city: Served, actor_for: Make) -> None:
    with pytest.raises(NotPermitted, match="K702"):
        prepared(actor_for, city, "c4")
    with pytest.raises(NotPermitted, match="K701"):
        handover.prepare(actor_for("analyst"), city, "c1", wish())
    made = prepared(actor_for, city)
    with pytest.raises(NotPermitted, match="K701"):
        handover.decide(actor_for("caseworker", login="other"), made.pk, approve=True)


def test_nobody_approves_their_own_even_in_the_database(city: Served, actor_for: Make) -> None:
    made = prepared(actor_for, city)
    approver_actor = approver(actor_for)
    Handover.objects.filter(pk=made.pk).update(prepared_by=approver_actor.user_id)
    with pytest.raises(NotPermitted, match="K701"):
        handover.decide(approver_actor, made.pk, approve=True)
    with pytest.raises(IntegrityError):
        Handover.objects.filter(pk=made.pk).update(decided_by=approver_actor.user_id)


def test_an_approval_grows_old(city: Served, actor_for: Make) -> None:
    made = prepared(actor_for, city)
    handover.decide(approver(actor_for), made.pk, approve=True)
    late = timezone.now() - timedelta(days=handover.rules().valid_days, seconds=1)
    Handover.objects.filter(pk=made.pk).update(decided_at=late)
    with pytest.raises(InputRefused, match="K763"):
        handover.issue(actor_for("caseworker"), made.pk)


def test_another_caseworker_cannot_issue_or_read_it(city: Served, actor_for: Make) -> None:
    made = prepared(actor_for, city)
    handover.decide(approver(actor_for), made.pk, approve=True)
    other = actor_for("caseworker", login="other")
    with pytest.raises(NotPermitted, match="K702"):
        handover.issue(other, made.pk)
    with pytest.raises(InputRefused, match="K763"):
        handover.show(other, made.pk, action="handover.prepare")


def test_a_sealed_child_needs_a_reader_behind_the_seal_and_a_third_person(city: Served, actor_for: Make) -> None:
    caseworker, chief, keeper = actor_for("caseworker"), approver(actor_for), approver(actor_for, "keeper")
    with pytest.raises(NotPermitted, match="K762"):
        prepared(actor_for, city, "c3")
    grant(caseworker, "c3")
    made = prepared(actor_for, city, "c3")
    with pytest.raises(NotPermitted, match="K762"):
        handover.decide(chief, made.pk, approve=True)
    handover.agree_sealed(keeper, made.pk)
    with pytest.raises(NotPermitted, match="K701"):
        handover.decide(keeper, made.pk, approve=True)
    handover.decide(chief, made.pk, approve=True)
    text = json.dumps(opened(handover.issue(caseworker, made.pk)), ensure_ascii=False)
    assert mark("c3", "person", "name") in text
    assert mark("c3", "residence", "address") not in text and mark("c3", "spell", "facility") not in text


def test_a_seal_put_after_the_approval_stops_the_issue(city: Served, actor_for: Make) -> None:
    caseworker = actor_for("caseworker")
    made = prepared(actor_for, city)
    handover.decide(approver(actor_for), made.pk, approve=True)
    other = User.objects.create(username="late")
    SealOverlay.objects.create(person_id="m1", by=other, reason="保護命令")  # the mother's seal covers the household
    with pytest.raises(NotPermitted, match="K762"):
        handover.issue(caseworker, made.pk)
    grant(caseworker, "c1")
    with pytest.raises(NotPermitted, match="K762"):
        handover.issue(caseworker, made.pk)  # opened for the reader, but no keeper agreed
    assert Handover.objects.get(pk=made.pk).status == HandoverStatus.APPROVED
    assert handover.show(approver(actor_for), made.pk, action="handover.approve").parts == ()


def test_a_seal_on_anybody_named_in_the_document_stops_it(city: Served, actor_for: Make) -> None:
    made = prepared(actor_for, city)
    assert set(made.people) == {"c1", "c2", "m1"}
    Handover.objects.filter(pk=made.pk).update(
        people=["c1", "m3"]
    )  # as if the mother had moved apart since, and was sealed there
    with pytest.raises(NotPermitted, match="K762"):
        handover.decide(approver(actor_for), made.pk, approve=True)


def test_everybody_named_is_a_subject_of_the_log(city: Served, actor_for: Make) -> None:
    made = prepared(actor_for, city)
    handover.decide(approver(actor_for), made.pk, approve=True)
    before = audit.head().seq
    handover.issue(actor_for("caseworker"), made.pk)
    assert {p for p in ("c1", "c2", "m1", "c4") if any(s.seq > before for s in audit.sightings(p))} == {"c1", "c2", "m1"}


def test_the_approver_sees_what_their_role_reads_and_counts_of_the_rest(city: Served, actor_for: Make) -> None:
    made = prepared(actor_for, city)
    shown = handover.show(approver(actor_for), made.pk, action="handover.approve")
    assert [title for title, _ in shown.closed_parts] == [
        handover.rules().parts[p].title for p in ("council", "consultation", "health")
    ]
    assert all("印" not in title for title, _ in shown.closed_parts)


def test_every_step_is_in_the_log_and_a_log_that_fails_stops_the_letter(
    city: Served, actor_for: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = prepared(actor_for, city)
    handover.decide(approver(actor_for), made.pk, approve=True)
    with monkeypatch.context() as broken:
        broken.setattr(audit, "_append", lambda *a: (_ for _ in ()).throw(OSError()))
        with pytest.raises(NotPermitted, match="K703"):
            handover.issue(actor_for("caseworker"), made.pk)
    assert Handover.objects.get(pk=made.pk).status == HandoverStatus.APPROVED
    handover.issue(actor_for("caseworker"), made.pk)
    told = list(AuditEvent.objects.order_by("seq").values_list("action", flat=True))
    assert told == ["handover.prepare", "handover.approve", "handover.prepare"]


def test_nothing_of_a_document_lies_in_clear(city: Served, actor_for: Make, app_home: Path) -> None:
    prepared(actor_for, city)
    files = list((app_home / "handover" / "out").iterdir())
    assert files and not [f for f in files if "印".encode() in f.read_bytes()]


# --- receiving -------------------------------------------------------------------------------------------------------------


def incoming(name: str = mark("c5", "person", "name"), **more: Any) -> dict[str, Any]:
    rows = {
        "identity": [{"氏名": name, "生年月日": "2016-06-01"}],
        "consultation": [{"内容": "相談（ネグレクト）", "始まり": "2025-05-01", "元データ": "家庭児童相談"}],
        "health": [{"内容": "3歳児健診 未受診", "始まり": "2019-07-01", "元データ": "健康福祉"}],
        "school": [{"内容": "学校 小2", "始まり": "2024-04-01", "終わり": "2025-04-01", "元データ": "学齢簿"}],
    }
    body = {
        "形式": "kizuki-handover-document/1", "作成日": "2026-10-01", "データ基準日": "2026-09-30", "引継ぎ元": "まえの市",
        "引継ぎ先": "わかば市", "根拠": {"名称": "同意", "条文": "69条"}, "理由": "転出",
        "部分": {p: {"名称": p, "行": r} for p, r in rows.items()},
    }  # fmt: skip
    return body | more


def posted(body: dict[str, Any]) -> bytes:
    return envelope.seal(json.dumps(body, ensure_ascii=False).encode(), handover.keys().address, NEXT)


def test_a_letter_stands_on_the_timeline_only_after_a_second_person_said_whose_it_is(city: Served, actor_for: Make) -> None:
    caseworker, chief = actor_for("caseworker"), approver(actor_for)
    letter = handover_in.receive(caseworker, posted(incoming()))
    before = child_page(caseworker, city, "c5")
    assert before is not None and not [f for f in before.facts if "まえの市" in f.text]
    shown = handover_in.show(caseworker, letter.pk)
    assert [title for title, _ in shown.parts] == ["identity"] and shown.matches == ()
    with pytest.raises(NotPermitted, match="K701"):
        handover_in.confirm(caseworker, letter.pk, "c5")
    assert [m.person_id for m in handover_in.show(chief, letter.pk).matches] == ["c5"]
    with pytest.raises(InputRefused, match="K763"):
        handover_in.confirm(chief, letter.pk, "c1")
    handover_in.confirm(chief, letter.pk, "c5")
    page = child_page(caseworker, city, "c5")
    assert page is not None
    told = {f.text: f for f in page.facts if "まえの市" in f.text}
    assert set(told) == {"まえの市：相談（ネグレクト）", "まえの市：3歳児健診 未受診", "まえの市：学校 小2"}
    assert told["まえの市：学校 小2"].is_spell and "転入前の情報" in told["まえの市：学校 小2"].source_title
    assert Share.objects.filter(person_id="c5", user_id=caseworker.user_id).exists()
    assert {"received_handover.相談"} <= {f for s in audit.sightings("c5") for f in s.fields}


def test_a_role_sees_of_a_letter_only_the_classes_it_reads(city: Served, actor_for: Make) -> None:
    caseworker, chief = actor_for("caseworker"), approver(actor_for)
    letter = handover_in.receive(caseworker, posted(incoming()))
    handover_in.confirm(chief, letter.pk, "c5")
    assert {t for t, _ in handover_in.show(chief, letter.pk).parts} == {"identity", "school"}
    assert {t.lane for t in handover_in.told_of(chief, "c5")} == {"教育"}


def _altered(letter: bytes) -> bytes:
    told = json.loads(letter)
    told["宛先鍵の指紋"] = "0000-0000-0000-0000"
    return json.dumps(told).encode()


@pytest.mark.parametrize(
    "make_letter",
    [
        lambda: b"",
        lambda: b"[]",
        lambda: b'{"a": 1}',
        lambda: _altered(posted(incoming())),
        lambda: envelope.seal(b"{}", NEXT.address, NEXT),
        lambda: posted(incoming(形式="other")),
        lambda: posted({k: v for k, v in incoming().items() if k != "部分"}),
        lambda: posted(incoming(部分={"identity": {"名称": "i", "行": []}})),
        lambda: posted(incoming(部分={"identity": {"名称": "i", "行": [{"生年月日": "2016-13-01"}]}})),
        lambda: posted(incoming(理由="番号 1234-5678-9018")),
        lambda: b"x" * (handover_in.MAX_BYTES + 1),
    ],
    ids=["empty", "list", "not ours", "altered", "to others", "form", "no parts", "nobody", "date", "my number", "large"],
)
def test_a_letter_that_is_not_right_is_refused_and_nothing_is_kept(
    city: Served, actor_for: Make, app_home: Path, make_letter: Callable[[], bytes]
) -> None:
    with pytest.raises(InputRefused, match="K764"):
        handover_in.receive(actor_for("caseworker"), make_letter())
    assert handover_in.listing(actor_for("caseworker")) == []
    assert not (app_home / "handover" / "in").exists()


def test_the_same_letter_twice_is_refused_the_second_time(city: Served, actor_for: Make) -> None:
    handover_in.receive(actor_for("caseworker"), posted(incoming()))
    with pytest.raises(InputRefused, match="K765"):
        handover_in.receive(actor_for("caseworker"), posted(incoming()))


def test_what_one_city_issues_another_receives(city: Served, actor_for: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    made = prepared(actor_for, city)
    handover.decide(approver(actor_for), made.pk, approve=True)
    letter = handover.issue(actor_for("caseworker"), made.pk)
    monkeypatch.setattr(handover_in, "keys", lambda: NEXT)
    received = handover_in.receive(actor_for("caseworker"), letter)
    assert received.origin == handover.rules().municipality and received.signer == handover.keys().seal_mark
    assert received.counts == made.counts


def test_rules_never_hand_over_address_judgement_tax_or_seal() -> None:
    from pydantic import ValidationError

    rules = accounts.governance().handover.model_dump(by_alias=True, mode="json")
    for klass in ("addr", "judge", "tax", "seal"):
        rules["部分"]["school"]["区分"] = klass
        with pytest.raises(ValidationError):
            type(accounts.governance().handover).model_validate(rules)
