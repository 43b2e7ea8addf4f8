"""Dates a spreadsheet wrote as counts of days: read only where the city says so, proposed only where nothing else fits."""

import datetime as dt
from pathlib import Path

import pytest

from kizuki.cleanse.conform import conform
from kizuki.definitions.sources import Field, Gates, SourceManifest
from kizuki.definitions.yaml import read_text
from kizuki.sources.draft import propose
from kizuki.sources.receive import receive_bytes
from kizuki.sources.received import Previous, Reason

NAME = "new_source_20260401_full.csv"


def drafted(text: str) -> str:
    found = propose(text.encode(), "new_source", {})
    assert not isinstance(found, Reason)
    return found


def line_of(draft: str, title: str) -> str:
    return next(line for line in draft.splitlines() if f'見出し: "{title}"' in line)


def csv_of(title: str, values: list[str]) -> str:
    return "番号,名前," + title + "\n" + "".join(f"A{n:03d},人{n}　子{n},{v}\n" for n, v in enumerate(values))


BIRTHS = ["42125", "43831", "2015/4/1", "平成30年5月1日", "41000"]


def test_a_draft_proposes_it_where_five_digits_stand_among_dates() -> None:
    told = line_of(drafted(csv_of("生年月日", BIRTHS)), "生年月日")
    assert "型: 日付" in told and "整え方: 和暦と通し番号" in told
    assert "3種類は5桁の数字" in told and "2012年〜2020年" in told and "ほかの2種類は日付の書き方" in told


@pytest.mark.parametrize(
    ("title", "values"),
    [
        ("生年月日", ["42125", "99999", "43831"]),
        ("生年月日", ["42125", "あとで", "43831"]),
        ("世帯番号", ["42125", "43831", "41000"]),
        ("給付日額", ["12500", "13800", "41000"]),
        ("出席日数", ["12500", "13800", "41000"]),
        ("生年月日", ["2015/4/1", "平成30年5月1日", "R5.4.1"]),
    ],
    ids=["a year nobody writes of", "a word", "no day in the title", "an amount a day", "a number of days", "dates only"],
)
def test_it_is_not_proposed_where_it_may_be_something_else(title: str, values: list[str]) -> None:
    assert "通し番号" not in drafted(csv_of(title, values))


def manifest(tmp_path: Path, draft: str) -> SourceManifest:
    found: SourceManifest = SourceManifest.model_validate(read_text(draft, tmp_path / "new_source.yaml").plain())
    return found


def test_what_the_draft_proposes_is_received_and_read(tmp_path: Path) -> None:
    text = csv_of("生年月日", BIRTHS)
    known = manifest(tmp_path, drafted(text))
    assert known.person_records[0].birth_date == known.fields[2].name
    assert known.fields[2].reads_serial_days
    assert [f.reads_serial_days for f in known.fields] == [False, False, True]
    received = receive_bytes(text.encode(), NAME, known, Previous())
    assert (received.status, received.accepted, received.quarantined) == ("accepted", 5, 0)
    assert received.table is not None
    rows = conform(known, [("d1", dt.date(2026, 4, 1), "full", received.table)]).to_pylist()
    born = [r[known.fields[2].name] for r in rows]
    assert born == [dt.date(2015, 5, 1), dt.date(2020, 1, 1), dt.date(2015, 4, 1), dt.date(2018, 5, 1), dt.date(2012, 4, 1)]


def test_the_same_column_without_the_word_sets_those_rows_aside(tmp_path: Path) -> None:
    text = csv_of("生年月日", BIRTHS)
    plain = manifest(tmp_path, drafted(text).replace("整え方: 和暦と通し番号", "整え方: 和暦"))
    received = receive_bytes(text.encode(), NAME, plain.model_copy(update={"gates": Gates(不備行の上限=100)}), Previous())
    assert (received.accepted, received.quarantined) == (2, 3)
    assert {r.code for r in received.reasons} == {"K122"}


def test_it_is_refused_for_a_column_that_is_no_date() -> None:
    with pytest.raises(ValueError, match="日付でないのに"):
        Field.model_validate(
            {"名": "a", "見出し": "甲", "型": "文字", "空欄": "未入力", "整え方": "和暦と通し番号", "機微": "運用"}
        )
