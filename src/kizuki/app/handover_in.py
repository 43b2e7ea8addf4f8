"""引継ぎ（受け取る）: a letter from another municipality is opened, checked, and kept sealed; two people say whom it speaks of.

Nothing is merged by machine: name and birthday only suggest residents. Confirmed, its facts stand on the child's timeline
as what another municipality said (転入前の情報), apart from this city's own records and never read by a judgement.
"""

import datetime as dt
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from kizuki.app import accounts, audit
from kizuki.app.accounts import allow
from kizuki.app.handover import deleted, keys, rules
from kizuki.app.handover_document import FAMILY, FORMAT, IDENTITY, rows_of
from kizuki.app.release import Actor, Query, may_see, record_output, release
from kizuki.cleanse.names import name_key
from kizuki.govern import envelope
from kizuki.govern.may import Refused
from kizuki.records.models import ReceivedHandover, Share
from kizuki.sources.mynumber import scan_texts
from kizuki.terms.errors import InputRefused

MATCHES: Final = Query(
    name="handover_matches",
    tables=("person",),
    columns={
        "person_id": "person.person_id",
        "name": "person.name",
        "kana": "person.kana",
        "birth_date": "person.birth_date",
        "resident_from": "person.resident_from",
    },
    subject="person_id",
)
MAX_BYTES: Final = 1_000_000
SHARE_DAYS: Final = 90
_PURPOSE: Final = "handover"
_NEEDED: Final = ("引継ぎ元", "引継ぎ先", "根拠", "作成日", "部分")


@dataclass(frozen=True, slots=True)
class Match:
    """One resident the letter may speak of; `same_name` = the name agrees after folding variants of characters."""

    person_id: str
    name: Any
    kana: Any
    birth_date: Any
    resident_from: Any
    same_name: bool


@dataclass(frozen=True, slots=True)
class Told:
    """One thing another municipality said: when, what, and who said so."""

    lane: str
    text: str
    starts_on: dt.date
    ends_on: dt.date | None
    is_spell: bool
    origin: str
    document: int


@dataclass(frozen=True, slots=True)
class Received:
    """One letter as a page shows it, in the parts this reader may read."""

    letter: ReceivedHandover
    parts: tuple[tuple[str, list[Mapping[str, Any]]], ...]
    closed_parts: tuple[tuple[str, int], ...]
    matches: tuple[Match, ...]
    kept: bool


def receive(actor: Actor, content: bytes) -> ReceivedHandover:
    """Open and keep a letter. Raises InputRefused (K764 not ours, altered or not of the form; K765 had it) and NotPermitted."""
    allow(actor, "handover.receive")
    if len(content) > MAX_BYTES:
        raise _malformed("大きすぎます")
    opened = envelope.unseal(content, keys())
    body = _read(opened.content)
    digest = hashlib.sha256(opened.content).hexdigest()
    counts = {part: len(rows) for part, _, rows in rows_of(body, rules().parts)}
    record_output(actor, "handover.receive", subjects=[], fields=["received_handover"], count=1, reason="引継ぎ書の受領")
    try:
        with transaction.atomic():
            letter = ReceivedHandover.objects.create(
                digest=digest,
                origin=str(body["引継ぎ元"])[:60],
                signer=opened.signer,
                basis=f"{body['根拠']['名称']}（{body['根拠']['条文']}）"[:120],
                counts=counts,
                received_by_id=actor.user_id,
            )
    except IntegrityError as e:
        raise InputRefused(
            "K765", "この引継ぎ書は、すでに受け取っています。", "受け取ったファイル", "一覧で確かめてください。"
        ) from e
    path = body_path(digest)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.write_bytes(audit.keys().seal(opened.content, _PURPOSE, digest))
    return letter


def _read(content: bytes) -> dict[str, Any]:
    """The letter's document, checked: form, dates, and no 個人番号 anywhere in it."""
    try:
        body: dict[str, Any] = json.loads(content)
        if body["形式"] != FORMAT or any(k not in body for k in _NEEDED):
            raise _malformed("様式が違います")
        for part, _, rows in rows_of(body, body["部分"]):
            for row in rows:
                _ = [dt.date.fromisoformat(row[k]) for k in ("始まり", "終わり", "生年月日") if row.get(k)]
                if part not in (IDENTITY, FAMILY) and not (row.get("内容") and row.get("始まり")):
                    raise _malformed("内容か日付の無い行があります")
        if IDENTITY not in body["部分"] or not body["部分"][IDENTITY]["行"]:
            raise _malformed("だれの引継ぎ書か書いてありません")
        str(body["根拠"]["名称"] + body["根拠"]["条文"])
    except (ValueError, KeyError, TypeError, AttributeError) as e:
        raise _malformed("様式が違います") from e
    if scan_texts([content.decode()]).passing:
        raise _malformed("個人番号と思われる数字があります")
    return body


def _malformed(why: str) -> InputRefused:
    return InputRefused(
        "K764",
        f"引継ぎ書を受け取れません（{why}）。何も保存していません。",
        "受け取ったファイル",
        "送った市町村に、作り直しを依頼してください。",
    )


def listing(actor: Actor) -> list[ReceivedHandover]:
    """Letters received, newest first; no child's name. Raises NotPermitted K701."""
    allow(actor, "handover.receive")
    return list(ReceivedHandover.objects.select_related("received_by", "confirmed_by").order_by("-pk")[:200])


def show(actor: Actor, letter_id: int) -> Received:
    """One letter. Unconfirmed, those who receive see identity only (to find the child); confirmed, what their role may read."""
    letter = next((x for x in listing(actor) if x.pk == letter_id), None)
    if letter is None:
        raise InputRefused("K763", "この引継ぎ書はありません。", "引継ぎ書", "一覧から開き直してください。")
    kept = body_path(letter.digest).exists()
    body = json.loads(_load(letter.digest)) if kept else {}
    open_parts = [p for p in letter.counts if _open_to(actor, letter, p)] if kept else []
    parts = rows_of(body, open_parts) if kept else []
    told = [f"received_handover.{p}" for p in open_parts]
    subjects = [letter.person_id] if letter.person_id else []
    record_output(actor, "handover.receive", subjects=subjects, fields=told, count=1, reason="受け取った引継ぎ書の表示")
    closed = tuple((rules().parts[p].title, n) for p, n in letter.counts.items() if p not in open_parts)
    may_confirm = kept and not letter.person_id and bool(accounts.may(actor, "handover.approve"))
    matches = _matches(actor, body) if may_confirm else ()
    return Received(letter, tuple((title, rows) for _, title, rows in parts), closed, matches, kept)


def _open_to(actor: Actor, letter: ReceivedHandover, part: str) -> bool:
    if not letter.person_id:
        return part == IDENTITY
    return may_see(actor, letter.person_id, rules().parts[part].klass)


def _matches(actor: Actor, body: Mapping[str, Any]) -> tuple[Match, ...]:
    """Residents born on the same day: those whose folded name agrees first. A suggestion, never a decision."""
    child = body["部分"][IDENTITY]["行"][0]
    birth, name = child.get("生年月日"), child.get("氏名") or ""
    if not birth:
        return ()
    rows = release(actor, MATCHES, action="handover.receive", birth_date=dt.date.fromisoformat(birth)).rows
    wanted = name_key(name) if name else None
    found = [
        Match(r["person_id"], r["name"], r["kana"], r["birth_date"], r["resident_from"], _same(r["name"], wanted)) for r in rows
    ]
    return tuple(sorted((m for m in found if m.same_name), key=lambda m: m.person_id))


def _same(name: Any, wanted: str | None) -> bool:
    return isinstance(name, str) and wanted is not None and name_key(name) == wanted


@transaction.atomic
def confirm(actor: Actor, letter_id: int, person_id: str) -> ReceivedHandover:
    """Say whom the letter speaks of: a second person, from among the suggested residents; the receiver may then open the child.

    Raises NotPermitted (K701) and InputRefused (K763).
    """
    allow(actor, "handover.approve")
    letter = ReceivedHandover.objects.select_for_update().filter(pk=letter_id, person_id="").first()
    if letter is None:
        raise InputRefused("K763", "この引継ぎ書は、もう本人が確かめられています。", "引継ぎ書", "一覧で確かめてください。")
    if letter.received_by_id == actor.user_id:
        raise Refused(
            "自分が受け取った引継ぎ書の本人は、別の職員が確かめます。", fix="別の総括管理者に依頼してください。"
        ).error()
    if person_id not in {m.person_id for m in _matches(actor, json.loads(_load(letter.digest)))}:
        raise InputRefused(
            "K763", "選んだ人は、生年月日と氏名が引継ぎ書と合いません。", "本人", "示された人から選んでください。"
        )
    letter.person_id, letter.confirmed_by_id, letter.confirmed_at = person_id, actor.user_id, timezone.now()
    letter.save()
    until = timezone.now() + dt.timedelta(days=SHARE_DAYS)
    Share.objects.update_or_create(
        person_id=person_id,
        user_id=letter.received_by_id,
        defaults={"by_id": actor.user_id, "reason": "引継ぎ書を受け取ったため", "expires_at": until},
    )
    record_output(
        actor, "handover.receive", subjects=[person_id], fields=["received_handover"], count=1, reason="引継ぎ書の本人の確認"
    )
    return letter


def told_of(actor: Actor, person_id: str) -> tuple[Told, ...]:
    """What other municipalities said of one child, as far as the actor's role reads it; recorded when there is anything."""
    letters = [x for x in ReceivedHandover.objects.filter(person_id=person_id).order_by("pk") if body_path(x.digest).exists()]
    told = [t for letter in letters for t in _told(actor, letter)]
    if told:
        fields = sorted({f"received_handover.{t.lane}" for t in told})
        record_output(actor, "child.view", subjects=[person_id], fields=fields, count=len(told), reason="転入前の情報")
    return tuple(told)


_LANES: Final[Mapping[str, str]] = {"council": "相談", "consultation": "相談", "health": "保健", "school": "教育"}


def _told(actor: Actor, letter: ReceivedHandover) -> Iterator[Told]:
    open_parts = [p for p in letter.counts if p in _LANES and _open_to(actor, letter, p)]
    if not open_parts:
        return
    for part, _, rows in rows_of(json.loads(_load(letter.digest)), open_parts):
        for row in rows:
            ends = dt.date.fromisoformat(row["終わり"]) if row.get("終わり") else None
            starts = dt.date.fromisoformat(row["始まり"])
            lasting = part in ("council", "school")
            yield Told(_LANES[part], str(row["内容"]), starts, ends, lasting, letter.origin, letter.pk)


def _load(digest: str) -> bytes:
    path = body_path(digest)
    if not path.exists():
        raise deleted()
    return audit.keys().unseal(path.read_bytes(), _PURPOSE, digest)


def body_path(digest: str) -> Path:
    """Where the sealed body of a letter that came in lies."""
    return Path(settings.KIZUKI_HOME) / "handover" / "in" / f"{digest[:32]}.sealed"
