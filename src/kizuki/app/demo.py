"""The demo: a synthetic city in an empty home, one whole night over it, and someone to sign in as in each role."""

import datetime as dt
import json
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from kizuki.app.city_definitions import definitions_of, follow_profile, profile_of
from kizuki.app.run import RunResult, StageResult, run
from kizuki.app.snapshot_view import current_view
from kizuki.definitions.loader import Definitions, load_definitions
from kizuki.definitions.profiles import load_profile
from kizuki.definitions.shipped import shipped_definitions, shipped_profiles
from kizuki.engine.measure import measured
from kizuki.engine.sql import load
from kizuki.govern.signing import Decision, new_signer, read_key, register_signer, switch_on
from kizuki.synth.city import DEFAULT_TODAY, build_city
from kizuki.synth.write import write_city
from kizuki.terms.errors import UsageError

MARK = "synthetic.json"
_TAX = "municipal_tax"
_SIGNER = "demo_mayor"
_DECISION = Decision("R8-こ支-12（架空）", "2026-04-01", "わかば市長（架空）")
_STEP_ASIDE = "--home で空の置き場所を指定するか、その置き場所を移してから実行してください。"


@dataclass(frozen=True, slots=True)
class Story:
    """What people do before the demo's own night: as of which day, and doing it (returns how many notices went out)."""

    day: dt.date
    tell: Callable[[Path, Callable[[str], None]], int]


@dataclass(slots=True)
class DemoResult:
    """What the `demo` verb prints: the city, its deliveries, each stage, what the night found and who may sign in."""

    people: int
    households: int
    children: int
    deliveries: int
    rows: int
    stages: list[StageResult] = field(default_factory=list)
    snapshot: str = ""
    candidates: int = 0
    unclaimed: int = 0
    users: list[dict[str, str]] = field(default_factory=list)
    truth: str = ""

    def as_dict(self) -> dict[str, Any]:
        """The JSON of the contract."""
        return asdict(self)


def build_demo(
    home: Path,
    *,
    people: int,
    seed: int,
    now: dt.datetime,
    progress: Callable[[str], None],
    profile: str = "",
    story: Story | None = None,
) -> DemoResult:
    """Make the city (unless this home already holds the same one) and run its night as of the city's own day.

    With a `story`, a home without a night first gets one as of the story's day, then the story, then the city's own day.

    With a profile, the city's offices deliver only what that profile joins. Raises UsageError K406 when the home holds
    anything else (real data and a synthetic city never mix), K407 when it follows another profile, DefinitionError K808 if
    there is no such profile.
    """
    stages = []
    if profile:
        load_profile(shipped_profiles(), profile)  # a wrong name is told before a city is made
    if not _same_city(home, people, seed):
        stages.append(_make_city(home, people, seed, progress))
        if profile:
            follow_profile(home, profile)
        _keep_inbox(home, definitions_of(home))
    elif profile_of(home) != profile:
        raise UsageError("K407", "この置き場所の街は、別のプロファイルで作られています。", str(home), _STEP_ASIDE)
    _let_files_settle(home)
    if not profile or _TAX in definitions_of(home).profile.sources:
        _decide_on_tax(home)
    if story is not None and not (home / "snapshots").exists():
        stages += run(home, definitions_of(home), story.day, now, progress).stages
        with measured() as usage:
            told = story.tell(home, progress)
        stages.append(StageResult("story", told, usage.seconds, usage.peak_mb))
        _let_files_settle(home)
    told = bool(stages) and stages[-1].name == "story"
    night = run(home, definitions_of(home), DEFAULT_TODAY, now, progress)
    mark = json.loads((home / MARK).read_text(encoding="utf-8"))
    counted = mark["counts"]
    return DemoResult(
        people=counted["people"],
        households=counted["households"],
        children=counted["children"],
        deliveries=counted["files"],
        rows=counted["rows"],
        stages=[*stages, *([_one_night(night)] if told else night.stages)],
        truth=str(home / "truth"),
        **_found(home, night),
    )


def _one_night(night: RunResult) -> StageResult:
    """A whole night as one line."""
    return StageResult("next_night", night.stages[-1].rows, night.seconds, max(s.peak_mb for s in night.stages))


def _same_city(home: Path, people: int, seed: int) -> bool:
    if not home.exists() or not any(home.iterdir()):
        return False
    try:
        mark = json.loads((home / MARK).read_text(encoding="utf-8"))
    except (OSError, ValueError) as e:
        raise UsageError("K406", "この置き場所には、合成の街ではないデータがあります。", str(home), _STEP_ASIDE) from e
    if (mark["people"], mark["seed"]) != (people, seed):
        raise UsageError("K406", "この置き場所には、別の人数・種の合成の街があります。", str(home), _STEP_ASIDE)
    return "counts" in mark


def _make_city(home: Path, people: int, seed: int, progress: Callable[[str], None]) -> StageResult:
    progress("街を作っています…")
    with measured() as usage:
        city = build_city(people, seed)
        summary = write_city(city, home, lambda source, done, total: progress(f"  {done}/{total} {source}"))
    mark = json.loads((home / MARK).read_text(encoding="utf-8"))
    counts = {k: getattr(summary, k) for k in ("people", "households", "children", "files", "rows")}
    (home / MARK).write_text(json.dumps({**mark, "counts": counts}, ensure_ascii=False), encoding="utf-8")
    return StageResult("city", summary.rows, usage.seconds, usage.peak_mb)


def _decide_on_tax(home: Path) -> None:
    """The tax feed stays off without a signed decision; わかば市 has made one, with a key of this home alone."""
    path = home / "keys" / "demo-signer.pem"
    key = read_key(path) if path.exists() else new_signer(path)
    register_signer(home, _SIGNER, "わかば市長（架空）", key)
    manifest = load_definitions(shipped_definitions()).sources[_TAX]
    switch_on(home, manifest, _DECISION, signer=_SIGNER, key=key)


def _keep_inbox(home: Path, definitions: Definitions) -> None:
    """Offices outside the profile have sent nothing: their files go, and the count of files with them."""
    if definitions.profile is None:
        return
    mark = json.loads((home / MARK).read_text(encoding="utf-8"))
    for folder in (home / "inbox").iterdir():
        if folder.is_dir() and folder.name in definitions.sources and folder.name not in definitions.profile.sources:
            mark["counts"]["files"] -= sum(path.is_file() for path in folder.iterdir())
            shutil.rmtree(folder)
    (home / MARK).write_text(json.dumps(mark, ensure_ascii=False), encoding="utf-8")


def _let_files_settle(home: Path) -> None:
    """The drop folder waits for files to stop growing; these were finished before this line."""
    past = time.time() - 3600
    for path in (home / "inbox").glob("*/*"):
        if path.is_file():
            os.utime(path, (past, past))


def _found(home: Path, night: RunResult) -> dict[str, Any]:
    view = current_view(home)
    counts = view.cursor().query(load("kizuki.app", "demo_counts")).to_pylist()[0]
    return {"snapshot": night.snapshot, "candidates": int(counts["candidates"]), "unclaimed": int(counts["unclaimed"])}
