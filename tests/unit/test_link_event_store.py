"""The key master on disk: nothing is lost when parts are put together, when two write at once, or when a night is killed."""

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from kizuki.app import linking
from kizuki.app.linking import link_night
from kizuki.definitions.loader import Definitions, load_definitions
from kizuki.definitions.shipped import shipped_definitions
from kizuki.engine.keys import KeyRing
from kizuki.engine.store import write_table
from kizuki.link import event_store
from kizuki.link.event_store import FOLDER, MOST_PARTS, append_events, id_ring, read_events, renumbered, verify_chain
from kizuki.link.master import KeyMaster, no_events, read_master
from kizuki.link.words import Ref
from kizuki.terms.errors import RunFailed
from tests.unit.link_people import NIGHT, REGISTER, record, resident, table

KEYS = KeyRing(b"e" * 32)
PAIR: tuple[Ref, Ref] = (("office", "a"), (REGISTER, "R1"))


def word(home: Path, answer: str = "same") -> pa.Table:
    master = read_master(home, KEYS)
    return master.decide(*PAIR, answer, night=NIGHT, actor="審査者1", reason="検査")


def words(times: int) -> list[pa.Table]:
    master = KeyMaster(no_events())
    made = [master.decide(*PAIR, a, night=NIGHT, actor="審査者1", reason="検査") for a in ("same", "hold")]
    return [renumbered(made[n % 2], n) for n in range(times)]


def said(home: Path, times: int) -> pa.Table:
    """As many events as asked for, each added by itself."""
    for event in words(times):
        append_events(home, KEYS, event)
    return pa.concat_tables(words(times))


def parts(home: Path) -> list[Path]:
    return sorted((home / FOLDER).glob("*.parquet"))


def test_many_parts_are_put_together_and_every_event_stays(tmp_path: Path) -> None:
    made = said(tmp_path, 3 * MOST_PARTS)
    assert len(parts(tmp_path)) <= MOST_PARTS
    assert read_events(tmp_path, KEYS).equals(made)
    verdict = verify_chain(tmp_path, KEYS)
    assert (verdict.ok, verdict.events) == (True, 3 * MOST_PARTS)


def test_a_large_part_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_store, "_SMALL", 2)
    append_events(tmp_path, KEYS, pa.concat_tables(words(70)))
    first = parts(tmp_path)[0]
    for _ in range(MOST_PARTS):
        append_events(tmp_path, KEYS, word(tmp_path, "hold"))
    assert first in parts(tmp_path)
    assert len(parts(tmp_path)) == 2
    assert read_events(tmp_path, KEYS)["seq"].to_pylist() == list(range(1, 70 + MOST_PARTS + 1))


def test_cut_off_while_putting_together_both_forms_read_as_one(tmp_path: Path) -> None:
    made = said(tmp_path, 5)
    write_table(tmp_path / FOLDER / f"{2:010d}-{4:010d}.parquet", made.slice(1, 3), KEYS, "keymaster")
    assert read_events(tmp_path, KEYS).equals(made)
    append_events(tmp_path, KEYS, word(tmp_path))
    assert read_events(tmp_path, KEYS).num_rows == 6


def test_a_part_of_an_earlier_version_is_read_by_its_rows(tmp_path: Path) -> None:
    write_table(tmp_path / FOLDER / f"{1:010d}.parquet", pa.concat_tables(words(3)), KEYS, "keymaster")
    append_events(tmp_path, KEYS, word(tmp_path))
    assert read_events(tmp_path, KEYS).num_rows == 4
    assert verify_chain(tmp_path, KEYS).ok


def test_who_is_slower_is_told_and_nothing_is_overwritten(tmp_path: Path) -> None:
    mine, theirs = word(tmp_path), word(tmp_path, "different")
    append_events(tmp_path, KEYS, theirs)
    with pytest.raises(RunFailed) as refused:
        append_events(tmp_path, KEYS, mine)
    assert refused.value.code == "K322"
    assert read_events(tmp_path, KEYS).equals(theirs)
    append_events(tmp_path, KEYS, mine, renumber=True)  # a night's events hold whatever was said meanwhile
    assert read_events(tmp_path, KEYS)["state"].to_pylist() == ["different", "same"]


@pytest.mark.parametrize("harm", ["changed", "dropped", "rewritten"])
def test_history_that_was_touched_is_noticed(tmp_path: Path, harm: str) -> None:
    made = said(tmp_path, 4)
    noted = verify_chain(tmp_path, KEYS).head
    assert verify_chain(tmp_path, KEYS, noted).ok
    other = made.set_column(made.column_names.index("state"), made.schema.field("state"), pa.array(["different"] * 4))
    if harm == "changed":  # by somebody who holds the key: the file itself reads well
        write_table(parts(tmp_path)[1], other.slice(1, 1), KEYS, "keymaster")
        assert verify_chain(tmp_path, KEYS).first_bad == 2
    elif harm == "dropped":
        parts(tmp_path)[-1].unlink()
        with pytest.raises(RunFailed, match="K304"):
            read_events(tmp_path, KEYS)
    else:
        for path in (tmp_path / FOLDER).iterdir():
            path.unlink()
        append_events(tmp_path, KEYS, other)
        assert verify_chain(tmp_path, KEYS).ok
        assert not verify_chain(tmp_path, KEYS, noted).ok


def test_the_chain_makes_up_for_a_line_a_crash_kept_away(tmp_path: Path) -> None:
    said(tmp_path, 3)
    chain = tmp_path / FOLDER / "chain.jsonl"
    chain.write_text("".join(line + "\n" for line in chain.read_text().splitlines()[:-1]))
    append_events(tmp_path, KEYS, word(tmp_path))
    assert [json.loads(line)["last"] for line in chain.read_text().splitlines()] == [1, 2, 3, 4]
    assert verify_chain(tmp_path, KEYS).ok


# --- ids -------------------------------------------------------------------------------------------------------------------

REN = resident(3, ("鈴木", "蓮"), ("スズキ", "レン"), "2015-07-09", sex="1")
HINA = resident(1, ("佐藤", "陽菜"), ("サトウ", "ヒナ"), "2016-05-03", sex="2")
VISITOR = record("childrens_cafeteria", "K1", kana=("タナカ", "ソウ"))


@pytest.fixture(scope="module")
def definitions() -> Definitions:
    return load_definitions(shipped_definitions())


def ids(home: Path, definitions: Definitions, *rows: dict[str, Any], day: dt.date = NIGHT) -> dict[str, str]:
    found = link_night(home, KEYS, definitions, table(*rows), day).link.to_pylist()
    return {r["record_id"]: r["person_id"] for r in found}


def test_a_night_killed_before_its_events_are_kept_gives_the_same_ids_again(
    tmp_path: Path, definitions: Definitions, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids(tmp_path, definitions, REN)
    seen: list[pa.Table] = []

    def killed(home: Path, keys: KeyRing, events: pa.Table, *, renumber: bool) -> None:
        seen.append(events)
        raise KeyboardInterrupt

    day = NIGHT + dt.timedelta(days=1)
    with monkeypatch.context() as patched:
        patched.setattr(linking, "append_events", killed)
        for _ in range(2):
            with pytest.raises(KeyboardInterrupt):
                ids(tmp_path, definitions, REN, HINA, VISITOR, day=day)
    again = ids(tmp_path, definitions, REN, HINA, VISITOR, day=day)
    assert seen[0].equals(seen[1])
    assert set(again.values()) >= set(
        seen[0].filter(pc.equal(seen[0]["kind"], pa.scalar("create", pa.string())))["person_id"].to_pylist()
    )
    assert ids(tmp_path, definitions, REN, HINA, VISITOR, day=day) == again


def test_ids_follow_neither_from_the_record_nor_from_the_key(tmp_path: Path, definitions: Definitions) -> None:
    """Two homes with the same key and the same records share no id; what the ids were drawn from is replaced at once."""
    one, other = (ids(tmp_path / n, definitions, REN, HINA, VISITOR) for n in ("one", "other"))
    assert not set(one.values()) & set(other.values())
    assert all(len(i) == 32 for i in one.values())
    seed = (tmp_path / "one" / FOLDER / "next.seed").read_bytes()
    made = read_master(tmp_path / "one", KEYS).persons_made
    ring = id_ring(tmp_path / "one", KEYS, made)
    assert (tmp_path / "one" / FOLDER / "next.seed").read_bytes() == seed
    number = REN["record_id"]
    guesses = {r.token("keymaster", "person", REGISTER, number, str(n)) for r in (ring, KEYS) for n in range(3)}
    assert one[number] not in guesses


def test_a_past_day_asked_for_first_time_uses_the_ids_given_later_and_writes_nothing(
    tmp_path: Path, definitions: Definitions
) -> None:
    now = ids(tmp_path, definitions, REN, HINA, VISITOR)
    before = read_master(tmp_path, KEYS).last_seq
    past = ids(tmp_path, definitions, REN, HINA, day=NIGHT - dt.timedelta(days=30))
    assert past == {k: v for k, v in now.items() if k != "K1"}
    assert read_master(tmp_path, KEYS).last_seq == before


def test_a_word_said_after_the_asked_day_does_not_make_the_newest_night_a_replay(
    tmp_path: Path, definitions: Definitions
) -> None:
    ids(tmp_path, definitions, REN)
    hina: Ref = (REGISTER, HINA["record_id"])
    day = NIGHT + dt.timedelta(days=9)
    later = read_master(tmp_path, KEYS).decide(
        ("childrens_cafeteria", "K1"), hina, "same", night=day, actor="審査者1", reason="検査"
    )
    append_events(tmp_path, KEYS, later)
    found = ids(tmp_path, definitions, REN, HINA, VISITOR, day=NIGHT + dt.timedelta(days=1))
    assert len(set(found.values())) == 3
    master = read_master(tmp_path, KEYS)
    assert {r["record_id"]: r["person_id"] for r in master.links().to_pylist()} == found
    joined = ids(tmp_path, definitions, REN, HINA, VISITOR, day=day)
    assert joined["K1"] == joined[HINA["record_id"]]
