"""お知らせの緊急停止: one person stops all notices or those of one programme at once; two people lift it.

The only writer of `NoticeStop`. Stopped notices stay where they are: nothing is handed to the relay, and the relay is told.
"""

import datetime as dt
from typing import Final

from django.db import IntegrityError, transaction
from django.db.models import Q

from kizuki.app import accounts
from kizuki.app.accounts import allow
from kizuki.app.release import Actor, record_output
from kizuki.definitions.loader import Definitions
from kizuki.govern.may import Refused
from kizuki.records.models import User
from kizuki.records.notice_models import NoticeStop
from kizuki.terms.errors import InputRefused

ALL: Final = ""
MAX_REASON: Final = 200


def standing() -> list[NoticeStop]:
    """Stops in force, the newest first."""
    found = NoticeStop.objects.filter(lifted_at__isnull=True).select_related("stopped_by", "lift_asked_by")
    return list(found.order_by("-pk"))


def is_stopped(programme: str) -> bool:
    """Whether nothing of this programme may leave now."""
    return NoticeStop.objects.filter(Q(programme=ALL) | Q(programme=programme), lifted_at__isnull=True).exists()


def stopped_programmes() -> frozenset[str]:
    """What is stopped now; `ALL` among them means everything."""
    return frozenset(NoticeStop.objects.filter(lifted_at__isnull=True).values_list("programme", flat=True))


@transaction.atomic
def stop(actor: Actor, definitions: Definitions, programme: str, reason: str, now: dt.datetime) -> NoticeStop:
    """Stop now. Raises NotPermitted K701 (role; a programme of another office) and InputRefused K817, K818."""
    _allow(actor, definitions, programme)
    if programme != ALL and programme not in definitions.programmes:
        raise _state("その制度はありません。")
    _reasoned(reason)
    try:
        with transaction.atomic():
            made = NoticeStop.objects.create(
                programme=programme, reason=reason.strip()[:MAX_REASON], stopped_by_id=actor.user_id
            )
    except IntegrityError:
        raise _state("すでに止まっています。") from None
    _note(actor, made, "緊急停止")
    return made


@transaction.atomic
def ask_to_lift(actor: Actor, definitions: Definitions, programme: str, reason: str, now: dt.datetime) -> NoticeStop:
    """The first of two says why notices may go again. Raises NotPermitted K701 and InputRefused K817, K818."""
    _allow(actor, definitions, programme)
    found = _stopped(programme)
    _reasoned(reason)
    found.lift_asked_by_id, found.lift_asked_at, found.lift_reason = actor.user_id, now, reason.strip()[:MAX_REASON]
    found.save()
    _note(actor, found, "解くことの求め")
    return found


@transaction.atomic
def lift(actor: Actor, definitions: Definitions, programme: str, now: dt.datetime) -> NoticeStop:
    """Another person agrees. Raises NotPermitted K701 (also for whoever asked) and InputRefused K817."""
    _allow(actor, definitions, programme)
    found = _stopped(programme)
    if found.lift_asked_by_id is None:
        raise _state("まだ、解くことを求めた人がいません。")
    if found.lift_asked_by_id == actor.user_id:
        raise Refused("解くことを求めた本人は、認められません。", fix="権限のある別の職員に依頼してください。").error()
    found.lifted_by_id, found.lifted_at = actor.user_id, now
    found.save()
    _note(actor, found, "緊急停止を解く")
    return found


def _allow(actor: Actor, definitions: Definitions, programme: str) -> None:
    """An office stops and lifts its own programmes; 情報発信 and 総括 anything."""
    allow(actor, "notice.stop")
    if accounts.may(actor, "notice.prepare") or accounts.may(actor, "notice.approve_any"):
        return
    found = definitions.programmes.get(programme)
    office = found.text.owner if found else ""
    if not office or not User.objects.filter(pk=actor.user_id, department=office).exists():
        raise Refused(
            "止める・解くことができるのは、自分の課の制度だけです。", fix="情報発信か総括管理主体に依頼してください。"
        ).error()


def _stopped(programme: str) -> NoticeStop:
    found = NoticeStop.objects.select_for_update().filter(programme=programme, lifted_at__isnull=True).first()
    if found is None:
        raise _state("止まっていません。")
    return found


def _reasoned(reason: str) -> None:
    if not reason.strip():
        raise InputRefused("K818", "理由がありません。", "理由", "理由を書いてから、もう一度押してください。")


def _state(what: str) -> InputRefused:
    return InputRefused("K817", what, "お知らせの緊急停止", "画面を開き直して、いまの状態を確かめてください。")


def _note(actor: Actor, found: NoticeStop, what: str) -> None:
    reason = f"{what}：{found.programme or 'すべて'}"
    record_output(actor, "notice.stop", subjects=[], fields=["notice_stop"], count=1, reason=reason)
