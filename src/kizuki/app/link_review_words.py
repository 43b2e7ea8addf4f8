"""What reviewers say, and how it reaches the key master: the only writer of opinions, decisions and their events.

An answer is kept at once; the word it settles is written into the key master by the next night, before it links anything, and
can be taken back at any time after. Which records a pair means is kept sealed with the decision: later nights may no longer
show the pair.
"""

import datetime as dt
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow as pa
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from kizuki.app import audit
from kizuki.app.accounts import allow
from kizuki.app.link_review import Answers, Pair
from kizuki.app.release import Actor
from kizuki.app.served import Served
from kizuki.engine.keys import KeyRing
from kizuki.engine.sql import bind, load
from kizuki.link.master import KeyMaster, append_events, read_master
from kizuki.link.opinions import ANSWERS, SAME, Standing
from kizuki.link.review import AUTOMATIC
from kizuki.link.words import WITHDRAWN
from kizuki.records.models import LinkDecision, LinkOpinion, ReviewAnswer
from kizuki.terms.errors import InputRefused

_KEYS: Final = "review-keys"
NO_EVENT: Final = 0
"""Number of the event of a word that changes nothing: a link of the machine's found right."""


@dataclass(frozen=True, slots=True)
class Said:
    """What came of an answer, in words for the reviewer; `opinion` can be taken back."""

    opinion: int
    text: str


@transaction.atomic
def answer(actor: Actor, served: Served, pair_id: str, word: str, *, checking: bool = False) -> Said:
    """Keep this reviewer's answer about a pair, and settle the pair if that is enough.

    Raises NotPermitted, and InputRefused K731 (no such pair now), K732 (not an answer), K733 (settled meanwhile),
    K737 (the record is another resident's).
    """
    allow(actor, "link.review")
    if word not in ANSWERS:
        raise InputRefused("K732", "答えが選ばれていません。", "答え", "同じ人・別の人・保留のどれかを選んでください。")
    answers = Answers(actor, served)
    pair = answers.index.by_id.get(pair_id)
    if pair is None:
        raise InputRefused("K731", "この組は、いまの名寄せにありません。", "組", "一覧から次の組を開いてください。")
    if pair_id in answers.settled:
        raise InputRefused("K733", "この組は、すでに決まっています。", "組", "「決まった組」の一覧で、決定を確かめられます。")
    if word == SAME and answers.taken(pair):
        raise InputRefused(
            "K737",
            "この記録は、すでに別の住民と同じ人に決まっています。",
            "答え",
            "先の決定が誤りなら、「決まった組」で取り消してから答えてください。",
        )
    LinkOpinion.objects.filter(pair_id=pair_id, by_id=actor.user_id, undone_at=None, decision=None).update(
        undone_at=timezone.now()
    )
    said = LinkOpinion.objects.create(pair_id=pair_id, by_id=actor.user_id, answer=word, checking=checking)
    audit.record(actor, "link.answer", audit.Entry(subjects=pair.people, count=1, snapshot=served.view.id))
    settled = _settle(actor, served, Answers(actor, served), pair)
    return Said(said.pk, _text(word, settled, checking=checking))


def _settle(actor: Actor, served: Served, answers: Answers, pair: Pair) -> LinkDecision | None:
    outcome, needed = answers.outcome(pair), answers.needed(pair)
    if outcome.standing is not Standing.SETTLED:
        return None
    row = served.view.cursor().query(bind(load("kizuki.app", "review_keys"), pair=pair.pair_id)).to_pylist()[0]
    keys = [[row["source"], row["record_id"]], [answers.register, row["resident_id"]]]
    automatic = pair.state == AUTOMATIC
    decision = LinkDecision.objects.create(
        pair_id=pair.pair_id,
        answer=outcome.answer,
        people=outcome.people,
        two_people=needed[outcome.answer] > 1,
        checked=automatic,
        event_seq=NO_EVENT if automatic and outcome.answer == SAME else None,
        sealed_keys=audit.keys().seal(json.dumps(keys).encode(), _KEYS, pair.pair_id),
    )
    LinkOpinion.objects.filter(pair_id=pair.pair_id, undone_at=None, decision=None).update(decision=decision)
    return decision


def _text(word: str, settled: LinkDecision | None, *, checking: bool) -> str:
    """What the reviewer reads next; in the check nothing that would tell which pairs are the machine's."""
    said = f"「{ReviewAnswer(word).label}」と答えました。"
    if checking:
        return said
    if word == ReviewAnswer.HOLD:
        return f"{said}保留の一覧に移しました。"
    return f"{said}{'この組は決まりました。次の夜の処理で反映します。' if settled else 'もう一人の確認を待ちます。'}"


@transaction.atomic
def undo(actor: Actor, opinion: int | None = None) -> str:
    """Take back one's own answer (the newest if none is named); if it had settled a pair, the pair is open again.

    Raises InputRefused K734 if there is none, and NotPermitted.
    """
    allow(actor, "link.review")
    own = LinkOpinion.objects.select_related("decision").filter(by_id=actor.user_id, undone_at=None).order_by("-pk")
    said = own.filter(pk=opinion).first() if opinion is not None else own.first()
    if said is None:
        raise InputRefused("K734", "取り消せる答えがありません。", "元に戻す", "「決まった組」の一覧から取り消せます。")
    decision = said.decision
    if decision is not None and decision.withdrawn_at is None:
        _withdraw(actor, decision, "答えの取消し")
        decision.opinions.exclude(pk=said.pk).filter(undone_at=None).update(decision=None)
    said.undone_at = timezone.now()
    said.save(update_fields=["undone_at"])
    audit.record(actor, "link.undo", audit.Entry(count=1))
    return f"「{said.get_answer_display()}」の答えを取り消しました。"


@transaction.atomic
def withdraw(actor: Actor, decision_id: int, reason: str) -> str:
    """Take a settled word back, however old; the pair is asked about again from the beginning.

    Raises InputRefused K735 (no reason), K736 (no such standing word), and NotPermitted.
    """
    allow(actor, "link.review")
    if not reason.strip():
        raise InputRefused("K735", "取消しには理由が要ります。", "理由", "理由を書いてから、もう一度押してください。")
    decision = LinkDecision.objects.filter(pk=decision_id, withdrawn_at=None).first()
    if decision is None:
        raise InputRefused("K736", "取り消せる決定がありません。", "決まった組", "一覧を開き直してください。")
    _withdraw(actor, decision, reason.strip()[:200])
    decision.opinions.filter(undone_at=None).update(undone_at=timezone.now())
    audit.record(actor, "link.withdraw", audit.Entry(count=1, reason=reason))
    return "決定を取り消しました。次の夜の処理で、この組の結び付きを決定の前に戻します。"


def _withdraw(actor: Actor, decision: LinkDecision, reason: str) -> None:
    decision.withdrawn_at, decision.withdrawn_by_id = timezone.now(), actor.user_id
    decision.withdraw_reason = reason
    if decision.event_seq in (None, NO_EVENT):  # never reached the key master: nothing to take back there
        decision.event_seq = decision.withdraw_seq = NO_EVENT
    decision.save(update_fields=["withdrawn_at", "withdrawn_by", "withdraw_reason", "event_seq", "withdraw_seq"])


def unwritten() -> QuerySet[LinkDecision]:
    """Settled words the key master does not hold yet."""
    return LinkDecision.objects.filter(event_seq=None, withdrawn_at=None)


def unwritten_withdrawals() -> QuerySet[LinkDecision]:
    """Words taken back of which the key master does not know yet."""
    return LinkDecision.objects.filter(withdrawn_at__isnull=False, withdraw_seq=None)


def write_words(home: Path, keys: KeyRing, night: dt.date) -> int:
    """Write every settled and taken-back word into the key master of `home`, as words of this night; returns how many.

    The caller holds the run's lock. A night earlier than the newest is a replay: nothing is written. Killed anywhere and run
    again, each word is there once: its reason carries its number. A word the key master refuses waits, with its code.
    """
    waiting, back = list(unwritten().order_by("pk")), list(unwritten_withdrawals().order_by("pk"))
    if not waiting and not back:
        return 0
    master = read_master(home, keys)
    if master.as_of(night).last_seq != master.last_seq:
        return 0
    said = [*((d, d.answer) for d in waiting), *((d, WITHDRAWN) for d in back)]
    known, made, seqs = _newest_words(master), [], {}
    for decision, word in said:
        reason = _reason(decision)
        if reason not in known:
            try:
                event = _event(keys, master, night, decision, word)
            except InputRefused as refused:  # one word that cannot stand must not keep the night from being done
                LinkDecision.objects.filter(pk=decision.pk).update(refusal=refused.code)
                continue
            master = master.plus(event)
            made.append(event)
            known[reason] = master.last_seq
        seqs[decision.pk] = known[reason]
    if made:
        append_events(home, keys, pa.concat_tables(made))
    for decision, _ in said:
        if decision.pk in seqs:
            column = "withdraw_seq" if decision.withdrawn_at is not None else "event_seq"
            LinkDecision.objects.filter(pk=decision.pk).update(**{column: seqs[decision.pk], "refusal": ""})
    return len(seqs)


def _newest_words(master: KeyMaster) -> dict[str, int]:
    """Reason → number of the newest words: what a killed run had already written."""
    tail = master.events.slice(max(master.events.num_rows - _TAIL, 0)).select(["kind", "rule", "seq"]).to_pylist()
    return {row["rule"]: row["seq"] for row in tail if row["kind"] == "decide"}


def _reason(decision: LinkDecision) -> str:
    """Which decision an event carries out. The instant is part of it: a restored database may give a number a second time."""
    number = f"審査{decision.pk}-{decision.settled_at:%Y%m%d%H%M%S%f}"
    return f"{number}{'の取消し' if decision.withdrawn_at is not None else f'（{decision.people}人）'}"


def _event(keys: KeyRing, master: KeyMaster, night: dt.date, decision: LinkDecision, word: str) -> pa.Table:
    left, right = json.loads(keys.unseal(bytes(decision.sealed_keys), _KEYS, decision.pair_id))
    actor, reason = _actors(decision), _reason(decision)
    return master.decide((left[0], left[1]), (right[0], right[1]), word, night=night, actor=actor, reason=reason)


_TAIL: Final = 10_000
"""A killed run's words are the newest events: no need to look through all of them."""


def _actors(decision: LinkDecision) -> str:
    if decision.withdrawn_by is not None:
        return decision.withdrawn_by.username
    spoken = decision.opinions.filter(answer=decision.answer).order_by("pk").values_list("by__username", flat=True)
    return "・".join(spoken)
