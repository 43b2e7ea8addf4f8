"""The programme verbs and the arithmetic of evaluation."""

import datetime as dt
import io
import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from kizuki.app.city_definitions import definitions_of
from kizuki.cli.programme import app
from kizuki.judge.validation import at_capacity, auc, by_group, report, wilson
from kizuki.programmes.judging import Bench
from kizuki.programmes.statements import judge_lines


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
    assert all(f["id"] and f["name"] and f["type"] in ("number", "truth", "text", "date") for f in facts)


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


FAMILY = {"members": [{"id": "m", "role": "父母", "age_years": 30}, {"id": "c", "role": "児童", "age_years": 8}]}


def judged(tmp_path: Path, stdin: bytes | str, day: str = "2025-10-01") -> tuple[list[dict], str, int]:
    """Answers, remarks and exit class of `programme judge`."""
    done = CliRunner().invoke(app, ["judge", "--date", day, "--home", str(tmp_path)], input=stdin)
    code = getattr(done.exception, "exit_code", 1) if done.exception else 0
    return lines(done.stdout), done.stderr, code


HOSTILE = {
    "cut": "{",
    "list": "[]",
    "no household": '{"case": 1}',
    "household a number": '{"case": 1, "household": 3}',
    "role unknown": '{"household": {"members": [{"role": "犬"}]}}',
    "members a text": '{"household": {"members": "児童"}}',
    "member a text": '{"household": {"members": ["児童"]}}',
    "number a text": '{"household": {"members": [{"income_yen": "たくさん"}]}}',
    "number a list": '{"household": {"members": [{"income_yen": [1]}]}}',
    "number a truth": '{"household": {"members": [{"income_yen": true}]}}',
    "truth a number": '{"household": {"public_assistance_now": 1, "members": []}}',
    "text a dict": '{"household": {"housing": {}, "members": []}}',
    "negative": '{"household": {"members": [{"income_yen": -1}]}}',
    "half a year": '{"household": {"members": [{"age_years": 1.5}]}}',
    "huge": '{"household": {"members": [{"income_yen": 1e999}]}}',
    "nan": '{"household": {"members": [{"income_yen": NaN}]}}',
    "endless digits": '{"household": {"members": [{"income_yen": ' + "9" * 5000 + "}]}}",
    "too old": '{"household": {"members": [{"age_years": 200}]}}',
    "unborn": '{"household": {"members": [{"birth_date": "2026-01-01"}]}}',
    "no date": '{"household": {"members": [{"birth_date": "平成20年"}]}}',
    "two of one id": '{"household": {"members": [{"id": "a"}, {"id": "a"}]}}',
    "one key twice": '{"household": {"housing": "借家", "housing": "持家", "members": []}}',
    "one fact in two names": '{"household": {"housing": "借家", "住居": "持家", "members": []}}',
    "id a list": '{"household": {"members": [{"id": []}]}}',
    "deep": '{"household": ' + "[" * 100_000 + "]" * 100_000 + "}",
    "long": '{"household": {"housing": "' + "あ" * 400_000 + '"}}',
    "crowd": json.dumps({"household": {"members": [{"role": "児童"}] * 101}}),
}


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_a_hostile_line_is_refused_with_its_number_and_the_others_are_judged(tmp_path: Path, name: str) -> None:
    good = json.dumps({"case": "good", "household": FAMILY}, ensure_ascii=False)
    answers, remarks, code = judged(tmp_path, f"{good}\n{HOSTILE[name]}\n\n{good}\n")
    assert code == 4
    assert [a["case"] for a in answers] == ["good"] * len(answers) and len(answers) % 2 == 0 and answers
    (remark,) = remarks.splitlines()
    assert remark.startswith("[K60") and "標準入力の2行目" in remark
    assert "犬" not in remark and "たくさん" not in remark and "平成" not in remark


def test_bytes_that_are_no_text_are_refused_and_a_byte_order_mark_is_not(tmp_path: Path) -> None:
    good = json.dumps({"case": 1, "household": FAMILY}, ensure_ascii=False).encode()
    answers, remarks, code = judged(tmp_path, b"\xef\xbb\xbf" + good + b"\r\n" + good.replace(b"30", b"\xff") + b"\n")
    assert code == 4 and answers and "[K602] 標準入力の2行目" in remarks
    answers, remarks, code = judged(tmp_path, json.dumps({"case": "\ud800", "household": FAMILY}))
    assert code == 0 and answers[0]["case"] == "\ud800"


def test_unknown_keys_are_passed_over_with_a_hint_and_change_no_answer(tmp_path: Path) -> None:
    plain = json.dumps({"household": FAMILY})
    more = json.dumps({"household": {**FAMILY, "income_yenn": 1, "山田太郎": 2}})
    answers, remarks, code = judged(tmp_path, f"{plain}\n{more}\n")
    half = len(answers) // 2
    assert code == 0 and answers[:half] == answers[half:]
    assert "[K605] 標準入力の2行目" in remarks and "income_yen）" in remarks and "山田" not in remarks


def test_a_household_nobody_listed_is_unknown_and_an_empty_one_is_not(tmp_path: Path) -> None:
    for stated in ({}, {"members": None}):
        answers, _, code = judged(tmp_path, json.dumps({"household": stated}))
        assert code == 0 and {a["verdict"] for a in answers} == {"不明"}
        assert all(a["unknown"][0]["fact"] == "members" for a in answers)
    answers, _, _ = judged(tmp_path, json.dumps({"household": {"members": []}}))
    assert {a["verdict"] for a in answers} <= {"非該当", "不明"}
    assert not [a for a in answers if a["person"]]


def test_beyond_the_last_figures_no_amount_is_given(tmp_path: Path) -> None:
    family = {
        "members": [
            {"id": "m", "role": "父母", "age_years": 35, "income_yen": 0, "dependants": 1, "public_servant": False},
            {"id": "c", "role": "児童", "age_years": 8, "age_fy_end": 9, "single_parent": True},
        ]
    }
    for day in ("2027-04-01", "2030-01-01", "2099-12-31"):
        answers, _, code = judged(tmp_path, json.dumps({"household": family}), day)
        assert code == 0 and [a for a in answers if a["amount_yen"] is not None] == []
        for name in ("single_parent_allowance", "child_allowance"):
            (answer,) = [a for a in answers if a["programme"] == name]
            assert answer["verdict"] == "不明" and any("パラメータ未更新" in u["text"] for u in answer["unknown"])


def test_a_long_stream_is_judged_line_by_line() -> None:
    """A stream is never held whole: the first answers come before the last lines are read."""

    class Endless(io.RawIOBase):
        read_lines = 0

        def readline(self, size: int | None = -1, /) -> bytes:
            self.read_lines += 1
            return json.dumps({"case": self.read_lines, "household": FAMILY}).encode() + b"\n"

    day = dt.date(2025, 10, 1)
    stream = Endless()
    found = judge_lines(stream, Bench(list(definitions_of(Path("nowhere")).programmes.values()), day), day)  # type: ignore[arg-type]
    for number in range(1, 200):
        assert next(found).answers[0]["case"] == number == stream.read_lines


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
