"""決まった組: every settled word, who spoke, whether the key master holds it, and what was taken back. Never a name."""

import datetime as dt
from dataclasses import dataclass
from typing import Final

from kizuki.app.accounts import allow
from kizuki.app.link_review import Index, index_of, source_title
from kizuki.app.link_review_words import NO_EVENT
from kizuki.app.release import Actor
from kizuki.app.served import Served
from kizuki.records.models import LinkDecision, LinkOpinion, User

PAGE_SIZE: Final = 50


@dataclass(frozen=True, slots=True)
class Row:
    """One settled word."""

    id: int
    pair_id: str
    shown: bool
    answer: str
    source: str
    settled_at: dt.datetime
    reviewers: str
    state: str
    withdrawn: str

    @property
    def stands(self) -> bool:
        """Not taken back."""
        return not self.withdrawn


@dataclass(frozen=True, slots=True)
class History:
    """One page of the list."""

    rows: tuple[Row, ...]
    total: int
    page: int
    pages: int


def history(actor: Actor, served: Served, page: int) -> History:
    """One page of the settled words, newest first; reviewers of a settled pair may know each other's answers."""
    allow(actor, "link.review")
    total = LinkDecision.objects.count()
    pages = max(-(-total // PAGE_SIZE), 1)
    page = min(max(page, 1), pages)
    start = (page - 1) * PAGE_SIZE
    found = LinkDecision.objects.select_related("withdrawn_by").prefetch_related("opinions__by").order_by("-pk")
    index = index_of(served)
    rows = tuple(_row(served, index, decision) for decision in found[start : start + PAGE_SIZE])
    return History(rows, total, page, pages)


def _row(served: Served, index: Index, decision: LinkDecision) -> Row:
    pair = index.by_id.get(decision.pair_id)
    spoken = [_opinion(opinion) for opinion in sorted(decision.opinions.all(), key=lambda o: o.pk)]
    return Row(
        id=decision.pk,
        pair_id=decision.pair_id,
        shown=pair is not None,
        answer=decision.get_answer_display(),
        source=source_title(served, pair.source) if pair else "",
        settled_at=decision.settled_at,
        reviewers="、".join(spoken),
        state=_state(decision),
        withdrawn=_withdrawn(decision),
    )


def _opinion(opinion: LinkOpinion) -> str:
    return f"{_name(opinion.by)}（{opinion.get_answer_display()}）"


def _name(user: User) -> str:
    return f"{user.last_name} {user.first_name}".strip() or user.username


def _state(decision: LinkDecision) -> str:
    """What became of the word, or of its withdrawal."""
    if decision.refusal:
        return f"ほかの決定と食い違うため、反映していません（{decision.refusal}）"
    if decision.withdrawn_at is not None:
        return "取消しは次の夜に反映" if decision.withdraw_seq is None else "取消し済み"
    if decision.event_seq is None:
        return "次の夜に反映"
    return "機械の結び付けを確認" if decision.event_seq == NO_EVENT else "反映済み"


def _withdrawn(decision: LinkDecision) -> str:
    if decision.withdrawn_at is None or decision.withdrawn_by is None:
        return ""
    return f"{_name(decision.withdrawn_by)}：{decision.withdraw_reason}"
