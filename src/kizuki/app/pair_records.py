"""Person records of the tables of `link pairs`: the city's cleansing on cells whose spelling nobody promised."""

import datetime as dt
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import pyarrow as pa

from kizuki.app.pair_tables import Row
from kizuki.cleanse.addresses import AddressRules, clean_address
from kizuki.cleanse.flags import Flag
from kizuki.cleanse.kana import KanaRegister, clean_kana, kana_register_of
from kizuki.cleanse.names import NameRules, clean_name, register_of
from kizuki.cleanse.person_records import learn_addresses
from kizuki.cleanse.scalars import clean_phone, clean_postcode
from kizuki.engine.tables import arrow_schema
from kizuki.terms.records import PERSON_RECORD
from kizuki.terms.wareki import DateReading, Precision, read_date

_MALE = ("1", "男", "男性", "男子", "男児", "おとこ", "オトコ", "m", "male", "man", "boy", "♂")
_FEMALE = ("2", "女", "女性", "女子", "女児", "おんな", "オンナ", "f", "female", "woman", "girl", "♀")
_SEX = dict.fromkeys(_MALE, "1") | dict.fromkeys(_FEMALE, "2")
_CODED_SEX = re.compile(r"([12])?[:.\s(]*([男女])?(?:性|子|児)?\)?")
_KANA_ONLY = re.compile(r"[\u3041-\u3096\u30a1-\u30ff\uff66-\uff9f\s\u3000・]+")
_AROUND_DATE = re.compile(r"^西暦\s*|\s*(?:生まれ|うまれ|生)$|\.0$")
_FIVE_DIGITS = re.compile(r"\d{5}")
_UNUSABLE_PHONE = frozenset({Flag.IMPLAUSIBLE, Flag.AREA_CODE_MISSING})
_PLACEHOLDER_ROWS = 20
_PLACEHOLDER_SHARE = 0.01
_CROWD = 300
"""Rows of one table that may share a name, a phone or a block; more share a placeholder or an office's own, which say nothing
about a person (in a city of 700,000 the commonest full name has some 100 bearers) and would be compared each with each."""

_CROWDED = (
    (("town_key", "block_key"), ("block_key",)),
    (("phone",), ("phone",)),
    (("name_key",), ("name", "name_key", "family_key", "given_key")),
    (("kana_key",), ("kana", "kana_key", "family_kana_key", "given_kana_key")),
)
"""Columns counted together → columns left blank where they are shared by a crowd."""


@dataclass(frozen=True, slots=True)
class Readers:
    """How names and addresses of both tables are read: by what LEFT writes apart, or RIGHT where LEFT writes nothing apart."""

    names: NameRules
    kana: KanaRegister
    addresses: AddressRules


def readers_of(left: list[Row], right: list[Row]) -> Readers:
    """What the tables teach about splitting names and finding 町字."""

    def parts(whole: str, family: str, given: str) -> tuple[list[str], list[str]]:
        for rows in (left, right):
            written = [unicodedata.normalize("NFKC", r[whole]).split() for r in rows if whole in r]
            apart = [p for p in written if len(p) == 2]
            families = {p[0] for p in apart} | {r[family] for r in rows if family in r}
            givens = {p[1] for p in apart} | {r[given] for r in rows if given in r}
            if families:
                break
        return sorted(families), sorted(givens)

    taught = left if any("address" in r for r in left) else right
    return Readers(
        names=NameRules(register=register_of(*parts("name", "family", "given"))),
        kana=kana_register_of(*parts("kana", "family_kana", "given_kana")),
        addresses=learn_addresses(r["address"] for r in taught if "address" in r),
    )


def pair_records(rows: list[Row], source: str, readers: Readers) -> pa.Table:
    """The rows as person records of `source` (terms.records.PERSON_RECORD); what cannot be read is blank, never guessed."""
    name = cache(lambda text: clean_name(text, readers.names))
    kana = cache(lambda text: clean_kana(text, readers.kana))
    address = cache(lambda text: clean_address(text, readers.addresses))
    filler = _placeholders(read_birth(r["birth_date"]) for r in rows if "birth_date" in r)
    made = [_record(_names_in_place(r), source, name, kana, address, filler=filler) for r in rows]
    _forget_crowds(made)
    return pa.Table.from_pylist(made, schema=arrow_schema(PERSON_RECORD))


@cache
def read_birth(text: str) -> dt.date | None:
    """A birthday in any spelling `clean date` knows, or a spreadsheet's day number (five digits); None for a month alone."""
    bare = _AROUND_DATE.sub("", unicodedata.normalize("NFKC", text).strip())
    reading: DateReading = read_date(bare, excel_serial=bool(_FIVE_DIGITS.fullmatch(bare)))
    return reading.date if reading.precision is Precision.DAY else None


@cache
def read_sex(text: str) -> str | None:
    """1, 2, or None for anything that does not plainly say which."""
    plain = unicodedata.normalize("NFKC", text).strip().strip("「」()[]").lower()
    if plain in _SEX:
        return _SEX[plain]
    coded = _CODED_SEX.fullmatch(plain)
    said = {_SEX[part] for part in coded.groups() if part} if coded else set()
    return said.pop() if len(said) == 1 else None


def _placeholders(days: Iterable[dt.date | None]) -> frozenset[dt.date]:
    """Days too many rows are born on to be birthdays (1900-01-01 for "unknown")."""
    counted = Counter(d for d in days if d)
    many = max(_PLACEHOLDER_ROWS, counted.total() * _PLACEHOLDER_SHARE)
    return frozenset(d for d, n in counted.items() if n > many)


def _forget_crowds(made: list[dict[str, Any]]) -> None:
    for counted, cleared in _CROWDED:
        crowds = Counter(tuple(r[c] for c in counted) for r in made)
        crowded = {value for value, n in crowds.items() if n > _CROWD and None not in value}
        for row in made if crowded else ():
            if tuple(row[c] for c in counted) in crowded:
                row.update(dict.fromkeys(cleared))


def _names_in_place(row: Row) -> Row:
    """A name written in kana alone under a kanji heading is a reading: moved there, or left out where the reading is given."""
    moved = dict(row)
    for whole, reading in (("name", "kana"), ("family", "family_kana"), ("given", "given_kana")):
        alone = whole == "name" or not (row.get("family") and row.get("given"))
        both_kana = all(_KANA_ONLY.fullmatch(row[part]) for part in ("family", "given") if part in row)
        if whole in row and _KANA_ONLY.fullmatch(row[whole]) and (alone or both_kana):
            del moved[whole]
            if not {"kana", reading} & set(row):
                moved[reading] = row[whole]
    return moved


def _record(
    row: Mapping[str, str],
    source: str,
    name: Callable[[str], Any],
    kana: Callable[[str], Any],
    address: Callable[[str], Any],
    *,
    filler: frozenset[dt.date],
) -> dict[str, Any]:
    made: dict[str, Any] = dict.fromkeys(PERSON_RECORD.column_names())
    made |= {"source": source, "record_id": row["id"], "known_from": dt.date.min}
    made |= _name_keys(row, name) | _kana_keys(row, kana)
    if "address" in row:
        place = address(row["address"])
        made |= {"town_key": place.town_key, "block_key": place.block_key, "postcode": place.postcode}
    if "postcode" in row:
        made["postcode"] = clean_postcode(row["postcode"]).value or made["postcode"]
    if "birth_date" in row:
        born = read_birth(row["birth_date"])
        made["birth_date"] = None if born in filler else born
    if "phone" in row:
        phone = clean_phone(row["phone"])
        made["phone"] = None if _UNUSABLE_PHONE & set(phone.flags) else phone.value
    made["sex"] = read_sex(row["sex"]) if "sex" in row else None
    return made


def _name_keys(row: Mapping[str, str], name: Callable[[str], Any]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    if written := _whole(row, "name", "family", "given"):
        read = name(written)
        made = {"name": read.display, "name_key": read.key, "family_key": read.family_key, "given_key": read.given_key}
    return made | {f"{half}_key": name(row[half]).key for half in ("family", "given") if half in row}


def _kana_keys(row: Mapping[str, str], kana: Callable[[str], Any]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    if written := _whole(row, "kana", "family_kana", "given_kana"):
        heard = kana(written)
        halves = {"family_kana_key": heard.family_key, "given_kana_key": heard.given_key}
        made = {"kana": heard.kana, "kana_key": heard.key, **halves}
    return made | {f"{half}_key": kana(row[half]).key for half in ("family_kana", "given_kana") if half in row}


def _whole(row: Mapping[str, str], whole: str, family: str, given: str) -> str | None:
    """The name in one piece; two halves are joined by a space, a half alone is no whole name."""
    if whole in row:
        return row[whole]
    return f"{row[family]} {row[given]}" if family in row and given in row else None
