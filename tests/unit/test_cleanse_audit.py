"""What cleansing did is counted by field and flag, without a value; readings are learnt from the register."""

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest

from kizuki.app import cleansing_board
from kizuki.app.city_definitions import GAIJI, VARIANTS, writing_tables
from kizuki.app.release import Released
from kizuki.app.served import Definitions
from kizuki.cleanse.audit import TOTAL, Tally
from kizuki.cleanse.conform import conform_counted
from kizuki.cleanse.flags import Flag
from kizuki.cleanse.person_records import learn_context, person_records_counted
from kizuki.cleanse.readings import learn_readings
from kizuki.definitions.loader import load_definitions
from kizuki.definitions.shipped import shipped_definitions
from kizuki.govern.actor import Actor
from kizuki.terms.errors import DefinitionError
from tests.unit.test_cleanse_conform import DAY, SCHOOL, landing

SOURCES = load_definitions(shipped_definitions()).sources


def counted(table: pa.Table) -> dict[tuple[str, str, str], tuple[int, int]]:
    return {(r["field"], r["flag"], r["detail"] or ""): (r["writings"], r["cells"]) for r in table.to_pylist()}


def test_a_tally_counts_writings_and_cells_and_names_unlisted_gaiji_by_code() -> None:
    tally = Tally("school_life")
    texts = ["高橋　一", "\ue001橋　一", "髙橋　一", "だれも書かない"]
    flags = [(), (Flag.GAIJI_UNKNOWN,), (Flag.VARIANT,), (Flag.SPACE,)]
    tally.add("name", "name", texts, flags, codes=[0, 0, 1, 1, 2, -1, -2])
    assert counted(tally.table()) == {
        ("name", TOTAL, ""): (3, 5),
        ("name", "gaiji_unknown", "U+E001"): (1, 2),
        ("name", "variant", ""): (1, 1),
    }
    assert Tally("school_life").table().num_rows == 0


def register(*people: tuple[str, str, str]) -> pa.Table:
    manifest = SOURCES["resident_register"]
    rows = [
        {"person_no": f"{n:010d}", "household_no": "1", "name": name, "kana": kana, "address": address, "birth_date": "H5.4.1"}
        for n, (name, kana, address) in enumerate(people, 1)
    ]
    return conform_counted(manifest, [("d1", DAY, "full", landing(manifest, rows))])[0]


def test_fields_are_counted_where_they_are_typed_and_names_where_they_are_keyed() -> None:
    manifest = SOURCES["school_life"]
    nobody = [{"month": "2024/05", "name": "高橋一", "days_absent": "なし", "seat_no": ""}]
    unnamed = conform_counted(manifest, [("d1", DAY, "diff", landing(manifest, nobody))])[0]
    assert person_records_counted(manifest, unnamed, learn_context(None))[0].num_rows in (0, 1)
    rows = [{**SCHOOL, "name": "高橋一", "days_absent": "なし", "seat_no": "１"}]
    table, fields = conform_counted(manifest, [("d1", DAY, "diff", landing(manifest, rows))])
    told = counted(fields)
    assert told["days_absent", "not_number", ""] == (1, 1)
    assert told["seat_no", "width", ""] == (1, 1)
    assert not any(field == "name" for field, _, _ in told)
    _, persons = person_records_counted(manifest, table, learn_context(None))
    assert counted(persons)["name", "split_by_list", ""] == (1, 1)
    assert "高橋" not in str(persons.to_pylist()) + str(fields.to_pylist())


def test_a_reading_of_somebody_else_is_doubted_and_nothing_is_doubted_without_knowledge() -> None:
    people = [(f"山{c}", f"ヤマ{k}") for c, k in zip("田本口川下", ("ダ", "モト", "グチ", "カワ", "シタ"), strict=True)] * 2
    more = [(f"{c}田", f"{k}ダ") for c, k in zip("吉前池上", ("ヨシ", "マエ", "イケ", "ウエ"), strict=True)] * 2
    readings = learn_readings([*people, *more])
    assert not readings.doubtful("山田", "ヤマダ")
    assert not readings.doubtful("山吉", "ヤマヨシ"), "the head is read as the city reads it"
    assert readings.doubtful("山田", "サトウ")
    assert not readings.doubtful("鬱田", "サトウ"), "nobody here is written with 鬱"
    assert not readings.doubtful("", "サトウ") and not readings.doubtful("山田", "")


def test_the_register_teaches_which_readings_of_a_source_are_doubtful() -> None:
    kanji, kana = "山田 山本 山口 山下 吉田 前田 池田", "ヤマダ ヤマモト ヤマグチ ヤマシタ ヨシダ マエダ イケダ"
    surnames = list(zip(kanji.split(), kana.split(), strict=True))
    people = [(f"{k}　花子", f"{r} ハナコ", "大阪府わかば市緑町1-1") for k, r in surnames for _ in range(2)]
    wrong = ("山田　花子", "サトウ ハナコ", "大阪府わかば市緑町1-1")
    conformed = register(*people, wrong)
    _, counts = person_records_counted(SOURCES["resident_register"], conformed, learn_context(conformed))
    assert counted(counts)["reading", "reading_doubtful", ""] == (1, 1)


def test_the_city_s_own_tables_come_from_its_definitions_and_change_the_night(tmp_path: Path) -> None:
    nothing = writing_tables(tmp_path)
    assert (nothing.gaiji, nothing.variants) == ({}, {})
    folder = tmp_path / "definitions"
    folder.mkdir()
    (folder / GAIJI).write_text("元データ,外字,文字\nresident_register,U+E000,髙\n", encoding="utf-8")
    (folder / VARIANTS).write_text("文字,比較文字\n斎,斉\n", encoding="utf-8")
    own = writing_tables(tmp_path)
    assert own.version != nothing.version == writing_tables(tmp_path / "nowhere").version
    conformed = register(("\ue000橋　花子", "タカハシ ハナコ", ""), ("斎藤　花子", "サイトウ ハナコ", ""))
    records, _ = person_records_counted(
        SOURCES["resident_register"], conformed, learn_context(conformed, own.gaiji, own.variants)
    )
    assert records.column("name_key").to_pylist() == ["高橋花子", "斉藤花子"]
    (folder / GAIJI).write_text("元データ,外字,文字\nresident_register,髙,髙\n", encoding="utf-8")
    with pytest.raises(DefinitionError, match="K202"):
        writing_tables(tmp_path)


def row(source: str, field: str, flag: str, cells: int, detail: str = "") -> dict[str, Any]:
    named = {"source": source, "field": field, "rule": field, "flag": flag, "detail": detail}
    return {**named, "writings": 1, "cells": cells}


ROWS = (
    row("school_life", "name", TOTAL, 1000),
    row("school_life", "name", "variant", 500),
    row("school_life", "name", "gaiji_unknown", 3, "U+E001"),
    row("resident_register", "birth_date", TOTAL, 2000),
    row("resident_register", "birth_date", "not_date", 1),
)


@pytest.fixture
def board(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The board over fixed counts, narrowed as asked."""
    monkeypatch.setattr(cleansing_board, "release", lambda *_, **__: Released(list(ROWS)))
    served: Any = SimpleNamespace(definitions=Definitions(load_definitions(shipped_definitions())))
    actor = Actor(1, "it", "it", "it", "operation", "s")
    return lambda **chosen: cleansing_board.cleansing_board(actor, served, cleansing_board.Chosen(**chosen))


def flags_of(lines: Sequence[cleansing_board.Line]) -> list[str]:
    return [line.flag for line in lines]


def test_what_people_must_see_to_comes_first_and_the_board_can_be_narrowed(board: Any) -> None:
    whole = board()
    assert flags_of(whole.lines) == ["gaiji_unknown", "not_date", "variant"]
    assert (whole.cells, whole.open_cells) == (3000, 4)
    assert [line.share for line in whole.lines] == ["0.3%", "0.1%未満", "50.0%"]
    assert whole.lines[0].title == "氏名" and whole.lines[0].detail == "U+E001"
    assert flags_of(board(open_only=True).lines) == ["gaiji_unknown", "not_date"]
    assert flags_of(board(source="school_life").lines) == ["gaiji_unknown", "variant"]
    assert flags_of(board(field="birth_date").lines) == ["not_date"]
    assert board(flag="too_long").lines == ()
    assert {s.id for s in whole.sources} == {"school_life", "resident_register"}


def test_the_file_for_a_spreadsheet_has_one_line_per_count(board: Any) -> None:
    lines = cleansing_board.as_csv(board().lines).decode("utf-8-sig").splitlines()
    assert len(lines) == 4
    assert "U+E001" in lines[1] and lines[1].endswith("必要")
