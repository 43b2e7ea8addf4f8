"""The synthetic city: the same seed gives the same bytes, every special case is there, every quirk of the sixteen systems."""

import csv
import hashlib
import io
import json
import re
from collections import Counter
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from kizuki.definitions.loader import load_definitions
from kizuki.definitions.shipped import shipped_definitions
from kizuki.synth import City, CitySummary, build_city, write_city
from kizuki.synth.calendar import NEVER, YEAR, grade_in
from kizuki.synth.cells import date_cells
from kizuki.synth.names import GAIJI, JIS_FOLD
from kizuki.synth.numbers import my_numbers, with_check_digit
from kizuki.synth.population import CHILD, NEW_PARTNER
from kizuki.synth.write import PRINTERS

PEOPLE = 1500
TODAY = date(2026, 11, 20)


@pytest.fixture(scope="module")
def city() -> City:
    return build_city(PEOPLE)


@pytest.fixture(scope="module")
def written(city: City, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, CitySummary]:
    home = tmp_path_factory.mktemp("home")
    return home, write_city(city, home)


def _digest(folder: Path) -> str:
    total = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        total.update(str(path.relative_to(folder)).encode() + path.read_bytes())
    return total.hexdigest()


def _text(path: Path) -> str:
    raw = path.read_bytes()
    return raw.decode("utf-8-sig") if raw.startswith(b"\xef\xbb\xbf") else raw.decode("cp932")


def _rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(_text(path), newline="")))


def _files(home: Path, source: str) -> list[Path]:
    return sorted((home / "inbox" / source).iterdir())


def _truth(home: Path, name: str) -> list[dict[str, str]]:
    with (home / "truth" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_same_seed_same_bytes_and_other_seed_other_bytes(written: tuple[Path, CitySummary], tmp_path: Path) -> None:
    home, _ = written
    write_city(build_city(PEOPLE), tmp_path / "again")
    write_city(build_city(PEOPLE, seed=8), tmp_path / "other")
    assert _digest(tmp_path / "again") == _digest(home)
    assert _digest(tmp_path / "other") != _digest(home)


def test_the_summary_counts_what_was_written(city: City, written: tuple[Path, CitySummary]) -> None:
    home, summary = written
    assert summary.people == PEOPLE == int(city.people.registered_on(city.window.today).sum())
    assert summary.files == sum(1 for p in (home / "inbox").rglob("*.csv"))
    assert {p.name for p in (home / "inbox").iterdir()} == set(PRINTERS)
    assert json.loads((home / "synthetic.json").read_text(encoding="utf-8")) == {
        "city": "わかば市",
        "seed": 20231116,
        "people": PEOPLE,
        "today": "2026-11-20",
    }


def test_files_are_named_and_headed_as_the_definitions_say(written: tuple[Path, CitySummary]) -> None:
    home, _ = written
    definitions = load_definitions(shipped_definitions())
    for source in PRINTERS:
        manifest = definitions.sources[source]
        titles = {f.title for f in manifest.fields}
        for path in _files(home, source):
            assert re.fullmatch(manifest.file_name, path.name), path.name
            header = next(csv.reader(io.StringIO(_text(path))))
            foreign = set(header) - titles - {"児童生徒氏名", "授業日数", "給与収入", "個人番号"}
            assert foreign == set(), path.name


def test_the_layout_of_school_life_changes_in_the_fourth_year(written: tuple[Path, CitySummary]) -> None:
    home, _ = written
    heads = {p.name.split("_")[2]: _text(p).split("\n")[0] for p in _files(home, "school_life")}
    assert all(("別室登校日数" in head) == (as_of >= "20250501") for as_of, head in heads.items())
    assert b"\r" not in _files(home, "school_life")[0].read_bytes()
    assert not any(as_of[4:6] == "09" for as_of in heads)  # August has no school


def test_every_special_household_is_in_the_smallest_city(city: City) -> None:
    people, units, register = city.people, city.units, city.register
    child = people.role == CHILD
    here = people.resident_on(city.window.today)
    twins = Counter(zip(people.unit[child & here].tolist(), people.birth[child & here].tolist(), strict=True))
    assert max(twins.values()) >= 2
    assert np.any((people.role == NEW_PARTNER) & here)  # remarriage
    changed = np.flatnonzero((register.person[1:] == register.person[:-1]) & (register.family[1:] != register.family[:-1]))
    assert np.any(child[register.person[changed]])  # a child's name changed
    assert np.any(register.restraint == 1)
    assert np.any(people.foreign & here & child)
    assert np.any(units.split_on < NEVER)
    came = child & here & (people.enter > city.window.today - 200) & (people.birth < people.enter)
    assert np.any(came)
    parents = np.isin(people.unit, people.unit[came]) & ~child
    assert not np.any(
        city.taxes.listed[parents, -1] & (city.taxes.tax_class[parents, -1] != 4)
    )  # moved in after January: no tax record here


def test_the_register_writes_old_kanji_private_characters_and_aliases(written: tuple[Path, CitySummary]) -> None:
    home, _ = written
    rows = [r for p in _files(home, "resident_register") for r in _rows(p)]
    names = "".join(r["氏名"] or "" for r in rows)
    assert set(names) & set("髙﨑邉齋濵德")
    assert set(names) & set(GAIJI)
    assert any(re.fullmatch(r"[A-Z ]+", r["氏名"] or "") and r["通称"] for r in rows)
    assert any(re.fullmatch(r"[A-Z ]+", r["氏名"] or "") and not r["通称"] for r in rows)
    spelled = {re.sub(r"\d+|元", "9", r["生年月日"] or "") for r in rows}
    assert {"平成9年9月9日", "H9.9.9", "9", "9/9/9"} <= spelled
    assert any("元年" in (r["異動日"] or "") + (r["住民となった年月日"] or "") + (r["生年月日"] or "") for r in rows)
    assert any(r["宛名番号"] == "合計" for r in rows)


def test_school_lists_fold_old_kanji(written: tuple[Path, CitySummary]) -> None:
    home, _ = written
    text = "".join(_text(p) for p in _files(home, "school_life"))
    assert not set(text.replace("\ufeff", "")) & set(JIS_FOLD)


def test_numbers_carry_their_check_digits() -> None:
    # 番号法の検査用数字：11桁 12345678901 → 8（公表されている計算例）
    assert with_check_digit(np.array([12_345_678])).tolist() == [123_456_789 // 10 * 10 + _digit(12_345_678)]
    assert my_numbers(np.array([12_345_678_901])).tolist() == [123_456_789_018]


def _digit(serial: int) -> int:
    remainder = sum(int(d) * w for d, w in zip(reversed(str(serial)), (2, 3, 4, 5, 6, 7, 2, 3), strict=True)) % 11
    return 0 if remainder <= 1 else 11 - remainder


def test_one_disability_file_carries_my_numbers_and_the_next_is_clean(written: tuple[Path, CitySummary]) -> None:
    home, _ = written
    heads = {p.name: "個人番号" in _text(p).splitlines()[0] for p in _files(home, "disability_welfare")}
    assert [name for name, found in heads.items() if found] == ["disability_welfare_20260701_full.csv"]
    assert "disability_welfare_20261001_full.csv" in heads


def test_one_file_is_delivered_twice(written: tuple[Path, CitySummary]) -> None:
    home, _ = written
    again = [p for p in _files(home, "after_school_care") if p.stem.endswith("_2")]
    assert len(again) == 1
    assert again[0].read_bytes() == again[0].with_name(again[0].name.replace("_2.csv", ".csv")).read_bytes()


def test_truth_knows_every_delivered_person(written: tuple[Path, CitySummary]) -> None:
    home, _ = written
    known = {(r["source"], r["record_id"]) for r in _truth(home, "people")}
    assert len(known) == len(_truth(home, "people"))
    delivered = set()
    for path in _files(home, "resident_register"):
        delivered |= {r["宛名番号"].zfill(10) for r in _rows(path) if (r["宛名番号"] or "").isdigit() and r["処理日"]}
    assert delivered == {record for source, record in known if source == "resident_register"}
    for path in _files(home, "school_life"):
        for r in _rows(path):
            assert ("school_life", "-".join((r["学校コード"], r["年度"], r["学年"], r["組"], r["番号"]))) in known
    twice = Counter(r["true_person"] for r in _truth(home, "people") if r["source"] == "after_school_care")
    assert max(twice.values()) >= 2


def test_truth_of_difficulty_and_entitlement(city: City, written: tuple[Path, CitySummary]) -> None:
    home, summary = written
    rows = _truth(home, "difficulty")
    assert {r["difficulty"] for r in rows} == {"貧困", "児童虐待", "不登校"}
    assert sum(r["difficulty"] == "貧困" for r in rows) == summary.children
    assert all(0 <= float(r["probability"]) < 1 for r in rows)
    assert any(r["since"] for r in rows) and not all(r["since"] for r in rows)
    entitled = _truth(home, "entitlement")
    assert {r["programme"] for r in entitled} == {"single_parent_allowance", "school_aid", "medical_single_parent"}
    assert not any(r["receiving"] == "yes" and r["entitled"] == "no" for r in entitled)
    assert {(r["entitled"], r["receiving"]) for r in entitled} == {("yes", "yes"), ("yes", "no"), ("no", "no")}
    assert city.benefits.payment_years[-1] == 2026


def test_canaries_are_unique_planted_and_cover_every_sealed_person(city: City, written: tuple[Path, CitySummary]) -> None:
    home, _ = written
    rows = _truth(home, "canaries")
    assert len({r["true_person"] for r in rows}) >= 40
    sealed = {f"T{p:07}" for p in np.unique(city.register.person[city.register.restraint == 1]).tolist()}
    assert sealed and sealed <= {r["true_person"] for r in rows}
    homes = {
        "address_extra": "resident_register",
        "name": "resident_register",
        "phone": "community_social_work",
        "note": "childrens_cafeteria",
    }
    assert {r["field"] for r in rows} == set(homes)
    texts = {source: "".join(_text(p) for p in _files(home, source)) for source in set(homes.values())}
    assert [r["field"] for r in rows if r["marker"] not in texts[homes[r["field"]]]] == []


def test_damaged_lines_are_there_to_be_refused(written: tuple[Path, CitySummary]) -> None:
    home, _ = written
    register = [line for p in _files(home, "resident_register") for line in _text(p).splitlines()]
    assert any("令和5年2月30日" in line for line in register)
    widths = Counter(line.count(",") for line in register)
    assert len(widths) >= 3  # full rows, short rows, bare trailers


@pytest.mark.parametrize(
    ("day", "style", "spelled"),
    [
        ("2019-05-01", "kanji", "令和元年5月1日"),
        ("2019-04-30", "kanji", "平成31年4月30日"),
        ("1989-01-07", "dotted", "S64.1.7"),
        ("1993-04-01", "dotted0", "H05.04.01"),
        ("1993-04-01", "code", "4050401"),
        ("2016-05-03", "slash", "2016/5/3"),
    ],
)
def test_dates_are_spelled_as_offices_spell_them(day: str, style: str, spelled: str) -> None:
    number = np.array([np.datetime64(day, "D").astype(int)])
    assert date_cells(number, style, "utf-8")[0].as_py().decode() == spelled  # type: ignore[arg-type]


def test_school_grades_turn_on_the_second_of_april() -> None:
    births = np.array(["2014-04-01", "2014-04-02", "2015-04-01"], "datetime64[D]").astype(int)
    assert grade_in(births, 2021).tolist() == [2, 1, 1]
    assert YEAR > 365
