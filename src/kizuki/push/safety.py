"""Is it safe to tell this adult about this household? (pure) — and whom, where two adults wished to be told.

A notice can tell the wrong person where a family lives or what it lives on. Everything not known to be safe is unsafe.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

ADULT_YEARS = 18


class Unsafe(StrEnum):
    """Why nothing is sent to somebody; the first that holds is counted."""

    UNKNOWN = "住民記録にない"
    DEAD = "死亡"
    MOVED = "転出"
    SEALED = "支援措置"
    MINOR = "未成年"
    APART = "こどもの父母・保護者として同居していない"
    UNLINKED = "名寄せの確認待ち"


@dataclass(frozen=True, slots=True)
class Adult:
    """One person as the served snapshot knows them; blank `status` = not in the register, blank `household_id` = in none.

    `parent` = father, mother or 保護者 of a child of the household they live in; `sealed` = they or anybody living with them is
    under 支援措置 now; `pending` = a record waits for people to say whether it is theirs; `receiver` = the household's
    手当 is paid to them; `head` = 世帯主.
    """

    person_id: str
    status: str
    household_id: str
    birth_date: dt.date | None
    parent: bool
    sealed: bool
    pending: bool
    receiver: bool
    head: bool


def unsafe(adult: Adult, on: dt.date) -> Unsafe | None:
    """Why this adult must not be told, or None."""
    if adult.status == "deceased":
        return Unsafe.DEAD
    if adult.status == "moved_out":
        return Unsafe.MOVED
    if adult.status != "resident" or not adult.household_id:
        return Unsafe.UNKNOWN
    if adult.sealed:
        return Unsafe.SEALED
    if adult.birth_date is None or age(adult.birth_date, on) < ADULT_YEARS:
        return Unsafe.MINOR
    if not adult.parent:
        return Unsafe.APART
    return Unsafe.UNLINKED if adult.pending else None


@dataclass(frozen=True, slots=True)
class Candidate:
    """One adult of a household who may be told, with when they said so."""

    adult: Adult
    since: dt.datetime
    recipient_no: str


def one_of(candidates: Iterable[Candidate]) -> Candidate:
    """The one adult of a household to be told: whoever the 手当 is paid to, else the 世帯主, else whoever agreed first.

    The allowance comes first because its receiver is the one who applies, and whose account and address the office has checked.
    The last resort, the random number, only makes the choice the same every time.
    """
    return min(candidates, key=lambda c: (not c.adult.receiver, not c.adult.head, c.since, c.recipient_no))


def age(born: dt.date, on: dt.date) -> int:
    """Full years on a day."""
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))
