"""健康福祉, 家庭児童相談, こども食堂, CSW相談: people who write down whom they met."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from kizuki.synth.calendar import NEVER, as_date, fiscal_year, grade_in
from kizuki.synth.cells import Cells, Words, blank_where, choose, constant, date_cells, digits, glue, numbers, text_cells
from kizuki.synth.city import City
from kizuki.synth.consultations import (
    CATEGORIES,
    COUNCIL,
    ROUTES,
    SEVERITIES,
    Consultations,
    Counsel,
    Visits,
    cafeteria_visits,
    consultations,
    counsel,
)
from kizuki.synth.health import KINDS, PREGNANCY, HealthRows, health_rows
from kizuki.synth.places import CAFETERIAS
from kizuki.synth.population import Array
from kizuki.synth.sheet import Fault, Sheet
from kizuki.synth.truth import Sightings
from kizuki.synth.writers.spelling import Speller

HEALTH, FAMILY_CONSULTATION, CAFETERIA, COUNSEL = (
    "maternal_child_health",
    "family_consultation",
    "childrens_cafeteria",
    "community_social_work",
)
HEALTH_TITLES = (
    "台帳番号",
    "宛名番号",
    "氏名",
    "カナ",
    "生年月日",
    "種別",
    "実施日",
    "受診区分",
    "判定",
    "EPDS合計",
    "EPDS項目10",
    "むし歯数",
    "妊娠届週数",
    "婚姻",
    "喫煙",
    "接種遅れ",
    "体重増加不良",
)
CONSULTATION_TITLES = (
    "ケース番号",
    "児童宛名番号",
    "氏名",
    "カナ",
    "生年月日",
    "住所",
    "受付日",
    "経路",
    "種別",
    "重症度",
    "要対協区分",
    "登録日",
    "終結日",
)
CAFETERIA_TITLES = ("受付番号", "来所日", "氏名かな", "年齢帯", "施設", "気づき")
COUNSEL_TITLES = (
    "相談番号",
    "相談日",
    "相談者氏名",
    "フリガナ",
    "生年月日",
    "電話",
    "住所",
    "こどもの人数",
    "相談種別",
    "対応",
)
_NOTES = (
    "",
    "",
    "",
    "",
    "",
    "",
    "よく食べる。",
    "弟の面倒を見ている。",
    "「おなかがすいた」とよく言う。",
    "冬でも薄着。",
    "宿題を持ってきた。",
    '"元気がない"\n次回も声をかける。',
)


def _monthly(days: Array, city: City) -> Iterator[tuple[int, Array]]:
    """(month end, rows of the month) for rows sorted by day."""
    before = city.window.start - 1
    for as_of in city.window.month_ends():
        yield as_of, np.flatnonzero((days > before) & (days <= as_of))
        before = as_of


def health_sheets(city: City, sightings: Sightings) -> Iterator[Sheet]:
    """健康福祉: the month's contacts; the ledger keeps the name under which it was opened."""
    spell = Speller(city, "cp932")
    rows = health_rows(city)
    opened = np.full(len(city.people), NEVER)
    np.minimum.at(opened, rows.owner, rows.held_on)
    for number, (as_of, here) in enumerate(_monthly(rows.held_on, city)):
        ledger = digits(7_000_000 + rows.owner[here], 8)
        sightings.by_key(HEALTH, rows.owner[here], ledger)
        yield _health_sheet(city, spell, rows, here, ledger=ledger, opened=opened, as_of=as_of, number=number)


def _health_sheet(
    city: City, spell: Speller, rows: HealthRows, here: Array, *, ledger: Cells, opened: Array, as_of: int, number: int
) -> Sheet:
    owner = rows.owner[here]
    family = spell.family_on(owner, opened[owner])
    mark = owner % 101
    born = city.people.birth[owner]
    value = {name: numbers(v[here], v[here] < 0) for name, v in rows.values.items()}
    columns = [
        ledger,
        spell.number(np.where(mark < 3, -1, owner)),
        spell.name(owner, family),
        blank_where(mark == 7, spell.kana(owner, family, style="half" if number % 2 else "full", typos=mark == 9)),
        choose(owner % 2 == 0, date_cells(born, "kanji", "cp932"), date_cells(born, "dotted", "cp932")),
        Words(KINDS).cells(rows.kind[here], "cp932"),
        date_cells(rows.held_on[here], "dotted0", "cp932"),
        Words(["受診", "未受診", "対象外"]).cells(rows.attendance[here], "cp932"),
        Words(["異常なし", "要経過観察", "要精密", "要支援"]).cells(
            np.where(rows.kind[here] == PREGNANCY, -1, rows.result[here]), "cp932"
        ),
        *(
            value[k]
            for k in (
                "epds_total",
                "epds_item10",
                "caries",
                "gestation_weeks",
                "married",
                "smoking",
                "vaccine_delay",
                "poor_weight",
            )
        ),
    ]
    faults: tuple[tuple[Fault, str], ...] = (("date", "実施日"), ("code", "受診区分")) if number % 15 == 4 else ()
    return Sheet(HEALTH, as_of, "diff", HEALTH_TITLES, columns, trailer="bare" if number % 2 else "", faults=faults)


def consultation_sheets(city: City, sightings: Sightings) -> Iterator[Sheet]:
    """家庭児童相談: consultations received in the month and cases registered or closed in it."""
    spell = Speller(city, "cp932")
    rows = consultations(city)
    before = city.window.start - 1
    for as_of in city.window.month_ends():
        fresh = (rows.received_on > before) & (rows.received_on <= as_of)
        listed = (rows.registered_on > before) & (rows.registered_on <= as_of) & (rows.received_on <= as_of)
        closed = (rows.closed_on > before) & (rows.closed_on <= as_of)
        here = np.flatnonzero(fresh | listed | closed)
        before = as_of
        sightings.by_key(FAMILY_CONSULTATION, rows.person[here], digits(rows.case_no[here], 6))
        yield _consultation_sheet(city, spell, rows, here, as_of=as_of)


def _consultation_sheet(city: City, spell: Speller, rows: Consultations, here: Array, *, as_of: int) -> Sheet:
    person, received = rows.person[here], rows.received_on[here]
    family = spell.family_on(person, received)
    mark = person % 25
    address = city.register.addresses.of(city.address_row(person, received)).office_style("cp932")
    known = rows.registered_on[here] <= as_of
    columns = [
        digits(rows.case_no[here], 6),
        spell.number(np.where(mark < 2, -1, person)),
        spell.name(person, family, style="folded"),
        blank_where(mark == 3, spell.kana(person, family, style="full", typos=mark == 4)),
        blank_where(mark == 5, date_cells(city.people.birth[person], "dotted", "cp932")),
        blank_where(mark == 6, address),
        date_cells(received, "kanji", "cp932"),
        Words(ROUTES).cells(rows.route[here], "cp932"),
        Words(CATEGORIES).cells(rows.category[here], "cp932"),
        Words(SEVERITIES).cells(rows.severity[here], "cp932"),
        Words(COUNCIL).cells(np.where(known, rows.council[here], len(COUNCIL) - 1), "cp932"),
        date_cells(np.where(known, rows.registered_on[here], NEVER), "kanji", "cp932"),
        date_cells(np.where(rows.closed_on[here] <= as_of, rows.closed_on[here], NEVER), "kanji", "cp932"),
    ]
    return Sheet(FAMILY_CONSULTATION, as_of, "diff", CONSULTATION_TITLES, columns)


def cafeteria_sheets(city: City, sightings: Sightings) -> Iterator[Sheet]:
    """こども食堂: the month's visits; names in hiragana, notes as free text that may span lines."""
    spell = Speller(city, "utf-8")
    visits = cafeteria_visits(city, len(CAFETERIAS))
    numbers_given = digits(10_000 + np.arange(len(visits.person)), 6)
    for as_of, here in _monthly(visits.visited_on, city):
        keys = numbers_given.take(pa.array(here))
        sightings.by_key(CAFETERIA, np.where(visits.person[here] >= 0, visits.person[here], -2 - visits.stranger[here]), keys)
        yield _cafeteria_sheet(city, spell, visits, here, keys=keys, as_of=as_of)


def _cafeteria_sheet(city: City, spell: Speller, visits: Visits, here: Array, *, keys: Cells, as_of: int) -> Sheet:
    person, days, n = visits.person[here], visits.visited_on[here], len(here)
    known = np.maximum(person, 0)
    family = spell.family_on(known, days)
    book = city.book
    stranger = np.maximum(visits.stranger[here], 0)
    elsewhere = glue(
        book.hiragana(book.family_kana).cells((stranger * 37 + 11) % 500, "utf-8"),
        book.hiragana(book.given_kana).cells((stranger * 53 + 5) % len(book.given_kana), "utf-8"),
    )
    kana = choose(
        person % 5 == 0,
        spell.kana(known, family, style="hira"),
        spell.kana(known, family, style="hira", space="", typos=person % 47 == 3),
    )
    grade = grade_in(city.people.birth[known], int(fiscal_year(np.array([as_of]))[0]))
    band = np.where(person < 0, 1, np.digitize(grade, (1, 4, 7, 10)))
    columns = [
        keys,
        date_cells(days, "slash0", "utf-8"),
        choose(person < 0, elsewhere, kana),
        Words(["未就学", "小学校低学年", "小学校高学年", "中学生", "高校生世代"]).cells(
            np.where(days % 37 == 3, -1, band), "utf-8"
        ),
        Words(CAFETERIAS).cells(visits.facility[here], "utf-8"),
        _notes(city, person, days),
    ]
    del n
    return Sheet(CAFETERIA, as_of, "diff", CAFETERIA_TITLES, columns, encoding="utf-8", bom=True)


def _notes(city: City, person: Array, days: Array) -> Cells:
    quoted = ['"' + note.replace('"', '""') + '"' if '"' in note or "\n" in note else note for note in _NOTES]
    cells = Words(quoted).cells((person * 7 + days) % len(quoted), "utf-8")
    marked = city.canaries.note
    if not marked:
        return cells
    texts = Words(list(marked.values()))
    code = np.full(len(city.people) + 1, -1)
    code[list(marked)] = np.arange(len(marked))
    mine = code[np.where(person >= 0, person, len(city.people))]
    return choose(mine >= 0, texts.cells(mine, "utf-8"), cells)


def counsel_sheets(city: City, sightings: Sightings) -> Iterator[Sheet]:
    """CSW相談: the month's consultations."""
    spell = Speller(city, "utf-8")
    rows = counsel(city)
    numbers_given = digits(50_000 + np.arange(len(rows.person)), 6)
    for as_of, here in _monthly(rows.consulted_on, city):
        keys = numbers_given.take(pa.array(here))
        sightings.by_key(COUNSEL, rows.person[here], keys)
        yield _counsel_sheet(city, spell, rows, here, keys=keys, as_of=as_of)


def _counsel_sheet(city: City, spell: Speller, rows: Counsel, here: Array, *, keys: Cells, as_of: int) -> Sheet:
    person, days = rows.person[here], rows.consulted_on[here]
    family = spell.family_on(person, days)
    mark = (person + days) % 20
    address = city.register.addresses.of(city.address_row(person, days)).office_style("utf-8")
    children = rows.children[here]
    columns = [
        keys,
        date_cells(days, "slash", "utf-8"),
        blank_where(mark < 3, spell.name(person, family, style="folded", space=" ")),
        spell.kana(person, family, style="full", space="" if as_date(as_of).month % 2 else "　", typos=mark == 19),
        blank_where(mark % 5 == 1, date_cells(city.people.birth[person], "slash", "utf-8")),
        blank_where((mark % 7 == 2) & ~np.isin(person, list(city.canaries.phone)), _phones(city, person)),
        blank_where(mark == 8, address),
        numbers(children, (children == 0) & (mark < 12)),
        Words(["家計", "子育て", "仕事", "健康", "住まい", "その他"]).cells(rows.category[here], "utf-8"),
        Words(["継続", "終結", "つなぎ"]).cells(rows.response[here], "utf-8"),
    ]
    return Sheet(COUNSEL, as_of, "diff", COUNSEL_TITLES, columns, encoding="utf-8", bom=True)


def _phones(city: City, person: Array) -> Cells:
    """090-0xxx numbers, which no carrier assigns; some without hyphens."""
    n = len(person)
    middle, last = digits(person * 17 % 1000, 3), digits(city.people.unit[person] % 10_000, 4)
    dash = choose(person % 3 == 0, constant("", n, "utf-8"), constant("-", n, "utf-8"))
    cells = glue(constant("090", n, "utf-8"), dash, constant("0", n, "utf-8"), middle, dash, last)
    mine = [city.canaries.phone.get(int(p), "") for p in person]
    return choose(np.array([bool(m) for m in mine], bool), text_cells(mine, "utf-8"), cells) if n else cells
