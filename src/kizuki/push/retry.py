"""What to do with one notice now, and what LINE's answer makes of it (pure): at most once, and every notice ends.

LINE accepts a retry key once and answers 409 to it afterwards; a 5xx, a timeout or a cut connection may have been accepted. So
the same key is tried again only while LINE still remembers it, and where that cannot be known the notice ends as `unknown`,
never to be sent again. Source: facts/push §4 (X-Line-Retry-Key, 24時間).
"""

import datetime as dt
from dataclasses import dataclass, replace
from typing import Final

from kizuki.push.relay_rules import Door, next_month, quiet_ends

WAITING, TRYING = "waiting", "trying"
ACCEPTED, UNKNOWN, FAILED, BLOCKED = "accepted", "unknown", "failed", "blocked"
EXPIRED, CANCELLED, HELD = "expired", "cancelled", "held"
FINAL: Final = frozenset({ACCEPTED, UNKNOWN, FAILED, BLOCKED, EXPIRED, CANCELLED, HELD})
KEY_LIFE: Final = dt.timedelta(hours=24)
"""How long LINE remembers a retry key."""
GIVE_UP: Final = KEY_LIFE / 2
"""How long the same key is tried here. Half its life: a clock set back while no process ran is noticed by nobody, and only one
set back by more than the other half could then lead past the key's end. A notice's own window is shorter anyway (one day's)."""
CLOCK_SLACK: Final = dt.timedelta(minutes=2)
"""A clock corrected by less than this was not set back."""
_FIRST_PAUSE: Final = dt.timedelta(seconds=5)
LONGEST_PAUSE: Final = dt.timedelta(minutes=30)
"""A notice is looked at again at least this often, whatever it waits for."""
_REFUSED_KEY_PAUSE: Final = dt.timedelta(minutes=10)
NOT_REACHED: Final = -1
"""`Reply.status` where no connection was made, so that nothing can have been accepted."""
_OK, _CONFLICT, _TOO_MANY, _NO_RIGHT, _SERVER = 200, 409, 429, 401, 500


@dataclass(frozen=True, slots=True)
class Notice:
    """One notice as far as sending depends on it; times with their zone.

    `maybe_sent` = an attempt ended without a clear answer, or a copy put back cannot tell; its times are then not blank.
    """

    state: str
    not_before: dt.datetime
    expires_at: dt.datetime
    next_at: dt.datetime
    maybe_sent: bool = False
    attempts: int = 0
    first_tried_at: dt.datetime | None = None
    last_tried_at: dt.datetime | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """LINE's answer: its HTTP status, 0 where none came (timeout, cut), or `NOT_REACHED`.

    `retry_after` = seconds it asked to wait, if it did.
    """

    status: int
    retry_after: int | None = None


@dataclass(frozen=True, slots=True)
class Wait:
    """Do nothing before this instant."""

    until: dt.datetime


@dataclass(frozen=True, slots=True)
class End:
    """The notice ends in this state."""

    state: str
    detail: str


@dataclass(frozen=True, slots=True)
class Try:
    """Try it now, with the notice as it must be written down before."""

    notice: Notice


def decide(notice: Notice, door: Door, now: dt.datetime) -> Wait | End | Try:
    """What to do with a notice that has not ended; raises ValueError on one that has."""
    if notice.state in FINAL:
        raise ValueError("a notice that has ended is not decided on again")
    if _maybe_sent(notice):
        ended = _end_of_doubtful(notice, door, now)
    else:
        ended = _end_of_untried(notice, door, now)
    if ended is not None:
        return ended
    wait = _wait_until(notice, door, now)
    return Wait(wait) if wait > now else Try(_trying(notice, now))


def after(notice: Notice, reply: Reply, now: dt.datetime) -> Notice:
    """The notice after LINE's answer to the attempt under way; raises ValueError if none is."""
    if notice.state != TRYING:
        raise ValueError("an answer belongs to an attempt")
    if reply.status in (_OK, _CONFLICT):
        return replace(notice, state=ACCEPTED, detail=str(reply.status))
    again = now + _pause(notice, reply)
    if reply.status in (_TOO_MANY, _NO_RIGHT, NOT_REACHED):  # surely not accepted this time
        return replace(notice, state=WAITING, next_at=again, detail=str(reply.status))
    if 0 < reply.status < _SERVER:
        return replace(notice, state=UNKNOWN if notice.maybe_sent else FAILED, detail=str(reply.status))
    return replace(notice, state=WAITING, next_at=again, maybe_sent=True, detail=str(reply.status))


def clock_went_back(notice: Notice) -> Notice:
    """The notice once the clock is known to have been set back: nobody can tell any more how long LINE remembers its key."""
    return replace(notice, state=UNKNOWN, detail="clock") if _maybe_sent(notice) and notice.state not in FINAL else notice


def cancelled(notice: Notice) -> Notice:
    """The notice after the core took it back: ended if LINE cannot have it, otherwise unchanged (it is too late)."""
    if notice.state in FINAL or _maybe_sent(notice):
        return notice
    return replace(notice, state=CANCELLED, detail="")


def _maybe_sent(notice: Notice) -> bool:
    """Also where an attempt was written down and its answer never was: the process died in between."""
    return notice.maybe_sent or notice.state == TRYING


def _end_of_untried(notice: Notice, door: Door, now: dt.datetime) -> End | None:
    if door.silenced:
        return End(HELD, "silenced")
    if not door.linked:
        return End(BLOCKED, "unlinked")
    if door.unnamed_only:
        return End(HELD, "scope")
    if door.told_already:
        return End(HELD, "interval")
    if now >= notice.expires_at:
        return End(EXPIRED, notice.detail or ("cap" if door.tried_this_month >= door.rules.monthly_cap else ""))
    return None


def _end_of_doubtful(notice: Notice, door: Door, now: dt.datetime) -> End | None:
    assert notice.first_tried_at is not None and notice.last_tried_at is not None
    if now < notice.last_tried_at - CLOCK_SLACK:
        return End(UNKNOWN, "clock")  # how long LINE has remembered the key can no longer be told
    if now >= notice.first_tried_at + GIVE_UP or now >= notice.expires_at:
        return End(UNKNOWN, "time")
    if door.silenced or not door.linked:
        return End(UNKNOWN, "silenced" if door.silenced else "unlinked")
    return End(UNKNOWN, "scope") if door.unnamed_only else None


def _wait_until(notice: Notice, door: Door, now: dt.datetime) -> dt.datetime:
    """The latest of what bars an attempt; `now` where nothing does."""
    until = max(notice.not_before, notice.next_at, now)
    if door.stopped:
        until = max(until, now + LONGEST_PAUSE)
    if notice.attempts == 0 and door.tried_this_month >= door.rules.monthly_cap:
        until = max(until, next_month(now))
    return quiet_ends(until, door.rules)


def _trying(notice: Notice, now: dt.datetime) -> Notice:
    return replace(
        notice,
        state=TRYING,
        maybe_sent=_maybe_sent(notice),
        attempts=notice.attempts + 1,
        first_tried_at=notice.first_tried_at or now,
        last_tried_at=now,
    )


def _pause(notice: Notice, reply: Reply) -> dt.timedelta:
    if reply.retry_after is not None:
        return min(dt.timedelta(seconds=max(reply.retry_after, 0)), LONGEST_PAUSE)
    if reply.status == _NO_RIGHT:
        return _REFUSED_KEY_PAUSE
    doublings: int = 2 ** min(notice.attempts - 1, 10)
    return min(_FIRST_PAUSE * doublings, LONGEST_PAUSE)
