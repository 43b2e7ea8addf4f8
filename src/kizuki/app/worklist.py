"""支援候補: the list of children to look at, in 確認順, with the siblings of a household side by side.

Two steps: an in-memory order of all judged children (made once per snapshot, nothing of it is ever shown) picks the ids of
one page; then `release` hands out those rows as this actor may see them.
"""

import datetime as dt
import threading
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from kizuki.app import explanation as words
from kizuki.app.cases import NEW_CASE, TABS, CaseState, case_states
from kizuki.app.drawn_children import marked, open_picks
from kizuki.app.known_families import known_children, sees_judgements
from kizuki.app.list_filters import ORDERS, RANDOM, UNASSIGNED, Filters
from kizuki.app.release import MASKED, Actor, Ask, Query, release_page
from kizuki.app.scope import fetch
from kizuki.app.served import Served, shown
from kizuki.app.since_last import CHANGED, LEFT, Since, since_last
from kizuki.app.stops import stopped_sets
from kizuki.engine.measure import settle
from kizuki.engine.sql import DUCKDB, load, render

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


@dataclass(slots=True)
class Entry:
    """One judged child in the order: ranks by criteria set, search text, place in the whole list (0 = not a candidate)."""

    person_id: str
    household_id: str
    text: str
    kana: str
    birth: dt.date | None
    ranks: dict[str, int] = field(default_factory=dict)
    candidate: bool = False
    place: int = 0

    @property
    def key(self) -> tuple[bool, int, int, str]:
        """該当 before 要確認, then the best 確認順, then more criteria sets; the id settles ties the same way every time."""
        return (not self.candidate, min(self.ranks.values(), default=1 << 30), -len(self.ranks), self.person_id)


@dataclass(frozen=True, slots=True)
class Index:
    """All judged children of one snapshot without the stopped sets, in the order of the list.

    `known`: source → persons whose household its office already works with; `homes`: judged child → household.
    """

    snapshot: str
    stopped: frozenset[str]
    ordered: tuple[Entry, ...]
    by_id: Mapping[str, Entry]
    criteria: tuple[str, ...]
    orders: Mapping[str, tuple[Entry, ...]]
    known: Mapping[str, frozenset[str]]
    homes: Mapping[str, str]

    def place_of(self, person_id: str) -> int:
        """Place in the whole list; 0 = not a candidate."""
        entry = self.by_id.get(person_id)
        return entry.place if entry else 0


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


_LOCK = threading.Lock()
_INDEX: list[Index] = []


def index_of(served: Served) -> Index:
    """The order of the served snapshot; made at the first request after a publication, then kept."""
    with _LOCK:
        stopped = stopped_sets()
        if not _INDEX or (_INDEX[0].snapshot, _INDEX[0].stopped) != (served.view.id, stopped):
            _INDEX[:] = [_make_index(served, stopped)]
            settle()
        return _INDEX[0]


def _make_index(served: Served, stopped: frozenset[str]) -> Index:
    rows = served.view.cursor().query(load("kizuki.app", "worklist_order")).to_pylist()
    by_id: dict[str, Entry] = {}
    for row in rows:
        entry = by_id.get(row["person_id"])
        if entry is None:
            names = search_key(f"{row['name'] or ''} {row['kana'] or ''}")
            entry = Entry(
                row["person_id"], row["household_id"] or row["person_id"], names, row["kana"] or "", row["birth_date"]
            )
            by_id[row["person_id"]] = entry
        if row["rank"] is not None and row["criteria"] not in stopped:
            entry.ranks[row["criteria"]] = row["rank"]
            entry.candidate = entry.candidate or row["verdict"] == "該当"
    ordered = _by_household(e for e in by_id.values() if e.ranks)
    for place, entry in enumerate(ordered, start=1):
        entry.place = place
    criteria = tuple(sorted({c for e in ordered for c in e.ranks}))
    homes = {p: e.household_id for p, e in by_id.items()}
    return Index(served.view.id, stopped, tuple(ordered), by_id, criteria, _orders(ordered, criteria), _known(served), homes)


def _known(served: Served) -> dict[str, frozenset[str]]:
    """Source → persons its office already works with today."""
    found: dict[str, set[str]] = {}
    text = render(load("kizuki.app", "worklist_known"), DUCKDB)
    for row in fetch(served.view.cursor(), text, {"as_of": served.as_of}):
        found.setdefault(row["source"], set()).add(row["person_id"])
    return {source: frozenset(people) for source, people in found.items()}


def _orders(ordered: Sequence[Entry], criteria: Sequence[str]) -> dict[str, tuple[Entry, ...]]:
    """The candidates in every order a page can ask for: sorting thousands at each request would cost more than the reading."""
    made = {
        "年齢": tuple(sorted(ordered, key=lambda e: (e.birth or dt.date.min, -e.place), reverse=True)),
        "カナ": tuple(sorted(ordered, key=lambda e: (e.kana == "", e.kana, e.place))),
    }
    for each in criteria:
        listed = [e for e in ordered if each in e.ranks]
        made[each] = tuple(sorted(listed, key=lambda e: (e.ranks[each], e.person_id)))
    return made


def _by_household(entries: Iterable[Entry]) -> list[Entry]:
    """Households in the order of their first child, siblings directly after it: one visit serves them all."""
    homes: dict[str, list[Entry]] = {}
    for entry in sorted(entries, key=lambda e: e.key):
        homes.setdefault(entry.household_id, []).append(entry)
    return [entry for home in homes.values() for entry in home]


def search_key(text: str) -> str:
    """Name or kana as compared in the search box: width folded, hiragana as katakana, no spaces."""
    folded = unicodedata.normalize("NFKC", text).replace(" ", "").casefold()
    return "".join(chr(ord(c) + 0x60) if "ぁ" <= c <= "ゖ" else c for c in folded)


@dataclass(frozen=True, slots=True)
class _Look:
    """What one actor's list is chosen from: the order, the cases, whom the actor may know to be known, what changed."""

    index: Index
    states: Mapping[str, CaseState]
    known: frozenset[str]
    since: Since


def _look(actor: Actor, served: Served, filters: Filters) -> _Look:
    index, states = index_of(served), case_states()
    known = known_children(actor, index.known, states, index.homes) if filters.known != "all" else frozenset[str]()
    return _Look(index, states, known, since_last(served, index.stopped) if sees_judgements(actor) else Since())


def worklist(actor: Actor, served: Served, filters: Filters) -> Worklist:
    """One page of the list as this actor may see it. Raises NotPermitted before anything is counted."""
    look = _look(actor, served, filters)
    chosen = _choose(look, filters)
    lines = _lines(chosen, merged=filters.merged)
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
        counts=_counts(index, look.states),
        total=len(lines),
        pages=pages,
        refused=refused,
        masked=masked,
        criteria=tuple((c, served.definitions.criteria_title(c)) for c in index.criteria),
        earlier=look.since.earlier,
        children=len(chosen),
    )


def _lines(chosen: Sequence[Entry], *, merged: bool) -> list[list[Entry]]:
    """The lines of the list: a child each, or a household each where its first child stands."""
    if not merged:
        return [[entry] for entry in chosen]
    homes: dict[str, list[Entry]] = {}
    for entry in chosen:
        homes.setdefault(entry.household_id, []).append(entry)
    return list(homes.values())


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
    look = _look(actor, served, filters)
    entries = [entry for line in _lines(_choose(look, filters), merged=filters.merged) for entry in line]
    return _rows(actor, served, entries, look, action="candidates.export", reason=reason)[0]


def next_child(actor: Actor, served: Served, filters: Filters, person_id: str) -> str | None:
    """The id of the child after this one in the same list."""
    look = _look(actor, served, filters)
    index = look.index
    ids = [e.person_id for line in _lines(_choose(look, filters), merged=filters.merged) for e in line]
    if person_id not in ids:
        place = index.place_of(person_id)
        return next((i for i in ids if index.place_of(i) > place), None)
    after = ids.index(person_id) + 1
    return ids[after] if after < len(ids) else None


def tab_counts(served: Served) -> Mapping[str, int]:
    """Children by state of their case."""
    return _counts(index_of(served), case_states())


def unassigned(served: Served, states: Mapping[str, CaseState]) -> int:
    """Candidates and open cases nobody is in charge of."""
    index = index_of(served)
    untouched = len(index.ordered) - sum(1 for p in states if index.place_of(p))
    return untouched + sum(1 for s in states.values() if s.assignee_id is None and s.status != TABS[-1])


def due_soon(served: Served, actor: Actor, *, days: int) -> tuple[str, ...]:
    """Children of the actor's own cases whose due date is past or within `days`, nearest first."""
    until = served.as_of + dt.timedelta(days=days)
    mine = [
        (s.due_on, person)
        for person, s in case_states().items()
        if s.assignee_id == actor.user_id and s.due_on is not None and s.due_on <= until and s.status != TABS[-1]
    ]
    return tuple(person for _, person in sorted(mine))


def rows_for(actor: Actor, served: Served, people: Sequence[str], *, action: str) -> tuple[Row, ...]:
    """Rows of named children, in the given order."""
    index = index_of(served)
    entries = [index.by_id.get(p) or Entry(p, p, "", "", None) for p in people]
    return _rows(actor, served, entries, _look(actor, served, Filters()), action=action)[0]


def _counts(index: Index, states: Mapping[str, CaseState]) -> dict[str, int]:
    counts = dict.fromkeys(TABS, 0)
    for state in states.values():
        if state.status != TABS[0]:
            counts[state.status] += 1
    counts[RANDOM] = len(open_picks(states))
    counts[TABS[0]] = len(index.ordered) - sum(1 for p in _moved_on(states) if index.place_of(p))
    return counts


def _choose(look: _Look, filters: Filters) -> list[Entry]:
    """Entries of the tab and filters, in the chosen order."""
    index, states = look.index, look.states
    if filters.tab == TABS[0]:
        gone = _moved_on(states)
        pool = [e for e in _base(index, filters) if e.person_id not in gone]
    elif filters.tab == RANDOM:
        pool = [index.by_id.get(p) or Entry(p, p, "", "", None) for p in open_picks(states)]
    else:
        inside = {person for person, state in states.items() if state.status == filters.tab}
        pool = [e for e in _base(index, filters) if e.person_id in inside]
        if not filters.criteria:  # children whose case goes on although they are no longer candidates come last
            pool += [index.by_id.get(p) or Entry(p, p, "", "", None) for p in sorted(inside) if not index.place_of(p)]
    if filters.since:
        pool = _changed(look, filters, pool)
    if filters.known != "all":
        pool = [e for e in pool if (e.person_id in look.known) == (filters.known == "only")]
    return _narrowed(pool, states, filters)


def _changed(look: _Look, filters: Filters, pool: Sequence[Entry]) -> list[Entry]:
    """Those of the pool to whom it happened since the last run; those who left the list have no place in any order."""
    if filters.since != LEFT:
        kinds = {p: c.kind for p, c in look.since.by_person.items()}
        return [e for e in pool if kinds.get(e.person_id) == filters.since]
    left = [p for p, c in sorted(look.since.by_person.items()) if c.kind == LEFT or (c.kind == CHANGED and c.left)]
    states = look.states
    tab = [p for p in left if states.get(p, NEW_CASE).status == filters.tab and p in look.index.by_id]
    return [look.index.by_id[p] for p in tab]


def _narrowed(pool: list[Entry], states: Mapping[str, CaseState], filters: Filters) -> list[Entry]:
    if filters.name:
        wanted = search_key(filters.name)
        pool = [e for e in pool if wanted in e.text]
    if filters.criteria and filters.since != LEFT:
        pool = [e for e in pool if filters.criteria in e.ranks]
    if filters.assignee:
        pool = [e for e in pool if _assigned(states.get(e.person_id, NEW_CASE), filters.assignee)]
    if filters.order == "期限":
        pool.sort(key=lambda e: states.get(e.person_id, NEW_CASE).due_on or dt.date.max)
    return pool


def _base(index: Index, filters: Filters) -> tuple[Entry, ...]:
    """The candidates in the order asked for; within one 類型 確認順 is that set's own rank."""
    if filters.order in index.orders:
        return index.orders[filters.order]
    return index.orders.get(filters.criteria, index.ordered) if filters.order == ORDERS[0] else index.ordered


def _moved_on(states: Mapping[str, CaseState]) -> set[str]:
    """Children whose case is no longer 新着."""
    return {person for person, state in states.items() if state.status != TABS[0]}


def _assigned(state: CaseState, wanted: str) -> bool:
    return state.assignee_id is None if wanted == UNASSIGNED else str(state.assignee_id) == wanted


def _rows(
    actor: Actor, served: Served, entries: Sequence[Entry], look: _Look, *, action: str, reason: str = ""
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
