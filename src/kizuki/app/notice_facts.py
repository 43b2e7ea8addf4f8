"""What choosing notices needs to know of households: answers, members, seals, care, doubts, consent, what they were told.

Nothing here is shown to anybody: the rows go into `push.candidates` and come out as counts, or as notices to recipients who
agreed. Households are asked about all together (planning) or by name (the last moment before handing over).
"""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from kizuki.app import consents
from kizuki.app.current_person import current_people
from kizuki.app.scope import View, fetch, households, people_of
from kizuki.definitions.programmes import Programme
from kizuki.engine.sql import DUCKDB, load, render
from kizuki.push.candidates import Answer, Homes, Standing
from kizuki.push.rules import Past
from kizuki.push.states import REACHED
from kizuki.records.models import SealOverlay
from kizuki.records.notice_models import Notice

_PACKAGE: Final = "kizuki.app"
_NONE: Final = ("",)
"""A status no spell has: an empty list has no type to compare with."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Which households are asked about; None = all of them."""

    households: frozenset[str] | None = None

    def values(self) -> dict[str, Any]:
        """For the queries."""
        return {"everybody": self.households is None, "homes": sorted(self.households or _NONE)}


def answers(view: View, programmes: Collection[Programme], as_of: dt.date, asked: Asked) -> list[Answer]:
    """The answers of these programmes that are not 非該当, with what has been asked for already."""
    if not programmes:
        return []
    rows = _rows(view, "notice_answers", programmes=sorted(p.id for p in programmes), **asked.values())
    known = {p.id: _asked(view, p, as_of, asked) for p in programmes}
    return [Answer(**row, asked=_asked_of(row, known[row["programme"]])) for row in rows]


def _asked(view: View, programme: Programme, as_of: dt.date, asked: Asked) -> Mapping[str, str] | None:
    """Child (or household, where the programme is the household's) → applying / refused; None where nobody can know."""
    receipt = programme.text.receipt
    if receipt is None:
        return None
    rows = _rows(
        view,
        "notice_asked",
        kind=receipt.kind,
        applied=receipt.applied or _NONE,
        refused=receipt.refused or _NONE,
        refused_since=as_of - dt.timedelta(days=receipt.refused_days),
        as_of=as_of,
        **asked.values(),
    )
    key = "person_id" if programme.of_child else "household_id"
    return {r[key]: r["asked"] for r in sorted(rows, key=lambda r: str(r["asked"]), reverse=True)}


def _asked_of(row: Mapping[str, Any], known: Mapping[str, str] | None) -> str | None:
    return None if known is None else known.get(row["child_id"] or row["household_id"], "")


def homes(view: View, as_of: dt.date, asked: Asked) -> Homes:
    """The households as the register, the seals of this moment and the reviewers' lists show them."""
    members: dict[str, set[str]] = {}
    gone, home_of = set(), {}
    for row in _rows(view, "notice_members", **asked.values()):
        members.setdefault(row["household_id"], set()).add(row["person_id"])
        home_of[row["person_id"]] = row["household_id"]
        if not row["here"]:
            gone.add(row["person_id"])
    care = {r["person_id"] for r in _rows(view, "notice_in_care", as_of=as_of)}
    doubted = {r["person_id"] for r in _rows(view, "notice_unlinked")}

    def of(people: Iterable[str]) -> frozenset[str]:
        return frozenset(home_of[p] for p in people if p in home_of)

    return Homes({h: frozenset(m) for h, m in members.items()}, of(sealed(view)), of(care), of(doubted), frozenset(gone))


def sealed(view: View) -> frozenset[str]:
    """Everybody under 支援措置 at this moment, with those who live with them."""
    added = current_people(SealOverlay.objects.filter(lifted_at__isnull=True).values_list("person_id", flat=True))
    return people_of(view).sealed | added | households(view, added)


def standings(household_ids: Collection[str], at: dt.datetime) -> Mapping[str, Standing]:
    """Whom consent lets us tell in each household."""
    return consents.standing(household_ids, at)


def past(household_ids: Collection[str] | None, leave_out: Collection[Any] = ()) -> Sequence[Past]:
    """Notices that reached or may still reach households; `leave_out` = notices being looked at themselves."""
    found = Notice.objects.filter(status__in=sorted(REACHED))
    if household_ids is not None:
        found = found.filter(household_id__in=sorted(household_ids))
    keys = ("notice_id", "household_id", "child_id", "programme", "status", "not_before")
    without = frozenset(leave_out)
    return [Past(*rest) for notice_id, *rest in found.values_list(*keys) if notice_id not in without]


def _rows(view: View, name: str, **values: Any) -> list[dict[str, Any]]:
    bound = {k: list(v) if isinstance(v, list | tuple) else v for k, v in values.items()}
    return fetch(view.cursor(), _text(name), bound)


@cache
def _text(name: str) -> str:
    return render(load(_PACKAGE, name), DUCKDB)
