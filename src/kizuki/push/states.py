"""Which status of a notice may follow which (pure). The names are those of `records.notice_models.NoticeStatus`.

Sending happens once, between `waiting` and what the relay tells. `unknown` (nobody can say whether it arrived) leads only to
`accepted`, when proof comes later: never back to sending, on no channel. What certainly did not arrive (`failed`, `blocked`,
`expired`) may still be printed or told under the same number.
"""

from collections.abc import Mapping
from typing import Final

WAITING, HANDED, ACCEPTED, UNKNOWN, FAILED = "waiting", "handed", "accepted", "unknown", "failed"
BLOCKED, EXPIRED, CANCELLED, HELD, PRINTED, TOLD = "blocked", "expired", "cancelled", "held", "printed", "told"

FOLLOWS: Final[Mapping[str, frozenset[str]]] = {
    WAITING: frozenset({HANDED, HELD, CANCELLED, EXPIRED, PRINTED, TOLD}),
    HANDED: frozenset({ACCEPTED, UNKNOWN, FAILED, BLOCKED, EXPIRED, CANCELLED, HELD}),
    UNKNOWN: frozenset({ACCEPTED}),
    FAILED: frozenset({PRINTED, TOLD}),
    BLOCKED: frozenset({PRINTED, TOLD}),
    EXPIRED: frozenset({PRINTED, TOLD}),
    ACCEPTED: frozenset(),
    CANCELLED: frozenset(),
    HELD: frozenset(),
    PRINTED: frozenset({TOLD}),
    TOLD: frozenset(),
}
REACHED: Final = frozenset({WAITING, HANDED, ACCEPTED, UNKNOWN, PRINTED, TOLD})
"""Statuses in which a notice counts as one the household has, or may still get: for the interval and the monthly cap."""
UNDER_WAY: Final = frozenset({WAITING, HANDED})
FROM_RELAY: Final = frozenset({ACCEPTED, UNKNOWN, FAILED, BLOCKED, EXPIRED, CANCELLED, HELD})
"""What the relay may tell of a notice."""


def may_follow(before: str, after: str) -> bool:
    """Whether a notice may go from one status to another; a status it has already is no step."""
    return after in FOLLOWS[before]
