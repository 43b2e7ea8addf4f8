"""The last look at notices before they leave, by LINE or by post: everything that was asked at the planning is asked again.

Consent, seal, care, doubts, who lives where, 未受給 on the newest snapshot, interval and cap (G6, G8). One rule for every way
out; who is stopped and whether the batch has left is for the way out to ask (`has_left`, `notice_stops`).
"""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kizuki.app import notice_texts, relay_leftovers
from kizuki.app.notice_plan import Wanted, chosen_of
from kizuki.app.snapshot_view import current_view
from kizuki.definitions.loader import Definitions
from kizuki.push.candidates import Choice, Chosen, Held
from kizuki.push.rules import Key
from kizuki.push.schedule import Clock, Stretch, next_stretch
from kizuki.records.notice_models import BatchStatus, Notice, NoticeBatch

RECIPIENT_CHANGED, NOT_ELIGIBLE, TOLD_BEFORE = "recipient_changed", "not_eligible", "told_before_restore"
"""Why a notice is held, besides the reasons of `push.candidates.Held`."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What one look found: notices that may go with the stretch they may go in, and those that may not with the reason."""

    go: Mapping[uuid.UUID, Stretch]
    held: Mapping[uuid.UUID, str]


def has_left(batch: NoticeBatch, now: dt.datetime) -> bool:
    """Whether the batch is approved and its minutes of grace are over."""
    return batch.status == BatchStatus.APPROVED and batch.leaves_at is not None and batch.leaves_at <= now


def clock_of(definitions: Definitions) -> Clock:
    """The rules and the calendar notices are sent by."""
    messages = notice_texts.messages_in(definitions)
    return Clock(messages.rules, messages.calendar)


def look(home: Path, definitions: Definitions, notices: Sequence[Notice], now: dt.datetime, *, by_post: bool = False) -> Looked:
    """The same choice as at the planning, over these notices alone, as their households stand now.

    `by_post`: they go as letters now, whatever they were meant to go by; a letter names no programme.
    """
    go: dict[uuid.UUID, Stretch] = {}
    held: dict[uuid.UUID, str] = {}
    spoken = frozenset(n.pk for n in notices if not by_post and _named(definitions, n.batch))
    for (_, named), (stretch, group) in _groups(clock_of(definitions), notices, now, spoken).items():
        choice = chosen_of(current_view(home), definitions, _wanted(group, stretch, named=named))
        may = {c.answer.key: c for c in choice.chosen}
        for one in group:
            key = _key(one)
            found = may.get(key)
            if found is None:
                held[one.pk] = _why(choice, key)
            elif not _same_way(found, one, by_post):
                held[one.pk] = RECIPIENT_CHANGED
            else:
                go[one.pk] = stretch
    may_go = [n for n in notices if n.pk in go]
    for pk in relay_leftovers.told_already(home, may_go, clock_of(definitions).rules, now):
        del go[pk]
        held[pk] = TOLD_BEFORE
    return Looked(go, held)


def _same_way(found: Chosen, one: Notice, by_post: bool) -> bool:
    """Whether the household would be told through the same person, and by the same channel (a letter needs only the person)."""
    same = found.standing.recipient_no == one.recipient.recipient_no
    return same and (by_post or found.standing.channel == one.channel)


_Group = tuple[Stretch, list[Notice]]


def _groups(
    clock: Clock, notices: Sequence[Notice], now: dt.datetime, spoken: frozenset[uuid.UUID]
) -> Mapping[tuple[dt.date, bool], _Group]:
    """Notices by the day they would go and whether they say the programme's name (`spoken`); none without a day known."""
    found: dict[tuple[dt.date, bool], _Group] = {}
    for one in notices:
        stretch = next_stretch(max(now, one.not_before), clock)
        if stretch is not None:
            found.setdefault((stretch.start.date(), one.pk in spoken), (stretch, []))[1].append(one)
    return found


def _wanted(group: Sequence[Notice], stretch: Stretch, *, named: bool) -> Wanted:
    programmes = frozenset(n.programme for n in group)
    return Wanted(
        tuple(sorted(programmes)),
        stretch.start,
        named=programmes if named else frozenset(),
        households=frozenset(n.household_id for n in group),
        leave_out=frozenset(n.pk for n in group),
        only=frozenset(_key(n) for n in group),
    )


def _named(definitions: Definitions, batch: NoticeBatch) -> bool:
    """Whether the text says the programme's name; one that is gone counts as naming it."""
    template = notice_texts.messages_in(definitions).templates.get(batch.template)
    return template is None or template.named


def _key(one: Notice) -> Key:
    return (one.programme, one.household_id, one.child_id)


def _why(choice: Choice, key: Key) -> str:
    """The reason as kept with the event; no answer any more = the judgement is 非該当 or the household is gone."""
    why = choice.reasons.get(key)
    return NOT_ELIGIBLE if why is None else Held(why).name.lower()
