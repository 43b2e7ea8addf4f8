"""Small counts (pure): from one to four persons are not told as a number, so that nobody is recognised in a table."""

from typing import Final

LEAST: Final = 5
HIDDEN: Final = "1〜4"


def shown(count: int) -> str:
    """A count as a screen or file tells it."""
    return HIDDEN if 0 < count < LEAST else f"{count:,}"


def row(counts: tuple[int, ...]) -> tuple[str, ...]:
    """Counts of groups within groups, largest first, as they are told: from no two of them can one to four be reckoned.

    A step that lies within four of the last number told (but does not equal it) would tell that few by subtraction: it is left
    out.
    """
    told: list[str] = []
    last: int | None = None
    for count in counts:
        few, near = 0 < count < LEAST, last is not None and 0 < last - count < LEAST
        told.append(HIDDEN if few else "—" if near else f"{count:,}")
        last = last if few or near else count
    return tuple(told)
