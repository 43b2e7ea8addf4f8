"""G8 over random histories: whatever happens to consent, seals, applications and clocks, nothing is sent against a rule.

The rules are written here a second time, the plain way, and compared with what `push` chose.
"""

import datetime as dt
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kizuki.definitions.loader import load_definitions
from kizuki.definitions.messages import Calendar, Opening
from kizuki.definitions.shipped import shipped_definitions
from kizuki.push import states
from kizuki.push.candidates import Answer, Choice, Held, Homes, Offer, Question, Waves, choose, held_by
from kizuki.push.rules import Past
from kizuki.push.schedule import JAPAN, Clock, leaves_at, may_send_at, month_of, next_stretch, stretch_of, wave_of, year_alarm

MESSAGES = load_definitions(shipped_definitions()).messages
CLOCK = Clock(MESSAGES.rules, MESSAGES.calendar)
HOLIDAYS = {h.day for y in MESSAGES.calendar.years for h in y.days}
HOUSEHOLDS = [f"h{n}" for n in range(3)]
PROGRAMMES = ["dear", "cheap", "taxed", "never"]
OFFERS = {
    "dear": Offer("dear", True, True, False, False, 500_000.0),
    "cheap": Offer("cheap", True, True, False, False, 10_000.0),
    "taxed": Offer("taxed", True, True, True, True, 100_000.0),
    "never": Offer("never", False, True, False, False, 900_000.0),
}
MEMBERS = {h: frozenset({f"{h}-parent", f"{h}-1", f"{h}-2"}) for h in HOUSEHOLDS}


@dataclass(frozen=True)
class Consent:
    recipient_no: str
    person_id: str
    scopes: frozenset[str] = frozenset()
    channel: str = "line"


FIRST = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
instants = st.integers(0, 690 * 24 * 60).map(lambda minutes: FIRST + dt.timedelta(minutes=minutes))
scopes = st.frozensets(st.sampled_from(["tax", "programme_name"]))
standings = st.dictionaries(st.sampled_from(HOUSEHOLDS), scopes, min_size=2).map(
    lambda found: {h: Consent(f"r-{h}", f"{h}-parent", s) for h, s in found.items()}
)


def mostly(usual: Any, *others: Any) -> st.SearchStrategy[Any]:
    """The usual value, and now and then another: a history in which nothing could be sent shows nothing."""
    return st.sampled_from([usual] * (9 * len(others)) + list(others))


answers = st.lists(
    st.builds(
        Answer,
        programme=st.sampled_from(PROGRAMMES),
        household_id=st.sampled_from([*HOUSEHOLDS, *HOUSEHOLDS, "h-nowhere"]),
        child_id=st.sampled_from(["", "", "", "h0-1", "h1-1"]),
        verdict=mostly("該当", "不明"),
        receiving=mostly(False, True, None),
        unclaimed=mostly(True, False),
        asked=mostly("", "applying", "refused", None),
    ),
    min_size=4,
    max_size=16,
)
homes = st.builds(
    Homes,
    members=st.just(MEMBERS),
    sealed=mostly(frozenset(), frozenset({"h0"})),
    in_care=mostly(frozenset(), frozenset({"h0"})),
    unlinked=mostly(frozenset(), frozenset({"h0"})),
    gone=mostly(frozenset(), frozenset({"h0-1"}), frozenset({"h1-parent"})),
)


def question(at: dt.datetime, **more: object) -> Question:
    base = Question(OFFERS, Homes(MEMBERS), {}, (), CLOCK, at)
    return replace(base, **more)  # type: ignore[arg-type]


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[Question, Choice]]:
    """Up to six plannings one after another; what was chosen is sent on its day or comes to some other end."""
    past: list[Past] = []
    made = []
    at = draw(instants)
    for _ in range(draw(st.integers(1, 6))):
        asked = question(
            at,
            homes=draw(homes),
            standings=draw(standings),
            past=tuple(past),
            waves=Waves(draw(st.integers(1, 8)), draw(st.text(max_size=3))),
        )
        choice = choose(draw(answers), asked)
        made.append((asked, choice))
        for one in choice.chosen:
            status = draw(mostly(states.ACCEPTED, *sorted(states.FOLLOWS)))
            answer = one.answer
            past.append(Past(answer.household_id, answer.child_id, answer.programme, status, one.not_before))
        days = draw(st.sampled_from([-40, 0, 3, 9, 20, 60, 170, 179, 181]))  # clocks are set back, too
        at += dt.timedelta(days=days, minutes=draw(st.integers(0, 1440)))
        at = min(max(at, dt.datetime(2026, 1, 1, tzinfo=dt.UTC)), dt.datetime(2027, 12, 1, tzinfo=dt.UTC))
    return made


@settings(max_examples=300)
@given(histories())
def test_nothing_is_chosen_against_a_rule(history: list[tuple[Question, Choice]]) -> None:
    monthly: Counter[tuple[str, tuple[int, int]]] = Counter()
    days: dict[tuple[str, str, str], list[dt.date]] = {}
    for asked, choice in history:
        counted = Counter[tuple[str, tuple[int, int]]]()
        for past in asked.past:
            if past.status in states.REACHED:
                counted[(past.household_id, month_of(past.at))] += 1
        monthly = counted
        days = {}
        for past in asked.past:
            if past.status in states.REACHED:
                days.setdefault(past.key, []).append(past.at.astimezone(JAPAN).date())
        for one in choice.chosen:
            answer, at = one.answer, one.not_before.astimezone(JAPAN)
            consent = asked.standings[answer.household_id]  # a KeyError here is a notice without consent
            assert answer.programme != "never"
            assert answer.verdict == "該当" and answer.receiving is False and answer.unclaimed and answer.asked == ""
            assert answer.household_id not in asked.homes.sealed | asked.homes.in_care | asked.homes.unlinked
            assert {consent.person_id, answer.child_id} - {""} <= MEMBERS[answer.household_id] - asked.homes.gone
            assert answer.programme != "taxed" or set(consent.scopes) >= {"tax", "programme_name"}
            assert dt.time(9) <= at.time() < dt.time(20) and at.weekday() < 5 and at.date() not in HOLIDAYS
            assert at >= asked.leaves_at
            monthly[(answer.household_id, month_of(at))] += 1
            assert monthly[(answer.household_id, month_of(at))] <= 2
            assert all(abs((at.date() - other).days) >= 180 for other in days.get(answer.key, []))
            days.setdefault(answer.key, []).append(at.date())


@settings(max_examples=200)
@given(answers, homes, standings, instants)
def test_every_answer_is_chosen_or_has_one_reason(
    found: list[Answer], where: Homes, who: dict[str, Consent], at: dt.datetime
) -> None:
    choice = choose(found, question(at, homes=where, standings=who))
    assert len(choice.chosen) + sum(choice.held.values()) == len(found)
    assert set(choice.held) <= {h.value for h in Held}


@settings(max_examples=200)
@given(answers, homes, standings, instants)
def test_what_becomes_unknown_never_becomes_a_notice(
    found: list[Answer], where: Homes, who: dict[str, Consent], at: dt.datetime
) -> None:
    asked = question(at, homes=where, standings=who)
    for answer in found:
        blurred = (
            replace(answer, verdict="不明", unclaimed=False),
            replace(answer, receiving=None),
            replace(answer, asked=None),
        )
        assert all(held_by(b, asked) is not None for b in blurred)


def test_the_dearest_comes_first_when_the_cap_is_reached() -> None:
    who = {"h1": Consent("r", "h1-parent", frozenset({"tax", "programme_name"}))}
    found = [Answer(p, "h1", c, "該当", False, True) for p, c in (("cheap", ""), ("taxed", ""), ("dear", "h1-1"))]
    choice = choose(found, question(dt.datetime(2026, 11, 25, 1, tzinfo=dt.UTC), standings=who))
    assert [c.answer.programme for c in choice.chosen] == ["dear", "taxed"]
    assert choice.held == {Held.CAP.value: 1}


def test_the_nearest_deadline_comes_first_among_equals() -> None:
    openings = (
        Opening.model_validate({"制度": "cheap", "開始": "2026-04-01", "終了": "2026-12-28", "出典": "要綱"}),
        Opening.model_validate({"制度": "dear", "開始": "2026-04-01", "終了": "2026-12-10", "出典": "要綱"}),
    )
    rules = CLOCK.rules.model_copy(update={"openings": openings, "monthly_cap": 1})
    offers = {p: replace(OFFERS[p], value_yen=1.0) for p in ("cheap", "dear")}
    found = [Answer(p, "h1", "", "該当", False, True) for p in offers]
    at = dt.datetime(2026, 11, 25, 1, tzinfo=dt.UTC)
    asked = question(at, offers=offers, clock=Clock(rules, CLOCK.calendar), standings={"h1": Consent("r", "h1-parent")})
    assert [c.answer.programme for c in choose(found, asked).chosen] == ["dear"]
    late = replace(asked, leaves_at=dt.datetime(2026, 12, 4, 1, tzinfo=dt.UTC))
    assert [c.answer.programme for c in choose(found, late).chosen] == ["cheap"], "six days before its end it is too late"


@given(instants)
def test_a_stretch_is_open_from_its_first_to_its_last_instant(at: dt.datetime) -> None:
    found = next_stretch(at, CLOCK)
    assert found is not None and found.start >= at
    assert may_send_at(found.start, CLOCK)
    assert may_send_at(found.end - dt.timedelta(microseconds=1), CLOCK) and not may_send_at(found.end, CLOCK)
    assert found.start.date() == found.end.date()
    assert found.end - found.start >= dt.timedelta(minutes=CLOCK.rules.least_room_minutes)


@pytest.mark.parametrize(
    ("at", "start"),
    [
        ("2026-11-20T18:00", "2026-11-24T09:00"),  # Friday evening; Monday is 勤労感謝の日
        ("2026-11-20T10:30", "2026-11-20T10:30"),
        ("2026-05-02T12:00", "2026-05-07T09:00"),  # Saturday before 憲法記念日 on a Sunday: Wednesday is 休日
        ("2026-12-28T19:59", "2027-01-04T09:00"),  # the city is closed until 3 January
        ("2027-03-19T21:00", "2027-03-23T09:00"),  # 春分の日 falls on Sunday, Monday is 休日
    ],
)
def test_the_days_people_know(at: str, start: str) -> None:
    found = next_stretch(dt.datetime.fromisoformat(at).replace(tzinfo=JAPAN), CLOCK)
    assert found is not None and found.start == dt.datetime.fromisoformat(start).replace(tzinfo=JAPAN)


def test_a_year_nobody_entered_stops_sending() -> None:
    assert stretch_of(dt.date(2028, 6, 1), CLOCK) is None
    assert next_stretch(dt.datetime(2027, 12, 31, 12, tzinfo=JAPAN), CLOCK) is None
    who = {"h1": Consent("r", "h1-parent")}
    at = dt.datetime(2028, 1, 5, 3, tzinfo=dt.UTC)
    choice = choose([Answer("dear", "h1", "", "該当", False, True)], question(at, standings=who))
    assert choice.chosen == () and choice.held == {Held.NO_DAY.value: 1}
    assert year_alarm(dt.date(2027, 11, 15), MESSAGES.calendar, 60) == dt.date(2027, 12, 31)
    assert year_alarm(dt.date(2026, 11, 15), MESSAGES.calendar, 60) is None
    assert year_alarm(dt.date(2026, 11, 15), Calendar.model_construct(years=(), closed=()), 60) is not None


def test_a_clock_set_back_does_not_shorten_the_time_to_cancel() -> None:
    asked = dt.datetime(2026, 11, 25, 5, tzinfo=dt.UTC)
    assert leaves_at(asked - dt.timedelta(hours=2), asked, CLOCK.rules) == asked + dt.timedelta(minutes=10)
    assert leaves_at(asked, None, CLOCK.rules) == asked + dt.timedelta(minutes=10)


@given(st.text(max_size=8), st.integers(2, 8))
def test_the_lot_gives_every_week_its_share(seed: str, waves: int) -> None:
    drawn = Counter(wave_of(seed, f"household-{n}", waves) for n in range(2000))
    assert set(drawn) == set(range(waves)) and min(drawn.values()) > 0.7 * 2000 / waves


def test_unknown_never_goes_back_to_sending() -> None:
    reachable, new = set(), {states.UNKNOWN}
    while new:
        reachable |= new
        new = {after for before in new for after in states.FOLLOWS[before]} - reachable
    assert reachable == {states.UNKNOWN, states.ACCEPTED}


def test_every_status_has_its_line_and_nothing_leads_back_to_waiting() -> None:
    from kizuki.records.notice_models import NoticeStatus

    assert set(states.FOLLOWS) == set(NoticeStatus.values)
    assert not any(states.WAITING in after for after in states.FOLLOWS.values())
    assert not any(states.HANDED in after for before, after in states.FOLLOWS.items() if before != states.WAITING)
    assert not any(states.may_follow(s, s) for s in states.FOLLOWS)
