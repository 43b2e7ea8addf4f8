"""専門家の検証・住民への説明: what was looked at or explained, by or to whom, of exactly which version. The only writer."""

import datetime as dt
from dataclasses import dataclass
from typing import Final

from kizuki.app.accounts import allow
from kizuki.app.release import Actor, record_output
from kizuki.app.served import Served
from kizuki.records.models import CriteriaReview, ReviewKind
from kizuki.terms.errors import InputRefused

MAX_PEOPLE: Final = 120
MAX_SUMMARY: Final = 1000


@dataclass(frozen=True, slots=True)
class Written:
    """One review as typed; `held_on` None = not a date."""

    version: str
    kind: str
    held_on: dt.date | None
    people: str
    summary: str


def add(actor: Actor, served: Served, criteria: str, written: Written, *, today: dt.date) -> CriteriaReview:
    """Record one review. Raises NotPermitted K701 and InputRefused K775 (unknown version, a field missing, a day to come)."""
    allow(actor, "review.write")
    main = served.definitions.loaded.criteria.get(criteria)
    if main is None or written.version not in {c.version for c in main.versions}:
        raise _refused("その判定基準の版はありません。", "一覧から選び直してください。")
    if written.kind not in ReviewKind.values or not written.people.strip() or not written.summary.strip():
        raise _refused("種別・相手・内容のどれかがありません。", "すべて入れてから、もう一度押してください。")
    if written.held_on is None or written.held_on > today:
        raise _refused("行った日が正しくありません。", "行った日（今日まで）を入れてください。")
    made = CriteriaReview.objects.create(
        criteria=criteria,
        version=written.version,
        kind=written.kind,
        held_on=written.held_on,
        people=written.people.strip()[:MAX_PEOPLE],
        summary=written.summary.strip()[:MAX_SUMMARY],
        recorded_by_id=actor.user_id,
    )
    record_output(actor, "review.write", subjects=[], fields=["criteria_review"], count=1, reason=f"{made.kind}：{criteria}")
    return made


def _refused(what: str, fix: str) -> InputRefused:
    return InputRefused("K775", what, "検証・説明の記録", fix)
