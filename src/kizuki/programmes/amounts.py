"""Amounts that law fixes. Exact decimal arithmetic with the law's own rounding; no figure outside its period.

児童扶養手当 (児童扶養手当法施行令2条の4): the first child's 一部支給 is its most, less (income less the full limit) x
coefficient, the product rounded to 10 yen; further children likewise with their own figures. The coefficient is
(most less least) / (partial limit less full limit), to seven places: it gives the published 0.0243007 and 0.0037483 of 2024-04.
"""

import datetime as dt
from decimal import ROUND_HALF_UP, Decimal

from kizuki.definitions.expression import evaluate
from kizuki.definitions.expression.evaluate import step
from kizuki.definitions.programmes import Programme
from kizuki.definitions.programmes.facts import PARENT, Household

_SEVEN_PLACES = Decimal("0.0000001")


def amount_yen(programme: Programme, household: Household, day: dt.date) -> tuple[int | None, tuple[str, ...]]:
    """Yen per month, and the names of tables without figures for the day.

    None where income, dependants or the number of children are not known.
    """
    named = programme.text.amount
    if named is None:
        return None, ()
    tables = {t.name: t for t in programme.text.tables}
    expired = tuple(name for name in named.tables.values() if tables[name].row(day) is None)
    if expired:
        return None, expired
    counted = programme.counted()
    assert counted is not None
    answers = [evaluate(counted, m) for m in household.members]
    parents = [m for m in household.members if m.get("role") == PARENT]
    income = parents[0].get("income_yen") if len(parents) == 1 else None
    dependants = parents[0].get("dependants") if len(parents) == 1 else None
    if None in answers or not isinstance(income, float) or not isinstance(dependants, float):
        return None, ()
    limits = [step(tables[named.tables[k]].on(day), dependants) for k in ("全部支給の限度額", "一部支給の限度額")]
    full, most, least = (_figures(programme, named.tables[k], day) for k in ("全部支給額", "一部支給の上限", "一部支給の下限"))
    assert limits[0] is not None and limits[1] is not None
    total = 0
    for n in range(sum(a is True for a in answers)):
        place = min(n, 1)
        if income < limits[0]:
            total += full[place]
        else:
            total += partial(income, (limits[0], limits[1]), most[place], least[place])
    return total, ()


def partial(income: float, limits: tuple[float, float], most: int, least: int) -> int:
    """一部支給 of one child in yen per month."""
    full_limit, partial_limit = (Decimal(str(x)) for x in limits)
    coefficient = (Decimal(most - least) / (partial_limit - full_limit)).quantize(_SEVEN_PLACES, ROUND_HALF_UP)
    cut = (Decimal(str(income)) - full_limit) * coefficient
    return most - int((cut / 10).quantize(Decimal(1), ROUND_HALF_UP)) * 10


def _figures(programme: Programme, table: str, day: dt.date) -> tuple[int, int]:
    """Figures for the first and for each further child."""
    row = next(t for t in programme.text.tables if t.name == table).row(day)
    assert row is not None
    first, *further = (int(v) for v in row.values)
    return first, further[0] if further else first
