"""Which criteria sets, and which of their entries, apply on a day."""

import dataclasses
import datetime as dt

from kizuki.definitions.criteria import CriteriaSet, Entry
from kizuki.definitions.expression import terms_of
from kizuki.definitions.loader import Definitions


def active(definitions: Definitions, as_of: dt.date) -> list[CriteriaSet]:
    """The sets in force on `as_of`, by id.

    An entry marked 「受領していなければ外す」 is left out while the city has decided not to receive its data: counted as
    unknown it would put every child on the list and say nothing about any of them.
    """
    found = [c for c in definitions.criteria.values() if c.in_force(as_of)]
    return [dataclasses.replace(c, entries=_entries(c, definitions)) for c in sorted(found, key=lambda c: c.id)]


def left_out(criteria: CriteriaSet, definitions: Definitions) -> tuple[Entry, ...]:
    """The entries `active` leaves out, for the sheet that explains the set."""
    kept = _entries(criteria, definitions)
    return tuple(e for e in criteria.entries if e not in kept)


def _entries(criteria: CriteriaSet, definitions: Definitions) -> tuple[Entry, ...]:
    return tuple(e for e in criteria.entries if not (e.text.needs_feed and _off(e, definitions)))


def _off(entry: Entry, definitions: Definitions) -> bool:
    sources = {definitions.items[t.id].source for t in terms_of(entry.condition)}
    return any(s in definitions.sources and not definitions.sources[s].enabled for s in sources)
