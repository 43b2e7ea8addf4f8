"""判定基準の案: how a new version of a criteria set is written, approved, and becomes a file of the home.

The steps are those of every definition (`definition_drafts`); here is what a criteria set is made of.
"""

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from django.utils import timezone

from kizuki.app import criteria_editing_files as files
from kizuki.app.city_definitions import definitions_of
from kizuki.app.criteria_board import definitions_now
from kizuki.app.criteria_editing_checks import Checked, check
from kizuki.app.criteria_editing_diff import ORDER_WORDS
from kizuki.app.criteria_editing_form import SIGNED, form_of, with_lines, written, yaml_of
from kizuki.app.definition_drafts import Desk, home, signatures, tried
from kizuki.definitions.criteria import CriteriaSet
from kizuki.definitions.yaml import read_text
from kizuki.govern.actor import Actor
from kizuki.records.models import CriteriaDraft, DraftKind
from kizuki.terms.errors import DefinitionError, InputRefused

__all__ = ["home"]

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


def start(
    actor: Actor, base: CriteriaSet | None, *, action: str = "criteria.draft", changes: Mapping[str, str] | None = None
) -> CriteriaDraft:
    """A new draft: a copy of a version with some values set (`changes`, by key of the file), or an empty form.

    `action` is what the actor must be allowed to do: whoever may propose a threshold may start the draft that proposes it.
    """
    today = timezone.localdate()
    if base is None:
        return desk.start(actor, _EMPTY.format(year=today.year), ("", f"{today.year}.1"), "", action=action)
    version = _next_version(base, today)
    text = with_lines(copy_of(base, version), changes or {})
    return desk.start(actor, text, (base.id, version), base.version, action=action)


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


def signed_text(found: CriteriaDraft, approver: str) -> str:
    """The draft as the file that will be written."""
    return with_lines(found.text, signatures(found, approver))


def _plan(found: CriteriaDraft, approver: str) -> list[files.Change]:
    """The files of an approval, tried out on a copy of the definitions."""
    now = definitions_of(home())
    text = signed_text(found, approver)
    understood = check(text, now, found.base_version).criteria
    if understood is None:
        raise InputRefused("K581", "直すところが残っています。", "判定基準の案", "差し戻して、直してください。")
    return tried(files.planned(home(), now, understood, text, found.base_version))


def _sound(found: CriteriaDraft) -> bool:
    return checked(found).sound


def readable_yaml(text: str) -> bool:
    """Whether a text can be shown as a form."""
    try:
        form_of(text)
    except DefinitionError:
        return False
    return isinstance(read_text(text, Path("案")).value, dict)


desk: Final = Desk(DraftKind.CRITERIA, "criteria", "判定基準の案", _names, _sound, _plan)
drafts, draft, save, request, decide, withdraw = (
    desk.drafts, desk.draft, desk.save, desk.request, desk.decide, desk.withdraw
)  # fmt: skip
