"""検証の記録 of versions made from a learned 採点表: the table, its model sheet and its promise, sealed under the fingerprint.

Kept for as long as the home stands: a version may be in force long after a newer back-test has replaced the result it came
from. The nightly watch compares today's children with the table here; once it stops one, the stop stands until the city brings
in another table, and the night uses the staff version before it.
"""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from kizuki.app.backtest_results import FOLDER, Result
from kizuki.engine.keys import KeyRing
from kizuki.judge.point_table import PointTable, read_table
from kizuki.terms.errors import RunFailed

ADOPTED: Final = f"{FOLDER}/adopted"
_SEAL: Final = "adopted"


@dataclass(frozen=True, slots=True)
class Record:
    """検証の記録 of a version made from a learned table: the table, its sheet, and the promise in whole people."""

    table: PointTable
    told: Mapping[str, Any]

    @property
    def sheet(self) -> str:
        """The model sheet (Markdown) as it was when the draft was made."""
        return str(self.told.get("sheet") or "")

    @property
    def lines(self) -> tuple[str, ...]:
        """What the back-test said, in sentences."""
        told = self.told
        said = [f"{told['as_of']} 時点までの過去の該当 {told['events']:,}件から学んだ（採点表 {self.table.digest[:12]}）"]
        step = _nearest(told.get("steps") or (), self.table.capacity)
        if step:
            said.append(f"学んだ順の見込み：{_finds(step['n'], step['learned'])}")
            said.append(f"現場の順の見込み：{_finds(step['n'], step['staff'])}")
        agreement = told["written"]["agreement"]
        same = round(agreement * self.table.capacity)
        said.append(f"点を整数に書き直した一覧と学んだ一覧では、先頭の{self.table.capacity}人のうち{same}人が同じ")
        return (*said, *(str(n) for n in told.get("notes") or ()))


def _nearest(steps: Any, capacity: int) -> Mapping[str, Any] | None:
    found: Mapping[str, Any] | None = min(steps, key=lambda s: abs(s["n"] - capacity), default=None)
    return found


def _finds(n: int, promised: Mapping[str, Any]) -> str:
    low, high = (round(v * n) for v in promised["precision_interval"])
    return f"{n}人中およそ{round(promised['precision'] * n)}人（{low}〜{high}人）"


def keep_record(home: Path, found: Result, table: PointTable) -> None:
    """Seal what the draft rests on under the table's fingerprint; the same table is the same file."""
    folder = home / ADOPTED
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    body = json.dumps(dict(found.told), ensure_ascii=False, allow_nan=False).encode()
    temporary = folder / f"{table.digest}.{os.getpid()}.new"
    temporary.write_bytes(KeyRing.load(home).seal(body, _SEAL, table.digest))
    temporary.replace(folder / f"{table.digest}.sealed")


def record(home: Path, digest: str) -> Record | None:
    """The 検証の記録 of a fingerprint; None where the home holds none (a table learned elsewhere). Raises RunFailed K902."""
    path = home / ADOPTED / f"{Path(digest).name}.sealed"
    if not digest or not path.is_file():
        return None
    try:
        told = json.loads(KeyRing.load(home).unseal(path.read_bytes(), _SEAL, digest))
        return Record(read_table(told["table"]), told)
    except (ValueError, KeyError) as e:
        raise RunFailed("K902", "検証の記録を読めません。", digest[:12], "控えから戻してください。") from e


def note_stop(home: Path, digest: str, reasons: Sequence[str], at: str) -> None:
    """Stop a table for good; a later note adds nothing to the first."""
    path = home / ADOPTED / f"{digest}.stop.json"
    if path.is_file():
        return
    temporary = path.with_suffix(f".{os.getpid()}.new")
    temporary.write_text(json.dumps({"at": at, "reasons": list(reasons)}, ensure_ascii=False), encoding="utf-8")
    temporary.replace(path)


def adopted_stops(home: Path) -> dict[str, tuple[str, ...]]:
    """Fingerprints of stopped tables with the reasons; a note that cannot be read stops, too."""
    found: dict[str, tuple[str, ...]] = {}
    for path in sorted((home / ADOPTED).glob("*.stop.json")):
        try:
            reasons = tuple(str(r) for r in json.loads(path.read_text(encoding="utf-8"))["reasons"])
        except (ValueError, KeyError, TypeError):
            reasons = ("停止の記録を読めません",)
        found[path.name.removesuffix(".stop.json")] = reasons
    return found
