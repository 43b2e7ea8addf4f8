"""Begins the relay again from an older copy of its database, without sending anything twice (`serve --role relay --restored`).

What happened after the copy is unknown here: any notice whose time had begun may have been sent. The core's files since then
are put in again; LINE still remembers the keys of today's notices, and whatever it no longer remembers ends as `unknown`.
"""

import datetime as dt
import re

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Coalesce

from kizuki.app.relay_exchange import OUT
from kizuki.app.relay_sender import look_again, under_way
from kizuki.records.relay.models import ExchangedFile, Switch
from kizuki.records.relay.router import ALIAS
from kizuki.terms.errors import UsageError

_STATED = re.compile(r"(\d{1,18}):([0-9a-f]{64})")


@transaction.atomic(using=ALIAS)
def restored(stated: str, now: dt.datetime) -> int:
    """Go on after what the core has applied (`number:digest`, as its `relay/continue.txt` says); how many notices are in doubt.

    Raises UsageError K664 if that is no such statement, or the database here is ahead of it (then it was not restored).
    """
    found = _STATED.fullmatch(stated.strip())
    ahead = ExchangedFile.objects.filter(direction=OUT).order_by("-seq").first()
    if found is None or (ahead is not None and ahead.seq > int(found[1])):
        raise UsageError(
            "K664",
            "控えから戻す続きの番号を読めないか、ここの記録のほうが新しいです。",
            "--restored",
            "本体の relay/continue.txt の1行を、そのまま指定してください。",
        )
    ExchangedFile.objects.get_or_create(direction=OUT, seq=int(found[1]), defaults={"digest": found[2], "at": now})
    Switch.objects.update_or_create(pk=1, defaults={"restored_at": now})
    begun = under_way().filter(not_before__lt=now)
    look_again(begun)
    return begun.update(
        maybe_sent=True,
        first_tried_at=Coalesce(F("first_tried_at"), F("not_before")),
        last_tried_at=Coalesce(F("last_tried_at"), F("not_before")),
    )
