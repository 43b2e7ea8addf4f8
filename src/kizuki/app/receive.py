"""受領: take delivered files in, safely. The only writer of landing, quarantine, held files and the receipt ledger.

Kill-safe order for every file: write what is kept (encrypted, whole or not at all), append the ledger line — the commit point —
then erase the plaintext. Killed before the ledger line, a rerun does the same again under the same delivery id; killed after it,
the rerun finds the id in the ledger and only erases.
"""

import datetime as dt
import hashlib
import os
import stat
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from kizuki.app.deliveries import (
    HELD,
    LANDING,
    QUARANTINE,
    Delivery,
    accepted_deliveries,
    delivery_ledger,
    landing_path,
    previous_of,
    standing,
)
from kizuki.definitions.loader import Definitions
from kizuki.definitions.sources import SourceManifest
from kizuki.engine.keys import KeyRing
from kizuki.engine.store import sync_file, sync_folder, write_table
from kizuki.sources.gates import decide
from kizuki.sources.receive import Stamp, inspect_bytes, stamp_of
from kizuki.sources.received import Reason, Received, safe_file_name
from kizuki.terms.errors import InputRefused

RETURN_FOLDER = "返却"
SETTLE_SECONDS = 5.0
BROKEN_SECONDS = 600.0
MAX_FILE_BYTES = 1 << 30
_COMPANIONS = (".sha256", ".done")
_UNFINISHED = (".part", ".filepart", ".tmp", ".crdownload")
_ERASING = ".erase-"
_MYNUMBER = "K116"
_WORKERS = 2
_AHEAD = 4

Progress = Callable[[int, int, str], None]
"""Called with files done, files in all, and the source being received."""


@dataclass(frozen=True, slots=True)
class Handover:
    """Who handed a file over, by which medium (drop_folder, upload, …), and when."""

    actor: str
    medium: str
    at: dt.datetime


class Desk:
    """The receiving desk of one home: knows what was accepted, keeps what is taken in, writes the ledger."""

    def __init__(self, home: Path, keys: KeyRing | None = None) -> None:
        self.home = home
        self.keys = keys or KeyRing.load(home)
        self.ledger = delivery_ledger(home)
        self.known = {d for d, event in standing(home).items() if event["status"] in ("accepted", "held")}
        self._accepted: dict[str, list[Delivery]] = {}
        for delivery in accepted_deliveries(home):
            self._accepted.setdefault(delivery.source, []).append(delivery)

    def decide(self, received: Received, manifest: SourceManifest) -> Received:
        """The outcome after the gates that compare it with what came before; a repeated delivery is a duplicate."""
        if received.delivery in self.known:
            return replace(received, status="duplicate", reasons=())
        accepted = self._accepted.get(manifest.id, [])
        return decide(received, previous_of(self.home, self.keys, manifest, accepted), manifest)

    def commit(self, received: Received, data: bytes, handover: Handover, **more: Any) -> dict[str, Any]:
        """Keep what is to be kept, then write the ledger line. Returns the outcome in the shape of the contract."""
        if received.status == "held" and any(r.code == "K117" for r in received.reasons):
            # A held file is kept whole, and 個人番号 may not be kept.
            received = received.refused(next(r for r in received.reasons if r.code == "K117"))
        if received.status == "accepted":
            self._keep(received)
        elif received.status == "held":
            self._write_sealed(self.home / HELD / f"{received.delivery}.bin", data, HELD, received.delivery)
        event = {"event": "received", "received_at": handover.at.isoformat(timespec="seconds")}
        event |= {"medium": handover.medium, "actor": handover.actor}
        outcome = received.as_dict()
        outcome["as_of"] = received.as_of or handover.at.date().isoformat()
        self.ledger.append(outcome | event | more)
        self._note(outcome, event)
        return outcome

    def _keep(self, received: Received) -> None:
        assert received.table is not None and received.quarantine is not None
        write_table(landing_path(self.home, received.delivery), received.table, self.keys, LANDING)
        if received.quarantine.num_rows:
            write_table(self.home / QUARANTINE / f"{received.delivery}.parquet", received.quarantine, self.keys, QUARANTINE)

    def _note(self, outcome: dict[str, Any], event: dict[str, Any]) -> None:
        if outcome["status"] in ("accepted", "held"):
            self.known.add(outcome["delivery"])
        if outcome["status"] == "accepted":
            of_source = self._accepted.setdefault(outcome["source"], [])
            as_of = dt.date.fromisoformat(outcome["as_of"])
            kept = {k: outcome[k] for k in ("delivery", "source", "kind", "rows", "quarantined", "layout")}
            of_source.append(Delivery(**kept, as_of=as_of, received_at=event["received_at"], sequence=len(self.known)))

    def _write_sealed(self, path: Path, data: bytes, purpose: str, aad: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        temporary.write_bytes(self.keys.seal(data, purpose, aad))
        sync_file(temporary)
        os.replace(temporary, path)
        sync_folder(path.parent)

    def give_back(self, path: Path, data: bytes, outcome: dict[str, Any]) -> None:
        """Put a refused file, sealed, and a note with the reasons into 返却. Of 個人番号 only the note remains."""
        folder = path.parent / RETURN_FOLDER
        folder.mkdir(exist_ok=True)
        if not any(r["code"] == _MYNUMBER for r in outcome["reasons"]):
            self._write_sealed(folder / f"{path.name}.sealed", data, HELD, outcome["delivery"])
        lines = [f"{path.name} は受け取れませんでした。", f"受領番号：{outcome['delivery']}", ""]
        lines += [f"[{r['code']}] {r['message']}\n  対応：{r['fix']}" for r in outcome["reasons"]]
        (folder / f"{path.name}.理由.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


def receive_file(
    home: Path,
    path: Path,
    manifest: SourceManifest,
    handover: Handover,
    *,
    stamp: Stamp | None = None,
) -> dict[str, Any]:
    """Receive one file handed over by a person; the file itself is left where it is.

    Without a date in its name the file counts as of the day it was received. Raises InputRefused K106 if it cannot be read.
    """
    desk = Desk(home)
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise InputRefused("K102", "ファイルが大きすぎます（1GBを超える）。", path.name, "分けて書き出してください。")
        data = path.read_bytes()
    except OSError as e:
        raise InputRefused("K106", "ファイルを開けません。", path.name, "ファイルの場所と権限を確かめてください。") from e
    known = stamp or stamp_of(path.name, manifest) or Stamp(None, "full" if manifest.delivery == "full" else "diff")
    received = _inspect(data, path.name, manifest, known)
    return desk.commit(desk.decide(received, manifest), data, handover)


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
    desk = Desk(home)
    _finish_erasing(home / "inbox")
    waiting = sorted(_finished(home / "inbox", definitions, wall), key=_Waiting.order)
    handover = Handover(actor, "drop_folder", now)
    outcomes = []
    with ThreadPoolExecutor(1) as eraser:
        for done, (item, data, received) in enumerate(_inspected(waiting), start=1):
            outcome = desk.commit(desk.decide(received, item.manifest), data, handover)
            if outcome["status"] == "refused":
                desk.give_back(item.path, data, outcome)
            eraser.submit(_erase, item.path)
            outcomes.append(outcome)
            if progress is not None:
                progress(done, len(waiting), item.manifest.name)
    return outcomes


def _inspected(waiting: Sequence[_Waiting]) -> Iterator[tuple[_Waiting, bytes, Received]]:
    """Files read and checked ahead by worker threads, handed out in order; a few at a time are in memory."""
    with ThreadPoolExecutor(_WORKERS) as workers:
        running: deque[tuple[_Waiting, Future[tuple[bytes, Received]]]] = deque()
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


def _read_and_inspect(item: _Waiting) -> tuple[bytes, Received]:
    if item.path.stat().st_size > MAX_FILE_BYTES:
        reason = Reason("K102", "ファイルが大きすぎます（1GBを超える）。", "分けて書き出し、送り直してください。")
        return b"", _unread(item.path.name, item.manifest, b"").refused(reason)
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
    digest = hashlib.sha256(data or file_name.encode()).hexdigest()
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
        if _checksum_file(item.path).exists():
            matches = _checksum_matches(item.path)
            if matches or age >= BROKEN_SECONDS:
                ready.append(replace(item, broken=not matches))
        elif age >= SETTLE_SECONDS or item.path.with_name(item.path.name + ".done").exists():
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
    doomed = path.with_name(_ERASING + path.name)
    os.replace(path, doomed)
    _overwrite(doomed)
    for companion in _COMPANIONS:
        path.with_name(path.name + companion).unlink(missing_ok=True)


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
