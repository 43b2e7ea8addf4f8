"""All definitions of a city: the shipped base and its overlays, read, merged, typed and checked in one call."""

import hashlib
import importlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kizuki.definitions.sources import SourceManifest
from kizuki.definitions.switches import apply_switches
from kizuki.definitions.yaml import build, read_folder, read_yaml
from kizuki.terms.errors import DefinitionError

_OTHERS = ("linkage", "items", "criteria", "programmes", "governance", "messages")
_WHOLE = ("governance", "messages")
"""Kinds that are one object, not many by id."""


@dataclass(frozen=True, slots=True)
class Definitions:
    """Everything the city has decided, typed and frozen; `version` changes when any definition file does."""

    sources: dict[str, SourceManifest]
    version: str
    linkage: dict[str, Any] = field(default_factory=dict)
    items: dict[str, Any] = field(default_factory=dict)
    criteria: dict[str, Any] = field(default_factory=dict)
    programmes: dict[str, Any] = field(default_factory=dict)
    governance: Any = None
    messages: Any = None
    profile: Any = None


def load_definitions(*roots: Path) -> Definitions:
    """Definitions of `roots` (base first, overlays after; a later one wins key by key; missing overlays are empty).

    Raises DefinitionError K8xx naming file and line.
    """
    if not roots or not roots[0].is_dir():
        where = str(roots[0]) if roots else ""
        raise DefinitionError("K805", "定義のフォルダがありません。", where, "インストールし直すか、場所を確かめてください。")
    others = {name: _load_other(name, roots) for name in _OTHERS}
    others["items"] = {**others["items"], **_items_asked(others["criteria"])}
    return Definitions(sources=load_sources(roots), version=_version(roots), **others)


def _items_asked(criteria: dict[str, Any]) -> dict[str, Any]:
    """Items that exist because a condition names a period of its own (期間集計)."""
    return {item.id: item for main in criteria.values() for c in main.versions for item in c.derived}


def load_sources(roots: Sequence[Path]) -> dict[str, SourceManifest]:
    """The manifests of all layers by id, with signed switches carried out."""
    folders = [root / "sources" for root in roots]
    manifests = {name: build(SourceManifest, node) for name, node in read_folder(folders[0], folders[1:]).items()}
    return apply_switches(manifests, roots)


def load_manifest(path: Path) -> SourceManifest:
    """One manifest outside any definitions folder, such as a draft; switches do not apply to it."""
    manifest = build(SourceManifest, read_yaml(path))
    return apply_switches({manifest.id: manifest}, [path.parent / ".none"])[manifest.id]


def source_schema() -> dict[str, Any]:
    """The JSON Schema of a source definition with its Japanese keys, for editors and other programs."""
    return SourceManifest.model_json_schema(by_alias=True)


def _load_other(name: str, roots: Sequence[Path]) -> Any:
    """Other kinds of definition keep their models in their own module, each with `load(folder, overlays)`."""
    if not any((root / name).is_dir() for root in roots):
        return None if name in _WHOLE else {}
    try:
        module = importlib.import_module(f"kizuki.definitions.{name}")
    except ModuleNotFoundError as e:
        if e.name != f"kizuki.definitions.{name}":
            raise
        return None if name in _WHOLE else {}
    return module.load(roots[0] / name, [root / name for root in roots[1:]])


def _version(roots: Sequence[Path]) -> str:
    """Hash over every definition file of every layer, by path and content."""
    digest = hashlib.sha256()
    for depth, root in enumerate(roots):
        for path in sorted(root.rglob("*.yaml")) if root.is_dir() else ():
            digest.update(f"{depth}/{path.relative_to(root).as_posix()}\0".encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]
