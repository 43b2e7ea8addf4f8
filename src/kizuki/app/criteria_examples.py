"""`judge examples`: a criteria file tried before anybody is asked to approve it."""

import datetime as dt
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from kizuki.app.criteria_editing_checks import check
from kizuki.app.criteria_trial import version_of
from kizuki.definitions.criteria import CriteriaSet, failed_examples
from kizuki.definitions.loader import Definitions
from kizuki.definitions.yaml import read_text, read_yaml
from kizuki.terms.errors import DefinitionError


def examples_of(home: Path, definitions: Definitions, what: str) -> dict[str, Any]:
    """The examples of a file or of a version in force, each with the answer it gets; what the loader refuses as findings.

    Raises InputRefused K583 if `what` is neither a file nor a version.
    """
    path = Path(what)
    if path.suffix not in (".yaml", ".yml"):
        criteria = version_of(definitions, what, dt.datetime.now(tz=dt.UTC).date())
        failed = set(failed_examples(criteria))
        rows = [_row(criteria, n, failed) for n in range(len(criteria.examples))]
        return {"criteria": criteria.id, "ok": not failed, "examples": rows, "findings": []}
    beside = _without(definitions, path, home)
    text = _read(path)
    name = read_text(text, path).get("ID")
    main = beside.criteria.get(str(name.value)) if name is not None else None
    found = check(text, beside, main.version if main is not None else "")
    return {
        "criteria": found.criteria.id if found.criteria else "",
        "ok": found.sound,
        "examples": [asdict(e) for e in found.examples],
        "findings": [asdict(f) for f in found.findings],
    }


def _row(criteria: CriteriaSet, number: int, failed: set[str]) -> dict[str, Any]:
    example = criteria.examples[number]
    score = criteria.score(example.facts)
    said = f"{score.verdict.value}（{score.points}点）"
    return {"name": example.name, "expected": example.expected.value, "said": said, "holds": example.name not in failed}


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as e:
        raise DefinitionError("K801", "定義ファイルを読めません。", str(path), "UTF-8で保存し直してください。") from e


def _without(definitions: Definitions, path: Path, home: Path) -> Definitions:
    """The definitions as if the file were not yet among them, so that its own name is free."""
    if not path.resolve().is_relative_to((home / "definitions").resolve()):
        return definitions
    name = read_yaml(path).get("ID")
    kept = {k: c for k, c in definitions.criteria.items() if name is None or k != name.value}
    return replace(definitions, criteria=kept)


def version_in(path: Path, definitions: Definitions, old: CriteriaSet) -> CriteriaSet:
    """A file read as a new version of `old`; raises DefinitionError on the first thing the loader refuses."""
    found = check(_read(path), definitions, old.version)
    if found.criteria is None:
        first = found.findings[0]
        raise DefinitionError(first.code, first.what, f"{path}:{first.line}", first.fix)
    return found.criteria
