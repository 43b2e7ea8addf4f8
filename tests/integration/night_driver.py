"""Runs one night in a process of its own and kills it there with SIGKILL: after the n-th ledger event of a kind, or in time."""

import datetime as dt
import os
import signal
import threading
from pathlib import Path
from typing import Any

from kizuki.app.run import run
from kizuki.cli.options import definitions_of
from kizuki.engine.ledger import Ledger

AS_OF = dt.date(2026, 11, 20)
NOW = dt.datetime(2026, 11, 21, 3, 0, tzinfo=dt.UTC)


def _kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _kill_after(kind: str, number: int) -> None:
    """The process dies as soon as the ledger has the n-th event of a kind: the boundary between two steps or stages."""
    append = Ledger.append
    seen = 0

    def counting(self: Ledger, *events: dict[str, Any]) -> None:
        nonlocal seen
        append(self, *events)
        seen += sum(event.get("event") == kind for event in events)
        if seen >= number:
            _kill()

    Ledger.append = counting  # type: ignore[method-assign]


def main(home: Path, as_of: dt.date, how: str, when: float) -> None:
    """`how` is `whole`, `seconds` (die after that time) or a kind of ledger event (die after that many)."""
    if how == "seconds":
        timer = threading.Timer(when, _kill)
        timer.daemon = True
        timer.start()
    elif how != "whole":
        _kill_after(how, int(when))
    run(home, definitions_of(home), as_of, NOW)
