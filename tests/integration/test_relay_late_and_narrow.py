"""What arrives late, in a group, or narrower than before: the last act of the person decides what may be sent."""

import datetime as dt

import pytest
from django.utils import timezone

from kizuki.app.relay_answers import WANTED, answer
from kizuki.app.relay_home import Relay
from kizuki.app.relay_line import LineMessenger
from kizuki.app.relay_sender import send_due
from kizuki.push.lines import Answer, Linked, Outcome, Send, Template
from kizuki.records.relay.models import Link, Ticket
from tests.integration.test_relay_residents import (
    NO,
    NOON,
    Core,
    core,
    deliver,
    event,
    line,
    linked,
    postback,
    relay,
    text_event,
    told,
)
from tests.line_double import LineDouble

__all__ = ["core", "line", "relay"]
pytestmark = pytest.mark.django_db(databases=["default", "relay"])
MINUTE = dt.timedelta(minutes=1)


def test_a_block_told_late_does_not_undo_a_newer_sign_of_life(core: Core) -> None:
    """Blocked and taken back within a minute, told in the other order: the account can be reached."""
    linked()
    at = timezone.localtime()
    deliver(event("follow", 20, at=at + 2 * MINUTE, follow={"isUnblocked": True}))
    deliver(event("unfollow", 21, at=at + MINUTE))
    assert Link.objects.get().on
    assert [x.on for x in told() if isinstance(x, Linked)] == [True]
    deliver(event("unfollow", 22, at=at + 3 * MINUTE))
    assert not Link.objects.get().on


def test_nothing_is_answered_or_taken_from_a_group(core: Core, line: LineDouble) -> None:
    linked()
    replies, tickets = len(line.replies), Ticket.objects.count()
    group = {"type": "group", "groupId": "C" + "1" * 32, "userId": "U" + "a" * 32}
    for number, said in ((30, "登録"), (31, "停止"), (32, "こんにちは")):
        deliver(text_event(number, said) | {"source": group})
    deliver(postback(33, "answer|wanted||2026.1") | {"source": group})
    assert (len(line.replies), Ticket.objects.count()) == (replies, tickets)
    assert [x for x in told() if isinstance(x, Answer)] == []


def _named(number: str) -> Send:
    key = f"123e4567-e89b-42d3-a456-42661417400{number}"
    return Send(f"n{number}", NO, "t-0b", "1", key, NOON.isoformat(), (NOON + dt.timedelta(hours=6)).isoformat())


@pytest.mark.parametrize(
    ("scopes", "status"), [(("programme_name",), "accepted"), (("tax",), "held"), ((), "held"), (None, "accepted")]
)
def test_a_text_that_names_goes_only_where_the_last_answer_covers_it(
    core: Core, relay: Relay, line: LineDouble, scopes: tuple[str, ...] | None, status: str
) -> None:
    """The answer comes after the core has handed the notice over; `None` = they never answered here (on paper to the core)."""
    linked()
    core.hand(Template("t-0b", "1", "児童手当のお知らせです。{リンク}", True), _named("1"), now=NOON)
    if scopes is not None:
        answer("e1", NO, WANTED, (scopes, "2026.1", "web"), NOON)
    send_due(relay, LineMessenger(line.host, "test-token"), lambda: NOON)
    assert [(x.status, x.detail) for x in told() if isinstance(x, Outcome)] == [
        (status, "200" if status == "accepted" else "scope")
    ]
    assert len(line.deliveries) == (status == "accepted")


def test_a_doubtful_named_notice_is_not_tried_again_once_the_scope_is_narrower(
    core: Core, relay: Relay, line: LineDouble
) -> None:
    linked()
    core.hand(Template("t-0b", "1", "児童手当のお知らせです。{リンク}", True), _named("1"), now=NOON)
    line.faults.lost = 1
    send_due(relay, LineMessenger(line.host, "test-token"), lambda: NOON)
    answer("e1", NO, WANTED, ((), "2026.1", "web"), NOON)
    send_due(relay, LineMessenger(line.host, "test-token"), lambda: NOON + 5 * MINUTE)
    assert [(x.status, x.detail) for x in told() if isinstance(x, Outcome)] == [("unknown", "scope")]
    assert line.pushes == 1
