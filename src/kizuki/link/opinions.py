"""From reviewers' answers to one word about a pair (pure): when it is settled, when a second or third person must look.

A machine's certainty plays no part here; who answered first is not known to who answers next.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

SAME, DIFFERENT, HOLD = "same", "different", "hold"
ANSWERS = (SAME, DIFFERENT, HOLD)
_MAJORITY = 2


class Standing(StrEnum):
    """Where a pair stands."""

    OPEN = "open"  # nobody has answered
    HELD = "held"  # somebody could not tell, nobody could
    SECOND = "second"  # one person has answered, another must
    SPLIT = "split"  # two people answered differently, a third must
    SETTLED = "settled"


@dataclass(frozen=True, slots=True)
class Opinion:
    """One reviewer's standing answer."""

    reviewer: int
    answer: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """Where a pair stands, the word if it is settled, and how many people spoke for it."""

    standing: Standing
    answer: str = ""
    people: int = 0


def weigh(opinions: Sequence[Opinion], needed: dict[str, int]) -> Outcome:
    """The outcome of the standing answers (one per reviewer).

    `needed` = how many people each word takes when nobody objects; once two people differ, the word of two out of three
    stands. A hold decides nothing. Raises ValueError if a reviewer appears twice.
    """
    if len({o.reviewer for o in opinions}) != len(opinions):
        raise ValueError("one standing answer per reviewer")
    votes = {answer: sum(o.answer == answer for o in opinions) for answer in (SAME, DIFFERENT)}
    spoken = [answer for answer, count in votes.items() if count]
    if not spoken:
        return Outcome(Standing.HELD if opinions else Standing.OPEN)
    word = max(spoken, key=lambda answer: votes[answer])
    if len(spoken) == 1:
        enough = votes[word] >= needed[word]
        return Outcome(Standing.SETTLED, word, votes[word]) if enough else Outcome(Standing.SECOND)
    if votes[SAME] == votes[DIFFERENT] or votes[word] < _MAJORITY:
        return Outcome(Standing.SPLIT)
    return Outcome(Standing.SETTLED, word, votes[word])
