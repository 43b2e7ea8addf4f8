"""Reviewers' words: the newest counts, withdrawing brings back the one before, and contradictions are refused by number."""

import datetime as dt

import pytest

from kizuki.link.master import KeyMaster, no_events
from kizuki.link.words import Bonds, Ref
from kizuki.terms.errors import InputRefused
from tests.unit.link_people import REGISTER
from tests.unit.test_link_master import groups, night, who

DAY = dt.date(2026, 11, 1)
R1, R2, R3 = ((REGISTER, f"R{n}") for n in (1, 2, 3))
A, B, C = (("office", n) for n in "abc")


def say(master: KeyMaster, *said: tuple[Ref, Ref, str]) -> KeyMaster:
    for left, right, answer in said:
        master = master.plus(master.decide(left, right, answer, night=DAY, actor="審査者1", reason="検査"))
    return master


def empty() -> KeyMaster:
    return KeyMaster(no_events())


def refused(master: KeyMaster, left: Ref, right: Ref, answer: str) -> str:
    with pytest.raises(InputRefused) as told:
        master.decide(left, right, answer, night=DAY, actor="審査者1", reason="検査")
    return str(told.value)


def test_withdrawing_brings_back_the_word_before_to_any_depth_whichever_way_round_it_is_said() -> None:
    master = say(empty(), (A, R1, "same"), (R1, A, "different"), (A, R1, "hold"), (A, R1, "same"))
    seen = []
    while master.standing_words():
        seen.append(master.standing_words()[0].answer)
        master = say(master, (R1, A, "withdrawn"))
    assert seen == ["same", "hold", "different", "same"]
    assert [t.num_rows for t in master.standing()] == [0, 0]
    assert "K321" in refused(master, A, R1, "withdrawn")
    assert len(master.words()) == 8


def test_words_reach_further_than_their_pair() -> None:
    must, cannot = say(empty(), (A, B, "same"), (B, R1, "same"), (R1, C, "different"), (C, R2, "same")).standing()
    assert {(r["record_id"], r["resident_id"]) for r in must.to_pylist()} == {("a", "R1"), ("b", "R1"), ("c", "R2")}
    assert {(r["record_id"], r["resident_id"]) for r in cannot.to_pylist()} == {
        ("a", "R2"),
        ("b", "R2"),
        ("c", "R1"),
        ("R2", "R1"),
    }


def test_of_two_rows_of_one_resident_a_record_goes_to_one_that_is_there() -> None:
    master = say(empty(), (R1, R2, "same"), (A, R1, "same"))
    for present, expected in ((None, "R1"), ({"R1", "R2"}, "R1"), ({"R2"}, "R2")):
        assert master.standing(present)[0].to_pylist()[0]["resident_id"] == expected
    assert master.standing({"R9"})[0].num_rows == 0


@pytest.mark.parametrize(
    ("said", "word", "named"),
    [
        ([(A, B, "same"), (B, C, "same")], (A, C, "different"), [1, 2]),
        ([(A, B, "same"), (A, C, "different")], (B, C, "same"), [1, 2]),
        ([(A, R1, "same")], (A, R2, "same"), [1]),
        ([(A, R1, "same"), (B, R2, "same")], (A, B, "same"), [1, 2]),
        ([(R1, R2, "same"), (A, R1, "same"), (A, R2, "same")], (R1, R2, "different"), [2, 3]),
        ([(R1, R2, "same"), (A, R1, "same"), (A, R2, "same")], (R1, R2, "withdrawn"), [2, 3]),
        ([(A, B, "different"), (A, B, "hold"), (A, C, "same"), (C, B, "same")], (A, B, "withdrawn"), [3, 4, 1]),
    ],
    ids=[
        "chain",
        "triangle",
        "two-residents",
        "two-residents-by-chain",
        "residents-parted",
        "residents-withdrawn",
        "old-word-back",
    ],
)
def test_a_word_that_contradicts_others_is_refused_naming_them_and_nobody(
    said: list[tuple[Ref, Ref, str]], word: tuple[Ref, Ref, str], named: list[int]
) -> None:
    text = refused(say(empty(), *said), *word)
    assert text.startswith("[K320]")
    assert {n for n in range(1, 9) if f"{n}番" in text} == set(named)
    assert not [key for key in ("R1", "R2", "'a'", "'b'") if key in text]


def test_words_that_do_not_contradict_are_taken() -> None:
    say(empty(), (A, R1, "same"), (A, R1, "different"), (A, R2, "same"), (B, R1, "same"), (A, B, "different"), (R1, R2, "hold"))
    say(empty(), (R1, R2, "same"), (R2, R3, "same"), (A, R1, "same"), (B, R3, "same"), (A, B, "same"), (A, B, "same"))


def test_contradicting_words_read_from_elsewhere_are_left_out_in_order() -> None:
    words = say(empty(), (A, B, "same"), (B, C, "same")).words()
    late = words[0].__class__(9, DAY, A, C, "different")
    bonds = Bonds([*words, late], REGISTER)
    assert [tuple(w.seq for w in found) for found in bonds.contradictions] == [(1, 2, 9)]
    assert not bonds.apart(A, C)


def test_two_rows_of_one_resident_are_one_person_by_word_only_and_two_again_without_it() -> None:
    master, _ = night(empty(), groups("R2 b"))
    master, before = night(master, groups("R1 a", "R2 b"), 1)
    old, new = who(before)["R2"], who(before)["R1"]
    master, joined = night(say(master, (R1, R2, "same")), groups("R1 a", "R2 b"), 2)
    assert set(who(joined).values()) == {old}
    assert {r["record_id"]: r["state"] for r in joined.link.to_pylist()} == {
        "R1": "auto",
        "a": "auto",
        "R2": "reviewed",
        "b": "auto",
    }
    assert joined.redirect.to_pylist() == [{"person_id": new, "current_person_id": old}]
    master, parted = night(say(master, (R1, R2, "withdrawn")), groups("R1 a c", "R2 b"), 3)
    assert {k: v for k, v in who(parted).items() if k != "c"} == who(before)
    assert parted.redirect.num_rows == 0
    assert master.as_of(DAY + dt.timedelta(days=2)).redirects() == {new: old}


def test_records_outside_the_register_are_joined_and_parted_by_word() -> None:
    master, before = night(empty(), groups("a", "b c"))
    master, joined = night(say(master, (A, B, "same"), (B, C, "different")), groups("a", "b c"), 1)
    found = who(joined)
    assert found["a"] == found["b"] != found["c"]
    states = {r["record_id"]: (r["rule"], r["state"]) for r in joined.link.to_pylist()}
    assert states == {"a": ("decision", "reviewed"), "b": ("decision", "reviewed"), "c": ("single", "single")}
    _, back = night(say(master, (B, C, "withdrawn"), (A, B, "withdrawn")), groups("a", "b c"), 2)
    assert back.link.equals(before.link)


def test_one_person_given_two_residents_by_the_machine_waits_for_a_person() -> None:
    master, before = night(empty(), groups("R1 a", "R2 b"))
    master, doubtful = night(say(master, (A, B, "same")), groups("R1 a", "R2 b"), 1)
    assert who(doubtful)["a"] == who(doubtful)["b"] not in {who(before)["R1"], who(before)["R2"]}
    asked = {(r["record_id"], r["resident_id"], r["reason"]) for r in doubtful.review.to_pylist()}
    assert asked == {("a", "R1", "decision_conflict"), ("b", "R2", "decision_conflict")}
    _, settled = night(say(master, (A, R2, "different")), groups("R1 a", "R2 b"), 2)
    assert {who(settled)[n] for n in "ab"} == {who(before)["R1"]}


def test_one_record_brings_the_other_to_its_resident() -> None:
    _, found = night(say(empty(), (A, B, "same")), groups("R1 a", "b"))
    assert who(found)["b"] == who(found)["R1"]
    assert {r["record_id"]: r["state"] for r in found.link.to_pylist()}["b"] == "reviewed"


def test_a_dissolved_id_follows_its_records_when_they_move_on() -> None:
    master, before = night(empty(), groups("R1", "R2", "a"))
    old = who(before)["a"]
    master, first = night(master, groups("R1 a", "R2"), 1)
    assert master.redirects() == {old: who(first)["R1"]}
    master, _ = night(master, groups("R1", "R2 a"), 2)
    assert master.redirects() == {old: who(before)["R2"]}
    master, gone = night(master, groups("R1", "R2", "a"), 3)
    assert (who(gone), master.redirects()) == (who(before), {})


def test_a_resident_missing_for_a_night_comes_back_as_the_same_person() -> None:
    master, before = night(empty(), groups("R1 a", "R2"))
    master, gap = night(master, groups("R2", "a"), 1)
    assert who(gap)["a"] == who(before)["R1"]
    _, back = night(master, groups("R1 a", "R2"), 2)
    assert who(back) == who(before)
    emptied, _ = night(master, groups("R2"), 3)
    _, again = night(emptied, groups("R1 a", "R2"), 4)
    assert who(again) == who(before)


def test_the_history_of_a_person_holds_its_events_and_the_words_about_its_records() -> None:
    master, before = night(empty(), groups("R1", "a", "R2"))
    master, _ = night(say(master, (A, R1, "same"), (B, R2, "different")), groups("R1 a", "R2"), 1)
    told = master.history(who(before)["a"]).to_pylist()
    assert [e["kind"] for e in told] == ["create", "link", "decide", "unlink", "merge"]
    assert master.history("nobody").num_rows == 0
