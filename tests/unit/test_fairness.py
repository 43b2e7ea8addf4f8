"""`judge fairness`: planted differences are found, equal treatment is not accused, small groups get no answer, ties
show both ends.
"""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from kizuki.cli.judge import app
from kizuki.judge.fairness import difference, top
from kizuki.terms.errors import KizukiError


def fairness(path: Path, *options: object) -> dict[str, Any]:
    arguments = ["fairness", "--table", path, "--label", "y", "--group", "g", *options]
    found = CliRunner().invoke(app, [str(a) for a in arguments], catch_exceptions=False)
    assert found.exit_code == 0
    return {g["group"]: g for g in json.loads(found.stdout)["groups"]} | {"": json.loads(found.stdout)}


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Group b's cases are found half as often as a's; c is treated as a; d has six cases."""
    rng = np.random.default_rng(3)
    path = tmp_path_factory.mktemp("fair") / "t.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(["y", "g", "flag", "score", "p"])
        for group, n, found in (("a", 4000, 0.6), ("b", 3000, 0.3), ("c", 3000, 0.6), ("d", 60, 0.6)):
            for k in range(n):
                y = int(k < n / 10)
                flag = int(rng.random() < (found if y else 0.05))
                out.writerow([y, group, flag, flag * 2 + round(rng.random(), 1), 0.1 if group != "b" else 0.05])
    return path


def test_four_answers(table: Path) -> None:
    found = fairness(table, "--flag", "flag", "--probability", "p")
    assert found["b"]["answer"] == "差がある" and found["b"]["difference"]["tpr"][1] < 0
    assert found["d"]["answer"] == "判定できない" and found["d"]["events"] == 6
    assert {"selection_rate", "tpr", "fpr", "fnr", "precision", "intervals", "answer", "n", "events"} <= set(found["a"])
    assert found["a"]["tpr"] + found["a"]["fnr"] == pytest.approx(1, abs=1e-4)
    assert found["a"]["e_o"] == pytest.approx(1.0) and found["b"]["e_o"] == pytest.approx(0.5)
    low, high = found["b"]["intervals"]["tpr"]
    assert low < 0.3 < high


def test_equal_treatment_is_not_called_a_difference(table: Path, tmp_path: Path) -> None:
    path = tmp_path / "equal.csv"
    lines = table.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([lines[0], *(x for x in lines[1:] if x.split(",")[1] in "ac")]) + "\n", encoding="utf-8")
    found = fairness(path, "--flag", "flag")
    assert {found["a"]["answer"], found["c"]["answer"]} <= {"差があるとはいえない", "差は小さい"}


def test_ties_at_the_cut_are_told_as_best_and_worst(table: Path) -> None:
    found = fairness(table, "--score", "score", "--top", 900)
    ties = found["a"]["ties"]["tpr"]
    assert found[""]["tied"] > 0
    assert ties["worst"] <= ties["expected"] <= ties["best"] and ties["worst"] < ties["best"]
    assert found[""]["listed"] == pytest.approx(900, abs=0.01)


def test_nobody_is_listed_for_an_unknown_score() -> None:
    listed = top(np.array([np.nan, 1.0, 2.0, np.nan]), 3)
    assert listed.weight.tolist() == [0.0, 1.0, 1.0, 0.0]
    assert top(np.array([np.nan]), 1).weight.tolist() == [0.0]


def test_newcombe_s_example_is_reproduced() -> None:
    low, high = difference((56, 70), (48, 80), 1.959964)  # Newcombe 1998, example (a), method 10
    assert (round(low, 4), round(high, 4)) == (0.0524, 0.3339)


@pytest.mark.parametrize(
    ("options", "code", "exit_code"),
    [
        ((), "K551", 2),
        (("--flag", "flag", "--score", "score", "--top", 3), "K551", 2),
        (("--score", "score"), "K551", 2),
        (("--score", "score", "--top", 0), "K548", 2),
        (("--flag", "p"), "K544", 4),
        (("--flag", "nothing"), "K542", 4),
        (("--score", "g", "--top", 5), "K546", 4),
    ],
)
def test_misuse_and_bad_columns_are_refused(table: Path, options: tuple[object, ...], code: str, exit_code: int) -> None:
    with pytest.raises(KizukiError) as refused:
        fairness(table, *options)
    assert (refused.value.code, refused.value.exit_code) == (code, exit_code)
