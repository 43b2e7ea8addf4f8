"""台帳（レジストリ）: names, URLs and windows of programmes taken in as drafts; the catalogue given out in the same columns.

Read are the columns of ユニバーサルメニュー (CSV in UTF-8 or CP932) and the fields of the Tokyo registry (JSON). What is taken
in is never judged: a draft without conditions cannot be approved. A programme the city has already is matched by PSID or name.
"""

import csv
import io
import json
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from django.db import transaction
from django.utils import timezone

from kizuki.app.accounts import allow
from kizuki.app.criteria_board import definitions_now
from kizuki.app.criteria_editing_form import typed
from kizuki.app.definition_drafts import home
from kizuki.app.programme_editing import copy_of, desk
from kizuki.app.programme_form import REGISTRY, ProgrammeForm, form_of, yaml_of
from kizuki.app.worklist_export import safe_text
from kizuki.definitions.programmes import Programme
from kizuki.govern.actor import Actor
from kizuki.records.models import CriteriaDraftStatus
from kizuki.terms.errors import DefinitionError, InputRefused

TITLE, OWNER, CONTACT = "タイトル（制度名）", "制度所管組織", "お問い合わせ先"
COLUMNS: Final = (
    "PSID", "制度番号", "元制度番号", "制度変更区分", OWNER, "都道府県", "市町村", TITLE, "概要", "支援内容", "対象者",
    "利用・申請方法", "受付開始日", "受付終了日", "詳細参照先", CONTACT, "公開日", "タグ",
)  # fmt: skip
MOST_BYTES, MOST_NEW, MOST_TEXT = 20_000_000, 500, 8_000
_OTHER_NAMES: Final = {"PSID(サービスID)": "PSID", "サービスID": "PSID", "制度名": TITLE, "タイトル": TITLE}
_STANDING: Final = "台帳から取り込んだもの。条件を書いて承認されるまで判定に使わない"


@dataclass(frozen=True, slots=True)
class Imported:
    """What came of a file: drafts made, entries the city has word for word, entries that wait in a draft, lines refused."""

    made: int
    same: int
    waiting: int
    refused: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        told = {"drafts": self.made, "same": self.same, "waiting": self.waiting}
        return told | {"refused": list(self.refused), "columns_left_out": list(self.left_out)}


@dataclass(slots=True)
class _File:
    """The entries of a file by column, each with where it stands; what was refused and which columns mean nothing here."""

    entries: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    left_out: tuple[str, ...] = ()


def read_registry(content: bytes) -> _File:
    """The entries of a file. Raises InputRefused K607 (not a registry), K608 (no column of names) or K609 (too large)."""
    if len(content) > MOST_BYTES:
        raise InputRefused("K609", "ファイルが大きすぎます。", "", f"{MOST_BYTES // 1_000_000}MBまでに分けてください。")
    text = _decoded(content)
    found = _read_json(text) if text.lstrip().startswith(("[", "{")) else _read_csv(text)
    return _once_each(found)


def _decoded(content: bytes) -> str:
    for encoding in ("utf-8-sig", "cp932"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    fix = "UTF-8かShift_JIS（CP932）で保存し直してください。"
    raise InputRefused("K607", "台帳のファイルを読めません（文字コード）。", "", fix)


def _read_csv(text: str) -> _File:
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    found = _File()
    try:
        header = [_column(name) for name in next(rows, [])]
        if TITLE not in header:
            fix = f"1行目に「{TITLE}」の列を入れてください。使える列：{'、'.join(COLUMNS)}"
            raise InputRefused("K608", "制度の名前の列がありません。", "1行目", fix)
        found.left_out = tuple(name for name in header if name and name not in COLUMNS)
        for row in rows:
            _take_row(found, header, row, f"{rows.line_num}行目")
    except csv.Error as e:
        fix = '引用符（"）が閉じているかを確かめてください。'
        raise InputRefused("K607", "CSVとして読めません。", f"{rows.line_num}行目", fix) from e
    return found


def _column(name: str) -> str:
    """A column's name however its brackets and spaces are written."""
    plain = unicodedata.normalize("NFKC", name).strip()
    known = {unicodedata.normalize("NFKC", c): c for c in (*COLUMNS, *_OTHER_NAMES)}
    found = known.get(plain, plain)
    return _OTHER_NAMES.get(found, found)


def _take_row(found: _File, header: Sequence[str], row: Sequence[str], where: str) -> None:
    if not any(cell.strip() for cell in row):
        return
    if len(row) > len(header):
        found.refused.append(f"{where}：列が見出しより多いので取り込んでいません。")
        return
    _take(found, {c: value for c, value in zip(header, row, strict=False) if c in COLUMNS}, where)


def _take(found: _File, entry: Mapping[str, str], where: str) -> None:
    kept = {column: _cell(value) for column, value in entry.items()}
    if not kept.get(TITLE):
        found.refused.append(f"{where}：制度の名前が空なので取り込んでいません。")
    elif any(len(value) > MOST_TEXT for value in kept.values()):
        found.refused.append(f"{where}：{MOST_TEXT:,}字を超える欄があるので取り込んでいません。")
    else:
        found.entries.append((where, kept))


def _cell(value: str) -> str:
    """One cell on one line, without the mark a spreadsheet puts before what looks like a formula."""
    text = typed(" ".join(line.strip() for line in value.splitlines()))
    return text[1:] if text[:1] == "'" and safe_text(text[1:]) == text else text


def _read_json(text: str) -> _File:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as e:
        raise InputRefused("K607", "JSONとして読めません。", "", "台帳から取り直してください。") from e
    if isinstance(content, dict):
        content = next((v for v in content.values() if isinstance(v, list)), [content])
    found = _File()
    for number, entry in enumerate(content, start=1):
        if isinstance(entry, dict):
            _take(found, _of_tokyo(entry), f"{number}件目")
        else:
            found.refused.append(f"{number}件目：制度の形をしていないので取り込んでいません。")
    return found


def _of_tokyo(entry: Mapping[str, Any]) -> dict[str, str]:
    """One entry of the Tokyo registry in the columns of ユニバーサルメニュー (institutionName, summary, target, support …)."""
    support = (_at(entry, "support", name) for name in ("description", "monetarySupport", "materiallySupport"))
    tags = entry.get("tag")
    names = ("categoryCode", "targetCode", "contentsCode")
    return {
        "PSID": _at(entry, "basicInformation", "psid"),
        OWNER: _at(entry, "basicInformation", "organization"),
        TITLE: _at(entry, "institutionName", "canonicalName") or _at(entry, "institutionName", "shortName"),
        "概要": _at(entry, "summary"),
        "対象者": "　".join(_target(entry.get("target"))),
        "支援内容": "　".join(dict.fromkeys(s for s in support if s)),
        "市町村": _at(entry, "area", "areaCode").rpartition(";")[2],
        "詳細参照先": _at(entry, "localGovernmentLink", "uri"),
        "タグ": "、".join(t for n in names if isinstance(tags, dict) and (t := _words(tags.get(n)))),
    }


def _target(target: Any) -> Iterator[str]:
    if not isinstance(target, dict):
        return
    if people := _words(target.get("targetPersons")):
        yield people
    for name, word in (
        ("greaterThanOrEqualTo", "以上"),
        ("greaterThan", "を超える"),
        ("lessThanOrEqualTo", "以下"),
        ("lessThan", "未満"),
    ):
        years, months = _at(target, name, "targetAge"), _at(target, name, "targetAgeOfMonths")
        if years or months:
            yield f"{f'{years}歳' if years else ''}{f'{months}か月' if months else ''}{word}"


def _at(entry: Any, *path: str) -> str:
    for name in path:
        entry = entry[0] if isinstance(entry, list) and entry else entry
        entry = entry.get(name) if isinstance(entry, dict) else None
    return _words(entry)


def _words(value: Any) -> str:
    if isinstance(value, list):
        return "、".join(w for v in value if (w := _words(v)))
    return str(value).strip() if isinstance(value, str | int | float) and not isinstance(value, bool) else ""


def _once_each(found: _File) -> _File:
    """A PSID that stands twice is taken once; the later entry is refused aloud."""
    seen: dict[str, str] = {}
    kept = []
    for where, entry in found.entries:
        psid = entry.get("PSID", "")
        if psid and psid in seen:
            found.refused.append(f"{where}：PSIDが{seen[psid]}と同じなので取り込んでいません。")
            continue
        seen[psid] = where
        kept.append((where, entry))
    found.entries = kept
    return found


@transaction.atomic
def import_registry(actor: Actor, content: bytes) -> Imported:
    """Make a draft of every entry the city does not have word for word; all of them or none.

    Raises NotPermitted K701 and InputRefused K607, K608, K609.
    """
    allow(actor, "programme.draft")
    found = read_registry(content)
    programmes = [p.versions[-1] for p in definitions_now(home()).programmes.values()]
    known = _index((p.text.registry.psid, p.name, p) for p in programmes)
    drafts = _index((psid, name, True) for psid, name in _drafted())
    same = waiting = 0
    new: list[tuple[ProgrammeForm, Programme | None]] = []
    for _, entry in found.entries:
        base: Programme | None = _matched(known, entry)
        form = _form(entry, base)
        if base is not None and _registry(form) == _registry(form_of(copy_of(base))):
            same += 1
        elif _matched(drafts, entry):
            waiting += 1
        else:
            new.append((form, base))
    if len(new) > MOST_NEW:
        fix = f"自分の市町村の行だけにして、{MOST_NEW}件までに分けてください。"
        raise InputRefused("K609", f"新しい制度が{len(new):,}件あります。", "", fix)
    for form, base in new:
        begins = base.begins_on.isoformat() if base is not None else ""
        desk.start(actor, yaml_of(form), (base.id if base else "", ""), begins, "台帳の取り込み")
    return Imported(len(new), same, waiting, tuple(found.refused), found.left_out)


def _index(entries: Iterable[tuple[str, str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for psid, name, what in entries:
        for key in (psid, _plain_name(name)):
            if key:
                found.setdefault(key, what)
    return found


def _matched(index: Mapping[str, Any], entry: Mapping[str, str]) -> Any:
    return index.get(entry.get("PSID", "")) or index.get(_plain_name(entry[TITLE]))


def _plain_name(name: str) -> str:
    return "".join(unicodedata.normalize("NFKC", name).split())


def _drafted() -> Iterator[tuple[str, str]]:
    """PSID and name of every draft still on its way."""
    for found in desk.drafts():
        if found.status in (CriteriaDraftStatus.WITHDRAWN, CriteriaDraftStatus.APPROVED):
            continue
        try:
            head = form_of(found.text).head
        except DefinitionError:
            continue
        yield head["registry_psid"], head["name"]


def _form(entry: Mapping[str, str], base: Programme | None) -> ProgrammeForm:
    """The draft of one entry: of a programme the city has only 台帳 and 問合せ先 change; a new one has no conditions."""
    told = {name: entry[column] for name, column in REGISTRY.items() if entry.get(column)}
    if base is not None:
        form = form_of(copy_of(base))
        contact = {"contact": entry[CONTACT]} if entry.get(CONTACT) else {}
        return ProgrammeForm({**form.head, **told, **contact}, form.rules, form.tables, form.cases, form.examples, form.kept)
    start = timezone.localdate().isoformat()
    empty = form_of(yaml_of(ProgrammeForm(_BLANK | {"valid_from": start}, (), (), (), ())))
    own = {"name": entry[TITLE], "owner": entry.get(OWNER, ""), "contact": entry.get(CONTACT, "")}
    return ProgrammeForm({**empty.head, **own, **told}, (), (), (), ())


_BLANK: Final = {
    **dict.fromkeys(("id", "name", "owner", "contact", "valid_to", "to_confirm", "amount_per"), ""),
    **dict.fromkeys(("receipt_source", "receipt_kind", "receipt_statuses"), ""),
    **dict.fromkeys(("receipt_applied", "receipt_refused", "refused_days"), ""),
    "standing": _STANDING,
    "unit": "こども",
    "guidance": "案内のみ",
}


def _registry(form: ProgrammeForm) -> dict[str, str]:
    return {name: form.head.get(name, "") for name in (*REGISTRY, "contact")}


def export_registry(programmes: Iterable[Programme]) -> str:
    """The catalogue as CSV in the columns of the registry (write with a BOM for spreadsheets)."""
    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for programme in programmes:
        text = programme.text
        told = {column: getattr(text.registry, name.removeprefix("registry_")) for name, column in REGISTRY.items()}
        told |= {TITLE: programme.name, OWNER: text.owner, CONTACT: text.contact}
        writer.writerow([safe_text(told[column]) for column in COLUMNS])
    return target.getvalue()
