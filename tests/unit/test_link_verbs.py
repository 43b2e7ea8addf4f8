"""The verbs around linking: a night on disk, evaluation against a truth, any two tables, learning a model, definitions."""

import csv
import datetime as dt
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from kizuki.app.link_evaluation import read_truth
from kizuki.app.link_pairs import link_pairs
from kizuki.app.linking import decisions_version, history, link_night, link_records, linkage_of
from kizuki.cli.main import app as verbs
from kizuki.cli.main import call
from kizuki.definitions.linkage import LinkageModel, as_yaml, load
from kizuki.definitions.loader import Definitions, load_definitions
from kizuki.definitions.shipped import shipped_definitions
from kizuki.definitions.yaml import build, read_text
from kizuki.engine.keys import KeyRing
from kizuki.link import training
from kizuki.link.comparisons import splink_settings
from kizuki.link.evaluation import Judged, evaluate
from kizuki.link.master import append_events, read_master
from kizuki.link.matching import relearn
from kizuki.terms.errors import DefinitionError, InputRefused
from tests.unit.link_people import NIGHT, REGISTER, number, record, resident, table

KEYS = KeyRing(b"v" * 32)
SHIPPED = shipped_definitions()
REN = resident(3, ("鈴木", "蓮"), ("スズキ", "レン"), "2015-07-09", sex="1")
HINA = resident(1, ("佐藤", "陽菜"), ("サトウ", "ヒナ"), "2016-05-03", sex="2")
BY_NAME = record("after_school_care", "A1", kanji=("鈴木", "蓮"), kana=("スズキ", "レン"), birth_date=dt.date(2015, 7, 9))
BY_KANA = record("childrens_cafeteria", "K1", kana=("サトウ", "ヒナ"))


@pytest.fixture(scope="module")
def definitions() -> Definitions:
    return load_definitions(SHIPPED)


def persons(link: pa.Table) -> dict[str, str]:
    return {r["record_id"]: r["person_id"] for r in link.to_pylist()}


def test_a_night_is_kept_and_its_repeat_adds_nothing(tmp_path: Path, definitions: Definitions) -> None:
    rows = table(REN, HINA, BY_NAME, BY_KANA)
    first = link_night(tmp_path, KEYS, definitions, rows, NIGHT)
    again = link_night(tmp_path, KEYS, definitions, rows, NIGHT)
    assert again.link.equals(first.link)
    assert again.events.num_rows == 0
    assert len(list((tmp_path / "keymaster").glob("*.parquet"))) == 1


def test_a_replay_of_an_earlier_day_writes_nothing_and_keeps_that_days_ids(tmp_path: Path, definitions: Definitions) -> None:
    early = link_night(tmp_path, KEYS, definitions, table(REN, BY_NAME), NIGHT)
    link_night(tmp_path, KEYS, definitions, table(REN, HINA, BY_NAME), NIGHT + dt.timedelta(days=1))
    before = read_master(tmp_path, KEYS).last_seq
    replay = link_night(tmp_path, KEYS, definitions, table(REN, BY_NAME), NIGHT)
    assert replay.link.equals(early.link)
    assert read_master(tmp_path, KEYS).last_seq == before


def test_a_reviewers_word_holds_on_the_next_night(tmp_path: Path, definitions: Definitions) -> None:
    rows = table(REN, HINA, BY_KANA)
    link_night(tmp_path, KEYS, definitions, rows, NIGHT)
    said_nothing = decisions_version(tmp_path, KEYS, NIGHT)
    event = read_master(tmp_path, KEYS).decide(
        ("childrens_cafeteria", "K1"), (REGISTER, number(1)), "same", night=NIGHT, actor="審査者1", reason="本人に確認"
    )
    append_events(tmp_path, KEYS, event)
    assert decisions_version(tmp_path, KEYS, NIGHT) != said_nothing
    found = link_night(tmp_path, KEYS, definitions, rows, NIGHT + dt.timedelta(days=1))
    assert persons(found.link)["K1"] == persons(found.link)[number(1)]
    assert {r["state"] for r in found.link.to_pylist() if r["record_id"] == "K1"} == {"reviewed"}


def conformed(*rows: dict[str, Any]) -> pa.Table:
    return pa.Table.from_pylist(list(rows))


def test_history_tells_rolls_years_and_former_names(tmp_path: Path, definitions: Definitions) -> None:
    no = number(3)
    roll = {
        "person_no": no,
        "fiscal_year": 2026,
        "school_code": "E1",
        "grade": 6,
        "name": "高橋　蓮",
        "record_id": no,
        "known_from": NIGHT,
    }
    tables = {
        "school_enrolment": conformed(roll),
        "school_life": conformed({"record_id": "E1-2025-5-1-3", "fiscal_year": 2025, "known_from": dt.date(2026, 4, 5)}),
        "after_school_care": conformed(*({"record_id": "A9", "known_from": dt.date(y, 3, 31)} for y in (2024, 2026))),
        REGISTER: conformed(*({"record_id": no, "name": n, "kana": None} for n in ("高橋　蓮", "鈴木　蓮"))),
    }
    past = history(definitions, tables)
    years = {r["record_id"]: r["fiscal_year"] for r in past.class_years.to_pylist() if r["source"] != "school_enrolment"}
    assert years == {"E1-2025-5-1-3": 2025, "A9": 2025}
    assert {r["name_key"] for r in past.former_names.to_pylist()} == {"高橋蓮", "鈴木蓮"}
    child = record("school_life", "E1-2025-5-1-3", kanji=("高橋", "蓮"), grade="5", school_code="E1", sex="1")
    old = record("after_school_care", "A9", kanji=("高橋", "蓮"), birth_date=dt.date(2015, 7, 9))
    found = link_records(tmp_path, KEYS, definitions, table(REN, HINA, child, old), NIGHT, past=past).link.to_pylist()
    rules = {r["record_id"]: r["rule"] for r in found}
    assert (rules["E1-2025-5-1-3"], rules["A9"]) == ("school_next_grade_name", "former_name_birth")
    assert len({r["person_id"] for r in found}) == 2


def test_loosely_equal_surnames_join_only_beside_the_same_given_name(tmp_path: Path, definitions: Definitions) -> None:
    nakajima = resident(8, ("中嶋", "湊"), ("ナカジマ", "ミナト"), "2016-07-14", sex="1")
    same = record("after_school_care", "A1", kanji=("中島", "湊"), birth_date=dt.date(2016, 7, 14))
    other = record("after_school_care", "A2", kanji=("中島", "奏"), birth_date=dt.date(2016, 7, 14))
    found = link_records(tmp_path, KEYS, definitions, table(nakajima, same, other), NIGHT).link.to_pylist()
    assert {r["record_id"]: r["rule"] for r in found} == {number(8): "register", "A1": "name_loose_birth", "A2": "single"}


def test_figures_count_what_is_right_wrong_and_missed() -> None:
    def row(person: str, source: str, record_id: str, state: str = "auto") -> dict[str, Any]:
        return {"person_id": person, "source": source, "record_id": record_id, "rule": "x", "weight": None, "state": state}

    rows = [
        row("p1", REGISTER, number(3)),
        row("p2", REGISTER, number(1)),
        row("p1", "s", "a"),
        row("p1", "s", "b"),
        row("p9", "s", "c", "single"),
    ]
    truth = [("T3", REGISTER, number(3)), ("T1", REGISTER, number(1)), ("T3", "s", "a"), ("T1", "s", "b"), ("T1", "s", "c")]
    records = table(REN, HINA, *(record("s", n, kana=("ア", "イ")) for n in "abc"))
    review = pa.table({"source": ["s"], "record_id": ["c"], "resident_id": [number(1)]})
    known = pa.table(dict(zip(("true_person", "source", "record_id"), map(list, zip(*truth, strict=True)), strict=True)))
    cases = pa.table({"name": ["foreign"], "record_id": [number(1)]})
    found = evaluate(Judged(pa.Table.from_pylist(rows), review, records, known, REGISTER, cases))
    assert found["records"] == 5
    assert found["pairwise"] == {"precision": round(1 / 3, 6), "recall": 0.25, "f1": round(2 / 7, 6)}
    assert found["automatic_rate"] == round(2 / 3, 6)
    of_s = found["by_source"]["s"]
    assert {k: of_s[k] for k in ("records", "n", "precision", "recall", "f1", "automatic", "waiting")} == {
        "records": 3, "n": 3, "precision": 0.5, "recall": round(1 / 3, 6), "f1": 0.4,
        "automatic": round(2 / 3, 6), "waiting": 1,
    }  # fmt: skip
    assert of_s["recall_after_review"] == round(2 / 3, 6)  # the waiting pair is right; the wrong link stays
    assert found["by_case"]["foreign"]["n"] == 2
    assert found["cluster"]["precision"] == round((2 * 2 / 3 + 1 / 3 + 1 + 1) / 5, 6)  # two of T3 and one of T1 in p1
    assert found["automatic"]["wrong"] == {"wrong": 1, "absent_twin": 0, "absent_person": 0, "twin": 0, "other": 1}
    assert found["by_case"]["kana_only"]["records"] == 3
    assert "twins" not in found["by_case"]


def test_only_a_synthetic_home_brings_its_own_truth(tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match="K305"):
        read_truth(tmp_path, None)
    with pytest.raises(InputRefused, match="K306"):
        read_truth(tmp_path, tmp_path / "absent.csv")
    (tmp_path / "synthetic.json").write_text("{}")
    (tmp_path / "truth").mkdir()
    (tmp_path / "truth" / "people.csv").write_text("true_person,source,record_id\nT1,s,0012\n")
    assert read_truth(tmp_path, None).to_pylist() == [{"true_person": "T1", "source": "s", "record_id": "0012"}]


def written(path: Path, *rows: tuple[str, ...]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


@pytest.fixture
def columns(tmp_path: Path) -> Path:
    kinds = [
        ("番", "id"),
        ("氏名", "name"),
        ("姓", "family"),
        ("名", "given"),
        ("カナ", "kana"),
        ("生", "birth_date"),
        ("住所", "address"),
        ("電話", "phone"),
    ]
    return written(tmp_path / "columns.csv", ("column", "kind"), *kinds)


def test_any_two_tables_are_linked_by_the_same_rules(tmp_path: Path, definitions: Definitions, columns: Path) -> None:
    left = written(
        tmp_path / "left.csv",
        ("番", "姓", "名", "カナ", "生", "住所", "よそ"),
        ("1", "佐藤", "陽菜", "サトウ ヒナ", "2016-05-03", "わかば市本町1-2", "x"),
        ("2", "鈴木", "蓮", "スズキ レン", "平成27年7月9日", "わかば市東町3-4", "y"),
    )
    right = written(
        tmp_path / "right.csv",
        ("番", "氏名", "カナ", "生"),
        ("a", "佐藤陽菜", "ｻﾄｳ ﾋﾅ", "H28.5.3"),
        ("b", "佐藤 結菜", "サトウ ユイナ", "2016/5/3"),
        ("c", "鈴木蓮", "", ""),
    )
    found = {r["right_id"]: r for r in link_pairs(definitions, left, right, columns)}
    assert (found["a"]["left_id"], found["a"]["decision"]) == ("1", "auto")
    assert found["a"]["weight"] > 0
    assert "b" not in found
    assert (found["c"]["left_id"], found["c"]["decision"]) == ("2", "review")


def test_tables_that_cannot_be_read_are_refused(tmp_path: Path, definitions: Definitions, columns: Path) -> None:
    good = written(tmp_path / "good.csv", ("番", "氏名"), ("1", "佐藤 陽菜"))
    twice = written(tmp_path / "twice.csv", ("番", "氏名"), ("1", "佐藤 陽菜"), ("1", "鈴木 蓮"))
    wrong = written(tmp_path / "wrong.csv", ("column", "kind"), ("番", "番号"))
    (tmp_path / "bytes.csv").write_bytes(b"\xff\xfe\x00\x81")
    for pair, kinds, code in (
        ((good, twice), columns, "K308"),
        ((good, good), wrong, "K307"),
        ((good, tmp_path / "bytes.csv"), columns, "K307"),
    ):
        with pytest.raises(InputRefused) as refused:
            link_pairs(definitions, *pair, kinds)
        assert refused.value.code == code


def test_the_pairs_verb_prints_csv(tmp_path: Path, columns: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one = written(tmp_path / "one.csv", ("番", "氏名", "生"), ("1", "佐藤 陽菜", "2016-05-03"))
    arguments = ["link", "pairs", str(one), str(one), "--columns", str(columns), "--home", str(tmp_path)]
    assert call(lambda: verbs(arguments, standalone_mode=False)) == 0
    printed = list(csv.reader(capsys.readouterr().out.splitlines()))
    assert printed[0] == ["left_id", "right_id", "weight", "decision"]
    assert [(r[0], r[1], r[3]) for r in printed[1:]] == [("1", "1", "auto")]


def test_a_model_is_learnt_within_limits_and_reads_back(definitions: Definitions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "LEAST_PAIRS", 20)
    people = [
        resident(10 + i, (f"姓{i}", f"名{i}"), ("アオ", f"カ{'アイウエオ'[i % 5]}"), f"19{50 + i}-01-0{1 + i % 9}", sex="1")
        for i in range(40)
    ]
    told = [
        record(
            "family_consultation",
            f"F{i}",
            **{k: p[k] for k in ("person_no", "name_key", "family_key", "given_key", "birth_date")},
        )
        for i, p in enumerate(people)
    ]
    model = relearn(table(*people, *told), linkage_of(definitions), version="試し", trained_on="検査")
    levels = {(c.id, lv.id): lv for c in model.comparisons for lv in c.levels}
    assert levels["given", "kanji"].m > 0.95
    assert levels["birth", "exact"].m == pytest.approx(40.5 / 41, abs=1e-6)
    assert levels["given", "differs"].m == pytest.approx(max(0.5 / 41, model.floor), abs=1e-6)
    assert levels["phone", "exact"] == {lv.id: lv for lv in linkage_of(definitions).model.comparison("phone").levels}["exact"]
    assert build(LinkageModel, read_text(as_yaml(model), Path("model.yaml"))) == model


def test_definitions_of_linkage_are_refused_with_the_place(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError, match="K301"):
        load(tmp_path)
    rules = (SHIPPED / "linkage" / "rules.yaml").read_text(encoding="utf-8")
    for wrong in (
        rules.replace("生年月日: [一致]", "生年月日: [だいたい]", 1),
        rules.replace("生年月日: [一致]", "生年月日: [一致, 不明]", 1),
    ):
        (tmp_path / "rules.yaml").write_text(wrong, encoding="utf-8")
        with pytest.raises(DefinitionError, match="K302"):
            load(SHIPPED / "linkage", [tmp_path])


def test_a_model_without_a_degree_is_refused(definitions: Definitions) -> None:
    model = linkage_of(definitions).model
    short = model.comparisons[0].model_copy(update={"levels": model.comparisons[0].levels[1:]})
    with pytest.raises(DefinitionError, match="K303"):
        splink_settings(model.model_copy(update={"comparisons": (short, *model.comparisons[1:])}), "duckdb", 10)
