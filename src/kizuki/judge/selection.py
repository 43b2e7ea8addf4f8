"""Which criteria sets, and which of their entries, apply on a day."""

import dataclasses
import datetime as dt
from collections.abc import Collection

from kizuki.definitions.criteria import CriteriaSet, Entry
from kizuki.definitions.expression import Condition, terms_of
from kizuki.definitions.expression.nodes import And, Or
from kizuki.definitions.loader import Definitions


def active(definitions: Definitions, as_of: dt.date) -> list[CriteriaSet]:
    """The versions in force on `as_of`, one per set, by id.

    An entry marked 「受領していなければ外す」 is left out while the city has decided not to receive its data, and so is what
    asks for a source outside the city's profile: counted as unknown it would put every child on the list and say nothing
    about any of them. A combination applies only where all its parts do.
    """
    found = {name: c.on(as_of) for name, c in definitions.criteria.items()}
    held = {name: c for name, c in sorted(found.items()) if c is not None}
    whole = [c for c in held.values() if not set(c.combines) - held.keys()]
    sets = [as_applied(c, definitions) for c in whole]
    return [c for c in sets if c.entries]


def on_trial(definitions: Definitions, as_of: dt.date) -> list[CriteriaSet]:
    """The versions judged on trial (試行) on `as_of`, by id and version, as far as they can be answered."""
    found = [t for _, c in sorted(definitions.criteria.items()) for t in c.trials_on(as_of)]
    return [t for t in (as_applied(c, definitions) for c in found) if t.entries]


def as_applied(criteria: CriteriaSet, definitions: Definitions) -> CriteriaSet:
    """A version with the entries that the city's sources can answer."""
    return dataclasses.replace(criteria, entries=_entries(criteria, definitions))


def with_parts(criteria: CriteriaSet, definitions: Definitions, as_of: dt.date) -> list[CriteriaSet]:
    """A version and, for a combination, the versions in force of what it combines; empty if one of them is not in force."""
    parts = [c for c in active(definitions, as_of) if c.id in criteria.combines]
    return [*parts, criteria] if len(parts) == len(criteria.combines) else []


def without_learned(definitions: Definitions, digests: Collection[str] | None = None) -> Definitions:
    """The definitions as if the versions made from learned tables (all, or those of these fingerprints) had never begun.

    The staff version before one goes on in its place; a set without a staff version before stays as it is.
    """
    found = {name: _unlearned(c, digests) for name, c in definitions.criteria.items()}
    return dataclasses.replace(definitions, criteria=found)


def _unlearned(criteria: CriteriaSet, digests: Collection[str] | None) -> CriteriaSet:
    kept: list[CriteriaSet] = []
    for version in criteria.versions:
        learned = version.text.learned_from
        if not learned or (digests is not None and learned not in digests):
            kept.append(version)
            continue
        before = next((k for k in reversed(range(len(kept))) if not kept[k].text.trial), None)
        if version.text.trial:
            continue
        if before is None:
            return criteria
        kept[before] = dataclasses.replace(kept[before], valid_to=version.valid_to)
    if not kept or len(kept) == len(criteria.versions):
        return criteria
    return dataclasses.replace(kept[0], others=tuple(dataclasses.replace(k, others=()) for k in kept[1:]))


def not_applied(definitions: Definitions, as_of: dt.date) -> list[str]:
    """For every set that gives no answer on `as_of`, a sentence saying why (not yet, no longer, a part missing)."""
    applied = {c.id for c in active(definitions, as_of)}
    return [_why(c, as_of) for name, c in sorted(definitions.criteria.items()) if name not in applied]


def _why(criteria: CriteriaSet, as_of: dt.date) -> str:
    coming = [c for c in criteria.versions if c.valid_from > as_of]
    gone = [c for c in criteria.versions if c.valid_to is not None and c.valid_to <= as_of]
    named = f"判定基準「{criteria.name}」は使いません："
    if criteria.on(as_of) is not None:
        what = "組合せのもとの判定が、この日は使えません" if criteria.combines else "使える項目がありません"
        return named + what
    if coming:
        return f"{named}版 {coming[0].version} は {coming[0].valid_from} からです"
    if criteria.trials_on(as_of):
        return f"{named}版 {criteria.trials_on(as_of)[0].version} は試行中です（一覧には載せません）"
    return f"{named}版 {gone[-1].version} は {gone[-1].valid_to} で終わっています"


def left_out(criteria: CriteriaSet, definitions: Definitions) -> tuple[Entry, ...]:
    """The entries `active` leaves out, for the sheet that explains the set."""
    kept = {e.id for e in _entries(criteria, definitions)}
    return tuple(e for e in criteria.entries if e.id not in kept)


def _entries(criteria: CriteriaSet, definitions: Definitions) -> tuple[Entry, ...]:
    if criteria.combines:
        return criteria.entries
    found = (_within_profile(e, definitions) for e in criteria.entries if not (e.text.needs_feed and _closed(e, definitions)))
    return tuple(e for e in found if e is not None)


def _within_profile(entry: Entry, definitions: Definitions) -> Entry | None:
    """The entry as far as the profile's sources can answer it; None if they cannot."""
    if definitions.profile is None:
        return entry
    condition = _answerable(entry.condition, definitions)
    return None if condition is None else dataclasses.replace(entry, condition=condition)


def _answerable(condition: Condition, definitions: Definitions) -> Condition | None:
    """Of alternatives those that can be answered; anything else only whole.

    Leaving an alternative out can only make the condition hold less often.
    """
    if isinstance(condition, Or):
        kept = tuple(part for of in condition.of if (part := _answerable(of, definitions)) is not None)
        return Or(kept) if len(kept) > 1 else kept[0] if kept else None
    if isinstance(condition, And):
        parts = tuple(_answerable(of, definitions) for of in condition.of)
        whole = tuple(part for part in parts if part is not None)
        return And(whole) if len(whole) == len(parts) else None
    inside = all(s in definitions.profile.sources for s in _sources(condition, definitions))
    return condition if inside else None


def _closed(entry: Entry, definitions: Definitions) -> bool:
    found = _sources(entry.condition, definitions)
    return any(s in definitions.sources and not definitions.sources[s].enabled for s in found)


def _sources(condition: Condition, definitions: Definitions) -> set[str]:
    return {definitions.items[t.id].source for t in terms_of(condition) if t.id in definitions.items}
