"""The key master: ids that stay, events that replay, groups that part and join without losing anyone."""

import datetime as dt
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from kizuki.engine.keys import KeyRing
from kizuki.engine.tables import empty
from kizuki.link.master import KeyMaster, LinkOutcome, append_events, no_events, read_master
from kizuki.link.matching import Matching
from kizuki.link.tables import REVIEW_PAIR
from kizuki.terms.errors import RunFailed
from tests.unit.link_people import REGISTER

KEYS = KeyRing(b"k" * 32)
DAY = dt.date(2026, 11, 1)
ASSIGNMENT = pa.schema(
    [pa.field(n, pa.float64() if n == "weight" else pa.string()) for n in
     ("source", "record_id", "anchor_source", "anchor_id", "rule", "weight", "state", "evidence")]
)  # fmt: skip


def groups(*members: str) -> Matching:
    """`"R1 a b"` = resident R1 with records a and b; `"a b"` = outsiders anchored at a."""
    rows: list[dict[str, Any]] = []
    for text in members:
        names = text.split()
        for name in names:
            source, anchor = (REGISTER if n.startswith("R") else "office" for n in (name, names[0]))
            state = "auto" if len(names) > 1 or source == REGISTER else "single"
            rows.append(dict.fromkeys(ASSIGNMENT.names) | {
                "source": source, "record_id": name, "anchor_source": anchor, "anchor_id": names[0],
                "rule": "register" if source == REGISTER else "test", "state": state,
            })  # fmt: skip
    return Matching(pa.Table.from_pylist(rows, schema=ASSIGNMENT), empty(REVIEW_PAIR))


def night(master: KeyMaster, matching: Matching, day: int = 0) -> tuple[KeyMaster, LinkOutcome]:
    outcome = master.reconcile(matching, KEYS, DAY + dt.timedelta(days=day), "v1")
    return master.plus(outcome.events), outcome


def who(outcome: LinkOutcome) -> dict[str, str]:
    return {r["record_id"]: r["person_id"] for r in outcome.link.to_pylist()}


def kinds(outcome: LinkOutcome) -> list[str]:
    return sorted(set(outcome.events["kind"].to_pylist()))


def test_an_identical_rerun_adds_nothing() -> None:
    master, first = night(KeyMaster(no_events()), groups("R1 a b", "R2", "c"))
    again, second = night(master, groups("R1 a b", "R2", "c"), 1)
    assert second.events.num_rows == 0
    assert second.link.equals(first.link)
    assert again.links().num_rows == 5


def test_order_of_records_does_not_matter() -> None:
    _, one = night(KeyMaster(no_events()), groups("R1 a b", "R2 c", "d"))
    _, two = night(KeyMaster(no_events()), groups("d", "R2 c", "R1 a b"))
    assert one.link.equals(two.link)
    assert one.events.equals(two.events)


def test_a_single_who_moves_in_keeps_the_id() -> None:
    master, before = night(KeyMaster(no_events()), groups("a"))
    _, after = night(master, groups("R1 a"), 1)
    assert who(after)["R1"] == who(before)["a"]
    assert "merge" not in kinds(after)


def test_two_singles_found_to_be_one_resident_leave_a_redirect() -> None:
    master, before = night(KeyMaster(no_events()), groups("R1", "a"))
    master, after = night(master, groups("R1 a"), 1)
    assert who(after)["a"] == who(before)["R1"]
    assert master.redirects() == {who(before)["a"]: who(before)["R1"]}


def test_a_split_leaves_the_id_with_the_resident() -> None:
    master, before = night(KeyMaster(no_events()), groups("R1 a"))
    master, after = night(master, groups("R1", "a"), 1)
    assert who(after)["R1"] == who(before)["R1"]
    assert who(after)["a"] != who(before)["R1"]
    assert kinds(after) == ["link", "split", "unlink"]
    rejoined, third = night(master, groups("R1 a"), 2)
    assert who(third) == who(before)
    _, fourth = night(rejoined, groups("R1", "a"), 3)
    assert who(fourth) == who(after)
    assert who(fourth)["R1"] == who(before)["R1"]


def test_a_record_moved_between_residents_touches_only_itself() -> None:
    master, before = night(KeyMaster(no_events()), groups("R1 a", "R2 b"))
    _, after = night(master, groups("R1", "R2 a b"), 1)
    assert {r["record_id"] for r in after.events.to_pylist()} == {"a"}
    assert who(after)["a"] == who(before)["R2"]


def test_a_record_that_is_gone_is_unlinked() -> None:
    master, _ = night(KeyMaster(no_events()), groups("R1 a"))
    master, after = night(master, groups("R1"), 1)
    assert [(e["kind"], e["record_id"], e["rule"]) for e in after.events.to_pylist()] == [("unlink", "a", "record_gone")]
    assert master.links()["record_id"].to_pylist() == ["R1"]


def test_past_days_can_be_asked() -> None:
    master, first = night(KeyMaster(no_events()), groups("R1", "a"))
    master, _ = night(master, groups("R1 a"), 5)
    past = master.as_of(DAY + dt.timedelta(days=4)).links()
    assert dict(zip(past["record_id"].to_pylist(), past["person_id"].to_pylist(), strict=True)) == who(first)


def test_ids_are_opaque_and_differ_between_homes() -> None:
    _, here = night(KeyMaster(no_events()), groups("R1"))
    there = KeyMaster(no_events()).reconcile(groups("R1"), KeyRing(b"z" * 32), DAY, "v1")
    assert who(here) != who(there)
    assert len(who(here)["R1"]) == 32


def test_events_survive_the_disk_and_a_repeated_night(tmp_path: Path) -> None:
    _, outcome = night(KeyMaster(no_events()), groups("R1 a", "b"))
    path = append_events(tmp_path, KEYS, outcome.events)
    assert path == append_events(tmp_path, KEYS, outcome.events)
    assert path is not None
    assert b"resident_register" not in path.read_bytes()
    assert read_master(tmp_path, KEYS).events.equals(outcome.events)
    assert append_events(tmp_path, KEYS, no_events()) is None


def test_a_missing_part_stops_the_night(tmp_path: Path) -> None:
    master, first = night(KeyMaster(no_events()), groups("R1 a"))
    lost = append_events(tmp_path, KEYS, first.events)
    append_events(tmp_path, KEYS, night(master, groups("R1", "a"), 1)[1].events)
    assert lost is not None
    lost.unlink()
    with pytest.raises(RunFailed) as refused:
        read_master(tmp_path, KEYS)
    assert refused.value.code == "K304"


def test_the_latest_word_of_a_reviewer_stands() -> None:
    master = KeyMaster(no_events())
    for answer in ("same", "different"):
        event = master.decide(("office", "a"), (REGISTER, "R1"), answer, night=DAY, actor="審査者1", reason="窓口で確認")
        master = master.plus(event)
    must, cannot = master.standing()
    assert (must.num_rows, cannot.to_pylist()) == (0, [{"source": "office", "record_id": "a", "resident_id": "R1"}])
    held = master.plus(master.decide(("office", "a"), (REGISTER, "R1"), "hold", night=DAY, actor="審査者1", reason="再確認"))
    assert [t.num_rows for t in held.standing()] == [0, 0]
    with pytest.raises(ValueError, match="same, different, hold, withdrawn"):
        master.decide(("office", "a"), (REGISTER, "R1"), "maybe", night=DAY, actor="審査者1", reason="")


def test_a_resident_gone_for_a_night_comes_back_under_their_own_id_wherever_their_records_went() -> None:
    master, ids = KeyMaster(no_events()), []
    for n, night in enumerate((("R1 b", "a"), ("R3",), ("R1 a", "R2 b"), ("R1",))):
        outcome = master.reconcile(groups(*night), KEYS, DAY + dt.timedelta(days=n), "test")
        master = master.plus(outcome.events)
        ids += [row["person_id"] for row in outcome.link.to_pylist() if row["record_id"] == "R1"]
    assert len(ids) == 3
    assert len(set(ids)) == 1
