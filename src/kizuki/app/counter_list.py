"""窓口で伝える世帯: who could use something, cannot be sent a notice, and will come by — so that the desk tells them itself.

A household that said 不要 or 撤回 is not on it, nor one under 支援措置. Which programme it is stands in the list; why does
not.
"""

import datetime as dt
import io
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa
import xlsxwriter
from django.db import transaction
from django.utils import timezone

from kizuki.app import accounts, consents, scope
from kizuki.app.accounts import allow
from kizuki.app.notice_adults import born_after
from kizuki.app.release import MASKED, Actor, Query, SealState, in_scope, record_output, release, seal_state
from kizuki.app.served import Served
from kizuki.app.worklist_export import safe_text
from kizuki.engine.sql import bind, load
from kizuki.push.occasions import Occasion, coming
from kizuki.push.safety import ADULT_YEARS, age
from kizuki.records.notice_models import ContactOccasion
from kizuki.terms.errors import InputRefused

PEOPLE: Final = Query(
    name="counter_people",
    tables=("person",),
    columns={"person_id": "person.person_id", "name": "person.name", "kana": "person.kana", "birth_date": "person.birth_date"},
    subject="person_id",
)
OUTCOMES: Final = ("伝えた・同意を受けた", "伝えた・申請を受けた", "伝えた・考えたい", "伝えた・希望しない")
LAPSED: Final = "伝える必要がなくなった"
AGAIN_DAYS: Final = 180
"""Whoever was told is not told of the same programme again for half a year."""
PAGE: Final = 50
_COLUMNS: Final = ("次の機会", "いつから", "大人", "こども", "伝える制度", "番号")


@dataclass(frozen=True, slots=True)
class Home:
    """One household on the list: `adults` and `children` as (name, kana, age); `occasion` None = none known ahead."""

    household_id: str
    occasion: Occasion | None
    adults: tuple[tuple[str, str, str], ...]
    children: tuple[tuple[str, str, str], ...]
    items: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class Listed:
    """One page of the list; `households` = how many in all."""

    homes: tuple[Home, ...]
    households: int
    page: int
    pages: int


@transaction.atomic
def refresh(actor: Actor, served: Served) -> tuple[int, int]:
    """Bring the list up to the served snapshot: (added, lapsed). Raises NotPermitted K701."""
    allow(actor, "counter.tell")
    now = timezone.now()
    wanted = _wanted(served, now)
    open_ones = {(o.programme, o.household_id, o.child_id): o for o in ContactOccasion.objects.filter(told_at__isnull=True)}
    gone = [o.pk for key, o in open_ones.items() if key not in wanted]
    for start in range(0, len(gone), 500):
        ContactOccasion.objects.filter(pk__in=gone[start : start + 500]).update(told_at=now, outcome=LAPSED)
    since = now - dt.timedelta(days=AGAIN_DAYS)
    told = ContactOccasion.objects.filter(told_at__gt=since).exclude(outcome=LAPSED)
    lately = set(told.values_list("programme", "household_id", "child_id"))
    added = sorted(wanted - open_ones.keys() - lately)
    rows = [ContactOccasion(programme=p, household_id=h, child_id=c) for p, h, c in added]
    ContactOccasion.objects.bulk_create(rows, batch_size=5000)
    record_output(actor, "counter.tell", subjects=[], fields=["contact"], count=len(added), reason="窓口で伝える世帯の更新")
    return len(added), len(gone)


def _wanted(served: Served, now: dt.datetime) -> set[tuple[str, str, str]]:
    """(programme, household, child) to be told: notifiable, in no household a notice reaches, that said no, or is sealed."""
    programmes = {p: found.on(served.as_of) for p, found in served.definitions.loaded.programmes.items()}
    rows = served.view.cursor().query(load("kizuki.app", "counter_unclaimed")).to_pylist()
    answered = consents.states(now)
    reached = set(consents.standing_of(answered))
    refused = {s.adult.household_id for s in answered if s.answer and s.held is None}
    kept = [r for r in rows if r["programme"] in programmes and programmes[r["programme"]].notifiable]
    kept = [r for r in kept if r["household_id"] not in reached | refused]
    sealed = scope.sealed_now(scope.people_of(served.view))
    closed = {m["household_id"] for m in _members(served, {r["household_id"] for r in kept}) if m["person_id"] in sealed}
    return {(r["programme"], r["household_id"], r["child_id"]) for r in kept if r["household_id"] not in closed}


def listed(actor: Actor, served: Served, *, page: int = 1, programme: str = "") -> Listed:
    """One page, the household that comes by soonest on top. Raises NotPermitted (K701, K703)."""
    allow(actor, "counter.tell")
    open_ones = ContactOccasion.objects.filter(told_at__isnull=True)
    found = list(open_ones.filter(programme=programme) if programme else open_ones)
    order = _in_order(served, {o.household_id for o in found})
    pages = max(-(-len(order) // PAGE), 1)
    page = min(max(page, 1), pages)
    part = order[(page - 1) * PAGE : page * PAGE]
    homes = _homes(actor, served, part, found, "窓口で伝える世帯の一覧")
    return Listed(tuple(homes), len(order), page, pages)


_Member = Mapping[str, Any]
_Place = tuple[str, Occasion | None, list[_Member]]


def _in_order(served: Served, homes: Collection[str]) -> list[_Place]:
    """Households that still live here with their next occasion, soonest first, those without one last."""
    members: dict[str, list[_Member]] = defaultdict(list)
    sealed = scope.sealed_now(scope.people_of(served.view))
    for m in _members(served, homes):
        members[m["household_id"]].append(m)
    places: list[_Place] = []
    for home, people in members.items():
        if any(m["person_id"] in sealed for m in people):
            continue  # sealed since the list was made
        births = [m["birth_date"] for m in people if m["birth_date"] is not None]
        next_ones = coming(births, served.as_of, renews=any(m["receiver"] for m in people))
        places.append((home, next_ones[0] if next_ones else None, people))
    return sorted(places, key=lambda p: (p[1] is None, p[1].since if p[1] else dt.date.max, p[0]))


def _members(served: Served, homes: Collection[str]) -> list[_Member]:
    engine = served.view.cursor()
    with engine.holding(asked=pa.table({"household_id": pa.array(sorted(homes), pa.string())})):
        return list(engine.query(bind(load("kizuki.app", "counter_members"), as_of=served.as_of)).to_pylist())


def _homes(
    actor: Actor, served: Served, part: Sequence[_Place], found: Iterable[ContactOccasion], reason: str
) -> Iterable[Home]:
    """The households of a page with the names of those who live there, through the door."""
    items: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for o in found:
        items[o.household_id].append((o.pk, served.definitions.programme_title(o.programme)))
    people = [m["person_id"] for _, _, members in part for m in members]
    got = release(actor, PEOPLE, action="counter.tell", reason=reason, people=people)
    named = {r["person_id"]: r for r in got.rows}
    child_from = born_after(served.as_of)
    for home, occasion, members in part:
        children = {m["person_id"] for m in members if m["birth_date"] is not None and m["birth_date"] > child_from}
        told = [(m["person_id"] in children, _named(named.get(m["person_id"]), served.as_of)) for m in members]
        adults, young = (tuple(n for is_child, n in told if is_child is want and n) for want in (False, True))
        yield Home(home, occasion, adults, young, tuple(items[home]))


def _named(row: Mapping[str, Any] | None, on: dt.date) -> tuple[str, str, str]:
    """Name, kana and, of somebody under age, how old."""
    if row is None:
        return ("", "", "")
    born = row["birth_date"]
    years = age(born, on) if isinstance(born, dt.date) else ADULT_YEARS
    kana = "" if row["kana"] is MASKED else str(row["kana"] or "")
    return str(row["name"] or ""), kana, f"{years}歳" if years < ADULT_YEARS else ""


def flags_of(actor: Actor, served: Served, person_id: str, homes: Collection[str]) -> tuple[str, ...]:
    """What the desk is to tell this child's household (窓口フラグ), as titles; nothing where the child may not be opened.

    `homes`: the households the child lives in now, as released.
    """
    if not accounts.may(actor, "child.view"):
        return ()
    open_ones = ContactOccasion.objects.filter(told_at__isnull=True, household_id__in=homes)
    mine = set(open_ones.filter(child_id__in=("", person_id)).values_list("programme", flat=True))
    # asked last: few households have anything waiting, and these two look the whole reach up
    if not mine or not in_scope(actor, [person_id]) or seal_state(actor, [person_id]) is not SealState.NONE:
        return ()
    return tuple(sorted(served.definitions.programme_title(p) for p in mine))


@transaction.atomic
def told(actor: Actor, occasion_id: int, outcome: str) -> ContactOccasion:
    """Record that it was told, and what came of it. Raises NotPermitted K701 and InputRefused K679."""
    allow(actor, "counter.tell")
    found = ContactOccasion.objects.select_for_update().filter(pk=occasion_id, told_at__isnull=True).first()
    if found is None or outcome not in OUTCOMES:
        why = "この項目は、もう伝えたか、結果が選ばれていません。"
        raise InputRefused("K679", why, "窓口で伝える世帯", "一覧を開き直して、結果を選んでください。")
    found.told_at, found.told_by_id, found.outcome = timezone.now(), actor.user_id, outcome
    found.save()
    record_output(actor, "counter.tell", subjects=[], fields=["contact"], count=1, reason=f"窓口で伝えた {found.pk}：{outcome}")
    return found


def export(actor: Actor, served: Served, *, programme: str = "") -> bytes:
    """The whole list as an Excel file; recorded before a byte is made. Raises NotPermitted (K701, K703)."""
    allow(actor, "counter.tell")
    open_ones = ContactOccasion.objects.filter(told_at__isnull=True)
    found = list(open_ones.filter(programme=programme) if programme else open_ones)
    order = _in_order(served, {o.household_id for o in found})
    homes = _homes(actor, served, order, found, "窓口で伝える世帯のExcel出力")
    # in_memory: the default writes rows to temporary files in clear (G7)
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    sheet = book.add_worksheet("窓口で伝える世帯")
    for column, title in enumerate(_COLUMNS):
        sheet.write_string(0, column, title)
    for line, home in enumerate(homes, start=1):
        for column, value in enumerate(_cells(home)):
            sheet.write_string(line, column, safe_text(value))
    sheet.freeze_panes(1, 0)
    book.close()
    return target.getvalue()


def _cells(home: Home) -> tuple[str, ...]:
    occasion = home.occasion
    return (
        occasion.title if occasion else "",
        occasion.since.isoformat() if occasion else "",
        "・".join(n for n, _, _ in home.adults),
        "・".join(f"{n}（{years}）" for n, _, years in home.children),
        "・".join(title for _, title in home.items),
        "・".join(str(number) for number, _ in home.items),
    )
