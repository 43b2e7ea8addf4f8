"""支援措置: what a seal hides, and from whom (pure).

Source: 住民記録標準仕様 1.1.16; the incidents in which a routine document told the address.

A seal hides where a person can be found: address, telephone, school, nursery, any facility, and record keys that contain
a school code. It covers the whole household. Only a named, dated grant opens it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from kizuki.govern.policy import Rule
from kizuki.terms.tables import Klass

PLACE_COLUMNS = frozenset({"facility", "record_id", "school_code", "town", "address", "address_extra", "postcode", "phone"})
"""Columns that tell a place whatever their class: a school in a spell, a school code inside a record key."""


@dataclass(frozen=True, slots=True)
class Seals:
    """Who is sealed now, and whose seal this actor may look behind."""

    sealed: frozenset[str]
    opened: frozenset[str] = frozenset()

    def closed_to_actor(self, person_id: object) -> bool:
        """Whether this person's whereabouts are hidden from the actor."""
        return person_id in self.sealed and person_id not in self.opened

    @property
    def hidden(self) -> frozenset[str]:
        """Everybody hidden from the actor."""
        return self.sealed - self.opened


def tells_place(column: str, klass: Klass) -> bool:
    """Whether a column of the mart says where somebody is."""
    return klass is Klass.ADDR or column in PLACE_COLUMNS


def hidden_columns(rules: Mapping[str, Rule]) -> frozenset[str]:
    """Output columns masked for a sealed person."""
    return frozenset(out for out, rule in rules.items() if any(tells_place(o.column, o.klass) for o in rule.origins))


def spread(persons: Iterable[str], households: Mapping[str, Iterable[str]]) -> frozenset[str]:
    """Persons with everybody who lives with them."""
    marked = set(persons)
    return frozenset(marked.union(*(households.get(p, ()) for p in tuple(marked))))
