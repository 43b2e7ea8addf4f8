"""Staff corrections as an overlay: the delivered file stays as it is, and the correction is known from the day it was made.

A correction says: in this line of this delivery, this field should read so. From its day on it replaces that writing for the
same record, also in later files as long as the source keeps sending the same writing; when the source changes it, that wins.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from kizuki.cleanse.fields import CleanField
from kizuki.cleanse.observations import Observations, day_number
from kizuki.definitions.sources import SourceManifest

COLUMNS = {
    "delivery_id": pa.string(),
    "line": pa.int32(),
    "field": pa.string(),
    "value": pa.string(),
    "corrected_on": pa.date32(),
}
"""Columns of the overlay, in the order the corrections were made. `value` is written as the source would write it."""


def correction_writings(corrections: pa.Table | None) -> dict[str, list[str]]:
    """Field → the writings corrections bring."""
    found: dict[str, list[str]] = {}
    for row in corrections.select(["field", "value"]).to_pylist() if corrections is not None else ():
        found.setdefault(row["field"], []).append(row["value"] or "")
    return found


def apply_corrections(
    manifest: SourceManifest,
    fields: Mapping[str, CleanField],
    seen: Observations,
    corrections: pa.Table,
    days: Sequence[tuple[dt.date, str]],
) -> tuple[dict[str, CleanField], Observations]:
    """Fields and entries with the corrections laid over them.

    The primary key cannot be corrected: that is a new delivery's task.
    A correction of a line or field that is not there changes nothing.
    """
    fulls = sorted({day_number(d) for d, kind in days if kind == "full"})
    overlay = _Overlay(fields, seen, fulls, corrections.num_rows)
    for row in sorted(corrections.to_pylist(), key=lambda r: r["corrected_on"]):
        if row["field"] in fields and row["field"] not in manifest.primary_key:
            overlay.apply(row["delivery_id"], row["line"], row["field"], row["value"] or "", row["corrected_on"])
    return overlay.result()


class _Overlay:
    """The entries with room for one more per correction: the record as it reads from the day of the correction."""

    def __init__(self, fields: Mapping[str, CleanField], seen: Observations, fulls: Sequence[int], room: int) -> None:
        self.fields, self.seen, self.fulls = fields, seen, fulls
        self.codes = {name: _grown(field.codes, room) for name, field in fields.items()}
        self.keys, self.days = _grown(seen.keys, room), _grown(seen.days, room)
        self.sequence, self.lines, self.origin = (_grown(a, room) for a in (seen.sequence, seen.lines, seen.origin))
        self.used = len(seen.keys)
        self.extra_days: set[dt.date] = set()

    def apply(self, delivery_id: str, line: int, field: str, value: str, on: dt.date) -> None:
        """Replace the writing in the record's rows from that day on, and add the corrected record on the day itself."""
        corrected = self._row(delivery_id, line)
        if corrected is None:
            return
        # a correction of a delivery counts from the day that delivery is known, if it was made before (G3)
        codes, day = self.codes[field], max(day_number(on), int(self.days[corrected]))
        wrong, right = int(codes[corrected]), self.fields[field].slot_of(value)
        record = np.flatnonzero(self.keys[: self.used] == self.keys[corrected])
        later = record[self.days[record] >= day]
        codes[later[codes[later] == wrong]] = right
        before = record[self.days[record] < day]
        if not len(before) or (self.days[later] == day).any():
            return
        current = int(before[np.lexsort((self.lines[before], self.sequence[before], self.days[before]))[-1]])
        closed = any(self.days[current] < full <= day for full in self.fulls)
        if codes[current] == wrong and not closed:
            self._append(current, day)
            codes[self.used - 1] = right
            if day == day_number(on):
                self.extra_days.add(on)

    def _row(self, delivery_id: str, line: int) -> int | None:
        if delivery_id not in self.seen.deliveries:
            return None
        original = slice(0, len(self.seen.keys))
        from_file = self.origin[original] == self.seen.deliveries.index(delivery_id)
        found = np.flatnonzero(from_file & (self.lines[original] == line))
        return int(found[0]) if len(found) else None

    def _append(self, row: int, day: int) -> None:
        for array in (self.keys, self.days, self.sequence, self.lines, self.origin, *self.codes.values()):
            array[self.used] = array[row]
        self.days[self.used] = day
        self.used += 1

    def result(self) -> tuple[dict[str, CleanField], Observations]:
        """The overlaid fields and entries."""
        end = self.used
        fields = {name: replace(field, codes=self.codes[name][:end]) for name, field in self.fields.items()}
        seen = Observations(
            keys=self.keys[:end],
            days=self.days[:end],
            sequence=self.sequence[:end],
            lines=self.lines[:end],
            origin=self.origin[:end],
            deliveries=self.seen.deliveries,
            extra_days=tuple(sorted(self.extra_days)),
        )
        return fields, seen


def _grown(array: npt.NDArray[Any], room: int) -> npt.NDArray[Any]:
    return np.concatenate([array, np.zeros(room, array.dtype)])
