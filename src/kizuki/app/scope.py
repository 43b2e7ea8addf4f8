"""Whose rows an actor may see, and who is sealed, at this moment: the snapshot's answer joined with today's human decisions."""

import datetime as dt
import threading
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol

from django.db.models import Q
from django.utils import timezone

from kizuki.app.current_person import current_people
from kizuki.app.near_tables import NearTables
from kizuki.app.release_plan import SCOPE_TABLE
from kizuki.definitions.governance import Grant, Scope
from kizuki.engine.duck import DuckEngine
from kizuki.engine.sql import DUCKDB, load, render
from kizuki.govern.actor import Actor
from kizuki.govern.seals import Seals
from kizuki.records.models import Case, CaseStatus, MiddleBandPick, SealGrant, SealOverlay, Share
from kizuki.records.notice_models import ContactOccasion, Recipient

_PACKAGE = "kizuki.app"


class View(Protocol):
    """What the door needs of a served snapshot (`app.snapshot_view.SnapshotView`)."""

    @property
    def id(self) -> str: ...

    @property
    def near(self) -> NearTables: ...

    def cursor(self) -> DuckEngine: ...


@dataclass(frozen=True, slots=True)
class SnapshotPeople:
    """Persons of one snapshot as the door needs them: in caseworkers' scope wholly or as household, and sealed."""

    view: View
    whole: frozenset[str]
    household: frozenset[str]
    sealed: frozenset[str]


@dataclass(frozen=True, slots=True)
class Reach:
    """One actor's scope now. `everyone`: no person limit. `extra` = assigned or shared beyond the snapshot's candidates."""

    everyone: bool
    people: SnapshotPeople
    extra_whole: frozenset[str] = frozenset()
    extra_household: frozenset[str] = frozenset()

    @property
    def extra(self) -> list[str]:
        """Persons added by human decisions, for the SQL."""
        return sorted(self.extra_whole | self.extra_household)

    def whole(self, person_id: object) -> bool:
        """Whether the person is seen with the full grant."""
        return self.everyone or person_id in self.people.whole or person_id in self.extra_whole

    def covers(self, person_id: object) -> bool:
        """Whether any row of the person may come out."""
        return self.whole(person_id) or person_id in self.people.household or person_id in self.extra_household


_LOCK = threading.Lock()
_LATEST: list[SnapshotPeople] = []


def people_of(view: View) -> SnapshotPeople:
    """The persons of a view; worked out at the first request after a publication, then kept."""
    with _LOCK:
        if not _LATEST or _LATEST[0].view is not view:
            _LATEST[:] = [_work_out(view)]
        return _LATEST[0]


def _work_out(view: View) -> SnapshotPeople:
    engine = view.cursor()
    engine.materialise(SCOPE_TABLE, load(_PACKAGE, "scope_candidates"))
    rows = engine.query(load(_PACKAGE, "scope_candidates")).to_pydict()
    by_part: tuple[set[str], set[str]] = (set(), set())
    for person, whole in zip(rows["person_id"], rows["whole"], strict=True):
        by_part[int(whole)].add(person)
    sealed = engine.query(load(_PACKAGE, "scope_seals")).to_pydict()["person_id"]
    return SnapshotPeople(view, frozenset(by_part[1]), frozenset(by_part[0]), frozenset(sealed))


def reach(actor: Actor, grant: Grant, people: SnapshotPeople) -> Reach:
    """The actor's scope: everybody, or the candidates with the children assigned or shared to them."""
    if grant.scope in (Scope.ALL, Scope.PSEUDONYMOUS, Scope.REVIEW):  # REVIEW is limited by table, at the door
        return Reach(True, people)
    if grant.scope is Scope.RECIPIENTS:
        return Reach(False, SnapshotPeople(people.view, frozenset(), frozenset(), people.sealed), _recipients(people.view))
    if grant.scope is not Scope.CANDIDATES:
        return Reach(False, SnapshotPeople(people.view, frozenset(), frozenset(), people.sealed))
    mine = set(
        Case.objects.filter(assignee_id=actor.user_id).exclude(status=CaseStatus.DISMISSED).values_list("person_id", flat=True)
    )
    shared = Share.objects.filter(user_id=actor.user_id, expires_at__gt=timezone.now())
    whole = current_people({*mine, *shared.values_list("person_id", flat=True), *_drawn()}) - people.whole
    return Reach(False, people, whole, households(people.view, whole) - whole)


def _recipients(view: View) -> frozenset[str]:
    """Everybody who was ever invited to notices, and who lives in a household waiting to be told at the counter."""
    invited = current_people(Recipient.objects.values_list("person_id", flat=True))
    waiting = set(ContactOccasion.objects.filter(told_at__isnull=True).values_list("household_id", flat=True))
    return invited | living_in(view, waiting)


def living_in(view: View, homes: Collection[str]) -> frozenset[str]:
    """Everybody who lives in one of these households now."""
    if not homes:
        return frozenset()
    rows = fetch(view.cursor(), _members_text(), {"homes": sorted(homes)})
    return frozenset(row["person_id"] for row in rows)


def _drawn() -> set[str]:
    """Children drawn within a year, until they are set aside: every caseworker may take one up, as a candidate."""
    since = timezone.now() - dt.timedelta(days=365)
    picks = set(MiddleBandPick.objects.filter(draw__drawn_at__gte=since).values_list("person_id", flat=True))
    if not picks:
        return picks
    aside = Case.objects.filter(person_id__in=picks, status=CaseStatus.DISMISSED)
    return picks - set(aside.values_list("person_id", flat=True))


def seals(actor: Actor, people: SnapshotPeople) -> Seals:
    """Who is sealed now (the snapshot's seals and the staff's own, over households), and whose seal this actor may open."""
    sealed = sealed_now(people)
    if not sealed:
        return Seals(frozenset())
    now = timezone.now()
    granted = current_people(
        SealGrant.objects.filter(Q(user_id=actor.user_id), expires_at__gt=now).values_list("person_id", flat=True)
    )
    return Seals(sealed, granted | households(people.view, granted))


def sealed_now(people: SnapshotPeople) -> frozenset[str]:
    """Everybody under 支援措置 at this moment, with those who live with them."""
    added = current_people(SealOverlay.objects.filter(lifted_at__isnull=True).values_list("person_id", flat=True))
    return people.sealed | added | households(people.view, added)


def households(view: View, persons: Collection[str]) -> frozenset[str]:
    """Everybody who lives with one of `persons` now, themselves included where the register knows them."""
    if not persons:
        return frozenset()
    rows = fetch(view.near.living_with(persons), _households_text(), {"people": sorted(persons)})
    return frozenset(row["person_id"] for row in rows)


def kin(view: View, persons: Collection[str], at_hand: Collection[str]) -> frozenset[str]:
    """Everybody related to one of `persons` who lives elsewhere now (sealed or not: that is the door's to decide).

    `at_hand`: persons among whom `persons` are, and whose rows are laid out already.
    """
    if not persons:
        return frozenset()
    rows = fetch(view.near.about(at_hand, {"kinship"}), _kin_text(), {"people": sorted(persons)})
    return frozenset(row["related_id"] for row in rows)


@cache
def _members_text() -> str:
    return render(load(_PACKAGE, "scope_members"), DUCKDB)


@cache
def _kin_text() -> str:
    return render(load(_PACKAGE, "scope_kin"), DUCKDB)


@cache
def _households_text() -> str:
    return render(load(_PACKAGE, "scope_households"), DUCKDB)


def fetch(engine: DuckEngine, text: str, values: dict[str, Any]) -> list[dict[str, Any]]:
    """Rows of a prepared text with bound values (bound, not written into the text: rendering costs more than running)."""
    return engine.rows(text, values)
