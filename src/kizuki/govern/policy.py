"""The matrix: role, purpose and class → read or nothing (pure, deny by default).

Every question not answered by definitions/base/governance is answered "no".
"""

from dataclasses import dataclass

from kizuki.definitions.governance import Governance, Grant, Scope
from kizuki.govern.actor import Actor
from kizuki.terms.tables import ALL_TABLES, Klass

NOTHING = Grant(scope=Scope.NONE, classes=frozenset(), household_classes=frozenset())
"""The grant of a role or purpose nobody wrote down."""

_COUNTED = "-"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an output column comes from, and the fixed source of a BY_SOURCE column if one is named."""

    table: str
    column: str
    klass: Klass
    source: str | None = None

    @property
    def path(self) -> str:
        """`table.column`."""
        return f"{self.table}.{self.column}"


def grant_of(governance: Governance, actor: Actor) -> Grant:
    """What this actor may read now; NOTHING for an unknown role or a purpose the role does not have."""
    role = governance.roles.get(actor.role)
    return role.grants.get(actor.purpose, NOTHING) if role else NOTHING


def reads(grant: Grant, klass: Klass) -> bool:
    """Whether a static class is readable; BY_SOURCE is never readable as such (see `source_reads`)."""
    return klass in grant.classes and klass not in (Klass.SEAL, Klass.BY_SOURCE)


def source_reads(governance: Governance, grant: Grant, source: object) -> bool:
    """Whether rows of one source are readable; a source without class is not."""
    klass = governance.source_classes.get(source) if isinstance(source, str) else None
    return klass is not None and reads(grant, klass)


def origin(text: str) -> Origin | None:
    """Parse `table.column[@source]`; None for `-` (counts, fixed words). Raises ValueError on anything else."""
    if text == _COUNTED:
        return None
    path, _, source = text.partition("@")
    table, _, name = path.partition(".")
    for column in ALL_TABLES[table].columns if table in ALL_TABLES else ():
        if column.name == name:
            return Origin(table, name, column.klass, source or None)
    raise ValueError(f"unknown column {text!r}")


def may_read(governance: Governance, grant: Grant, where: Origin) -> bool | None:
    """True or False when the column alone decides; None when each row's own source decides."""
    if where.klass is not Klass.BY_SOURCE:
        return reads(grant, where.klass)
    return source_reads(governance, grant, where.source) if where.source else None
