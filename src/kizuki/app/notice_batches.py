"""お知らせのまとまり: 情報発信 makes one and asks; the programme's office (or 総括) approves; ten minutes to take it back.

The only writer of `NoticeBatch`, and of `Notice` rows up to the moment they are handed to the relay. No name passes here:
who is told is decided by `push.candidates` and kept as opaque ids. Approval is one transaction: killed anywhere, it has
happened wholly or not at all.
"""

import datetime as dt
import secrets
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from django.db import transaction
from django.db.models import Q

from kizuki.app import accounts, notice_texts
from kizuki.app.accounts import allow
from kizuki.app.criteria_board import definitions_now
from kizuki.app.notice_ends import end
from kizuki.app.notice_plan import Wanted, chosen_of, of_programme
from kizuki.app.notice_stops import is_stopped
from kizuki.app.release import Actor, record_output
from kizuki.app.snapshot_view import SnapshotView, current_view
from kizuki.definitions.loader import Definitions
from kizuki.definitions.programmes import Programme
from kizuki.govern.may import Refused
from kizuki.push import states
from kizuki.push.candidates import Chosen, Waves
from kizuki.push.schedule import leaves_at
from kizuki.records.models import User
from kizuki.records.notice_models import BatchStatus, Notice, NoticeBatch, NoticeChannel, NoticeEvent, NoticeStatus, Recipient
from kizuki.terms.errors import InputRefused

MAX_REASON: Final = 200
_FIELDS: Final = ("eligibility.unclaimed", "notice_batch")


@dataclass(frozen=True, slots=True)
class Counted:
    """What a batch would send now: the notices, and how many are held back for which reason."""

    chosen: Sequence[Chosen]
    held: Mapping[str, int]

    def counts(self, mark: str) -> dict[str, Any]:
        """As kept with the batch; `mark` = of the text's version in its file."""
        return {"candidates": len(self.chosen), "suppressed": dict(self.held), notice_texts.FILE_MARK: mark}


def batch(batch_id: int) -> NoticeBatch:
    """One batch; raises InputRefused K814 if there is none."""
    found = NoticeBatch.objects.select_related("created_by", "decided_by", "cancelled_by").filter(pk=batch_id).first()
    if found is None:
        raise _changed("そのお知らせはありません。")
    return found


def programmes(definitions: Definitions, day: dt.date) -> list[Programme]:
    """Programmes one may be told of without having asked."""
    return [p for _, p in sorted(definitions.programmes.items()) if p.notifiable and p.in_force(day)]


@transaction.atomic
def create(actor: Actor, home: Path, *, programme: str, template: str, waves: int, now: dt.datetime) -> NoticeBatch:
    """A new batch with its counts. Raises NotPermitted K701 and InputRefused K815 (wrong choice), K812, K813."""
    allow(actor, "notice.prepare")
    view, definitions = current_view(home), definitions_now(home)
    found = definitions.programmes.get(programme)
    messages = notice_texts.messages_in(definitions)
    if found is None or found not in programmes(definitions, view.as_of):
        raise _wrong("制度", "その制度は、こちらからお知らせしない制度か、いまの定義にない制度です。")
    if not 1 <= waves <= messages.rules.most_waves:
        raise _wrong("送る週の数", f"送る週の数は1〜{messages.rules.most_waves}です。")
    text = notice_texts.text_for(messages, found, template, synthetic=view.synthetic)
    notice_texts.check_unchanged(text)
    made = NoticeBatch(
        programme=found.id,
        office=found.text.owner,
        template=text.template.id,
        template_version=text.version.version,
        template_digest=notice_texts.digest(text),
        snapshot=view.id,
        waves=waves,
        seed=secrets.token_hex(16) if waves > 1 else "",
        created_by_id=actor.user_id,
    )
    made.counts = _counted(view, definitions, made, now).counts(text.version.digest)
    made.save()
    _note(actor, "notice.prepare", made, "作成")
    return made


@transaction.atomic
def test_send(actor: Actor, home: Path, batch_id: int, now: dt.datetime) -> str:
    """試し送り: the words as they would arrive, to the one who asks (nothing goes to LINE). Raises K701, K812, K813, K814."""
    allow(actor, "notice.prepare")
    found = _locked(batch_id)
    if found.status not in (BatchStatus.WRITING, BatchStatus.RETURNED):
        raise _changed("このお知らせは、もう試し送りの段階ではありません。")
    view = current_view(home)
    text = notice_texts.text_of(found, definitions_now(home), synthetic=view.synthetic)
    found.tested_at = now
    found.save()
    _note(actor, "notice.prepare", found, "試し送り")
    return text.sample()


@transaction.atomic
def request(actor: Actor, home: Path, batch_id: int, now: dt.datetime) -> NoticeBatch:
    """Ask the office for approval, with counts of this moment.

    Raises NotPermitted K701 and InputRefused K812, K813, K814 (state), K815 (not tested, or nobody to tell).
    """
    allow(actor, "notice.prepare")
    found = _locked(batch_id)
    if found.status not in (BatchStatus.WRITING, BatchStatus.RETURNED):
        raise _changed("このお知らせは、いまは承認を求められません。")
    if found.tested_at is None:
        raise InputRefused(
            "K815", "まだ試し送りをしていません。", "お知らせ", "文面を試し送りで確かめてから、承認を求めてください。"
        )
    counted, text = _now(home, found, now)
    if not counted.chosen:
        raise InputRefused("K815", "送る相手がいません。", "お知らせ", "止めた理由を確かめ、次の更新のあとで試してください。")
    found.counts, found.snapshot = counted.counts(text.version.digest), current_view(home).id
    found.status, found.requested_at, found.decision_reason = BatchStatus.WAITING, now, ""
    found.decided_by, found.decided_at = None, None
    found.save()
    _note(actor, "notice.prepare", found, "承認の求め")
    return found


@transaction.atomic
def approve(actor: Actor, home: Path, batch_id: int, *, seen: int, now: dt.datetime) -> NoticeBatch:
    """Approve what was shown (`seen` = the count on the page): the notices exist from this commit on, or not at all.

    Raises NotPermitted K701 (role, office, own batch) and InputRefused K812, K813, K814 (state), K816 (count has changed),
    K817 (緊急停止).
    """
    found = _to_decide(actor, batch_id)
    counted, text = _now(home, found, now)
    if len(counted.chosen) != seen:
        raise InputRefused(
            "K816",
            f"送る相手の数が変わりました（表示 {seen}件、いま {len(counted.chosen)}件）。",
            "お知らせの承認",
            "画面を開き直し、いまの件数と止めた理由を確かめてから、承認してください。",
        )
    if is_stopped(found.programme):
        raise InputRefused("K817", "お知らせを緊急停止しています。", "緊急停止", "停止が解かれてから、承認してください。")
    found.counts, found.snapshot = counted.counts(text.version.digest), current_view(home).id
    found.leaves_at = leaves_at(now, found.requested_at, notice_texts.messages_of(home).rules)
    found.status, found.decided_by_id, found.decided_at = BatchStatus.APPROVED, actor.user_id, now
    found.save()
    _create_notices(found, counted.chosen, home, now)
    _note(actor, "notice.approve", found, f"承認：{seen}件")
    return found


@transaction.atomic
def send_back(actor: Actor, batch_id: int, reason: str, now: dt.datetime) -> NoticeBatch:
    """Return a batch with a reason. Raises NotPermitted K701 and InputRefused K814 (state), K818 (no reason)."""
    found = _to_decide(actor, batch_id)
    _reasoned(reason)
    found.status, found.decided_by_id, found.decided_at = BatchStatus.RETURNED, actor.user_id, now
    found.decision_reason = reason.strip()[:MAX_REASON]
    found.save()
    _note(actor, "notice.approve", found, "差し戻し")
    return found


@transaction.atomic
def cancel(actor: Actor, batch_id: int, reason: str, now: dt.datetime) -> tuple[int, int]:
    """Take a batch back: what has not been handed over will never be. Returns (stopped here, with the relay already).

    Those with the relay are asked back by a Cancel line; whether that was in time the relay tells.
    Raises NotPermitted K701 and InputRefused K814 (cancelled already), K818 (no reason).
    """
    found = _locked(batch_id)
    if not accounts.may(actor, "notice.prepare"):
        _of_office(actor, found)
    if found.status == BatchStatus.CANCELLED:
        raise _changed("このお知らせは、もう取り消されています。")
    _reasoned(reason)
    waiting = list(found.notices.select_for_update().filter(status=NoticeStatus.WAITING))
    end(waiting, NoticeStatus.CANCELLED, now, dict.fromkeys((n.pk for n in waiting), "batch"), actor.user_id)
    found.status, found.cancelled_by_id, found.cancelled_at = BatchStatus.CANCELLED, actor.user_id, now
    found.decision_reason = reason.strip()[:MAX_REASON]
    found.save()
    _note(actor, "notice.cancel", found, f"取り消し：{len(waiting)}件")
    return len(waiting), found.notices.filter(status=NoticeStatus.HANDED).count()


def may_decide(actor: Actor, found: NoticeBatch) -> bool:
    """Whether this actor may approve or return it: of the office or 総括, and not the one who made it."""
    return bool(accounts.may(actor, "notice.approve")) and found.created_by_id != actor.user_id and _same_office(actor, found)


def recount(home: Path, found: NoticeBatch, now: dt.datetime) -> Counted:
    """What the batch would send now; nothing is written. Raises InputRefused K812, K813."""
    return _now(home, found, now)[0]


def _now(home: Path, found: NoticeBatch, now: dt.datetime) -> tuple[Counted, notice_texts.Text]:
    view, definitions = current_view(home), definitions_now(home)
    text = notice_texts.text_of(found, definitions, synthetic=view.synthetic)
    return _counted(view, definitions, found, now), text


def _counted(view: SnapshotView, definitions: Definitions, found: NoticeBatch, now: dt.datetime) -> Counted:
    """The choice among the programmes that are being told of now: only they compete for a household's month."""
    messages = notice_texts.messages_in(definitions)
    others = NoticeBatch.objects.filter(status=BatchStatus.WAITING).exclude(pk=found.pk).values_list("programme", flat=True)
    template = messages.templates.get(found.template)
    wanted = Wanted(
        programmes=tuple(sorted({found.programme, *others})),
        leaves_at=leaves_at(now, None, messages.rules),
        waves=Waves(found.waves, found.seed),
        named=frozenset({found.programme}) if template is not None and template.named else frozenset(),
    )
    chosen, held = of_programme(chosen_of(view, definitions, wanted), found.programme)
    if template is not None and template.channel == NoticeChannel.LETTER.value:
        kept = [c for c in chosen if c.standing.channel == NoticeChannel.LETTER.value]
    else:
        kept = chosen
    by_channel = len(chosen) - len(kept)
    return Counted(kept, held | ({"LINEで届く世帯": by_channel} if by_channel else {}))


def _create_notices(found: NoticeBatch, chosen: Sequence[Chosen], home: Path, now: dt.datetime) -> None:
    """One row per notice with its retry key: drawn once, here, before anything is tried."""
    numbers = {c.standing.recipient_no for c in chosen}
    recipients = {r.recipient_no: r for r in Recipient.objects.filter(recipient_no__in=numbers)}
    live = dt.timedelta(days=notice_texts.messages_of(home).rules.live_days)
    rows = [
        Notice(
            notice_id=uuid.uuid4(),
            batch=found,
            recipient=recipients[c.standing.recipient_no],
            household_id=c.answer.household_id,
            child_id=c.answer.child_id,
            programme=c.answer.programme,
            channel=NoticeChannel(c.standing.channel),
            retry_key=uuid.uuid4(),
            wave=c.wave,
            not_before=c.not_before,
            expires_at=c.not_before + live,
            status_at=now,
        )
        for c in chosen
    ]
    Notice.objects.bulk_create(rows, batch_size=500)
    NoticeEvent.objects.bulk_create(
        [NoticeEvent(notice=r, status=states.WAITING, at=now, by_id=found.decided_by_id) for r in rows], batch_size=500
    )


def _to_decide(actor: Actor, batch_id: int) -> NoticeBatch:
    found = _locked(batch_id)
    _of_office(actor, found)
    if found.created_by_id == actor.user_id:
        raise Refused(
            "自分が作ったお知らせは、承認・差し戻しできません。", fix="所管課か総括管理主体の別の職員に依頼してください。"
        ).error()
    if found.status != BatchStatus.WAITING:
        raise _changed("このお知らせは、承認を待っていません。")
    return found


def _of_office(actor: Actor, found: NoticeBatch) -> None:
    allow(actor, "notice.approve")
    if not _same_office(actor, found):
        raise Refused(
            "ほかの課の制度のお知らせは、承認・取り消しできません。", fix=f"「{found.office}」の職員に依頼してください。"
        ).error()


def _same_office(actor: Actor, found: NoticeBatch) -> bool:
    """総括 decides for every office, an office for its own programmes."""
    if accounts.may(actor, "notice.approve_any"):
        return True
    return User.objects.filter(pk=actor.user_id, department=found.office).exists()


def _locked(batch_id: int) -> NoticeBatch:
    found = NoticeBatch.objects.select_for_update().filter(pk=batch_id).first()
    if found is None:
        raise _changed("そのお知らせはありません。")
    return found


def _reasoned(reason: str) -> None:
    if not reason.strip():
        raise InputRefused("K818", "理由がありません。", "理由", "理由を書いてから、もう一度押してください。")


def _changed(what: str) -> InputRefused:
    return InputRefused("K814", what, "お知らせ", "画面を開き直して、いまの状態を確かめてください。")


def _wrong(where: str, what: str) -> InputRefused:
    return InputRefused("K815", what, where, "一覧から選び直してください。")


def _note(actor: Actor, action: str, found: NoticeBatch, what: str) -> None:
    count = int(found.counts.get("candidates", 0))
    reason = f"{what}：お知らせ{found.pk} {found.programme}"
    record_output(actor, action, subjects=[], fields=_FIELDS, count=count, reason=reason)


def of_actor(actor: Actor) -> Q:
    """Which batches an actor may look at: 情報発信 and 総括 all, an office its own."""
    if accounts.may(actor, "notice.prepare") or accounts.may(actor, "notice.approve_any"):
        return Q()
    return Q(office=User.objects.filter(pk=actor.user_id).values_list("department", flat=True)[:1])
