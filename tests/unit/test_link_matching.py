"""Named cases of linkage: who may be joined by the machine, who must wait for a person, who must never be joined."""

import datetime as dt
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from kizuki.definitions.linkage import Linkage, load
from kizuki.engine.tables import arrow_schema
from kizuki.link.matching import Context, Matching, match_records
from kizuki.link.tables import SCHOOL_ROLL
from tests.unit.link_people import REGISTER, number, record, resident, table

BASE = Path(__file__).resolve().parents[2] / "definitions" / "base" / "linkage"
HOME = {"town_key": "本町一", "block_key": "1-2", "postcode": "5940001"}
HINA = resident(1, ("佐藤", "陽菜"), ("サトウ", "ヒナ"), "2016-05-03", sex="2", **HOME)
YUINA = resident(2, ("佐藤", "結菜"), ("サトウ", "ユイナ"), "2016-05-03", sex="2", **HOME)
REN = resident(3, ("鈴木", "蓮"), ("スズキ", "レン"), "2015-07-09", sex="1", town_key="東", block_key="3-4")
CITY = [
    resident(
        100 + i,
        (f"姓{i % 37}", f"名{i % 53}"),
        (f"カ{'アイウエオ'[i % 5]}", f"タ{'ナニヌネノ'[i % 4]}{'マミム'[i % 3]}"),
        birth,
        sex="1",
    )
    for i in range(200)
    for birth in [f"{1950 + i % 50}-{1 + i % 12:02d}-{1 + i % 28:02d}"]
]


@pytest.fixture(scope="module")
def linkage() -> Linkage:
    return load(BASE)["linkage"]


def matched(linkage: Linkage, *rows: dict[str, Any], context: Context | None = None) -> Matching:
    return match_records(table(*CITY, *rows), linkage, context)


def anchor(matching: Matching, source: str, record_id: str) -> tuple[str, str, str]:
    rows = [r for r in matching.assignment.to_pylist() if (r["source"], r["record_id"]) == (source, record_id)]
    assert len(rows) == 1
    return rows[0]["anchor_source"], rows[0]["anchor_id"], rows[0]["state"]


def joined(row: dict[str, Any]) -> tuple[str, str, str]:
    return REGISTER, row["record_id"], "auto"


def alone(row: dict[str, Any]) -> tuple[str, str, str]:
    return row["source"], row["record_id"], "single"


def waiting(matching: Matching, record_id: str) -> set[str]:
    return {r["resident_id"] for r in matching.review.to_pylist() if r["record_id"] == record_id}


def test_a_number_of_the_register_decides(linkage: Linkage) -> None:
    r = record("family_consultation", "F1", person_no=number(3))
    assert anchor(matched(linkage, REN, r), "family_consultation", "F1") == joined(REN)


def test_a_mistyped_number_of_another_person_waits(linkage: Linkage) -> None:
    r = record(
        "family_consultation",
        "F1",
        person_no=number(3),
        kanji=("佐藤", "陽菜"),
        kana=("サトウ", "ヒナ"),
        birth_date=dt.date(2016, 5, 3),
    )
    found = matched(linkage, HINA, REN, r)
    assert anchor(found, "family_consultation", "F1") == alone(r)
    assert waiting(found, "F1") == {number(3)}


def test_a_valid_number_unknown_to_the_register_forbids_every_name_match(linkage: Linkage) -> None:
    r = record(
        "family_consultation",
        "F1",
        person_no=number(77),
        kanji=("佐藤", "陽菜"),
        kana=("サトウ", "ヒナ"),
        birth_date=dt.date(2016, 5, 3),
    )
    assert anchor(matched(linkage, HINA, r), "family_consultation", "F1") == alone(r)


def test_name_and_birth_join(linkage: Linkage) -> None:
    r = record("after_school_care", "A1", kanji=("佐藤", "陽菜"), kana=("サトウ", "ヒナ"), birth_date=dt.date(2016, 5, 3))
    assert anchor(matched(linkage, HINA, YUINA, r), "after_school_care", "A1") == joined(HINA)


def test_a_slip_in_a_long_reading_still_joins_by_kanji(linkage: Linkage) -> None:
    r = record("after_school_care", "A1", kanji=("佐藤", "結菜"), kana=("サトウ", "ユイマ"), birth_date=dt.date(2016, 5, 3))
    assert anchor(matched(linkage, HINA, YUINA, r), "after_school_care", "A1") == joined(YUINA)


@pytest.mark.parametrize("reading", ["ハルナ", "ヒマ", "アヤ"], ids=["another word", "one of two letters", "both letters"])
@pytest.mark.parametrize("place", [HOME, {}], ids=["at home", "nowhere said"])
def test_one_kanji_read_otherwise_may_be_another_child(linkage: Linkage, reading: str, place: dict[str, str]) -> None:
    born = dt.date(2016, 5, 3)
    r = record("after_school_care", "A1", kanji=("佐藤", "陽菜"), kana=("サトウ", reading), birth_date=born, **place)
    found = matched(linkage, HINA, r)
    assert anchor(found, "after_school_care", "A1") == alone(r)
    assert waiting(found, "A1") == {HINA["record_id"]}


def test_a_reading_written_in_one_piece_beside_the_same_kanji_is_the_same(linkage: Linkage) -> None:
    born, kana = dt.date(2016, 5, 3), ("タカダ", "ヒナ")
    r = record("after_school_care", "A1", kanji=("高田", "陽菜"), kana=kana, birth_date=born, **HOME) | {"kana": "タカダヒナ"}
    assert anchor(matched(linkage, HINA, r), "after_school_care", "A1") == joined(HINA)


def by_kana_alone(**more: Any) -> dict[str, Any]:
    return record("community_social_work", "C1", kana=("サトウ", "ヒナ"), birth_date=dt.date(2016, 5, 3), **more)


NAMESAKE = resident(9, ("佐藤", "日奈"), ("サトウ", "ヒナ"), "1991-01-20", sex="2", town_key="西", block_key="7-7")
ELSEWHERE = {"town_key": "南", "block_key": "9-9"}


@pytest.mark.parametrize("place", [HOME, {"town_key": "本町一", "block_key": "8-8"}, {}], ids=["home", "same town", "unsaid"])
def test_a_reading_and_a_birthday_join_where_no_address_speaks_against_it(linkage: Linkage, place: dict[str, str]) -> None:
    found = matched(linkage, HINA, NAMESAKE, by_kana_alone(**place))
    assert anchor(found, "community_social_work", "C1") == joined(HINA)


def test_at_another_address_a_reading_several_bear_waits(linkage: Linkage) -> None:
    r = by_kana_alone(**ELSEWHERE)
    found = matched(linkage, HINA, NAMESAKE, r)
    assert anchor(found, "community_social_work", "C1") == alone(r)
    assert waiting(found, "C1") == {HINA["record_id"]}


def test_at_another_address_a_reading_only_one_bears_still_joins(linkage: Linkage) -> None:
    found = matched(linkage, HINA, by_kana_alone(**ELSEWHERE))
    assert anchor(found, "community_social_work", "C1") == joined(HINA)


def test_absent_twin_is_never_joined_to_the_twin_who_is_there(linkage: Linkage) -> None:
    r = record(
        "after_school_care",
        "A1",
        kanji=("佐藤", "結菜"),
        kana=("サトウ", "ユイナ"),
        birth_date=dt.date(2016, 5, 3),
        sex="2",
        **HOME,
    )
    found = matched(linkage, HINA, r)
    assert anchor(found, "after_school_care", "A1") == alone(r)


def test_absent_twin_with_a_similar_name_waits_for_a_person(linkage: Linkage) -> None:
    hinano = record(
        "after_school_care",
        "A1",
        kanji=("佐藤", "陽奈"),
        kana=("サトウ", "ヒノ"),
        birth_date=dt.date(2016, 5, 3),
        sex="2",
        **HOME,
    )
    assert anchor(matched(linkage, HINA, hinano), "after_school_care", "A1") == alone(hinano)


def test_two_residents_of_one_name_and_birth_wait(linkage: Linkage) -> None:
    other = resident(4, ("佐藤", "陽菜"), ("サトウ", "ヒナ"), "2016-05-03", sex="2", town_key="西", block_key="9")
    r = record("after_school_care", "A1", kanji=("佐藤", "陽菜"), kana=("サトウ", "ヒナ"), birth_date=dt.date(2016, 5, 3))
    found = matched(linkage, HINA, other, r)
    assert anchor(found, "after_school_care", "A1") == alone(r)
    assert waiting(found, "A1") == {number(1), number(4)}


def test_a_namesake_of_the_same_day_in_another_home_with_another_phone_waits(linkage: Linkage) -> None:
    here = HINA | {"phone": "0725000001"}
    name: dict[str, Any] = {"kanji": ("佐藤", "陽菜"), "kana": ("サトウ", "ヒナ"), "birth_date": dt.date(2016, 5, 3)}
    elsewhere = {"town_key": "西", "block_key": "9", "postcode": "5940002"}
    r = record("after_school_care", "A1", phone="0725999999", **name, **elsewhere)
    found = matched(linkage, here, r)
    assert anchor(found, "after_school_care", "A1") == alone(r)
    assert waiting(found, "A1") == {number(1)}
    moved = record("after_school_care", "A1", phone="0725000001", **name, **elsewhere)
    assert anchor(matched(linkage, here, moved), "after_school_care", "A1") == joined(HINA)


def test_another_kanji_read_alike_on_the_same_day_waits(linkage: Linkage) -> None:
    r = record("after_school_care", "A1", kanji=("佐藤", "日奈"), kana=("サトウ", "ヒナ"), birth_date=dt.date(2016, 5, 3))
    found = matched(linkage, HINA, r)
    assert anchor(found, "after_school_care", "A1") == alone(r)
    assert waiting(found, "A1") == {number(1)}


def test_a_rule_that_lets_a_machine_join_on_less_is_refused(linkage: Linkage) -> None:
    def with_given(states: tuple[str, ...], **changes: tuple[str, ...]) -> None:
        rule = linkage.rules.rules[0]
        wider = rule.model_copy(update={"conditions": rule.conditions | {"名": states} | changes})
        rules = linkage.rules.model_copy(update={"rules": (wider,)})
        Linkage.model_validate({"model": linkage.model, "rules": rules})

    with_given(("漢字とカナが一致",))
    for states in (("カナが一字違い",), ("カナが一致し漢字が違う",), ("不明",)):
        with pytest.raises(ValueError, match="名の一致"):
            with_given(states)
    with pytest.raises(ValueError, match="矛盾"):
        with_given(("漢字が一致",), 生年月日=("違う",))


def test_remarriage_joins_only_with_the_address(linkage: Linkage) -> None:
    moved = record("family_consultation", "F1", kanji=("高橋", "蓮"), kana=("タカハシ", "レン"), birth_date=dt.date(2015, 7, 9))
    found = matched(linkage, REN, moved)
    assert anchor(found, "family_consultation", "F1") == alone(moved)
    assert waiting(found, "F1") == {number(3)}
    same_home = moved | {"town_key": "東", "block_key": "3-4"}
    assert anchor(matched(linkage, REN, same_home), "family_consultation", "F1") == joined(REN)


def test_moved_out_residents_are_in_the_register_and_are_joined(linkage: Linkage) -> None:
    gone = resident(5, ("東野", "楓"), ("ヒガシノ", "カエデ"), "2014-02-02", sex="1")
    r = record("maternal_child_health", "M1", kanji=("東野", "楓"), kana=("ヒガシノ", "カエデ"), birth_date=dt.date(2014, 2, 2))
    assert anchor(matched(linkage, gone, r), "maternal_child_health", "M1") == joined(gone)


def test_shared_home_and_phone_are_not_enough(linkage: Linkage) -> None:
    mother = record("community_social_work", "C1", kanji=("佐藤", "愛"), kana=("サトウ", "アイ"), phone="0725000000", **HOME)
    assert anchor(matched(linkage, HINA, mother), "community_social_work", "C1") == alone(mother)


def roll(*rows: tuple[int, int, str, str, str]) -> Context:
    found = [dict(zip(SCHOOL_ROLL.column_names(), (number(r[0]), *r[1:]), strict=True)) for r in rows]
    return Context(school_roll=pa.Table.from_pylist(found, schema=arrow_schema(SCHOOL_ROLL)))


def test_kanji_alone_never_joins_but_a_grade_of_a_school_does(linkage: Linkage) -> None:
    r = record("school_life", "S-2026-5-1-3", kanji=("鈴木", "蓮"), grade="5", school_code="E1", sex="1")
    found = matched(linkage, REN, r)
    assert anchor(found, "school_life", r["record_id"]) == alone(r)
    assert waiting(found, r["record_id"]) == {number(3)}
    listed = matched(linkage, REN, r, context=roll((3, 2026, "E1", "5", "鈴木蓮")))
    assert anchor(listed, "school_life", r["record_id"]) == joined(REN)


def test_two_children_of_one_name_in_a_grade_wait(linkage: Linkage) -> None:
    other = resident(6, ("鈴木", "蓮"), ("スズキ", "レン"), "2015-11-30", sex="1")
    r = record("school_life", "S-2026-5-1-3", kanji=("鈴木", "蓮"), grade="5", school_code="E1", sex="1")
    found = matched(linkage, REN, other, r, context=roll((3, 2026, "E1", "5", "鈴木蓮"), (6, 2026, "E1", "5", "鈴木蓮")))
    assert anchor(found, "school_life", r["record_id"]) == alone(r)
    assert waiting(found, r["record_id"]) == {number(3), number(6)}


def test_kana_alone_never_joins(linkage: Linkage) -> None:
    r = record("childrens_cafeteria", "K1", kana=("スズキ", "レン"))
    found = matched(linkage, REN, r)
    assert anchor(found, "childrens_cafeteria", "K1") == alone(r)
    assert waiting(found, "K1") == {number(3)}


def visit(
    record_id: str, kana: tuple[str, str], grade: str | None = "小学校高学年", place: str = "つばき食堂"
) -> dict[str, Any]:
    return record("childrens_cafeteria", record_id, kana=kana, grade=grade, school_code=place)


def test_a_reading_rare_at_that_age_joins_and_a_second_bearer_makes_it_wait(linkage: Linkage) -> None:
    r = visit("K1", ("スズキ", "レン"))
    assert anchor(matched(linkage, REN, r), "childrens_cafeteria", "K1") == joined(REN)
    older = visit("K1", ("スズキ", "レン"), grade="高校生世代")
    assert anchor(matched(linkage, REN, older), "childrens_cafeteria", "K1") == alone(older)
    other = resident(6, ("鈴木", "恋"), ("スズキ", "レン"), "2014-11-30", sex="2")
    found = matched(linkage, REN, other, r)
    assert anchor(found, "childrens_cafeteria", "K1") == alone(r)
    assert waiting(found, "K1") == {number(3), number(6)}


def test_a_common_reading_waits_however_well_the_age_fits(linkage: Linkage) -> None:
    common = [
        resident(300 + i, ("鈴木", f"名{i}"), ("スズキ", f"タ{'ナニヌネノ'[i % 5]}"), f"{1940 + i}-01-01") for i in range(40)
    ] + [resident(400 + i, (f"姓{i}", "蓮"), (f"カ{'アイウエオ'[i % 5]}", "レン"), f"{1940 + i}-01-01") for i in range(40)]
    r = visit("K1", ("スズキ", "レン"))
    found = matched(linkage, REN, *common, r)
    assert anchor(found, "childrens_cafeteria", "K1") == alone(r)
    assert waiting(found, "K1") == {number(3)}


def test_visits_of_one_child_to_one_place_are_one_person(linkage: Linkage) -> None:
    sora = [visit("K1", ("ニシ", "ソラ")), visit("K2", ("ニシ", "ソラ")), visit("K3", ("ニシ", "ソラ"), grade=None)]
    elsewhere = visit("K4", ("ニシ", "ソラ"), place="さざんか食堂")
    sister = visit("K5", ("ニシ", "ソオラ"))
    found = matched(linkage, REN, *sora, elsewhere, sister)
    anchors = {r["record_id"]: anchor(found, r["source"], r["record_id"])[1] for r in (*sora, elsewhere, sister)}
    assert anchors == {"K1": "K1", "K2": "K1", "K3": "K1", "K4": "K4", "K5": "K5"}
    too_old = visit("K6", ("ニシ", "ソラ"), grade="未就学")
    apart = matched(linkage, REN, *sora, too_old)
    assert {anchor(apart, r["source"], r["record_id"])[1] for r in (*sora, too_old)} == {"K1", "K2", "K3", "K6"}


def test_visits_are_not_brought_together_when_two_children_have_the_reading(linkage: Linkage) -> None:
    brother = resident(6, ("鈴木", "廉"), ("スズキ", "レン"), "2012-07-09", sex="1")  # a band later than REN
    visits = [visit("K1", ("スズキ", "レン")), visit("K2", ("スズキ", "レン"), grade=None)]
    found = matched(linkage, REN, brother, *visits)
    assert anchor(found, "childrens_cafeteria", "K1") == joined(REN)
    assert anchor(found, "childrens_cafeteria", "K2") == alone(visits[1])


def test_a_class_list_with_a_name_twice_is_two_children(linkage: Linkage) -> None:
    def pupil(record_id: str, grade: str, year: int) -> dict[str, Any]:
        day = dt.date(year, 6, 1)
        return record("school_life", record_id, kanji=("西", "空"), grade=grade, school_code="E1", known_from=day)

    years = [pupil("P1", "3", 2024), pupil("P2", "4", 2025), pupil("P3", "5", 2026)]
    found = matched(linkage, REN, *years)
    assert {anchor(found, "school_life", r["record_id"])[1] for r in years} == {"P1"}
    twice = [*years, pupil("P4", "5", 2026)]
    found = matched(linkage, REN, *twice)
    assert {anchor(found, "school_life", r["record_id"])[1] for r in twice} == {"P1", "P2", "P3", "P4"}


def pair_of(row: dict[str, Any], resident_row: dict[str, Any]) -> pa.Table:
    texts = (row["source"], row["record_id"], resident_row["record_id"])
    return pa.table({n: [t] for n, t in zip(("source", "record_id", "resident_id"), texts, strict=True)})


def test_a_reviewers_word_about_one_visit_holds_for_the_child(linkage: Linkage) -> None:
    visits = [visit("K1", ("スズキ", "レン")), visit("K2", ("スズキ", "レン"))]
    told = matched(linkage, REN, *visits, context=Context(must_link=pair_of(visits[1], REN)))
    assert {anchor(told, "childrens_cafeteria", k) for k in ("K1", "K2")} == {(REGISTER, number(3), "reviewed")}
    denied = matched(linkage, REN, *visits, context=Context(cannot_link=pair_of(visits[1], REN)))
    assert {anchor(denied, "childrens_cafeteria", k) for k in ("K1", "K2")} == {("childrens_cafeteria", "K1", "auto")}
    assert waiting(denied, "K1") == waiting(denied, "K2") == set()
    both = Context(must_link=pair_of(visits[0], REN), cannot_link=pair_of(visits[1], REN))
    split = matched(linkage, REN, *visits, context=both)
    assert anchor(split, "childrens_cafeteria", "K1") == (REGISTER, number(3), "reviewed")
    assert anchor(split, "childrens_cafeteria", "K2") == alone(visits[1])


def test_a_twin_read_almost_alike_is_not_the_one_who_is_there(linkage: Linkage) -> None:
    yuuki = resident(8, ("谷", "優希"), ("タニ", "ユウキ"), "2015-04-09", sex="2") | {
        "kana_key": "タニユキ",
        "given_kana_key": "ユキ",
    }
    yuki = {"kana": ("タニ", "ユキ"), "birth_date": dt.date(2015, 4, 9), "sex": "2"}
    r = record("community_social_work", "C1", **yuki)
    found = matched(linkage, yuuki, r)
    assert anchor(found, "community_social_work", "C1") == alone(r)
    assert waiting(found, "C1") == {number(8)}
    written = record("community_social_work", "C1", kanji=("谷", "優希"), **yuki)
    assert anchor(matched(linkage, yuuki, written), "community_social_work", "C1") == joined(yuuki)


def test_a_reading_cut_short_is_shown_to_a_reviewer(linkage: Linkage) -> None:
    minori = resident(9, ("持月", "実里"), ("モチヅキ", "ミノリ"), "2015-08-01", sex="2")
    r = visit("K1", ("モチヅキ", "ミノ"))
    found = matched(linkage, minori, r)
    assert anchor(found, "childrens_cafeteria", "K1") == alone(r)
    assert waiting(found, "K1") == {number(9)}


def test_outsiders_join_by_home_or_phone_with_the_guards_of_residents(linkage: Linkage) -> None:
    sora: dict[str, Any] = {"kanji": ("西", "空"), "kana": ("ニシ", "ソラ")}
    born = record("after_school_care", "A1", birth_date=dt.date(2013, 3, 3), phone="0725111111", **sora, **HOME)
    at_home = record("community_social_work", "C1", **sora, **HOME)
    calling = record("community_social_work", "C2", kana=("ニシ", "ソラ"), phone="0725111111")
    mother = record("community_social_work", "C3", kanji=("西", "海"), kana=("ニシ", "ウミ"), phone="0725111111", **HOME)
    rows = (born, at_home, calling, mother)
    found = matched(linkage, REN, *rows)
    assert [anchor(found, r["source"], r["record_id"])[1] for r in rows] == ["A1", "A1", "A1", "C3"]
    son = at_home | {"record_id": "C4", "sex": "1"}
    daughter = at_home | {"record_id": "C5", "sex": "2"}
    apart = matched(linkage, REN, son, daughter)
    assert [anchor(apart, r["source"], r["record_id"]) for r in (son, daughter)] == [alone(son), alone(daughter)]


def test_outsiders_of_one_name_and_birth_are_one_person_unless_numbers_differ(linkage: Linkage) -> None:
    birth = dt.date(2013, 3, 3)
    a = record("after_school_care", "A1", kanji=("西", "空"), kana=("ニシ", "ソラ"), birth_date=birth)
    b = record("maternal_child_health", "M1", kanji=("西", "空"), birth_date=birth)
    found = matched(linkage, REN, a, b)
    assert anchor(found, "maternal_child_health", "M1")[:2] == ("after_school_care", "A1")
    c = record("family_consultation", "F1", kanji=("西", "空"), birth_date=birth, person_no=number(81))
    d = record("family_consultation", "F2", kanji=("西", "空"), birth_date=birth, person_no=number(82))
    apart = matched(linkage, REN, a, b, c, d)
    assert len({anchor(apart, r["source"], r["record_id"])[:2] for r in (a, b, c, d)}) == 4


def test_reviewers_words_beat_the_rules(linkage: Linkage) -> None:
    r = record("after_school_care", "A1", kanji=("佐藤", "陽菜"), kana=("サトウ", "ヒナ"), birth_date=dt.date(2016, 5, 3))
    pair = pa.table({"source": ["after_school_care"], "record_id": ["A1"], "resident_id": [number(1)]})
    refused = matched(linkage, HINA, r, context=Context(cannot_link=pair))
    assert anchor(refused, "after_school_care", "A1") == alone(r)
    k = record("childrens_cafeteria", "K1", kana=("スズキ", "レン"))
    pair = pa.table({"source": ["childrens_cafeteria"], "record_id": ["K1"], "resident_id": [number(3)]})
    told = matched(linkage, REN, k, context=Context(must_link=pair))
    assert anchor(told, "childrens_cafeteria", "K1") == (REGISTER, number(3), "reviewed")


def test_a_blank_night_links_nobody(linkage: Linkage) -> None:
    assert match_records(table(), linkage).assignment.num_rows == 0
    only = match_records(table(REN), linkage).assignment.to_pylist()
    assert [(r["anchor_id"], r["state"]) for r in only] == [(number(3), "auto")]
