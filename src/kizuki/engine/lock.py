"""One run at a time: a lock file the operating system releases when its holder dies, however it dies."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from kizuki.terms.errors import RunFailed


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold the lock for a block; raises RunFailed K905 at once if another process holds it.

    The lock is the kernel's, not the file's existence, so a killed run leaves nothing to clean up. The file names the
    holder's process number for the person who looks.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a+b") as handle:
        if not _try_lock(handle):
            raise RunFailed("K905", "別の処理が実行中です。", path.name, "終わるのを待ってから、もう一度実行してください。")
        handle.seek(0)
        handle.truncate()
        handle.write(str(os.getpid()).encode())
        handle.flush()
        yield


def _try_lock(handle: IO[bytes]) -> bool:
    try:
        if os.name == "nt":
            import msvcrt

            handle.seek(0)
            msvcrt.locking(handle.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
