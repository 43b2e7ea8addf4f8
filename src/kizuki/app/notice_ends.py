"""Several notices come to one end together, each with its event and its reason."""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence

from kizuki.push import states
from kizuki.records.notice_models import Notice, NoticeEvent, NoticeStatus


def end(
    notices: Sequence[Notice], status: NoticeStatus, now: dt.datetime, why: Mapping[uuid.UUID, str], by: int | None = None
) -> None:
    """Write the status and one event each; call it inside the transaction of the step that decided it."""
    for one in notices:
        assert states.may_follow(one.status, status.value), one.status
        one.status, one.status_at = status, now
    Notice.objects.bulk_update(notices, ["status", "status_at"], batch_size=200)
    NoticeEvent.objects.bulk_create(
        [NoticeEvent(notice=n, status=status.value, at=now, by_id=by, detail=why.get(n.pk, "")) for n in notices],
        batch_size=500,
    )
