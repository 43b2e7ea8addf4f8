"""The key master (統合キーマスタ): which record belongs to which person, as a list of events nobody may change.

Events are `create`, `link`, `unlink`, `merge`, `split` (by the machine, each night) and `decide` (by reviewers). The present
state is their replay; the state of any past day is the replay up to that day. A person id is an opaque token, kept from night
to night: the group that holds a resident keeps the resident's person; another group keeps the person most of its records had;
only what is left gets a new id. An identical rerun therefore adds nothing.
"""

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc

from kizuki.engine.duck import DuckEngine
from kizuki.engine.keys import KeyRing
from kizuki.engine.sql import bind, load
from kizuki.engine.store import read_table, write_table
from kizuki.engine.tables import arrow_schema, shape
from kizuki.link.matching import Matching
from kizuki.link.tables import KEY_EVENT, PAIR
from kizuki.terms.errors import RunFailed
from kizuki.terms.tables import LINK

PACKAGE = "kizuki.link"
PURPOSE = "keymaster"
FOLDER = "keymaster"
MACHINE = "名寄せ処理"
_BY_RECORD: list[tuple[str, Literal["ascending", "descending"]]] = [("source", "ascending"), ("record_id", "ascending")]
_BY_STEP: list[tuple[str, Literal["ascending", "descending"]]] = [
    ("step", "ascending"),
    ("person_id", "ascending"),
    *_BY_RECORD,
]


@dataclass(frozen=True, slots=True)
class LinkOutcome:
    """One night's result: `link` (terms.tables.LINK), `review` (pairs that wait for a person), `events` to append."""

    link: pa.Table
    review: pa.Table
    events: pa.Table


class KeyMaster:
    """All events of one home up to some day."""

    def __init__(self, events: pa.Table, register_source: str = "resident_register") -> None:
        self.events = shape(events, KEY_EVENT)
        self.register_source = register_source

    def as_of(self, day: dt.date) -> "KeyMaster":
        """The key master as it stood at the end of `day`."""
        return KeyMaster(
            self.events.filter(pc.less_equal(self.events["night"], pa.scalar(day, pa.date32()))), self.register_source
        )

    @property
    def last_seq(self) -> int:
        """Number of the newest event; 0 when there is none."""
        return self.events.num_rows  # numbered from 1 without gaps

    def links(self) -> pa.Table:
        """One row per record with the person it belongs to: source, record_id, person_id, rule, weight, state, evidence."""
        with self._replayed() as engine:
            found = engine.query(load(PACKAGE, "current_link"))
        return found.sort_by(_BY_RECORD)

    def redirects(self) -> dict[str, str]:
        """Dissolved person → the person who now holds its records, followed to the end."""
        merges = _where(self.events, "kind", "merge").select(["person_id", "other_person_id"]).to_pylist()
        direct: dict[str, str] = {row["person_id"]: row["other_person_id"] for row in merges}
        return {person: _follow(person, direct) for person in direct}

    def standing(self) -> tuple[pa.Table, pa.Table]:
        """Reviewers' standing words about record and resident: (must link, cannot link)."""
        with self._replayed() as engine:
            found = engine.query(load(PACKAGE, "standing_decision"))
        found = _where(found, "other_source", self.register_source)

        def of(answer: str) -> pa.Table:
            return (
                _where(found, "answer", answer)
                .select(["source", "record_id", "other_record_id"])
                .rename_columns(list(PAIR.column_names()))
                .cast(arrow_schema(PAIR))
            )

        return of("same"), of("different")

    def reconcile(self, matching: Matching, keys: KeyRing, night: dt.date, model_version: str) -> LinkOutcome:
        """Give every group of tonight its person, and say what changed."""
        with self._replayed() as engine:
            engine.register("assignment", matching.assignment)
            for name in ("current_link", "minted"):
                engine.materialise(name, load(PACKAGE, name))
            engine.materialise("kept", bind(load(PACKAGE, "kept"), register=self.register_source))
            engine.register("newcomer", _mint(engine.query(load(PACKAGE, "unkept")), keys))
            target = engine.query(load(PACKAGE, "target"))
            engine.register("target", target)
            changes = engine.query(load(PACKAGE, "change")).sort_by(_BY_STEP)
        return LinkOutcome(
            link=shape(target.sort_by(_BY_RECORD).select(list(LINK.column_names())), LINK),
            review=matching.review,
            events=_stamped(changes, self.last_seq, night, model_version),
        )

    def decide(
        self, left: tuple[str, str], right: tuple[str, str], answer: str, *, night: dt.date, actor: str, reason: str
    ) -> pa.Table:
        """The event of a reviewer's word (`same`, `different`, `hold`) on a record and a resident; append it and it stands."""
        if answer not in ("same", "different", "hold"):
            raise ValueError("answer must be same, different or hold")
        row = dict.fromkeys(KEY_EVENT.column_names())
        row |= {"seq": self.last_seq + 1, "night": night, "kind": "decide", "source": left[0], "record_id": left[1]}
        row |= {"other_source": right[0], "other_record_id": right[1], "rule": reason, "state": answer, "actor": actor}
        return pa.Table.from_pylist([row], schema=arrow_schema(KEY_EVENT))

    def plus(self, events: pa.Table) -> "KeyMaster":
        """This key master with more events after its own."""
        return KeyMaster(pa.concat_tables([self.events, events]), self.register_source)

    def _replayed(self) -> DuckEngine:
        engine = DuckEngine()
        engine.register("event", self.events)
        return engine


def _where(table: pa.Table, column_name: str, value: str) -> pa.Table:
    return table.filter(pc.equal(table[column_name], pa.scalar(value, pa.string())))


def no_events() -> pa.Table:
    """A key master's events before the first night."""
    return arrow_schema(KEY_EVENT).empty_table()


def read_master(home: Path, keys: KeyRing, register_source: str = "resident_register") -> KeyMaster:
    """The key master of a home; raises RunFailed K304 if a part is missing or doubled."""
    parts = [read_table(path, keys, PURPOSE) for path in sorted((home / FOLDER).glob("*.parquet"))]
    events = pa.concat_tables([no_events(), *(shape(p, KEY_EVENT) for p in parts)])
    expected = pa.array(range(1, events.num_rows + 1), pa.int64())
    if not pa.chunked_array([expected]).equals(pa.chunked_array([events["seq"].combine_chunks()])):
        raise RunFailed(
            "K304", "統合キーマスタの記録が続いていません。", FOLDER, "控えから keymaster フォルダを戻してください。"
        )
    return KeyMaster(events, register_source)


def append_events(home: Path, keys: KeyRing, events: pa.Table) -> Path | None:
    """Keep new events as one more encrypted part, whole or not at all; the same night repeated writes the same part again.

    Returns the part, or None when there is nothing to keep.
    """
    if not events.num_rows:
        return None
    path = home / FOLDER / f"{events['seq'][0].as_py():010d}.parquet"
    write_table(path, events, keys, PURPOSE)
    return path


def _mint(unkept: pa.Table, keys: KeyRing) -> pa.Table:
    """A new id for every group without one: opaque, and the same again if the night is repeated after a crash."""
    columns = (unkept[name].to_pylist() for name in ("anchor_source", "anchor_id", "times"))
    ids = keys.tokens(PURPOSE, (("person", source, record, str(times)) for source, record, times in zip(*columns, strict=True)))
    return unkept.append_column("person_id", pa.array(ids, pa.string()))


def _stamped(changes: pa.Table, last_seq: int, night: dt.date, model_version: str) -> pa.Table:
    rows = changes.num_rows
    made = {
        "seq": pa.array(range(last_seq + 1, last_seq + 1 + rows), pa.int64()),
        "night": pa.repeat(pa.scalar(night, pa.date32()), rows),
        "other_source": pa.nulls(rows, pa.string()),
        "other_record_id": pa.nulls(rows, pa.string()),
        "model": pa.repeat(pa.scalar(model_version, pa.string()), rows),
        "actor": pa.repeat(pa.scalar(MACHINE, pa.string()), rows),
    }
    columns = [made[n] if n in made else changes[n] for n in KEY_EVENT.column_names()]
    return shape(pa.table(columns, names=list(KEY_EVENT.column_names())), KEY_EVENT)


def _follow(person: str, direct: dict[str, str]) -> str:
    seen = {person}
    while (step := direct.get(person)) is not None and step not in seen:
        seen.add(step)
        person = step
    return person
