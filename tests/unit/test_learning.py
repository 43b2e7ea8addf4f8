"""`judge learn`, `score` and `drift` on small made-up pasts: the ladder, the guard, leaks, hostile files, the same
answer twice.
"""

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from typer.testing import CliRunner

from kizuki.app.bench_learning import STAFF, measure_world, past_of, points_of, question_of, report_learning
from kizuki.app.bench_worlds import WorldShape, make_world
from kizuki.app.learning import read_points
from kizuki.app.learning_tables import known_by
from kizuki.cli.judge import app
from kizuki.engine.duck import DuckEngine
from kizuki.judge import yardstick
from kizuki.judge.backtest import train
from kizuki.judge.case_table import CaseTable
from kizuki.judge.drift import drifted, table_points
from kizuki.judge.features import ADDITIVE, features
from kizuki.judge.ladder import learn
from kizuki.judge.middle_band import draw, estimate
from kizuki.judge.point_sql import points_query
from kizuki.judge.sample_size import required_for_fit
from kizuki.terms.errors import KizukiError
from tests.learning_world import write_past

SMALL = WorldShape(children=2000, periods=3, items=10, base_rate=0.03)


def call(*arguments: object) -> Any:
    result = CliRunner().invoke(app, [str(a) for a in arguments], catch_exceptions=False)
    assert result.exit_code == 0
    return json.loads(result.stdout)


def learned(path: Path, *extra: object) -> Any:
    return call(
        "learn", "--items", path, "--label", "outcome", "--time", "as_of", "--group", "household", "--capacity", 60, *extra
    )


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("past") / "past.csv"
    write_past(path)
    return path


@pytest.fixture(scope="module")
def found(past: Path) -> Any:
    signs = past.with_name("signs.csv")
    signs.write_text("item,direction\nvisits,1\nweeks,1\nlate,1\n", encoding="utf-8")
    return learned(past, "--monotone", signs, "--out", past.with_name("points.json"), "--sheet", past.with_name("sheet.md"))


def test_the_contract_s_keys_are_there(found: Any) -> None:
    assert {"method", "events", "points", "promise", "calibration", "refused"} <= set(found)
    assert {"n", "precision", "recall", "interval"} <= set(found["promise"])
    for kind in ("precision", "recall"):
        low, high = found["promise"]["interval"][kind]
        assert 0 <= low <= found["promise"][kind] <= high <= 1
    assert found["refused"] == [] and found["method"] in ("hybrid", "additive")
    assert 0.5 < found["calibration"]["e_o"] < 2 and len(found["calibration"]["bins"]) == 10


def test_columns_that_say_nothing_are_left_out_with_a_reason(found: Any) -> None:
    assert {line["item"] for line in found["left_out"]} == {"constant", "empty"}
    assert "child" not in {i["item"] for i in found["points"]["items"]}


def test_agreed_directions_hold_in_every_step(found: Any) -> None:
    tables = {i["item"]: [s["value"] for s in i["steps"]] for i in found["points"]["items"]}
    for name in {"visits", "weeks", "late"} & set(tables):
        assert tables[name] == sorted(tables[name])
    assert tables["late"][1] > tables["late"][0]


def test_the_same_seed_gives_the_same_answer(past: Path, found: Any) -> None:
    again = learned(past, "--monotone", past.with_name("signs.csv"))
    assert json.dumps(again) == json.dumps(found)


def test_rows_are_scored_in_order_and_sql_agrees(past: Path, found: Any) -> None:
    out = CliRunner().invoke(
        app, ["score", "--points", str(past.with_name("points.json")), "--items", str(past)], catch_exceptions=False
    )
    rows = list(csv.DictReader(out.stdout.splitlines()))
    given = list(csv.DictReader(past.read_text(encoding="utf-8").splitlines()))
    assert [int(r["row"]) for r in rows] == list(range(len(given)))
    assert all(json.loads(r["reasons"]) for r in rows[:50]) and {r["verdict_known"] for r in rows} == {"true", "false"}
    table = read_points(past.with_name("points.json"))
    kinds = {i.name: i.kind for i in table.items}
    held = [
        {"row": k} | {n: (None if g[n] == "" else float(g[n]) if kinds[n] == "number" else g[n]) for n in kinds}
        for k, g in enumerate(given)
    ]
    with DuckEngine() as engine:
        engine.register("t", pa.Table.from_pylist(held))
        sql = {r["row"]: r["points"] for r in engine.query(points_query(table, "t", "row")).to_pylist()}
    assert max(abs(sql[int(r["row"])] - float(r["points"])) for r in rows) <= 1e-9


def test_the_table_is_the_fitted_rule_to_the_last_digits() -> None:
    cases = past_of(make_world(SMALL, 3), with_staff=True)
    rung = features(cases, {}, STAFF, ADDITIVE)
    fit = train(rung, cases, np.flatnonzero(cases.closed))
    by_rule = rung.design.matrix(rung.codes).astype(np.float64) @ fit.beta[: rung.design.width]
    assert rung.staff is not None
    by_rule += np.append(rung.staff[2], 0.0)[rung.staff[1]] * fit.beta[rung.design.width]
    at = {c.name: c for c in cases.items}
    by_table = np.zeros(len(cases))
    for item in rung.tables(fit):
        column = at[item.name]
        cells = [
            (column.levels[int(v)] if column.levels else v) if k else None
            for v, k in zip(column.values, column.known, strict=True)
        ]
        by_table += np.array([item.contribution(c) for c in cells])
    # the design matrix is held in single precision; the table is exact
    assert float(np.abs(by_rule - by_table).max()) < 1e-5


def test_the_sheet_follows_tripod_and_carries_the_figures(past: Path, found: Any) -> None:
    text = past.with_name("sheet.md").read_text(encoding="utf-8")
    heads = [int(line.split()[1]) for line in text.splitlines() if line.startswith("## ")]
    assert heads == list(range(1, 28))
    assert found["points"]["digest"] in text and f"{found['events']:,}件" in text


def test_the_children_it_was_learned_on_do_not_drift_and_others_stop_the_run(past: Path, found: Any, tmp_path: Path) -> None:
    points = past.with_name("points.json")
    assert call("drift", "--points", points, "--items", past)["stop"] is False
    rows = list(csv.DictReader(past.read_text(encoding="utf-8").splitlines()))
    changed = tmp_path / "blank.csv"
    with changed.open("w", encoding="utf-8", newline="") as file:
        out = csv.DictWriter(file, rows[0])
        out.writeheader()
        out.writerows([r | {"visits": ""} for r in rows])
    with pytest.raises(KizukiError) as stopped:
        call("drift", "--points", points, "--items", changed)
    assert stopped.value.code == "K552" and stopped.value.exit_code == 5


def test_whose_outcome_nobody_saw_is_no_other_population() -> None:
    world = make_world(WorldShape(children=3000, periods=3, base_rate=0.05), 11)
    cases = past_of(world, with_staff=True)
    leaves = (cases.period < world.last) & (world.staff > np.quantile(world.staff, 0.6))  # as pupils of the last grade
    seen = replace(cases, label=np.where(leaves, np.nan, cases.label))
    answer = learn(seen, question_of(world, 60, with_staff=True))
    assert answer.table is not None
    assert drifted(answer.table, seen.take(np.flatnonzero(seen.period == world.last)))["stop"] is False


def test_few_cases_use_staff_points_or_say_that_it_cannot_be_published(tmp_path: Path) -> None:
    path = tmp_path / "few.csv"
    write_past(path, children=500, rate=-6.2)
    with_staff = learned(path)
    assert with_staff["events"] < 30 and with_staff["method"] == "staff_points"
    assert [i["item"] for i in with_staff["points"]["items"]] == ["staff_points"]
    text = path.read_text(encoding="utf-8").replace("staff_points", "other")
    path.write_text(text, encoding="utf-8")
    without = learned(path)
    assert without["refused"] and "30件未満" in without["refused"][0]
    assert without["points"]["facts"]["publishable"] is False


def test_no_case_at_all_is_told_and_nothing_is_promised(tmp_path: Path) -> None:
    path = tmp_path / "none.csv"
    path.write_text("h,t,y,x\n" + "".join(f"{k},2020,0,{k % 7}\n" for k in range(60)), encoding="utf-8")
    none = call("learn", "--items", path, "--label", "y", "--time", "t", "--capacity", 5)
    assert none["points"] is None and none["promise"] is None and none["refused"]


def test_an_item_known_only_afterwards_is_found_and_not_used(past: Path, tmp_path: Path) -> None:
    rows = list(csv.DictReader(past.read_text(encoding="utf-8").splitlines()))
    path = tmp_path / "leak.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.DictWriter(file, [*rows[0], "case_opened", "counted"])
        out.writeheader()
        for k, r in enumerate(rows):
            late = "1" if r["outcome"] == "1" else ""
            out.writerow(r | {"case_opened": late, "counted": str(int(r["outcome"] or 0) * 3 + k % 2)})
    told = learned(path)
    assert {s["item"] for s in told["leaks"]} == {"case_opened", "counted"}
    assert not {"case_opened", "counted"} & {i["item"] for i in told["points"]["items"]}
    assert told["refused"] and told["points"]["facts"]["publishable"] is False


def test_one_year_only_is_told_and_the_interval_is_wider(tmp_path: Path) -> None:
    def width(years: int) -> tuple[float, Any]:
        path = tmp_path / f"{years}.csv"
        write_past(path, children=1500, years=years)
        told = learned(path)
        low, high = told["promise"]["interval"]["recall"]
        return high - low, told

    one, told = width(1)
    assert any("期が 1つ" in n for n in told["notes"])
    assert one > width(4)[0]


def test_outcome_windows_must_have_closed() -> None:
    periods = ("2020-04-01", "2020-10-01", "2021-04-01")
    assert known_by(periods, None)[2].tolist() == [True, True, False]
    assert known_by(periods, 365)[2].tolist() == [True, False, False]


HOSTILE = {
    "": "K541",
    "y,t,x\n": "K541",
    "y,t,t\n1,2020,3\n": "K542",
    "y,t,\n1,2020,3\n": "K542",
    "a,t,x\n1,2020,3\n": "K542",
    "y,t\n1,2020\n": "K542",
    "y,t,x\n1,2020\n": "K543",
    "y,t,x\n2,2020,3\n": "K544",
    "y,t,x\n1,,3\n": "K545",
    "y,t,x\n" + "1,2020,3\n" * 30 + "0,2020,たくさん\n": "K546",
    "y,t,x\n" + "1,2020,3\n" * 30 + "0,2020,1e999\n": "K546",
    'y,t,x\n1,2020,"3\n': "K541",
}


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_tables_are_refused_with_a_code_and_no_value(tmp_path: Path, text: str) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(KizukiError) as refused:
        call("learn", "--items", path, "--label", "y", "--time", "t", "--capacity", 5)
    assert refused.value.code == HOSTILE[text] and refused.value.exit_code == 4
    assert "たくさん" not in str(refused.value)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "bad.csv"
    path.write_bytes("y,t,x\n1,2020,漢字\n".encode("cp932"))
    with pytest.raises(KizukiError) as refused:
        call("learn", "--items", path, "--label", "y", "--time", "t", "--capacity", 5)
    assert refused.value.code == "K541"


@pytest.mark.parametrize(
    "signs", ["item,direction\nnobody,1\n", "item,direction\nvisits,2\n", "item,direction\nvisits,1\nvisits,1\n"]
)
def test_a_bad_file_of_directions_is_refused(past: Path, tmp_path: Path, signs: str) -> None:
    path = tmp_path / "signs.csv"
    path.write_text(signs, encoding="utf-8")
    with pytest.raises(KizukiError) as refused:
        learned(past, "--monotone", path)
    assert refused.value.code == "K547"


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"format": "kizuki-points-1"}', "[" * 5000, '{"format": NaN}'])
def test_a_file_that_is_no_points_table_is_refused(past: Path, tmp_path: Path, text: str) -> None:
    path = tmp_path / "points.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(KizukiError) as refused:
        CliRunner().invoke(app, ["score", "--points", str(path), "--items", str(past)], catch_exceptions=False)
    assert refused.value.code == "K549"


def test_riley_s_example_is_reproduced() -> None:
    assert required_for_fit(24, 0.174, 0.288).rows == 662


def test_noise_teaches_next_to_nothing() -> None:
    world = make_world(WorldShape(children=2000, periods=3, items=10, base_rate=0.03, strength=0.0, burden=0.0), 5)
    told = learn(past_of(world, with_staff=False), question_of(world, 40, with_staff=False))
    assert told.table is not None and told.promise is not None
    points = points_of(told, past_of(world, with_staff=False))
    assert float(np.std(points)) < 0.6
    assert told.promise.recall < 0.06  # two per cent of the children find two per cent of the cases


def test_learned_points_find_more_than_staff_and_report_it() -> None:
    outcome = measure_world(WorldShape(children=2500, periods=3, items=15, base_rate=0.04), 11)
    assert outcome.recall >= 0.8 * outcome.staff and outcome.auc > 0.6
    assert "区間に入った割合" in report_learning([outcome])


def test_a_middle_band_draw_is_unbiased_and_its_probabilities_are_true() -> None:
    rng = np.random.default_rng(4)
    chance = rng.beta(0.5, 30, 1500)
    band = np.arange(200, 1500)
    times = np.zeros(len(band))
    for seed in range(400):
        taken = draw(chance, band, 60, seed)
        assert len(taken.rows) in (59, 60, 61)
        times += np.isin(band, taken.rows)
    assert abs(taken.inclusion.sum() - 60) < 1e-6
    assert float(np.abs(times / 400 - taken.inclusion).max()) < 0.12
    label = (rng.random(1500) < chance).astype(float)
    totals = []
    for seed in range(400):
        taken = draw(chance, band, 60, seed)
        at = np.searchsorted(band, taken.rows)
        totals.append(estimate(10, taken.rows, taken.inclusion[at], label[taken.rows], seed)["below_list"])
    spread = float(np.std(totals)) / 20
    assert abs(float(np.mean(totals)) - label[band].sum()) < 3.5 * spread


def test_the_boosted_yardstick_is_a_table_that_gives_the_library_s_own_points() -> None:
    world = make_world(WorldShape(children=600, periods=2, items=5, base_rate=0.1), 6)
    cases = past_of(world, with_staff=False)
    machine, _ = yardstick.fitted(cases, world.directions, 1)
    table = yardstick.boosted(cases, world.directions, label="結果", capacity=20, seed=1)
    by_library = machine.decision_function(yardstick.matrix(cases.items))
    assert float(np.abs(by_library - table_points(table, cases)).max()) <= 1e-9


def test_the_bench_never_shows_the_learner_the_future() -> None:
    world = make_world(SMALL, 2)
    seen: CaseTable = past_of(world, with_staff=True)
    assert np.isnan(seen.label[seen.period == world.last]).all()
    assert not {"chance"} & {c.name for c in seen.items}
