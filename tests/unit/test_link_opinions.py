"""From answers to a word: how many people it takes, what a difference does, and that order never matters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kizuki.link.opinions import ANSWERS, DIFFERENT, HOLD, SAME, Opinion, Outcome, Standing, weigh

ONE, TWO = {SAME: 1, DIFFERENT: 1}, {SAME: 2, DIFFERENT: 2}
UNLINK = {SAME: 1, DIFFERENT: 2}


def said(*words: str) -> list[Opinion]:
    return [Opinion(i, word) for i, word in enumerate(words)]


@pytest.mark.parametrize(
    ("words", "needed", "expected"),
    [
        ((), ONE, Outcome(Standing.OPEN)),
        ((SAME,), ONE, Outcome(Standing.SETTLED, SAME, 1)),
        ((HOLD,), ONE, Outcome(Standing.HELD)),
        ((HOLD, DIFFERENT), ONE, Outcome(Standing.SETTLED, DIFFERENT, 1)),
        ((SAME,), TWO, Outcome(Standing.SECOND)),
        ((SAME, HOLD), TWO, Outcome(Standing.SECOND)),
        ((SAME, SAME), TWO, Outcome(Standing.SETTLED, SAME, 2)),
        ((SAME, DIFFERENT), TWO, Outcome(Standing.SPLIT)),
        ((SAME, DIFFERENT, DIFFERENT), TWO, Outcome(Standing.SETTLED, DIFFERENT, 2)),
        ((SAME, DIFFERENT, HOLD), TWO, Outcome(Standing.SPLIT)),
        ((SAME,), UNLINK, Outcome(Standing.SETTLED, SAME, 1)),
        ((DIFFERENT,), UNLINK, Outcome(Standing.SECOND)),
        ((DIFFERENT, SAME), UNLINK, Outcome(Standing.SPLIT)),
    ],
)
def test_answers_come_to(words: tuple[str, ...], needed: dict[str, int], expected: Outcome) -> None:
    assert weigh(said(*words), needed) == expected


def test_nobody_speaks_twice() -> None:
    with pytest.raises(ValueError, match="one standing answer"):
        weigh([Opinion(1, SAME), Opinion(1, SAME)], TWO)


@given(st.lists(st.sampled_from(ANSWERS), max_size=6), st.randoms(use_true_random=False), st.sampled_from([ONE, TWO, UNLINK]))
def test_order_never_matters(words: list[str], shuffled: object, needed: dict[str, int]) -> None:
    opinions = said(*words)
    other = list(opinions)
    shuffled.shuffle(other)  # type: ignore[attr-defined]
    assert weigh(opinions, needed) == weigh(other, needed)


@given(st.lists(st.sampled_from(ANSWERS), max_size=6), st.sampled_from([ONE, TWO, UNLINK]))
def test_a_settled_word_has_its_people_and_never_a_tie(words: list[str], needed: dict[str, int]) -> None:
    outcome = weigh(said(*words), needed)
    if outcome.standing is Standing.SETTLED:
        other = DIFFERENT if outcome.answer == SAME else SAME
        assert words.count(outcome.answer) == outcome.people > words.count(other)
        assert outcome.people >= (needed[outcome.answer] if other not in words else 2)
    else:
        assert (outcome.answer, outcome.people) == ("", 0)
