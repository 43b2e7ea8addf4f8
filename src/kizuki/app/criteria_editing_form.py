"""A criteria set as a form and as YAML: the same content either way, so that staff may use whichever they like.

The form is a flat mapping of field names (`points`, `entry-2-condition`) to text. A file made from it keeps one value per
line, so that every finding of the loader, which names a line, can be shown beside the field it is about.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml
from yaml.emitter import Emitter
from yaml.representer import SafeRepresenter
from yaml.resolver import BaseResolver
from yaml.serializer import Serializer

from kizuki.definitions.yaml import Node, read_text
from kizuki.terms.errors import DefinitionError

DRAFT_PATH: Final = Path("判定基準の案.yaml")
HEAD: Final = {
    "id": "ID",
    "name": "名称",
    "version": "版",
    "standing": "位置づけ",
    "threshold": "閾値",
    "past_case": "検証で数える出来事",
}
LISTS: Final = {"order": "同点の順", "unknowable": "データでは分からないこと", "combines": "組合せ"}
AGES: Final = {"age_low": "下限", "age_high": "上限", "age_basis": "数え方"}
ENTRY: Final = {
    "id": "ID",
    "name": "名称",
    "condition": "条件",
    "points": "点",
    "explanation": "説明",
    "ground": "根拠",
    "owner": "所管",
    "family": "まとまり",
    "needs_feed": "受領していなければ外す",
}
EXAMPLE: Final = {"name": "名称", "situation": "状況", "others": "ほか", "expected": "期待", "points": "点"}
SIGNED: Final = ("施行日", "終了日", "作成者", "承認者", "作成日", "承認日")
"""Written by approval, never by hand in the form."""
_COMMAS: Final = re.compile(r"[、,，]\s*(?!\d{3}(?!\d))")
_PAIR: Final = re.compile(r"\s*(.+?)\s*[:：＝=]\s*(.+?)\s*")
CARRIED: Final = ("検証の記録", "学んだ採点表", "本人・保護者に知らせる")
"""Keys with no field in the form, kept as they are written in the file."""
_YES: Final = "はい"
_LINE_ENDS: Final = str.maketrans({"\x85": " ", "\u2028": " ", "\u2029": " "})
"""Line ends no keyboard has; YAML would fold them when it reads them back, so they are a space from the start."""


class _TextDumper(Emitter, Serializer, SafeRepresenter, BaseResolver):
    """Writes text as text: BaseResolver guesses no types, so 2026.1 and 7 need no quotes (they are read as text, too)."""

    def __init__(self, stream: Any, **options: Any) -> None:
        layout = ("canonical", "indent", "width", "allow_unicode", "line_break")
        Emitter.__init__(self, stream, **{k: v for k, v in options.items() if k in layout})
        markers = ("encoding", "explicit_start", "explicit_end", "version", "tags")
        Serializer.__init__(self, **{k: v for k, v in options.items() if k in markers})
        SafeRepresenter.__init__(self, default_style=None, default_flow_style=False, sort_keys=False)
        BaseResolver.__init__(self)

    def ignore_aliases(self, data: Any) -> bool:
        """Never: the loader refuses references."""
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        """Lists stand indented below their key, as in every shipped file."""
        super().increase_indent(flow, False)


@dataclass(frozen=True, slots=True)
class Row:
    """One entry or example of the form: its number from 0 and its fields as text."""

    number: int
    fields: Mapping[str, str]
    errors: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Form:
    """The whole form: head fields, entries, examples."""

    head: Mapping[str, str]
    entries: tuple[Row, ...]
    examples: tuple[Row, ...]
    signed: Mapping[str, Any] = field(default_factory=dict)
    """What has no field: who signed for which dates, and the keys only the file shows."""


def written(content: Mapping[str, Any]) -> str:
    """YAML of nested texts in the house's layout; one value per line."""
    text: str = yaml.dump(content, Dumper=_TextDumper, allow_unicode=True, width=10_000, default_flow_style=False)
    return text


def form_of(text: str) -> Form:
    """The form of a YAML text; raises DefinitionError K801 to K803 on text that is not YAML."""
    node = read_text(text, DRAFT_PATH)
    head = {name: text_in(node.get(key)) for name, key in HEAD.items()}
    head |= {name: "、".join(texts_in(node.get(key))) for name, key in LISTS.items()}
    ages = node.get("対象年齢")
    head |= {name: text_in(ages.get(key) if ages else None) for name, key in AGES.items()}
    head["trial"] = text_in(node.get("試行"))
    head["caps"] = _pairs_text(node.get("まとまりの上限"))
    entries = tuple(Row(n, _entry_fields(e)) for n, e in enumerate(nodes_in(node.get("項目"))))
    examples = tuple(Row(n, _example_fields(e)) for n, e in enumerate(nodes_in(node.get("例"))))
    return Form(head, entries, examples, _unshown(node))


def unshown(text: str) -> dict[str, Any]:
    """What the form of a YAML text does not show; nothing where the text is not YAML."""
    try:
        return {key: value for key, value in _unshown(read_text(text, DRAFT_PATH)).items() if key in CARRIED}
    except DefinitionError:
        return {}


def _unshown(node: Node) -> dict[str, Any]:
    return {key: found.plain() for key in (*SIGNED, *CARRIED) if (found := node.get(key)) is not None and found.value}


def typed(text: str) -> str:
    """What a person typed into a field, as it is kept."""
    return text.translate(_LINE_ENDS).strip()


def form_from(posted: Mapping[str, str], signed: Mapping[str, Any]) -> Form:
    """The form as posted: rows by their numbers, rows left wholly empty or marked for removal dropped."""
    names = (*HEAD, *LISTS, *AGES, "trial", "caps")
    head = {name: typed(posted.get(name, "")) for name in names}
    return Form(head, tuple(posted_rows(posted, "entry", ENTRY)), tuple(posted_rows(posted, "example", EXAMPLE)), signed)


def yaml_of(form: Form) -> str:
    """The form as a definition file; empty optional fields are left out."""
    head = form.head
    content: dict[str, Any] = {HEAD[n]: head[n] for n in ("id", "name", "version")}
    content |= {key: form.signed[key] for key in SIGNED if form.signed.get(key)}
    content["位置づけ"] = head["standing"]
    if head.get("trial"):
        content["試行"] = _YES
    content["対象年齢"] = {key: head[n] for n, key in AGES.items() if head[n]}
    content["閾値"] = head["threshold"]
    content |= {key: listed(head[n]) for n, key in LISTS.items() if head[n]}
    if head["past_case"]:
        content["検証で数える出来事"] = head["past_case"]
    if head["caps"]:
        content["まとまりの上限"] = pairs(head["caps"])
    content |= {key: form.signed[key] for key in CARRIED if form.signed.get(key)}
    content["項目"] = [_entry(row) for row in form.entries]
    content["例"] = [_example(row.fields) for row in form.examples]
    if not content["対象年齢"]:
        del content["対象年齢"]
    return written(content)


def with_lines(text: str, changes: Mapping[str, str]) -> str:
    """A definition file with some top-level values of one line set, everything else kept byte for byte.

    A key not yet there comes after 版 or, failing that, at the end. Raises DefinitionError K801 if the result would say
    anything else.
    """
    node = read_text(text, DRAFT_PATH)
    lines = text.splitlines()
    at = {key: line - 1 for key, line in node.key_lines.items()}
    after = at.get("版", len(lines) - 1) + 1
    added = [f"{key}: {_scalar(value)}" for key, value in changes.items() if key not in at]
    for key, value in changes.items():
        if key in at:
            lines[at[key]] = f"{key}: {_scalar(value)}"
    made = "\n".join([*lines[:after], *added, *lines[after:]]) + "\n"
    if read_text(made, DRAFT_PATH).plain() != {**node.plain(), **changes}:
        raise DefinitionError(
            "K801",
            "定義ファイルに日付や氏名を書き入れられません。",
            str(DRAFT_PATH),
            "一行に一つずつ書いてください。",
        )
    return made


def field_lines(node: Node) -> dict[int, str]:
    """Line of a file made by `yaml_of` → the field of the form written there."""
    found: dict[int, str] = {}
    names = {key: name for names in (HEAD, LISTS) for name, key in names.items()}
    names |= {"試行": "trial", "まとまりの上限": "caps", "対象年齢": "age_low"}
    for key, line in node.key_lines.items():
        if key in names:
            found[line] = names[key]
    for of, section, keys in (("entry", "項目", ENTRY), ("example", "例", EXAMPLE)):
        for number, row in enumerate(nodes_in(node.get(section))):
            found.update(row_lines(row, f"{of}-{number}", keys))
    return found


def row_lines(row: Node, prefix: str, keys: Mapping[str, str]) -> Iterator[tuple[int, str]]:
    """Every line of a row's values, with the field of the form it is shown in."""
    for name, key in keys.items():
        value = row.get(key)
        if value is not None:
            yield row.key_lines.get(key, value.line), f"{prefix}-{name}"
            for line in value.key_lines.values():
                yield line, f"{prefix}-{name}"


def listed(text: str) -> list[str]:
    """Words separated by 、."""
    return [part.strip() for part in _COMMAS.split(text) if part.strip()]


def pairs(text: str) -> dict[str, str]:
    """`項目: 値` separated by 、 or line breaks; something without a value gets an empty one, which the loader refuses."""
    found: dict[str, str] = {}
    for part in (p for line in text.splitlines() for p in listed(line)):
        match = _PAIR.fullmatch(part)
        found[match[1] if match else part] = match[2] if match else ""
    return found


def _entry(row: Row) -> dict[str, str]:
    told = {key: row.fields.get(name, "") for name, key in ENTRY.items()}
    if not told["ID"]:
        told["ID"] = f"entry_{row.number + 1}"
    if told["点"].startswith(("-", "−", "－")):
        told["点"] = "-" + told["点"][1:]
        told["保護要因"] = _YES
    if told["受領していなければ外す"]:
        told["受領していなければ外す"] = _YES
    optional = ("まとまり", "受領していなければ外す")
    return {key: value for key, value in told.items() if value or key not in optional}


def _example(fields: Mapping[str, str]) -> dict[str, Any]:
    told: dict[str, Any] = {"名称": fields.get("name", ""), "状況": pairs(fields.get("situation", ""))}
    if fields.get("others") == "不明":
        told["ほか"] = "不明"
    told["期待"] = fields.get("expected", "")
    if fields.get("points"):
        told["点"] = fields["points"]
    return told


def _entry_fields(node: Node) -> dict[str, str]:
    return {name: text_in(node.get(key)) for name, key in ENTRY.items()}


def _example_fields(node: Node) -> dict[str, str]:
    found = {name: text_in(node.get(key)) for name, key in EXAMPLE.items()}
    return found | {"situation": _pairs_text(node.get("状況"))}


def posted_rows(
    posted: Mapping[str, str],
    of: str,
    keys: Iterable[str],
    preset: Collection[str] = ("id", "others", "expected", "needs_feed"),
) -> Iterator[Row]:
    """The rows `of`-0, `of`-1 … of a posted form; a row in which only `preset` fields are filled is an empty one."""
    numbers = sorted({int(m[1]) for name in posted if (m := re.fullmatch(rf"{of}-(\d{{1,4}})-\w+", name))})
    kept = 0
    for number in numbers:
        fields = {name: typed(posted.get(f"{of}-{number}-{name}", "")) for name in keys}
        told = {n: v for n, v in fields.items() if n not in preset}
        if any(told.values()) and f"{of}-{number}-remove" not in posted:
            yield Row(kept, fields)
            kept += 1


def nodes_in(node: Node | None) -> list[Node]:
    """The entries of a list; none of anything else."""
    return node.value if node is not None and isinstance(node.value, list) else []


def text_in(node: Node | None) -> str:
    """The text of a value; empty for anything else."""
    return node.value if node is not None and isinstance(node.value, str) else ""


def texts_in(node: Node | None) -> list[str]:
    """The texts of a list."""
    return [text_in(n) for n in nodes_in(node)]


def _pairs_text(node: Node | None) -> str:
    if node is None or not isinstance(node.value, dict):
        return ""
    return "、".join(f"{key}: {text_in(value)}" for key, value in node.value.items())


def _scalar(value: str) -> str:
    return written({"x": value}).removeprefix("x: ").rstrip("\n")
