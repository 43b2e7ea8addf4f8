"""Who comes back under a new number: two people join two rows of the register, the night does it, and takes it back."""

import datetime as dt
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from kizuki.app.snapshot_view import SnapshotView, load_view
from kizuki.engine.keys import KeyRing
from kizuki.engine.snapshots import SnapshotStore
from kizuki.link.master import read_master
from kizuki.synth.city import build_city
from kizuki.synth.write import write_city
from kizuki.terms.tables import MART_TABLES

PEOPLE, SEED = 1500, 7
NIGHTS = [dt.date(2026, 11, 20) + dt.timedelta(days=n) for n in range(4)]
FACTS = [t.name for t in MART_TABLES if t.name not in ("review_case", "review_side", "review_history", "item", "redirect")]
"""All that is known of people; items speak of the night itself, and what becomes of the pairs is looked at apart."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("returned")
    write_city(build_city(PEOPLE, SEED), made)
    return made


def night(home: Path, number: int) -> SnapshotView:
    _in_a_process(["-m", "kizuki.cli", "run", "--home", str(home), "--as-of", NIGHTS[number].isoformat()])
    store = SnapshotStore(home / "snapshots", KeyRing.load(home))
    found = store.current_id()
    assert found is not None
    return load_view(store, found)


def people(home: Path, *said: str) -> list[str]:
    """Reviewers at work in a process of their own, as the web is: `answer:PAIR:WORD`, `withdraw`; prints what they read."""
    return _in_a_process(["-m", "tests.integration.reviewers_at_work", str(home), *said])


def _in_a_process(command: list[str]) -> list[str]:
    root = Path(__file__).resolve().parents[2]
    env = os.environ | {"PYTHONPATH": f"{root}/src{os.pathsep}{root}"}
    done = subprocess.run([sys.executable, *command], cwd=root, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.splitlines()


def facts(view: SnapshotView) -> dict[str, list[Any]]:
    return {name: sorted(repr(r) for r in table.to_pylist()) for name, table in view.tables(*FACTS).items()}


def test_two_rows_of_the_register_become_one_person_and_two_again(home: Path) -> None:
    before = night(home, 0)
    cases = before.tables("review_case")["review_case"].to_pylist()
    pair = next(c for c in cases if c["rule"] == "returned" and c["state"] == "waiting")
    both = {pair["person_id"], pair["other_person_id"]}

    assert "もう一人" in people(home, f"answer:{pair['pair_id']}:same:1")[0]
    assert "決まりました" in people(home, f"answer:{pair['pair_id']}:same:2")[0]
    joined = night(home, 1)
    links = {r["record_id"]: r for r in joined.tables("link")["link"].to_pylist() if r["source"] == "resident_register"}
    rows = [links[pair[key]] for key in ("record_id", "resident_id")]
    (kept,) = {r["person_id"] for r in rows}
    (dissolved,) = both - {kept}
    assert {(r["rule"], r["state"]) for r in rows} == {("register", "auto"), ("decision", "reviewed")}
    assert {r["person_id"]: r["current_person_id"] for r in joined.tables("redirect")["redirect"].to_pylist()} == {
        dissolved: kept
    }
    persons = joined.tables("person")["person"].to_pylist()
    assert not any(p["person_id"] == dissolved for p in persons)
    again = [c for c in joined.tables("review_case")["review_case"].to_pylist() if c["pair_id"] == pair["pair_id"]]
    assert [c["state"] for c in again] == ["decided"], "nobody is asked again, and the word can be looked at"

    people(home, "withdraw")
    parted = night(home, 2)
    assert facts(parted) == facts(before)
    assert parted.tables("redirect")["redirect"].num_rows == 0
    waiting = [c for c in parted.tables("review_case")["review_case"].to_pylist() if c["pair_id"] == pair["pair_id"]]
    assert [c["state"] for c in waiting] == ["waiting"]

    people(home, f"answer:{pair['pair_id']}:different:1", f"answer:{pair['pair_id']}:different:2")
    apart = night(home, 3)
    told = [c for c in apart.tables("review_case")["review_case"].to_pylist() if c["pair_id"] == pair["pair_id"]]
    assert [c["state"] for c in told] == ["decided"], "said to be two people: not asked again"
    assert facts(apart) == facts(before)
    _, cannot = read_master(home, KeyRing.load(home)).standing()
    assert cannot.num_rows == 1
