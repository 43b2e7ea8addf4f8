"""The mart's queries as trees: each source's facts set into the one query that makes spells or events of them.

A query file names what it reads; `told`, `points`, `history` and `fact` are other query files, set in as subqueries, so that
the rule for each is written once.
"""

from collections.abc import Mapping
from functools import cache

from sqlglot import exp

from kizuki.engine.sql import bind, load

_PACKAGE = "kizuki.mart"

SPELL_SOURCES = (
    "school_enrolment",
    "municipal_tax",
    "single_parent_allowance",
    "child_allowance",
    "medical_subsidy",
    "after_school_care",
    "disability_welfare",
    "public_assistance",
    "long_term_care",
    "family_consultation",
    "childcare",
)
EVENT_SOURCES = (
    "resident_register",
    "school_life",
    "childcare",
    "maternal_child_health",
    "family_consultation",
    "childrens_cafeteria",
    "community_social_work",
)
REGISTER = "resident_register"


@cache
def query(name: str) -> exp.Expression:
    """A mart query with the shared queries it names set in."""
    shared = {part: load(_PACKAGE, part) for part in ("told", "history")}
    return inline(load(_PACKAGE, name), shared)


def spell_query(source: str) -> exp.Expression:
    """Spells of one source; reads `conformed` (or `state` and `points` for childcare), `link` and `category`."""
    return bind(inline(load(_PACKAGE, "spell"), {"fact": query(f"spell_{source}")}), source=source)


def event_query(source: str) -> exp.Expression:
    """Events of one source; reads `conformed` (or `timeline` for the register) and `link`."""
    return bind(inline(load(_PACKAGE, "event"), {"fact": query(f"event_{source}")}), source=source)


def register_query(name: str) -> exp.Expression:
    """A table made from the register's timeline."""
    return bind(query(name), source=REGISTER)


def inline(tree: exp.Expression, parts: Mapping[str, exp.Expression]) -> exp.Expression:
    """A copy of `tree` in which every table named in `parts` is that query."""

    def replace(node: exp.Expression) -> exp.Expression:
        if isinstance(node, exp.Table) and node.name in parts and not node.db:
            return parts[node.name].copy().subquery(node.alias_or_name)  # type: ignore[attr-defined,no-any-return,unused-ignore]
        return node

    return tree.copy().transform(replace)
