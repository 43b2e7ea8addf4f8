"""Two versions on one snapshot, small counts, trials that list nobody, and what the paired interval may claim."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kizuki.app.city_definitions import definitions_of
from kizuki.app.criteria_editing_checks import check
from kizuki.app.criteria_trial import SMALL, compared, judged, nightly_trials, shown_change, shown_count, version_of
from kizuki.app.judging import judge_all, judge_trials
from kizuki.definitions.criteria import CriteriaSet, read_set
from kizuki.definitions.expression import Value
from kizuki.definitions.loader import Definitions, load_definitions
from kizuki.definitions.yaml import read_text
from kizuki.engine.duck import DuckEngine
from kizuki.engine.tables import empty
from kizuki.judge.paired import BETTER, NOT_SHOWN, UNDECIDED, paired
from kizuki.judge.selection import not_applied, on_trial
from kizuki.terms.errors import DefinitionError, InputRefused
from kizuki.terms.tables import ALL_TABLES, JUDGEMENT
from tests.unit.small_mart import AS_OF, SmallMart
from tests.unit.test_criteria_form import ABSENCE, ROOT
from tests.unit.test_judging import AGES, item_table

ITEMS = (
    *("absence_days_3m", "absence_increase", "late_early_3m", "nurse_visits_3m", "sibling_absence_3m"),
    *("bullying_1y", "school_transition", "separate_room_3m"),
)


@dataclass
class View:
    """A snapshot view made of given tables."""

    tables_: Mapping[str, pa.Table]
    id: str = "test"
    as_of: dt.date = AS_OF

    def __post_init__(self) -> None:
        self.engine = DuckEngine(memory_limit="300MB", threads=1)
        for name, table in self.tables_.items():
            self.engine.register(name, table)

    def cursor(self) -> DuckEngine:
        return self.engine

    def tables(self, *names: str) -> dict[str, pa.Table]:
        return {name: self.tables_[name] for name in names}


def view(**tables: pa.Table) -> Any:
    return View({name: empty(schema) for name, schema in ALL_TABLES.items()} | tables)


@pytest.fixture(scope="module")
def definitions() -> Definitions:
    return load_definitions(ROOT / "base")


def version(definitions: Definitions, *changes: tuple[str, str]) -> CriteriaSet:
    """不登校 with some text changed."""
    text = ABSENCE
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    found = check(text, definitions, "2026.1").criteria
    assert found is not None
    return found


def child(**facts: Value) -> dict[str, Value]:
    """A child of the fifth year about whom nothing else is to be said."""
    return {**dict.fromkeys(ITEMS, 0.0), **AGES, **facts}


def test_who_enters_and_leaves_is_exactly_who_the_two_versions_disagree_about(definitions: Definitions) -> None:
    city = {
        "twelve": child(absence_days_3m=12, absence_increase=6),
        "nine": child(absence_days_3m=9, absence_increase=9, late_early_3m=8),
        "unknown": child(absence_days_3m=None, absence_increase=None),
        "none": child(),
    }
    old = definitions.criteria["absence"]
    new = version(definitions, ("直近3か月の欠席日数 ≥ 10日", "直近3か月の欠席日数 ≥ 9日"))
    found = compared(view(item=item_table(city)), definitions, (old, new))
    with DuckEngine(memory_limit="300MB", threads=1) as engine:
        engine.register("item", item_table(city))
        nightly = judge_all(engine, definitions, AS_OF)["judgement"].to_pylist()
    listed = {r["person_id"] for r in nightly if r["criteria"] == "absence" and r["verdict"] != "非該当"}
    assert found.old.listed() == listed == {"twelve", "unknown"}
    assert (found.entering, found.leaving, found.staying) == ({"nine"}, set(), {"twelve", "unknown"})
    assert found.moves()[("非該当", "該当")] == 1
    back = compared(view(item=item_table(city)), definitions, (new, old))
    assert (back.entering, back.leaving) == (found.leaving, found.entering)
    first = compared(view(item=item_table(city)), definitions, (old, new), capacity=1)
    assert len(first.old.listed(1)) == len(first.new.listed(1)) == 1


def test_a_period_nobody_asked_for_before_is_counted_from_the_mart(definitions: Definitions) -> None:
    mart = SmallMart()
    mart.person("c1", dt.date(2016, 5, 1), "h1")
    for month in (9, 10):
        mart.event("c1", "absence_days", "school_life", dt.date(2026, month, 28), value=6.0)
    words = ("直近3か月の欠席日数 ≥ 10日", "過去2か月の欠席日数 ≥ 12日"), ("{直近3か月の欠席日数}", "{過去2か月の欠席日数}")
    new = version(definitions, *words, ("{直近3か月の欠席日数: ", "{過去2か月の欠席日数: "))
    assert {i.title for i in new.derived} == {"過去2か月の欠席日数"}
    found = judged(view(**mart.tables(), item=item_table({"c1": child()})), definitions, new, reasons=True)
    said = [r["text"] for r in found.reasons.to_pylist() if r["entry"] == "absent"]
    assert said == ["直近3か月の欠席が12日あります"]


def test_small_counts_are_not_told_and_large_ones_are_rounded() -> None:
    assert [shown_count(n) for n in (0, 1, SMALL, 8, 12, 1234)] == [
        "0人",
        "7人以下",
        "7人以下",
        "約10人",
        "約10人",
        "約1,235人",
    ]
    assert {shown_change(20, 20 + d) for d in range(-SMALL, SMALL + 1)} == {"ほぼ変わらない（差は7人以下）"}
    assert shown_change(20, 62) == "約40人増える" and shown_change(62, 20) == "約40人減る"


@given(st.integers(0, 5000), st.integers(0, 5000))
def test_no_two_counts_tell_whether_one_child_more_is_listed(count: int, other: int) -> None:
    if 0 < count <= SMALL and 0 < other <= SMALL:
        assert shown_count(count) == shown_count(other)
    told = shown_count(count)
    assert told in ("0人", f"{SMALL}人以下") or int(told.strip("約人").replace(",", "")) % 5 == 0


def trial_base(tmp_path: Path, text: str) -> Path:
    folder = tmp_path / "definitions" / "criteria" / "versions"
    folder.mkdir(parents=True)
    (folder / "absence-2027.1.yaml").write_text(text, encoding="utf-8")
    return tmp_path


def test_a_trial_is_judged_every_night_and_lists_nobody(tmp_path: Path) -> None:
    text = ABSENCE.replace("位置づけ:", "試行: はい\n位置づけ:", 1).replace("≥ 10日", "≥ 9日", 1)
    home = trial_base(tmp_path, text)
    definitions = definitions_of(home)
    main = definitions.criteria["absence"]
    assert main.on(AS_OF) is not None and main.on(AS_OF).version == "2026.1"  # type: ignore[union-attr]
    assert [t.version for t in on_trial(definitions, AS_OF)] == ["2027.1"]
    city = {"nine": child(absence_days_3m=9, absence_increase=9), "none": child()}
    with DuckEngine(memory_limit="300MB", threads=1) as engine:
        engine.register("item", item_table(city))
        nightly = judge_all(engine, definitions, AS_OF)["judgement"]
        trial = judge_trials(engine, definitions, AS_OF)
    assert trial.schema.names == list(JUDGEMENT.column_names())
    assert {(r["person_id"], r["version"], r["verdict"]) for r in trial.to_pylist()} == {
        ("nine", "2027.1", "該当"),
        ("none", "2027.1", "非該当"),
    }
    assert "2027.1" not in nightly.column("version").to_pylist()
    counts = {r["verdict"]: r["children"] for r in nightly_trials(view(judgement_trial=trial))}
    assert counts == {"該当": 1, "非該当": 1}


def test_a_set_that_is_only_on_trial_says_so_and_gives_no_rows(tmp_path: Path) -> None:
    alone = (
        ABSENCE.replace("ID: absence\n", "ID: rest\n")
        .replace("名称: 不登校", "名称: 休み")
        .replace("位置づけ", "試行: はい\n位置づけ", 1)
    )
    (tmp_path / "definitions" / "criteria").mkdir(parents=True)
    (tmp_path / "definitions" / "criteria" / "rest.yaml").write_text(alone, encoding="utf-8")
    definitions = definitions_of(tmp_path)
    assert any("休み" in s and "試行中" in s for s in not_applied(definitions, AS_OF))
    with DuckEngine(memory_limit="300MB", threads=1) as engine:
        engine.register("item", item_table({"a": child()}))
        assert "rest" not in judge_all(engine, definitions, AS_OF)["judgement"].column("criteria").to_pylist()


def test_two_versions_of_one_name_are_refused(tmp_path: Path) -> None:
    text = ABSENCE.replace('"2027.1"', '"2026.1"').replace("位置づけ:", "試行: はい\n位置づけ:", 1)
    with pytest.raises(DefinitionError, match="K507"):
        definitions_of(trial_base(tmp_path, text))


def test_the_city_s_own_set_is_judged_in_a_home_that_follows_a_profile(tmp_path: Path) -> None:
    folder = tmp_path / "definitions" / "criteria"
    folder.mkdir(parents=True)
    (folder.parent / "profile.yaml").write_text("プロファイル: toda\n", encoding="utf-8")
    before = set(definitions_of(tmp_path).criteria)
    own = ABSENCE.replace("ID: absence\n", "ID: rest\n").replace("名称: 不登校", "名称: 休み")
    (folder / "rest.yaml").write_text(own, encoding="utf-8")
    assert set(definitions_of(tmp_path).criteria) == {*before, "rest"}


def test_versions_are_named_by_id_and_version(definitions: Definitions) -> None:
    assert version_of(definitions, "absence", AS_OF).version == "2026.1"
    assert version_of(definitions, "absence@2026.1", AS_OF).id == "absence"
    for name in ("absence@9", "nothing", "", "@"):
        with pytest.raises(InputRefused, match="K583"):
            version_of(definitions, name, AS_OF)


def test_a_combination_whose_parts_are_not_in_force_cannot_be_tried(definitions: Definitions) -> None:
    both = read_text((ROOT / "profiles" / "kaisei" / "criteria" / "overall.yaml").read_text(encoding="utf-8"), Path("x"))
    overall = read_set(both, definitions.items, definitions.criteria)
    part = overall.combines[0]
    gone = replace(definitions.criteria[part], valid_to=AS_OF)
    without = replace(definitions, criteria={**definitions.criteria, part: gone})
    rows = item_table({"a": child()})
    assert judged(view(item=rows), definitions, overall).verdicts
    with pytest.raises(InputRefused, match="K582"):
        judged(view(item=rows), without, overall)


def lists(n: int, seed: int, better: float) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[str]]:
    rng = np.random.default_rng(seed)
    outcome = rng.random(n) < 0.3
    old = rng.random(n) < 0.4
    new = np.where(outcome, rng.random(n) < 0.4 + better, rng.random(n) < 0.4)
    return old, new, outcome, [f"h{i // 2}" for i in range(n)]


def test_a_clearly_better_list_is_called_better_and_the_same_list_never() -> None:
    old, new, outcome, homes = lists(1200, 1, 0.4)
    found = paired(old, new, outcome, homes)
    assert found.answer == BETTER and found.interval is not None and found.interval[0] > 0
    assert found.difference == pytest.approx(float(outcome[new].mean() - outcome[old].mean()))
    assert paired(old, old, outcome, homes).answer == UNDECIDED
    assert paired(old, new, outcome, homes) == found


def test_few_known_outcomes_give_no_answer() -> None:
    old, new, outcome, homes = lists(12, 2, 0.4)
    assert paired(old, new, outcome, homes).answer == UNDECIDED
    none = np.zeros(40, dtype=bool)
    assert paired(none, ~none, none, [str(i) for i in range(40)]).answer == UNDECIDED


def test_two_lists_by_chance_are_rarely_told_apart() -> None:
    answers = [paired(*lists(300, seed, 0.0)).answer for seed in range(40)]
    assert answers.count(NOT_SHOWN) >= 32
