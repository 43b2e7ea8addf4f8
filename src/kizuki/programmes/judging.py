"""One household at a time, in plain Python: the same conditions the set-based SQL compiles (`compile.py`)."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kizuki.definitions.expression import Facts, evaluate, open_terms
from kizuki.definitions.programmes import AMOUNT, EXPIRED, SUBJECT, Programme, Rule
from kizuki.definitions.programmes.facts import TITLES
from kizuki.definitions.programmes.households import Household, read_household
from kizuki.programmes.amounts import amount_yen
from kizuki.terms.states import ProgrammeVerdict

CONSULTATION = "資産・扶養・世帯の認定は所管課が行う。相談を案内し、該当とは知らせない"
NOBODY_LISTED = "世帯の構成員を確かめる"


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


class Bench:
    """The programmes in force on a day, their conditions read once, for any number of households."""

    def __init__(self, programmes: Sequence[Programme], day: dt.date) -> None:
        self.day = day
        texts = [p.on(day) for p in programmes]
        self._programmes = [(p, p.rules(day), p.amount_expired(day)) for p in texts if p.in_force(day)]

    def judge(self, household: Household) -> list[Answer]:
        """One answer per household, or one per 児童 where the programme is per child."""
        answers = []
        for programme, rules, gone in self._programmes:
            if not household.listed:
                ask = {"condition": "", "fact": "members", "text": NOBODY_LISTED}
                answers.append(Answer(programme.id, None, ProgrammeVerdict.UNKNOWN, None, (ask,), ()))
            elif programme.of_child:
                answers += [self._answer(programme, rules, gone, household, subject=n) for n in household.children()]
            else:
                answers.append(self._answer(programme, rules, gone, household, subject=None))
        return answers

    def _answer(
        self, programme: Programme, rules: Sequence[Rule], gone: Sequence[str], household: Household, *, subject: int | None
    ) -> Answer:
        facts = household.facts if subject is None else household.members[subject]
        held = [evaluate(r.condition, facts, household.members) for r in rules]
        verdict = _verdict(held, open_end=bool(gone) or programme.consultation_only)
        unknown: list[Mapping[str, Any]] = []
        reasons: list[Mapping[str, Any]] = []
        for rule, answer in zip(rules, held, strict=True):
            if answer is True and verdict is not ProgrammeVerdict.NOT_ELIGIBLE and rule.id != SUBJECT:
                reasons.append({"condition": rule.id, "text": rule.text.explanation, "holds": True})
            elif answer is False:
                reasons.append({"condition": rule.id, "text": f"「{rule.text.name}」に当てはまりません", "holds": False})
            elif answer is None and verdict is ProgrammeVerdict.UNKNOWN:
                unknown.extend(_unknown(rule, facts, household))
        if verdict is ProgrammeVerdict.UNKNOWN:
            unknown += [{"condition": AMOUNT, "fact": name, "text": f"金額：{EXPIRED}（{name}）"} for name in gone]
            if programme.consultation_only:
                unknown.append({"condition": "consultation", "fact": "", "text": CONSULTATION})
        amount = None
        if verdict is ProgrammeVerdict.ELIGIBLE:
            amount, missing = amount_yen(programme, household, self.day, subject)
            unknown += [{"condition": AMOUNT, "fact": TITLES.get(m, m), "text": f"金額：{m}を確かめる"} for m in missing]
        person = None if subject is None else household.names[subject]
        return Answer(programme.id, person, verdict, amount, tuple(unknown), tuple(reasons))


def judge_household(programmes: Sequence[Programme], household: Household, day: dt.date) -> list[Answer]:
    """Every programme in force on `day` for one household; for many households keep one `Bench`."""
    return Bench(programmes, day).judge(household)


def _verdict(held: Sequence[bool | None], *, open_end: bool) -> ProgrammeVerdict:
    if any(h is False for h in held):
        return ProgrammeVerdict.NOT_ELIGIBLE
    return ProgrammeVerdict.UNKNOWN if open_end or any(h is None for h in held) else ProgrammeVerdict.ELIGIBLE


def _unknown(rule: Rule, facts: Facts, household: Household) -> list[Mapping[str, Any]]:
    """The decisive unknowns of one condition: facts nobody stated, and tables without figures for the day."""
    found: list[Mapping[str, Any]] = [
        {"condition": rule.id, "fact": name, "text": f"{EXPIRED}（{name}）"} for name in rule.expired
    ]
    for term in open_terms(rule.condition, facts, household.members):
        said = [str(m[key]) for m in (facts, *household.members) if m.get(key := f"{term.id}_why") is not None]
        why = f"（{'・'.join(dict.fromkeys(said))}）" if said else ""
        found.append({"condition": rule.id, "fact": term.id, "text": f"{term.title}{why}：{rule.text.ask}"})
    return found


def failed_examples(programme: Programme) -> list[str]:
    """Names of the examples whose expectation does not hold."""
    return [e.name for n, e in enumerate(programme.text.examples) if not example_holds(programme, n)]


def example_answer(programme: Programme, number: int) -> Answer | None:
    """The one answer of an example's household (or its `対象`), whatever the 施行日; None if there is none or more than one.

    Raises InputRefused K601 or K603 if the household cannot be read.
    """
    example = programme.text.examples[number]
    answers = judge_household([programme.as_written()], read_household(example.household, example.day), example.day)
    chosen = [a for a in answers if example.person is None or a.person == example.person]
    return chosen[0] if len(chosen) == 1 else None


def example_holds(programme: Programme, number: int) -> bool:
    """Whether an example gets the answer, the amount and the questions it expects."""
    example, answer = programme.text.examples[number], example_answer(programme, number)
    if answer is None or (answer.verdict, answer.amount_yen) != (example.expected, example.amount_yen):
        return False
    return example.asks is None or {str(u["fact"]) for u in answer.unknown} == {TITLES.get(a, a) for a in example.asks}
