"""Who was seen when: one entry per accepted line of every delivery of one source, as integers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

_EPOCH = dt.date(1970, 1, 1)


@dataclass(frozen=True)
class Observations:
    """Arrays over all rows: record (key), known date (days since 1970), file in order (sequence), delivery, physical line."""

    keys: npt.NDArray[np.int64]
    days: npt.NDArray[np.int32]
    sequence: npt.NDArray[np.int32]
    lines: npt.NDArray[np.int32]
    origin: npt.NDArray[np.int32]
    deliveries: tuple[str, ...]
    extra_days: tuple[dt.date, ...] = ()

    def table(self, contents: npt.NDArray[np.int64]) -> pa.Table:
        """What the history query reads."""
        return pa.table(
            {
                "place": pa.array(np.arange(len(self.keys), dtype=np.int32)),
                "key": pa.array(self.keys),
                "as_of": pa.array(self.days, pa.date32()),
                "sequence": pa.array(self.sequence),
                "line": pa.array(self.lines),
                "content": pa.array(contents),
            }
        )

    def delivery_of(self, rows: npt.NDArray[np.int64]) -> pa.Array[Any]:
        """Delivery id of some rows."""
        return pa.DictionaryArray.from_arrays(self.origin[rows], pa.array(self.deliveries, pa.string()))

    def line_of(self, rows: npt.NDArray[np.int64]) -> pa.Array[Any]:
        """Physical line in its file of some rows."""
        return pa.array(self.lines[rows])


def observe(parts: Sequence[tuple[str, dt.date, str, pa.Table]], keys: npt.NDArray[np.int64]) -> Observations:
    """Entries in delivery order, as the keys are."""
    sizes = [table.num_rows for _, _, _, table in parts]
    places = np.repeat(np.arange(len(parts), dtype=np.int32), sizes)
    days = np.array([day_number(as_of) for _, as_of, _, _ in parts], np.int32)
    lines = [table.column("_line").to_numpy().astype(np.int32) for _, _, _, table in parts]
    return Observations(
        keys=keys,
        days=days[places] if parts else np.empty(0, np.int32),
        sequence=places,
        lines=np.concatenate(lines) if lines else np.empty(0, np.int32),
        origin=places,
        deliveries=tuple(delivery for delivery, _, _, _ in parts),
    )


def day_number(day: dt.date) -> int:
    """Days since 1970-01-01."""
    return (day - _EPOCH).days
