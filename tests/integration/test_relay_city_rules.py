"""The city's rules go from the definitions to the relay, once for each change, and the newest told is what it sends by."""

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from django.utils import timezone

from kizuki.app import city_rules_told, relay_city_rules
from kizuki.app.exchange import Parts
from kizuki.app.exchange import exchange as core_exchange
from kizuki.app.relay_doctor import examine_relay
from kizuki.app.relay_exchange import exchange
from kizuki.app.relay_home import Relay
from kizuki.app.relay_line import LineMessenger
from kizuki.app.relay_rounds import clear_old
from kizuki.app.relay_sender import send_due
from kizuki.app.release import Actor
from kizuki.definitions.messages import load
from kizuki.definitions.shipped import shipped_definitions
from kizuki.engine.keys import KeyRing
from kizuki.push.exchange import file_name, pack, public_text
from kizuki.push.lines import Outcome, Rules, Send
from kizuki.push.relay_rules import SAFE, to_line
from kizuki.push.schedule import JAPAN
from kizuki.records.notice_models import RelayFile
from kizuki.records.relay.models import CityRules, Outgoing
from tests.integration.test_relay_residents import CORE, NO, Core, core, line, linked, relay, told
from tests.line_double import LineDouble
from tests.marked_city import MarkedView

__all__ = ["core", "line", "relay"]
pytestmark = pytest.mark.django_db(databases=["default", "relay"])
FRIDAY = dt.datetime(2026, 11, 20, 15, tzinfo=JAPAN)
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
MESSAGES = load(shipped_definitions() / "messages")


def rules(number: int, **more: object) -> Rules:
    return replace(to_line(MESSAGES.rules, MESSAGES.calendar, number, FRIDAY), **more)  # type: ignore[arg-type]


def send(number: int, start: dt.datetime, *, about: str = "", days: int = 10) -> Send:
    key = f"123e4567-e89b-42d3-a456-4266141741{number:02d}"
    return Send(f"n{number}", NO, "t-0a", "2026.1", key, start.isoformat(), (start + days * DAY).isoformat(), about)


def sent(relay: Relay, line: LineDouble, now: dt.datetime) -> int:
    """How many LINE has been given once everything due at `now` has been looked at."""
    Outgoing.objects.filter(state="waiting").update(next_at=now - HOUR)
    send_due(relay, LineMessenger(line.host, "test-token"), lambda: now)
    return len(line.deliveries)


def test_a_notice_delayed_over_a_holiday_goes_on_the_next_working_day(core: Core, relay: Relay, line: LineDouble) -> None:
    """Also before the first line of rules has come; with the city's own, its days of closing count as well."""
    linked()
    core.hand(send(1, FRIDAY), now=FRIDAY)
    for day in (21, 22, 23):
        assert sent(relay, line, dt.datetime(2026, 11, day, 11, tzinfo=JAPAN)) == 0
    assert sent(relay, line, dt.datetime(2026, 11, 24, 11, tzinfo=JAPAN)) == 1
    closing = rules(1, closed_days=("2026-11-25",))
    core.hand(closing, send(2, FRIDAY), now=FRIDAY)
    assert sent(relay, line, dt.datetime(2026, 11, 25, 11, tzinfo=JAPAN)) == 1
    assert sent(relay, line, dt.datetime(2026, 11, 26, 11, tzinfo=JAPAN)) == 2


def test_beyond_the_citys_cap_a_notice_waits_for_the_next_month_or_ends(core: Core, relay: Relay, line: LineDouble) -> None:
    linked()
    core.hand(rules(1, monthly_cap=1), send(1, FRIDAY), send(2, FRIDAY, days=20), send(3, FRIDAY, days=3), now=FRIDAY)
    assert sent(relay, line, FRIDAY + HOUR) == 1
    assert sent(relay, line, dt.datetime(2026, 11, 30, 11, tzinfo=JAPAN)) == 1
    assert [(o.notice_id, o.status, o.detail) for o in told() if isinstance(o, Outcome)][1:] == [("n3", "expired", "cap")]
    assert sent(relay, line, dt.datetime(2026, 12, 1, 11, tzinfo=JAPAN)) == 2


def test_the_same_is_not_told_twice_within_the_interval(core: Core, relay: Relay, line: LineDouble) -> None:
    """By whatever number it comes: the second of one token ends as held, and the trace of the first outlasts the interval."""
    linked()
    core.hand(rules(1, cooldown_days=180, monthly_cap=9), send(1, FRIDAY, about="a" * 32), now=FRIDAY)
    assert sent(relay, line, FRIDAY) == 1
    later = dt.datetime(2027, 5, 18, 11, tzinfo=JAPAN)  # 179 days after
    clear_old(later)
    core.hand(send(2, later, about="a" * 32), send(3, later, about="b" * 32), now=later)
    assert sent(relay, line, later) == 2
    ends = {o.notice_id: (o.status, o.detail) for o in told() if isinstance(o, Outcome)}
    assert ends == {"n1": ("accepted", "200"), "n2": ("held", "interval"), "n3": ("accepted", "200")}
    core.hand(send(4, later + DAY, about="a" * 32), now=later)
    assert sent(relay, line, later + DAY) == 3


def test_the_newest_line_holds_whatever_comes_after_it(core: Core, relay: Relay) -> None:
    assert relay_city_rules.in_force() == SAFE
    core.hand(rules(5, monthly_cap=5), now=FRIDAY)
    core.hand(rules(4, monthly_cap=4), rules(5, monthly_cap=5), now=FRIDAY + HOUR)
    assert (relay_city_rules.in_force().monthly_cap, CityRules.objects.count()) == (5, 2)
    core.hand(rules(6, monthly_cap=6), rules(3, monthly_cap=3), now=FRIDAY + HOUR)
    assert relay_city_rules.in_force().monthly_cap == 6
    assert CityRules.objects.get(number=6).applied_at == FRIDAY + HOUR


@pytest.mark.parametrize(("line_of_rules", "code"), [(rules(5, quiet_from="23:00"), "K650"), (rules(5, monthly_cap=3), "K660")])
def test_a_line_that_cannot_hold_refuses_the_file(core: Core, relay: Relay, line_of_rules: Rules, code: str) -> None:
    core.hand(rules(5), now=FRIDAY)
    data = pack("to_relay", core.seq + 1, core.before, FRIDAY.isoformat(), [line_of_rules], key=CORE)
    (relay.incoming / file_name(core.seq + 1)).write_bytes(data)
    assert code in exchange(relay, FRIDAY).refused[0]
    assert relay_city_rules.in_force().monthly_cap == MESSAGES.rules.monthly_cap


def test_doctor_shows_which_rules_hold_and_since_when(core: Core, relay: Relay) -> None:
    def shown(now: dt.datetime) -> tuple[bool, str]:
        found = {c.name: (c.ok, c.message) for c in examine_relay(relay.home, now)}
        return found["送るきまり"]

    ok, said = shown(FRIDAY)
    assert ok and "本体からまだ届いていない" in said and "法律の祝日" in said and "月2通" in said
    core.hand(rules(9, monthly_cap=3), now=FRIDAY)
    ok, said = shown(FRIDAY)
    assert ok and "9番（2026-11-20 15:00 から）" in said and "月3通" in said and "20:00〜09:00" in said
    ok, said = shown(dt.datetime(2028, 1, 4, 10, tzinfo=JAPAN))
    assert not ok and "2028年の祝日が入っていない" in said


def test_the_core_tells_its_rules_once_and_again_when_the_definitions_change(
    marked_city: MarkedView, app_home: Path, actor_for: Callable[..., Actor], relay: Relay
) -> None:
    (app_home / "relay").mkdir()
    (app_home / "relay" / "relay.pub").write_text(public_text(relay.signing_key.public_key()))
    keys = KeyRing.load(app_home)
    now = timezone.localtime()

    def go(at: dt.datetime) -> int:
        return core_exchange(actor_for("it"), app_home, keys, at, Parts((city_rules_told,), {})).written

    assert [go(now), go(now), go(now + DAY)] == [1, 0, 0]
    folder = app_home / "definitions" / "messages"
    folder.mkdir(parents=True)
    (folder / "rules.yaml").write_text("一世帯の月の上限: 1\n", encoding="utf-8")
    assert [go(now - 30 * DAY), go(now)] == [2, 0], "also by a clock that was set back"
    (relay.home / "core.pub").write_bytes((app_home / "relay" / "core.pub").read_bytes())
    for path in sorted((app_home / "relay" / "out").glob("*.kzr")):
        (relay.incoming / path.name).write_bytes(path.read_bytes())
    assert exchange(relay, now).refused == []
    first, second = CityRules.objects.order_by("number")
    assert first.number < second.number and relay_city_rules.in_force().monthly_cap == 1
    assert RelayFile.objects.count() == 2
