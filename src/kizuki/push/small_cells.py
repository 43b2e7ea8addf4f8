"""Small counts (pure): from one to four persons are not told as a number, so that nobody is recognised in a table."""

from typing import Final

LEAST: Final = 5
HIDDEN: Final = "1〜4"


def shown(count: int) -> str:
    """A count as a screen or file tells it."""
    return HIDDEN if 0 < count < LEAST else f"{count:,}"


def row(counts: tuple[int, ...]) -> tuple[str, ...]:
    """Counts of groups within groups, largest first, as they are told: no difference of neighbours below five comes out either.

    A step whose count lies within four of the one before (but not equal to it) would tell that few by subtraction: it is left
    out.
    """
    told: list[str] = []
    for place, count in enumerate(counts):
        near = place > 0 and 0 < counts[place - 1] - count < LEAST
        told.append(HIDDEN if 0 < count < LEAST else "—" if near else f"{count:,}")
    return tuple(told)
