"""The README's first command, small and without serving: the contract's JSON, and the night's promises on a whole city."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from kizuki.app.bench_city_learning import race_city, report_city_learning
from kizuki.app.bench_judging import measure_judging, report_judging
from kizuki.app.city_definitions import definitions_of
from kizuki.synth.city import DEFAULT_TODAY
from tests.repo.source_tree import ROOT

PEOPLE = 2000
ROLES = {"steering", "data_owner", "analyst", "caseworker", "it", "link_reviewer", "notice_officer"}
ROLES |= {"programme_desk", "programme_office", "auditor"}


def _kizuki(*words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "PYTHONWARNINGS": "default"}
    return subprocess.run(
        [sys.executable, "-m", "kizuki.cli", *words], capture_output=True, text=True, env=environment, timeout=300, check=False
    )


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo") / "var"


@pytest.fixture(scope="module")
def demo(home: Path) -> dict[str, Any]:
    done = _kizuki("demo", "--people", str(PEOPLE), "--seed", "7", "--no-serve", "--json", "--home", str(home))
    assert done.returncode == 0, done.stderr[-2000:]
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_demo_answers_with_every_key_of_the_contract(demo: dict[str, Any]) -> None:
    keys = {"people", "households", "children", "deliveries", "rows", "stages", "snapshot", "candidates", "unclaimed", "users"}
    assert keys <= set(demo)
    assert {"name", "rows", "seconds", "peak_mb"} <= set(demo["stages"][0])
    assert demo["people"] == PEOPLE
    assert demo["candidates"] > 0
    assert demo["unclaimed"] > 0


def test_one_sign_in_per_role(demo: dict[str, Any]) -> None:
    assert {user["role"] for user in demo["users"]} == ROLES
    assert all(user["password"] for user in demo["users"])


def test_truth_lies_where_the_answer_says(demo: dict[str, Any]) -> None:
    truth = Path(demo["truth"])
    assert {p.name for p in truth.glob("*.csv")} == {"people.csv", "difficulty.csv", "entitlement.csv", "canaries.csv"}


def test_no_line_of_any_delivery_is_lost(demo: dict[str, Any], home: Path) -> None:
    events = [json.loads(line) for line in (home / "ledger" / "deliveries.jsonl").read_text(encoding="utf-8").splitlines()]
    accepted = [e for e in events if e["status"] == "accepted"]
    assert len(accepted) > 500
    assert [e["file"] for e in accepted if e["lines"] != e["accepted"] + e["quarantined"] + e["declared"]] == []


def test_the_file_with_my_numbers_is_refused_and_nothing_else_is(demo: dict[str, Any], home: Path) -> None:
    events = [json.loads(line) for line in (home / "ledger" / "deliveries.jsonl").read_text(encoding="utf-8").splitlines()]
    refused = {(e["source"], e["as_of"]) for e in events if e["status"] == "refused"}
    assert refused == {("disability_welfare", "2026-07-01")}


def test_a_second_demo_in_the_same_home_builds_nothing_anew(demo: dict[str, Any], home: Path) -> None:
    done = _kizuki("demo", "--people", str(PEOPLE), "--seed", "7", "--no-serve", "--json", "--home", str(home))
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads(done.stdout)["snapshot"] == demo["snapshot"]


def test_a_home_with_another_city_is_left_alone(demo: dict[str, Any], home: Path) -> None:
    done = _kizuki("demo", "--people", "1500", "--seed", "8", "--no-serve", "--home", str(home))
    assert done.returncode == 2
    assert "K406" in done.stderr


def test_what_the_city_s_records_taught_is_held_against_its_truth(demo: dict[str, Any], home: Path) -> None:
    races = race_city(home, home / "truth", seed=7, capacity=20)
    assert [r.difficulty for r in races] == ["不登校", "貧困", "児童虐待"]
    assert sum(r.onsets for r in races) > 0
    for r in races:
        assert 0 <= r.onsets < r.children and r.events > 0 and 0 < r.ceiling < r.n
        assert min(r.learned, r.staff) >= 0 and max(r.learned, r.staff) <= min(r.n, r.onsets)
        assert r.moved_in is None or r.moved_in[2] <= r.moved_in[0] / max(r.moved_in[1], 1) <= r.moved_in[3]
    assert sum(r.onsets for r in races) > 0
    assert "真の確率の順" in report_city_learning(races)


def test_judging_is_measured_on_copies_of_the_city(demo: dict[str, Any], home: Path) -> None:
    few, many = measure_judging(home, definitions_of(home), DEFAULT_TODAY, (50, 1000))
    assert (few.children, many.children) == (50, 1000) and few.sets == 11
    assert 15 < many.judgements / few.judgements < 25 and many.reasons > 0 and many.seconds > 0
    assert "| 1,000 |" in report_judging([few, many])
