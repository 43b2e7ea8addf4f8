"""Sends what is due, one notice at a time: an attempt is on disk before LINE is asked, its answer with the line for the core.

Whatever point the process dies at, the next run finds either no attempt (and makes it), or an attempt without an answer (and
asks again with the same key, which LINE accepts at most once).
"""

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from kizuki.app import relay_city_rules
from kizuki.app.relay_home import Relay
from kizuki.app.relay_line import Messenger
from kizuki.engine.lock import exclusive
from kizuki.push import retry
from kizuki.push.lines import Line, Outcome, to_json
from kizuki.push.relay_rules import Door, interval_starts, month_starts
from kizuki.push.retry import End, Notice, Reply, Wait
from kizuki.records.relay.models import Link, Outgoing, Pending, SendState, Silence, Switch, Template
from kizuki.records.relay.router import ALIAS

LINK_FIELD: Final = "{リンク}"
NAME_SCOPE: Final = "programme_name"
_UNDER_WAY: Final = (SendState.WAITING, SendState.TRYING)
_NOT_SENT: Final = (SendState.FAILED, SendState.BLOCKED, SendState.EXPIRED, SendState.CANCELLED, SendState.HELD)
_CARRIED: Final = ("state", "maybe_sent", "attempts", "first_tried_at", "last_tried_at", "next_at", "detail")
_LONG_AGO: Final = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
Clock = Callable[[], dt.datetime]
Step = Callable[[str], None]


@dataclass(slots=True)
class Sent:
    """What one round did: attempts made, notices ended."""

    attempts: int = 0
    ended: int = 0


def under_way() -> QuerySet[Outgoing]:
    """Notices that have not ended."""
    return Outgoing.objects.filter(state__in=_UNDER_WAY)


def look_again(rows: QuerySet[Outgoing]) -> None:
    """Let the next round decide on these anew, whatever they wait for and whatever a clock says."""
    rows.update(next_at=_LONG_AGO)


def tell_core(line: Line) -> None:
    """One line for the core's next file; called in the transaction of what it tells."""
    Pending.objects.create(line=to_json(line))


def end(row: Outgoing, state: str, detail: str, now: dt.datetime) -> None:
    """Close a notice and tell the core; called in a transaction."""
    row.state, row.detail = state, detail
    row.save(update_fields=["state", "detail"])
    tell_core(Outcome(row.notice_id, state, now.isoformat(), detail))


def send_due(relay: Relay, line: Messenger, clock: Clock, step: Step = lambda _: None) -> Sent:
    """One round over every notice that is due; raises RunFailed K905 if another process is sending.

    `step` is called at each named point a process could die at.
    """
    done = Sent()
    with exclusive(relay.home / "send.lock"):
        _mind_the_clock(clock())
        for number in _due(clock()):
            attempt = _prepare(number, clock(), done)
            if attempt is None:
                continue
            step("trying written")
            reply = _ask(relay, line, attempt)
            done.attempts += 1
            step("answer received")
            _record(number, reply, clock(), done)
            step("answer written")
    return done


def _mind_the_clock(now: dt.datetime) -> None:
    """Close what can no longer be told apart once the clock is found set back; note what it shows."""
    with transaction.atomic(using=ALIAS):
        switch, _ = Switch.objects.get_or_create(pk=1)
        if switch.clock_at is not None and now < switch.clock_at - retry.CLOCK_SLACK:
            for row in under_way():
                found = retry.clock_went_back(_notice(row))
                if found.state != row.state:
                    end(row, found.state, found.detail, now)
        switch.clock_at = now
        switch.save()


def anything_due(now: dt.datetime) -> bool:
    """Whether a round would look at any notice."""
    return bool(_due(now))


def _due(now: dt.datetime) -> Iterable[int]:
    rows = under_way().filter(Q(next_at__lte=now) | Q(expires_at__lte=now))
    return list(rows.order_by("next_at", "pk").values_list("pk", flat=True))


@transaction.atomic(using=ALIAS)
def _prepare(number: int, now: dt.datetime, done: Sent) -> Outgoing | None:
    """Decide on one notice as everything stands at this instant, and write the attempt down if there is to be one."""
    row = Outgoing.objects.get(pk=number)
    if row.state not in _UNDER_WAY:
        return None
    what = retry.decide(_notice(row), _door(row, now), now)
    if isinstance(what, End):
        end(row, what.state, what.detail, now)
        done.ended += 1
        return None
    if isinstance(what, Wait):
        row.next_at = min(what.until, now + retry.LONGEST_PAUSE)
        row.save(update_fields=["next_at"])
        return None
    _carry(row, what.notice)
    Switch.objects.filter(pk=1).update(clock_at=now)
    return row


def _ask(relay: Relay, line: Messenger, row: Outgoing) -> Reply:
    link = Link.objects.get(recipient_no=row.recipient_no)
    text = Template.objects.get(template=row.template, version=row.version).text
    page = f"{settings.KIZUKI_RELAY_ADDRESS}/n/{relay.page_key(row.notice_id)}"
    words = text.replace(LINK_FIELD, page)
    return line.push(relay.user_id(bytes(link.user_sealed), link.recipient_no), words, row.retry_key)


@transaction.atomic(using=ALIAS)
def _record(number: int, reply: Reply, now: dt.datetime, done: Sent) -> None:
    row = Outgoing.objects.get(pk=number)
    found = retry.after(_notice(row), reply, now)
    _carry(row, found)
    if found.state in retry.FINAL:
        end(row, found.state, found.detail, now)
        done.ended += 1


def _door(row: Outgoing, now: dt.datetime) -> Door:
    link = Link.objects.filter(recipient_no=row.recipient_no).first()
    silence = Silence.objects.filter(recipient_no=row.recipient_no).first()
    others = Outgoing.objects.filter(recipient_no=row.recipient_no).exclude(state__in=_NOT_SENT).exclude(pk=row.pk)
    tried = others.filter(attempts__gt=0, first_tried_at__gte=month_starts(now))
    rules = relay_city_rules.in_force()
    since = interval_starts(now, rules.cooldown_days)
    return Door(
        linked=link.on if link else None,
        silenced=silence is not None and (silence.by_core or silence.by_answer),
        stopped=Switch.objects.filter(pk=1, stopped=True).exists(),
        tried_this_month=tried.count(),
        rules=rules,
        unnamed_only=_names_a_programme(row) and silence is not None and NAME_SCOPE not in _scopes(silence),
        told_already=row.about != "" and others.filter(about=row.about, first_tried_at__gte=since).exists(),
    )


def _names_a_programme(row: Outgoing) -> bool:
    return Template.objects.filter(template=row.template, version=row.version, named=True).exists()


def _scopes(silence: Silence) -> list[str]:
    """What their last answer here covers; where they never answered here, the core alone knows and has checked."""
    return [NAME_SCOPE] if silence.scopes is None else list(silence.scopes)


def _notice(row: Outgoing) -> Notice:
    return Notice(not_before=row.not_before, expires_at=row.expires_at, **{name: getattr(row, name) for name in _CARRIED})


def _carry(row: Outgoing, notice: Notice) -> None:
    for name in _CARRIED:
        setattr(row, name, getattr(notice, name))
    row.save(update_fields=list(_CARRIED))
