"""Consent: never standing after a withdrawal, whatever the order, the clocks and the repeats; codes catch slips of the hand."""

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from kizuki.push import codes
from kizuki.push.consent import UNWANTED, WANTED, WITHDRAWN, Event, Text, held
from kizuki.push.safety import Adult, Candidate, one_of, unsafe

DAY = dt.date(2026, 6, 1)
START = dt.datetime(2026, 6, 1, 9, tzinfo=dt.UTC)
TEXTS = {
    "1": Text("1", DAY - dt.timedelta(days=30), DAY + dt.timedelta(days=20), frozenset({"tax"})),
    "2": Text("2", DAY + dt.timedelta(days=10), None, frozenset({"tax", "programme_name"})),
}
AT = START + dt.timedelta(days=40)
scopes = st.frozensets(st.sampled_from(["tax", "programme_name", "other"]))
events = st.builds(
    Event,
    key=st.sampled_from(["a", "b"]),
    answer=st.sampled_from([WANTED, UNWANTED, WITHDRAWN]),
    scopes=scopes,
    text_version=st.sampled_from(["1", "2", "none"]),
    answered_at=st.integers(0, 60).map(lambda d: START + dt.timedelta(days=d)),
)
many = st.lists(events, max_size=12)


@given(many, st.randoms(use_true_random=False))
def test_the_order_of_arrival_and_repeats_change_nothing(given_events: list[Event], random: object) -> None:
    before = held(given_events, TEXTS, AT)
    shuffled = [*given_events, *given_events[:3]]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert held(shuffled, TEXTS, AT) == before


@given(many, st.integers(0, 60), st.sampled_from([UNWANTED, WITHDRAWN]))
def test_nothing_stands_after_a_no_that_nobody_took_back(given_events: list[Event], day: int, answer: str) -> None:
    said = START + dt.timedelta(days=day)
    no = Event("a", answer, frozenset(), "1", said)
    earlier = [e for e in given_events if e.answered_at <= said]
    assert "a" not in held([*earlier, no], TEXTS, AT)


@given(many)
def test_what_stands_was_asked_about_by_a_text_in_force_that_day(given_events: list[Event]) -> None:
    for key, found in held(given_events, TEXTS, AT).items():
        text = TEXTS[found.text_version]
        assert found.since <= AT and text.in_force(found.since.date()) and found.scopes <= text.scopes
        last = max(e.answered_at for e in given_events if e.key == key)
        assert found.since == last
        assert all(e.answer == WANTED for e in given_events if e.key == key and e.answered_at == last)


@given(many)
def test_another_persons_answers_are_no_matter(given_events: list[Event]) -> None:
    alone = held([e for e in given_events if e.key == "a"], TEXTS, AT)
    assert held(given_events, TEXTS, AT).get("a") == alone.get("a")


def test_a_yes_really_can_stand_and_two_at_once_cover_what_both_cover() -> None:
    yes = Event("a", WANTED, frozenset({"tax", "programme_name"}), "2", START + dt.timedelta(days=12))
    assert held([yes], TEXTS, AT)["a"].scopes == {"tax", "programme_name"}
    narrower = Event("a", WANTED, frozenset({"tax"}), "1", yes.answered_at)
    assert held([yes, narrower], TEXTS, AT)["a"].scopes == {"tax"}
    assert held([yes, Event("a", WITHDRAWN, frozenset(), "2", yes.answered_at)], TEXTS, AT) == {}


def test_a_no_from_a_clock_that_ran_ahead_counts_at_once_and_a_yes_from_one_does_not() -> None:
    yes = Event("a", WANTED, frozenset(), "2", START + dt.timedelta(days=12))
    ahead = AT + dt.timedelta(days=3)
    assert held([yes, Event("a", WITHDRAWN, frozenset(), "2", ahead)], TEXTS, AT) == {}
    assert held([Event("a", WANTED, frozenset(), "2", ahead)], TEXTS, AT) == {}


@given(st.integers(0, 10**11 - 1), st.integers(0, 11), st.integers(1, 9))
def test_one_wrong_digit_never_passes(body: int, place: int, by: int) -> None:
    text = f"{body:011d}"
    code = text + codes.check_digit(text)
    assert codes.typed(code) == code
    wrong = code[:place] + str((int(code[place]) + by) % 10) + code[place + 1 :]
    assert codes.typed(wrong) is None


@given(st.integers(0, 10**11 - 1), st.integers(0, 10))
def test_two_neighbours_swapped_never_pass(body: int, place: int) -> None:
    text = f"{body:011d}"
    code = text + codes.check_digit(text)
    swapped = code[:place] + code[place + 1] + code[place] + code[place + 2 :]
    assert swapped == code or codes.typed(swapped) is None


def test_codes_are_read_as_people_type_them_and_kept_only_as_digests() -> None:
    code = codes.draw()
    wide = codes.printed(code).translate(str.maketrans("0123456789-", "０１２３４５６７８９－"))
    assert codes.typed(f" {wide}　") == code
    assert code not in codes.digest(code, b"k") and codes.digest(code, b"k") != codes.digest(code, b"l")


adults = st.builds(
    Adult,
    person_id=st.sampled_from(["p1", "p2", "p3"]),
    status=st.sampled_from(["resident", "moved_out", "deceased", "non_resident", ""]),
    household_id=st.sampled_from(["h1", ""]),
    birth_date=st.one_of(st.none(), st.dates(dt.date(1950, 1, 1), dt.date(2020, 1, 1))),
    parent=st.booleans(),
    sealed=st.booleans(),
    pending=st.booleans(),
    receiver=st.booleans(),
    head=st.booleans(),
)


@given(adults)
def test_whoever_is_told_is_a_living_adult_parent_here_unsealed_and_certain(adult: Adult) -> None:
    safe = unsafe(adult, DAY) is None
    grown = adult.birth_date is not None and adult.birth_date <= dt.date(DAY.year - 18, DAY.month, DAY.day)
    here = adult.status == "resident" and bool(adult.household_id)
    assert safe == (here and grown and adult.parent and not adult.sealed and not adult.pending)


@given(st.lists(adults, min_size=1, max_size=4), st.randoms(use_true_random=False))
def test_the_one_told_does_not_depend_on_the_order_and_a_receiver_comes_first(found: list[Adult], random: object) -> None:
    candidates = [Candidate(a, START + dt.timedelta(days=n), f"N{n}") for n, a in enumerate(found)]
    chosen = one_of(candidates)
    random.shuffle(candidates)  # type: ignore[attr-defined]
    assert one_of(candidates) == chosen
    assert chosen.adult.receiver == any(a.receiver for a in found)
    rivals = [c for c in candidates if (c.adult.receiver, c.adult.head) == (chosen.adult.receiver, chosen.adult.head)]
    assert chosen.since == min(c.since for c in rivals)
