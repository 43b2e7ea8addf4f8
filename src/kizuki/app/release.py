"""The one door to personal data (G5): role, purpose and class; row scope; seals; audit; then rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kizuki.govern.actor import Actor
from kizuki.govern.masking import MASKED, Masked

__all__ = ["MASKED", "Actor", "Ask", "Masked", "Query", "Released", "record_output", "release", "release_page"]


@dataclass(frozen=True, slots=True)
class Query:
    """One declared read: `app/sql/<name>.sql`, a single SELECT over snapshot tables with parameters `$x`.

    `columns` maps each output column to the `table.column` it comes from, which decides its class. Special
    forms: `-` = a count or a fixed word without personal data; `table.column@source_id` = a BY_SOURCE column of one fixed
    source (otherwise the row's own output column `source` decides). `subject` = the output column holding person_id; None
    only when no personal rows come out.
    """

    name: str
    tables: tuple[str, ...]
    columns: Mapping[str, str]
    subject: str | None


@dataclass(frozen=True, slots=True)
class Ask:
    """One query with its parameters, as one part of a page."""

    query: Query
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Released:
    """Rows the actor may see; masked cells hold `MASKED`; `withheld` = (column, Japanese reason)."""

    rows: list[dict[str, Any]]
    withheld: tuple[tuple[str, str], ...] = ()
    refused_rows: int = 0


def release(actor: Actor, query: Query, *, action: str, reason: str = "", **params: Any) -> Released:
    """Rows of one query as this actor may see them; the audit event is committed before return.

    Raises NotPermitted (K701 role or purpose, K702 scope, K703 audit failed: nothing is released).
    """
    return release_page(actor, {"": Ask(query, params)}, action=action, reason=reason)[""]


def release_page(actor: Actor, asks: Mapping[str, Ask], *, action: str, reason: str = "") -> dict[str, Released]:
    """Several queries of one page under one audit event (one wait for the disk); all of them or none."""
    raise NotImplementedError


def record_output(
    actor: Actor, action: str, *, subjects: Sequence[str], fields: Sequence[str], count: int, reason: str
) -> None:
    """Record an output that does not pass a screen (export, command line) before its bytes are written."""
    raise NotImplementedError
