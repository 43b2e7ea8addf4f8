"""The key master on disk: encrypted parts that are only ever added to, a chain over them, and the secret of the coming night.

A part holds events `first`–`last` and is written whole or not at all. Many small parts are put together into one from time to
time; their events stay as they are. Each addition is also one line of `chain.jsonl`, bound by HMAC to the line before, so that
an event changed, dropped or slipped in later is found, and a noted end of the chain shows a history rewritten as a whole.
"""

import hashlib
import hmac
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from kizuki.engine.keys import KeyRing
from kizuki.engine.ledger import Ledger
from kizuki.engine.lock import exclusive
from kizuki.engine.store import read_table, sync_file, sync_folder, unfinished, write_table
from kizuki.engine.tables import arrow_schema, digest, shape
from kizuki.link.tables import KEY_EVENT
from kizuki.terms.errors import RunFailed

PURPOSE: Final = "keymaster"
FOLDER: Final = "keymaster"
GENESIS: Final = "0" * 64
MOST_PARTS: Final = 32
"""More parts than this are put together at the next addition."""

_CHAIN_PURPOSE = "keymaster-chain"
_SEED = "next.seed"
_SEED_PURPOSE = "keymaster-ids"
_SMALL = 1000
_WAITS = 100


@dataclass(frozen=True, slots=True)
class Part:
    """One file and the events it holds."""

    path: Path
    first: int
    last: int


def no_events() -> pa.Table:
    """A key master's events before the first night."""
    return arrow_schema(KEY_EVENT).empty_table()


def read_events(home: Path, keys: KeyRing) -> pa.Table:
    """All events of a home in order; raises RunFailed K304 if some are missing or doubled."""
    folder = home / FOLDER
    while True:
        listed = sorted(folder.glob("*.parquet"))
        try:
            events = pa.concat_tables([no_events(), *(_part_events(p.path, keys) for p in _parts(listed, keys))])
            break
        except RunFailed:
            if listed == sorted(folder.glob("*.parquet")):
                raise  # nobody put parts together meanwhile: the fault is in the file
    expected = pa.chunked_array([pa.array(range(1, events.num_rows + 1), pa.int64())])
    told = max((int(line["last"]) for line in _chain(home).read()), default=0)
    if not expected.equals(pa.chunked_array([events["seq"].combine_chunks()])) or events.num_rows < told:
        raise RunFailed(
            "K304", "統合キーマスタの記録が続いていません。", FOLDER, "控えから keymaster フォルダを戻してください。"
        )
    return events


def append_events(home: Path, keys: KeyRing, events: pa.Table, *, renumber: bool = False) -> Path | None:
    """Keep new events as one more part, whole or not at all; the same events once more change nothing.

    `renumber`: they hold whatever was added meanwhile, and are numbered after it (a night's own events); otherwise RunFailed
    K322 says that somebody else was faster and the events must be made anew. Returns the part, or None for no events.
    """
    if not events.num_rows:
        return None
    with _alone(home):
        parts = _parts(sorted((home / FOLDER).glob("*.parquet")), keys)
        last = parts[-1].last if parts else 0
        if renumber:
            events = renumbered(events, last)
        first = int(events["seq"][0].as_py())
        if first != last + 1:
            return _already(parts, events, keys)
        path = home / FOLDER / f"{first:010d}-{first + events.num_rows - 1:010d}.parquet"
        write_table(path, events, keys, PURPOSE)
        _extend_chain(home, keys, events)
        return _put_together([*parts, Part(path, first, first + events.num_rows - 1)], keys)


def renumbered(events: pa.Table, last: int) -> pa.Table:
    """The same events numbered from `last` + 1 on."""
    place = events.column_names.index("seq")
    return events.set_column(
        place, events.schema.field("seq"), pa.array(range(last + 1, last + 1 + events.num_rows), pa.int64())
    )


def _already(parts: list[Part], events: pa.Table, keys: KeyRing) -> Path:
    first, last = int(events["seq"][0].as_py()), int(events["seq"][-1].as_py())
    holder = next((p for p in parts if p.first <= first and last <= p.last), None)
    if holder is not None and _part_events(holder.path, keys).slice(first - holder.first, last - first + 1).equals(events):
        return holder.path
    raise RunFailed(
        "K322",
        "統合キーマスタに、別の処理が先に書き込みました。この判断は記録していません。",
        FOLDER,
        "画面を開き直し、いまの状態を確かめてから、もう一度行ってください。",
    )


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    """Additions one after the other; each takes a moment, so the next waits for it instead of failing."""
    lock = home / FOLDER / "append.lock"
    for attempt in range(_WAITS):
        try:
            with exclusive(lock):
                yield
                return
        except RunFailed as e:
            if e.code != "K905" or attempt == _WAITS - 1:
                raise
            time.sleep(0.05)


def _parts(listed: list[Path], keys: KeyRing) -> list[Part]:
    """The parts that together hold every event once: one put together from others stands for them."""
    found: list[Part] = []
    for path in listed:
        first, _, last = path.stem.partition("-")
        rows = 0 if last else read_table(path, keys, PURPOSE, ["seq"]).num_rows  # a part of an earlier version
        found.append(Part(path, int(first), int(last) if last else int(first) + rows - 1))
    found.sort(key=lambda p: (p.first, -p.last))
    whole: list[Part] = []
    for part in found:
        if not whole or part.last > whole[-1].last:
            whole.append(part)
    return whole


def _part_events(path: Path, keys: KeyRing) -> pa.Table:
    return shape(read_table(path, keys, PURPOSE), KEY_EVENT)


def _put_together(parts: list[Part], keys: KeyRing) -> Path:
    """Merge the newest parts, but not those large beside all that came after; the old files go when the new one reads.

    Returns the part that holds the newest event.
    """
    if len(parts) <= MOST_PARTS:
        return parts[-1].path
    start, rows = len(parts), 0
    while start and parts[start - 1].last - parts[start - 1].first + 1 <= 2 * max(rows, _SMALL):
        start -= 1
        rows += parts[start].last - parts[start].first + 1
    merging = parts[start:]
    if len(merging) < 2:
        return parts[-1].path
    events = pa.concat_tables([_part_events(p.path, keys) for p in merging])
    path = merging[0].path.with_name(f"{merging[0].first:010d}-{merging[-1].last:010d}.parquet")
    write_table(path, events, keys, PURPOSE)
    if _part_events(path, keys).equals(events):
        for part in merging:
            part.path.unlink(missing_ok=True)
    return path


# --- the chain -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the events are those once written: how many, the first line that does not hold, the end of the chain to note."""

    events: int
    ok: bool
    first_bad: int | None
    head: str


def verify_chain(home: Path, keys: KeyRing, noted: str = "") -> Verdict:
    """Check every event against the chain, and a noted end (`number:value`) against it; raises RunFailed as reading does."""
    events = read_events(home, keys)
    prev, done, seen = GENESIS, 0, {f"0:{GENESIS}"}
    for line in _chain(home).read():
        first, last = int(line["first"]), int(line["last"])
        held = events.slice(first - 1, last - first + 1)
        if first != done + 1 or not hmac.compare_digest(_mac(keys, prev, held), str(line["mac"])):
            return Verdict(events.num_rows, False, first, f"{done}:{prev}")
        prev, done = str(line["mac"]), last
        seen.add(f"{done}:{prev}")
    known = not noted or noted in seen
    return Verdict(events.num_rows, known, None if known else done, f"{done}:{prev}")


def _chain(home: Path) -> Ledger:
    return Ledger(home / FOLDER / "chain.jsonl")


def _extend_chain(home: Path, keys: KeyRing, events: pa.Table) -> None:
    """One line for the new events; a line a crash kept from being written is made up first."""
    ledger = _chain(home)
    lines = list(ledger.read())
    done, prev = (int(lines[-1]["last"]), str(lines[-1]["mac"])) if lines else (0, GENESIS)
    first = int(events["seq"][0].as_py())
    missed = [read_events(home, keys).slice(done, first - 1 - done)] if done + 1 < first else []
    added: list[dict[str, Any]] = []
    for batch in (*missed, events):
        prev = _mac(keys, prev, batch)
        added.append({"first": int(batch["seq"][0].as_py()), "last": int(batch["seq"][-1].as_py()), "mac": prev})
    ledger.append(*added)


def _mac(keys: KeyRing, prev: str, events: pa.Table) -> str:
    return hmac.new(keys.key(_CHAIN_PURPOSE), f"{prev}|{_content(events)}".encode(), hashlib.sha256).hexdigest()


def _content(events: pa.Table) -> str:
    """A hash of the rows, the same however they are cut into parts: one chunk, and no blanks (they bring bits of their own)."""
    blanks: dict[pa.DataType, Any] = {pa.string(): "\x00", pa.float64(): -1e300}
    columns = {name: events[name].combine_chunks() for name in KEY_EVENT.column_names()}
    filled = {n: pc.fill_null(c, pa.scalar(blanks[c.type], c.type)) if c.type in blanks else c for n, c in columns.items()}
    return digest(pa.table(filled))


# --- the secret of the coming night ----------------------------------------------------------------------------------------


def id_ring(home: Path, keys: KeyRing, made: int) -> KeyRing:
    """Where the next new persons' ids are drawn from: random bytes, on disk before the first use and used for one night only.

    `made` = how many persons there are. Killed and run again, the night finds the same bytes and gives the same ids; once its
    persons are recorded the bytes are replaced, and nothing on disk leads from a record to an id but the events themselves.
    """
    path = home / FOLDER / _SEED
    place = f"{FOLDER}/{_SEED}"
    if path.exists():
        told = keys.unseal(path.read_bytes(), _SEED_PURPOSE, place)
        if int.from_bytes(told[32:]) == made:
            return KeyRing(told[:32])
    seed = secrets.token_bytes(32)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = unfinished(path)
    temporary.write_bytes(keys.seal(seed + made.to_bytes(8), _SEED_PURPOSE, place))
    sync_file(temporary)
    temporary.replace(path)
    sync_folder(path.parent)
    return KeyRing(seed)
