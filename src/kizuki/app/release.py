"""The one door to personal data (G5): role, purpose and class; row scope; seals; audit; then rows.

Everything fails closed: an unknown role, column, source or parameter shows nothing; without an audit event no row leaves.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from typing import Any

from kizuki.app import accounts, audit, scope
from kizuki.app.accounts import allow
from kizuki.app.release_plan import AT_HAND, EXTRA, IN_SCOPE, SEALED, Facts, Limits, Query, facts, parameters, sql
from kizuki.app.scope import Reach, View
from kizuki.app.snapshot_view import current_view
from kizuki.app.stops import stopped_sets
from kizuki.definitions.governance import Governance, Grant, Scope
from kizuki.govern.actor import Actor
from kizuki.govern.masking import MASKED, Masked
from kizuki.govern.may import Refused, Subject
from kizuki.govern.policy import Rule, Sight, grant_of, readable, sight
from kizuki.govern.seals import Seals, hidden_columns, tells_place
from kizuki.terms.tables import Klass

__all__ = ["MASKED", "Actor", "Ask", "Masked", "Query", "Released", "in_scope", "record_output", "release", "release_page"]

_NOT_GRANTED = "この役割・利用目的では表示しない項目です"
_SEALED_PLACE = "支援措置により表示しない項目です"


class SealState(StrEnum):
    """How a seal stands between one actor and one person."""

    NONE = "none"
    CLOSED = "closed"
    OPENED = "opened"


@dataclass(frozen=True, slots=True)
class Ask:
    """One query with its parameters, as one part of a page."""

    query: Query
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Released:
    """Rows the actor may see; masked cells hold `MASKED`; `withheld` = (column, Japanese reason).

    `refused_rows` = persons asked for by name and kept back, and rows dropped because their source is closed to the actor.
    """

    rows: list[dict[str, Any]]
    withheld: tuple[tuple[str, str], ...] = ()
    refused_rows: int = 0


@dataclass(frozen=True, slots=True)
class _Door:
    """What one page is decided with."""

    actor: Actor
    governance: Governance
    grant: Grant
    whole: Sight
    household: Sight
    kin: Sight
    reach: Reach
    seals: Seals
    view: View
    stopped: frozenset[str] = frozenset()
    homes: dict[frozenset[str], frozenset[str]] = field(default_factory=dict)
    relatives: dict[frozenset[str], frozenset[str]] = field(default_factory=dict)

    def near(self, persons: frozenset[str]) -> frozenset[str]:
        """The named persons and their households, as far as the actor reaches."""
        if persons not in self.homes:
            everyone = persons | scope.households(self.view, persons)
            self.homes[persons] = frozenset(p for p in everyone if self.reach.covers(p))
        return self.homes[persons]

    def kin_of(self, persons: frozenset[str]) -> frozenset[str]:
        """Those related to the named persons who live elsewhere; nobody where the grant shows nothing of them."""
        if not self.kin.classes and not self.reach.everyone:
            return frozenset()
        if persons not in self.relatives:
            asked = frozenset(p for p in persons if self.reach.covers(p))
            self.relatives[persons] = scope.kin(self.view, asked, self.near(persons)) - self.seals.hidden
        return self.relatives[persons]


def release(actor: Actor, query: Query, *, action: str, reason: str = "", **params: Any) -> Released:
    """Rows of one query as this actor may see them; the audit event is committed before return.

    Raises NotPermitted (K701 role or purpose, K702 scope, K703 audit failed, K705 filter): nothing is released.
    """
    return release_page(actor, {"": Ask(query, params)}, action=action, reason=reason)[""]


def release_page(
    actor: Actor, asks: Mapping[str, Ask], *, action: str, reason: str = "", terms: Mapping[str, Any] | None = None
) -> dict[str, Released]:
    """Several queries of one page under one audit event (one wait for the disk); all of them or none.

    `terms` = what was searched for on this page beyond the parameters; kept as a keyed hash only.
    """
    allow(actor, action)
    view: View = current_view()
    door = _open(actor, view)
    subjects: set[str] = set()
    released = {name: _answer(door, ask, subjects) for name, ask in asks.items()}
    fields = {o.path for n, a in asks.items() for o in _shown(a.query, released[n])}
    entry = audit.Entry(
        subjects=sorted(subjects),
        fields=sorted(fields),
        count=sum(len(r.rows) for r in released.values()),
        reason=reason,
        terms={**_terms(asks), **(terms or {})},
        snapshot=view.id,
        policy=accounts.policy_version(),
    )
    audit.record(actor, action, entry)
    return _pseudonymised(asks, released) if door.grant.scope is Scope.PSEUDONYMOUS else released


def in_scope(actor: Actor, people: Collection[str]) -> frozenset[str]:
    """Those of `people` of whom any row may come out for this actor (for `may` and menus; shows nothing)."""
    if not people:
        return frozenset()
    reach = _open(actor, current_view()).reach
    return frozenset(p for p in people if reach.covers(p))


def seal_state(actor: Actor, people: Collection[str]) -> SealState:
    """Whether anybody of `people` is under 支援措置 at this moment, and if so whether this actor may look behind all of it."""
    seals = _open(actor, current_view()).seals
    if not seals.sealed.intersection(people):
        return SealState.NONE
    return SealState.CLOSED if any(seals.closed_to_actor(p) for p in people) else SealState.OPENED


def may_see(actor: Actor, person_id: str, klass: Klass) -> bool:
    """Whether the actor reads this class of this person's facts (for facts that lie outside the snapshot)."""
    door = _open(actor, current_view())
    return door.reach.covers(person_id) and readable(_seen(door, person_id).classes, klass)


def record_output(
    actor: Actor, action: str, *, subjects: Sequence[str], fields: Sequence[str], count: int, reason: str
) -> None:
    """Record an output that does not pass a screen (export, command line) before its bytes are written."""
    audit.record(actor, action, audit.Entry(subjects=subjects, fields=fields, count=count, reason=reason))


def _open(actor: Actor, view: View) -> _Door:
    governance = accounts.governance()
    grant = grant_of(governance, actor)
    people = scope.people_of(view)
    whole = sight(governance, grant.classes)
    household = sight(governance, grant.household_classes) if grant.scope is Scope.CANDIDATES else whole
    kin = sight(governance, grant.kin_classes)
    reach = scope.reach(actor, grant, people)
    seals = scope.seals(actor, people)
    return _Door(actor, governance, grant, whole, household, kin, reach, seals, view, stopped_sets())


def _answer(door: _Door, ask: Ask, subjects: set[str]) -> Released:
    """One query through the door; adds every person whose row came out to `subjects`."""
    known = facts(ask.query)
    personal = any(t not in _PUBLIC_TABLES for t in ask.query.tables)
    if personal and door.grant.scope in (Scope.NONE, Scope.OWN_SOURCE):
        raise Refused(
            "あなたの役割では、個人の情報は表示できません。", fix="必要なときは、総括管理主体に相談してください。"
        ).error()
    if door.grant.scope is Scope.REVIEW and not _REVIEWED_TABLES.issuperset(ask.query.tables):
        raise Refused(
            "あなたの役割では、審査の組のほかの情報は表示できません。", fix="必要なときは、総括管理主体に相談してください。"
        ).error()
    if door.grant.scope is Scope.RECIPIENTS and not _RECIPIENTS_TABLES.issuperset(ask.query.tables):
        raise Refused(
            "あなたの役割では、お知らせの宛先のほかの情報は表示できません。",
            fix="必要なときは、総括管理主体に相談してください。",
        ).error()
    refused = _check_named(door, ask, known) + _check_filters(door, ask, known)
    readable = frozenset(c for c, rule in known.rules.items() if _may_show(door.whole, rule))
    if ask.query.subject is not None and ask.query.subject not in readable:  # unnamed rows could be neither sealed nor logged
        raise Refused(
            "あなたの役割では、この一覧は表示できません。", fix="必要なときは、総括管理主体に相談してください。"
        ).error()
    named = _named(ask, known)
    persons = AT_HAND if named or door.reach.everyone else IN_SCOPE
    limits = Limits(door.whole.sources, readable, persons, _filters_by_place(ask, known), door.stopped)
    text = sql(ask.query, limits)
    kin = door.kin_of(named) if ask.query.kin and named else frozenset[str]()
    engine = door.view.near.about(door.near(named) | kin, ask.query.tables) if named else door.view.cursor()
    rows = scope.fetch(engine, text, _values(door, ask, text))
    kept = list(_masked(door, ask.query, rows, subjects, kin))
    withheld = tuple((c, _NOT_GRANTED) for c in known.rules if c not in readable)
    hidden = {c for c in hidden_columns(known.rules) & readable if any(r[c] is MASKED for r in kept)}
    withheld += tuple((c, _SEALED_PLACE) for c in sorted(hidden))
    return Released(kept, withheld, refused + len(rows) - len(kept))


_PUBLIC_TABLES = frozenset({"feed", "cleansing"})
"""Tables without any row about a person."""
_REVIEWED_TABLES = _PUBLIC_TABLES | {"review_case", "review_side", "review_history"}
"""All that exists for reviewers of links: the pairs they are asked about, not the city."""
_RECIPIENTS_TABLES = _PUBLIC_TABLES | {"person", "residence", "household_member"}
"""All that exists for those who write to residents: who lives where."""


def _may_show(seen: Sight, rule: Rule) -> bool:
    """Whether some row may show the column: static parts readable, and any source open where sources decide."""
    if rule.by_source and not seen.sources:
        return False
    return all(seen.reads(Rule(frozenset({o}))) for o in rule.origins if o.klass is not Klass.BY_SOURCE)


def _check_named(door: _Door, ask: Ask, known: Facts) -> int:
    """Persons asked for by name must be within reach: one asked alone is refused aloud, in a list they are counted."""
    outside = 0
    for name in known.names_persons & ask.params.keys():
        if door.grant.scope is Scope.PSEUDONYMOUS:
            raise Refused("仮名のデータでは、特定のこどもを指定できません。", code="K702").error()
        value = ask.params[name]
        if isinstance(value, str):
            verdict = accounts.may_be_about(Subject(in_scope=door.reach.covers(value)))
            if isinstance(verdict, Refused):
                raise verdict.error()
        else:
            outside += sum(1 for person in set(value or ()) - {""} if not door.reach.covers(person))
    return outside


def _check_filters(door: _Door, ask: Ask, known: Facts) -> int:
    """A column that may not be read may not be searched by either."""
    for name, value in ask.params.items():
        if value is not None and not _may_show(door.whole, Rule(known.compared.get(name, frozenset()))):
            raise Refused(
                "表示できない項目で、絞り込みや検索はできません。", code="K705", fix="条件を減らしてください。"
            ).error()
    return 0


def _filters_by_place(ask: Ask, known: Facts) -> bool:
    """Filtering by place would tell the place of whoever is found: sealed persons are then left out."""
    given = (known.compared.get(n, frozenset()) for n, v in ask.params.items() if v is not None)
    return any(tells_place(o.column, o.klass) for found in given for o in found)


def _named(ask: Ask, known: Facts) -> frozenset[str]:
    """Persons the parameters name."""
    given = (ask.params[n] for n in known.names_persons & ask.params.keys())
    return frozenset(p for value in given for p in ([value] if isinstance(value, str) else value or ()))


def _values(door: _Door, ask: Ask, text: str) -> dict[str, Any]:
    values = {n: list(v) if isinstance(v, list | tuple | set | frozenset) else v for n, v in ask.params.items()}
    missing = parameters(ask.query) - values.keys()
    if missing:
        raise ValueError(f"{ask.query.name}: parameters {sorted(missing)} not given")
    values = {n: values[n] for n in parameters(ask.query)}
    if f"${EXTRA}" in text:
        values[EXTRA] = door.reach.extra
    if f"${SEALED}" in text:
        values[SEALED] = sorted(door.seals.hidden)
    return values


def _masked(
    door: _Door, query: Query, rows: Iterable[dict[str, Any]], subjects: set[str], kin: frozenset[str]
) -> Iterable[dict[str, Any]]:
    """The last moment: every cell against the sight of this row's person and source, then the seal."""
    known = facts(query)
    hidden = hidden_columns(known.rules)
    by_source = [c for c, rule in known.rules.items() if rule.by_source]

    @cache
    def closed(seen: Sight, source: str | None) -> tuple[str, ...]:
        return tuple(c for c, rule in known.rules.items() if not seen.reads(rule, source))

    for row in rows:
        person = row[query.subject] if query.subject else None
        if query.subject and not (door.reach.everyone or door.reach.covers(person) or person in kin):
            continue
        masks = closed(_seen(door, person), row.get("source"))
        if any(c in masks and row[c] is not None for c in by_source):
            continue  # a record of a closed source: even that it exists is not shown
        if person is not None:
            subjects.add(person)
        for column in masks:
            row[column] = MASKED
        if door.seals.closed_to_actor(person):
            for column in hidden:
                row[column] = MASKED if row[column] is not None else None
        yield row


def _seen(door: _Door, person: str | None) -> Sight:
    """What the actor sees of one person: a child listed, assigned or shared; one of the household; one related elsewhere."""
    if person is None or door.reach.whole(person):
        return door.whole
    return door.household if door.reach.covers(person) else door.kin


def _shown(query: Query, released: Released) -> Iterable[Any]:
    closed = {c for c, reason in released.withheld if reason == _NOT_GRANTED}
    return (o for c, rule in facts(query).rules.items() if c not in closed for o in rule.origins)


def _terms(asks: Mapping[str, Ask]) -> dict[str, Any]:
    """Parameters worth a hash: not persons (they are subjects), not dates."""
    return {
        name: value
        for ask in asks.values()
        for name, value in ask.params.items()
        if isinstance(value, str | int) and not isinstance(value, dt.date) and name not in facts(ask.query).names_persons
    }


def _pseudonymised(asks: Mapping[str, Ask], released: dict[str, Released]) -> dict[str, Released]:
    """Keys replaced by tokens that mean nothing outside this purpose; record keys of sources are dropped."""
    ring = audit.keys()
    for name, ask in asks.items():
        keyed = [c for c, rule in facts(ask.query).rules.items() if any(o.klass is Klass.KEY for o in rule.origins)]
        for row in released[name].rows:
            for column in keyed:
                value = row[column]
                if column == "record_id" or value is None or value is MASKED:
                    row[column] = MASKED if value is not None else None
                else:
                    row[column] = ring.token("pseudonym", str(value))
    return released
