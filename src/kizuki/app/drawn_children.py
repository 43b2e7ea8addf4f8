"""無作為の確認: the children the monthly draws picked, as the list shows them; nothing of why they could be drawn."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Final

from django.utils import timezone

from kizuki.app.cases import TABS, CaseState
from kizuki.app.current_person import current_people, current_person
from kizuki.records.models import MiddleBandPick

AGAIN_DAYS: Final = 365
"""A child drawn within a year is not drawn again, and is marked for as long."""


def open_picks(states: Mapping[str, CaseState]) -> tuple[str, ...]:
    """Children drawn within a year whom nobody has taken up yet, in the order of the draws, each once."""
    ids = (current_person(p) for p in recent_picks())
    return tuple(p for p in dict.fromkeys(ids) if p not in states or states[p].status == TABS[0])


def marked() -> frozenset[str]:
    """Everybody drawn within a year: their lines carry the marker."""
    return current_people(recent_picks())


def recent_picks() -> Sequence[str]:
    """Person ids as written, oldest draw first."""
    since = timezone.now() - dt.timedelta(days=AGAIN_DAYS)
    return list(MiddleBandPick.objects.filter(draw__drawn_at__gte=since).order_by("pk").values_list("person_id", flat=True))
