"""Which parts of the core write lines for the relay, in which order, and which take in what kind: named here alone."""

import importlib
from collections.abc import Mapping
from typing import Any, Final

from kizuki.app.exchange import Parts, TakeIn
from kizuki.push import lines

CONSENTS, NOTICES, ENQUIRIES = "kizuki.app.consents", "kizuki.app.notice_outbox", "kizuki.app.enquiries"
CORE_WRITERS: Final = (CONSENTS, NOTICES)
"""Silences and texts first, so that within one file a notice never comes before what forbids it."""
CORE_TAKERS: Final[Mapping[str, str]] = {
    lines.Outcome.kind: NOTICES,
    lines.Opened.kind: NOTICES,
    lines.Linked.kind: CONSENTS,
    lines.Answer.kind: CONSENTS,
    lines.Asked.kind: ENQUIRIES,
}


def core_parts() -> Parts:
    """The parts, loaded; the app must be open."""
    return Parts(tuple(_part(name) for name in CORE_WRITERS), {kind: _taker(name) for kind, name in CORE_TAKERS.items()})


def _part(name: str) -> Any:
    return importlib.import_module(name)


def _taker(name: str) -> TakeIn:
    taker: TakeIn = _part(name).take_in
    return taker
