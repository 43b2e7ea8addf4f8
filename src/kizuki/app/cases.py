"""The work on a child: state, person in charge, due date. The only writer of `Case`; every change can be undone.

Who may change a case is decided by the same door as reading (`release`): a change is made only for children whose row came out.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from kizuki.app.current_person import current_person, ids_of
from kizuki.app.release import Actor, Query, release
from kizuki.records.models import Case, CaseChange, CaseStatus, User
from kizuki.terms.errors import InputRefused

SUBJECTS: Final = Query(
    name="case_subjects", tables=("person",), columns={"person_id": "person.person_id"}, subject="person_id"
)
_URGENCY: Final = (
    CaseStatus.DISMISSED.value,
    CaseStatus.NEW.value,
    CaseStatus.CHECKING.value,
    CaseStatus.MEETING.value,
    CaseStatus.SUPPORTING.value,
)
TABS: Final = tuple(s.value for s in CaseStatus)
DUE_SOON_DAYS: Final = 7
UNDO_HOURS: Final = 24


@dataclass(frozen=True, slots=True)
class CaseState:
    """The work on one child as the screens show it; a child nobody touched is 新着 with version 0."""

    status: str = CaseStatus.NEW.value
    assignee_id: int | None = None
    assignee: str = ""
    due_on: dt.date | None = None
    version: int = 0


NEW_CASE: Final = CaseState()


@dataclass(frozen=True, slots=True)
class Wish:
    """What to change: None leaves a field as it is; `assignee_id` 0 and `clear_due` empty theirs."""

    status: str | None = None
    assignee_id: int | None = None
    due_on: dt.date | None = None
    clear_due: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Changed:
    """What was done: ids for undoing, and how many were left alone."""

    changes: tuple[int, ...]
    refused: int
    text: str


def case_states() -> dict[str, CaseState]:
    """Every touched child → state, in one query (people decide far fewer children than there are).

    A case written under an id that has since been merged counts for the child who holds its records now; of several, see
    `_foremost`.
    """
    rows = Case.objects.values_list(
        "person_id",
        "status",
        "assignee_id",
        "assignee__last_name",
        "assignee__first_name",
        "assignee__username",
        "due_on",
        "version",
    )
    found: dict[str, tuple[tuple[int, bool, int], CaseState]] = {}
    for person, status, assignee, last, first, login, due, version in rows:
        now = current_person(person)
        state = CaseState(status, assignee, _name(last, first, login), due, version)
        place = _foremost(status, own=person == now, version=version)
        if now not in found or place > found[now][0]:
            found[now] = (place, state)
    return {person: state for person, (_, state) in found.items()}


def _foremost(status: str, *, own: bool, version: int) -> tuple[int, bool, int]:
    """Of the cases of ids that became one child, the one that counts: work going on before work dropped, own before merged."""
    return (_URGENCY.index(status), own, version)


def _find(person_id: str, cases: QuerySet[Case]) -> Case | None:
    """The case that counts for one child, whichever of its ids it was written under."""
    now = current_person(person_id)
    found = cases.filter(person_id__in=ids_of(person_id))
    return max(found, key=lambda c: _foremost(c.status, own=c.person_id == now, version=c.version), default=None)


def case_of(person_id: str) -> CaseState:
    """The work on one child."""
    case = _find(person_id, Case.objects.select_related("assignee"))
    if case is None:
        return NEW_CASE
    user = case.assignee
    name = _name(user.last_name, user.first_name, user.username) if user else ""
    return CaseState(case.status, case.assignee_id, name, case.due_on, case.version)


def staff() -> tuple[tuple[int, str], ...]:
    """People a child can be given to: active caseworkers, by name."""
    users = User.objects.filter(is_active=True, role="caseworker").order_by("last_name", "first_name", "username")
    return tuple((u.pk, _name(u.last_name, u.first_name, u.username)) for u in users)


def _name(last: str | None, first: str | None, login: str | None) -> str:
    return " ".join(p for p in (last, first) if p) or login or ""


@transaction.atomic
def change(actor: Actor, people: Sequence[str], wish: Wish, *, version: int | None = None) -> Changed:
    """Change the cases of `people`; `version` guards a single case against two people editing at once.

    Raises InputRefused (K722 nothing to do or missing reason, K723 changed meanwhile) and NotPermitted.
    """
    _check(people, wish)
    allowed = {row["person_id"] for row in release(actor, SUBJECTS, action="case.change", people=tuple(people)).rows}
    changes = [_change_one(actor, person, wish, version=version) for person in dict.fromkeys(people) if person in allowed]
    done = tuple(c.pk for c in changes if c is not None)
    return Changed(done, len(set(people)) - len(allowed), f"{len(done)}人を{_wish_text(wish)}しました。")


def _check(people: Sequence[str], wish: Wish) -> None:
    if not people:
        raise InputRefused("K722", "こどもが選ばれていません。", "一覧", "一覧の左の欄で選んでから、もう一度押してください。")
    if wish.status is not None and wish.status not in TABS:
        raise InputRefused("K722", "状態の値が正しくありません。", "状態", "一覧から選び直してください。")
    if wish.status == CaseStatus.DISMISSED and not wish.reason.strip():
        raise InputRefused("K722", "見送りには理由が要ります。", "理由", "理由を書いてから、もう一度押してください。")
    if wish.assignee_id and wish.assignee_id not in dict(staff()):
        raise InputRefused("K722", "担当に選べない利用者です。", "担当", "一覧から選び直してください。")


def _change_one(actor: Actor, person: str, wish: Wish, *, version: int | None) -> CaseChange | None:
    case = _find(person, Case.objects.select_for_update())
    created = case is None
    if case is None:
        case, created = Case.objects.select_for_update().get_or_create(person_id=current_person(person))
    if version is not None and version != (0 if created else case.version):
        raise InputRefused(
            "K723",
            f"ほかの人が先に直しました（いまの状態：{case.status}）。",
            "状態・担当",
            "いまの内容を確かめてから、もう一度保存してください。",
        )
    before = _facts_of(case)
    if wish.status is not None:
        case.status = wish.status
    if wish.assignee_id is not None:
        case.assignee_id = wish.assignee_id or None
    if wish.due_on is not None or wish.clear_due:
        case.due_on = wish.due_on
    return _save(actor, case, before, wish.reason)


def _save(actor: Actor, case: Case, before: Mapping[str, Any], reason: str) -> CaseChange | None:
    after = _facts_of(case)
    if after == before:
        return None
    case.version += 1
    case.save()
    return CaseChange.objects.create(case=case, by_id=actor.user_id, before=before, after=after, reason=reason.strip()[:200])


def _facts_of(case: Case) -> dict[str, Any]:
    return {"status": case.status, "assignee": case.assignee_id, "due_on": case.due_on.isoformat() if case.due_on else None}


@transaction.atomic
def undo(actor: Actor, change_ids: Sequence[int]) -> Changed:
    """Put back what the actor's own changes of the last day replaced; cases changed again since are left alone."""
    recent = timezone.now() - dt.timedelta(hours=UNDO_HOURS)
    changes = list(
        CaseChange.objects.select_related("case").filter(pk__in=change_ids, by_id=actor.user_id, undone_by=None, at__gte=recent)
    )
    if not changes:
        raise InputRefused("K724", "元に戻せる変更がありません。", "元に戻す", "一覧で状態を確かめ、必要なら直してください。")
    people = tuple(current_person(c.case.person_id) for c in changes)
    allowed = {row["person_id"] for row in release(actor, SUBJECTS, action="case.change", people=people).rows}
    undone = 0
    for done in changes:
        case = done.case
        if current_person(case.person_id) not in allowed or _facts_of(case) != done.after:
            continue
        case.status, case.assignee_id = done.before["status"], done.before["assignee"]
        case.due_on = dt.date.fromisoformat(done.before["due_on"]) if done.before["due_on"] else None
        done.undone_by = _save(actor, case, done.after, "元に戻す")
        done.save(update_fields=["undone_by"])
        undone += 1
    return Changed((), len(changes) - undone, f"{undone}人の変更を元に戻しました。")


def _wish_text(wish: Wish) -> str:
    parts = []
    if wish.status is not None:
        parts.append(f"「{wish.status}」に")
    if wish.assignee_id is not None:
        parts.append("担当を変更" if wish.assignee_id else "未割当に")
    if wish.due_on is not None:
        parts.append(f"期限を{wish.due_on.month}/{wish.due_on.day}に")
    return "、".join(parts) or "変更"


def history(person_id: str) -> tuple[CaseChange, ...]:
    """Changes of one case, newest first."""
    return tuple(CaseChange.objects.select_related("by").filter(case__person_id__in=ids_of(person_id)).order_by("-pk")[:20])
