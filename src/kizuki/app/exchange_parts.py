"""Which parts of the core write lines for the relay, in which order, and which take in what kind: named here alone."""

from collections.abc import Mapping
from typing import Final

from kizuki.app import city_rules_told, consents, enquiries, notice_outbox, relay_leftovers
from kizuki.app.exchange import Part, Parts, TakeIn
from kizuki.push import lines

CORE_WRITERS: Final[tuple[Part, ...]] = (relay_leftovers, city_rules_told, consents, notice_outbox)
"""Rules, silences and texts first, so that within one file a notice never comes before what forbids it."""
CORE_TAKERS: Final[Mapping[str, TakeIn]] = {
    lines.Outcome.kind: notice_outbox.take_in,
    lines.Opened.kind: notice_outbox.take_in,
    lines.Linked.kind: consents.take_in,
    lines.Answer.kind: consents.take_in,
    lines.Asked.kind: enquiries.take_in,
}


def core_parts() -> Parts:
    """The parts as they are wired."""
    return Parts(CORE_WRITERS, CORE_TAKERS)
