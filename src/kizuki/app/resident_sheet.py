"""本人・保護者に渡す説明: which of the child's data the city looked at, why, and how to have it corrected, in やさしい日本語.

It tells about the child alone: a sentence that rests on the data of anybody else stays away, and so does what somebody told
an office in confidence. Under 支援措置 there is no sheet: it may be handed to the very person the family is hidden from.
Every sheet says that something may be missing, so that a missing line tells nothing.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from kizuki.app import accounts
from kizuki.app import explanation as words
from kizuki.app.release import MASKED, Actor, Ask, Query, SealState, release_page, seal_state
from kizuki.app.served import Served, Source
from kizuki.definitions.criteria import CriteriaSet
from kizuki.definitions.expression import terms_of
from kizuki.definitions.items import ItemDefinition
from kizuki.govern.policy import sight
from kizuki.terms.errors import InputRefused, NotPermitted
from kizuki.terms.tables import Klass

CHILD: Final = Query(
    name="resident_child",
    tables=("person",),
    columns={"person_id": "person.person_id", "name": "person.name", "kana": "person.kana", "birth_date": "person.birth_date"},
    subject="person_id",
)
REASONS: Final = Query(
    name="resident_reasons",
    tables=("judgement", "judgement_reason"),
    columns={
        "person_id": "judgement.person_id",
        "criteria": "judgement.criteria",
        "entry": "judgement_reason.entry",
        "text": "judgement_reason.text",
        "source": "judgement_reason.source",
        "observed_on": "judgement_reason.observed_on",
    },
    subject="person_id",
)
_OWN_RECORDS: Final = frozenset({"event", "spell", "ended", "missed_checkup", "checkup_result"})
"""Kinds of record that are about the child alone; all others read the household, a brother or sister, or a parent."""
_OPEN_CLASSES: Final = frozenset({Klass.IDENT, Klass.SCHOOL, Klass.CHILDCARE, Klass.BENEFIT, Klass.WELFARE, Klass.HEALTH})
"""Never 相談: who reported, and that anybody did, may be told by nobody (児童虐待の防止等に関する法律7条)."""
_OF_THE_HOUSEHOLD: Final = frozenset({"public_assistance"})
"""Given to a household, with the reason of whoever in it is ill: nobody's alone."""
SUPPORT: Final = "support"


@dataclass(frozen=True, slots=True)
class Told:
    """One sentence about the child with its record's office and day."""

    text: str
    source: Source
    day: str


@dataclass(frozen=True, slots=True)
class ResidentSheet:
    """Everything printed; `sets` = title of each difficulty asked about, with what was told of it."""

    person_id: str
    name: str
    birth: dt.date | None
    sets: tuple[tuple[str, tuple[Told, ...]], ...]
    offices: tuple[Source, ...]
    legal_basis: str
    city: str
    as_of: dt.date

    @property
    def told(self) -> tuple[tuple[str, tuple[Told, ...]], ...]:
        """Difficulties with something to tell."""
        return tuple((title, lines) for title, lines in self.sets if lines)

    @property
    def silent(self) -> tuple[str, ...]:
        """Difficulties asked about with nothing that may be told."""
        return tuple(title for title, lines in self.sets if not lines)


def resident_sheet(actor: Actor, served: Served, person_id: str) -> ResidentSheet:
    """The sheet of one child, recorded as an output.

    Raises NotPermitted (K701, K702, K774 支援措置) and InputRefused K721 (no such child, or a name that may not be shown).
    """
    if seal_state(actor, [person_id]) is not SealState.NONE:
        raise _sealed()
    child = {"person_id": person_id}
    got = release_page(
        actor,
        {"child": Ask(CHILD, child), "reasons": Ask(REASONS, child)},
        action="resident.print",
        reason="本人・保護者に渡す説明の印刷",
    )
    own = got["child"].rows[0] if got["child"].rows else None
    if own is None or own["name"] is MASKED:
        raise InputRefused("K721", "このこどもの記録がありません。", "説明", "支援候補の一覧から開き直してください。")
    told = _told(got["reasons"].rows, served)
    sources = {t.source.id: t.source for _, lines in told for t in lines}
    if seal_state(actor, [person_id]) is not SealState.NONE:  # once more, at the last moment before the page is made (G6)
        raise _sealed()
    governance = accounts.governance()
    return ResidentSheet(
        person_id=person_id,
        name=str(own["name"] or ""),
        birth=own["birth_date"] if isinstance(own["birth_date"], dt.date) else None,
        sets=told,
        offices=tuple(sources.values()),
        legal_basis=governance.purposes[SUPPORT].legal_basis,
        city=governance.handover.municipality,
        as_of=served.as_of,
    )


def _sealed() -> NotPermitted:
    return NotPermitted(
        "K774",
        "支援措置のため、この説明は印刷できません。渡す相手が、世帯が身を守っている相手かもしれません。",
        "説明",
        "支援措置の責任者（総括管理主体）に相談してください。",
    )


def _told(rows: Sequence[Mapping[str, Any]], served: Served) -> tuple[tuple[str, tuple[Told, ...]], ...]:
    """Difficulty by difficulty what may be told; a set the city does not tell families of is left out whole."""
    found: dict[str, dict[str, Told]] = {}
    for row in rows:
        criteria = served.definitions.in_use(row["criteria"])
        if criteria is None or not criteria.text.told_to_family:
            continue
        lines = found.setdefault(criteria.name, {})
        if (
            row["entry"] is not None
            and row["text"] is not MASKED
            and _about_the_child_alone(criteria, str(row["entry"]), served)
        ):
            lines[str(row["text"])] = _line(row, served)
    return tuple((name, tuple(lines.values())) for name, lines in sorted(found.items()))


def _line(row: Mapping[str, Any], served: Served) -> Told:
    day = row["observed_on"] if isinstance(row["observed_on"], dt.date) else None
    return Told(str(row["text"]), served.definitions.source(row["source"]), words.date_text(day))


def _about_the_child_alone(criteria: CriteriaSet, entry: str, served: Served) -> bool:
    """Whether every item the entry reads counts records of this child only, of offices whose records may be told."""
    items: Mapping[str, ItemDefinition] = served.definitions.loaded.items
    read = [t.id for e in criteria.entries if e.id == entry for t in terms_of(e.condition)]
    return bool(read) and all(i in items and _own(items[i], items, served) for i in read)


def _own(item: ItemDefinition, items: Mapping[str, ItemDefinition], served: Served) -> bool:
    if item.difference is not None:
        return all(_own(items[i], items, served) for i in (item.difference.now, item.difference.before))
    open_sources = sight(served.definitions.loaded.governance, _OPEN_CLASSES).sources - _OF_THE_HOUSEHOLD
    guarded = item.guarded_as or item.source
    return item.record is not None and item.record.of in _OWN_RECORDS and {item.source, guarded} <= open_sources
