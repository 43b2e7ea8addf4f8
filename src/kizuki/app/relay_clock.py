"""The time a round of sending goes by: this machine's, once LINE's own clock has agreed, and from then on by the counter.

A clock that is wrong would send at night by day's time, and would make a retry key seem younger than it is. So before a round
LINE is asked what time it is (the `Date` of any answer of its, RFC 9110 §6.6.1); where the two differ nothing is sent. During
the round the machine's monotonic counter goes on, so that a clock set forward or back in the middle moves nothing.
"""

import datetime as dt
import time
from collections.abc import Callable
from typing import Final, Protocol

from django.utils import timezone

from kizuki.terms.errors import RunFailed

LIMIT: Final = dt.timedelta(minutes=1)
Clock = Callable[[], dt.datetime]


class Teller(Protocol):
    """Somebody who tells the time."""

    def time(self) -> dt.datetime | None:
        """The time there; None if nobody answers."""


def agreed(line: Teller, wall: Clock = timezone.localtime, counter: Callable[[], float] = time.monotonic) -> Clock:
    """A clock for one round.

    Raises RunFailed: K666 this machine's clock and LINE's differ by more than a minute; K667 LINE does not answer (it could not
    be sent to either). In both cases nothing may be sent or closed in this round.
    """
    told, begun, at = line.time(), counter(), wall()
    if told is None:
        raise RunFailed(
            "K667", "LINEに問い合わせられません。", "中継", "回線と、外へ出る通信の許可を確かめてください。続けて試します。"
        )
    if abs(at - told) > LIMIT:
        raise RunFailed(
            "K666",
            "この機械の時計が、LINEの時計と1分より大きくずれています。お知らせを送りません。",
            "中継",
            "時計を合わせてください。合えば、次の回から送ります。",
        )
    return lambda: at + dt.timedelta(seconds=counter() - begun)
