"""One household at a time, in plain Python: the same conditions the set-based SQL compiles (`compile.py`)."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kizuki.definitions.expression import Facts, evaluate, open_terms
from kizuki.definitions.programmes import EXPIRED, Programme, Rule
from kizuki.definitions.programmes.facts import Household, read_household
from kizuki.programmes.amounts import amount_yen
from kizuki.terms.states import ProgrammeVerdict


@dataclass(frozen=True, slots=True)
class Answer:
    """One programme for one household or child.

    `unknown` names what would decide, `reasons` the conditions that hold or fail.
    """

    programme: str
    person: str | None
    verdict: ProgrammeVerdict
    amount_yen: int | None
    unknown: tuple[Mapping[str, Any], ...]
    reasons: tuple[Mapping[str, Any], ...]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "programme": self.programme,
            "person": self.person,
            "verdict": self.verdict.value,
            "amount_yen": self.amount_yen,
            "unknown": list(self.unknown),
            "reasons": list(self.reasons),
        }


def judge_household(programmes: Sequence[Programme], household: Household, day: dt.date) -> list[Answer]:
    """Every programme in force on `day`: one answer per household, or one per 児童 where the programme is per child."""
    answers = []
    for programme in programmes:
        if not programme.in_force(day):
            continue
        rules = programme.rules(day)
        if programme.of_child:
            for n in household.children():
                answers.append(_answer(programme, rules, household.members[n], household, day=day, person=household.names[n]))
        else:
            answers.append(_answer(programme, rules, household.facts, household, day=day, person=None))
    return answers


def _answer(
    programme: Programme, rules: Sequence[Rule], facts: Facts, household: Household, *, day: dt.date, person: str | None
) -> Answer:
    held = [evaluate(r.condition, facts, household.members) for r in rules]
    verdict = _verdict(held)
    unknown: list[Mapping[str, Any]] = []
    reasons: list[Mapping[str, Any]] = []
    for rule, answer in zip(rules, held, strict=True):
        if answer is True and verdict is not ProgrammeVerdict.NOT_ELIGIBLE:
            reasons.append({"condition": rule.id, "text": rule.text.explanation, "holds": True})
        elif answer is False:
            reasons.append({"condition": rule.id, "text": f"「{rule.text.name}」に当てはまりません", "holds": False})
        elif answer is None and verdict is ProgrammeVerdict.UNKNOWN:
            unknown.extend(_unknown(rule, facts, household))
    amount = None
    if verdict is ProgrammeVerdict.ELIGIBLE and programme.text.amount is not None:
        amount, expired = amount_yen(programme, household, day)
        unknown += [{"condition": "amount", "fact": name, "text": f"金額：{EXPIRED}（{name}）"} for name in expired]
    return Answer(programme.id, person, verdict, amount, tuple(unknown), tuple(reasons))


def _verdict(held: Sequence[bool | None]) -> ProgrammeVerdict:
    if any(h is False for h in held):
        return ProgrammeVerdict.NOT_ELIGIBLE
    return ProgrammeVerdict.UNKNOWN if any(h is None for h in held) else ProgrammeVerdict.ELIGIBLE


def _unknown(rule: Rule, facts: Facts, household: Household) -> list[Mapping[str, Any]]:
    """The decisive unknowns of one condition: facts nobody stated, and tables without figures for the day."""
    found: list[Mapping[str, Any]] = [
        {"condition": rule.id, "fact": name, "text": f"{EXPIRED}（{name}）"} for name in rule.expired
    ]
    for term in open_terms(rule.condition, facts, household.members):
        found.append({"condition": rule.id, "fact": term.id, "text": f"{term.title}：{rule.text.ask}"})
    return found


def failed_examples(programme: Programme) -> list[str]:
    """Names of the examples whose expectation does not hold."""
    return [e.name for n, e in enumerate(programme.text.examples) if not _holds(programme, n)]


def _holds(programme: Programme, number: int) -> bool:
    example = programme.text.examples[number]
    household = read_household(example.household, example.day)
    answers = judge_household([programme], household, example.day)
    chosen = [a for a in answers if example.person is None or a.person == example.person]
    return len(chosen) == 1 and (chosen[0].verdict, chosen[0].amount_yen) == (example.expected, example.amount_yen)
