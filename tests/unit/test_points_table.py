"""The 採点表: exact in plain Python and in SQL, readable, tamper-evident, and honest about the unknown."""

import json
import math
import random
from typing import Any

import pyarrow as pa
import pytest

from kizuki.engine.duck import DuckEngine
from kizuki.judge.drift import psi
from kizuki.judge.point_sql import points_query
from kizuki.judge.point_table import CATEGORY, NUMBER, ItemTable, PointTable, probability, read_table

VISITS = ItemTable("訪問 の回数", NUMBER, (1.0, 3.0), (), (-0.2, 0.1, 1.4), 0.3)
HOUSING = ItemTable('住まい"', CATEGORY, (), ("公営", "持'家"), (0.7, -0.123456789012345), 0.05)
TABLE = PointTable("v1", "additive", "結果", -4.1, -3.0, 10, (VISITS, HOUSING), {"publishable": True})


@pytest.mark.parametrize(
    ("cell", "value", "label"),
    [
        (0.0, -0.2, "1未満"),
        (1.0, 0.1, "1以上3未満"),
        (2.999, 0.1, "1以上3未満"),
        (3.0, 1.4, "3以上"),
        (None, 0.3, "不明"),
        (math.nan, 0.3, "不明"),
    ],
)
def test_a_number_counts_by_its_step_and_a_blank_by_its_own(cell: float | None, value: float, label: str) -> None:
    assert VISITS.contribution(cell) == value
    assert VISITS.label(VISITS.place(cell)) == label


def test_a_category_never_seen_is_unknown_not_zero() -> None:
    assert HOUSING.contribution("寮") == 0.05
    assert TABLE.score({"訪問 の回数": 0.0, '住まい"': "寮"}).verdict_known is True


def test_a_blank_that_could_decide_leaves_the_verdict_unknown() -> None:
    assert TABLE.score({"訪問 の回数": None, '住まい"': "公営"}).verdict_known is False
    assert (
        TABLE.score({"訪問 の回数": 3.0, '住まい"': "公営"}).verdict_known is False
        or TABLE.score({"訪問 の回数": 3.0, '住まい"': "公営"}).points >= -3.0
    )
    assert TABLE.score({"訪問 の回数": None, '住まい"': "持'家"}).verdict_known is (-4.1 + 1.4 - 0.123456789012345 < -3.0)


def test_sql_gives_the_same_points_as_plain_python() -> None:
    rng = random.Random(5)
    rows: list[dict[str, Any]] = [
        {
            "row": k,
            "訪問 の回数": rng.choice([None, 0.0, 1.0, 2.5, 3.0, 1e300, -5.0]),
            '住まい"': rng.choice([None, "公営", "持'家", "寮", ""]),
        }
        for k in range(500)
    ]
    with DuckEngine() as engine:
        engine.register("t", pa.Table.from_pylist(rows))
        found = {r["row"]: r for r in engine.query(points_query(TABLE, "t", "row")).to_pylist()}
    for row in rows:
        assert abs(found[row["row"]]["points"] - TABLE.points(row)) <= 1e-12
        assert abs(found[row["row"]]["probability"] - probability(TABLE.points(row))) <= 1e-12


def test_json_reads_back_the_same_and_shows_a_change() -> None:
    content = json.loads(json.dumps(TABLE.as_dict()))
    assert read_table(content) == TABLE
    content["items"][0]["steps"][2]["value"] = 0.0
    with pytest.raises(ValueError, match="書き換え"):
        read_table(content)


@pytest.mark.parametrize("key", ["items", "digest", "intercept", "format"])
def test_a_table_without_a_part_is_refused(key: str) -> None:
    with pytest.raises(ValueError):
        read_table({k: v for k, v in TABLE.as_dict().items() if k != key})


def test_probability_does_not_overflow() -> None:
    assert probability(-800.0) >= 0.0 and probability(800.0) == 1.0


def test_psi_is_zero_without_change_and_grows_with_it() -> None:
    assert psi([0.5, 0.5], [0.5, 0.5]) == 0.0
    assert psi([0.5, 0.5], [0.9, 0.1]) > 0.25
