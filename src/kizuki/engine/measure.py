"""Time and peak memory of one stage, for the run ledger and the bench."""

import os
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_CLEAR_REFS = Path("/proc/self/clear_refs")
_STATUS = Path("/proc/self/status")
_RESET_PEAK = "5"  # proc(5): writing 5 resets the peak resident set size of the process


@dataclass(slots=True)
class Usage:
    """Seconds of wall clock and peak resident memory in MB; filled when the measured block ends."""

    seconds: float = 0.0
    peak_mb: float = 0.0


@contextmanager
def measured() -> Iterator[Usage]:
    """Measure a block. Where the peak cannot be reset (not Linux), `peak_mb` is the peak of the process so far."""
    usage = Usage()
    _reset_peak()
    started = time.perf_counter()
    try:
        yield usage
    finally:
        usage.seconds = round(time.perf_counter() - started, 3)
        usage.peak_mb = round(peak_mb(), 1)


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
