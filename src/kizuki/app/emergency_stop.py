"""緊急停止: the office in charge stops a criteria set, at the next response nothing of it is shown; two people lift the stop.

The only writer of `CriteriaStop`. What is hidden is decided at the door (`release`), so no screen or export can forget it.
"""

import datetime as dt
from pathlib import Path
from typing import Final

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from kizuki.app.accounts import allow
from kizuki.app.criteria_board import definitions_now
from kizuki.app.release import Actor, record_output
from kizuki.app.served import Served
from kizuki.app.stops import made_from, stopped_sets
from kizuki.govern.may import Refused
from kizuki.records.models import CriteriaStop
from kizuki.terms.errors import InputRefused

MAX_REASON: Final = 200


def home() -> Path:
    """The home whose criteria are stopped."""
    return Path(settings.KIZUKI_HOME)


def standing(criteria: str) -> CriteriaStop | None:
    """The stop in force of one set (its own, or of a set it combines); None if nothing keeps it back."""
    if criteria not in stopped_sets():
        return None
    found = all_standing()
    own = next((s for s in found if criteria in s.covers), None)
    return own or next((s for s in found if criteria in made_from(s.covers, definitions_now(home()).criteria)), None)


def all_standing() -> list[CriteriaStop]:
    """Stops in force, newest first."""
    found = CriteriaStop.objects.filter(lifted_at__isnull=True).select_related("stopped_by", "lift_asked_by")
    return list(found.order_by("-pk"))


def past(criteria: str) -> list[CriteriaStop]:
    """Stops of one set that have been lifted, newest first."""
    found = CriteriaStop.objects.filter(criteria=criteria, lifted_at__isnull=False)
    return list(found.select_related("stopped_by", "lift_asked_by", "lifted_by").order_by("-pk"))


@transaction.atomic
def stop(actor: Actor, served: Served, criteria: str, reason: str) -> CriteriaStop:
    """Stop a set now. Raises NotPermitted K701 and InputRefused K770 (unknown set, no reason, stopped already)."""
    allow(actor, "criteria.stop")
    sets = served.definitions.loaded.criteria
    if criteria not in sets:
        raise InputRefused("K770", "その判定基準はありません。", "緊急停止", "一覧から選び直してください。")
    _check_reason(reason, "止める")
    try:
        with transaction.atomic():
            made = CriteriaStop.objects.create(
                criteria=criteria,
                version=sets[criteria].version,
                covers=made_from([criteria], sets),
                reason=reason.strip()[:MAX_REASON],
                stopped_by_id=actor.user_id,
            )
    except IntegrityError:
        raise InputRefused(
            "K770", "この判定基準は、すでに止まっています。", "緊急停止", "いまの状態を確かめてください。"
        ) from None
    _note(actor, made, "緊急停止")
    return made


@transaction.atomic
def ask_to_lift(actor: Actor, criteria: str, reason: str) -> CriteriaStop:
    """The first of two people says why the set may be used again. Raises NotPermitted and InputRefused K770, K771."""
    allow(actor, "criteria.stop")
    _check_reason(reason, "解く")
    found = _stopped(criteria)
    found.lift_asked_by_id, found.lift_asked_at = actor.user_id, timezone.now()
    found.lift_reason = reason.strip()[:MAX_REASON]
    found.save()
    _note(actor, found, "緊急停止を解くことの求め")
    return found


@transaction.atomic
def lift(actor: Actor, criteria: str) -> CriteriaStop:
    """Another person agrees, and the set is shown again at the next response.

    Raises NotPermitted K701 (also for the person who asked) and InputRefused K771 (not stopped, or nobody has asked).
    """
    allow(actor, "criteria.stop")
    found = _stopped(criteria)
    if found.lift_asked_by_id is None:
        raise _changed("まだ、解くことを求めた人がいません。")
    if found.lift_asked_by_id == actor.user_id:
        raise Refused("解くことを求めた本人は、認められません。", fix="総括管理主体の別の職員に依頼してください。").error()
    found.lifted_by_id, found.lifted_at = actor.user_id, timezone.now()
    found.save()
    _note(actor, found, "緊急停止を解く")
    return found


def _stopped(criteria: str) -> CriteriaStop:
    found = CriteriaStop.objects.select_for_update().filter(criteria=criteria, lifted_at__isnull=True).first()
    if found is None:
        raise _changed("この判定基準は、止まっていません。")
    return found


def _changed(what: str) -> InputRefused:
    return InputRefused("K771", what, "緊急停止", "いまの状態を確かめてください。")


def _check_reason(reason: str, what: str) -> None:
    if not reason.strip():
        raise InputRefused("K770", f"{what}理由がありません。", "理由", "理由を書いてから、もう一度押してください。")


def _note(actor: Actor, found: CriteriaStop, what: str) -> None:
    record_output(actor, "criteria.stop", subjects=[], fields=["criteria_stop"], count=1, reason=f"{what}：{found.criteria}")


def lasted(found: CriteriaStop) -> dt.timedelta:
    """How long the set was (or has been) stopped."""
    return (found.lifted_at or timezone.now()) - found.stopped_at
