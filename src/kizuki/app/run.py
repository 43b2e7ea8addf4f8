"""One night: every stage in order under one lock, each noted in the run ledger; a night that fails changes nothing (G4)."""

import datetime as dt
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from kizuki.app.pipeline import STAGES, Stage, side_by_side
from kizuki.app.stages import Night
from kizuki.definitions.loader import Definitions
from kizuki.definitions.programmes import lapses
from kizuki.engine.cache import TableCache
from kizuki.engine.keys import KeyRing
from kizuki.engine.ledger import Ledger
from kizuki.engine.lock import exclusive
from kizuki.engine.measure import measured, release_memory, seldom_collecting, share_one_heap
from kizuki.engine.steps import Done, Runner
from kizuki.terms.errors import KizukiError, RunFailed

CACHE_DAYS = 14
"""Results no run has used for so long are removed."""

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class StageResult:
    """One stage of one run: rows dealt with, seconds, peak memory in MB, and how many of its steps needed no work."""

    name: str
    rows: int
    seconds: float
    peak_mb: float
    steps: int = 0
    skipped: int = 0


@dataclass(slots=True)
class RunResult:
    """What a run gives: the snapshot it published and what came of each stage and delivery.

    `seconds`: the whole of it by the clock, less than its stages together, some of which run beside one another.
    """

    snapshot: str = ""
    seconds: float = 0.0
    stages: list[StageResult] = field(default_factory=list)
    skipped: int = 0
    accepted: int = 0
    held: int = 0
    refused: int = 0
    duplicates: int = 0
    late_sources: list[str] = field(default_factory=list)
    lapsed_parameters: list[str] = field(default_factory=list)
    deleted_handovers: int = 0

    def as_dict(self) -> dict[str, Any]:
        """The JSON of the `run` verb."""
        return asdict(self)


def run_ledger(home: Path) -> Ledger:
    """The ledger of runs of a home."""
    return Ledger(home / "ledger" / "runs.jsonl")


Words = Callable[[Path, KeyRing, dt.date], int]
"""Writes what people have decided into the key master; returns how many words."""


def run(
    home: Path,
    definitions: Definitions,
    as_of: dt.date,
    now: dt.datetime,
    progress: Progress = lambda text: None,
    *,
    words: Words | None = None,
) -> RunResult:
    """Do one night as of a day and publish its snapshot; what reviewers have decided is written down first (`words`).

    Raises RunFailed (K905 when another run is going on, K402 when a stage broke down); the snapshot served before goes on
    being served. Running again picks up where the last run stopped.
    """
    share_one_heap()
    began = time.perf_counter()
    with exclusive(home / "ledger" / "run.lock"), seldom_collecting():
        book = _Book(run_ledger(home), f"{now:%Y%m%dT%H%M%S}", as_of)
        keys = KeyRing.load(home)
        cache = TableCache(home / "cache", keys)
        night = Night(home, keys, definitions, as_of, now, Runner(cache, book.step_done), progress)
        result = RunResult()
        book.note("run_begin", at=now.isoformat(), definitions=definitions.version)
        if words is not None and (written := words(home, keys, as_of)):
            progress(f"名寄せの決定 {written}件を統合キーマスタに書きました")
        for group in side_by_side(STAGES):
            progress(f"{'・'.join(stage.title for stage in group)}…")
            result.stages += _run_group(group, night, book)
        cache.sweep((now - dt.timedelta(days=CACHE_DAYS)).timestamp())
        _sum_up(result, night, book)
        result.seconds = round(time.perf_counter() - began, 3)
        book.note("run_end", snapshot=result.snapshot)
    return result


def _run_group(group: Sequence[Stage], night: Night, book: "_Book") -> list[StageResult]:
    """Stages that need nothing of one another, at the same time; all have ended before the first failure is raised."""
    if len(group) == 1:
        return [_run_stage(group[0], night, book)]
    with ThreadPoolExecutor(len(group)) as pool:
        running = [pool.submit(_run_stage, stage, night, book) for stage in group]
    return [future.result() for future in running]


def _run_stage(stage: Stage, night: Night, book: "_Book") -> StageResult:
    book.note("stage_begin", stage=stage.name)
    steps = book.begin()
    with _told_as_failure(stage, book), measured() as usage:
        rows = stage.run(night)
        release_memory()
    peak = max([usage.peak_mb, *(done.peak_mb for done in steps)])
    done = StageResult(stage.name, rows, usage.seconds, peak, len(steps), sum(d.skipped for d in steps))
    book.note("stage_end", **asdict(done))
    night.progress(f"{stage.title} {rows:,}行 {usage.seconds:.1f}秒 {peak:.0f}MB")
    return done


@contextmanager
def _told_as_failure(stage: Stage, book: "_Book") -> Iterator[None]:
    try:
        yield
    except KizukiError as e:
        book.note("run_failed", stage=stage.name, code=e.code)
        raise
    except Exception as e:  # whatever broke, staff get a sentence and yesterday's list; the kind of fault goes to the ledger
        book.note("run_failed", stage=stage.name, code="K402", fault=type(e).__name__)
        raise RunFailed(
            "K402",
            f"「{stage.title}」の段階で処理が止まりました（{type(e).__name__}）。前回の公開データをそのまま使い続けます。",
            stage.name,
            "もう一度 run を実行し、続くときは情報システム担当に知らせてください。",
        ) from e


def _sum_up(result: RunResult, night: Night, book: "_Book") -> None:
    status = [outcome["status"] for outcome in night.received]
    result.snapshot = night.snapshot
    result.skipped = book.skipped
    result.accepted, result.held = status.count("accepted"), status.count("held")
    result.refused, result.duplicates = status.count("refused"), status.count("duplicate")
    feeds = night.runner.load("feed").select(["source", "state"]).to_pylist()
    result.lapsed_parameters = [lapse.text() for lapse in lapses(night.definitions.programmes, night.as_of)]
    for text in result.lapsed_parameters:
        night.progress(f"パラメータ未更新：{text}")
    result.late_sources = sorted(str(feed["source"]) for feed in feeds if feed["state"] == "late")


class _Book:
    """The ledger of one run: an event before and after every stage, and after every step; stages may run in threads."""

    def __init__(self, ledger: Ledger, run_id: str, as_of: dt.date) -> None:
        self.ledger = ledger
        self.run_id = run_id
        self.as_of = as_of
        self.skipped = 0
        self._stage = threading.local()
        self._lock = threading.Lock()

    def begin(self) -> list[Done]:
        """The list in which the steps of this thread's stage are written from now on."""
        steps: list[Done] = []
        self._stage.steps = steps
        return steps

    def note(self, event: str, **more: Any) -> None:
        with self._lock:
            self.ledger.append({"event": event, "run": self.run_id, "as_of": self.as_of.isoformat(), **more})

    def step_done(self, done: Done) -> None:
        self._stage.steps.append(done)
        with self._lock:
            self.skipped += done.skipped
        if not done.skipped:
            self.note("step_end", **asdict(done))
