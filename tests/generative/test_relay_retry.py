"""Random lives of one notice against a model of LINE: never twice, never outside the rules, never without an end."""

import datetime as dt
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kizuki.push import retry
from kizuki.push.relay_rules import SAFE, Door, is_quiet, month_starts, next_month, quiet_ends
from kizuki.push.retry import FINAL, KEY_LIFE, End, Notice, Reply, Try, Wait, after, cancelled, clock_went_back, decide
from kizuki.push.schedule import JAPAN

NOON = dt.datetime(2026, 11, 18, 12, 0, tzinfo=JAPAN)  # a Wednesday
OPEN = Door(linked=True, silenced=False, stopped=False, tried_this_month=0)
INSTANTS = st.integers(0, 730 * 24 * 60).map(lambda m: NOON + dt.timedelta(minutes=m))


def notice(hours: float = 8, start: dt.datetime = NOON) -> Notice:
    return Notice(retry.WAITING, start, start + dt.timedelta(hours=hours), start)


_NOT_ACCEPTED = {"429": 429, "500 before": 500, "400": 400, "401": 401, "cut before": 0, "unreached": retry.NOT_REACHED}


@dataclass
class Line:
    """LINE with real time of its own: accepts a key once, remembers it for its life, then would accept it again."""

    delivered: list[dt.datetime] = field(default_factory=list)

    def ask(self, mood: str, real: dt.datetime) -> Reply:
        if mood in _NOT_ACCEPTED:
            return Reply(_NOT_ACCEPTED[mood])
        if any(real - t < KEY_LIFE for t in self.delivered):
            answer = Reply(409)
        else:
            self.delivered.append(real)
            answer = Reply(200)
        return Reply(0) if mood == "cut after" else Reply(500) if mood == "500 after" else answer


STEP = st.fixed_dictionaries(
    {
        "passed": st.one_of(
            st.tuples(st.integers(0, 40), st.sampled_from([0, 0, 0, 0, -1, 1, -60, 90, -60 * 26, 60 * 30, -60 * 50])),
            st.tuples(st.integers(0, 60 * 30), st.sampled_from([0, 0, 0, -1, -60, -60 * 11, 60 * 30])),
        ),
        "mood": st.sampled_from(
            ["ok", "ok", "cut after", "500 after", "cut before", "500 before", "429", "400", "401", "unreached", "killed"]
        ),
        "linked": st.sampled_from([True, True, True, True, False, None]),
        "silenced": st.sampled_from([False, False, False, False, True]),
        "stopped": st.sampled_from([False, False, True]),
        "tried": st.integers(0, 3),
        "cancel": st.sampled_from([False, False, False, True]),
    }
)


_UP = st.tuples(st.sampled_from([1, 5, 30]), st.sampled_from([0, 0, 0, -60 * 2, -60 * 24, -60 * 25, 60 * 24]))
_DOWN = st.tuples(st.sampled_from([60 * 2, 60 * 20, 60 * 23, 60 * 24, 60 * 25]), st.sampled_from([0, 0, -60 * 2, -60 * 11]))
"""Minutes that pass and minutes the clock is moved by: any jump while rounds run, half a key's life at most while none does."""
DOUBT = st.fixed_dictionaries(
    {
        "passed": st.one_of(_UP, _DOWN),
        "mood": st.sampled_from(["cut after", "500 after", "killed", "killed", "429", "ok"]),
        "linked": st.just(True),
        "silenced": st.just(False),
        "stopped": st.just(False),
        "tried": st.just(0),
        "cancel": st.sampled_from([False, False, False, False, False, True]),
    }
)
"""Steps in which an attempt is often made and seldom answered, a day apart or over a clock set back."""


@settings(max_examples=600)
@given(st.lists(STEP, min_size=1, max_size=30), st.integers(1, 72))
def test_never_twice_and_nothing_against_the_rules(steps: list[dict[str, object]], hours: int) -> None:
    lived(steps, hours)


@settings(max_examples=1200)
@given(st.lists(DOUBT, min_size=2, max_size=6))
def test_never_twice_where_nobody_answers(steps: list[dict[str, object]]) -> None:
    lived(steps, hours=24 * 20)


def lived(steps: list[dict[str, object]], hours: int) -> None:
    """One life of one notice; every promise is asserted after every step."""
    line, n, real, skew = Line(), notice(hours), NOON, dt.timedelta()
    seen = NOON
    for step in steps:
        minutes, moved = step["passed"]  # type: ignore[misc]
        real += dt.timedelta(minutes=minutes)
        skew += dt.timedelta(minutes=moved)
        now = real + skew
        if now < seen - retry.CLOCK_SLACK:
            n = clock_went_back(n)
        seen = now
        if n.state in FINAL:
            before = n
            assert cancelled(n) == before == clock_went_back(n)
            with pytest.raises(ValueError, match="ended"):
                decide(n, OPEN, now)
            continue
        if step["cancel"]:
            tried = n.maybe_sent or n.state == retry.TRYING
            n = cancelled(n)
            assert (n.state == retry.CANCELLED) == (not tried)
            if n.state in FINAL:
                assert line.delivered == []
                continue
        door = Door(step["linked"], bool(step["silenced"]), bool(step["stopped"]), int(str(step["tried"])))  # type: ignore[arg-type]
        what = decide(n, door, now)
        if isinstance(what, End):
            n = replace(n, state=what.state, detail=what.detail)
            assert what.state in (retry.UNKNOWN, retry.HELD, retry.BLOCKED, retry.EXPIRED)
            assert what.state == retry.UNKNOWN or line.delivered == [], "an end that says 'not sent' is true"
        elif isinstance(what, Wait):
            assert what.until > now
            n = replace(n, next_at=min(what.until, now + retry.LONGEST_PAUSE))
        else:
            assert not (is_quiet(now) or door.silenced or door.stopped or not door.linked)
            assert n.not_before <= now < n.expires_at
            assert n.attempts > 0 or door.tried_this_month < SAFE.monthly_cap
            n = what.notice
            reply = line.ask("ok" if step["mood"] == "killed" else str(step["mood"]), real)
            if step["mood"] != "killed":
                n = after(n, reply, now)
        assert len(line.delivered) <= 1
        assert n.state != retry.ACCEPTED or len(line.delivered) == 1
        assert n.state != retry.FAILED or line.delivered == []


@given(INSTANTS)
def test_quiet_hours_end_at_the_first_open_instant(at: dt.datetime) -> None:
    end = quiet_ends(at)
    assert not is_quiet(end)
    assert (end == at) == (not is_quiet(at))
    assert is_quiet(at) is False or is_quiet(end - dt.timedelta(seconds=1))
    assert month_starts(at) <= at < next_month(at)


@given(st.integers(1, 72), st.sampled_from([200, 409, 429, 500, 0]))
def test_every_notice_ends(hours: int, status: int) -> None:
    n, now = notice(hours), NOON
    for _ in range(20_000):
        what = decide(n, OPEN, now)
        if isinstance(what, End):
            n = replace(n, state=what.state)
        elif isinstance(what, Wait):
            now = max(now + dt.timedelta(seconds=1), what.until)
        else:
            n = after(what.notice, Reply(status), now)
        if n.state in FINAL:
            break
    expected = {200: retry.ACCEPTED, 409: retry.ACCEPTED, 429: retry.EXPIRED, 500: retry.UNKNOWN, 0: retry.UNKNOWN}
    assert n.state == expected[status]


@pytest.mark.parametrize(
    ("door", "state"),
    [
        (replace(OPEN, silenced=True), retry.HELD),
        (replace(OPEN, linked=None), retry.BLOCKED),
        (replace(OPEN, linked=False), retry.BLOCKED),
    ],
)
def test_what_ends_an_untried_notice(door: Door, state: str) -> None:
    what = decide(notice(), door, NOON)
    assert isinstance(what, End)
    assert what.state == state


def test_the_answer_after_a_doubtful_one_does_not_claim_more_than_is_known() -> None:
    first = decide(notice(), OPEN, NOON)
    assert isinstance(first, Try)
    doubtful = after(first.notice, Reply(503), NOON)
    assert (doubtful.state, doubtful.maybe_sent) == (retry.WAITING, True)
    second = decide(doubtful, OPEN, doubtful.next_at)
    assert isinstance(second, Try)
    assert after(second.notice, Reply(400), NOON).state == retry.UNKNOWN
    assert after(first.notice, Reply(400), NOON).state == retry.FAILED
    assert after(second.notice, Reply(429, retry_after=90), NOON).next_at == NOON + dt.timedelta(seconds=90)


def test_a_notice_over_the_cap_waits_for_the_next_month_or_expires() -> None:
    full = replace(OPEN, tried_this_month=SAFE.monthly_cap)
    assert decide(notice(24 * 40), full, NOON) == Wait(dt.datetime(2026, 12, 1, 9, tzinfo=JAPAN))
    assert decide(notice(8), full, NOON + dt.timedelta(hours=9)) == End(retry.EXPIRED, "cap")


def tried(at: dt.datetime = NOON, hours: float = 8) -> Notice:
    """A notice whose attempt was written down and never answered."""
    what = decide(notice(hours), OPEN, at)
    assert isinstance(what, Try)
    return what.notice


def test_an_attempt_without_an_answer_is_in_doubt_until_the_key_is_forgotten() -> None:
    again = decide(tried(), OPEN, NOON + dt.timedelta(minutes=1))
    assert isinstance(again, Try)
    assert again.notice.maybe_sent
    assert (again.notice.attempts, again.notice.first_tried_at) == (2, NOON)
    late = decide(tried(hours=72), OPEN, NOON + retry.GIVE_UP)
    assert late == End(retry.UNKNOWN, "time")
    assert decide(tried(hours=8), OPEN, NOON + dt.timedelta(hours=8)) == End(retry.UNKNOWN, "time")
    assert cancelled(tried()) == tried()


def test_a_clock_set_back_ends_what_is_in_doubt_and_nothing_else() -> None:
    before = NOON - retry.CLOCK_SLACK - dt.timedelta(seconds=1)
    early = replace(tried(), not_before=NOON - dt.timedelta(hours=2), next_at=before)
    assert decide(early, OPEN, before) == End(retry.UNKNOWN, "clock")
    assert clock_went_back(tried()).state == retry.UNKNOWN
    assert clock_went_back(notice()) == notice()
    accepted = after(tried(), Reply(200), NOON)
    assert clock_went_back(accepted) == accepted


@pytest.mark.parametrize("door", [replace(OPEN, silenced=True), replace(OPEN, linked=False)])
def test_what_is_in_doubt_is_not_tried_against_a_wish(door: Door) -> None:
    what = decide(tried(), door, NOON + dt.timedelta(minutes=1))
    assert isinstance(what, End)
    assert what.state == retry.UNKNOWN


def test_a_stop_holds_what_is_in_doubt_too() -> None:
    assert isinstance(decide(tried(), replace(OPEN, stopped=True), NOON + dt.timedelta(minutes=1)), Wait)
