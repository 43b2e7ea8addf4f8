"""The key master (統合キーマスタ): which record belongs to which person, as a list of events nobody may change.

Events are `create`, `link`, `unlink`, `merge`, `split` (by the machine, each night) and `decide` (by reviewers). The present
state is their replay; the state of any past day is the replay up to that day. A person id is an opaque token, kept from night
to night: the group that holds a resident keeps the resident's person; another group keeps the oldest person its records had;
a group parted again gets back the person it had before; only what is left gets a new id. An identical rerun therefore adds
nothing, and a decision taken back leaves everybody as they were.
"""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass, field
from functools import cache, cached_property
from itertools import combinations
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute
from sqlglot import exp

from kizuki.engine.duck import DuckEngine
from kizuki.engine.keys import KeyRing
from kizuki.engine.sql import bind, load
from kizuki.engine.tables import arrow_schema, empty, shape
from kizuki.link.event_store import append_events, no_events, read_events, renumbered
from kizuki.link.matching import Matching
from kizuki.link.regroup import regroup
from kizuki.link.tables import KEY_EVENT, PAIR
from kizuki.link.words import ANSWER_TITLES, ANSWERS, WITHDRAWN, Bonds, Ref, Word, standing
from kizuki.terms.errors import InputRefused
from kizuki.terms.tables import LINK, REDIRECT

__all__ = ["KeyMaster", "LinkOutcome", "append_events", "no_events", "read_master", "renumbered"]

pc: Any = pyarrow.compute  # its functions are generated at run time; the stubs do not know their overloads
PACKAGE = "kizuki.link"
PURPOSE = "keymaster"
REGISTER = "resident_register"
MACHINE = "名寄せ処理"
_PERSON_STEPS = (
    "current_link", "minted", "dissolved", "claimed", "kept", "held", "held_claim", "returning_person", "foreknown",
)  # fmt: skip
_BY_RECORD: list[tuple[str, Literal["ascending", "descending"]]] = [("source", "ascending"), ("record_id", "ascending")]
_BY_STEP: list[tuple[str, Literal["ascending", "descending"]]] = [
    ("step", "ascending"),
    ("person_id", "ascending"),
    *_BY_RECORD,
]
_BY_PAIR: list[tuple[str, Literal["ascending", "descending"]]] = [*_BY_RECORD, ("resident_id", "ascending")]


@dataclass(frozen=True, slots=True)
class LinkOutcome:
    """One night's result.

    `link` (terms.tables.LINK), `review` (pairs that wait for a person), `events` to append, `redirect` (terms.tables.REDIRECT).
    """

    link: pa.Table
    review: pa.Table
    events: pa.Table
    redirect: pa.Table = field(default_factory=lambda: empty(REDIRECT))


class KeyMaster:
    """All events of one home up to some day; `later` = what the machine did after that day."""

    def __init__(self, events: pa.Table, register_source: str = REGISTER, later: pa.Table | None = None) -> None:
        self.events = shape(events, KEY_EVENT)
        self.register_source = register_source
        self.later = no_events() if later is None else later

    def as_of(self, day: dt.date) -> "KeyMaster":
        """The key master as it stood at the end of `day`."""
        known = pc.less_equal(self.events["night"], pa.scalar(day, pa.date32()))
        if pc.all(known).as_py() is not False:
            return KeyMaster(self.events, self.register_source, self.later)  # the usual night: nothing to copy
        after = self.events.filter(pc.invert(known))
        later = after.filter(pc.not_equal(after["kind"], pa.scalar("decide", pa.string())))
        return KeyMaster(self.events.filter(known), self.register_source, pa.concat_tables([later, self.later]))

    @property
    def newest(self) -> bool:
        """Whether no night has been linked after this state: only then may a night be added."""
        return self.later.num_rows == 0

    @property
    def last_seq(self) -> int:
        """Number of the newest event; 0 when there is none."""
        return int(pc.max(self.events["seq"]).as_py() or 0)

    @property
    def persons_made(self) -> int:
        """How many times a person was made or came back: tells one night's ids from the next."""
        made = pc.is_in(self.events["kind"], value_set=pa.array(["create", "split"]))
        return int(pc.sum(made.cast(pa.int64())).as_py() or 0)

    def links(self) -> pa.Table:
        """One row per record with the person it belongs to: source, record_id, person_id, rule, weight, state, evidence."""
        with self._replayed() as engine:
            found = engine.query(load(PACKAGE, "current_link"))
        return found.sort_by(_BY_RECORD)

    def redirects(self) -> dict[str, str]:
        """Dissolved person → the person who now holds its records, followed to the end; a person who came back is not in it."""
        dissolved = pc.unique(_where(self.events, "kind", "merge")["person_id"])
        steps = pc.is_in(self.events["kind"], value_set=pa.array(["create", "split", "merge"]))
        concerned = self.events.filter(pc.and_(steps, pc.is_in(self.events["person_id"], value_set=dissolved)))
        direct: dict[str, str] = {}
        for row in concerned.select(["kind", "person_id", "other_person_id"]).to_pylist():
            if row["kind"] == "merge":
                direct[row["person_id"]] = row["other_person_id"]
            else:
                direct.pop(row["person_id"], None)
        return {person: _follow(person, direct) for person in direct}

    def history(self, person_id: str) -> pa.Table:
        """Every event of one person, oldest first: its own, those it is the other side of, and the words about its records."""
        persons = [pc.equal(self.events[n], pa.scalar(person_id, pa.string())) for n in ("person_id", "other_person_id")]
        own = self.events.filter(pc.fill_null(pc.or_kleene(*persons), pa.scalar(value=False)))
        refs = {(r["source"], r["record_id"]) for r in own.select(["source", "record_id"]).to_pylist()}
        about = [w.seq for w in self.words() if {w.left, w.right} & refs]
        words = self.events.filter(pc.is_in(self.events["seq"], value_set=pa.array(about, pa.int64())))
        return pa.concat_tables([own, words]).sort_by("seq")

    def words(self) -> list[Word]:
        """Every word a reviewer has said, withdrawals included, oldest first."""
        rows = _where(self.events, "kind", "decide").to_pylist()
        return [
            Word(
                seq=r["seq"],
                night=r["night"],
                left=(r["source"], r["record_id"]),
                right=(r["other_source"], r["other_record_id"]),
                answer=r["state"],
                actor=r["actor"],
                reason=r["rule"] or "",
            )
            for r in rows
        ]

    def standing_words(self) -> list[Word]:
        """The word that counts about each pair, oldest first."""
        return standing(self.words())

    @cached_property
    def bonds(self) -> Bonds:
        """What the standing words say together."""
        return Bonds(self.standing_words(), self.register_source)

    def standing(self, present: Collection[str] | None = None) -> tuple[pa.Table, pa.Table]:
        """What the words, taken together, say about record and resident: (must link, cannot link), for the passes to obey.

        `present` = keys of tonight's residents: of several said to be one person, a record goes to the first of these. Two
        residents a word speaks about are there as well (the later key first), so that nobody is asked about them again.
        """
        return _pairs(self._must(present)), _pairs(self._cannot())

    def _must(self, present: Collection[str] | None) -> set[tuple[Ref, Ref]]:
        found = set()
        for members in self.bonds.groups():
            here = [r for r in self.bonds.residents(members[0]) if present is None or r[1] in present]
            found |= {(m, here[0]) for m in members if here and m[0] != self.register_source}
            found |= {(later, earlier) for earlier, later in combinations(here, 2)}
        return found

    def _cannot(self) -> set[tuple[Ref, Ref]]:
        found = set()
        for one, other in self.bonds.foes():
            for left, right in ((one, other), (other, one)):
                residents = self.bonds.residents(right)
                members = self.bonds.members(left)
                found |= {(m, r) for m in members for r in residents if m[0] != self.register_source or m > r}
        return found

    def reconcile(self, matching: Matching, keys: KeyRing, night: dt.date, model_version: str) -> LinkOutcome:
        """Give every group of tonight its person, and say what changed; `keys` = where new ids are drawn from."""
        assignment, doubts = regroup(matching.assignment, self.bonds)
        with self._replayed() as engine:
            engine.register("assignment", assignment)
            engine.register("later", self.later)
            for name in _PERSON_STEPS:
                engine.materialise(name, _bound(name, self.register_source))
            engine.register("newcomer", _mint(engine.query(load(PACKAGE, "unkept")), keys))
            target = engine.query(load(PACKAGE, "target"))
            engine.register("target", target)
            changes = engine.query(load(PACKAGE, "change")).sort_by(_BY_STEP)
        events = _stamped(changes, self.last_seq, night, model_version)
        return LinkOutcome(
            link=shape(target.sort_by(_BY_RECORD).select(list(LINK.column_names())), LINK),
            review=pa.concat_tables([matching.review, doubts]).sort_by(_BY_PAIR) if doubts.num_rows else matching.review,
            events=events,
            redirect=_redirect_table(self.plus(events).redirects()),
        )

    def decide(self, left: Ref, right: Ref, answer: str, *, night: dt.date, actor: str, reason: str) -> pa.Table:
        """The event of a reviewer's word on two records (`same`, `different`, `hold`, `withdrawn`); append it and it stands.

        A record is (source, its key there); a resident is the register's record. Raises InputRefused K320 if the word
        contradicts words that stand, K321 if there is none to withdraw.
        """
        if answer not in ANSWERS:
            raise ValueError(f"answer must be one of {', '.join(ANSWERS)}")
        if left == right:
            raise ValueError("a word is about two records")
        word = Word(self.last_seq + 1, night, left, right, answer, actor, reason)
        said = self.words()
        if answer == WITHDRAWN and word.pair not in {w.pair for w in standing(said)}:
            raise InputRefused(
                "K321", "この二つの記録には、取り消せる判断がありません。", "名寄せの判断", "一覧を開き直してください。"
            )
        self._refuse_contradiction(word, said)
        row: dict[str, Any] = dict.fromkeys(KEY_EVENT.column_names())
        row |= {"seq": word.seq, "night": night, "kind": "decide", "source": left[0], "record_id": left[1]}
        row |= {"other_source": right[0], "other_record_id": right[1], "rule": reason, "state": answer, "actor": actor}
        return pa.Table.from_pylist([row], schema=arrow_schema(KEY_EVENT))

    def _refuse_contradiction(self, word: Word, said: list[Word]) -> None:
        before = {tuple(w.seq for w in found) for found in self.bonds.contradictions}
        after = Bonds(standing([*said, word]), self.register_source).contradictions
        for found in after:
            if tuple(w.seq for w in found) not in before:
                words = "、".join(_told(w) for w in found if w.seq != word.seq)
                raise InputRefused(
                    "K320",
                    f"この判断は、いま有効な判断と両立しません：{words}",
                    "名寄せの判断",
                    "示された判断のどれかを取り消すか、住民記録の二人を同一とする判断を先に行ってください。",
                )

    def plus(self, events: pa.Table) -> "KeyMaster":
        """This key master with more events after its own."""
        return KeyMaster(pa.concat_tables([self.events, events]), self.register_source, self.later)

    def _replayed(self) -> DuckEngine:
        engine = DuckEngine()
        engine.register("event", self.events)
        return engine


def read_master(home: Path, keys: KeyRing, register_source: str = REGISTER) -> KeyMaster:
    """The key master of a home; raises RunFailed K304 if events are missing or doubled."""
    return KeyMaster(read_events(home, keys), register_source)


@cache
def _bound(name: str, register: str) -> exp.Expression:
    return bind(load(PACKAGE, name), register=register)


def _where(table: pa.Table, column_name: str, value: str) -> pa.Table:
    return table.filter(pc.equal(table[column_name], pa.scalar(value, pa.string())))


def _pairs(found: Collection[tuple[Ref, Ref]]) -> pa.Table:
    rows = [{"source": m[0], "record_id": m[1], "resident_id": r[1]} for m, r in sorted(found)]
    return pa.Table.from_pylist(rows, arrow_schema(PAIR))


def _told(word: Word) -> str:
    """A word as a message names it: number, day, answer, sources; no key of a record."""
    return f"{word.seq}番（{word.night.isoformat()}、{ANSWER_TITLES[word.answer]}、{word.left[0]}と{word.right[0]}）"


def _redirect_table(redirects: dict[str, str]) -> pa.Table:
    rows = [{"person_id": person, "current_person_id": now} for person, now in sorted(redirects.items())]
    return pa.Table.from_pylist(rows, arrow_schema(REDIRECT))


def _mint(unkept: pa.Table, keys: KeyRing) -> pa.Table:
    """A new id for every group that has none: opaque, and the same again if the night is repeated after a crash."""
    columns = (unkept[name].to_pylist() for name in ("anchor_source", "anchor_id", "times"))
    ids = keys.tokens(PURPOSE, (("person", source, record, str(times)) for source, record, times in zip(*columns, strict=True)))
    return unkept.append_column("person_id", pc.coalesce(unkept["known_id"], pa.array(ids, pa.string())))


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
