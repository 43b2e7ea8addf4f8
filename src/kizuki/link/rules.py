"""The readable rules as one query: which scored pairs a machine may join, and which a person must look at."""

from collections.abc import Callable

from sqlglot import exp

from kizuki.definitions.linkage import MISSING, Linkage, LinkageRule
from kizuki.link.comparisons import MISSING_STATE, degrees, state_numbers

AUTO = "auto"
REVIEW = "review"
_DECISIONS = {"自動": AUTO, "審査": REVIEW}


def decide(linkage: Linkage) -> exp.Expression:
    """Query over `ranked`: one row = one pair some rule speaks about, with the first rule that holds and its decision."""
    states = [part for name in degrees() for part in (exp.Literal.string(f" {name}="), exp.cast(exp.column(name), "varchar"))]
    evidence = exp.alias_(exp.func("TRIM", exp.func("CONCAT", *states)), "evidence")
    judged = exp.select("*", evidence, exp.alias_(_first_rule(linkage, lambda r: r.id), "rule"))
    judged = judged.select(exp.alias_(_first_rule(linkage, lambda r: _DECISIONS[r.decision]), "decision")).from_("ranked")
    columns = ("source", "record_id", "resident_id", "rule", "weight", "decision", "evidence")
    return exp.select(*columns).from_(judged.subquery("judged")).where(exp.column("rule").is_(exp.null()).not_())


def _first_rule(linkage: Linkage, name: Callable[[LinkageRule], str]) -> exp.Case:
    case = exp.Case()
    for rule in linkage.rules.rules:
        case = case.when(_holds(rule, linkage), exp.Literal.string(name(rule)))
    return case


def _holds(rule: LinkageRule, linkage: Linkage) -> exp.Condition:
    parts: list[exp.Condition] = [exp.column("weight") >= rule.minimum_weight]
    if rule.decision == "自動":  # only the best candidate, and only when it leads
        parts += [exp.column("place").eq(1), exp.column("margin") >= rule.minimum_margin]
    by_title = {c.title: c for c in linkage.model.comparisons}
    for title, allowed in rule.conditions.items():
        comparison = by_title[title]
        numbers = state_numbers(comparison) | {MISSING: MISSING_STATE}
        parts.append(exp.column(comparison.id).isin(*(exp.Literal.number(numbers[a]) for a in allowed)))
    return exp.and_(*parts)
