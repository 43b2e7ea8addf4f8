"""学童保育, 障がい福祉, 介護保険, 保育."""

from collections.abc import Iterator

import numpy as np

from kizuki.synth.calendar import NEVER, as_date, fiscal_year, grade_in, month_index, month_start
from kizuki.synth.care import (
    AfterSchool,
    after_school,
    after_school_arrears,
    childcare_month,
    childcare_places,
    disability,
    long_term_care,
)
from kizuki.synth.cells import Words, blank_where, choose, constant, date_cells, digits, numbers
from kizuki.synth.city import City
from kizuki.synth.numbers import my_numbers
from kizuki.synth.places import KINDERGARTENS, NURSERIES
from kizuki.synth.population import Array
from kizuki.synth.sheet import Fault, Sheet
from kizuki.synth.truth import Sightings
from kizuki.synth.writers.spelling import Speller

AFTER_SCHOOL, DISABILITY, LONG_TERM_CARE, CHILDCARE = "after_school_care", "disability_welfare", "long_term_care", "childcare"
AFTER_SCHOOL_TITLES = (
    "利用番号",
    "児童氏名",
    "フリガナ",
    "生年月日",
    "学年",
    "施設",
    "利用開始",
    "利用終了",
    "減免",
    "滞納月数",
)
DISABILITY_TITLES = ("宛名番号", "手帳種別", "等級", "交付日", "返還日", "サービス種", "児童通所")
LONG_TERM_CARE_TITLES = ("被保険者番号", "宛名番号", "要介護度", "サービス", "認定開始", "認定終了")
CHILDCARE_TITLES = ("対象年月", "児童宛名番号", "認定区分", "施設", "必要時間", "階層", "滞納月数", "欠席日数")
_LEVELS = (
    ("1", "2", "3", "4", "5", "6"),
    ("A", "B1", "B2", "A", "B1", "B2"),
    ("1", "2", "2", "2", "3", "3"),
    ("", "", "", "", "", ""),
)


def after_school_sheets(city: City, sightings: Sightings) -> Iterator[Sheet]:
    """学童保育: every registration at every month's end; one month's file arrives a second time under another name."""
    spell = Speller(city, "utf-8")
    rows = after_school(city)
    for number, as_of in enumerate(city.window.month_ends()):
        here = np.flatnonzero((rows.started_on <= as_of) & (rows.ended_on > as_of - 31))
        grade = grade_in(city.people.birth[rows.person[here]], int(fiscal_year(np.array([as_of]))[0]))
        here = here[(grade >= 1) & (grade <= 6)]
        sheet = _after_school_sheet(city, spell, rows, here, as_of=as_of)
        sightings.by_key(AFTER_SCHOOL, rows.person[here], digits(rows.use_no[here], 5))
        yield sheet
        if number == 17:
            sheet.copy_no = 2
            yield sheet


def _after_school_sheet(city: City, spell: Speller, rows: AfterSchool, here: Array, *, as_of: int) -> Sheet:
    person, n = rows.person[here], len(here)
    # The club keeps the name under which the child was registered.
    family = spell.family_on(person, rows.registered_on[here])
    mark = person % 83
    owed = after_school_arrears(city, rows, as_of)[here]
    grade = grade_in(city.people.birth[person], int(fiscal_year(np.array([as_of]))[0]))
    over = rows.ended_on[here] <= as_of
    columns = [
        digits(rows.use_no[here], 5),
        choose(
            mark % 2 == 0,
            spell.name(person, family, style="folded", space=" "),
            spell.name(person, family, style="folded", space=""),
        ),
        blank_where(mark < 5, spell.kana(person, family, style="full", space="　", typos=(mark == 7) | rows.clerk[here])),
        blank_where((mark == 11) | (mark == 12), date_cells(city.people.birth[person], "slash", "utf-8")),
        numbers(grade),
        Words(
            [f"{n_.removeprefix('わかば市立').removesuffix('小学校')}学童クラブ" for n_ in city.schools.elementary.words]
        ).cells(rows.facility[here], "utf-8"),
        date_cells(rows.started_on[here], "slash", "utf-8"),
        blank_where(~over, date_cells(np.where(over, rows.ended_on[here], 0), "slash", "utf-8")),
        choose(
            rows.reduction[here],
            constant("1", n, "utf-8"),
            choose(mark < 40, constant("0", n, "utf-8"), constant("", n, "utf-8")),
        ),
        numbers(owed, owed == 0),
    ]
    return Sheet(AFTER_SCHOOL, as_of, "full", AFTER_SCHOOL_TITLES, columns, encoding="utf-8", bom=True)


def _quarters(city: City) -> list[int]:
    """First days of January, April, July and October in the window."""
    months = month_index(np.array([city.window.start, city.window.today]))
    starts = [int(s) for s in month_start(np.arange(months[0], months[1] + 1))]
    return [s for s in starts if as_date(s).month in (1, 4, 7, 10) and city.window.start <= s <= city.window.today]


def disability_sheets(city: City, sightings: Sightings) -> Iterator[Sheet]:
    """障がい福祉: quarterly; numbers lose their leading zeros. The last file but one carries 個人番号 and has to be refused."""
    spell = Speller(city, "cp932")
    rows = disability(city)
    quarters = _quarters(city)
    level = Words(["", "1", "2", "3", "4", "5", "6", "A", "B1", "B2"])
    position = {w: i for i, w in enumerate(level.words)}
    level_code = np.array([[position[w] for w in row] for row in _LEVELS])[rows.handbook, rows.level]
    for as_of in quarters:
        here = np.flatnonzero((rows.issued_on <= as_of) & city.people.resident_on(as_of - 100)[rows.person])
        person, n = rows.person[here], len(here)
        none = rows.handbook[here] == 3
        left = city.people.leave[person]
        columns = [
            spell.number(person, "bare"),
            Words(["身体", "療育", "精神", "なし"]).cells(rows.handbook[here], "cp932"),
            blank_where(person % 113 == 5, level.cells(level_code[here], "cp932")),
            blank_where(none, date_cells(rows.issued_on[here], "kanji", "cp932")),
            blank_where(none, date_cells(np.where(left <= as_of, left, NEVER), "kanji", "cp932")),
            Words(["居宅介護", "生活介護", "就労継続支援", "自立支援医療", "児童発達支援・放課後等デイ"]).cells(
                rows.service[here], "cp932"
            ),
            choose(rows.child_day_service[here], constant("1", n, "cp932"), constant("", n, "cp932")),
        ]
        titles: tuple[str, ...] = DISABILITY_TITLES
        if as_of == quarters[-2]:
            titles, columns = (
                (*titles, "個人番号"),
                [*columns, digits(my_numbers(31_000_000_000 + person.astype(np.int64) * 7_919), 12)],
            )
        else:
            sightings.by_number(DISABILITY, person)
        yield Sheet(DISABILITY, as_of, "full", titles, columns)


def long_term_care_sheets(city: City, sightings: Sightings) -> Iterator[Sheet]:
    """介護保険: quarterly, the certification in force."""
    spell = Speller(city, "cp932")
    rows = long_term_care(city)
    for as_of in _quarters(city):
        here = np.flatnonzero(
            (rows.certified_from <= as_of) & (rows.certified_until > as_of - 30) & (city.people.leave[rows.person] > as_of - 90)
        )
        person = rows.person[here]
        columns = [
            digits(rows.insured_no[here], 10),
            spell.number(person),
            digits(rows.level[here], 2),
            Words(["訪問介護", "通所介護", "短期入所", "施設入所"]).cells(rows.service[here], "cp932"),
            date_cells(rows.certified_from[here], "dotted0", "cp932"),
            date_cells(rows.certified_until[here], "dotted0", "cp932"),
        ]
        sightings.by_number(LONG_TERM_CARE, person)
        yield Sheet(LONG_TERM_CARE, as_of, "full", LONG_TERM_CARE_TITLES, columns, trailer="bare")


def childcare_sheets(city: City, sightings: Sightings) -> Iterator[Sheet]:
    """保育: the month's rows at every month's end; some rows printed twice."""
    spell = Speller(city, "cp932")
    places = childcare_places(city)
    for number, as_of in enumerate(city.window.month_ends()):
        month = int(month_start(month_index(np.array([as_of])))[0])
        seen = childcare_month(city, places, month)
        twice = np.sort(np.concatenate([np.arange(len(seen.person)), np.flatnonzero(seen.person % 499 == number % 499)]))
        person, place, n = seen.person[twice], seen.place[twice], len(twice)
        hours = np.where(places.kindergarten[place], -1, np.where(places.short_hours[place], 1, 0))
        columns = [
            date_cells(np.full(n, month), "month_kanji" if number % 2 else "month_slash", "cp932"),
            spell.number(person),
            Words(["1号", "2号", "3号"]).cells(seen.certification[twice], "cp932"),
            Words([*NURSERIES, *KINDERGARTENS]).cells(places.facility[place], "cp932"),
            Words(["標準", "短時間"]).cells(hours, "cp932"),
            blank_where(person % 59 == 3, numbers(seen.fee_class[twice])),
            numbers(seen.arrears[twice], seen.arrears[twice] == 0),
            numbers(seen.absent[twice], seen.absent[twice] < 0),
        ]
        faults: tuple[tuple[Fault, str], ...] = (("short", "施設"),) if number % 20 == 3 and n else ()
        sightings.by_number(CHILDCARE, person)
        yield Sheet(CHILDCARE, as_of, "diff", CHILDCARE_TITLES, columns, trailer="bare", faults=faults)
