"""住民記録: a full extract on the first day and every 1 April, the changes of the month at every month's end."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from kizuki.synth.calendar import NEVER, day
from kizuki.synth.cells import Cells, DateStyle, Words, blank_where, choose, constant, date_cells, digits, glue, numbers
from kizuki.synth.city import City
from kizuki.synth.life_events import REASONS, RELATIONS, RESIDENT
from kizuki.synth.places import other_city_words
from kizuki.synth.population import Array
from kizuki.synth.sheet import Fault, Sheet
from kizuki.synth.truth import Sightings
from kizuki.synth.writers.spelling import Speller

SOURCE = "resident_register"
TITLES = (
    "宛名番号",
    "世帯番号",
    "氏名",
    "フリガナ",
    "フリガナ確認フラグ",
    "旧氏",
    "通称",
    "生年月日",
    "性別",
    "続柄",
    "住民となった年月日",
    "住所",
    "方書",
    "住所コード",
    "郵便番号",
    "転入前住所",
    "転出先住所",
    "住民状態",
    "住民種別",
    "異動事由",
    "異動日",
    "処理日",
    "抑止フラグ",
)
_STYLES: tuple[DateStyle, ...] = ("kanji", "dotted", "dotted0", "code")


def register_sheets(city: City, sightings: Sightings) -> Iterator[Sheet]:
    """Files in the order of their as-of day."""
    window = city.window
    fulls = {window.start, *window.yearly(4, 1)}
    print_ = _Printer(city)
    before = window.start
    for number, as_of in enumerate(sorted({*fulls, *window.month_ends()})):
        if as_of in fulls:
            rows = _full_rows(city, as_of)
        else:
            rows = _changed_rows(city, before, as_of)
            before = as_of
        sightings.by_number(SOURCE, city.register.person[rows])
        yield print_.sheet(rows, as_of, full=as_of in fulls, number=number)


def _last_known(city: City, as_of: int) -> Array:
    """Per person the newest row processed by a day, −1 when the register does not know the person yet."""
    register = city.register
    keys = register.person * 4_000_000 + register.processed_on + 1_000_000
    persons = np.arange(len(city.people))
    rows = np.searchsorted(keys, persons * 4_000_000 + as_of + 1_000_000, side="right") - 1
    return np.where((rows >= 0) & (register.person[np.maximum(rows, 0)] == persons), rows, -1)


def _full_rows(city: City, as_of: int) -> Array:
    rows = _last_known(city, as_of)
    rows = rows[rows >= 0]
    register = city.register
    rows = rows[~city.people.unregistered[register.person[rows]]]
    out: Array = rows[(register.status[rows] == RESIDENT) | (register.processed_on[rows] >= city.window.start)]
    return out


def _changed_rows(city: City, after: int, until: int) -> Array:
    rows = _last_known(city, until)
    rows = rows[rows >= 0]
    rows = rows[~city.people.unregistered[city.register.person[rows]]]
    return rows[city.register.processed_on[rows] > after]


class _Printer:
    """Columns of every register row, spelled once; a file takes its rows."""

    def __init__(self, city: City) -> None:
        self.city = city
        register, people = city.register, city.people
        spell = Speller(city, "cp932")
        person, n = register.person, len(register)
        chance = (person * 2_654_435_761 % 1000) / 1000
        addresses = register.addresses
        row = pa.array(register.address)
        birth = people.birth[person]
        married = (
            (people.maiden[person] >= 0)
            & (register.family != people.maiden[person])
            & (chance > 0.978)
            & ~people.foreign[person]
        )
        kana = spell.kana(person, register.family)
        code = addresses.postcode()
        dashed = glue(digits(code // 10_000, 3), constant("-", len(addresses), "cp932"), digits(code % 10_000, 4))
        postcode = choose(addresses.town % 5 == 2, digits(code, 7), dashed)
        others = other_city_words()
        self.fixed: dict[str, Cells] = {
            "宛名番号": spell.number(person),
            "世帯番号": digits(city.household_no, 10).take(pa.array(register.household)),
            "氏名": spell.name(person, register.family, style="register"),
            "フリガナ": blank_where(chance < 0.012, kana),
            "旧氏": blank_where(~married, spell._families("register").cells(np.maximum(people.maiden[person], 0), "cp932")),
            "通称": spell.alias(person),
            "性別": digits(np.where(chance > 0.9995, 0, people.sex[person]), 1),
            "続柄": blank_where((chance > 0.5) & (chance < 0.503), Words(RELATIONS).cells(register.relation, "cp932")),
            "住所": addresses.register_style("cp932").take(row),
            "方書": addresses.extras("cp932").take(row),
            "住所コード": digits(addresses.code(), 6).take(row),
            "郵便番号": blank_where(chance > 0.994, postcode.take(row)),
            "転入前住所": others.cells(register.previous, "cp932"),
            "転出先住所": others.cells(register.next, "cp932"),
            "住民状態": digits(register.status, 1),
            "住民種別": digits(np.where(people.foreign[person], 2, 1), 1),
            "異動事由": blank_where((chance > 0.7) & (chance < 0.701), Words(REASONS).cells(register.reason, "cp932")),
            "抑止フラグ": choose(
                register.restraint == 1,
                numbers(np.ones(n, np.int64)),
                choose(chance < 0.3, numbers(np.zeros(n, np.int64)), constant("", n, "cp932")),
            ),
        }
        self.days = {
            "住民となった年月日": register.resident_from,
            "異動日": register.changed_on,
            "処理日": register.processed_on,
        }
        self.birth, self.foreign, self.chance = birth, people.foreign[person], chance

    def sheet(self, rows: Array, as_of: int, *, full: bool, number: int) -> Sheet:
        """One file: its own spelling of dates, its own trailer, here and there a damaged line."""
        style = _STYLES[number % 4]
        take = pa.array(rows)
        columns: list[Cells] = []
        for title in TITLES:
            if title == "生年月日":
                western = date_cells(self.birth[rows], "slash0", "cp932")
                columns.append(choose(self.foreign[rows], western, date_cells(self.birth[rows], style, "cp932")))
            elif title == "フリガナ確認フラグ":
                confirmed = digits((self.chance[rows] < 0.7).astype(np.int64), 1)
                columns.append(blank_where(np.full(len(rows), as_of < day(2025, 6, 1)), confirmed))
            elif title in self.days:
                columns.append(date_cells(np.minimum(self.days[title][rows], NEVER), style, "cp932"))
            else:
                columns.append(self.fixed[title].take(take))
        faults: tuple[tuple[Fault, str], ...] = ()
        if number % 12 == 5:
            faults = (("short", "氏名"), ("date", "異動日"), ("code", "住民状態"))
        return Sheet(
            SOURCE,
            as_of,
            "full" if full else "diff",
            TITLES,
            columns,
            trailer="padded" if number % 3 else "bare",
            faults=faults,
        )
