"""A programme as a form and as YAML: the same content either way, so that staff may use whichever they like.

A file made from the form keeps one value per line, so that every finding of the loader stands beside the field it is about.
Households of examples are written one member a line: `児童：年齢 8、年度末年齢 9`.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from kizuki.app.criteria_editing_form import (
    DRAFT_PATH,
    SIGNED,
    Row,
    listed,
    nodes_in,
    posted_rows,
    row_lines,
    text_in,
    texts_in,
    typed,
    written,
)  # fmt: skip
from kizuki.definitions.programmes.text import RegistryText
from kizuki.definitions.yaml import Node, read_text
from kizuki.terms.errors import DefinitionError

HEAD: Final = {
    "id": "ID",
    "name": "名称",
    "owner": "所管課",
    "contact": "問合せ先",
    "standing": "位置づけ",
    "unit": "単位",
    "guidance": "案内",
}
VALIDITY: Final = {"valid_from": "開始", "valid_to": "終了"}
RECEIPT: Final = {
    "receipt_source": "元データ",
    "receipt_kind": "種類",
    "receipt_statuses": "区分",
    "receipt_applied": "申請済の区分",
    "receipt_refused": "却下の区分",
    "refused_days": "却下後の日数",
}
_RECEIPT_LISTS: Final = ("receipt_statuses", "receipt_applied", "receipt_refused")
REGISTRY: Final = {f"registry_{name}": info.alias or name for name, info in RegistryText.model_fields.items()}
RULE: Final = {
    "id": "ID",
    "name": "名称",
    "condition": "式",
    "explanation": "説明",
    "ground": "根拠",
    "ask": "確認すること",
}
_TABLE_HEAD: Final = {"name": "名", "unit": "単位", "decided_by": "定め", "note": "注"}
_TABLE_ROW: Final = {
    "valid_from": "適用開始",
    "valid_to": "適用終了",
    "values": "値",
    "increment": "1増えるごとに",
    "source": "出典",
    "checked_on": "確認日",
}
TABLE: Final = _TABLE_HEAD | _TABLE_ROW
CASE: Final = {"condition": "式", "table": "表", "key": "項目"}
EXAMPLE: Final = {
    "name": "名称",
    "day": "基準日",
    "household": "世帯",
    "person": "対象",
    "expected": "期待",
    "amount": "金額",
    "asks": "確認",
}
_PRESET: Final = {
    "rule": ("id",),
    "table": ("decided_by", "unit"),
    "case": (),
    "example": ("expected", "day"),
}
"""Fields a new row is offered with: a row with nothing else is an empty one."""
BY_CASE: Final = "場合分け"
NOBODY, HOME, NO_ROLE, NOTHING = "構成員", "世帯", "役割不明", "なし"
THE_OFFICE: Final = "所管課の判断"
"""What 相談案内のみ asks of nobody but the office; the file writes it as an empty text."""
_HEADING: Final = re.compile(r"\s*([^:：]+?)\s*[:：]\s*(.*)")
_ITEM: Final = re.compile(r"(.+?)\s*(?:[:：＝=]|\s)\s*(.+)")
_FRAME: Final = {"role": "役割", "members": "構成員"}


@dataclass(frozen=True, slots=True)
class ProgrammeForm:
    """The whole form; `kept` has no field: who signed, and an amount by a method of the law."""

    head: Mapping[str, str]
    rules: tuple[Row, ...]
    tables: tuple[Row, ...]
    cases: tuple[Row, ...]
    examples: tuple[Row, ...]
    kept: Mapping[str, Any] = field(default_factory=dict)

    def rows(self) -> Iterator[tuple[str, tuple[Row, ...]]]:
        """Every kind of row with its rows."""
        yield from (("rule", self.rules), ("table", self.tables), ("case", self.cases), ("example", self.examples))


def form_of(text: str) -> ProgrammeForm:
    """The form of a YAML text; raises DefinitionError K801 to K803 on text that is not YAML."""
    node = read_text(text, DRAFT_PATH)
    head = {name: text_in(node.get(key)) for name, key in HEAD.items()}
    for names, under in ((VALIDITY, "有効期間"), (RECEIPT, "受給"), (REGISTRY, "台帳")):
        inner = node.get(under)
        head |= {name: text_in(inner.get(key) if inner else None) for name, key in names.items()}
    receipt = node.get("受給")
    head |= {n: "、".join(texts_in(receipt.get(RECEIPT[n]) if receipt else None)) for n in _RECEIPT_LISTS}
    head["to_confirm"] = "\n".join(texts_in(node.get("確認事項")))
    amount = node.get("金額")
    by_case = amount is not None and text_in(amount.get("方法")) == BY_CASE
    head["amount_per"] = text_in(amount.get("単位")) if amount is not None and by_case else ""
    cases = nodes_in(amount.get("場合")) if amount is not None and by_case else []
    return ProgrammeForm(
        head,
        tuple(_numbered(_plain(n, RULE) for n in nodes_in(node.get("条件")))),
        tuple(_numbered(f for n in nodes_in(node.get("表")) for f in _table_fields(n))),
        tuple(_numbered(_plain(n, CASE) for n in cases)),
        tuple(_numbered(_example_fields(n) for n in nodes_in(node.get("例")))),
        _kept(node),
    )


def kept_of(text: str) -> dict[str, Any]:
    """What the form of a text does not show and a posted form keeps; nothing where the text is not YAML."""
    try:
        return {key: value for key, value in _kept(read_text(text, DRAFT_PATH)).items() if key not in SIGNED}
    except DefinitionError:
        return {}


def form_from(posted: Mapping[str, str], kept: Mapping[str, Any]) -> ProgrammeForm:
    """The form as posted; rows left empty or marked for removal are dropped."""
    names = (*HEAD, *VALIDITY, *RECEIPT, *REGISTRY, "amount_per")
    head = {name: typed(posted.get(name, "")) for name in names}
    head["to_confirm"] = _lines(posted.get("to_confirm", ""))
    found = {}
    for of, keys in (("rule", RULE), ("table", TABLE), ("case", CASE), ("example", EXAMPLE)):
        found[of] = tuple(posted_rows(_with_lines_kept(posted), of, keys, _PRESET[of]))
    return ProgrammeForm(head, found["rule"], found["table"], found["case"], found["example"], kept)


def _with_lines_kept(posted: Mapping[str, str]) -> Mapping[str, str]:
    """A household is written over several lines: none of them may begin or end with what only a browser sends."""
    return {name: _lines(value) if name.endswith("-household") else value for name, value in posted.items()}


def _lines(text: str) -> str:
    return "\n".join(line for raw in text.splitlines() if (line := typed(raw)))


def yaml_of(form: ProgrammeForm) -> str:
    """The form as a definition file; empty optional fields are left out."""
    head = form.head
    content: dict[str, Any] = {key: head[n] for n, key in HEAD.items() if head[n] or n != "guidance"}
    content["有効期間"] = {key: head[n] for n, key in VALIDITY.items() if head[n]}
    content |= {key: form.kept[key] for key in SIGNED if form.kept.get(key)}
    if form.tables:
        content["表"] = list(_tables(form.tables))
    content["条件"] = [_rule(row) for row in form.rules]
    if any(head[n] for n in RECEIPT):
        lists = {RECEIPT[n]: listed(head[n]) for n in _RECEIPT_LISTS if head[n]}
        content["受給"] = {key: lists.get(key, head[n]) for n, key in RECEIPT.items() if head[n]}
    if form.kept.get("金額"):
        content["金額"] = form.kept["金額"]
    elif form.cases:
        cases = [{key: row.fields[n] for n, key in CASE.items() if row.fields.get(n)} for row in form.cases]
        content["金額"] = {"方法": BY_CASE, "単位": head["amount_per"], "場合": cases}
    if head["to_confirm"]:
        content["確認事項"] = head["to_confirm"].splitlines()
    registry = {key: head[n] for n, key in REGISTRY.items() if head.get(n)}
    if registry:
        content["台帳"] = registry
    content["例"] = [_example(row.fields) for row in form.examples]
    return written({key: value for key, value in content.items() if value != {}})


def field_lines(node: Node) -> dict[int, str]:
    """Line of a file made by `yaml_of` → the field of the form written there."""
    found = {line: HEAD_FIELDS[key] for key, line in node.key_lines.items() if key in HEAD_FIELDS}
    for names, under in ((VALIDITY, "有効期間"), (RECEIPT, "受給"), (REGISTRY, "台帳")):
        inner = node.get(under)
        keys = {key: name for name, key in names.items()}
        found |= {line: keys[key] for key, line in (inner.key_lines if inner else {}).items() if key in keys}
    amount = node.get("金額")
    cases = nodes_in(amount.get("場合")) if amount is not None else []
    for of, rows, names in (("rule", nodes_in(node.get("条件")), RULE), ("case", cases, CASE)):
        for number, row in enumerate(rows):
            found |= {row.line: f"{of}-{number}-{next(iter(names))}"} | dict(row_lines(row, f"{of}-{number}", names))
    number = 0
    for table in nodes_in(node.get("表")):
        found.update(row_lines(table, f"table-{number}", _TABLE_HEAD))
        rows = nodes_in(table.get("行"))
        for row in rows:
            found.update(row_lines(row, f"table-{number}", _TABLE_ROW))
            number += 1
        number += not rows
    for n, row in enumerate(nodes_in(node.get("例"))):
        found |= dict.fromkeys(_all_lines(row.get("世帯")), f"example-{n}-household")
        found |= dict(row_lines(row, f"example-{n}", EXAMPLE))
    return found


HEAD_FIELDS: Final = {key: name for name, key in HEAD.items()} | {
    "有効期間": "valid_from",
    "受給": "receipt_source",
    "金額": "amount_per",
    "確認事項": "to_confirm",
}


def _all_lines(node: Node | None) -> Iterator[int]:
    if node is None:
        return
    yield node.line
    yield from node.key_lines.values()
    if isinstance(node.value, dict | list):
        for inner in node.value.values() if isinstance(node.value, dict) else node.value:
            yield from _all_lines(inner)


def household_text(household: Mapping[str, Any]) -> str:
    """A household of an example, one line for the home and one a member."""
    shared = {k: v for k, v in household.items() if _FRAME.get(k, k) != "構成員"}
    lines = [f"{HOME}：{_items(shared)}"] if shared else []
    members = household.get("構成員", household.get("members"))
    if members is not None and not members:
        lines.append(f"{NOBODY}：{NOTHING}")
    for member in members or ():
        told = {str(_FRAME.get(k, k)): v for k, v in member.items()} if isinstance(member, Mapping) else {}
        name = f" {told['id']}" if "id" in told else ""
        rest = _items({k: v for k, v in told.items() if k not in ("役割", "id")})
        lines.append(f"{told.get('役割', NO_ROLE)}{name}：{rest}")
    return "\n".join(lines)


def household_of(text: str) -> dict[str, Any]:
    """The household of such lines; what cannot be read becomes a fact of that name, which the check then names."""
    home: dict[str, Any] = {}
    members: list[dict[str, str]] = []
    listed_nobody = False
    for line in (raw for raw in text.splitlines() if raw.strip()):
        match = _HEADING.fullmatch(line)
        heading, rest = (match[1], match[2]) if match else (line.strip(), "")
        items = _read_items(rest)
        if heading == HOME:
            home |= items
        elif heading == NOBODY:
            listed_nobody = True
        else:
            role, _, name = heading.partition(" ")
            member = {} if role == NO_ROLE else {"役割": role}
            members.append(member | ({"id": name.strip()} if name.strip() else {}) | items)
    return home | ({"構成員": members} if members or listed_nobody else {})


def _items(facts: Mapping[str, Any]) -> str:
    return "、".join(f"{key} {value}" for key, value in facts.items())


def _read_items(text: str) -> dict[str, str]:
    found = {}
    for part in listed(text):
        match = _ITEM.fullmatch(part)
        found[match[1] if match else part] = match[2] if match else ""
    return found


def _numbered(rows: Iterator[dict[str, str]]) -> Iterator[Row]:
    return (Row(n, fields) for n, fields in enumerate(rows))


def _plain(node: Node, keys: Mapping[str, str]) -> dict[str, str]:
    return {name: text_in(node.get(key)) for name, key in keys.items()}


def _table_fields(table: Node) -> Iterator[dict[str, str]]:
    """One table: a row of the form for every period; a table no figure was entered in has one without."""
    head = _plain(table, _TABLE_HEAD)
    blank = dict.fromkeys(_TABLE_ROW, "")
    for row in nodes_in(table.get("行")):
        yield head | _plain(row, _TABLE_ROW) | {"values": "、".join(texts_in(row.get("値")))}
    if not nodes_in(table.get("行")):
        yield head | blank


def _tables(rows: Sequence[Row]) -> Iterator[dict[str, Any]]:
    """Rows of one name that stand together are one table."""
    made: list[dict[str, Any]] = []
    for row in rows:
        fields = row.fields
        if not made or made[-1]["名"] != fields["name"]:
            told = {key: fields.get(n, "") for n, key in _TABLE_HEAD.items()}
            made.append({k: v for k, v in told.items() if v or k != "注"} | {"行": []})
        period = {key: fields[n] for n, key in _TABLE_ROW.items() if fields.get(n)}
        if period:
            values = [v.replace(",", "").replace("，", "") for v in listed(fields.get("values", ""))]
            made[-1]["行"].append(period | {"値": values})
    return iter(made)


def _rule(row: Row) -> dict[str, str]:
    told = {key: row.fields.get(name, "") for name, key in RULE.items()}
    return told | ({} if told["ID"] else {"ID": f"rule_{row.number + 1}"})


def _example(fields: Mapping[str, str]) -> dict[str, Any]:
    told: dict[str, Any] = {EXAMPLE[n]: fields.get(n, "") for n in ("name", "day")}
    told["世帯"] = household_of(fields.get("household", ""))
    told |= {EXAMPLE[n]: fields[n] for n in ("person", "expected") if fields.get(n)}
    if fields.get("amount"):
        told["金額"] = fields["amount"].replace(",", "").removesuffix("円")
    if fields.get("asks"):
        asks = [] if fields["asks"] == NOTHING else listed(fields["asks"])
        told["確認"] = ["" if ask == THE_OFFICE else ask for ask in asks]
    return told


def _example_fields(node: Node) -> dict[str, str]:
    home, asks = node.get("世帯"), node.get("確認")
    plain = home.plain() if home is not None else {}
    told = _plain(node, EXAMPLE) | {"household": household_text(plain) if isinstance(plain, dict) else ""}
    return told | {"asks": "" if asks is None else "、".join(t or THE_OFFICE for t in texts_in(asks)) or NOTHING}


def _kept(node: Node) -> dict[str, Any]:
    found = {key: held.plain() for key in SIGNED if (held := node.get(key)) is not None and held.value}
    amount = node.get("金額")
    if amount is not None and text_in(amount.get("方法")) != BY_CASE:
        found["金額"] = amount.plain()
    return found
