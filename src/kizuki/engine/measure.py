"""Time and peak memory of one stage, for the run ledger and the bench."""

import ctypes
import gc
import os
import re
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

_CLEAR_REFS = Path("/proc/self/clear_refs")
_STATUS = Path("/proc/self/status")
_M_ARENA_MAX = -8  # mallopt(3)
_ARENAS = 2
_SELDOM = (50_000, 50, 100)  # of gc.set_threshold; the usual are 700, 10, 10
_RESET_PEAK = "5"  # proc(5): writing 5 resets the peak resident set size of the process


@dataclass(slots=True)
class Usage:
    """Seconds of wall clock and peak resident memory in MB; filled when the measured block ends."""

    seconds: float = 0.0
    peak_mb: float = 0.0


_LOCK = threading.Lock()
_RUNNING: list[Usage] = []


@contextmanager
def measured() -> Iterator[Usage]:
    """Measure a block; blocks may lie within or beside one another (the memory is the process's, so it counts for each).

    Where the peak cannot be reset (not Linux), `peak_mb` is the peak of the process so far.
    """
    usage = Usage()
    with _LOCK:
        _note_peak()
        _RUNNING.append(usage)
        _reset_peak()
    started = time.perf_counter()
    try:
        yield usage
    finally:
        usage.seconds = round(time.perf_counter() - started, 3)
        with _LOCK:
            _note_peak()
            _RUNNING[:] = [u for u in _RUNNING if u is not usage]


def share_one_heap() -> None:
    """Let Arrow, the engine and all threads take memory from the system's own allocator, in few arenas.

    Each allocator and each thread otherwise keeps what it once needed. Measured at 60,000 people: a night's peak 1,073 MB
    before, 797 MB after; 583 MB still held at its end before, 337 MB after; the same seconds.
    """
    pa.set_memory_pool(pa.system_memory_pool())
    if sys.platform == "linux" and (choose := getattr(ctypes.CDLL(None), "mallopt", None)) is not None:
        choose(_M_ARENA_MAX, _ARENAS)


@contextmanager
def seldom_collecting() -> Iterator[None]:
    """Let the collector of cyclic garbage pass less often: a night makes millions of short texts and hardly any cycle.

    Measured at 60,000 people, twice each in turn: 38.6–39.8 s of a whole night with the usual thresholds, 32.9 s with these.
    """
    usual = gc.get_threshold()
    gc.set_threshold(*_SELDOM)
    try:
        yield
    finally:
        gc.set_threshold(*usual)


def release_memory() -> None:
    """Give memory that is no longer used back to the system, so that the next step starts from what is really held."""
    pa.default_memory_pool().release_unused()
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc only; others give memory back by themselves
        if trim is not None:
            trim(0)


def _note_peak() -> None:
    """Carry the peak so far to every block being measured, before it is reset."""
    now = round(peak_mb(), 1)
    for usage in _RUNNING:
        usage.peak_mb = max(usage.peak_mb, now)


def peak_mb() -> float:
    """Peak resident memory of this process in MB since the last reset; 0.0 where the platform does not tell."""
    try:
        found = re.search(r"^VmHWM:\s+(\d+) kB", _STATUS.read_text(), re.MULTILINE)
    except OSError:
        found = None
    if found:
        return int(found[1]) / 1024
    if os.name == "nt":
        return 0.0
    import resource  # not on Windows

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1 << 20) if sys.platform == "darwin" else peak / 1024


def _reset_peak() -> None:
    try:
        _CLEAR_REFS.write_text(_RESET_PEAK)
    except OSError:
        return


def settle() -> None:
    """What is in memory now stays there: the collector need not walk it again at every pass.

    Measured at 183,000 people: passes of 100 ms in the middle of requests, none after. What was settled before and is used no
    longer is let go first.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()
