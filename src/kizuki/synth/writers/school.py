"""学務・学齢簿 (three times a year, by number) and 校務支援 (monthly, by class and seat with kanji names only)."""

from collections.abc import Iterator

import numpy as np

from kizuki.synth.calendar import as_date, day, fiscal_year
from kizuki.synth.cells import Words, blank_where, choose, constant, date_cells, digits, glue, numbers
from kizuki.synth.city import City
from kizuki.synth.health import mother_of
from kizuki.synth.population import HEAD, LEFT_PARENT, NEW_PARTNER, Array
from kizuki.synth.schooling import Attendance, Pupils, attendance_of, file_day, pupils_of, school_months
from kizuki.synth.sheet import Sheet
from kizuki.synth.truth import Sightings
from kizuki.synth.writers.spelling import Speller

ENROLMENT = "school_enrolment"
LIFE = "school_life"
ENROLMENT_TITLES = (
    "年度",
    "識別番号",
    "氏名",
    "フリガナ",
    "生年月日",
    "就学校コード",
    "学校名",
    "学年",
    "学級区分",
    "保護者識別番号",
    "保護者続柄",
    "該当年度就学援助有無",
    "該当年度生活保護有無",
    "不就学",
    "居所不明",
)
LIFE_V1 = (
    "年度",
    "対象年月",
    "学校コード",
    "学年",
    "組",
    "番号",
    "氏名",
    "性別",
    "出席すべき日数",
    "欠席日数",
    "遅刻",
    "早退",
    "保健室",
    "いじめ認知",
)
LIFE_V2 = (
    "年度",
    "学校コード",
    "学年",
    "組",
    "番号",
    "児童生徒氏名",
    "性別",
    "対象年月",
    "授業日数",
    "欠席日数",
    "別室登校日数",
    "遅刻",
    "早退",
    "保健室",
    "いじめ認知",
)
LAYOUT_CHANGES_ON = day(2025, 5, 1)


def guardians(city: City) -> Array:
    """Per unit the parent the school office writes to: the father where he lives with the child, else the mother."""
    people = city.people
    out = mother_of(city)
    fathers = np.isin(people.role, (HEAD, NEW_PARTNER)) & (people.sex == 1) & (people.role != LEFT_PARENT)
    out[people.unit[fathers]] = np.flatnonzero(fathers)
    return out


def enrolment_sheets(city: City, sightings: Sightings) -> Iterator[Sheet]:
    """1 May, 1 September and 10 January."""
    spell = Speller(city, "cp932")
    guardian = guardians(city)
    window = city.window
    for as_of in sorted([*window.yearly(5, 1), *window.yearly(9, 1), *window.yearly(1, 10)]):
        fiscal = int(fiscal_year(np.array([as_of]))[0])
        pupils = pupils_of(city, fiscal)
        here = city.people.resident_on(as_of)[pupils.person]
        # The roll is made from the register; half of the unregistered were admitted to it (区域外就学).
        here &= ~(city.people.unregistered[pupils.person] & (pupils.person % 2 == 0))
        yield _enrolment_sheet(city, spell, guardian, pupils, np.flatnonzero(here), as_of=as_of)
        sightings.by_number(ENROLMENT, pupils.person[here])


def _enrolment_sheet(city: City, spell: Speller, guardian: Array, pupils: Pupils, rows: Array, *, as_of: int) -> Sheet:
    person, n = pupils.person[rows], len(rows)
    unit = city.people.unit[person]
    parent = np.where((person * 31 + as_of // 400) % 53 == 0, -1, guardian[unit])
    column = city.taxes.column(pupils.fiscal)
    has_year = pupils.fiscal >= city.taxes.years[0]
    aid = city.benefits.school_aid_received[unit, column] & has_year
    welfare = city.assistance.on(unit, as_of)
    family = spell.family_on(person, as_of)
    relation = np.where(parent < 0, -1, np.where(city.people.sex[np.maximum(parent, 0)] == 1, 0, 1))
    flag = person % 97
    columns = [
        numbers(np.full(n, pupils.fiscal)),
        spell.number(person, "15"),
        spell.name(person, family),
        blank_where(flag == 5, spell.kana(person, family, typos=flag == 11)),
        choose(
            city.people.foreign[person],
            date_cells(city.people.birth[person], "slash0", "cp932"),
            date_cells(city.people.birth[person], "dotted" if as_date(as_of).month == 1 else "kanji", "cp932"),
        ),
        city.schools.codes.cells(pupils.school[rows], "cp932"),
        city.schools.names.cells(pupils.school[rows], "cp932"),
        numbers(pupils.grade[rows]),
        digits(pupils.class_type[rows], 1),
        spell.number(parent, "15"),
        Words(["父", "母"]).cells(relation, "cp932"),
        _flag(aid, n, zeros=flag < 60),
        _flag(welfare, n, zeros=flag < 60),
        _flag((person % 1999 == 7) & city.people.foreign[person], n, zeros=flag < 60),
        _flag(person % 4001 == 9, n, zeros=flag < 60),
    ]
    return Sheet(ENROLMENT, as_of, "full", ENROLMENT_TITLES, columns, trailer="bare" if as_date(as_of).month == 9 else "")


def _flag(holds: Array, rows: int, *, zeros: Array) -> Array:
    out: Array = choose(
        holds, constant("1", rows, "cp932"), choose(zeros, constant("0", rows, "cp932"), constant("", rows, "cp932"))
    )
    return out


def life_sheets(city: City, sightings: Sightings) -> Iterator[Sheet]:
    """One file per school month; the layout changes in the fourth year."""
    spell = Speller(city, "utf-8")
    pupils: dict[int, Pupils] = {}
    for month in school_months(city):
        fiscal = int(fiscal_year(np.array([month]))[0])
        if fiscal not in pupils:
            pupils = {fiscal: pupils_of(city, fiscal)}
        yield _life_sheet(city, spell, attendance_of(city, pupils[fiscal], month), sightings)


def _life_sheet(city: City, spell: Speller, seen: Attendance, sightings: Sightings) -> Sheet:
    pupils, rows = seen.pupils, seen.rows
    n, person, as_of = len(rows), pupils.person[rows], file_day(seen.month)
    # The list of the new school year is typed in April; names changed later stay as they were.
    family = spell.family_on(person, np.maximum(day(pupils.fiscal, 4, 6), city.people.enter[person]))
    sex = np.where(person % 211 == 3, -1, city.people.sex[person] - 1)
    code = city.schools.codes.cells(pupils.school[rows], "utf-8")
    year, grade, room, seat = (
        numbers(v) for v in (np.full(n, pupils.fiscal), pupils.grade[rows], pupils.class_no[rows], pupils.seat[rows])
    )
    dash = constant("-", n, "utf-8")
    sightings.by_key(LIFE, person, glue(code, dash, year, dash, grade, dash, room, dash, seat))
    cells = {
        "年度": year,
        "対象年月": date_cells(np.full(n, seen.month), "month_slash", "utf-8"),
        "学校コード": code,
        "学年": grade,
        "組": room,
        "番号": seat,
        "氏名": spell.name(person, family, style="folded"),
        "性別": Words(["男", "女"]).cells(sex, "utf-8"),
        "出席すべき日数": numbers(seen.required),
        "欠席日数": numbers(seen.absent, seen.absent == 0),
        "遅刻": numbers(seen.late, seen.late == 0),
        "早退": numbers(seen.early, seen.early == 0),
        "保健室": numbers(seen.nurse, seen.nurse < 0),
        "いじめ認知": numbers(seen.bullying, seen.bullying == 0),
        "別室登校日数": numbers(seen.separate, seen.separate < 0),
    }
    cells |= {"児童生徒氏名": cells["氏名"], "授業日数": cells["出席すべき日数"]}
    titles = LIFE_V2 if as_of >= LAYOUT_CHANGES_ON else LIFE_V1
    return Sheet(LIFE, as_of, "diff", titles, [cells[t] for t in titles], encoding="utf-8", newline="\n", bom=True)
