"""受領: files into the receiving desk, from a person's hand or from the drop folder, picked up safely.

Many files are checked ahead and kept in batches; `app.desk` explains why a kill at any point loses nothing.
"""

import datetime as dt
import hashlib
import os
import secrets
import stat
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from kizuki.app.deliveries import keep_manifest
from kizuki.app.desk import Decided, Desk, Handover
from kizuki.definitions.loader import Definitions
from kizuki.definitions.sources import SourceManifest
from kizuki.engine.lock import exclusive
from kizuki.sources.receive import Stamp, inspect_bytes, stamp_of
from kizuki.sources.received import Reason, Received, safe_file_name
from kizuki.terms.errors import InputRefused

SETTLE_SECONDS = 5.0
BROKEN_SECONDS = 600.0
MAX_FILE_BYTES = 1 << 30
_COMPANIONS = (".sha256", ".done")
_UNFINISHED = (".part", ".filepart", ".tmp", ".crdownload")
_ERASING = ".erase-"
_WORKERS = 2
_AHEAD = 4
_BATCH_FILES = 24
_BATCH_BYTES = 24 << 20

Progress = Callable[[int, int, str], None]
"""Called with files done, files in all, and the source being received."""


def receive_file(
    home: Path,
    path: Path,
    manifest: SourceManifest,
    handover: Handover,
    *,
    stamp: Stamp | None = None,
    trial: bool = False,
) -> dict[str, Any]:
    """Receive one file handed over by a person; the file itself is left where it is.

    `trial`: the manifest is a draft outside the definitions; what is received by it reaches no later stage.

    Without a date in its name the file counts as of the day it was received. Raises InputRefused K106 if it cannot be read.
    """
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise InputRefused("K102", "ファイルが大きすぎます（1GBを超える）。", path.name, "分けて書き出してください。")
        data = path.read_bytes()
    except OSError as e:
        raise InputRefused("K106", "ファイルを開けません。", path.name, "ファイルの場所と権限を確かめてください。") from e
    known = stamp or stamp_of(path.name, manifest) or Stamp(None, "full" if manifest.delivery == "full" else "diff")
    received = _inspect(data, path.name, manifest, known)
    with _at_the_desk(home, trial=trial) as desk:
        if trial:
            keep_manifest(home, manifest)
        decided = desk.decide(received, manifest, handover)
        desk.keep(decided, data)
        desk.enter([decided])
    return decided.outcome


@contextmanager
def _at_the_desk(home: Path, *, trial: bool = False) -> Iterator[Desk]:
    """The desk, to oneself: two receiving at once would not see each other's deliveries."""
    with exclusive(home / "ledger" / "receive.lock"):
        yield Desk(home, trial=trial)


@dataclass(frozen=True, slots=True)
class _Waiting:
    """One file of the drop folder, not yet read."""

    path: Path
    manifest: SourceManifest
    stamp: Stamp | None
    broken: bool = False

    def order(self) -> tuple[str, str, bool, str]:
        stamp = self.stamp or Stamp(None, "full")
        return self.manifest.id, stamp.as_of or "", stamp.kind == "diff", self.path.name


def receive_inbox(
    home: Path,
    definitions: Definitions,
    now: dt.datetime,
    progress: Progress | None = None,
    *,
    actor: str = "system",
    wall: Callable[[], float] = time.time,
) -> list[dict[str, Any]]:
    """Receive every finished file of the drop folder, source by source, oldest data first; returns one outcome per file.

    `now` is written as the time of receipt; `wall` is the machine's clock, against which a file's age is measured.
    A file is finished when a `.done` or matching `.sha256` stands beside it, or when it has stopped changing. A `.sha256` that
    still does not match after ten minutes means a broken transfer: refused.
    """
    with _at_the_desk(home) as desk, ThreadPoolExecutor(_WORKERS) as pool:
        _finish_erasing(home / "inbox")
        waiting = sorted(_finished(home / "inbox", definitions, wall), key=_Waiting.order)
        batch = _Batch(desk, pool)
        outcomes = []
        for done, (item, data, received) in enumerate(_inspected(waiting), start=1):
            decided = desk.decide(received, item.manifest, Handover(actor, "drop_folder", now))
            if data is None:
                desk.enter([decided])  # it could not be read: told, and left where it is for the next run
            else:
                batch.add(item.path, data, decided)
            outcomes.append(decided.outcome)
            if progress is not None:
                progress(done, len(waiting), item.manifest.name)
        batch.close()
    return outcomes


class _Batch:
    """Files decided but not yet in the ledger: kept by worker threads, then entered together with one wait for the disk."""

    def __init__(self, desk: Desk, pool: ThreadPoolExecutor) -> None:
        self._desk, self._pool = desk, pool
        self._open: list[tuple[Path, bytes, Decided, Future[None]]] = []
        self._bytes = 0
        self._erasing: list[Future[None]] = []

    def add(self, path: Path, data: bytes, decided: Decided) -> None:
        self._open.append((path, data, decided, self._pool.submit(self._desk.keep, decided, data)))
        self._bytes += len(data)
        if len(self._open) >= _BATCH_FILES or self._bytes >= _BATCH_BYTES:
            self.enter()

    def enter(self) -> None:
        """Wait until everything open is kept, write the ledger, give back what was refused, erase the plaintext."""
        for *_, kept in self._open:
            kept.result()
        if self._open:
            self._desk.enter([decided for _, _, decided, _ in self._open])
        for path, data, decided, _ in self._open:
            if decided.received.status == "refused":
                self._desk.give_back(path, data, decided)
            self._erasing.append(self._pool.submit(_erase, path))
        self._open, self._bytes = [], 0

    def close(self) -> None:
        self.enter()
        for erased in self._erasing:
            erased.result()


def _inspected(waiting: Sequence[_Waiting]) -> Iterator[tuple[_Waiting, bytes | None, Received]]:
    """Files read and checked ahead by worker threads, handed out in order; a few at a time are in memory."""
    with ThreadPoolExecutor(_WORKERS) as workers:
        running: deque[tuple[_Waiting, Future[tuple[bytes | None, Received]]]] = deque()
        rest = iter(waiting)
        while True:
            for item in rest:
                running.append((item, workers.submit(_read_and_inspect, item)))
                if len(running) >= _AHEAD:
                    break
            if not running:
                return
            item, future = running.popleft()
            data, received = future.result()
            del future
            yield item, data, received


def _read_and_inspect(item: _Waiting) -> tuple[bytes | None, Received]:
    try:
        return _inspect_waiting(item)
    except OSError:
        reason = Reason("K106", "ファイルを開けません。", "ファイルの権限を直してください。次の受領で受け取ります。")
        return None, _unread(item.path.name, item.manifest, b"").refused(reason)


def _inspect_waiting(item: _Waiting) -> tuple[bytes | None, Received]:
    if item.path.stat().st_size > MAX_FILE_BYTES:
        reason = Reason("K102", "ファイルが大きすぎます（1GBを超える）。", "分けて書き出し、送り直してください。")
        return None, _unread(item.path.name, item.manifest, b"").refused(reason)
    data = item.path.read_bytes()
    if item.broken:
        reason = Reason("K107", "ファイルの中身が、添えられた.sha256と合いません。", "転送し直してください。")
        return data, _unread(item.path.name, item.manifest, data).refused(reason)
    return data, _inspect(data, item.path.name, item.manifest, item.stamp)


def _inspect(data: bytes, file_name: str, manifest: SourceManifest, stamp: Stamp | None) -> Received:
    """`inspect_bytes`, with a fault of ours turned into a held file: one file may never stop the night."""
    try:
        return inspect_bytes(data, file_name, manifest, stamp)
    except Exception as e:  # the file is kept sealed for whoever mends the fault; only the kind of error is told
        reason = Reason(
            "K190", f"検査の途中で予期しない誤りが起きました（{type(e).__name__}）。", "情報システム担当に知らせてください。"
        )
        outcome = _unread(file_name, manifest, data)
        if stamp is not None:
            outcome = replace(outcome, as_of=stamp.as_of, kind=stamp.kind)
        return outcome.held(reason)


def _unread(file_name: str, manifest: SourceManifest, data: bytes) -> Received:
    digest = hashlib.sha256(data or os.fsencode(file_name)).hexdigest()
    return Received(
        delivery=digest[:24],
        source=manifest.id,
        status="held",
        sha256=digest,
        file=safe_file_name(file_name),
        manifest=manifest.fingerprint,
    )


def _finished(inbox: Path, definitions: Definitions, wall: Callable[[], float]) -> list[_Waiting]:
    """Files that are complete; those still being written are left for the next run."""
    found: list[tuple[_Waiting, os.stat_result]] = []
    for manifest in definitions.sources.values():
        folder = inbox / manifest.id
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            status = path.lstat()
            if stat.S_ISREG(status.st_mode) and not path.name.startswith(".") and not _side_file(path.name):
                found.append((_Waiting(path, manifest, stamp_of(path.name, manifest)), status))
    ready: list[_Waiting] = []
    fresh: list[tuple[_Waiting, os.stat_result]] = []
    for item, status in found:
        age = wall() - status.st_mtime
        if os.path.isfile(_checksum_file(item.path)):
            matches = _checksum_matches(item.path)
            if matches or age >= BROKEN_SECONDS:
                ready.append(replace(item, broken=not matches))
        elif age >= SETTLE_SECONDS or os.path.exists(item.path.with_name(item.path.name + ".done")):
            ready.append(item)
        else:
            fresh.append((item, status))
    if fresh:
        time.sleep(1.0)
        ready += [item for item, before in fresh if _unchanged(item.path, before)]
    return ready


def _side_file(name: str) -> bool:
    return name.lower().endswith((*_COMPANIONS, *_UNFINISHED))


def _checksum_file(path: Path) -> Path:
    return path.with_name(path.name + ".sha256")


def _checksum_matches(path: Path) -> bool:
    """Whether the file is what the sender's `.sha256` says."""
    expected = _checksum_file(path).read_text(encoding="ascii", errors="replace").split()
    return bool(expected) and expected[0].lower() == hashlib.sha256(path.read_bytes()).hexdigest()


def _unchanged(path: Path, before: os.stat_result) -> bool:
    now = path.lstat()
    return (now.st_size, now.st_mtime_ns) == (before.st_size, before.st_mtime_ns)


def _erase(path: Path) -> None:
    """Overwrite and remove a file that has been taken in, and its companions.

    It is renamed first: a run killed half way must not find a file of zeros and take it for a delivery.
    """
    doomed = path.with_name(_ERASING + secrets.token_hex(8))  # not its own name, which may be as long as names can be
    os.replace(path, doomed)
    _overwrite(doomed)
    for companion in _COMPANIONS:
        beside = path.with_name(path.name + companion)
        if os.path.isfile(beside):
            beside.unlink()


def _overwrite(path: Path) -> None:
    size = path.stat().st_size
    with open(path, "r+b", buffering=0) as f:
        block = bytes(min(size, 1 << 20))
        for start in range(0, size, 1 << 20):
            f.write(block[: size - start])
        os.fsync(f.fileno())
    path.unlink()


def _finish_erasing(inbox: Path) -> None:
    for path in inbox.glob(f"*/{_ERASING}*"):
        _overwrite(path)
