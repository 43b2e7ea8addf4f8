"""What cleansing did to each source, counted: per field and flag how many writings and how many cells, never a value.

The counts come from the same pass that cleanses, so the screen shows what the night really did. A 外字 nobody has listed is
counted by its code point, because that is what the person who keeps the 外字表 has to look up.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from kizuki.cleanse.flags import Flag
from kizuki.cleanse.gaiji import PRIVATE
from kizuki.engine.tables import shape
from kizuki.terms.tables import CLEANSING

TOTAL = "all"
"""Flag of the row that counts every writing of a field, whatever was done to it."""


@dataclass(slots=True)
class Tally:
    """Counts of one source while its fields are cleansed; `table` has one row per field, rule, flag and 外字."""

    source: str
    rows: list[dict[str, Any]] = field(default_factory=list)

    def add(self, name: str, rule: str, texts: Sequence[str | None], flags: Sequence[tuple[Flag, ...]], *, codes: Any) -> None:
        """Count one field: `codes[cell]` points into `texts` and `flags`; other codes are cells without a writing."""
        cells = _cells(np.asarray(codes), len(texts))
        written = cells > 0
        if not written.any():
            return
        self._row(name, rule, TOTAL, "", writings=int(written.sum()), cells=int(cells.sum()))
        flagged: dict[tuple[Flag, str], list[int]] = {}
        for place, found in enumerate(flags):
            for flag in found if written[place] else ():
                for detail in _details(flag, texts[place] or ""):
                    flagged.setdefault((flag, detail), []).append(place)
        for (flag, detail), places in flagged.items():
            self._row(name, rule, flag, detail, writings=len(places), cells=int(cells[places].sum()))

    def _row(self, name: str, rule: str, flag: str, detail: str, *, writings: int, cells: int) -> None:
        counted = {"source": self.source, "field": name, "rule": rule, "flag": flag, "detail": detail}
        self.rows.append({**counted, "writings": writings, "cells": cells})

    def table(self) -> pa.Table:
        """The counts in a fixed order; schema `CLEANSING`."""
        columns = {c.name: [row[c.name] for row in self.rows] for c in CLEANSING.columns}
        made = shape(pa.table(columns) if self.rows else _nothing(), CLEANSING)
        return made.sort_by([(c, "ascending") for c in ("source", "field", "rule", "flag", "detail")])


def _cells(codes: npt.NDArray[Any], size: int) -> npt.NDArray[np.int64]:
    inside = codes[(codes >= 0) & (codes < size)]
    return np.bincount(inside, minlength=size).astype(np.int64)


def _details(flag: Flag, text: str) -> list[str]:
    if flag is not Flag.GAIJI_UNKNOWN:
        return [""]
    return sorted({f"U+{ord(c):04X}" for c in PRIVATE.findall(text)}) or [""]


def _nothing() -> pa.Table:
    return pa.table({c.name: pa.array([], pa.int64() if c.type == "int" else pa.string()) for c in CLEANSING.columns})
