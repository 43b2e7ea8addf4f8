"""見込み: who could be told of which programme now, and how many are held back for which reason. Only counts leave."""

import datetime as dt
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kizuki.app import notice_facts as facts
from kizuki.app.criteria_board import definitions_now
from kizuki.app.notice_texts import messages_in
from kizuki.app.release import Actor, record_output
from kizuki.app.snapshot_view import SnapshotView, current_view
from kizuki.definitions.expression import terms_of
from kizuki.definitions.loader import Definitions
from kizuki.definitions.messages import SendingRules
from kizuki.definitions.programmes import Programme
from kizuki.push.candidates import ALL_AT_ONCE, Choice, Chosen, Offer, Question, Waves, choose
from kizuki.push.rules import Key
from kizuki.push.schedule import Clock

FIELDS: Final = ("eligibility.receiving", "eligibility.unclaimed", "eligibility.verdict")


@dataclass(frozen=True, slots=True)
class Plan:
    """How many notices could be made, and why others could not; the same for every programme."""

    candidates: int
    suppressed: Mapping[str, int]
    programmes: Mapping[str, tuple[int, Mapping[str, int]]]
    snapshot: str
    as_of: dt.date


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be planned: programmes, when they could leave, over how many weeks; `named` = the text says the name.

    `households` and `only` narrow it to what is asked again at the last moment; `leave_out` = those notices themselves.
    """

    programmes: tuple[str, ...]
    leaves_at: dt.datetime
    waves: Waves = ALL_AT_ONCE
    named: frozenset[str] = frozenset()
    households: frozenset[str] | None = None
    leave_out: frozenset[object] = frozenset()
    only: frozenset[Key] | None = None


def plan(actor: Actor, home: Path, now: dt.datetime) -> Plan:
    """Every programme of the catalogue over the whole city, as if each were told of today. Audited: counts of all homes."""
    view, definitions = current_view(home), definitions_now(home)
    wanted = Wanted(tuple(sorted(definitions.programmes)), now)
    record_output(actor, "notice.plan", subjects=[], fields=FIELDS, count=len(wanted.programmes), reason="お知らせの見込み")
    choice = chosen_of(view, definitions, wanted)
    made = Counter(c.answer.programme for c in choice.chosen)
    held: dict[str, Counter[str]] = {p: Counter() for p in wanted.programmes}
    for (programme, _, _), why in choice.reasons.items():
        held[programme][why] += 1
    rows = {p: (made[p], dict(held[p])) for p in wanted.programmes}
    return Plan(len(choice.chosen), choice.held, rows, view.id, view.as_of)


def chosen_of(view: SnapshotView, definitions: Definitions, wanted: Wanted) -> Choice:
    """The choice over the wanted programmes."""
    as_of = view.as_of
    programmes = [definitions.programmes[p] for p in wanted.programmes if p in definitions.programmes]
    asked = facts.Asked(wanted.households)
    answers = facts.answers(view, programmes, as_of, asked)
    if wanted.only is not None:
        answers = [a for a in answers if a.key in wanted.only]
    around = facts.homes(view, as_of, asked)
    household_ids = frozenset(a.household_id for a in answers)
    messages = messages_in(definitions)
    question = Question(
        offers={p.id: _offer(p, as_of, messages.rules, p.id in wanted.named) for p in programmes},
        homes=around,
        standings=facts.standings(household_ids, wanted.leaves_at),
        past=facts.past(wanted.households, wanted.leave_out),
        clock=Clock(messages.rules, messages.calendar),
        leaves_at=wanted.leaves_at,
        waves=wanted.waves,
    )
    return choose(answers, question)


def of_programme(choice: Choice, programme: str) -> tuple[list[Chosen], dict[str, int]]:
    """The part of a choice that is about one programme."""
    held = Counter(why for (name, _, _), why in choice.reasons.items() if name == programme)
    return [c for c in choice.chosen if c.answer.programme == programme], dict(held)


def _offer(programme: Programme, day: dt.date, rules: SendingRules, named: bool) -> Offer:
    return Offer(
        programme.id,
        programme.notifiable,
        programme.in_force(day),
        uses_tax(programme, rules.tax_facts),
        named,
        float(rules.yearly_worth.get(programme.id, 0)),
    )


def uses_tax(programme: Programme, tax_facts: Collection[str]) -> bool:
    """Whether a condition reads what the tax office holds: such a programme is told of only with consent to that."""
    day = programme.text.validity.start
    return any(t.title in tax_facts for rule in programme.rules(day) for t in terms_of(rule.condition))
