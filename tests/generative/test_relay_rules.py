"""The city's rules at the relay: what is closed stays closed whatever is delayed, and the newest line alone holds."""

import datetime as dt
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kizuki.definitions.messages import load
from kizuki.definitions.shipped import shipped_definitions
from kizuki.push import retry
from kizuki.push.lines import Rules, from_json, to_json
from kizuki.push.relay_rules import SAFE, Door, RelayRules, closed, from_line, interval_starts, is_quiet, quiet_ends, to_line
from kizuki.push.retry import End, Notice, Wait, decide
from kizuki.push.schedule import JAPAN, Clock, stretch_of

MESSAGES = load(shipped_definitions() / "messages")
SINCE = dt.datetime(2026, 11, 20, 10, tzinfo=JAPAN)
CITY = from_line(to_line(MESSAGES.rules, MESSAGES.calendar, 1, SINCE))
START = dt.datetime(2026, 1, 1, tzinfo=JAPAN)
INSTANTS = st.integers(0, 800 * 24 * 60).map(lambda m: START + dt.timedelta(minutes=m))
DAYS = st.dates(dt.date(2026, 1, 1), dt.date(2027, 12, 31))
RULES = st.builds(
    RelayRules,
    quiet_from=st.times(dt.time(18), dt.time(21)).map(lambda t: t.replace(second=0, microsecond=0)),
    quiet_to=st.times(dt.time(8), dt.time(10)).map(lambda t: t.replace(second=0, microsecond=0)),
    weekends=st.booleans(),
    years=st.one_of(st.none(), st.frozensets(st.sampled_from([2026, 2027]))),
    closed_days=st.frozensets(DAYS, max_size=40),
    monthly_cap=st.integers(1, 4),
    cooldown_days=st.integers(1, 200),
)
OPEN = Door(linked=True, silenced=False, stopped=False, tried_this_month=0)


@given(INSTANTS)
def test_the_relay_is_open_exactly_when_the_core_would_send(at: dt.datetime) -> None:
    """The same definitions on both sides: not one minute in which they differ, also in a year nobody has entered."""
    stretch = stretch_of(at.date(), Clock(MESSAGES.rules, MESSAGES.calendar))
    assert is_quiet(at, CITY) == (stretch is None or not stretch.start <= at < stretch.end)


@pytest.mark.parametrize("weekends", [False, True])
@pytest.mark.parametrize("holidays", [False, True])
def test_what_the_city_decides_reaches_the_relay(weekends: bool, holidays: bool) -> None:
    rules = MESSAGES.rules.model_copy(update={"weekends": weekends, "holidays": holidays, "monthly_cap": 3})
    told = from_line(to_line(rules, MESSAGES.calendar, 1, SINCE))
    assert told.monthly_cap == 3
    saturday, holiday, year_end = dt.date(2026, 11, 21), dt.date(2026, 11, 23), dt.date(2026, 12, 29)
    assert [closed(d, told) for d in (saturday, holiday, year_end)] == [not weekends, not holidays, not holidays]


@settings(max_examples=300)
@given(INSTANTS, RULES)
def test_waiting_ends_at_the_first_open_instant(at: dt.datetime, rules: RelayRules) -> None:
    end = quiet_ends(at, rules)
    assert (end == at) == (not is_quiet(at, rules))
    if not is_quiet(end, rules):
        assert end == at or is_quiet(end - dt.timedelta(seconds=1), rules) or end.time() == rules.quiet_to
        days = [at.astimezone(JAPAN).date() + dt.timedelta(days=n) for n in range(1, (end.date() - at.date()).days)]
        assert all(closed(d, rules) for d in days)
    else:
        assert end - at >= dt.timedelta(days=59), "nothing is open for two months: looked at again, never sent"


@settings(max_examples=300)
@given(INSTANTS, st.integers(0, 60 * 24 * 20), RULES, st.integers(0, 5), st.booleans())
def test_a_delayed_notice_is_never_tried_against_the_rules(
    start: dt.datetime, late: int, rules: RelayRules, tried: int, told: bool
) -> None:
    """However late it comes to be looked at, it is tried only in an open instant, under the cap and outside the interval."""
    notice = Notice(retry.WAITING, start, start + dt.timedelta(days=10), start)
    now = start + dt.timedelta(minutes=late)
    what = decide(notice, replace(OPEN, rules=rules, tried_this_month=tried, told_already=told), now)
    if isinstance(what, End):
        assert what.state in (retry.EXPIRED, retry.HELD)
        assert (what.state == retry.HELD) == told
    elif isinstance(what, Wait):
        assert what.until > now
        assert is_quiet(now, rules) or tried >= rules.monthly_cap
    else:
        assert not (is_quiet(now, rules) or tried >= rules.monthly_cap or told)


def test_a_notice_delayed_onto_a_holiday_goes_after_it_or_never() -> None:
    """To be sent on Friday, looked at on Saturday; Monday is 勤労感謝の日: Tuesday, if its time has not run out by then."""
    friday, saturday = dt.datetime(2026, 11, 20, 15, tzinfo=JAPAN), dt.datetime(2026, 11, 21, 11, tzinfo=JAPAN)
    long = Notice(retry.WAITING, friday, friday + dt.timedelta(days=5), friday)
    for rules in (SAFE, CITY):
        assert decide(long, replace(OPEN, rules=rules), saturday) == Wait(dt.datetime(2026, 11, 24, 9, tzinfo=JAPAN))
    short = replace(long, expires_at=friday.replace(hour=20))
    assert decide(short, replace(OPEN, rules=CITY), saturday) == End(retry.EXPIRED, "")


def test_without_a_line_the_laws_holidays_hold_and_the_citys_own_days_are_not_known() -> None:
    assert closed(dt.date(2026, 11, 23), SAFE) and closed(dt.date(2031, 1, 1), SAFE)
    assert not closed(dt.date(2026, 12, 29), SAFE) and closed(dt.date(2026, 12, 29), CITY)
    assert closed(dt.date(2031, 6, 2), CITY), "a year nobody has entered"


@given(INSTANTS, st.integers(1, 200))
def test_the_interval_counts_whole_days_as_the_core_does(at: dt.datetime, days: int) -> None:
    since = interval_starts(at, days)
    assert (at.date() - since.date()).days == days - 1
    assert (at.date() - (since - dt.timedelta(seconds=1)).date()).days == days


LINE = to_line(MESSAGES.rules, MESSAGES.calendar, 7, SINCE)


def test_the_line_comes_back_as_it_was_and_holds_nothing_but_rules() -> None:
    assert from_json(to_json(LINE)) == LINE
    assert "祝" not in to_json(LINE) and "元日" not in to_json(LINE)


@pytest.mark.parametrize(
    "wrong",
    [
        {"quiet_from": "22:00"},
        {"quiet_to": "07:59"},
        {"quiet_to": "20:30"},
        {"quiet_from": "夜"},
        {"closed_days": ("2026-02-30",)},
        {"monthly_cap": 0},
        {"cooldown_days": 0},
        {"since": "2026-11-20T10:00:00"},
    ],
)
def test_a_line_that_would_allow_the_night_or_no_limit_is_no_rule(wrong: dict[str, object]) -> None:
    line: Rules = replace(LINE, **wrong)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"."):
        from_line(line)
