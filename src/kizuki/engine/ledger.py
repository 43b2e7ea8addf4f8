"""Append-only ledgers (JSON Lines): deliveries, runs, key master events. No ledger line carries a person's value in clear."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any


class Ledger:
    """One file of events in the order they happened; an append is on disk when `append` returns.

    A line cut short by a crash is skipped on reading and closed off by the next append, so a kill loses at most the
    event that had not been acknowledged.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, *events: dict[str, Any]) -> None:
        """Add events and wait for the disk."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        body = "".join(json.dumps(e, ensure_ascii=False, sort_keys=True) + "\n" for e in events).encode()
        with open(self.path, "ab") as f:
            if f.tell() and not self._ends_with_newline():
                body = b"\n" + body
            f.write(body)
            f.flush()
            os.fsync(f.fileno())

    def read(self) -> Iterator[dict[str, Any]]:
        """All acknowledged events, oldest first."""
        if not self.path.exists():
            return
        for line in self.path.read_bytes().split(b"\n"):
            if not line:
                continue
            try:
                yield json.loads(line)
            except json.JSONDecodeError:
                continue

    def _ends_with_newline(self) -> bool:
        with open(self.path, "rb") as f:
            f.seek(-1, os.SEEK_END)
            return f.read(1) == b"\n"
