"""制度の案: how a programme is added or changed by staff, approved by another person, and becomes a file of the home.

The steps are those of every definition (`definition_drafts`). A new programme is a file of its own; a change is a whole new
text in `programmes/versions/`, in force from its 施行日.
"""

from pathlib import Path
from typing import Any, Final

from django.utils import timezone

from kizuki.app.city_definitions import definitions_of
from kizuki.app.criteria_board import definitions_now
from kizuki.app.criteria_editing_files import FOLDER, Change
from kizuki.app.criteria_editing_form import with_lines, written
from kizuki.app.definition_drafts import Desk, home, signatures, tried
from kizuki.app.programme_checks import CheckedProgramme, check
from kizuki.app.programme_form import form_of, yaml_of
from kizuki.definitions.programmes import VERSIONS, Programme
from kizuki.definitions.programmes.text import GUIDANCE, PER, UNITS
from kizuki.definitions.yaml import read_text
from kizuki.govern.actor import Actor
from kizuki.records.models import CriteriaDraft, DraftKind
from kizuki.terms.errors import DefinitionError, InputRefused

PROGRAMMES: Final = "programmes"
_EMPTY: Final = """ID: ''
名称: ''
所管課: ''
問合せ先: ''
位置づけ: 市の定め
単位: こども
案内: 通知できる
有効期間:
  開始: {today}
条件: []
例: []
"""
_SIGNED: Final = ("施行日", "作成者", "作成日", "承認者", "承認日")


def start(actor: Actor, base: Programme | None) -> CriteriaDraft:
    """A new draft: a copy of a programme's newest text, or an empty form."""
    if base is None:
        return desk.start(actor, _EMPTY.format(today=timezone.localdate().isoformat()), ("", ""), "")
    return desk.start(actor, copy_of(base), (base.id, ""), base.begins_on.isoformat())


def copy_of(base: Programme) -> str:
    """A programme's text as the text of a draft: the figures of `parameters/` with it, the signatures without."""
    content = base.text.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    content = {key: value for key, value in content.items() if key not in _SIGNED}
    content["単位"] = _label(UNITS, base.text.unit)
    content["案内"] = _label(GUIDANCE, base.text.guidance)
    if base.text.amount is not None:
        content["金額"]["単位"] = _label(PER, base.text.amount.per)
    return yaml_of(form_of(written({key: _texts(value) for key, value in content.items()})))


def _label(labels: dict[str, str], of: str) -> str:
    return next(label for label, name in labels.items() if name == of)


def _texts(value: Any) -> Any:
    """Every value as definitions write it: text, a whole number without a point."""
    if isinstance(value, dict):
        return {key: _texts(v) for key, v in value.items()}
    if isinstance(value, list | tuple):
        return [_texts(v) for v in value]
    if isinstance(value, bool):
        return "はい" if value else "いいえ"
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def checked(found: CriteriaDraft) -> CheckedProgramme:
    """What the loader says of a draft beside the files in force."""
    return check(found.text, definitions_now(home()), new=not found.base_version)


def readable(text: str) -> bool:
    """Whether a text can be shown as a form."""
    try:
        form_of(text)
    except DefinitionError:
        return False
    return isinstance(read_text(text, Path("案")).value, dict)


def names(text: str) -> tuple[str, str]:
    """The ID as far as the text can be read; a programme has no 版 but its 施行日."""
    try:
        return form_of(text).head["id"][:64], ""
    except DefinitionError:
        return "", ""


def _sound(found: CriteriaDraft) -> bool:
    return checked(found).sound


def _plan(found: CriteriaDraft, approver: str) -> list[Change]:
    """The file of an approval. Raises InputRefused K581 (no longer sound) and K584 (another change is still to come)."""
    now = definitions_of(home())
    told = check(found.text, now, new=not found.base_version)
    if told.programme is None or not told.sound:
        raise InputRefused("K581", "直すところが残っています。", "制度の案", "差し戻して、直してください。")
    main: Programme | None = now.programmes.get(told.programme.id)
    text = with_lines(found.text, signatures(found, approver))
    assert found.effective_on is not None
    if main is None:
        path = f"{PROGRAMMES}/{told.programme.id}.yaml"
    else:
        if any(v.begins_on > timezone.localdate() for v in main.versions):
            what = f"「{main.name}」には、これから施行される版があります。"
            raise InputRefused("K584", what, "制度の案", "その版の施行を待つか、取り下げてから承認を求めてください。")
        path = f"{PROGRAMMES}/{VERSIONS}/{main.id}-{found.effective_on.isoformat()}.yaml"
    held = home() / FOLDER / path
    before = held.read_text(encoding="utf-8") if held.is_file() else None
    return tried([Change(path, before, text)])


desk: Final = Desk(DraftKind.PROGRAMME, "programme", "制度の案", names, _sound, _plan)
