"""Reading definitions: YAML as text only, every value with its file and line, duplicate keys refused.

Why text only: YAML's own typing turns 01100 into 576, `no` into False and 12:30 into 750, and keeps the last of two equal keys
without a word (measured). Types come from the pydantic models, never from YAML.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, TypeVar

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, WithJsonSchema

from kizuki.terms.errors import DefinitionError

Model = TypeVar("Model", bound=BaseModel)


class Definition(BaseModel):
    """Base of every definition model: frozen, unknown keys refused, Japanese keys as aliases."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


def _yes_no(value: Any) -> Any:
    if isinstance(value, str):
        if value in ("はい", "yes", "true"):
            return True
        if value in ("いいえ", "no", "false"):
            return False
        raise ValueError("「はい」か「いいえ」で書いてください。")
    return value


YesNo = Annotated[bool, BeforeValidator(_yes_no), WithJsonSchema({"enum": ["はい", "いいえ"]})]
"""はい / いいえ."""


def labelled(labels: dict[str, str]) -> Callable[[Any], Any]:
    """A validator that turns a Japanese label into its identifier; identifiers themselves pass."""

    def read(value: Any) -> Any:
        if isinstance(value, str) and value not in labels.values():
            if value not in labels:
                raise ValueError(f"{'・'.join(labels)} のいずれかで書いてください。")
            return labels[value]
        return value

    return read


@dataclass(slots=True)
class Node:
    """One value of a definition file: text, a list or a mapping, with the place it was written."""

    value: "str | list[Node] | dict[str, Node]"
    path: Path
    line: int
    key_lines: dict[str, int] = field(default_factory=dict)

    def plain(self) -> Any:
        """The value without places: str, list or dict."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value

    def get(self, key: str) -> "Node | None":
        """The value under `key` of a mapping, if both exist."""
        return self.value.get(key) if isinstance(self.value, dict) else None

    def where(self) -> str:
        """`file:line` for messages."""
        return f"{self.path}:{self.line}"


class _TextLoader(yaml.BaseLoader):
    """BaseLoader that refuses aliases, so that a small file cannot grow into a large one."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.constructor.ConstructorError(None, None, "参照（*名前）は使えません", mark)
        return super().compose_node(parent, index)


def read_yaml(path: Path) -> Node:
    """The node tree of one file; raises DefinitionError K801 (not YAML), K802 (duplicate key), K803 (empty)."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as e:
        raise DefinitionError("K801", "定義ファイルを読めません。", str(path), "UTF-8で保存し直してください。") from e
    return read_text(text, path)


def read_text(text: str, path: Path) -> Node:
    """`read_yaml` for text already in memory; `path` is used in messages only."""
    try:
        root = yaml.compose(text, Loader=_TextLoader)
    except yaml.YAMLError as e:
        mark = getattr(e, "problem_mark", None)
        where = f"{path}:{mark.line + 1}" if mark else str(path)
        raise DefinitionError(
            "K801", "定義ファイルがYAMLとして読めません。", where, "字下げ・コロン・引用符を確かめてください。"
        ) from e
    if root is None:
        raise DefinitionError("K803", "定義ファイルが空です。", str(path), "内容を書くか、ファイルを除いてください。")
    return _node(root, path)


def _node(raw: yaml.Node, path: Path) -> Node:
    line = raw.start_mark.line + 1
    if isinstance(raw, yaml.ScalarNode):
        return Node(str(raw.value), path, line)
    if isinstance(raw, yaml.SequenceNode):
        return Node([_node(child, path) for child in raw.value], path, line)
    assert isinstance(raw, yaml.MappingNode)
    values: dict[str, Node] = {}
    lines: dict[str, int] = {}
    for key_node, child in raw.value:
        key, key_line = str(key_node.value), key_node.start_mark.line + 1
        if key in values:
            where = f"{path}:{key_line}"
            raise DefinitionError(
                "K802", f"「{key}」が二度書かれています（前は{lines[key]}行目）。", where, "一つにしてください。"
            )
        values[key], lines[key] = _node(child, path), key_line
    return Node(values, path, line, lines)


def merge(base: Node, overlay: Node, identities: Sequence[str] = ("ID", "名")) -> Node:
    """`overlay` laid over `base`: mappings key by key, lists of identified entries by identity, anything else replaced."""
    if isinstance(base.value, dict) and isinstance(overlay.value, dict):
        values = dict(base.value)
        for key, node in overlay.value.items():
            values[key] = merge(values[key], node, identities) if key in values else node
        return Node(values, overlay.path, overlay.line, base.key_lines | overlay.key_lines)
    if isinstance(base.value, list) and isinstance(overlay.value, list):
        return _merge_lists(base, overlay, identities)
    return overlay


def _merge_lists(base: Node, overlay: Node, identities: Sequence[str]) -> Node:
    assert isinstance(base.value, list) and isinstance(overlay.value, list)
    old = {_identity(n, identities): n for n in base.value}
    new = {_identity(n, identities): n for n in overlay.value}
    if None in old or None in new:
        return overlay
    merged = [merge(n, new[key], identities) if key in new else n for key, n in old.items()]
    merged += [n for key, n in new.items() if key not in old]
    return Node(merged, overlay.path, overlay.line)


def _identity(node: Node, identities: Sequence[str]) -> str | None:
    for key in identities:
        found = node.get(key)
        if found is not None and isinstance(found.value, str):
            return found.value
    return None


def read_folder(folder: Path, overlays: Sequence[Path] = (), *, key: str = "ID") -> dict[str, Node]:
    """Every `*.yaml` directly in `folder` and its overlays, merged by the value of `key`; missing folders are empty."""
    found: dict[str, Node] = {}
    for layer in (folder, *overlays):
        seen: dict[str, Path] = {}
        for path in sorted(layer.glob("*.yaml")) if layer.is_dir() else ():
            node = read_yaml(path)
            identity = node.get(key)
            if identity is None or not isinstance(identity.value, str):
                raise DefinitionError("K804", f"「{key}」がありません。", node.where(), f"先頭に「{key}: …」と書いてください。")
            name = identity.value
            if name in seen:
                raise DefinitionError(
                    "K802", f"「{name}」が二つのファイルにあります（{seen[name].name}）。", str(path), "一つにしてください。"
                )
            seen[name] = path
            found[name] = merge(found[name], node) if name in found else node
    return found


def build(model: type[Model], node: Node, path: Path | None = None) -> Model:
    """The typed definition of a node tree; pydantic's findings become one DefinitionError K804 with file and line each."""
    try:
        return model.model_validate(node.plain())
    except ValidationError as e:
        findings = [_finding(error, node) for error in e.errors(include_url=False)]
        where = "\n        ".join(f"{place}　{text}" for place, text in findings)
        raise DefinitionError(
            "K804", "定義の書き方に誤りがあります。", where or str(path or node.path), "示した行を直してください。"
        ) from e


def _finding(error: Any, node: Node) -> tuple[str, str]:
    """`file:line` of the deepest written place on the way to the error, and a Japanese sentence."""
    loc: tuple[Any, ...] = error["loc"]
    place, line = node, node.line
    trail: list[str] = []
    for step in loc:
        if isinstance(place.value, dict) and str(step) in place.value:
            line = place.key_lines.get(str(step), place.line)
            place = place.value[str(step)]
        elif isinstance(place.value, list) and isinstance(step, int) and step < len(place.value):
            place = place.value[step]
            line = place.line
        elif not isinstance(step, str) or step == loc[-1]:
            trail.append(str(step))
            continue
        else:
            continue
        trail.append(f"{step + 1}番目" if isinstance(step, int) else str(step))
    return f"{place.path}:{line}", f"{'／'.join(trail)}：{_sentence(error)}"


def _sentence(error: Any) -> str:
    kind, context = error["type"], error.get("ctx", {})
    if kind == "missing":
        return "書かれていません。"
    if kind == "extra_forbidden":
        return "知らない項目です。"
    if kind == "value_error":
        return str(context.get("error", error["msg"]))
    if kind in ("literal_error", "enum"):
        return f"{context.get('expected', '')} のいずれかで書いてください。"
    if kind.startswith("int"):
        return "整数で書いてください。"
    if kind.startswith(("float", "decimal")):
        return "数で書いてください。"
    if kind.startswith("date"):
        return "日付（2026-04-01）で書いてください。"
    if kind.startswith(("list", "tuple")):
        return "一覧（- で始まる行）で書いてください。"
    if kind.startswith(("dict", "model")):
        return "「項目: 値」の組で書いてください。"
    if kind in ("too_short", "string_too_short"):
        return "一つ以上書いてください。"
    if kind == "string_pattern_mismatch":
        return "決められた形ではありません（IDは英小文字で始め、英小文字・数字・_ で書きます）。"
    if kind.startswith("string"):
        return "文字で書いてください。"
    return str(error["msg"])


def unique(names: Iterable[str], what: str) -> None:
    """Raise ValueError (Japanese) on the first name that occurs twice; for use inside validators."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise ValueError(f"{what}「{name}」が二度あります。")
        seen.add(name)
