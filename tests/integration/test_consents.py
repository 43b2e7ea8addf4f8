"""同意: who may be told now on the marked city, what the relay is told of it, and that no answer counts twice."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from kizuki.app import consents
from kizuki.app.consents import Standing
from kizuki.app.release import Actor
from kizuki.push.lines import Answer, Code, ConsentText, Linked, Silence, to_json
from kizuki.records.consent_models import LinkEvent
from kizuki.records.models import SealOverlay, User
from kizuki.records.notice_models import ConsentEvent, Recipient, RegistrationCode
from kizuki.terms.errors import InputRefused
from tests.marked_city import PEOPLE, MarkedView

pytestmark = pytest.mark.django_db
Make = Callable[..., Actor]
NOW = dt.datetime(2026, 11, 20, 12, tzinfo=timezone.get_default_timezone())
HOMES = ["h1", "h2", "h3", "h4"]


@pytest.fixture
def recipients(marked_city: MarkedView, db: None) -> dict[str, Recipient]:
    """Every person of the city as a recipient, so that only the rules keep anybody out."""
    return {p: Recipient.objects.create(recipient_no=f"NO{p.upper()}", person_id=p) for p in PEOPLE}


def answer(person: str, what: str = "wanted", hours: float = -1, event: str = "", **more: Any) -> str:
    """One answer through the relay; returns the name of its line."""
    at = (NOW + dt.timedelta(hours=hours)).isoformat()
    event = event or f"{person}-{what}-{hours}"
    told = {"scopes": ("tax",), "text_version": "2026.1", "channel": "line"} | more
    consents.take_in(Answer(event, f"NO{person.upper()}", what, at=at, **told), event)
    return event


def link(person: str, *, on: bool, hours: float = -1, code: str = "") -> None:
    line = Linked(f"NO{person.upper()}", on, (NOW + dt.timedelta(hours=hours)).isoformat(), code)
    consents.take_in(line, f"link-{person}-{on}-{hours}")


def test_only_a_parent_living_with_the_child_unsealed_may_be_told(recipients: dict[str, Recipient]) -> None:
    for person in PEOPLE:
        answer(person)
    found = consents.standing(HOMES, NOW)
    assert {h: s.person_id for h, s in found.items()} == {"h1": "m1", "h3": "f4"}, "no child, nobody of the sealed h2"
    assert found["h1"] == Standing("NOM1", "m1", frozenset({"tax"}), "letter")
    assert consents.standing(["h3"], NOW).keys() == {"h3"}
    assert consents.standing([], NOW) == {}


def test_a_link_makes_it_line_and_its_end_makes_it_a_letter_again(recipients: dict[str, Recipient]) -> None:
    answer("m1")
    link("m1", on=True)
    assert consents.standing(["h1"], NOW)["h1"].channel == "line"
    link("m1", on=False, hours=-0.5)
    assert consents.standing(["h1"], NOW)["h1"].channel == "letter"


def test_a_withdrawal_and_a_seal_hold_at_once_and_the_relay_is_told(recipients: dict[str, Recipient], app_home: Path) -> None:
    answer("m1")
    answer("f4")
    give(app_home, 1)
    assert silences(app_home) == []
    answer("m1", "withdrawn", hours=-0.1)
    assert consents.standing(HOMES, NOW).keys() == {"h3"}
    SealOverlay.objects.create(person_id="c4", by=User.objects.create(username="k"), reason="申出")
    assert consents.standing(HOMES, NOW) == {}
    assert silences(app_home) == [Silence("NOF4", True), Silence("NOM1", True)]
    give(app_home, 2)
    assert silences(app_home) == []
    answer("m1", hours=0)
    assert silences(app_home) == [Silence("NOM1", False)]


def silences(home: Path) -> list[Any]:
    return [line for line in consents.lines_to_hand(home, NOW) if isinstance(line, Silence)]


def give(home: Path, seq: int) -> list[Any]:
    found = consents.lines_to_hand(home, NOW)
    consents.handed(found, seq, NOW)
    assert consents.lines_to_hand(home, NOW) == [], "nothing is told twice"
    return found


def test_a_line_applied_twice_adds_nothing(recipients: dict[str, Recipient]) -> None:
    for _ in range(3):
        answer("m1", event="one")
        link("m1", on=True)
    assert ConsentEvent.objects.count() == LinkEvent.objects.count() == 1


@pytest.mark.parametrize(
    "more",
    [{"text_version": "1999"}, {"scopes": ("tax", "everything")}, {"hours": 5.0}],
    ids=["a text nobody had", "a scope nobody asked about", "not yet"],
)
def test_a_yes_that_nobody_can_have_given_counts_for_nothing(recipients: dict[str, Recipient], more: dict[str, Any]) -> None:
    answer("m1", **more)
    assert consents.standing(HOMES, NOW) == {}


def test_what_the_relay_says_of_nobody_known_is_refused(recipients: dict[str, Recipient]) -> None:
    with pytest.raises(InputRefused, match="K671"):
        consents.take_in(Answer("e", "NOBODY", "wanted", (), "2026.1", "line", NOW.isoformat()), "e")
    for wrong in ({"what": "perhaps"}, {"channel": "dream"}):
        with pytest.raises(InputRefused, match="K671"):
            answer("m1", **wrong)
    with pytest.raises(InputRefused, match="K671"):
        consents.take_in(Answer("e", "NOM1", "wanted", (), "2026.1", "line", "2026-11-20T12:00"), "e")


def code_of(recipient: Recipient, digest: str, **more: Any) -> RegistrationCode:
    by, _ = User.objects.get_or_create(username="desk")
    until = {"expires_on": dt.date(2027, 1, 31), "issued_at": NOW, "issued_by": by, "invitation": "秋の案内"}
    return RegistrationCode.objects.create(recipient=recipient, digest=digest, **(until | more))


def test_codes_go_out_once_and_are_taken_back_when_revoked_or_no_longer_safe(
    recipients: dict[str, Recipient], app_home: Path
) -> None:
    good, sealed = code_of(recipients["m1"], "d1"), code_of(recipients["m3"], "d3")
    code_of(recipients["f4"], "d4", expires_on=dt.date(2026, 11, 19))
    found = give(app_home, 1)
    assert [c for c in found if isinstance(c, Code)] == [Code("d1", "NOM1", "2027-01-31T23:59:59+09:00")]
    assert [t.version for t in found if isinstance(t, ConsentText)] == ["2026.1"]
    assert not any(p in to_json(line) for line in found for p in ('m1"', "印", sealed.digest))
    good.revoked_at = NOW
    good.save()
    assert give(app_home, 2) == [Code("d1", "NOM1", "")]


def test_a_link_by_somebody_elses_dead_or_late_code_is_no_link(recipients: dict[str, Recipient]) -> None:
    answer("m1")
    code_of(recipients["f4"], "d4")
    revoked = code_of(recipients["m1"], "dead", revoked_at=NOW - dt.timedelta(days=1))
    for hours, digest in ((-3, "d4"), (-2, "dead"), (-1, "never")):
        link("m1", on=True, hours=hours, code=digest)
    assert consents.standing(["h1"], NOW)["h1"].channel == "letter"
    code_of(recipients["m1"], "good")
    link("m1", on=True, hours=-0.5, code="good")
    assert consents.standing(["h1"], NOW)["h1"].channel == "line"
    used = RegistrationCode.objects.get(digest="good").used_at
    assert used is not None and RegistrationCode.objects.get(pk=revoked.pk).used_at is None
    link("m1", on=False, hours=-0.4)
    link("m1", on=True, hours=-0.3, code="good")
    assert consents.standing(["h1"], NOW)["h1"].channel == "letter", "a code links once"


def test_two_ids_of_one_person_are_one_and_a_no_under_either_counts(
    recipients: dict[str, Recipient], marked_city: MarkedView, monkeypatch: pytest.MonkeyPatch
) -> None:
    Recipient.objects.create(recipient_no="NOOLD", person_id="old")
    monkeypatch.setattr(consents, "redirects", lambda: {"old": "m1"})
    answer("m1")
    answer("old", "withdrawn", hours=-0.5)
    assert consents.standing(HOMES, NOW) == {}
    answer("old", hours=-0.2)
    assert consents.standing(HOMES, NOW)["h1"].recipient_no == "NOOLD"
