"""配信結果: notices by status and batch, as numbers and as lines without persons (`notice status`, `notice export`)."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Count

from kizuki.app import notice_stops
from kizuki.app.release import Actor, record_output
from kizuki.records.notice_models import Notice, NoticeBatch

_LATE: Final = dt.timedelta(days=3)
_COLUMNS: Final = ("batch_id", "programme", "channel", "wave", "status")


@dataclass(frozen=True, slots=True)
class Board:
    """How many batches and notices stand where; `late` = handed over and no word from the relay for three days after."""

    batches: dict[str, int]
    notices: dict[str, int]
    programmes: dict[str, dict[str, int]]
    opened: int
    late: int
    stopped: tuple[str, ...]


def status(actor: Actor, now: dt.datetime) -> Board:
    """The numbers now. Audited."""
    record_output(actor, "notice.status", subjects=[], fields=["notice"], count=Notice.objects.count(), reason="配信結果")
    programmes: dict[str, dict[str, int]] = {}
    for programme, state, count in Notice.objects.values_list("programme", "status").annotate(n=Count("pk")).order_by():
        programmes.setdefault(programme, {})[state] = count
    stopped = notice_stops.stopped_programmes()
    return Board(
        dict(NoticeBatch.objects.values_list("status").annotate(n=Count("pk")).order_by()),
        dict(Notice.objects.values_list("status").annotate(n=Count("pk")).order_by()),
        programmes,
        Notice.objects.filter(opened_at__isnull=False).count(),
        Notice.objects.filter(status="handed", expires_at__lt=now - _LATE).count(),
        tuple(sorted(name or "すべて" for name in stopped)),
    )


def export(actor: Actor) -> Iterator[dict[str, Any]]:
    """One line per notice, without anything about the household or the recipient. Audited before the first line."""
    found = Notice.objects.select_related("batch").order_by("batch_id", "notice_id")
    record_output(actor, "notice.export", subjects=[], fields=["notice"], count=found.count(), reason="お知らせの書き出し")
    for one in found.iterator():
        yield {
            "notice_id": str(one.pk),
            **{name: getattr(one, name) for name in _COLUMNS},
            "template": f"{one.batch.template}@{one.batch.template_version}",
            "not_before": one.not_before.isoformat(),
            "expires_at": one.expires_at.isoformat(),
            "status_at": one.status_at.isoformat(),
            "opened_at": one.opened_at.isoformat() if one.opened_at else None,
        }
