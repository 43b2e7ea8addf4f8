"""引継ぎ（送る）: a caseworker prepares, another person approves, exactly that is issued, sealed to the next municipality.

The only writer of `Handover`. A child under 支援措置 needs a reader allowed behind the seal and a third person who
agrees; the seal is looked at again at every step and for the last time before the bytes leave (G6).
"""

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from kizuki.app import accounts, audit
from kizuki.app.accounts import allow
from kizuki.app.handover_document import FAMILY, IDENTITY, Document, Wish, build, rows_of
from kizuki.app.release import Actor, SealState, may_see, record_output, seal_state
from kizuki.app.served import Served
from kizuki.definitions.governance import HandoverRules
from kizuki.govern import envelope
from kizuki.govern.may import Refused
from kizuki.records.models import Handover, HandoverStatus
from kizuki.terms.errors import InputRefused, NotPermitted

_PURPOSE: Final = "handover"
_WAITING, _APPROVED = HandoverStatus.WAITING, HandoverStatus.APPROVED


@dataclass(frozen=True, slots=True)
class Shown:
    """One 引継ぎ書 as a page shows it: the decisions, and the parts this reader may read (title, rows)."""

    handover: Handover
    basis_title: str
    article: str
    parts: tuple[tuple[str, list[Mapping[str, Any]]], ...]
    closed_parts: tuple[tuple[str, int], ...]
    sealed: bool
    reason: str
    kept: bool


def rules() -> HandoverRules:
    """What the city lets be handed over, on which ground."""
    return accounts.governance().handover


def keys() -> envelope.Keys:
    """The city's keys for letters between municipalities."""
    ring = audit.keys()
    return envelope.Keys.of(ring.key("handover-receiving"), ring.key("handover-signing"))


def address_mark(address: str) -> str:
    """Fingerprint of the next municipality's key, to be compared by telephone."""
    return envelope.address_mark(address)


def prepare(actor: Actor, served: Served, person_id: str, wish: Wish) -> Handover:
    """Make the document and ask for approval.

    Raises InputRefused (K761 what is asked, K766 the address) and NotPermitted (K701, K702, K762 a sealed child).
    """
    allow(actor, "handover.prepare")
    _check(wish)
    if seal_state(actor, [person_id]) is SealState.CLOSED:
        raise _sealed("封の閲覧を許可された職員だけが、引継ぎ書を作れます。")
    document = build(actor, served, person_id, wish, rules=rules(), made_on=timezone.localdate())
    if document is None:
        raise InputRefused("K721", "このこどもの記録がありません。", "引継ぎ書", "支援候補の一覧から開き直してください。")
    if seal_state(actor, document.people) is SealState.CLOSED:
        raise _sealed("書かれる家族の封の閲覧を許可された職員だけが、引継ぎ書を作れます。")
    _store(document)
    return Handover.objects.create(
        person_id=person_id,
        destination=wish.destination,
        address=wish.address.strip(),
        basis=wish.basis,
        parts=[p for p in rules().parts if p in wish.parts],
        counts=dict(document.counts),
        people=list(document.people),
        reason=wish.reason.strip()[:200],
        digest=document.digest,
        prepared_by_id=actor.user_id,
    )


def _check(wish: Wish) -> None:
    basis = rules().bases.get(wish.basis)
    if not wish.destination.strip() or not wish.reason.strip() or basis is None:
        raise InputRefused(
            "K761", "引継ぎ先・根拠・理由のどれかがありません。", "引継ぎ書", "すべて入れてから、もう一度押してください。"
        )
    if IDENTITY not in wish.parts or set(wish.parts) - set(basis.parts):
        raise InputRefused(
            "K761",
            f"選んだ部分は、根拠「{basis.title}」では渡せません。",
            "渡す部分",
            "氏名などの部分と、根拠で渡せる部分だけを選んでください。",
        )
    envelope.address_mark(wish.address)


@transaction.atomic
def decide(actor: Actor, handover_id: int, *, approve: bool, reason: str = "") -> Handover:
    """Approve or send back what somebody else prepared.

    Raises NotPermitted (K701, K762) and InputRefused (K763 not waiting, K761 no reason, K767 its text is gone).
    """
    allow(actor, "handover.approve")
    found = _waiting(handover_id, _WAITING)
    if found.prepared_by_id == actor.user_id or found.seal_approved_by_id == actor.user_id:
        raise Refused(
            "自分が作った、または支援措置の承認をした引継ぎ書は、承認できません。", fix="別の総括管理者に依頼してください。"
        ).error()
    if approve and seal_state(actor, found.people) is not SealState.NONE and found.seal_approved_by_id is None:
        raise _sealed("支援措置の責任者が先に認める必要があります。")
    if not approve and not reason.strip():
        raise InputRefused("K761", "差し戻しには理由が要ります。", "理由", "理由を書いてから、もう一度押してください。")
    if approve:
        _load(found.digest)
    found.status = _APPROVED if approve else HandoverStatus.RETURNED
    found.decided_by_id, found.decided_at, found.decision_reason = actor.user_id, timezone.now(), reason.strip()[:200]
    found.save()
    _note(actor, "handover.approve", found, "承認" if approve else "差し戻し", [])
    return found


@transaction.atomic
def agree_sealed(actor: Actor, handover_id: int) -> Handover:
    """The keeper of 支援措置 agrees that a sealed child's 引継ぎ書 may go on to approval: a third person."""
    allow(actor, "handover.approve_sealed")
    found = _waiting(handover_id, _WAITING)
    if found.prepared_by_id == actor.user_id:
        raise Refused("自分が作った引継ぎ書は、認められません。", fix="支援措置の責任者に依頼してください。").error()
    found.seal_approved_by_id, found.seal_approved_at = actor.user_id, timezone.now()
    found.save()
    _note(actor, "handover.approve_sealed", found, "支援措置のこどもの引継ぎを認める", [])
    return found


@transaction.atomic
def withdraw(actor: Actor, handover_id: int) -> Handover:
    """The preparer takes back what has not been issued."""
    allow(actor, "handover.prepare")
    found = Handover.objects.select_for_update().filter(pk=handover_id, prepared_by_id=actor.user_id).first()
    if found is None or found.status not in (_WAITING, _APPROVED):
        raise _changed()
    found.status = HandoverStatus.WITHDRAWN
    found.save()
    return found


@transaction.atomic
def issue(actor: Actor, handover_id: int) -> bytes:
    """The approved document as a letter only the next municipality can open; once, recorded before the bytes exist.

    Raises NotPermitted (K701, K702, K762) and InputRefused (K763 not approved, expired, or not what was approved).
    """
    allow(actor, "handover.prepare")
    found = _waiting(handover_id, _APPROVED)
    body = _checked_body(actor, found)
    found.status, found.issued_at = HandoverStatus.ISSUED, timezone.now()
    found.save()
    _note(actor, "handover.prepare", found, f"引継ぎ書の交付：{found.destination}")
    return envelope.seal(body, found.address, keys())


def _checked_body(actor: Actor, found: Handover) -> bytes:
    """The stored document after the last looks: whose it is, how old, sealed or not, unaltered."""
    if found.prepared_by_id != actor.user_id or not may_see(actor, found.person_id, rules().parts[IDENTITY].klass):
        raise _not_yours()
    sealed = seal_state(actor, found.people)
    if sealed is SealState.CLOSED or (sealed is SealState.OPENED and found.seal_approved_by_id is None):
        raise _sealed("承認のあとに支援措置が付いたか、閲覧の許可が終わりました。")
    decided = found.decided_at
    if decided is None or timezone.now() > decided + dt.timedelta(days=rules().valid_days):
        raise InputRefused("K763", "承認から日数がたち、内容が古くなりました。", "引継ぎ書", "いまの記録で作り直してください。")
    return _load(found.digest)


def _not_yours() -> NotPermitted:
    """The refusal of a document about a child outside the reader's scope, or prepared by somebody else."""
    return Refused("この引継ぎ書は、作った職員だけが開けます。", code="K702", fix="作った職員に依頼してください。").error()


def listing(actor: Actor) -> list[Handover]:
    """What the actor prepared, or all of them for those who approve; no child's name."""
    if not accounts.may(actor, "handover.approve"):
        allow(actor, "handover.prepare")
    everything = Handover.objects.select_related("prepared_by", "decided_by", "seal_approved_by").order_by("-pk")
    mine = everything if accounts.may(actor, "handover.approve") else everything.filter(prepared_by_id=actor.user_id)
    return list(mine[:200])


def show(actor: Actor, handover_id: int, *, action: str) -> Shown:
    """One 引継ぎ書 with the parts the reader's role may read; the read is recorded first."""
    found = next((h for h in listing(actor) if h.pk == handover_id), None)
    if found is None:
        raise _changed()
    sealed = seal_state(actor, found.people)
    classes = {part: rules().parts[part].klass for part in found.parts if part in rules().parts}
    closed_now = sealed is SealState.CLOSED
    open_parts = [p for p, klass in classes.items() if not closed_now and may_see(actor, found.person_id, klass)]
    kept = body_path(found.digest).exists()
    open_parts = open_parts if kept else []
    body: Mapping[str, Any] = json.loads(_load(found.digest)) if kept else {}
    _note(actor, action, found, f"引継ぎ書の表示：{found.destination}", open_parts)
    basis = rules().bases[found.basis]
    return Shown(
        found,
        basis.title,
        basis.article,
        tuple((title, rows) for _, title, rows in rows_of(body, open_parts)) if kept else (),
        tuple((rules().parts[p].title, found.counts.get(p, 0)) for p in classes if p not in open_parts),
        sealed is not SealState.NONE,
        found.reason,
        kept,
    )


def _waiting(handover_id: int, status: HandoverStatus) -> Handover:
    found = Handover.objects.select_for_update().filter(pk=handover_id, status=status).first()
    if found is None:
        raise _changed()
    return found


def _changed() -> InputRefused:
    return InputRefused(
        "K763",
        "この引継ぎ書は、いまはこの操作ができません（状態が変わったか、ありません）。",
        "引継ぎ書",
        "一覧で、いまの状態を確かめてください。",
    )


def _sealed(why: str) -> NotPermitted:
    return NotPermitted(
        "K762", f"支援措置のため、引継ぎを止めました。{why}", "引継ぎ書", "支援措置の責任者（総括管理主体）に相談してください。"
    )


def _note(actor: Actor, action: str, found: Handover, reason: str, parts: list[str] | None = None) -> None:
    """One event: the parts shown or issued (`parts` None = all), and everybody named in them."""
    told = found.parts if parts is None else parts
    subjects = found.people if FAMILY in told else [found.person_id]
    record_output(actor, action, subjects=subjects, fields=[f"handover.{p}" for p in told], count=1, reason=reason)


def _store(document: Document) -> None:
    path = body_path(document.digest)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.write_bytes(audit.keys().seal(document.body, _PURPOSE, document.digest))


def _load(digest: str) -> bytes:
    """The body. Raises InputRefused K767 when its period is over and the night has deleted it."""
    path = body_path(digest)
    if not path.exists():
        raise deleted()
    return audit.keys().unseal(path.read_bytes(), _PURPOSE, digest)


def deleted() -> InputRefused:
    """The refusal of a letter whose text is no longer there."""
    return InputRefused(
        "K767",
        "保存期間を過ぎたため、この引継ぎ書の本文は消しました。",
        "引継ぎ書",
        "だれが何を決めたかの記録は残っています。要るときは、いまの記録で作り直してください。",
    )


def body_path(digest: str) -> Path:
    """Where the sealed body of a letter this city prepared lies."""
    return Path(settings.KIZUKI_HOME) / "handover" / "out" / f"{digest[:32]}.sealed"
