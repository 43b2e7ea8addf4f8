"""Conform: types, states of blanks, corrections, what is replaced; person records from the result."""

import datetime as dt
from collections.abc import Mapping, Sequence

import pyarrow as pa
import pytest

from kizuki.cleanse.conform import REPLACED, UNREADABLE, conform, conform_source
from kizuki.cleanse.corrections import COLUMNS
from kizuki.cleanse.distinct import map_distinct
from kizuki.cleanse.names import NameRules, clean_name
from kizuki.cleanse.person_records import key_audit, learn_addresses, learn_context, person_records
from kizuki.cleanse.scalars import clean_person_no
from kizuki.definitions.loader import load_definitions
from kizuki.definitions.shipped import shipped_definitions
from kizuki.definitions.sources import SourceManifest
from kizuki.terms.records import PERSON_RECORD

DAY = dt.date(2024, 6, 5)
LATER = dt.date(2025, 6, 5)


@pytest.fixture(scope="module")
def sources() -> Mapping[str, SourceManifest]:
    return load_definitions(shipped_definitions()).sources


def landing(manifest: SourceManifest, rows: Sequence[Mapping[str, str]], without: Sequence[str] = ()) -> pa.Table:
    """Accepted rows as they land: every listed column text, an empty cell an empty text, a column the layout lacks left out."""
    columns: dict[str, pa.Array] = {"_line": pa.array(range(2, len(rows) + 2), pa.int32())}
    for field in manifest.fields:
        if field.name not in without:
            columns[field.name] = pa.array([r.get(field.name, "") for r in rows], pa.string()).dictionary_encode()
    return pa.table(columns)


SCHOOL = {
    "fiscal_year": "2024", "month": "2024/05", "school_code": "S01", "grade": "3", "class_no": "1", "seat_no": "07",
    "name": "高橋　一", "sex": "男", "days_required": "20", "days_absent": "", "late": "２",
}  # fmt: skip


def school_row(sources: Mapping[str, SourceManifest], without: Sequence[str] = (), **cells: str) -> dict[str, object]:
    manifest = sources["school_life"]
    table = conform(manifest, [("d1", DAY, "diff", landing(manifest, [{**SCHOOL, **cells}], without))])
    return dict(table.to_pylist()[0])


def test_values_are_typed_and_blanks_mean_what_the_manifest_says(sources: Mapping[str, SourceManifest]) -> None:
    row = school_row(sources)
    assert (row["month"], row["grade"], row["seat_no"]) == (dt.date(2024, 5, 1), 3, 7)
    assert (row["days_absent"], row["days_absent_state"]) == (0, "zero")
    assert (row["late"], row["late_state"]) == (2, "known")
    assert (row["nurse_visits"], row["nurse_visits_state"]) == (None, "not_entered")
    assert (row["separate_room_days"], row["separate_room_days_state"]) == (None, "not_applicable")
    assert row["record_id"] == "S01-2024-3-1-7"
    assert "name_state" not in row and row["flags"] is None


@pytest.mark.parametrize("blank", ["", " ", "\u3000"])
def test_spaces_alone_are_blank(sources: Mapping[str, SourceManifest], blank: str) -> None:
    assert school_row(sources, days_absent=blank)["days_absent_state"] == "zero"


def test_a_column_the_layout_does_not_have_was_not_collected(sources: Mapping[str, SourceManifest]) -> None:
    row = school_row(sources, without=("separate_room_days", "bullying"))
    assert (row["separate_room_days"], row["separate_room_days_state"]) == (None, "not_collected")
    assert (row["bullying"], row["bullying_state"]) == (None, "not_collected")


def test_a_layout_change_keeps_both_meanings(sources: Mapping[str, SourceManifest]) -> None:
    manifest = sources["school_life"]
    old = landing(manifest, [SCHOOL], without=("separate_room_days",))
    new = landing(manifest, [{**SCHOOL, "month": "2025/05", "separate_room_days": "3"}])
    table = conform(manifest, [("d1", DAY, "diff", old), ("d2", LATER, "diff", new)])
    assert table.column("separate_room_days_state").to_pylist() == ["not_collected", "known"]


def test_an_unreadable_cell_is_unknown_and_flagged(sources: Mapping[str, SourceManifest]) -> None:
    row = school_row(sources, late="たくさん")
    assert (row["late"], row["late_state"], row["flags"]) == (None, "not_entered", UNREADABLE)


def test_two_rows_of_one_key_in_one_file_are_told(sources: Mapping[str, SourceManifest]) -> None:
    manifest = sources["school_life"]
    rows = [SCHOOL, {**SCHOOL, "seat_no": "8"}, {**SCHOOL, "late": "9"}, {**SCHOOL, "seat_no": "8"}]
    done = conform_source(manifest, [("d1", DAY, "diff", landing(manifest, rows))])
    assert done.table.select(["line", "late", "flags"]).to_pylist() == [
        {"line": 4, "late": 9, "flags": REPLACED},
        {"line": 5, "late": 2, "flags": None},
    ]
    assert done.replaced.to_pylist() == [{"delivery_id": "d1", "line": 2, "kept_line": 4}]


def test_every_distinct_writing_is_audited(sources: Mapping[str, SourceManifest]) -> None:
    manifest = sources["school_life"]
    done = conform_source(manifest, [("d1", DAY, "diff", landing(manifest, [SCHOOL, {**SCHOOL, "seat_no": "8"}]))])
    late = [r for r in done.writings.to_pylist() if r["field"] == "late"]
    assert late == [{"field": "late", "raw": "２", "clean": "2", "rule": "int", "flags": "width"}]


CORRECTED = dt.date(2024, 7, 1)


def correction(**change: object) -> pa.Table:
    row = {"delivery_id": "d1", "line": 2, "field": "late", "value": "5", "corrected_on": CORRECTED, **change}
    return pa.Table.from_pylist([row], pa.schema(COLUMNS))


def test_a_correction_is_known_from_its_day_and_survives_the_same_mistake_later(sources: Mapping[str, SourceManifest]) -> None:
    manifest = sources["school_life"]
    sent = [("d1", DAY, "diff", landing(manifest, [SCHOOL])), ("d2", LATER, "diff", landing(manifest, [SCHOOL]))]
    table = conform(manifest, sent, correction())
    assert table.select(["late", "known_from", "known_to", "delivery_id"]).to_pylist() == [
        {"late": 2, "known_from": DAY, "known_to": CORRECTED, "delivery_id": "d1"},
        {"late": 5, "known_from": CORRECTED, "known_to": None, "delivery_id": "d1"},
    ]


def test_the_source_wins_when_it_changes_the_writing(sources: Mapping[str, SourceManifest]) -> None:
    manifest = sources["school_life"]
    sent = [
        ("d1", DAY, "diff", landing(manifest, [SCHOOL])),
        ("d2", LATER, "diff", landing(manifest, [{**SCHOOL, "late": "3"}])),
    ]
    table = conform(manifest, sent, correction())
    assert sorted(zip(table.column("late").to_pylist(), table.column("known_from").to_pylist(), strict=True)) == [
        (2, DAY),
        (3, LATER),
        (5, CORRECTED),
    ]


@pytest.mark.parametrize("change", [{"line": 9}, {"delivery_id": "other"}, {"field": "seat_no"}, {"field": "nothing"}])
def test_a_correction_of_nothing_changes_nothing(sources: Mapping[str, SourceManifest], change: dict[str, object]) -> None:
    manifest = sources["school_life"]
    sent = [("d1", DAY, "diff", landing(manifest, [SCHOOL]))]
    assert conform(manifest, sent, correction(**change)).to_pylist() == conform(manifest, sent).to_pylist()


def test_no_deliveries_and_empty_deliveries_give_an_empty_table_of_the_same_shape(
    sources: Mapping[str, SourceManifest],
) -> None:
    manifest = sources["school_life"]
    none = conform(manifest, [])
    some = conform(manifest, [("d1", DAY, "diff", landing(manifest, [SCHOOL]))])
    assert none.num_rows == 0 and none.schema.names == some.schema.names
    assert conform(manifest, [("d1", DAY, "full", landing(manifest, []))]).schema == none.schema


def test_map_distinct_calls_the_normaliser_once_per_writing() -> None:
    calls: list[str] = []

    def counting(text: str):  # type: ignore[no-untyped-def]
        calls.append(text)
        return clean_person_no(text)

    column = pa.chunked_array([["1", "2", None], ["1", "0000000002"]])
    values, flags = map_distinct(column, counting, pa.string())
    assert values.to_pylist() == ["0000000001", "0000000002", None, "0000000001", "0000000002"]
    assert flags.to_pylist() == ["leading_zero", "leading_zero", None, "leading_zero", None]
    assert sorted(calls) == ["0000000002", "1", "2"]


RESIDENT = {
    "person_no": "0000000011", "household_no": "0000000001", "name": "髙橋　花子", "kana": "ﾀｶﾊｼ ﾊﾅｺ", "sex": "2",
    "birth_date": "平成30年5月1日", "address": "大阪府わかば市桜台三丁目12番5号", "postcode": "594-0001",
    "resident_status": "1", "resident_type": "1", "changed_on": "R6.4.1", "processed_on": "R6.4.2",
}  # fmt: skip


def residents(manifest: SourceManifest) -> pa.Table:
    neighbours = [
        {**RESIDENT, "person_no": f"{n:010d}", "name": name, "kana": kana, "address": f"大阪府わかば市{town}1-{n}"}
        for n, (name, kana, town) in enumerate(
            [("東海林　太郎", "ｼｮｳｼﾞ ﾀﾛｳ", "桜台"), ("林　太郎", "ﾊﾔｼ ﾀﾛｳ", "緑町"), ("林　さくら", "ﾊﾔｼ ｻｸﾗ", "緑町")], 21
        )
    ]
    moved = {**RESIDENT, "name": "東海林　花子", "kana": "", "postcode": "", "address": "大阪府わかば市緑町2丁目1-1"}
    first = landing(manifest, [RESIDENT, *neighbours])
    return conform(manifest, [("d1", DAY, "full", first), ("d2", LATER, "diff", landing(manifest, [moved]))])


def test_a_person_record_is_the_newest_writing_and_a_blank_does_not_erase(sources: Mapping[str, SourceManifest]) -> None:
    manifest = sources["resident_register"]
    conformed = residents(manifest)
    table = person_records(manifest, conformed, learn_context(conformed))
    assert table.schema.names == list(PERSON_RECORD.column_names())
    row = next(r for r in table.to_pylist() if r["record_id"] == "0000000011")
    assert (row["name"], row["family_key"], row["given_key"]) == ("東海林　花子", "東海林", "花子")
    assert (row["kana"], row["kana_key"], row["postcode"]) == ("タカハシ ハナコ", "タカハシハナコ", "5940001")
    assert (row["town_key"], row["block_key"], row["sex"]) == ("わかば市緑町", "2-1-1", "2")
    assert (row["birth_date"], row["known_from"]) == (dt.date(2018, 5, 1), DAY)


def test_the_register_teaches_how_other_sources_are_split(sources: Mapping[str, SourceManifest]) -> None:
    context = learn_context(residents(sources["resident_register"]))
    assert context.addresses.city == "わかば市" and "緑町" in context.addresses.towns
    cafeteria = sources["childrens_cafeteria"]
    visit = {"visit_no": "V1", "visited_on": "2024/05/01", "name": "", "kana": "はやしさくら", "facility": "A"}
    conformed = conform(cafeteria, [("d1", DAY, "diff", landing(cafeteria, [visit]))])
    row = person_records(cafeteria, conformed, context).to_pylist()[0]
    assert (row["record_id"], row["family_kana_key"], row["given_kana_key"], row["name"]) == ("V1", "ハヤシ", "サクラ", None)


def test_roles_of_one_source_give_one_record_per_person(sources: Mapping[str, SourceManifest]) -> None:
    manifest = sources["child_allowance"]
    rows = [
        {"recipient_no": "11", "child_no": "21", "started_on": "R3.4.1"},
        {"recipient_no": "11", "child_no": "22", "started_on": "R4.4.1"},
    ]
    conformed = conform(manifest, [("d1", DAY, "full", landing(manifest, rows))])
    table = person_records(manifest, conformed, learn_context(None))
    assert table.column("record_id").to_pylist() == ["0000000011", "0000000021", "0000000022"]
    assert table.column("person_no").to_pylist() == table.column("record_id").to_pylist()


def test_gaiji_is_read_for_matching_and_left_in_the_display(sources: Mapping[str, SourceManifest]) -> None:
    manifest = sources["resident_register"]
    conformed = conform(manifest, [("d1", DAY, "full", landing(manifest, [{**RESIDENT, "name": "\ue000橋　花子"}]))])
    row = person_records(manifest, conformed, learn_context(conformed, {"resident_register": {0xE000: "髙"}})).to_pylist()[0]
    assert (row["name"], row["name_key"]) == ("\ue000橋　花子", "高橋花子")
    assert clean_name("\ue000橋　花子", NameRules()).key == "〓橋花子"


def test_an_empty_register_teaches_nothing() -> None:
    assert learn_addresses([]).city is None
    assert learn_context(None).names.families == frozenset()


def test_names_and_addresses_are_audited_with_their_keys_and_flags(sources: Mapping[str, SourceManifest]) -> None:
    manifest = sources["resident_register"]
    conformed = residents(manifest)
    rows = {
        (r["field"], r["raw"]): (r["clean"], r["flags"])
        for r in key_audit(manifest, conformed, learn_context(conformed)).to_pylist()
    }
    assert rows["name", "髙橋　花子"] == ("高橋花子", "variant")
    assert rows["address", "大阪府わかば市緑町2丁目1-1"] == ("わかば市緑町/2-1-1", None)
    assert key_audit(sources["childcare"], conformed, learn_context(None)).num_rows == 0
