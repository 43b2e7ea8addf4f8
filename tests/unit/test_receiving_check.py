"""The receiving check of one file: what is refused, held, set aside and accepted, and in which words."""

from collections.abc import Callable

import pyarrow as pa
import pytest

from kizuki.definitions.loader import load_sources
from kizuki.definitions.shipped import shipped_definitions
from kizuki.definitions.sources import Gates, SourceManifest
from kizuki.sources import mynumber
from kizuki.sources.receive import Stamp, delivery_id, receive_bytes, stamp_of
from kizuki.sources.received import Previous, Received

SOURCES = load_sources([shipped_definitions()])
ALLOWANCE = SOURCES["single_parent_allowance"].model_copy(update={"gates": Gates()})
CAFETERIA = SOURCES["childrens_cafeteria"]
NAME = "single_parent_allowance_20260131_full.csv"


def header(manifest: SourceManifest, layout: int = 0) -> str:
    return ",".join(manifest.titles(manifest.layouts[layout]))


def case(number: int, **changed: str) -> str:
    cells = {
        "case_no": f"A{number:05d}", "recipient_no": f"{number:010d}", "child_no": f"{number + 5000:010d}",
        "payment_class": "全部", "cause": "離婚", "started_on": "令和5年4月", "ended_on": "", "status_report_on": "R5.8.1",
    }  # fmt: skip
    return ",".join((cells | changed).values())


def allowance(rows: list[str], previous: Previous | None = None, name: str = NAME) -> Received:
    data = "\r\n".join([header(ALLOWANCE), *rows, ""]).encode("cp932")
    return receive_bytes(data, name, ALLOWANCE, previous or Previous())


def codes(received: Received) -> list[str]:
    return [r.code for r in received.reasons]


def test_good_rows_come_through_as_delivered() -> None:
    received = allowance([case(1), case(2, ended_on="２０２６/０３", cause="")])
    assert (received.status, received.lines, received.accepted, received.declared) == ("accepted", 3, 2, 1)
    assert received.table is not None
    assert received.table.column_names == ["_line", *(f.name for f in ALLOWANCE.fields)]
    assert received.table["_line"].to_pylist() == [2, 3]
    assert received.table["ended_on"].to_pylist() == ["", "２０２６/０３"]
    assert pa.types.is_dictionary(received.table["cause"].type)


@pytest.mark.parametrize(
    ("changed", "code", "column"),
    [
        ({"case_no": ""}, "K121", "認定番号"),
        ({"case_no": "　"}, "K121", "認定番号"),
        ({"started_on": "令和5年13月"}, "K122", "開始年月"),
        ({"status_report_on": "令和5年2月30日"}, "K122", "現況届日"),
        ({"payment_class": "半分"}, "K123", "支給区分"),
        ({"recipient_no": "12345678901"}, "K124", "受給者宛名番号"),
        ({"recipient_no": "ABC"}, "K124", "受給者宛名番号"),
    ],
)
def test_a_bad_cell_sets_its_line_aside_with_place_and_reason(changed: dict[str, str], code: str, column: str) -> None:
    received = allowance([case(1), case(2, **changed), case(3)])
    assert (received.accepted, received.quarantined) == (2, 1)
    reason = received.reasons[0]
    assert (reason.code, reason.line, reason.column) == (code, 3, column)
    assert all(not value.strip() or value not in reason.message + reason.fix for value in changed.values())
    assert received.quarantine is not None
    assert received.quarantine.to_pylist()[0]["row"] == case(2, **changed)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("A1,2", "K130"),
        (case(2) + ",9", "K130"),
        ('A1,"2', "K131"),
        (case(2, cause='離"婚'), "K131"),
        (case(2, cause="離\0婚"), "K133"),
    ],
)
def test_a_broken_line_is_set_aside_alone(line: str, code: str) -> None:
    received = allowance([case(1), line, case(3)])
    assert (received.accepted, codes(received)) == (2, [code])
    assert received.reasons[0].line == 3


@pytest.mark.parametrize("broken", [b"\x80", b"\xa0", b"\xfd", b"\xff", b"\x81", b"\xfc\xfc"])
def test_mojibake_spoils_its_line_only(broken: bytes) -> None:
    data = "\r\n".join([header(ALLOWANCE), case(1), case(2, cause="@"), case(3), ""]).encode("cp932").replace(b"@", broken)
    received = receive_bytes(data, NAME, ALLOWANCE, Previous())
    assert (received.accepted, codes(received)) == (2, ["K132"])


def test_gaiji_and_cp932_characters_are_not_mojibake() -> None:
    text = header(CAFETERIA) + "\n1,2026/1/5,やまだ,未就学,髙橋\ue000①,\n"
    manifest = CAFETERIA.model_copy(update={"layouts": (CAFETERIA.layouts[0].model_copy(update={"encoding": "cp932"}),)})
    received = receive_bytes(text.encode("cp932"), "childrens_cafeteria_20260131_diff.csv", manifest, Previous())
    assert received.accepted == 1
    assert received.table is not None
    assert received.table["facility"].to_pylist() == ["髙橋\ue000①"]


def test_totals_and_blank_lines_are_declared_wherever_the_source_puts_them() -> None:
    received = allowance([case(1), "", "合計,1", "合計,1,,,,,,", "\x1a"])
    assert (received.lines, received.accepted, received.quarantined, received.declared) == (6, 1, 0, 5)


def test_free_text_may_span_lines_and_an_unclosed_quote_spoils_one_line() -> None:
    rows = [
        '1,2026/1/5,やまだ,未就学,食堂,"元気\nな子"',
        '2,2026/1/5,すずき,未就学,食堂,"閉じない',
        "3,2026/1/5,さとう,未就学,食堂,",
    ]
    data = ("\ufeff" + "\n".join([header(CAFETERIA), *rows]) + "\n").encode()
    received = receive_bytes(data, "childrens_cafeteria_20260131_diff.csv", CAFETERIA, Previous())
    assert (received.lines, received.accepted, received.quarantined, received.rows) == (5, 3, 1, 2)
    assert received.table is not None
    assert received.table["_line"].to_pylist() == [2, 5]
    assert received.table["note"].to_pylist() == ["元気\nな子", ""]


def test_a_newline_where_none_is_allowed_is_set_aside() -> None:
    data = "\n".join([header(CAFETERIA), '1,2026/1/5,"やま\nだ",未就学,食堂,', ""]).encode()
    received = receive_bytes(data, "childrens_cafeteria_20260131_diff.csv", CAFETERIA, Previous())
    assert (received.quarantined, codes(received)) == (2, ["K126"])


NOT_CSV: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "K101"),
    "blank": (b" \r\n\n", "K101"),
    "zip": (b"PK\x03\x04" + bytes(100), "K102"),
    "png": (b"\x89PNG\r\n\x1a\n" + bytes(50), "K102"),
    "jpeg": (b"\xff\xd8\xff\xe0" + bytes(50), "K102"),
    "pdf": (b"%PDF-1.7\n", "K102"),
    "xls": (b"\xd0\xcf\x11\xe0" + bytes(50), "K102"),
    "script": (b"#!/bin/sh\nrm -rf /\n", "K102"),
    "html": (b"<!DOCTYPE html><html></html>", "K102"),
    "gzip": (b"\x1f\x8b\x08" + bytes(40), "K102"),
    "exe": (b"MZ\x90\x00" + bytes(range(32)) * 8, "K102"),
    "random": (bytes(range(256)) * 30, "K102"),
    "utf-16": ("番号,氏名\n".encode("utf-16"), "K103"),
    "utf-16 without mark": (("a,b,c\n" * 20).encode("utf-16-le"), "K103"),
    "jis": ("番号,氏名\n".encode("iso2022_jp"), "K103"),
    "zeros": (bytes(1000), "K103"),
    "one long line": (b"a" * 1_500_000, "K102"),
    "quotes": (b'"' * 2_000_000, "K102"),
}


@pytest.mark.parametrize("kind", NOT_CSV)
def test_what_is_no_csv_is_refused_with_a_reason(kind: str) -> None:
    data, code = NOT_CSV[kind]
    received = receive_bytes(data, NAME, ALLOWANCE, Previous())
    assert (received.status, codes(received)) == ("refused", [code])
    assert received.table is None
    assert received.lines == 0


def test_a_long_line_below_a_good_header_is_refused() -> None:
    received = allowance([case(1), "x" * 1_200_000])
    assert codes(received) == ["K102"]


def test_a_text_that_begins_like_a_picture_is_still_text() -> None:
    manifest = SOURCES["after_school_care"]
    received = receive_bytes(("BMI," + header(manifest)).encode(), "after_school_care_20260131_full.csv", manifest, Previous())
    assert codes(received) == ["K110"]


@pytest.mark.parametrize(
    "changed",
    [
        lambda h: h + ",新しい列",
        lambda h: h.replace("認定番号,", ""),
        lambda h: h.replace("認定番号", "認定番号 "),
        lambda h: ",".join(reversed(h.split(","))),
        lambda h: "",
        lambda h: case(9),
    ],
)
def test_a_changed_header_holds_the_file_without_naming_cells(changed: Callable[[str], str]) -> None:
    data = "\r\n".join([changed(header(ALLOWANCE)), case(1), ""]).encode("cp932")
    received = receive_bytes(data, NAME, ALLOWANCE, Previous())
    assert (received.status, codes(received)) == ("held", ["K110"])
    assert "A00009" not in str(received.reasons)
    assert received.lines == received.quarantined


def test_the_wrong_encoding_is_named() -> None:
    data = "\r\n".join([header(ALLOWANCE), case(1), ""]).encode("utf-8")
    received = receive_bytes(data, NAME, ALLOWANCE, Previous())
    assert received.status == "held"
    assert "文字コード" in received.reasons[0].message


def test_the_layout_follows_the_header_and_its_period() -> None:
    manifest = SOURCES["school_life"]
    old = "2024,2024/05,S01,3,1,5,山田太郎,男,20,1,0,0,,0"
    new = "2025,S01,3,1,5,山田太郎,男,2025/05,20,1,2,0,0,,0"
    for layout, row, day in ((0, old, "20250405"), (1, new, "20250605")):
        data = ("\ufeff" + header(manifest, layout) + "\n" + row + "\n").encode()
        received = receive_bytes(data, f"school_life_{day}_diff.csv", manifest, Previous())
        assert (received.status, received.layout) == ("accepted", f"v{layout + 1}")
        assert received.table is not None
        assert received.table["name"].to_pylist() == ["山田太郎"]
        assert received.table["days_required"].to_pylist() == ["20"]
    assert received.table is not None
    assert "separate_room_days" in received.table.column_names
    late = receive_bytes(
        ("\ufeff" + header(manifest) + "\n" + old).encode(), "school_life_20250605_diff.csv", manifest, Previous()
    )
    assert (late.status, codes(late)) == ("held", ["K111"])


def test_a_column_that_is_not_taken_in_reaches_neither_table_nor_quarantine() -> None:
    tax = SOURCES["municipal_tax"].model_copy(update={"enabled": True})
    secret = "7654321"
    good = {"年度": "2026", "宛名番号": "0000000017", "課税区分": "1", "合計所得": "100", "扶養数": "0", "給与収入": secret}
    titles = tax.titles(tax.layouts[0])
    rows = [",".join((good | changed)[t] for t in titles) for changed in ({}, {"宛名番号": ""})] + [f"2026,1,{secret}"]
    data = "\r\n".join([header(tax), *rows, ""]).encode("cp932")
    received = receive_bytes(data, "municipal_tax_20260615_full.csv", tax, Previous())
    assert (received.accepted, received.quarantined) == (1, 2)
    assert received.table is not None and received.quarantine is not None
    assert secret not in str(received.table.to_pylist()) + str(received.quarantine.to_pylist()) + str(received.reasons)


def test_a_switched_off_feed_is_refused_before_it_is_read() -> None:
    received = receive_bytes(b"anything", "municipal_tax_20260615_full.csv", SOURCES["municipal_tax"], Previous())
    assert (received.status, codes(received)) == ("refused", ["K105"])


def test_as_of_and_kind_come_from_the_file_name() -> None:
    register = SOURCES["resident_register"]
    assert stamp_of("resident_register_20260430_diff.csv", register) == Stamp("2026-04-30", "diff")
    assert stamp_of("resident_register_20260430_full (2).csv", register) == Stamp("2026-04-30", "full")
    assert stamp_of("resident_register_20260431_full.csv", register) is None
    assert codes(receive_bytes(b"a,b\n", "住民.csv", register, Previous())) == ["K104"]


def test_the_same_bytes_of_another_day_are_another_delivery() -> None:
    ids = {delivery_id("x", ALLOWANCE, Stamp(day, kind)) for day in ("2026-01-31", "2026-02-28") for kind in ("full", "diff")}
    assert len(ids) == 4


# 個人番号 -----------------------------------------------------------------------------------------------------------------


def my_number(serial: int) -> str:
    digits = f"{serial:011d}"
    return next(digits + str(check) for check in range(10) if mynumber.passes(digits + str(check)))


def with_notes(notes: list[str]) -> Received:
    rows = [f'{i},2026/1/5,やまだ,未就学,食堂,"{note}"' for i, note in enumerate(notes)]
    data = "\n".join([header(CAFETERIA), *rows, ""]).encode()
    return receive_bytes(data, "childrens_cafeteria_20260131_diff.csv", CAFETERIA, Previous())


def test_the_published_example_passes_and_its_neighbours_do_not() -> None:
    assert mynumber.passes("123456789018")
    assert [d for d in range(10) if mynumber.passes(f"12345678901{d}")] == [8]


@pytest.mark.parametrize("title", ["個人番号", "マイナンバー", "ﾏｲﾅﾝﾊﾞｰ", "本人の個人番号（12桁）", "MyNumber"])
def test_a_header_that_names_it_refuses_the_file(title: str) -> None:
    data = "\r\n".join([header(ALLOWANCE) + "," + title, case(1) + ",1", ""]).encode("cp932")
    received = receive_bytes(data, NAME, ALLOWANCE, Previous())
    assert (received.status, codes(received)) == ("refused", ["K116"])


@pytest.mark.parametrize(
    "written",
    [str, lambda n: f"{n[:4]}-{n[4:8]}-{n[8:]}", lambda n: n.translate({ord("0") + i: 0xFF10 + i for i in range(10)})],
)
def test_a_column_of_them_refuses_the_file_whatever_it_is_called(written: Callable[[str], str]) -> None:
    received = with_notes([written(my_number(i * 7919)) for i in range(25)])
    assert (received.status, codes(received)) == ("refused", ["K116"])


def test_a_column_of_them_under_an_unknown_header_is_not_even_held() -> None:
    rows = [f"{i},{my_number(i * 104_729)}" for i in range(30)]
    received = receive_bytes("\n".join(["番号,謎", *rows]).encode("cp932"), NAME, ALLOWANCE, Previous())
    assert (received.status, codes(received)) == ("refused", ["K116"])


def test_a_lone_one_in_free_text_sets_the_line_aside_and_keeps_nothing_of_it() -> None:
    number = my_number(55_555)
    received = with_notes(["元気", f"番号は{number}です", "電話 090-1234-5678"])
    assert (received.accepted, codes(received)) == (2, ["K117"])
    assert received.reasons[0].line == 3
    assert received.quarantine is not None
    assert received.quarantine.to_pylist()[0]["row"] is None
    assert number not in str(received.as_dict())


def test_other_twelve_digit_numbers_are_left_alone() -> None:
    received = with_notes([f"{i * 1_000_003 + 100_000_000_000}" for i in range(200)])
    assert received.status == "accepted"
    assert received.quarantined == 0


# 保留の関門 ---------------------------------------------------------------------------------------------------------------


def cases(count: int, start: int = 0) -> list[str]:
    return [case(n) for n in range(start, start + count)]


def known(count: int) -> Previous:
    keys = pa.array([f"A{n:05d}\x1f{n + 5000}" for n in range(count)])
    return Previous(as_of="2025-12-31", rows={"full": count}, known_keys=lambda: keys)


@pytest.mark.parametrize(
    ("rows", "previous", "code"),
    [
        ([*cases(500), *[case(n, payment_class="?") for n in range(600, 615)]], Previous(), "K112"),
        (cases(10), Previous(as_of="2026-02-28"), "K113"),
        (cases(70), Previous(rows={"full": 101}), "K114"),
        (cases(132), Previous(rows={"full": 100}), "K114"),
        (cases(900, start=100), known(1000), "K115"),
    ],
)
def test_a_gate_holds_the_file(rows: list[str], previous: Previous, code: str) -> None:
    received = allowance(rows, previous)
    assert (received.status, received.reasons[0].code) == ("held", code)
    assert received.lines == received.accepted + received.quarantined + received.declared


@pytest.mark.parametrize(
    ("rows", "previous"),
    [
        ([*cases(3000), *[case(n, payment_class="?") for n in range(4000, 4015)]], Previous()),
        ([*cases(20), *[case(n, payment_class="?") for n in range(30, 34)]], Previous()),
        (cases(10), Previous(as_of="2026-01-31")),
        (cases(75), Previous(rows={"full": 100})),
        (cases(10), Previous(rows={"diff": 100})),
        (cases(950, start=50), known(1000)),
    ],
)
def test_what_is_within_the_limits_passes(rows: list[str], previous: Previous) -> None:
    assert allowance(rows, previous).status == "accepted"


def test_keys_without_leading_zeros_are_the_same_keys() -> None:
    rows = [case(n, child_no=str(n + 5000)) for n in range(100)]
    assert allowance(rows, known(100)).status == "accepted"
