"""訂正の依頼: what staff found to be wrong in a source record, put to the office that owns it.

The office sees the delivery, the day and the item of its own data; it does not see who was judged, by which criteria or why.
The child is settled between the two offices by the number of the request.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from django.db import transaction
from django.utils import timezone

from kizuki.app import accounts
from kizuki.app.accounts import allow
from kizuki.app.release import Actor, record_output
from kizuki.app.served import Served
from kizuki.records.models import CorrectionRequest, CorrectionStatus, Feedback, User
from kizuki.terms.errors import InputRefused

ANSWERS: Final = (CorrectionStatus.CORRECTED.value, CorrectionStatus.RIGHT_AS_IS.value)


def ask(feedback: Feedback, row: Mapping[str, Any], *, what: str) -> CorrectionRequest:
    """A request about the record an entry rests on (`row` of the released reasons)."""
    return CorrectionRequest.objects.create(
        feedback=feedback,
        source=row["source"] or "",
        delivery_id=row["delivery_id"] or "",
        observed_on=row["observed_on"],
        what=what[:80],
    )


def withdraw(answers: Iterable[Feedback]) -> None:
    """Requests of answers that no longer count are taken back, unless the office has answered."""
    open_ones = CorrectionRequest.objects.filter(feedback__in=[a.pk for a in answers], status=CorrectionStatus.OPEN)
    open_ones.update(status=CorrectionStatus.WITHDRAWN)


def reopen(answer: Feedback | None) -> None:
    """The request of an answer that counts again stands again."""
    if answer is not None:
        taken_back = CorrectionRequest.objects.filter(feedback=answer, status=CorrectionStatus.WITHDRAWN)
        taken_back.update(status=CorrectionStatus.OPEN)


def listing(actor: Actor, served: Served) -> list[dict[str, Any]]:
    """Requests to the actor's own office, or those the actor made; recorded. Raises NotPermitted K701."""
    owner = bool(accounts.may(actor, "correction.answer"))
    if not owner:
        allow(actor, "feedback.write")
    action = "correction.answer" if owner else "feedback.write"
    found = CorrectionRequest.objects.select_related("feedback", "feedback__by", "answered_by").order_by("-pk")
    rows = [r for r in found if _of_office(actor, served, r)] if owner else list(found.filter(feedback__by_id=actor.user_id))
    record_output(actor, action, subjects=[], fields=["correction_request"], count=len(rows), reason="訂正の依頼の一覧")
    return [{"request": r, "source": served.definitions.source(r.source), "may_answer": owner} for r in rows[:200]]


@transaction.atomic
def answer(actor: Actor, served: Served, request_id: int, status: str) -> CorrectionRequest:
    """The owning office says what it did. Raises NotPermitted K701 and InputRefused K773 (not open, not this office's)."""
    allow(actor, "correction.answer")
    found = CorrectionRequest.objects.select_for_update().filter(pk=request_id, status=CorrectionStatus.OPEN).first()
    if found is None or status not in ANSWERS or not _of_office(actor, served, found):
        raise InputRefused(
            "K773", "この依頼には、いまは答えられません。", "訂正の依頼", "一覧で、いまの状態を確かめてください。"
        )
    found.status, found.answered_by_id, found.answered_at = status, actor.user_id, timezone.now()
    found.save()
    fields = ["correction_request"]
    record_output(actor, "correction.answer", subjects=[], fields=fields, count=1, reason=f"依頼 {found.pk}：{status}")
    return found


def _of_office(actor: Actor, served: Served, request: CorrectionRequest) -> bool:
    """Whether the record belongs to the actor's office; a user without an office owns nothing."""
    office = User.objects.filter(pk=actor.user_id).values_list("department", flat=True).first()
    return bool(office) and served.definitions.source(request.source).owner.startswith(str(office))
