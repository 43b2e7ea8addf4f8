"""案: how a definition the city decides comes into force. One person writes, another approves, and from its 施行日 the night
uses the file that was approved.

The same steps for every kind of definition; what differs (the loader's findings, the files an approval writes) is a `Desk`.
The only writer of `CriteriaDraft`. Whoever wrote in a draft cannot approve it.
"""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from kizuki.app import accounts, audit
from kizuki.app import criteria_editing_files as files
from kizuki.app.accounts import allow
from kizuki.govern.actor import Actor
from kizuki.govern.may import Refused
from kizuki.records.models import CriteriaDraft, CriteriaDraftStatus, DraftKind, User
from kizuki.terms.errors import InputRefused

OPEN: Final = (CriteriaDraftStatus.WRITING, CriteriaDraftStatus.RETURNED)


@dataclass(frozen=True, slots=True)
class Desk:
    """One kind of definition: its name in messages (`title`) and actions (`word`), and what only it knows.

    `names` = ID and 版 as far as a text can be read; `sound` = whether approval may be asked for; `plan` = the files an
    approval by somebody would write, tried out on a copy of the definitions (raises InputRefused or DefinitionError).
    """

    kind: DraftKind
    word: str
    title: str
    names: Callable[[str], tuple[str, str]]
    sound: Callable[[CriteriaDraft], bool]
    plan: Callable[[CriteriaDraft, str], list[files.Change]]

    def drafts(self) -> list[CriteriaDraft]:
        """All drafts of this kind, the newest first."""
        people = ("created_by", "requested_by", "decided_by")
        return list(CriteriaDraft.objects.filter(kind=self.kind).select_related(*people).order_by("-pk"))

    def draft(self, draft_id: int) -> CriteriaDraft:
        """One draft; raises InputRefused K586 if there is none."""
        people = ("created_by", "requested_by", "decided_by")
        found = CriteriaDraft.objects.filter(pk=draft_id, kind=self.kind).select_related(*people).first()
        if found is None:
            raise self._changed("その案はありません。")
        return found

    @transaction.atomic
    def start(
        self,
        actor: Actor,
        text: str,
        names: tuple[str, str],
        base_version: str,
        what: str = "新しい案",
        *,
        action: str = "",
    ) -> CriteriaDraft:
        """A new draft with this text; `base_version` is empty for something the city does not have yet.

        `action` = what allows it where that is not writing drafts (a proposal made elsewhere).
        """
        allow(actor, action or f"{self.word}.draft")
        made = CriteriaDraft.objects.create(
            kind=self.kind,
            criteria=names[0],
            version=names[1],
            base_version=base_version,
            text=text,
            writers=[actor.user_id],
            created_by_id=actor.user_id,
        )
        self._note(actor, f"{self.word}.draft", made, what)
        return made

    @transaction.atomic
    def save(self, actor: Actor, draft_id: int, text: str, revision: int) -> CriteriaDraft:
        """Keep a new text of a draft nobody else changed meanwhile; wrong content is kept too, findings are shown.

        Raises InputRefused K586 (state or another's change).
        """
        allow(actor, f"{self.word}.draft")
        found = self._locked(draft_id)
        if found.status not in OPEN:
            raise self._changed("この案は、いまは直せません。")
        if found.revision != revision:
            raise self._changed("ほかの職員が先に直しています。あなたの変更は保存していません。")
        found.text, found.revision, found.status = text, found.revision + 1, CriteriaDraftStatus.WRITING
        found.writers = sorted({*found.writers, actor.user_id})
        name, version = self.names(text)
        found.version = version or found.version
        found.criteria = name or found.criteria
        found.save()
        self._note(actor, f"{self.word}.draft", found, "保存")
        return found

    @transaction.atomic
    def request(self, actor: Actor, draft_id: int, effective_on: dt.date | None) -> CriteriaDraft:
        """Ask for approval from a date. Raises InputRefused K581 (findings), K587 (date), K586, K584, DefinitionError."""
        allow(actor, f"{self.word}.draft")
        found = self._locked(draft_id)
        if found.status not in OPEN:
            raise self._changed("この案は、いまは承認を求められません。")
        if effective_on is None or effective_on <= timezone.localdate():
            raise InputRefused("K587", "施行日がないか、過ぎています。", "施行日", "明日からの日を選んでください。")
        if not self.sound(found):
            raise InputRefused("K581", "直すところが残っています。", self.title, "示した欄を直してから、承認を求めてください。")
        found.effective_on = effective_on
        found.requested_by_id, found.requested_at = actor.user_id, timezone.now()
        self.plan(found, "（承認者）")  # what cannot be loaded is refused now, not when somebody approves
        found.status, found.decision_reason = CriteriaDraftStatus.WAITING, ""
        found.save()
        self._note(actor, f"{self.word}.request", found, f"承認の求め：{effective_on} から")
        return found

    @transaction.atomic
    def decide(self, actor: Actor, draft_id: int, *, approve: bool, mark: str = "", reason: str = "") -> CriteriaDraft:
        """Approve what was read (`mark` = digest of the text on the page) or send it back with a reason.

        Raises NotPermitted K701 (role, or the actor wrote in it) and InputRefused (K586 state or text, K587 date, K588 reason).
        """
        allow(actor, f"{self.word}.approve")
        found = self._locked(draft_id)
        if found.status != CriteriaDraftStatus.WAITING:
            raise self._changed("この案は、承認を待っていません。")
        if self.own(actor, found):
            raise Refused("自分が書いた案は、承認できません。", fix="別の総括管理者に依頼してください。").error()
        if approve:
            self._approve(actor, found, mark)
        else:
            _reasoned(reason)
            found.status = CriteriaDraftStatus.RETURNED
        found.decided_by_id, found.decided_at, found.decision_reason = actor.user_id, timezone.now(), reason.strip()[:200]
        found.save()
        # recorded before the files are written: what cannot be recorded does not happen
        self._note(actor, f"{self.word}.approve", found, "承認" if approve else "差し戻し")
        if approve:
            files.write(home(), [files.Change(**kept) for kept in found.files])
        return found

    def _approve(self, actor: Actor, found: CriteriaDraft, mark: str) -> None:
        if mark != files.digest(found.text):
            raise self._changed("表示したあとに、案の中身が変わっています。")
        if found.effective_on is None or found.effective_on <= timezone.localdate():
            raise InputRefused("K587", "施行日が過ぎています。", "施行日", "差し戻して、施行日を改めてください。")
        approver = User.objects.get(pk=actor.user_id)
        found.files = [change.as_kept() for change in self.plan(found, person(approver))]
        found.status = CriteriaDraftStatus.APPROVED

    @transaction.atomic
    def withdraw(self, actor: Actor, draft_id: int, reason: str) -> CriteriaDraft:
        """Take a draft back: its writers before approval, writers and approvers after it, until the day before 施行日.

        Raises NotPermitted K701 and InputRefused (K586 state, K588 reason, K585 a file changed by hand).
        """
        if not accounts.may(actor, f"{self.word}.approve"):
            allow(actor, f"{self.word}.draft")
        found = self._locked(draft_id)
        if found.status == CriteriaDraftStatus.WITHDRAWN:
            raise self._changed("この案は、もう取り下げられています。")
        approved = found.status == CriteriaDraftStatus.APPROVED
        if approved and (found.effective_on is None or found.effective_on <= timezone.localdate()):
            raise self._changed("施行された版は、取り下げられません。新しい版を作ってください。")
        _reasoned(reason)
        kept, found.files = found.files, []
        found.status, found.decision_reason = CriteriaDraftStatus.WITHDRAWN, reason.strip()[:200]
        found.save()
        self._note(actor, f"{self.word}.withdraw", found, "取り下げ")
        if approved:
            files.take_back(home(), kept)
        return found

    def may_decide(self, actor: Actor, found: CriteriaDraft) -> bool:
        """Whether a screen offers the approval."""
        waits = found.status == CriteriaDraftStatus.WAITING
        return waits and bool(accounts.may(actor, f"{self.word}.approve")) and not self.own(actor, found)

    def own(self, actor: Actor, found: CriteriaDraft) -> bool:
        """Whether the actor wrote in the draft or asked for its approval: such a person cannot be the one who approves."""
        return actor.user_id in found.writers or actor.user_id == found.requested_by_id

    def may_withdraw(self, actor: Actor, found: CriteriaDraft) -> bool:
        """Whether a screen offers to take the draft back."""
        today = timezone.localdate()
        begun = found.status == CriteriaDraftStatus.APPROVED and (found.effective_on or today) <= today
        if found.status == CriteriaDraftStatus.WITHDRAWN or begun:
            return False
        return bool(accounts.may(actor, f"{self.word}.draft") or accounts.may(actor, f"{self.word}.approve"))

    def waits_for(self, actor: Actor) -> tuple[int, int]:
        """How many drafts the actor is asked to decide, and how many the actor wrote that were sent back."""
        writes = bool(accounts.may(actor, f"{self.word}.draft"))
        if not writes and not accounts.may(actor, f"{self.word}.approve"):
            return 0, 0
        states = (CriteriaDraftStatus.WAITING, CriteriaDraftStatus.RETURNED)
        found = list(CriteriaDraft.objects.filter(kind=self.kind, status__in=states).defer("text", "files"))
        back = [d for d in found if writes and d.status == CriteriaDraftStatus.RETURNED and actor.user_id in d.writers]
        return sum(self.may_decide(actor, draft) for draft in found), len(back)

    def _locked(self, draft_id: int) -> CriteriaDraft:
        # `of self` alone: PostgreSQL cannot lock the empty side of the people joined in
        found = CriteriaDraft.objects.select_for_update().filter(pk=draft_id, kind=self.kind).first()
        if found is None:
            raise self._changed("その案はありません。")
        return found

    def _changed(self, what: str) -> InputRefused:
        return InputRefused("K586", what, self.title, "画面を開き直して、いまの状態を確かめてください。")

    def _note(self, actor: Actor, action: str, found: CriteriaDraft, what: str) -> None:
        version = f" 版 {found.version}" if found.version else ""
        reason = f"{what}：案{found.pk} {found.criteria}{version}"
        entry = audit.Entry(fields=(self.word,), count=1, reason=reason, policy=accounts.policy_version())
        audit.record(actor, action, entry)


def home() -> Path:
    """The home whose definitions are edited."""
    return Path(settings.KIZUKI_HOME)


def signatures(found: CriteriaDraft, approver: str) -> Mapping[str, str]:
    """What an approval writes into the file: 施行日, 作成者, 作成日, 承認者, 承認日."""
    assert found.effective_on is not None and found.requested_by is not None and found.requested_at is not None
    return {
        "施行日": found.effective_on.isoformat(),
        "作成者": person(found.requested_by),
        "作成日": timezone.localtime(found.requested_at).date().isoformat(),
        "承認者": approver,
        "承認日": timezone.localdate().isoformat(),
    }


def tried(changes: Sequence[files.Change]) -> list[files.Change]:
    """The changes, once the night's own loader has read the definitions as they would be; raises DefinitionError."""
    files.try_out(home(), changes)
    return list(changes)


def person(user: User) -> str:
    """Name and office, as a file names who signed."""
    name = f"{user.last_name} {user.first_name}".strip() or user.username
    return f"{name}（{user.department}）" if user.department else name


def _reasoned(reason: str) -> None:
    if not reason.strip():
        raise InputRefused("K588", "理由がありません。", "理由", "理由を書いてから、もう一度押してください。")
