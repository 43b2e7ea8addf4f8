"""Hand-made records for the linkage tests: invented people, written as the offices write them."""

import datetime as dt
from typing import Any

import pyarrow as pa

from kizuki.engine.tables import arrow_schema
from kizuki.terms.records import PERSON_RECORD

NIGHT = dt.date(2026, 11, 20)
REGISTER = "resident_register"


def number(serial: int) -> str:
    """A 宛名番号 whose check digit holds (modulus 11, weights 2-7 from the right)."""
    digits = f"{serial:08d}"
    weights = [2, 3, 4, 5, 6, 7, 2, 3]
    check = 11 - sum(int(d) * w for d, w in zip(reversed(digits), weights, strict=True)) % 11
    return (digits + str(0 if check >= 10 else check)).zfill(10)


def record(source: str, record_id: str, **fields: Any) -> dict[str, Any]:
    """One person record; `kanji` and `kana` are (family, given) pairs and fill the keys."""
    row: dict[str, Any] = dict.fromkeys(PERSON_RECORD.column_names())
    row |= {"source": source, "record_id": record_id, "known_from": fields.pop("known_from", NIGHT)}
    if kanji := fields.pop("kanji", None):
        row |= {"name": "　".join(kanji), "name_key": "".join(kanji), "family_key": kanji[0], "given_key": kanji[1]}
    if kana := fields.pop("kana", None):
        row |= {"kana": " ".join(kana), "kana_key": "".join(kana), "family_kana_key": kana[0], "given_kana_key": kana[1]}
    assert set(fields) <= set(row), set(fields) - set(row)
    return row | fields


def resident(serial: int, kanji: tuple[str, str], kana: tuple[str, str], birth: str, **fields: Any) -> dict[str, Any]:
    """One row of the register."""
    no = number(serial)
    return record(REGISTER, no, person_no=no, kanji=kanji, kana=kana, birth_date=dt.date.fromisoformat(birth), **fields)


def table(*rows: dict[str, Any]) -> pa.Table:
    """Person records as the stage receives them."""
    return pa.Table.from_pylist(list(rows), schema=arrow_schema(PERSON_RECORD))
