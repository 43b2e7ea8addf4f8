"""The order of the list of candidates, and which of them a list's filters choose: nothing of it is ever shown as it is.

Made once per snapshot, so that a page costs the picking of its ids; what is shown of those comes through the door.
"""

import datetime as dt
import threading
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from kizuki.app.cases import NEW_CASE, TABS, CaseState, case_states
from kizuki.app.drawn_children import open_picks
from kizuki.app.known_families import known_children, sees_judgements
from kizuki.app.list_filters import ORDERS, RANDOM, UNASSIGNED, Filters
from kizuki.app.release import Actor
from kizuki.app.scope import fetch
from kizuki.app.served import Served
from kizuki.app.since_last import CHANGED, LEFT, Since, since_last
from kizuki.app.stops import stopped_sets
from kizuki.engine.measure import settle
from kizuki.engine.sql import DUCKDB, load, render


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
class Look:
    """What one actor's list is chosen from: the order, the cases, whom the actor may know to be known, what changed."""

    index: Index
    states: Mapping[str, CaseState]
    known: frozenset[str]
    since: Since


def look_at(actor: Actor, served: Served, filters: Filters) -> Look:
    """The list as it stands at this moment, for this member of staff."""
    index, states = index_of(served), case_states()
    known = known_children(actor, index.known, states, index.homes) if filters.known != "all" else frozenset[str]()
    return Look(index, states, known, since_last(served, index.stopped) if sees_judgements(actor) else Since())


def lines_of(chosen: Sequence[Entry], *, merged: bool) -> list[list[Entry]]:
    """The lines of the list: a child each, or a household each where its first child stands."""
    if not merged:
        return [[entry] for entry in chosen]
    homes: dict[str, list[Entry]] = {}
    for entry in chosen:
        homes.setdefault(entry.household_id, []).append(entry)
    return list(homes.values())


def next_child(actor: Actor, served: Served, filters: Filters, person_id: str) -> str | None:
    """The id of the child after this one in the same list."""
    look = look_at(actor, served, filters)
    chosen = choice_of(look, filters)
    if person_id in chosen.place:
        after = chosen.place[person_id] + 1
        return chosen.people[after] if after < len(chosen.people) else None
    place = look.index.place_of(person_id)
    return next((i for i in chosen.people if look.index.place_of(i) > place), None)


def tab_counts(served: Served) -> Mapping[str, int]:
    """Children by state of their case."""
    return counts(index_of(served), case_states())


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


def counts(index: Index, states: Mapping[str, CaseState]) -> dict[str, int]:
    """Children by tab: those nobody has taken up, by state of their case, and those drawn at random."""
    counts = dict.fromkeys(TABS, 0)
    for state in states.values():
        if state.status != TABS[0]:
            counts[state.status] += 1
    counts[RANDOM] = len(open_picks(states))
    counts[TABS[0]] = len(index.ordered) - sum(1 for p in _moved_on(states) if index.place_of(p))
    return counts


@dataclass(frozen=True, slots=True)
class Choice:
    """What some filters choose at a look: the lines of the list, the children line by line, and the place of each."""

    look: Look
    filters: Filters
    lines: list[list[Entry]]
    people: list[str]
    place: Mapping[str, int]

    def answers(self, look: Look, filters: Filters) -> bool:
        """Whether the same would be chosen now: nothing it was chosen from has changed."""
        mine = self.look
        same = mine.index is look.index and mine.since is look.since and self.filters == filters
        return same and mine.known == look.known and mine.states == look.states


_CHOICES: list[Choice] = []
_CHOICES_KEPT: Final = 16
"""A few members of staff go through a list each; going on to the next child must not choose from the whole city again."""


def choice_of(look: Look, filters: Filters) -> Choice:
    """What these filters choose, whatever the page: as chosen last while the order, the cases and the day stand still."""
    filters = filters.with_page(1)
    with _LOCK:
        kept = next((c for c in _CHOICES if c.answers(look, filters)), None)
    if kept is not None:
        return kept
    lines = lines_of(_chosen(look, filters), merged=filters.merged)
    people = [entry.person_id for line in lines for entry in line]
    made = Choice(look, filters, lines, people, {person: place for place, person in enumerate(people)})
    if filters.tab != RANDOM:  # whom a draw shows depends on the time of day, too
        with _LOCK:
            _CHOICES[:] = [made, *(c for c in _CHOICES if c.look.index is look.index)][:_CHOICES_KEPT]
    return made


def _chosen(look: Look, filters: Filters) -> list[Entry]:
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


def _changed(look: Look, filters: Filters, pool: Sequence[Entry]) -> list[Entry]:
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
