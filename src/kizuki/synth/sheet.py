"""One delivered file: its columns as cells, its quirks, and its bytes."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc

from kizuki.synth.calendar import stamp
from kizuki.synth.cells import Cells, Encoding

Fault = Literal["short", "date", "code"]


@dataclass
class Sheet:
    """A file as the office's system prints it. `faults` adds damaged copies of the first rows: (kind, column title)."""

    source: str
    as_of: int
    kind: Literal["full", "diff"]
    titles: tuple[str, ...]
    columns: list[Cells]
    encoding: Encoding = "cp932"
    newline: str = "\r\n"
    bom: bool = False
    trailer: Literal["", "bare", "padded"] = ""
    faults: tuple[tuple[Fault, str], ...] = field(default_factory=tuple)
    copy_no: int = 1

    @property
    def rows(self) -> int:
        """Lines between header and trailer, damaged ones included."""
        return len(self.columns[0]) + len(self.damaged())

    @property
    def file_name(self) -> str:
        """`<source>_<as-of>_<kind>.csv`; a second delivery of the same file gets `_2`."""
        again = f"_{self.copy_no}" if self.copy_no > 1 else ""
        return f"{self.source}_{stamp(self.as_of)}_{self.kind}{again}.csv"

    def damaged(self) -> list[list[bytes]]:
        """Copies of real rows with one fault each."""
        out = []
        for k, (fault, title) in enumerate(self.faults):
            if k >= len(self.columns[0]):
                break
            row = [c[k].as_py() for c in self.columns]
            place = self.titles.index(title)
            match fault:
                case "short":
                    row = row[:-2]
                case "date":
                    row[place] = "令和5年2月30日".encode(self.encoding)
                case "code":
                    row[place] = b"Z"
            out.append(row)
        return out

    def to_bytes(self) -> bytes:
        """The whole file."""
        body = csv_bytes(self.titles, self.columns, self.encoding, self.newline)
        newline = self.newline.encode()
        parts = [b"\xef\xbb\xbf" if self.bom else b"", body, *(b",".join(row) + newline for row in self.damaged())]
        if self.trailer:
            padding = "," * (len(self.titles) - 2) if self.trailer == "padded" else ""
            parts.append(f"合計,{self.rows}{padding}".encode(self.encoding) + newline)
        return b"".join(parts)

    def write(self, inbox: Path) -> int:
        """Write below the inbox; returns the number of rows."""
        folder = inbox / self.source
        folder.mkdir(parents=True, exist_ok=True)
        folder.joinpath(self.file_name).write_bytes(self.to_bytes())
        return self.rows


def csv_bytes(titles: Sequence[str], columns: Sequence[Cells], encoding: Encoding, newline: str) -> bytes:
    """Header and rows. Cells must already be free of commas and quotes, or carry their own quotes."""
    header = ",".join(titles).encode(encoding) + newline.encode()
    if not len(columns[0]):
        return header
    lines = pc.binary_join_element_wise(*columns, pa.scalar(b",", pa.binary()))
    ending = pa.scalar(newline.encode(), pa.binary())
    ended = pc.binary_join_element_wise(lines, ending, pa.scalar(b"", pa.binary()))
    # The joined rows lie one after the other in one buffer: that buffer is the file.
    offsets = ended.buffers()[1]
    last = int.from_bytes(memoryview(offsets)[len(ended) * 4 : len(ended) * 4 + 4], "little")
    return header + bytes(memoryview(ended.buffers()[2])[:last])
