"""Write and check the audit log: one event per response, committed before any byte leaves, fail-closed.

An event holds who, why, which fields, how many and whom (keyed tokens) — never a value, never a search term.
"""

import datetime as dt
import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import DatabaseError, transaction
from django.utils import timezone

from kizuki.engine.keys import KeyRing
from kizuki.govern import chain
from kizuki.govern.actor import Actor
from kizuki.records.models import AuditEvent, AuditHead, AuditSubject
from kizuki.terms.errors import NotPermitted

_HEADS_KEPT = threading.Lock()
_NOBODY = Actor(0, "", "", "", "", "")


def keys() -> KeyRing:
    """The key ring of the served home."""
    return _keys(Path(settings.KIZUKI_HOME))


@cache
def _keys(home: Path) -> KeyRing:
    return KeyRing.load(home)


@dataclass(frozen=True, slots=True)
class Entry:
    """What one event says beyond who and when; `terms` are hashed here, `reason` is sealed."""

    outcome: str = "allowed"
    subjects: Sequence[str] = ()
    fields: Sequence[str] = ()
    count: int = 0
    reason: str = ""
    terms: Mapping[str, Any] | None = None
    snapshot: str = ""
    policy: str = ""


def record(actor: Actor, action: str, entry: Entry | None = None) -> int:
    """Append one event and wait for the disk; returns its number.

    Raises NotPermitted K703 if it cannot be written: the caller must then release nothing.
    """
    entry = entry or Entry()
    try:
        with transaction.atomic():
            return _append(actor, action, entry)
    except (DatabaseError, OSError) as e:
        raise NotPermitted(
            "K703",
            "操作ログに記録できないため、表示・出力を止めました。",
            "操作ログ",
            "IT担当に、保存場所の空きと状態の確認を依頼してください。",
        ) from e


def record_failed_sign_in(typed: str) -> None:
    """A sign-in that failed; the typed name is kept as a keyed hash only."""
    record(_NOBODY, "session.sign_in", Entry(outcome="refused", terms={"login": typed}))


def subject_token(person_id: str) -> str:
    """How a person appears in the log."""
    return keys().token("audit-subject", person_id)


def _append(actor: Actor, action: str, entry: Entry) -> int:
    ring = keys()
    head, _ = AuditHead.objects.select_for_update().get_or_create(id=1, defaults={"seq": 0, "mac": chain.GENESIS})
    tokens = sorted({ring.token("audit-subject", p) for p in entry.subjects})
    at = timezone.now()
    body = chain.canonical(_body(actor, action, entry, at, tokens))
    seq, prev = head.seq + 1, head.mac
    mac = chain.mac(ring.key("audit"), seq, prev, body)
    event = AuditEvent(
        seq=seq, at=at, actor=actor.login, role=actor.role, action=action, outcome=entry.outcome, body=body, prev=prev, mac=mac
    )
    event.save(force_insert=True)
    AuditSubject.objects.bulk_create([AuditSubject(event_id=seq, subject=t) for t in tokens])
    AuditHead.objects.filter(id=1).update(seq=seq, mac=mac)
    transaction.on_commit(lambda: _keep_head(chain.Head(seq, mac)))
    return seq


def _body(actor: Actor, action: str, entry: Entry, at: dt.datetime, tokens: Sequence[str]) -> dict[str, Any]:
    ring = keys()
    terms = entry.terms or {}
    return {
        "at": at.isoformat(),
        "user": actor.user_id,
        "actor": actor.login,
        "role": actor.role,
        "purpose": actor.purpose,
        "session": actor.session,
        "action": action,
        "outcome": entry.outcome,
        "subjects": chain.digest(tokens),
        "subject_count": len(tokens),
        "fields": sorted(entry.fields),
        "count": entry.count,
        "reason": ring.seal(entry.reason.encode(), "audit-reason").hex() if entry.reason else "",
        "terms": {k: ring.token("audit-term", k, str(v)) for k, v in sorted(terms.items()) if v is not None},
        "snapshot": entry.snapshot,
        "policy": entry.policy,
    }


def _head_file() -> Path:
    return Path(settings.KIZUKI_HOME) / "audit" / "head.json"


def _keep_head(head: chain.Head) -> None:
    """Note the end of the chain outside the database; not synced, because an older note is still a true note."""
    with _HEADS_KEPT:
        noted = _noted_head()
        if noted is not None and noted.seq >= head.seq:
            return
        path = _head_file()
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        temporary = path.with_suffix(".new")
        temporary.write_text(json.dumps({"seq": head.seq, "mac": head.mac}), encoding="utf-8")
        temporary.replace(path)


def _noted_head() -> chain.Head | None:
    try:
        noted = json.loads(_head_file().read_text(encoding="utf-8"))
        return chain.Head(int(noted["seq"]), str(noted["mac"]))
    except FileNotFoundError:
        return None
    except (ValueError, KeyError):
        return chain.Head(2**62, "")  # an unreadable note proves nothing good: verification will say the tail is missing


def head() -> chain.Head:
    """The end of the chain, to be printed and kept by another department."""
    row = AuditHead.objects.filter(id=1).first()
    return chain.Head(row.seq, row.mac) if row is not None else chain.Head(0, chain.GENESIS)


def verify(printed: Sequence[chain.Head] = ()) -> chain.Verdict:
    """Check the whole log: chain, repeated columns, lists of persons, and every note of the head (database, file, printed)."""
    heads = [*printed, head()]
    noted = _noted_head()
    if noted is not None:
        heads.append(noted)
    faults: list[chain.Verdict] = []
    verdict = chain.verify(_checked_links(faults), keys().key("audit"), heads)
    return faults[0] if faults and (verdict.ok or (verdict.first_bad or 0) >= (faults[0].first_bad or 0)) else verdict


def _checked_links(faults: list[chain.Verdict]) -> Iterator[chain.Link]:
    """Links in order; stops after noting the first event whose columns or persons differ from its text."""
    names = ("seq", "body", "prev", "mac", "at", "actor", "role", "action", "outcome")
    rows = AuditEvent.objects.order_by("seq").values_list(*names)
    persons = _persons_by_event()
    waiting = next(persons, None)
    for seq, body, prev, mac, *columns in rows.iterator(chunk_size=5000):
        stray = waiting is not None and waiting[0] < seq
        tokens = waiting[1] if waiting is not None and waiting[0] == seq else []
        if waiting is not None and waiting[0] == seq:
            waiting = next(persons, None)
        if stray or not _agrees(body, columns, tokens):
            faults.append(chain.Verdict(seq - 1, False, seq, "検索用の列または対象者の一覧が、記録の本文と違います"))
        yield chain.Link(seq, body, prev, mac)
        if faults:
            return
    if waiting is not None:
        faults.append(chain.Verdict(waiting[0] - 1, False, waiting[0], "記録の無い対象者の行があります"))


def _persons_by_event() -> Iterator[tuple[int, list[str]]]:
    rows = AuditSubject.objects.order_by("event_id", "subject").values_list("event_id", "subject").iterator(chunk_size=5000)
    for event, group in groupby(rows, key=lambda r: r[0]):
        yield event, [subject for _, subject in group]


def _agrees(body: str, columns: Sequence[Any], tokens: Sequence[str]) -> bool:
    try:
        said = json.loads(body)
        at, *words = columns
        repeated = [said[k] for k in ("actor", "role", "action", "outcome")]
        return bool(
            said["subjects"] == chain.digest(tokens) and repeated == words and dt.datetime.fromisoformat(said["at"]) == at
        )
    except (ValueError, KeyError):
        return False


@dataclass(frozen=True, slots=True)
class Sighting:
    """One event that concerned the asked person, for 監査 and disclosure."""

    seq: int
    at: str
    actor: str
    role: str
    purpose: str
    action: str
    outcome: str
    fields: tuple[str, ...]
    reason: str


def who_saw(actor: Actor, person_id: str) -> list[Sighting]:
    """Every event concerning one person, newest first; asking is itself recorded."""
    record(actor, "audit.who_saw", Entry(subjects=(person_id,), fields=("audit_event",)))
    return sightings(person_id)


def sightings(person_id: str) -> list[Sighting]:
    """Events concerning one person, newest first (not recorded: for `who_saw` and tests)."""
    token = subject_token(person_id)
    found = AuditEvent.objects.filter(subjects__subject=token).order_by("-seq")
    return [_sighting(e) for e in found]


def latest(limit: int = 100, before: int | None = None) -> list[Sighting]:
    """The newest events, for the auditor's page; holds nobody's data."""
    events = AuditEvent.objects.order_by("-seq")
    if before is not None:
        events = events.filter(seq__lt=before)
    return [_sighting(e) for e in events[:limit]]


def _sighting(event: AuditEvent) -> Sighting:
    said = json.loads(event.body)
    reason = keys().unseal(bytes.fromhex(said["reason"]), "audit-reason").decode() if said["reason"] else ""
    at = timezone.localtime(event.at).isoformat(timespec="seconds")
    return Sighting(
        event.seq, at, event.actor, event.role, said["purpose"], event.action, event.outcome, tuple(said["fields"]), reason
    )
