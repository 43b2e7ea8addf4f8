"""判定基準の案: one person writes, another approves, and from its 施行日 the night uses the file that was approved.

The only writer of `CriteriaDraft` and of the criteria files of a home. Whoever wrote in a draft cannot approve it.
"""

import datetime as dt
from pathlib import Path
from typing import Final

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from kizuki.app import accounts, audit
from kizuki.app import criteria_editing_files as files
from kizuki.app.city_definitions import definitions_of
from kizuki.app.criteria_board import definitions_now
from kizuki.app.criteria_editing_checks import Checked, check
from kizuki.app.criteria_editing_diff import ORDER_WORDS
from kizuki.app.criteria_editing_form import SIGNED, form_of, with_lines, written, yaml_of
from kizuki.definitions.criteria import CriteriaSet
from kizuki.definitions.yaml import read_text
from kizuki.govern.actor import Actor
from kizuki.govern.may import Refused
from kizuki.records.models import CriteriaDraft, CriteriaDraftStatus, User
from kizuki.terms.errors import DefinitionError, InputRefused

_OPEN: Final = (CriteriaDraftStatus.WRITING, CriteriaDraftStatus.RETURNED)
_EMPTY: Final = """ID: ''
名称: ''
版: '{year}.1'
位置づけ: 初期値：地域の合意で置き換える
対象年齢:
  下限: 0
  上限: 17
  数え方: 満年齢
閾値: 5
同点の順:
  - 年齢の低い順
  - 無作為の順
項目: []
例: []
"""


def allow(actor: Actor, action: str) -> None:
    """Raise NotPermitted K701 unless the actor may do this."""
    verdict = accounts.may(actor, action)
    if isinstance(verdict, Refused):
        raise verdict.error()


def home() -> Path:
    """The home whose definitions are edited."""
    return Path(settings.KIZUKI_HOME)


def drafts() -> list[CriteriaDraft]:
    """All drafts, the newest first."""
    return list(CriteriaDraft.objects.select_related("created_by", "requested_by", "decided_by").order_by("-pk"))


def draft(draft_id: int) -> CriteriaDraft:
    """One draft; raises InputRefused K586 if there is none."""
    found = CriteriaDraft.objects.select_related("created_by", "requested_by", "decided_by").filter(pk=draft_id).first()
    if found is None:
        raise _changed("その案はありません。")
    return found


@transaction.atomic
def start(actor: Actor, base: CriteriaSet | None) -> CriteriaDraft:
    """A new draft: a copy of a version, or an empty form."""
    allow(actor, "criteria.draft")
    today = timezone.localdate()
    if base is None:
        text, name, version = _EMPTY.format(year=today.year), "", f"{today.year}.1"
    else:
        version = _next_version(base, today)
        text, name = copy_of(base, version), base.id
    made = CriteriaDraft.objects.create(
        criteria=name,
        version=version,
        base_version=base.version if base else "",
        text=text,
        writers=[actor.user_id],
        created_by_id=actor.user_id,
    )
    _note(actor, "criteria.draft", made, "新しい案")
    return made


def copy_of(base: CriteriaSet, version: str) -> str:
    """A version as the text of a new draft: without its signatures and dates, and no longer on trial."""
    content = base.text.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    kept = {key: value for key, value in content.items() if key not in (*SIGNED, "試行")}
    return yaml_of(form_of(_as_text({**kept, "版": version}, base)))


def _as_text(content: dict[str, object], base: CriteriaSet) -> str:
    """The content in the words a file uses (labels instead of identifiers)."""
    ages = base.ages
    basis = {"years": "満年齢", "fy_end": "年度末"}[ages.basis]
    content["対象年齢"] = {"下限": str(ages.low), "上限": str(ages.high), "数え方": basis}
    content["同点の順"] = [ORDER_WORDS[o] for o in base.order]
    return written({key: _texts(value) for key, value in content.items()})


def _texts(value: object) -> object:
    """Every value as definitions write it: text, はい for true."""
    if isinstance(value, dict):
        return {key: _texts(v) for key, v in value.items()}
    if isinstance(value, list):
        return [_texts(v) for v in value]
    return "はい" if value is True else "いいえ" if value is False else str(value)


def _next_version(base: CriteriaSet, today: dt.date) -> str:
    """`<year>.<n>` not used yet by the set."""
    main = definitions_now(home()).criteria.get(base.id, base)
    used = {v.version for v in main.versions}
    return next(f"{today.year}.{n}" for n in range(1, len(used) + 2) if f"{today.year}.{n}" not in used)


@transaction.atomic
def save(actor: Actor, draft_id: int, text: str, revision: int) -> CriteriaDraft:
    """Keep a new text of a draft nobody else changed meanwhile; wrong content is kept too, findings are shown.

    Raises InputRefused K586 (state or another's change).
    """
    allow(actor, "criteria.draft")
    found = _locked(draft_id)
    if found.status not in _OPEN:
        raise _changed("この案は、いまは直せません。")
    if found.revision != revision:
        raise _changed("ほかの職員が先に直しています。あなたの変更は保存していません。")
    found.text, found.revision, found.status = text, found.revision + 1, CriteriaDraftStatus.WRITING
    found.writers = sorted({*found.writers, actor.user_id})
    name, version = _names(text)
    found.version = version or found.version
    found.criteria = name or found.criteria
    found.save()
    _note(actor, "criteria.draft", found, "保存")
    return found


def _names(text: str) -> tuple[str, str]:
    """ID and 版 as far as the text can be read."""
    try:
        form = form_of(text)
    except DefinitionError:
        return "", ""
    return form.head["id"][:64], form.head["version"][:20]


def checked(found: CriteriaDraft) -> Checked:
    """What the loader says of a draft beside the files in force."""
    return check(found.text, definitions_now(home()), found.base_version)


@transaction.atomic
def request(actor: Actor, draft_id: int, effective_on: dt.date | None) -> CriteriaDraft:
    """Ask for approval from a date. Raises InputRefused K581 (findings), K587 (date), K586 (state), K584, DefinitionError."""
    allow(actor, "criteria.draft")
    found = _locked(draft_id)
    if found.status not in _OPEN:
        raise _changed("この案は、いまは承認を求められません。")
    if effective_on is None or effective_on <= timezone.localdate():
        raise InputRefused("K587", "施行日がないか、過ぎています。", "施行日", "明日からの日を選んでください。")
    if not checked(found).sound:
        raise InputRefused("K581", "直すところが残っています。", "判定基準の案", "示した欄を直してから、承認を求めてください。")
    found.effective_on = effective_on
    found.requested_by_id, found.requested_at = actor.user_id, timezone.now()
    _plan(found, "（承認者）")  # what cannot be loaded is refused now, not when somebody approves
    found.status, found.decision_reason = CriteriaDraftStatus.WAITING, ""
    found.save()
    _note(actor, "criteria.request", found, f"承認の求め：{effective_on} から")
    return found


def signed_text(found: CriteriaDraft, approver: str) -> str:
    """The draft as the file that will be written: 施行日, 作成者, 作成日, 承認者, 承認日."""
    assert found.effective_on is not None and found.requested_by is not None and found.requested_at is not None
    told = {
        "施行日": found.effective_on.isoformat(),
        "作成者": _person(found.requested_by),
        "作成日": timezone.localtime(found.requested_at).date().isoformat(),
        "承認者": approver,
        "承認日": timezone.localdate().isoformat(),
    }
    return with_lines(found.text, told)


def _person(user: User) -> str:
    name = f"{user.last_name} {user.first_name}".strip() or user.username
    return f"{name}（{user.department}）" if user.department else name


def _plan(found: CriteriaDraft, approver: str) -> list[files.Change]:
    """The files of an approval, tried out on a copy of the definitions."""
    now = definitions_of(home())
    text = signed_text(found, approver)
    understood = check(text, now, found.base_version).criteria
    if understood is None:
        raise InputRefused("K581", "直すところが残っています。", "判定基準の案", "差し戻して、直してください。")
    changes = files.planned(home(), now, understood, text, found.base_version)
    files.try_out(home(), changes)
    return changes


@transaction.atomic
def decide(actor: Actor, draft_id: int, *, approve: bool, mark: str = "", reason: str = "") -> CriteriaDraft:
    """Approve what was read (`mark` = digest of the text on the page) or send it back with a reason.

    Raises NotPermitted K701 (role, or the actor wrote in it) and InputRefused (K586 state or text, K587 date, K588 reason).
    """
    allow(actor, "criteria.approve")
    found = _locked(draft_id)
    if found.status != CriteriaDraftStatus.WAITING:
        raise _changed("この案は、承認を待っていません。")
    if actor.user_id in found.writers or actor.user_id == found.requested_by_id:
        raise Refused("自分が書いた案は、承認できません。", fix="別の総括管理者に依頼してください。").error()
    if approve:
        _approve(actor, found, mark)
    else:
        _reasoned(reason)
        found.status = CriteriaDraftStatus.RETURNED
    found.decided_by_id, found.decided_at, found.decision_reason = actor.user_id, timezone.now(), reason.strip()[:200]
    found.save()
    # recorded before the files are written: what cannot be recorded does not happen
    _note(actor, "criteria.approve", found, "承認" if approve else "差し戻し")
    if approve:
        files.write(home(), [files.Change(**kept) for kept in found.files])
    return found


def _approve(actor: Actor, found: CriteriaDraft, mark: str) -> None:
    if mark != files.digest(found.text):
        raise _changed("表示したあとに、案の中身が変わっています。")
    if found.effective_on is None or found.effective_on <= timezone.localdate():
        raise InputRefused("K587", "施行日が過ぎています。", "施行日", "差し戻して、施行日を改めてください。")
    approver = User.objects.get(pk=actor.user_id)
    found.files = [change.as_kept() for change in _plan(found, _person(approver))]
    found.status = CriteriaDraftStatus.APPROVED


@transaction.atomic
def withdraw(actor: Actor, draft_id: int, reason: str) -> CriteriaDraft:
    """Take a draft back: its writers before approval, writers and approvers after it, until the day before 施行日.

    Raises NotPermitted K701 and InputRefused (K586 state, K588 reason, K585 a file changed by hand).
    """
    if not accounts.may(actor, "criteria.approve"):
        allow(actor, "criteria.draft")
    found = _locked(draft_id)
    if found.status == CriteriaDraftStatus.WITHDRAWN:
        raise _changed("この案は、もう取り下げられています。")
    approved = found.status == CriteriaDraftStatus.APPROVED
    if approved and (found.effective_on is None or found.effective_on <= timezone.localdate()):
        raise _changed("施行された版は、取り下げられません。新しい版を作ってください。")
    _reasoned(reason)
    kept, found.files = found.files, []
    found.status, found.decision_reason = CriteriaDraftStatus.WITHDRAWN, reason.strip()[:200]
    found.save()
    _note(actor, "criteria.withdraw", found, "取り下げ")
    if approved:
        files.take_back(home(), kept)
    return found


def readable_yaml(text: str) -> bool:
    """Whether a text can be shown as a form."""
    try:
        form_of(text)
    except DefinitionError:
        return False
    return isinstance(read_text(text, Path("案")).value, dict)


def _reasoned(reason: str) -> None:
    if not reason.strip():
        raise InputRefused("K588", "理由がありません。", "理由", "理由を書いてから、もう一度押してください。")


def _locked(draft_id: int) -> CriteriaDraft:
    # `of self` alone: PostgreSQL cannot lock the empty side of the people joined in
    found = CriteriaDraft.objects.select_for_update().filter(pk=draft_id).first()
    if found is None:
        raise _changed("その案はありません。")
    return found


def _changed(what: str) -> InputRefused:
    return InputRefused("K586", what, "判定基準の案", "画面を開き直して、いまの状態を確かめてください。")


def _note(actor: Actor, action: str, found: CriteriaDraft, what: str) -> None:
    reason = f"{what}：案{found.pk} {found.criteria} 版 {found.version}"
    entry = audit.Entry(fields=("criteria",), count=1, reason=reason, policy=accounts.policy_version())
    audit.record(actor, action, entry)
