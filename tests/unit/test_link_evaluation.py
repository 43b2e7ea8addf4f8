"""The figures of linking: B-cubed by hand, absent twins, what review adds, churn of ids, truths that cannot be judged by."""

import datetime as dt
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from kizuki.app.link_evaluation import Gathered, id_churn, read_truth, resident_cases
from kizuki.app.linking import History
from kizuki.cli.link import _evaluation_lines
from kizuki.engine.keys import KeyRing
from kizuki.engine.tables import arrow_schema, empty
from kizuki.link.evaluation import Judged, churn, evaluate, wilson
from kizuki.link.master import KeyMaster, no_events
from kizuki.link.matching import Matching
from kizuki.link.tables import CLASS_YEAR, FORMER_NAME, REVIEW_PAIR, SCHOOL_ROLL
from kizuki.terms.errors import InputRefused
from tests.unit.link_people import NIGHT, REGISTER, number, record, resident, table

KEYS = KeyRing(b"e" * 32)


def links(*rows: tuple[str, str, str] | tuple[str, str, str, str]) -> pa.Table:
    """person, source, record id, and the state (auto when left out)."""
    made = [(*r, "auto") if len(r) == 3 else r for r in rows]
    return pa.Table.from_pylist(
        [{"person_id": p, "source": s, "record_id": r, "rule": "x", "weight": None, "state": state} for p, s, r, state in made]
    )


def truth(*rows: tuple[str, str, str]) -> pa.Table:
    return pa.table(dict(zip(("true_person", "source", "record_id"), map(list, zip(*rows, strict=True)), strict=True)))


def review(*rows: tuple[str, str, str]) -> pa.Table:
    made = [dict.fromkeys(REVIEW_PAIR.column_names()) | {"source": s, "record_id": r, "resident_id": n} for s, r, n in rows]
    return pa.Table.from_pylist(made, schema=arrow_schema(REVIEW_PAIR))


def test_b_cubed_of_the_textbook_example() -> None:
    # Bagga & Baldwin's figure: {1..5}, {6,7}, {8..12} against a response that joins the first and the last group
    named = {n: "A" if n <= 5 else "B" if n <= 7 else "C" for n in range(1, 13)}
    given = {n: "p" if n <= 5 or n >= 8 else "q" for n in range(1, 13)}
    found = evaluate(
        Judged(
            links(*((given[n], "s", str(n)) for n in named)),
            review(),
            table(*(record("s", str(n), kana=("ア", "イ")) for n in named)),
            truth(*((named[n], "s", str(n)) for n in named)),
            REGISTER,
        )
    )
    assert found["cluster"] == {"precision": round((10 * 0.5 + 2) / 12, 6), "recall": 1.0, "f1": round(14 / 19, 6)}
    assert found["pairwise"]["precision"] == round((10 + 10 + 1) / (45 + 1), 6)


def twins_house() -> tuple[dict[str, Any], ...]:
    """A twin on the register; two records of the other twin, who is not."""
    here = resident(1, ("佐藤", "陽菜"), ("サトウ", "ヒナ"), "2016-05-03", sex="2")
    visit = record("cafe", "K1", kana=("サトウ", "ヒナコ"))
    club = record("club", "C1", kanji=("佐藤", "陽菜子"), birth_date=dt.date(2016, 5, 3))
    return here, visit, club


def test_a_link_to_the_twin_of_an_absent_child_is_counted_as_such() -> None:
    known = truth(("T1", REGISTER, number(1)), ("T2", "cafe", "K1"), ("T2", "club", "C1"))
    wrong = Judged(
        links(("p1", REGISTER, number(1)), ("p1", "cafe", "K1"), ("p2", "club", "C1", "single")),
        review(), table(*twins_house()), known, REGISTER,
    )  # fmt: skip
    found = evaluate(wrong)
    assert found["absent_twin_links"] == 1
    assert found["automatic"] == {
        "links": 1,
        "wrong": {"wrong": 1, "absent_twin": 1, "absent_person": 0, "twin": 0, "other": 0},
        "precision": 0.0,
        "interval": wilson(0, 1),
    }
    assert found["by_case"]["no_resident"]["precision"] == 0.0
    assert found["by_case"]["no_resident"]["n"] == 0
    reviewed = Judged(
        links(("p1", REGISTER, number(1)), ("p1", "cafe", "K1", "reviewed"), ("p2", "club", "C1", "single")),
        review(), table(*twins_house()), known, REGISTER,
    )  # fmt: skip
    assert evaluate(reviewed)["absent_twin_links"] == 0  # a person's mistake is none of the machine's


def test_right_answers_join_records_and_residents_and_wrong_pairs_nothing() -> None:
    old = resident(1, ("佐藤", "陽菜"), ("サトウ", "ヒナ"), "2016-05-03")
    new = resident(2, ("佐藤", "陽菜"), ("サトウ", "ヒナ"), "2016-05-03")
    other = resident(3, ("佐藤", "陽奈"), ("サトウ", "ヒナ"), "2015-05-03")
    visit, club = (record(s, "1", kana=("サトウ", "ヒナ")) for s in ("cafe", "club"))
    found = evaluate(
        Judged(
            links(("p1", REGISTER, number(1)), ("p2", REGISTER, number(2)), ("p3", REGISTER, number(3)),
                  ("p4", "cafe", "1", "single"), ("p5", "club", "1", "single")),
            review(*(("cafe", "1", number(n)) for n in (1, 3)), ("club", "1", number(3)), (REGISTER, number(1), number(2))),
            table(old, new, other, visit, club),
            truth(("T1", REGISTER, number(1)), ("T1", REGISTER, number(2)), ("T3", REGISTER, number(3)),
                  ("T1", "cafe", "1"), ("T1", "club", "1")),
            REGISTER,
        )
    )  # fmt: skip
    assert found["pairwise"] == {"precision": None, "recall": 0.0, "f1": None}
    # of the four records of T1, three are joined: 3 of 6 pairs
    assert found["after_review"]["pairwise"] == {"precision": 1.0, "recall": 0.5, "f1": round(2 / 3, 6)}
    assert (found["review_pairs"], found["records_in_review"]) == (4, 3)
    assert found["by_case"]["returned"]["recall_after_review"] == 0.5
    assert "namesakes" not in found["by_case"]  # two numbers of one human are no namesakes


def test_one_answer_speaks_for_all_visits_of_an_outsider_to_one_place() -> None:
    child = resident(1, ("佐藤", "陽菜"), ("サトウ", "ヒナ"), "2016-05-03")
    visits = [record("cafe", n, kana=("サトウ", "ヒナ")) for n in "123"]
    club = record("club", "1", kana=("サトウ", "ヒナ"))
    found = evaluate(
        Judged(
            links(("p1", REGISTER, number(1)), *(("p2", "cafe", n) for n in "123"), ("p2", "club", "1")),
            review(("cafe", "1", number(1))),
            table(child, *visits, club),
            truth(("T1", REGISTER, number(1)), *(("T1", "cafe", n) for n in "12"), ("T9", "cafe", "3"), ("T1", "club", "1")),
            REGISTER,
        )
    )
    # the visits move together, the stranger among them too; the club's record does not
    assert found["after_review"]["pairwise"] == {"precision": 0.5, "recall": 0.5, "f1": 0.5}
    assert found["by_source"]["cafe"]["recall_after_review"] == 1.0
    assert found["by_source"]["club"]["recall_after_review"] == 0.0


def test_churn_counts_moved_records_and_lost_persons() -> None:
    before = links(("p1", "s", "a"), ("p1", "s", "b"), ("p2", "s", "c"))
    after = links(("p1", "s", "a"), ("p2", "s", "b"), ("p2", "s", "c"), ("p9", "s", "d"))
    assert churn(before, after) == {"records": 3, "moved": 1, "persons": 2, "persons_gone": 0, "share": round(1 / 3, 6)}
    assert churn(before, links(("p7", "s", "c")))["persons_gone"] == 2


def test_an_identical_night_moves_nobody_and_nights_are_compared() -> None:
    def matched(anchor: str) -> Matching:
        ends = [
            (REGISTER, number(1), REGISTER, number(1)),
            ("cafe", "K1", *((REGISTER, number(1)) if anchor else ("cafe", "K1"))),
        ]
        names = ("source", "record_id", "anchor_source", "anchor_id")
        told = {"rule": "x", "weight": None, "state": "auto", "evidence": None}
        made = pa.Table.from_pylist([dict(zip(names, e, strict=True)) | told for e in ends])
        kinds = {"weight": pa.float64(), "evidence": pa.string()}
        return Matching(
            made.cast(pa.schema([pa.field(f.name, kinds.get(f.name, f.type)) for f in made.schema])), empty(REVIEW_PAIR)
        )

    first = KeyMaster(no_events()).reconcile(matched(""), KEYS, NIGHT, "m")
    master = KeyMaster(first.events)
    same = master.reconcile(matched(""), KEYS, NIGHT, "m")
    assert id_churn(master, same.link, NIGHT)["rerun"]["moved"] == 0
    assert id_churn(master, same.link, NIGHT)["previous_night"] is None
    next_day = NIGHT + dt.timedelta(days=1)
    second = master.reconcile(matched("resident"), KEYS, next_day, "m")
    later = id_churn(master.plus(second.events), second.link, next_day)
    assert (later["rerun"]["moved"], later["previous_night"]["moved"]) == (0, 1)
    assert later["previous_night"]["night"] == NIGHT.isoformat()
    assert id_churn(KeyMaster(no_events()), first.link, NIGHT) == {"rerun": None, "previous_night": None}


def test_residents_are_sorted_into_the_cases_a_fair_linking_must_not_fail() -> None:
    day = dt.date(2026, 11, 20)
    register = pa.Table.from_pylist(
        [
            {"record_id": "1", "resident_from": day - dt.timedelta(300), "previous_address": "他市", "resident_type": "日本人"},
            {"record_id": "2", "resident_from": dt.date(1990, 1, 1), "previous_address": "他市", "resident_type": "外国人"},
            {"record_id": "3", "resident_from": None, "previous_address": None, "resident_type": "日本人"},
        ]
    )
    former = pa.Table.from_pylist([{"resident_id": "3", "name_key": "甲乙", "kana_key": None}], arrow_schema(FORMER_NAME))
    past = History(empty(SCHOOL_ROLL), empty(CLASS_YEAR), former)
    parent = record("single_parent_allowance", "2", person_no="2")
    found = resident_cases(Gathered(table(parent), past, register), day).to_pylist()
    assert {(r["name"], r["record_id"]) for r in found} == {
        ("moved_in", "1"), ("foreign", "2"), ("renamed", "3"), ("single_parent", "2")
    }  # fmt: skip
    assert resident_cases(Gathered(table(), past, None), day).num_rows == 1


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "K306"),
        (b"true_person,source\nT1,s\n", "K306"),
        (b"true_person,source,record_id\n", "K306"),
        (b"true_person,source,record_id\nT1,,1\n", "K306"),
        (b"true_person,source,record_id\nT1,s\n", "K306"),
        ("true_person,source,record_id\n花,s,1\n".encode("cp932"), "K306"),
        (b"PK\x03\x04\x00\x00\xff\xfe", "K306"),
        (b"true_person,source,record_id\nT1,s,1\nT2,s,1\n", "K309"),
    ],
)
def test_a_bad_truth_is_refused_with_a_code(tmp_path: Path, content: bytes, code: str) -> None:
    path = tmp_path / "truth.csv"
    path.write_bytes(content)
    with pytest.raises(InputRefused) as refused:
        read_truth(tmp_path, path)
    assert (refused.value.code, refused.value.exit_code) == (code, 4)
    with pytest.raises(InputRefused):
        read_truth(tmp_path, tmp_path)  # a folder


def test_a_truth_may_come_in_any_order_with_marks_and_repeats(tmp_path: Path) -> None:
    path = tmp_path / "truth.csv"
    path.write_bytes('\ufeffsource,備考,record_id,true_person\r\ns,"二\n行",007,T1\r\ns,,007,T1\r\n s ,x, 8 ,T2\r\n'.encode())
    assert read_truth(tmp_path, path).to_pylist() == [
        {"true_person": "T1", "source": "s", "record_id": "007"},
        {"true_person": "T2", "source": "s", "record_id": "8"},
    ]


def test_the_figures_read_as_sentences() -> None:
    known = truth(("T1", REGISTER, number(1)), ("T2", "cafe", "K1"), ("T2", "club", "C1"))
    link = links(("p1", REGISTER, number(1)), ("p1", "cafe", "K1"), ("p2", "club", "C1", "single"))
    found = evaluate(Judged(link, review(), table(*twins_house()), known, REGISTER))
    told = "\n".join(
        _evaluation_lines({**found, "id_churn": {"rerun": churn(link, link), "previous_night": None}, "seconds": 1})
    )
    for part in (
        "いないふたごの相手への誤り 1件",
        "人が変わった記録 0件",
        "比べる夜がありません",
        found["automatic_rate_meaning"],
        "—",
    ):
        assert part in told
