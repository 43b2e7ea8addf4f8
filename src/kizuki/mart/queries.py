"""The mart's queries as trees: each source's facts set into the one query that makes spells or events of them.

A query file names what it reads; `told`, `points`, `history` and `fact` are other query files, set in as subqueries, so that
the rule for each is written once.
"""

import datetime as dt
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
KINSHIP_SOURCES = ("single_parent_allowance", "child_allowance", "school_enrolment")
"""Sources besides the register that name who cares for a child."""

REGISTER = "resident_register"
KINDS: dict[str, tuple[str, ...]] = {
    "resident_register": ("moved_in", "moved_out", "moved_within", "born", "died", "married", "divorced", "name_changed"),
    "school_enrolment": ("enrolment", "school_aid", "non_enrolled", "whereabouts_unknown"),
    "school_life": (
        "required_days",
        "absence_days",
        "late_count",
        "early_leave_count",
        "nurse_visits",
        "bullying_reports",
        "separate_room_days",
    ),
    "municipal_tax": ("tax_year",),
    "single_parent_allowance": ("single_parent_allowance", "single_parent_allowance_recipient"),
    "child_allowance": ("child_allowance", "child_allowance_recipient"),
    "medical_subsidy": ("medical_subsidy",),
    "after_school_care": ("after_school_care",),
    "disability_welfare": ("disability", "disability_service", "child_day_service"),
    "public_assistance": ("public_assistance",),
    "long_term_care": ("long_term_care",),
    "childcare": ("childcare", "childcare_absence_days"),
    "maternal_child_health": (
        "checkup",
        "epds_total",
        "epds_item10",
        "caries",
        "vaccine_delay",
        "poor_weight_gain",
        "pregnancy_notice",
        "pregnancy_unmarried",
        "pregnancy_smoking",
    ),
    "family_consultation": ("council_registration", "consultation"),
    "childrens_cafeteria": ("cafeteria_visit",),
    "community_social_work": ("csw_consultation",),
}
"""Kinds of spell and event each source gives; every kind comes from one source."""


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


def kinship_query(basis: str, source: str, as_of: dt.date) -> exp.Expression:
    """Relations by one basis: `household`, `same_parent`, or the source that names who cares for the child."""
    facts = {"single_parent_allowance": "kinship_allowance", "child_allowance": "kinship_allowance"}
    fact = load(_PACKAGE, "kinship_household") if basis == "household" else query(facts.get(basis, f"kinship_{basis}"))
    return bind(inline(load(_PACKAGE, "kinship"), {"fact": fact}), basis=basis, source=source, as_of=as_of)


def inline(tree: exp.Expression, parts: Mapping[str, exp.Expression]) -> exp.Expression:
    """A copy of `tree` in which every table named in `parts` is that query."""

    def replace(node: exp.Expression) -> exp.Expression:
        if isinstance(node, exp.Table) and node.name in parts and not node.db:
            return parts[node.name].copy().subquery(node.alias_or_name)  # type: ignore[attr-defined,no-any-return,unused-ignore]
        return node

    return tree.copy().transform(replace)
