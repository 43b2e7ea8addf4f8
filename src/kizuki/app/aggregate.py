"""Sums over the whole city for people who may see no child: permitted, audited, and too small a cell is not told.

The one door of rows is `release`; what comes out here has no row about anybody. The event is written before the sums leave.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from kizuki.app import accounts, audit
from kizuki.app.accounts import allow
from kizuki.app.served import Served
from kizuki.engine.sql import bind, load
from kizuki.govern.actor import Actor

SMALLEST: Final = 10
"""A count of one to nine people is not told where it would describe a group."""
FEW_PEOPLE: Final = f"{SMALLEST}人未満"


def permitted(actor: Actor, action: str, served: Served, fields: Sequence[str], criteria: str) -> None:
    """Raise NotPermitted unless the actor may, then record that sums of these fields were shown (K703 if that fails)."""
    allow(actor, action)
    entry = audit.Entry(
        fields=sorted(fields), terms={"criteria": criteria}, snapshot=served.view.id, policy=accounts.policy_version()
    )
    audit.record(actor, action, entry)


def sums(served: Served, name: str, **params: Any) -> list[dict[str, Any]]:
    """Rows of one aggregating query of `app/sql`; call `permitted` first."""
    rows: list[dict[str, Any]] = served.view.cursor().query(bind(load("kizuki.app", name), **params)).to_pylist()
    return rows


def suppressed(counts: Mapping[str, float]) -> frozenset[str]:
    """Names of the cells that may not be told: the small ones, and with a single one the next smallest too.

    Otherwise the small one is what is left when the others are taken from the total. Zero is told.
    """
    small = {n for n, count in counts.items() if 0 < count < SMALLEST}
    if len(small) == 1 and len(counts) > 1:
        others = [n for n in counts if n not in small and counts[n] > 0]
        if others:
            small.add(min(others, key=lambda n: counts[n]))
    return frozenset(small)
