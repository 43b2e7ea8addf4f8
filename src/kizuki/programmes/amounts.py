"""Amounts that law fixes. Exact decimal arithmetic with the law's own rounding; no figure outside its period.

児童扶養手当 (児童扶養手当法施行令2条の4): the first child's 一部支給 is its most, less (income less the full limit) x
coefficient, the product rounded to 10 yen; further children likewise with their own figures. The coefficient is
(most less least) / (partial limit less full limit), to seven places: it gives the published 0.0243007 and 0.0037483 of 2024-04.
児童手当 (児童手当法6条): 3歳未満, 3歳以上, and 第3子以降 in the order of age among the children up to the 22歳年度末 whom the
parents support.
"""

import datetime as dt
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

from kizuki.definitions.expression import Condition, Value, evaluate, open_terms
from kizuki.definitions.expression.evaluate import compare_spans, span_of, step
from kizuki.definitions.programmes import Programme
from kizuki.definitions.programmes.facts import BIRTH_DATE_TITLE, BY_ID, PARENT
from kizuki.definitions.programmes.households import Household

_SEVEN_PLACES = Decimal("0.0000001")
_THIRD = 2
"""So many elder ones make a child the third or a later one."""
_THREE = (3.0, 3.0)


class Worth(NamedTuple):
    """Yen (None if it cannot be told), and the facts that would tell."""

    yen: int | None
    missing: tuple[str, ...] = ()


def amount_yen(programme: Programme, household: Household, day: dt.date, subject: int | None = None) -> Worth:
    """The amount of a household, or of the child at position `subject`. The tables must have figures on `day`."""
    named = programme.text.amount
    if named is None:
        return Worth(None)
    if named.method == "場合分け":
        return _by_cases(programme, household, day, subject)
    if named.method == "児童手当":
        assert subject is not None
        return _child_allowance(programme, household, day, subject)
    return _single_parent_allowance(programme, household, day)


def _by_cases(programme: Programme, household: Household, day: dt.date, subject: int | None) -> Worth:
    facts = household.facts if subject is None else household.members[subject]
    for condition, key, case in programme.cases():
        answer = evaluate(condition, facts, household.members)
        if answer is None:
            return Worth(None, _open(condition, facts, household))
        if answer:
            at = facts.get(key.id) if key else 0.0
            if not isinstance(at, float):
                return Worth(None, (key.title,) if key else ())
            found = step(programme.table(case.table).on(day), at)
            assert found is not None
            return Worth(int(found))
    return Worth(None)


def _child_allowance(programme: Programme, household: Household, day: dt.date, subject: int) -> Worth:
    counted = programme.counted()
    named = programme.text.amount
    assert counted is not None and named is not None
    members = household.members
    answers = [evaluate(counted, m) for m in members]
    elder = [_elder(members[n], members[subject], before=n < subject) for n in range(len(members)) if n != subject]
    others = [a for n, a in enumerate(answers) if n != subject]
    surely = sum(a is True and e is True for a, e in zip(others, elder, strict=True))
    perhaps = sum(a is not False and e is not False for a, e in zip(others, elder, strict=True))
    figures = {k: _figures(programme, named.tables[k], day)[0] for k in ("3歳未満", "3歳以上", "第3子以降")}
    if surely >= _THIRD:
        return Worth(figures["第3子以降"])
    if perhaps >= _THIRD:
        missing = [t for n, m in enumerate(members) if answers[n] is None for t in _open(counted, m, household)]
        untold = any(a is not False and e is None for a, e in zip(others, elder, strict=True))
        return Worth(None, tuple(dict.fromkeys([*missing, *(["年齢"] if untold else [])])))
    young = compare_spans("<", span_of(members[subject].get("age_month_start"), BY_ID["age_month_start"].term), _THREE)
    if young is None:
        return Worth(None, (BIRTH_DATE_TITLE,))
    return Worth(figures["3歳未満" if young else "3歳以上"])


def _elder(one: Mapping[str, Value], other: Mapping[str, Value], *, before: bool) -> bool | None:
    """Whether `one` comes before `other` in the order of birth; of the same age, in the order they are listed."""
    for name in ("age_fy_end", "age_years"):
        term = BY_ID[name].term
        ages = span_of(one.get(name), term), span_of(other.get(name), term)
        same = compare_spans("=", *ages)
        if same is not True:
            return compare_spans(">", *ages)
    return before


def _single_parent_allowance(programme: Programme, household: Household, day: dt.date) -> Worth:
    named, counted = programme.text.amount, programme.counted()
    assert named is not None and counted is not None
    answers = [evaluate(counted, m) for m in household.members]
    missing = [t for m, a in zip(household.members, answers, strict=True) if a is None for t in _open(counted, m, household)]
    parents = [m for m in household.members if m.get("role") == PARENT]
    income = parents[0].get("income_yen") if len(parents) == 1 else None
    dependants = parents[0].get("dependants") if len(parents) == 1 else None
    missing += [t for t, v in (("所得", income), ("扶養人数", dependants)) if not isinstance(v, float)]
    if missing or not isinstance(income, float) or not isinstance(dependants, float):
        return Worth(None, tuple(dict.fromkeys(missing)))
    limits = [step(programme.table(named.tables[k]).on(day), dependants) for k in ("全部支給の限度額", "一部支給の限度額")]
    full, most, least = (_figures(programme, named.tables[k], day) for k in ("全部支給額", "一部支給の上限", "一部支給の下限"))
    assert limits[0] is not None and limits[1] is not None
    total = 0
    for n in range(sum(a is True for a in answers)):
        place = min(n, 1)
        if income < limits[0]:
            total += full[place]
        else:
            total += partial(income, (limits[0], limits[1]), most[place], least[place])
    return Worth(total)


def partial(income: float, limits: tuple[float, float], most: int, least: int) -> int:
    """一部支給 of one child in yen per month."""
    full_limit, partial_limit = (Decimal(str(x)) for x in limits)
    coefficient = (Decimal(most - least) / (partial_limit - full_limit)).quantize(_SEVEN_PLACES, ROUND_HALF_UP)
    cut = (Decimal(str(income)) - full_limit) * coefficient
    return most - int((cut / 10).quantize(Decimal(1), ROUND_HALF_UP)) * 10


def _figures(programme: Programme, table: str, day: dt.date) -> tuple[int, int]:
    """Figures for the first and for each further child."""
    row = programme.table(table).row(day)
    assert row is not None
    first, *further = (int(v) for v in row.values)
    return first, further[0] if further else first


def _open(condition: Condition, facts: Mapping[str, Value], household: Household) -> tuple[str, ...]:
    return tuple(t.title for t in open_terms(condition, facts, household.members))
