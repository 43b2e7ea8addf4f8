"""The programme verbs and the arithmetic of evaluation."""

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from kizuki.cli.programme import app
from kizuki.judge.validation import at_capacity, auc, by_group, report, wilson
from kizuki.terms.errors import InputRefused


def lines(output: str) -> list[dict]:
    return [json.loads(line) for line in output.splitlines() if line.strip()]


def test_the_catalogue_tells_how_many_examples_pass(tmp_path: Path) -> None:
    out = CliRunner().invoke(app, ["list", "--home", str(tmp_path), "--json"], catch_exceptions=False)
    found = json.loads(out.stdout)["programmes"]
    assert {p["id"] for p in found} >= {"single_parent_allowance", "school_aid", "medical_single_parent"}
    assert all(p["examples"] >= 8 and not p["failed"] for p in found)


def test_the_vocabulary_is_closed_and_says_who_holds_each_fact() -> None:
    facts = json.loads(CliRunner().invoke(app, ["vocabulary", "--json"]).stdout)["facts"]
    assert {f["held_by"] for f in facts} == {"member", "household"}
    assert all(f["id"] and f["name"] and f["type"] in ("number", "truth", "text") for f in facts)


def test_households_are_judged_line_by_line(tmp_path: Path) -> None:
    members = [
        {"id": "p", "role": "父母", "income_yen": 500000, "dependants": 1},
        {"id": "c", "role": "児童", "birth_date": "2016-05-01", "single_parent": True},
    ]
    case = json.dumps({"case": 7, "household": {"public_assistance_now": False, "members": members}}, ensure_ascii=False)
    out = CliRunner().invoke(
        app, ["judge", "--date", "2025-10-01", "--home", str(tmp_path)], input=f"{case}\n\n", catch_exceptions=False
    )
    answers = {a["programme"]: a for a in lines(out.stdout)}
    assert {a["case"] for a in answers.values()} == {7}
    assert (answers["single_parent_allowance"]["verdict"], answers["single_parent_allowance"]["amount_yen"]) == ("該当", 46690)
    assert (answers["medical_single_parent"]["person"], answers["medical_single_parent"]["verdict"]) == ("c", "該当")
    assert answers["school_aid"]["verdict"] == "該当"  # the income alone decides: whether the home is rented need not be known
    assert answers["school_aid"]["unknown"] == []


@pytest.mark.parametrize(
    "line", ["{", "[]", '{"case": 1}', '{"case": 1, "household": 3}', '{"household": {"members": [{"role": "x"}]}}']
)
def test_unreadable_lines_are_refused_with_their_number(tmp_path: Path, line: str) -> None:
    with pytest.raises(InputRefused) as error:
        CliRunner().invoke(
            app, ["judge", "--date", "2025-10-01", "--home", str(tmp_path)], input=f"\n{line}\n", catch_exceptions=False
        )
    assert error.value.code in ("K601", "K602") and "2行目" in error.value.where


def test_auc_counts_ties_half() -> None:
    label = np.array([True, True, False, False])
    assert auc(np.array([3.0, 2.0, 2.0, 1.0]), label) == pytest.approx(0.875)
    assert auc(np.array([1.0, 1.0, 1.0, 1.0]), label) == pytest.approx(0.5)
    assert auc(np.array([1.0]), np.array([True])) is None


def test_wilson_matches_the_published_example() -> None:
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=2e-4)  # Newcombe 1998, table II, method 3
    assert wilson(0, 0) is None


def test_capacity_and_groups() -> None:
    rng = np.random.default_rng(1)
    chance = rng.random(2000) * 0.2
    label = rng.random(2000) < chance
    found = report(chance, chance, label, chance, capacities=(100, 5000))
    assert found["auc"] == found["ceiling"]["auc"] > 0.6
    assert found["at_capacity"][1]["recall"] == 1.0
    assert at_capacity(chance, label, 100)["precision"] > label.mean()
    groups = by_group(chance > 0.1, label, {"sex": ["1"] * 1990 + ["2"] * 10})
    assert [g["answer"] for g in groups] == ["判定できる", "判定できない"]
