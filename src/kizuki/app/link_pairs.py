"""Linking any two tables with the city's cleansing, model and rules: LEFT plays the register, RIGHT an office's list."""

import csv
import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa

from kizuki.app.linking import History, context_of, linkage_of
from kizuki.cleanse.addresses import AddressRules, clean_address
from kizuki.cleanse.dates import clean_date
from kizuki.cleanse.kana import KanaRegister, clean_kana, kana_register_of
from kizuki.cleanse.names import NameRules, clean_name, register_of
from kizuki.cleanse.person_records import learn_addresses
from kizuki.cleanse.scalars import clean_phone, clean_postcode
from kizuki.definitions.loader import Definitions
from kizuki.engine.tables import arrow_schema, empty
from kizuki.link.matching import match_records, weights
from kizuki.link.tables import CLASS_YEAR, FORMER_NAME, PAIR, SCHOOL_ROLL
from kizuki.terms.errors import InputRefused
from kizuki.terms.records import PERSON_RECORD

KINDS = (
    *("id", "name", "family", "given", "kana", "family_kana", "given_kana"),
    *("birth_date", "sex", "postcode", "address", "phone"),
)
RIGHT = "right"
_SEX = {
    **dict.fromkeys(("1", "男", "男性", "m", "male"), "1"),
    **dict.fromkeys(("2", "女", "女性", "f", "female"), "2"),
}


@dataclass(frozen=True, slots=True)
class Readers:
    """How names and addresses of both tables are read: by what LEFT writes apart."""

    names: NameRules
    kana: KanaRegister
    addresses: AddressRules


def link_pairs(definitions: Definitions, left: Path, right: Path, columns: Path) -> list[dict[str, Any]]:
    """Per joined or doubtful RIGHT row its best LEFT row: left_id, right_id, weight (None if never weighed), decision.

    Raises InputRefused K307 (a file cannot be read as such a CSV) or K308 (an id is blank or occurs twice).
    """
    kinds = _read_kinds(columns)
    register, office = _read_rows(left, kinds), _read_rows(right, kinds)
    readers = _readers(register)
    source = linkage_of(definitions).rules.register_source
    records = pa.concat_tables([_records(register, source, readers), _records(office, RIGHT, readers)])
    return _best_candidates(definitions, records)


def _best_candidates(definitions: Definitions, records: pa.Table) -> list[dict[str, Any]]:
    linkage = linkage_of(definitions)
    nothing = History(empty(SCHOOL_ROLL), empty(CLASS_YEAR), empty(FORMER_NAME))
    context = context_of(records, nothing, empty(PAIR), empty(PAIR))
    matching = match_records(records, linkage, context)
    weighed = {
        (row["record_uid"].removeprefix(f"{RIGHT}:"), row["resident_id"]): row["weight"]
        for row in weights(records, linkage, context).select(["record_uid", "resident_id", "weight"]).to_pylist()
    }

    def row(right_id: str, left_id: str, decision: str) -> dict[str, Any]:
        return {"left_id": left_id, "right_id": right_id, "weight": weighed.get((right_id, left_id)), "decision": decision}

    found = {
        r["record_id"]: row(r["record_id"], r["anchor_id"], "auto")
        for r in matching.assignment.to_pylist()
        if r["source"] == RIGHT and r["anchor_source"] == linkage.rules.register_source
    }
    doubtful = sorted(
        matching.review.to_pylist(), key=lambda r: (-(weighed.get((r["record_id"], r["resident_id"])) or 0), r["resident_id"])
    )
    for pair in doubtful:
        found.setdefault(pair["record_id"], row(pair["record_id"], pair["resident_id"], "review"))
    return [found[key] for key in sorted(found)]


def _read_kinds(path: Path) -> dict[str, str]:
    """Column name → kind."""
    rows = _csv_rows(path)
    kinds = {r.get("column", ""): r.get("kind", "") for r in rows}
    wrong = sorted(set(kinds.values()) - set(KINDS))
    if not rows or "" in kinds or wrong:
        fix = f"column, kind の2列で書き、kind は {'・'.join(KINDS)} のいずれかにしてください。"
        raise InputRefused("K307", "列の対応表を読めません。", path.name, fix)
    return kinds


def _read_rows(path: Path, kinds: Mapping[str, str]) -> list[dict[str, str]]:
    """Rows by kind; blank cells are left out."""
    rows = [{kinds[c]: v.strip() for c, v in r.items() if c in kinds and v and v.strip()} for r in _csv_rows(path)]
    ids = [r.get("id", "") for r in rows]
    if "" in ids or len(set(ids)) < len(ids):
        raise InputRefused(
            "K308", "行の鍵（id）が空か、重なっています。", path.name, "どの行にも一つだけの id を付けてください。"
        )
    return rows


def _csv_rows(path: Path) -> list[dict[str, str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return [{str(k): v or "" for k, v in row.items() if k is not None} for row in csv.DictReader(file)]
    except (OSError, UnicodeDecodeError, csv.Error) as e:
        raise InputRefused("K307", "ファイルをCSVとして読めません。", path.name, "UTF-8のCSVで保存し直してください。") from e


def _readers(register: list[dict[str, str]]) -> Readers:
    def parts(whole: str, family: str, given: str) -> tuple[list[str], list[str]]:
        written = [r[whole].replace("\u3000", " ").split(" ") for r in register if whole in r]
        apart = [p for p in written if len(p) == 2]
        families = {p[0] for p in apart} | {r[family] for r in register if family in r}
        givens = {p[1] for p in apart} | {r[given] for r in register if given in r}
        return sorted(families), sorted(givens)

    return Readers(
        names=NameRules(register=register_of(*parts("name", "family", "given"))),
        kana=kana_register_of(*parts("kana", "family_kana", "given_kana")),
        addresses=learn_addresses(r["address"] for r in register if "address" in r),
    )


def _records(rows: list[dict[str, str]], source: str, readers: Readers) -> pa.Table:
    name = cache(lambda text: clean_name(text, readers.names))
    kana = cache(lambda text: clean_kana(text, readers.kana))
    address = cache(lambda text: clean_address(text, readers.addresses))
    made = [_record(r, source, name, kana, address) for r in rows]
    return pa.Table.from_pylist(made, schema=arrow_schema(PERSON_RECORD))


def _record(
    row: Mapping[str, str], source: str, name: Callable[[str], Any], kana: Callable[[str], Any], address: Callable[[str], Any]
) -> dict[str, Any]:
    made: dict[str, Any] = dict.fromkeys(PERSON_RECORD.column_names())
    made |= {"source": source, "record_id": row["id"], "known_from": dt.date.min}
    if written := _whole(row, "name", "family", "given"):
        read = name(written)
        made |= {"name": read.display, "name_key": read.key, "family_key": read.family_key, "given_key": read.given_key}
    if written := _whole(row, "kana", "family_kana", "given_kana"):
        heard = kana(written)
        made |= {
            "kana": heard.kana,
            "kana_key": heard.key,
            "family_kana_key": heard.family_key,
            "given_kana_key": heard.given_key,
        }
    made |= {f"{half}_key": name(row[half]).key for half in ("family", "given") if half in row}
    made |= {f"{half}_key": kana(row[half]).key for half in ("family_kana", "given_kana") if half in row}
    if "address" in row:
        place = address(row["address"])
        made |= {"town_key": place.town_key, "block_key": place.block_key, "postcode": place.postcode}
    if "postcode" in row:
        made["postcode"] = clean_postcode(row["postcode"]).value or made["postcode"]
    if "birth_date" in row:
        made["birth_date"] = clean_date(row["birth_date"]).date
    made["phone"] = clean_phone(row["phone"]).value if "phone" in row else None
    made["sex"] = _SEX.get(row.get("sex", "").lower())
    return made


def _whole(row: Mapping[str, str], whole: str, family: str, given: str) -> str | None:
    """The name in one piece; two halves are joined by a space, a half alone is no whole name."""
    if whole in row:
        return row[whole]
    return f"{row[family]} {row[given]}" if family in row and given in row else None
