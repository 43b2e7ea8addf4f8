"""Who saw what of a criteria set: read from the audit log, event by event, for the years a set was in use.

An event says which persons it was about (keyed tokens) and which snapshot; the snapshot says whom the set listed. Where the
snapshot is kept no longer, the count is said to be unknown, never guessed.
"""

import datetime as dt
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
from django.utils import timezone

from kizuki.app import accounts, audit
from kizuki.app.accounts import allow
from kizuki.app.release import Actor, Query, record_output, release
from kizuki.engine.snapshots import SnapshotStore
from kizuki.records.models import AuditEvent, CriteriaStop
from kizuki.terms.errors import RunFailed

CHILDREN: Final = Query(
    name="stop_children",
    tables=("person",),
    columns={"person_id": "person.person_id", "name": "person.name"},
    subject="person_id",
)
_SHOWS_JUDGEMENT: Final = '"judgement'
DAYS_BACK: Final = 400
MAX_CHILDREN: Final = 200


@dataclass(frozen=True, slots=True)
class Seen:
    """One response that carried answers of the set; `children` None = the snapshot it showed is kept no longer."""

    seq: int
    at: dt.datetime
    actor: str
    role: str
    action: str
    children: int | None
    persons: int


@dataclass(slots=True)
class Reader:
    """One member of staff: how many responses and different children, first and last; `unknown` responses are not counted."""

    actor: str
    role: str
    first: dt.datetime
    last: dt.datetime
    responses: int = 0
    unknown: int = 0
    tokens: set[str] = field(default_factory=set)

    @property
    def children(self) -> int:
        """Different children."""
        return len(self.tokens)


@dataclass(frozen=True, slots=True)
class SeenChild:
    """One child the set listed, and who saw it."""

    person_id: str
    name: Any
    readers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StopLedger:
    """Everything known about who saw the set's answers since `since`."""

    criteria: str
    since: dt.datetime
    readers: tuple[Reader, ...]
    events: tuple[Seen, ...]


class Listed:
    """Whom a set listed in a snapshot, as tokens of the log; each snapshot is read once."""

    def __init__(self, criteria: str, store: SnapshotStore) -> None:
        self._criteria = criteria
        self._store = store
        self._known: dict[str, Mapping[str, str] | None] = {}

    def in_snapshot(self, snapshot: str) -> Mapping[str, str] | None:
        """Token → person; None where the snapshot is gone."""
        if snapshot not in self._known:
            self._known[snapshot] = self._read(snapshot)
        return self._known[snapshot]

    def _read(self, snapshot: str) -> Mapping[str, str] | None:
        try:
            table = self._store.load(self._store.manifest(snapshot), "judgement")
        except (RunFailed, OSError):
            return None
        of_set = table.filter(pc.equal(table.column("criteria").cast(pa.string()), pa.scalar(self._criteria)))
        listed = of_set.filter(pc.is_valid(of_set.column("rank"))).column("person_id").cast(pa.string()).to_pylist()
        return {audit.subject_token(p): p for p in listed if p is not None}


def ledger(actor: Actor, listed: Listed, criteria: str, *, days: int = DAYS_BACK) -> StopLedger:
    """Who saw answers of the set, newest first; asking is itself recorded. Raises NotPermitted K701."""
    allow(actor, "criteria.stop_ledger")
    reason = f"だれが見たかの確認：{criteria}"
    record_output(actor, "criteria.stop_ledger", subjects=[], fields=["audit_event"], count=0, reason=reason)
    since = timezone.now() - dt.timedelta(days=days)
    readers: dict[str, Reader] = {}
    events: list[Seen] = []
    for event, tokens, of_set in _events(criteria, since, listed):
        if of_set is not None and not tokens & of_set.keys():
            continue
        children = None if of_set is None else len(tokens & of_set.keys())
        events.append(Seen(event.seq, event.at, event.actor, event.role, event.action, children, len(tokens)))
        reader = readers.setdefault(event.actor, Reader(event.actor, _title(event.role), event.at, event.at))
        reader.last = event.at
        reader.responses += 1
        if of_set is None:
            reader.unknown += 1
        else:
            reader.tokens |= tokens & of_set.keys()
    ordered = sorted(readers.values(), key=lambda r: (-r.children, r.actor))
    return StopLedger(criteria, since, tuple(ordered), tuple(reversed(events)))


def children(actor: Actor, listed: Listed, criteria: str, *, days: int = DAYS_BACK) -> tuple[SeenChild, ...]:
    """Per child who saw the set's answer; only for those who may read the list and the ledger. Raises NotPermitted."""
    allow(actor, "criteria.stop_ledger")
    readers: dict[str, dict[str, None]] = {}
    for event, tokens, of_set in _events(criteria, timezone.now() - dt.timedelta(days=days), listed):
        for token in tokens & (of_set or {}).keys():
            readers.setdefault((of_set or {})[token], {}).setdefault(event.actor)
    people = tuple(sorted(readers, key=lambda p: (-len(readers[p]), p)))[:MAX_CHILDREN] or ("",)
    got = release(actor, CHILDREN, action="candidates.view", reason=f"止めた判定を見た人の確認：{criteria}", people=people)
    names = {row["person_id"]: row["name"] for row in got.rows}
    return tuple(SeenChild(p, names[p], tuple(readers[p])) for p in people if p in names)


def _title(role: str) -> str:
    known = accounts.governance().roles.get(role)
    return known.title if known else role


def _events(
    criteria: str, since: dt.datetime, listed: Listed
) -> Iterator[tuple[AuditEvent, set[str], Mapping[str, str] | None]]:
    """Events that carried judgements of persons, oldest first, with their tokens and whom the set listed then.

    While a stop stood, the door let nothing of the set out: those events are left out.
    """
    stood = [(s.stopped_at, s.lifted_at) for s in CriteriaStop.objects.all() if criteria in s.covers]
    found = AuditEvent.objects.filter(at__gte=since, body__contains=_SHOWS_JUDGEMENT).order_by("seq")
    for event in found.prefetch_related("subjects").iterator(chunk_size=500):
        if any(begun < event.at and (ended is None or event.at < ended) for begun, ended in stood):
            continue
        said = json.loads(event.body)
        if not any(str(f).startswith("judgement") for f in said["fields"]):
            continue
        tokens = {s.subject for s in event.subjects.all()}
        if tokens:
            yield event, tokens, listed.in_snapshot(said["snapshot"])
