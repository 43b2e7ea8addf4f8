"""支援候補: the list of children to look at, in 確認順, with the siblings of a household side by side.

Two steps: the order of all judged children (`worklist_order`; nothing of it is ever shown) picks the ids of one page; then
`release` hands out those rows as this actor may see them.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from kizuki.app import explanation as words
from kizuki.app.cases import NEW_CASE, CaseState
from kizuki.app.drawn_children import marked
from kizuki.app.list_filters import Filters
from kizuki.app.release import MASKED, Actor, Ask, Query, release_page
from kizuki.app.served import Served, shown
from kizuki.app.worklist_order import Entry, Look, choice_of, counts, index_of, look_at

PEOPLE: Final = Query(
    name="worklist_people",
    tables=("person", "household_member"),
    columns={
        "person_id": "person.person_id",
        "name": "person.name",
        "kana": "person.kana",
        "birth_date": "person.birth_date",
        "sex": "person.sex",
        "household_id": "household_member.household_id",
        "members": "household_member.relation",
        "adults": "household_member.relation",
    },
    subject="person_id",
)
REASONS: Final = Query(
    name="worklist_reasons",
    tables=("judgement_reason",),
    columns={
        "person_id": "judgement_reason.person_id",
        "criteria": "judgement_reason.criteria",
        "entry": "judgement_reason.entry",
        "answer": "judgement_reason.answer",
        "text": "judgement_reason.text",
        "weight": "judgement_reason.points",
        "source": "judgement_reason.source",
        "observed_on": "judgement_reason.observed_on",
        "unknown_reason": "judgement_reason.unknown_reason",
    },
    subject="person_id",
)
SPELLS: Final = Query(
    name="worklist_spells",
    tables=("spell",),
    columns={
        "person_id": "spell.person_id",
        "kind": "spell.kind",
        "status": "spell.status",
        "facility": "spell.facility",
        "detail": "spell.detail",
        "amount": "spell.amount",
        "source": "spell.source",
    },
    subject="person_id",
)

PAGE_SIZE: Final = 50
_INVOLVED: Final[Mapping[str, str]] = {
    "council_registration": "要対協",
    "public_assistance": "生活保護",
    "child_day_service": "児童通所",
    "non_enrolled": "不就学",
    "whereabouts_unknown": "居所不明",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the list: one child."""

    person_id: str
    place: int
    name: Any
    kana: Any
    age: str
    sex: str
    school: str
    chips: tuple[str, ...]
    reasons: str
    unknowns: int
    household: str
    involved: str
    case: CaseState
    overdue: bool
    sibling: bool
    drawn: bool = False
    change: str = ""
    change_text: str = ""
    siblings: tuple["Row", ...] = ()

    @property
    def people(self) -> str:
        """Everybody on the line, for choosing them together."""
        return " ".join((self.person_id, *(s.person_id for s in self.siblings)))


@dataclass(frozen=True, slots=True)
class Worklist:
    """One page of the list with the counts of every tab."""

    filters: Filters
    rows: tuple[Row, ...]
    counts: Mapping[str, int]
    total: int
    pages: int
    refused: int
    masked: bool
    criteria: tuple[tuple[str, str], ...]
    earlier: str = ""
    children: int = 0

    @property
    def unit(self) -> str:
        """What a line is: 世帯 where siblings share one."""
        return "世帯" if self.filters.merged else "人"

    @property
    def first(self) -> int:
        """Number of the first shown child within the filtered list."""
        return (self.filters.page - 1) * PAGE_SIZE + 1

    @property
    def last(self) -> int:
        """Number of the last shown child."""
        return self.first + len(self.rows) - 1

    @property
    def previous_query(self) -> str:
        """Query string of the page before."""
        return self.filters.with_page(self.filters.page - 1).query

    @property
    def next_query(self) -> str:
        """Query string of the page after."""
        return self.filters.with_page(self.filters.page + 1).query


def worklist(actor: Actor, served: Served, filters: Filters) -> Worklist:
    """One page of the list as this actor may see it. Raises NotPermitted before anything is counted."""
    look = look_at(actor, served, filters)
    choice = choice_of(look, filters)
    lines = choice.lines
    pages = max(-(-len(lines) // PAGE_SIZE), 1)
    filters = filters.with_page(min(filters.page, pages))
    start = (filters.page - 1) * PAGE_SIZE
    shown_lines = lines[start : start + PAGE_SIZE]
    entries = [entry for line in shown_lines for entry in line]
    rows, refused, masked = _rows(actor, served, entries, look, action="candidates.view")
    if filters.name and any(row.name is MASKED for row in rows):
        return worklist(actor, served, replace(filters, name=""))  # a name that may not be read may not be probed either
    index = look.index
    return Worklist(
        filters=filters,
        rows=_folded(rows, shown_lines) if filters.merged else rows,
        counts=counts(index, look.states),
        total=len(lines),
        pages=pages,
        refused=refused,
        masked=masked,
        criteria=tuple((c, served.definitions.criteria_title(c)) for c in index.criteria),
        earlier=look.since.earlier,
        children=len(choice.people),
    )


def _folded(rows: Sequence[Row], lines: Sequence[Sequence[Entry]]) -> tuple[Row, ...]:
    """One row per household: its first released child, with the brothers and sisters of the list."""
    by_id = {row.person_id: row for row in rows}
    found = []
    for line in lines:
        members = [replace(by_id[e.person_id], sibling=False) for e in line if e.person_id in by_id]
        if members:
            found.append(replace(members[0], siblings=tuple(members[1:])))
    return tuple(found)


def all_rows(actor: Actor, served: Served, filters: Filters, *, reason: str) -> tuple[Row, ...]:
    """Every child of the filtered list, for an export (recorded as one); siblings directly after each other where merged."""
    look = look_at(actor, served, filters)
    entries = [entry for line in choice_of(look, filters).lines for entry in line]
    return _rows(actor, served, entries, look, action="candidates.export", reason=reason)[0]


def rows_for(actor: Actor, served: Served, people: Sequence[str], *, action: str) -> tuple[Row, ...]:
    """Rows of named children, in the given order."""
    index = index_of(served)
    entries = [index.by_id.get(p) or Entry(p, p, "", "", None) for p in people]
    return _rows(actor, served, entries, look_at(actor, served, Filters()), action=action)[0]


def _rows(
    actor: Actor, served: Served, entries: Sequence[Entry], look: Look, *, action: str, reason: str = ""
) -> tuple[tuple[Row, ...], int, bool]:
    """Released lines of these children in this order; how many were kept back; whether anything is masked."""
    people = tuple(e.person_id for e in entries) or ("",)
    got = release_page(
        actor,
        {
            "people": Ask(PEOPLE, {"people": people, "as_of": served.as_of}),
            "reasons": Ask(REASONS, {"people": people}),
            "spells": Ask(SPELLS, {"people": people, "as_of": served.as_of}),
        },
        action=action,
        reason=reason,
    )
    persons = {row["person_id"]: row for row in got["people"].rows}
    reasons, spells = _grouped(got["reasons"].rows), _grouped(got["spells"].rows)
    rows: list[Row] = []
    drawn = marked()
    before = ""
    for entry in entries:
        person = persons.get(entry.person_id)
        if person is None:
            continue
        about = (reasons.get(entry.person_id, []), spells.get(entry.person_id, []))
        state = look.states.get(entry.person_id, NEW_CASE)
        row = _row(entry, person, about, state, served, sibling=before == entry.household_id)
        change = look.since.of(entry.person_id)
        if change is not None:
            row = replace(row, change=change.word, change_text="、".join(change.sentences(served.definitions)))
        rows.append(replace(row, drawn=entry.person_id in drawn and not entry.place))
        before = entry.household_id
    return tuple(rows), got["people"].refused_rows, any(part.withheld for part in got.values())


def _grouped(rows: Iterable[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault(row["person_id"], []).append(row)
    return groups


def _row(
    entry: Entry,
    person: Mapping[str, Any],
    about: tuple[Sequence[Mapping[str, Any]], Sequence[Mapping[str, Any]]],
    state: CaseState,
    served: Served,
    *,
    sibling: bool,
) -> Row:
    reasons, spells = [r for r in about[0] if r["criteria"] in entry.ranks], about[1]
    birth = person["birth_date"] if isinstance(person["birth_date"], dt.date) else None
    holds = sorted(
        (r for r in reasons if r["answer"] == "true"), key=lambda r: -(r["weight"] if isinstance(r["weight"], int) else 0)
    )
    # only sets whose rows were released get a chip: the order itself is not for showing
    sets = sorted({r["criteria"] for r in reasons}, key=lambda c: (entry.ranks[c], c))
    return Row(
        person_id=entry.person_id,
        place=entry.place,
        name=person["name"],
        kana=person["kana"],
        age=words.age_text(birth, served.as_of),
        sex=words.sex_text(shown(person["sex"])),
        school=_school(spells),
        chips=tuple(served.definitions.criteria_title(c) for c in sets),
        reasons=_reasons_text(holds),
        unknowns=len({r["text"] for r in reasons if r["answer"] == "unknown"}),
        household=_household(person, spells),
        involved="・".join(dict.fromkeys(_INVOLVED[s["kind"]] for s in spells if s["kind"] in _INVOLVED)),
        case=state,
        overdue=state.due_on is not None and state.due_on < served.as_of,
        sibling=sibling,
    )


def _reasons_text(holds: Sequence[Mapping[str, Any]]) -> str:
    texts = list(dict.fromkeys(str(r["text"]) for r in holds))
    more = f" ほか{len(texts) - 2}" if len(texts) > 2 else ""
    return "／".join(texts[:2]) + more


def _school(spells: Sequence[Mapping[str, Any]]) -> str:
    for kind in ("enrolment", "childcare"):
        for spell in spells:
            if spell["kind"] == kind:
                return words.spell_text(spell) if kind == "enrolment" else words.short_place(spell["facility"] or "園に在籍")
    return ""


def _household(person: Mapping[str, Any], spells: Sequence[Mapping[str, Any]]) -> str:
    members, adults = person["members"], person["adults"]
    if not isinstance(members, int) or not isinstance(adults, int):
        return str(members or "")
    single = "ひとり親" if any(s["kind"] == "single_parent_allowance" for s in spells) else f"大人{adults}"
    return f"{single} 子{members - adults}"
