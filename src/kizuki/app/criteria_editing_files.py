"""The files an approval writes, and how a withdrawal takes them back: the definitions folder of the home is the truth.

Everything is tried on a copy of that folder first, with the very loader the night uses. The end of the version before is
written ahead of the new version: cut off in between, the city keeps its criteria until that day.
"""

import datetime as dt
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from kizuki.app.city_definitions import definitions_of, profile_of
from kizuki.app.criteria_editing_form import with_lines
from kizuki.definitions.criteria import VERSIONS, CriteriaSet
from kizuki.definitions.loader import Definitions
from kizuki.definitions.shipped import shipped_definitions, shipped_profiles
from kizuki.definitions.yaml import read_yaml
from kizuki.engine.store import sync_file, sync_folder
from kizuki.terms.errors import InputRefused

FOLDER: Final = "definitions"
CRITERIA: Final = "criteria"


@dataclass(frozen=True, slots=True)
class Change:
    """One file of the home's definitions: its path below them, what it held before (None = it was not there) and holds now."""

    path: str
    before: str | None
    after: str

    def as_kept(self) -> dict[str, Any]:
        """As the draft keeps it."""
        return asdict(self)


def planned(home: Path, definitions: Definitions, new: CriteriaSet, text: str, base_version: str) -> list[Change]:
    """What approving `text` (signed, with its 施行日) would write, in order.

    Raises InputRefused K584 where another version of the set is still to come.
    """
    folder = home / FOLDER
    main = definitions.criteria.get(new.id)
    changes = [_ended(home, main, v, new.valid_from) for v in _replaced(main, new, base_version)] if main else []
    name = f"{new.id}.yaml" if main is None else f"{VERSIONS}/{new.id}-{new.version}.yaml"
    path = f"{CRITERIA}/{name}"
    return [*changes, Change(path, _held(folder / path), text)]


def _replaced(main: CriteriaSet, new: CriteriaSet, base_version: str) -> list[CriteriaSet]:
    """The versions that end when the new one begins: the one in force, and the trial it was made from."""
    lasting = [v for v in main.versions if v.valid_to is None or v.valid_to > new.valid_from]
    trials = [v for v in lasting if v.text.trial and v.version == base_version and v.valid_from < new.valid_from]
    if new.text.trial:
        return trials
    serving = [v for v in lasting if not v.text.trial]
    coming = [v for v in serving if v.valid_from >= new.valid_from]
    if coming:
        raise InputRefused(
            "K584",
            f"「{main.name}」には、{coming[0].valid_from} から施行される版 {coming[0].version} があります。",
            "施行日",
            "その版を取り下げるか、その版の施行日より後の日にしてください。",
        )
    return [*serving, *trials]


def _ended(home: Path, main: CriteriaSet, version: CriteriaSet, day: dt.date) -> Change:
    """The file that says a version ends on `day`: the home's own, or an overlay of what is shipped."""
    folder = home / FOLDER / CRITERIA
    until = {"終了日": day.isoformat()}
    if version is main or version.version == main.version:
        own = next(_files_of(folder, main.id), None)
        if own is not None:
            before = own.read_text(encoding="utf-8-sig")
            return Change(f"{CRITERIA}/{own.name}", before, with_lines(before, until))
        note = f"# 版 {version.version} は、次の版の承認により終わる。\n"
        return Change(f"{CRITERIA}/{main.id}.yaml", None, f"{note}ID: {main.id}\n終了日: {day}\n")
    name = f"{VERSIONS}/{version.id}-{version.version}.yaml"
    own = next(_files_of(folder / VERSIONS, version.id, version.version), None)
    if own is not None:
        before = own.read_text(encoding="utf-8-sig")
        return Change(f"{CRITERIA}/{VERSIONS}/{own.name}", before, with_lines(before, until))
    shipped = next(_shipped_version(home, version))
    return Change(f"{CRITERIA}/{name}", None, with_lines(shipped.read_text(encoding="utf-8-sig"), until))


def _shipped_version(home: Path, version: CriteriaSet) -> Iterator[Path]:
    profile = profile_of(home)
    layers = [shipped_profiles() / profile] if profile else []
    for layer in (*layers, shipped_definitions()):
        yield from _files_of(layer / CRITERIA / VERSIONS, version.id, version.version)


def _files_of(folder: Path, criteria: str, version: str = "") -> Iterator[Path]:
    """Files of a folder that are about a set (and version)."""
    for path in sorted(folder.glob("*.yaml")):
        node = read_yaml(path)
        told = [n.value if (n := node.get(key)) is not None else "" for key in ("ID", "版")]
        if told[0] == criteria and version in ("", told[1]):
            yield path


def try_out(home: Path, changes: Sequence[Change]) -> Definitions:
    """The definitions as they would be, loaded from a copy; raises DefinitionError as the night would."""
    with tempfile.TemporaryDirectory(prefix="kizuki-criteria-") as copy:
        if (home / FOLDER).is_dir():
            shutil.copytree(home / FOLDER, Path(copy) / FOLDER)
        for change in changes:
            path = Path(copy) / FOLDER / change.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(change.after, encoding="utf-8")
        return definitions_of(Path(copy))


def write(home: Path, changes: Sequence[Change]) -> None:
    """Each file whole or not at all, synced, in order."""
    for change in changes:
        _put(home / FOLDER / change.path, change.after)


def take_back(home: Path, kept: Sequence[dict[str, Any]]) -> None:
    """Every file as it was before, newest first; raises InputRefused K585 if one was changed by hand since."""
    changes = [Change(**k) for k in kept]
    for change in changes:
        held = _held(home / FOLDER / change.path)
        if held not in (change.after, change.before):
            raise InputRefused(
                "K585",
                f"定義ファイル {change.path} が、承認のあとに直されています。",
                "取り下げ",
                "情報システム担当とともに、ファイルを確かめてください。",
            )
    for change in reversed(changes):
        path = home / FOLDER / change.path
        if change.before is None:
            path.unlink(missing_ok=True)
            sync_folder(path.parent)
        else:
            _put(path, change.before)


def digest(text: str) -> str:
    """A mark of a text, so that what is approved is what was read."""
    return hashlib.sha256(text.encode()).hexdigest()


def _held(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None


def _put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    temporary.write_text(text, encoding="utf-8")
    sync_file(temporary)
    os.replace(temporary, path)
    sync_folder(path.parent)
