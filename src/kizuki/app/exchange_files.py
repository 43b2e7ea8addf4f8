"""Files between core and relay on disk, the same for both sides: laid aside whole, named once the database has them.

A file appears under its name only after the database has it, and the database has it only when the bytes are safe beside it;
a kill at any point leaves either nothing or all of it.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from kizuki.engine.cache import write_atomic
from kizuki.engine.store import sync_folder
from kizuki.push.exchange import digest, file_name

_STAGED: Final = ".next"


@dataclass(slots=True)
class Exchanged:
    """What one exchange did: files and lines taken in, the file written (0 = nothing to say), and what was refused."""

    taken_files: int = 0
    taken_lines: int = 0
    written: int = 0
    written_lines: int = 0
    refused: list[str] = field(default_factory=list)


def lay_aside(folder: Path, seq: int, data: bytes) -> None:
    """Keep the bytes of file `seq` beside its place, before the database is told of them."""
    write_atomic(folder / f"{_STAGED}{seq}", data)


def name_files(folder: Path, known: Callable[[int, str], bool]) -> None:
    """Give what lies aside its name if the database has it (`known` number and digest); take it away if it never got there."""
    for staged in folder.glob(f"{_STAGED}*"):
        seq = int(staged.name.removeprefix(_STAGED))
        if known(seq, digest(staged.read_bytes())):
            os.replace(staged, folder / file_name(seq))
        else:
            staged.unlink()
    sync_folder(folder)
