"""The matrix: role, purpose and class → read or nothing (pure, deny by default).

Every question not answered by definitions/base/governance is answered "no".
"""

from dataclasses import dataclass

from kizuki.definitions.governance import Governance, Grant, Scope
from kizuki.govern.actor import Actor
from kizuki.terms.tables import ALL_TABLES, Klass

NOTHING = Grant(scope=Scope.NONE, classes=frozenset(), household_classes=frozenset())
"""The grant of a role or purpose nobody wrote down."""

COUNTED = "-"
"""Declared origin of an output column that carries a count or a fixed word."""


@dataclass(frozen=True, slots=True)
class Origin:
    """One column of the mart an output column is made from."""

    table: str
    column: str
    klass: Klass

    @property
    def path(self) -> str:
        """`table.column`."""
        return f"{self.table}.{self.column}"


@dataclass(frozen=True, slots=True)
class Rule:
    """Everything one output column is made from: it may be read only if every part may be."""

    origins: frozenset[Origin]

    @property
    def by_source(self) -> bool:
        """Whether each row's own source takes part in the decision."""
        return any(o.klass is Klass.BY_SOURCE for o in self.origins)


@dataclass(frozen=True, slots=True)
class Sight:
    """The classes and sources an actor reads in one row: their grant, or its household part for a member of the household."""

    classes: frozenset[Klass]
    sources: frozenset[str]

    def reads(self, rule: Rule, source: object = None) -> bool:
        """Whether a cell made from `rule` in a row of `source` may be read."""
        return all(
            source in self.sources if o.klass is Klass.BY_SOURCE else readable(self.classes, o.klass) for o in rule.origins
        )


def grant_of(governance: Governance, actor: Actor) -> Grant:
    """What this actor may read now; NOTHING for an unknown role or a purpose the role does not have."""
    role = governance.roles.get(actor.role)
    return role.grants.get(actor.purpose, NOTHING) if role else NOTHING


def readable(classes: frozenset[Klass], klass: Klass) -> bool:
    """Whether a static class is readable; SEAL and BY_SOURCE never are as such, whatever is written."""
    return klass in classes and klass not in (Klass.SEAL, Klass.BY_SOURCE)


def sight(governance: Governance, classes: frozenset[Klass]) -> Sight:
    """Classes with the sources they open; a source without class stays closed."""
    return Sight(classes, frozenset(s for s, k in governance.source_classes.items() if readable(classes, k)))


def origin(path: str) -> Origin | None:
    """Parse `table.column`; None for `-`. Raises ValueError on anything else."""
    if path == COUNTED:
        return None
    table, _, name = path.partition(".")
    for column in ALL_TABLES[table].columns if table in ALL_TABLES else ():
        if column.name == name:
            return Origin(table, name, column.klass)
    raise ValueError(f"unknown column {path!r}")
