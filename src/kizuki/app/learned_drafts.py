"""A learned 採点表 on its way into use: brought in as a draft of its criteria set and approved like any version.

Nothing learned orders anybody before two people have agreed. The draft names the table by its fingerprint (学んだ採点表),
under which its 検証の記録 is kept (`learned_records`). The staff version stays among the files: the night goes back to it when
the watch stops the table.
"""

import re
from pathlib import Path
from typing import Final

from kizuki.app import criteria_editing
from kizuki.app.accounts import allow
from kizuki.app.backtest_results import Result, kept
from kizuki.app.criteria_board import definitions_now
from kizuki.app.criteria_editing_checks import check
from kizuki.app.criteria_editing_form import DRAFT_PATH, written
from kizuki.app.learned_records import keep_record
from kizuki.app.release import Actor
from kizuki.app.served import Served
from kizuki.app.thresholds import chosen_set, why_empty, why_not_learned
from kizuki.definitions.criteria import CriteriaSet, Entry
from kizuki.definitions.loader import Definitions
from kizuki.definitions.yaml import read_text
from kizuki.judge.as_criteria import AGREEMENT, Line, Written, read
from kizuki.judge.ladder import FEW
from kizuki.judge.point_table import PointTable
from kizuki.judge.selection import without_learned
from kizuki.records.models import CriteriaDraft
from kizuki.terms.errors import InputRefused

_OLD_ANSWER: Final = re.compile("（学んだ配点での答え）$")


def why_not(home: Path, found: Result | None) -> str:
    """Why the learned table of a set may not become a draft; blank where it may."""
    refused = why_empty(found) or why_not_learned(home, found)
    if refused or found is None:
        return refused
    if found.told["events"] < FEW:
        return f"過去の該当が{FEW}件に満たないあいだは、現場の点だけを使います。"
    lines = found.told.get("written")
    if not lines:
        return "この検証には、案にできる採点表がありません。judge backtest をもう一度実行してください。"
    if read(lines).agreement < AGREEMENT:
        return "点を整数に書き直すと、学んだ一覧と大きく変わります。検証の見込みが当てはまらないため、案にできません。"
    return ""


def bring_in(actor: Actor, served: Served, home: Path, name: str) -> CriteriaDraft:
    """A draft made of the learned table of a set, for the usual editing, counting, trial and approval by another person.

    Raises NotPermitted K701 and InputRefused K565 where it may not be used.
    """
    allow(actor, "criteria.draft")
    criteria = chosen_set(served, name)
    found = kept(home, criteria.id)
    refused = "組合せの判定基準は、学んだ表では置き換えられません。" if criteria.combines else why_not(home, found)
    if refused or found is None or found.table is None:
        raise InputRefused("K565", refused, criteria.name, "現場の点の判定基準を、そのまま使ってください。")
    keep_record(home, found, found.table)
    definitions = definitions_now(home)
    base = (
        without_learned(definitions).criteria[criteria.id].on(served.as_of) or criteria
    )  # whose points the past was judged by
    made = criteria_editing.start(actor, base)
    text = _text(made.text, base, definitions, (read(found.told["written"]), found.table))
    return criteria_editing.save(actor, made.pk, text, made.revision)


def _text(start: str, base: CriteriaSet, definitions: Definitions, learned: tuple[Written, PointTable]) -> str:
    """The draft's YAML: the staff's lines in the learned unit, the learned lines, and the examples answered anew."""
    lines, table = learned
    content = read_text(start, DRAFT_PATH).plain()
    entries = [e for b in base.entries if (e := _staff_entry(b, lines.staff_factor)) is not None]
    taken = {e["ID"] for e in entries}
    entries += [e for line in lines.lines if (e := _learned_entry(line, definitions, table))["ID"] not in taken]
    caps = _caps(base, lines.staff_factor, entries)
    content["位置づけ"] = "過去の事例から学んだ配点（地域の合意と承認を経て使う）"
    content |= {"閾値": str(lines.threshold), "学んだ採点表": table.digest, "項目": entries}
    content["まとまりの上限"] = caps
    if not caps:
        del content["まとまりの上限"]
    return _answered(written(content), definitions, base)


def _answered(text: str, definitions: Definitions, base: CriteriaSet) -> str:
    """The staff's examples with the answers the new points give: those who approve read what changes for whom."""
    understood = check(text, definitions, base.version).criteria
    if understood is None:
        return text  # what cannot be read is shown with its findings, like any draft
    content = read_text(text, DRAFT_PATH).plain()
    for told, example in zip(content["例"], understood.examples, strict=True):
        score = understood.score(example.facts)
        told |= {"期待": score.verdict.value, "点": str(score.points)}
        told["名称"] = f"{_OLD_ANSWER.sub('', told['名称'])}（学んだ配点での答え）"
    return written(content)


def _staff_entry(entry: Entry, factor: float) -> dict[str, str] | None:
    """A staff line with its points in the learned unit; None where nothing is left of it."""
    points = round(factor * entry.points)
    if points == 0 or (points < 0) != entry.text.protective:
        return None
    told = {"ID": entry.id, "名称": entry.name, "条件": entry.text.condition, "点": str(points), "説明": entry.text.explanation}
    told |= {"根拠": entry.text.ground, "所管": entry.text.owner}
    told |= {"保護要因": "はい"} if entry.text.protective else {}
    told |= {"受領していなければ外す": "はい"} if entry.text.needs_feed else {}
    return told | ({"まとまり": entry.text.family} if entry.text.family else {})


def _caps(base: CriteriaSet, factor: float, entries: list[dict[str, str]]) -> dict[str, str]:
    """The caps of the families still there, in the learned unit, never below one of their lines."""
    most: dict[str, int] = {}
    for entry in entries:
        family = entry.get("まとまり", "")
        if family:
            most[family] = max(most.get(family, 0), int(entry["点"]))
    return {family: str(max(round(factor * base.text.caps[family]), points)) for family, points in most.items()}


def _learned_entry(line: Line, definitions: Definitions, table: PointTable) -> dict[str, str]:
    item = definitions.items[line.item]
    number = f"{line.at_least:g}".replace(".", "_").replace("-", "m").replace("+", "")
    told = {"ID": f"learned_{item.id}_{number}"}
    if item.kind == "truth":
        told |= {"名称": item.title, "条件": item.title, "点": str(line.points), "説明": f"{item.meaning}"}
    else:
        limit = f"{line.at_least:.6f}".rstrip("0").rstrip(".") + item.unit
        told |= {"名称": f"{item.title}（{limit}以上）", "条件": f"{item.title} ≥ {limit}", "点": str(line.points)}
        told |= {"説明": f"{item.title}が{limit}以上です（{{{item.title}}}）"}
    source = definitions.sources.get(item.source)
    told |= {"根拠": f"過去の事例から学んだ配点（採点表 {table.digest[:12]}）", "所管": source.owner if source else item.ask}
    return told | ({"保護要因": "はい"} if line.points < 0 else {})
