"""One date parser: every spelling municipal systems use, and a reason for what is no date."""

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kizuki.terms.wareki import ERAS, Precision, Spelling, parse_date, read_date


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("平成5年4月1日", dt.date(1993, 4, 1)),
        ("H5.4.1", dt.date(1993, 4, 1)),
        ("H05.04.01", dt.date(1993, 4, 1)),
        ("4050401", dt.date(1993, 4, 1)),
        ("5050401", dt.date(2023, 4, 1)),
        ("令和元年5月1日", dt.date(2019, 5, 1)),
        ("R元.5.1", dt.date(2019, 5, 1)),
        ("Ｒ５．４．１", dt.date(2023, 4, 1)),
        ("平成 5年 4月 1日", dt.date(1993, 4, 1)),
        ("令和五年十二月二十三日", dt.date(2023, 12, 23)),
        ("㍻5年4月1日", dt.date(1993, 4, 1)),
        ("昭和64年1月7日", dt.date(1989, 1, 7)),
        ("明治45年7月30日", dt.date(1912, 7, 30)),
        ("大正1.7.30", dt.date(1912, 7, 30)),
        ("1993/04/01", dt.date(1993, 4, 1)),
        ("2023-4-1", dt.date(2023, 4, 1)),
        ("２０２３－０４－０１", dt.date(2023, 4, 1)),
        ("20230401", dt.date(2023, 4, 1)),
        ("2023年4月1日", dt.date(2023, 4, 1)),
        ("2023-04-01T00:00:00", dt.date(2023, 4, 1)),
        ("令和5年4月", dt.date(2023, 4, 1)),
        ("2024/05", dt.date(2024, 5, 1)),
        ("平成元年1月", dt.date(1989, 1, 1)),
        ("2024/2/29", dt.date(2024, 2, 29)),
        ("平成5、4、1", dt.date(1993, 4, 1)),
        ("平成05年04月01日生", dt.date(1993, 4, 1)),
        ("昭和５０年１月１日　生まれ", dt.date(1975, 1, 1)),
        ("平成5年4月1日（木曜日）", dt.date(1993, 4, 1)),
        ("H.5.4.1", dt.date(1993, 4, 1)),
        ("H-05-04-01", dt.date(1993, 4, 1)),
        ("5-05-04-01", dt.date(2023, 4, 1)),
        ("5-050401", dt.date(2023, 4, 1)),
        ("昭和参拾年弐月壱日", dt.date(1955, 2, 1)),
        ("西暦2023年4月1日", dt.date(2023, 4, 1)),
        ("2023年4月1日 10時30分", dt.date(2023, 4, 1)),
        ("2023-04-01T12:34:56+09:00", dt.date(2023, 4, 1)),
        ('"2023/04/01"', dt.date(2023, 4, 1)),
    ],
)
def test_a_spelling_is_read(text: str, day: dt.date) -> None:
    assert parse_date(text) == (day, "")


@pytest.mark.parametrize(
    "text",
    ["", " ", "令和5年2月30日", "平成31年5月1日", "昭和64年1月8日", "令和元年4月30日", "平成0年1月1日", "2023/13/01", "5.4.1",
     "45000", "9999-12-31", "20230230", "2023", "6050401", "山田", "99999999", "2023/2/29"],
)  # fmt: skip
def test_what_is_no_date_gets_a_reason_without_the_value(text: str) -> None:
    day, reason = parse_date(text)
    assert day is None
    assert reason.endswith(("。", "）。"))
    assert not text.strip() or text not in reason


def test_a_month_says_that_it_is_one() -> None:
    assert read_date("令和5年4月").precision is Precision.MONTH
    assert read_date("令和5年4月1日").precision is Precision.DAY


def test_a_serial_number_is_a_date_only_when_asked_for() -> None:
    assert parse_date("45017", excel_serial=True)[0] == dt.date(2023, 4, 1)
    assert parse_date("45017.0", excel_serial=True)[0] == dt.date(2023, 4, 1)
    assert parse_date("45017")[0] is None
    assert parse_date("202304", excel_serial=True)[0] == dt.date(2023, 4, 1), "six digits are a year and a month"


@settings(deadline=None, max_examples=50)
@given(st.dates(dt.date(1868, 1, 25), dt.date(2100, 12, 31)))
def test_every_day_survives_every_spelling(day: dt.date) -> None:
    era = next(e for e in reversed(ERAS) if e.first <= day)
    year = day.year - era.first.year + 1
    written = {
        Spelling.KANJI: f"{era.name}{'元' if year == 1 else year}年{day.month}月{day.day}日",
        Spelling.LETTER: f"{era.letter}{year:02d}.{day.month:02d}.{day.day:02d}",
        Spelling.CODE: f"{era.code}{year:02d}{day:%m%d}",
        Spelling.WESTERN: f"{day:%Y/%m/%d}",
        Spelling.COMPACT: f"{day:%Y%m%d}",
    }
    for spelling, text in written.items():
        reading = read_date(text)
        assert (reading.date, reading.spelling) == (day, spelling)
