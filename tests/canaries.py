"""Canaries of the synthetic city: reading them, and finding them in any bytes under any of the usual writings."""

import base64
import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

EXCLUDED = ("truth", "inbox")
"""Folders that hold the city's own plaintext by definition: the truth, and the drop folder before and after refusal."""

_ENCODINGS = ("utf-8", "cp932", "utf-16-le", "utf-16-be")


@dataclass(frozen=True)
class Canary:
    """One marker of one true person in one field."""

    person: str
    field: str
    marker: str


@dataclass(frozen=True)
class Found:
    """A marker found in a file: which field, which writing, where."""

    path: str
    field: str
    writing: str


def read_canaries(home: Path) -> list[Canary]:
    """The markers of a city."""
    with open(home / "truth" / "canaries.csv", encoding="utf-8-sig", newline="") as f:
        return [Canary(r["true_person"], r["field"], r["marker"]) for r in csv.DictReader(f)]


def writings(marker: str) -> Iterator[tuple[str, bytes]]:
    """The marker as bytes: raw in four encodings, and each again inside base64 at any alignment."""
    for encoding in _ENCODINGS:
        plain = marker.encode(encoding)
        yield encoding, plain
        for shift in range(3):
            # within base64 only whole groups are fixed: cut what the neighbours decide
            coded = base64.b64encode(b"\0" * shift + plain)
            first, last = (0, 2, 3)[shift], len(coded) - (4 if (shift + len(plain)) % 3 else 0)
            yield f"base64 of {encoding}", coded[first:last]


def scan(home: Path, canaries: Sequence[Canary]) -> list[Found]:
    """Every marker in every file below `home`, names included, except the city's own folders."""
    wanted = {(c.field, how, text) for c in canaries for how, text in writings(c.marker) if len(text) >= 6}
    found = []
    for path in sorted(home.rglob("*")):
        relative = path.relative_to(home)
        if relative.parts[0] in EXCLUDED:
            continue
        body = str(relative).encode() + b"\n" + (path.read_bytes() if path.is_file() else b"")
        found += [Found(str(relative), field, how) for field, how, text in wanted if text in body]
    return found
