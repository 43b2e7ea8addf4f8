"""窓口で伝える世帯: whom no notice reaches and who did not say no; told once, never the sealed, by the door."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from django.utils import timezone

from kizuki.app import consents, counter_list
from kizuki.app.release import Actor
from kizuki.app.served import Served, definitions_of
from kizuki.push.lines import Answer
from kizuki.records.models import AuditEvent, AuditSubject, SealOverlay, User
from kizuki.records.notice_models import ContactOccasion, Recipient
from kizuki.terms.errors import InputRefused, NotPermitted
from tests.marked_city import MarkedView, mark

pytestmark = pytest.mark.django_db
Make = Callable[..., Actor]
HOMES = {"c1": {"h1"}, "c4": {"h3"}, "c5": {"h4"}}


@pytest.fixture
def city(marked_city: MarkedView, app_home: Path) -> Served:
    """The marked city, in which every child and household could use 就学援助 and does not."""
    return Served(marked_city, definitions_of(app_home, "marked"))  # type: ignore[arg-type]


@pytest.fixture
def desk(city: Served, actor_for: Make) -> Actor:
    return actor_for("programme_desk")


def homes() -> set[str]:
    return set(ContactOccasion.objects.filter(told_at__isnull=True).values_list("household_id", flat=True))


def says(person: str, answer: str) -> None:
    recipient, _ = Recipient.objects.get_or_create(recipient_no=f"NO{person}", person_id=person)
    event = f"{person}{answer}"
    at = timezone.now().isoformat()
    consents.take_in(Answer(event, recipient.recipient_no, answer, (), "2026.1", "line", at), event)


def test_neither_the_reached_nor_those_who_said_no_nor_the_sealed(city: Served, desk: Actor) -> None:
    added, _ = counter_list.refresh(desk, city)
    assert homes() == {"h1", "h3", "h4"} and added == ContactOccasion.objects.count()
    says("m1", "wanted")
    says("f4", "unwanted")
    assert counter_list.refresh(desk, city)[0] == 0
    assert homes() == {"h4"}
    assert set(ContactOccasion.objects.filter(told_at__isnull=False).values_list("outcome", flat=True)) == {counter_list.LAPSED}
    says("f4", "wanted")
    says("f4", "withdrawn")
    counter_list.refresh(desk, city)
    assert homes() == {"h4"}


def test_the_list_names_who_lives_there_and_the_log_says_whom(city: Served, desk: Actor) -> None:
    counter_list.refresh(desk, city)
    found = counter_list.listed(desk, city)
    h1 = next(h for h in found.homes if h.household_id == "h1")
    assert [n for n, _, _ in h1.adults] == [mark("m1", "person", "name")]
    assert {n for n, _, _ in h1.children} == {mark(c, "person", "name") for c in ("c1", "c2")}
    assert {y for _, _, y in h1.children} == {"10歳"}
    event = AuditEvent.objects.filter(action="counter.tell").latest("seq")
    assert AuditSubject.objects.filter(event=event).count() == 6, "h1, h3 and h4"
    assert counter_list.listed(desk, city, programme="nothing").households == 0


def test_a_household_sealed_since_is_on_no_page_and_in_no_file(city: Served, desk: Actor) -> None:
    counter_list.refresh(desk, city)
    SealOverlay.objects.create(person_id="c1", by=User.objects.create(username="k"), reason="申出")
    assert {h.household_id for h in counter_list.listed(desk, city).homes} == {"h3", "h4"}
    archive = zipfile.ZipFile(io.BytesIO(counter_list.export(desk, city)))
    text = "".join(archive.read(n).decode("utf-8", "replace") for n in archive.namelist())
    assert mark("f4", "person", "name") in text and mark("m1", "person", "name") not in text


def test_told_once_with_an_outcome_and_not_again_for_half_a_year(city: Served, desk: Actor) -> None:
    counter_list.refresh(desk, city)
    before = ContactOccasion.objects.count()
    one = ContactOccasion.objects.filter(household_id="h4").first()
    assert one is not None
    with pytest.raises(InputRefused, match="K679"):
        counter_list.told(desk, one.pk, "自由な言葉")
    counter_list.told(desk, one.pk, "伝えた・希望しない")
    with pytest.raises(InputRefused, match="K679"):
        counter_list.told(desk, one.pk, "伝えた・希望しない")
    assert counter_list.refresh(desk, city) == (0, 0) and ContactOccasion.objects.count() == before


def test_the_childs_page_says_what_the_desk_is_to_tell_but_not_of_the_sealed_or_of_others(
    city: Served, desk: Actor, actor_for: Make
) -> None:
    counter_list.refresh(desk, city)
    caseworker = actor_for("caseworker")
    assert counter_list.flags_of(caseworker, city, "c1", HOMES["c1"]) == ("就学援助",)
    assert counter_list.flags_of(caseworker, city, "c4", HOMES["c4"]) == (), "outside the scope"
    assert counter_list.flags_of(desk, city, "c1", HOMES["c1"]) == (), "no role of theirs"
    SealOverlay.objects.create(person_id="c1", by=User.objects.create(username="k"), reason="申出")
    assert counter_list.flags_of(caseworker, city, "c1", HOMES["c1"]) == ()
    ContactOccasion.objects.update(told_at=timezone.now())
    assert counter_list.flags_of(caseworker, city, "c5", HOMES["c5"]) == ()


@pytest.mark.parametrize("role", ["notice_officer", "steering", "caseworker", "data_owner", "it"])
def test_only_the_desk_sees_the_list(role: str, city: Served, actor_for: Make) -> None:
    for act in (counter_list.listed, counter_list.refresh, counter_list.export):
        with pytest.raises(NotPermitted, match="K701"):
            act(actor_for(role), city)  # type: ignore[operator]
