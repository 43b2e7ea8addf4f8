"""Conformed rows → one row per person as one source writes them, with the keys linkage compares.

Each attribute is the newest writing that was not blank: an empty cell in a later file does not make a person unknown. Only 通称
follows the newest row alone, because it can be given up.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute

from kizuki.cleanse.addresses import AddressRules, clean_address
from kizuki.cleanse.audit import Tally
from kizuki.cleanse.distinct import flag_texts
from kizuki.cleanse.flags import Flag
from kizuki.cleanse.gaiji import GaijiTable
from kizuki.cleanse.kana import KanaRegister, clean_kana, kana_key, kana_register_of
from kizuki.cleanse.names import NameRegister, NameRules, clean_name, name_key, register_of
from kizuki.cleanse.readings import Readings, learn_readings
from kizuki.cleanse.scalars import clean_person_no, clean_phone, clean_postcode
from kizuki.definitions.sources import PersonRecordSpec, SourceManifest
from kizuki.engine.tables import arrow_schema, shape
from kizuki.terms.records import PERSON_RECORD

pc: Any = pyarrow.compute  # its functions are generated at run time; the stubs do not know their overloads

_ATTRIBUTES = (
    "person_no",
    "name",
    "kana",
    "alias",
    "birth_date",
    "sex",
    "postcode",
    "address",
    "phone",
    "school_code",
    "grade",
)
_NEWEST_ROW_ONLY = frozenset({"alias"})
_SEX = {"1": "1", "2": "2", "男": "1", "女": "2", "男性": "1", "女性": "2", "M": "1", "F": "2"}
_LEARN_ADDRESSES = 5_000
_TOWN_SEEN = 2
_PARTS_APART = 2
_UNUSABLE_PHONE = frozenset({Flag.IMPLAUSIBLE, Flag.AREA_CODE_MISSING})


@dataclass(frozen=True)
class PersonContext:
    """What 住民記録 teaches about the city, and the city's own tables: how names are split and addresses read.

    `register` is the conformed 住民記録 (name, kana, address are used) or None. Each lesson is learnt when first needed: most
    sources bring numbers only.
    """

    register: pa.Table | None = None
    gaiji: Mapping[str, GaijiTable] = field(default_factory=dict)
    own_variants: Mapping[int, str] = field(default_factory=dict)

    @cached_property
    def names(self) -> NameRegister:
        """姓 and 名 of the names written apart."""
        rules = NameRules(gaiji=self.gaiji.get("resident_register", {}), own_variants=self.own_variants)
        return register_of(*_apart(self.register, "name"), rules)

    @cached_property
    def kana(self) -> KanaRegister:
        """姓 and 名 of the readings written apart."""
        return kana_register_of(*_apart(self.register, "kana"))

    @cached_property
    def readings(self) -> tuple[Readings, Readings]:
        """How 姓 and 名 are read here."""
        rules = NameRules(gaiji=self.gaiji.get("resident_register", {}), own_variants=self.own_variants)
        return _readings(self.register, rules)

    @cached_property
    def addresses(self) -> AddressRules:
        """The city and its 町字."""
        return learn_addresses(_distinct(self.register, "address"))

    def name_rules(self, source: str) -> NameRules:
        """The rules for names of one source."""
        return NameRules(gaiji=self.gaiji.get(source, {}), own_variants=self.own_variants, register=self.names)


def learn_context(
    register: pa.Table | None, gaiji: Mapping[str, GaijiTable] | None = None, own_variants: Mapping[int, str] | None = None
) -> PersonContext:
    """The context a night works with; nothing is learnt without a register."""
    return PersonContext(register, gaiji or {}, own_variants or {})


def _apart(table: pa.Table | None, name: str) -> tuple[list[str], list[str]]:
    """The distinct first and second parts of the names written in exactly two: a city has few of each."""
    if table is None or name not in table.column_names:
        return [], []
    texts = pc.utf8_trim_whitespace(pc.replace_substring(_text(table.column(name)).unique(), "\u3000", " "))
    parts = pc.split_pattern(texts, " ")
    parts = parts.filter(pc.equal(pc.list_value_length(parts), 2))
    return tuple(pc.list_element(parts, side).unique().to_pylist() for side in (0, 1))


def _readings(table: pa.Table | None, rules: NameRules) -> tuple[Readings, Readings]:
    """Readings learnt from the rows whose name and reading are both written in two parts."""
    if table is None or not {"name", "kana"} <= set(table.column_names):
        return Readings(), Readings()
    written = table.select(["name", "kana"]).group_by(["name", "kana"]).aggregate([])
    parts = [
        (name.replace("\u3000", " ").split(" "), kana.replace("\u3000", " ").split(" "))
        for name, kana in zip(_text(written.column("name")).to_pylist(), _text(written.column("kana")).to_pylist(), strict=True)
        if name and kana
    ]
    both = [(name, kana) for name, kana in parts if len(name) == len(kana) == _PARTS_APART]
    keys = cache(lambda part: name_key(part, rules) or "")
    return (
        learn_readings((keys(name[0]), kana_key(kana[0])) for name, kana in both),
        learn_readings((keys(name[1]), kana_key(kana[1])) for name, kana in both),
    )


def learn_addresses(addresses: Iterable[str]) -> AddressRules:
    """The city most addresses are in, and the 町字 written there more than once; a sample of 5,000 is enough."""
    known = sorted(set(addresses))
    parts = [clean_address(a) for a in known[:: max(1, len(known) // _LEARN_ADDRESSES)]]
    cities = Counter((p.prefecture, p.city) for p in parts if p.city)
    if not cities:
        return AddressRules()
    (prefecture, city), _ = cities.most_common(1)[0]
    towns = Counter(p.town for p in parts if p.town and (p.prefecture, p.city) == (prefecture, city))
    return AddressRules(prefecture, city, frozenset(t for t, seen in towns.items() if seen >= _TOWN_SEEN))


def person_records(manifest: SourceManifest, conformed: pa.Table, context: PersonContext) -> pa.Table:
    """One row per (source, record_id) of every role of the source, sorted by record_id; schema `PERSON_RECORD`.

    `known_from` is the first date the record was known. Rows without a record id (a blank child number) are left out: there is
    no person to name.
    """
    return person_records_counted(manifest, conformed, context)[0]


def person_records_counted(manifest: SourceManifest, conformed: pa.Table, context: PersonContext) -> tuple[pa.Table, pa.Table]:
    """`person_records`, and what cleansing did to names, readings and addresses, counted (schema `CLEANSING`)."""
    tally = Tally(manifest.id)
    if not manifest.person_records or not conformed.num_rows:
        return arrow_schema(PERSON_RECORD).empty_table(), tally.table()
    roles = [_role_rows(manifest, spec, conformed) for spec in manifest.person_records]
    newest = _newest(pa.concat_tables(roles, promote_options="permissive").combine_chunks().unify_dictionaries())
    keyed = shape(_with_keys(tally, newest, context), PERSON_RECORD).sort_by("record_id")
    return keyed, tally.table()


def _role_rows(manifest: SourceManifest, spec: PersonRecordSpec, conformed: pa.Table) -> pa.Table:
    """The attributes of one role under their general names, all texts except the dates."""
    ids = [_text(conformed.column(name)) for name in spec.record_id]
    joined = pc.binary_join_element_wise(*ids, "-") if len(ids) > 1 else ids[0]
    columns: dict[str, Any] = {
        "record_id": joined,
        "known_from": conformed.column("known_from"),
        "line": conformed.column("line"),
    }
    for name in _ATTRIBUTES:
        source = getattr(spec, name)
        if source is None:
            columns[name] = pa.nulls(conformed.num_rows, pa.date32() if name == "birth_date" else pa.string())
        else:
            column = conformed.column(source)
            columns[name] = column if name == "birth_date" and pa.types.is_date(column.type) else _text(column)
    return pa.table(columns)


def _text(column: pa.ChunkedArray[Any]) -> Any:
    if pa.types.is_dictionary(column.type):
        column = column.cast(pa.string())
    return pc.if_else(pc.equal(column.cast(pa.string()), ""), None, column.cast(pa.string()))


def _newest(rows: pa.Table) -> pa.Table:
    """One row per record: each attribute from the newest row that has it."""
    rows = rows.filter(pc.is_valid(rows.column("record_id")))
    encoded = rows.column("record_id").combine_chunks().dictionary_encode()
    record = encoded.indices.to_numpy()
    known = rows.column("known_from").cast(pa.int32()).to_numpy()
    order = np.lexsort((rows.column("line").to_numpy(), known, record))
    starts = np.flatnonzero(np.diff(record[order], prepend=-1))
    last = np.append(starts[1:], len(order))[: len(starts)] - 1
    columns: dict[str, Any] = {
        "record_id": encoded.dictionary.take(record[order][starts]),
        "known_from": rows.column("known_from").take(order[starts]),
    }
    for name in _ATTRIBUTES:
        column = rows.column(name)
        places = last if name in _NEWEST_ROW_ONLY else _newest_valid(column, order, starts, last)
        columns[name] = column.take(order[places])
    return pa.table(columns)


def _newest_valid(
    column: pa.ChunkedArray[Any], order: npt.NDArray[np.int64], starts: npt.NDArray[np.int64], last: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    valid = pc.is_valid(column).to_numpy()[order]
    if valid.all():
        return last
    places = np.maximum.reduceat(np.where(valid, np.arange(len(order)), -1), starts)
    return np.where(places < 0, last, places)


def key_audit(manifest: SourceManifest, conformed: pa.Table, context: PersonContext) -> pa.Table:
    """One row per distinct name, reading and address of the source, for the audit screen (clean = its key)."""
    rules = context.name_rules(manifest.id)
    readers: Mapping[str, Any] = {
        "name": lambda t: clean_name(t, rules),
        "alias": lambda t: clean_name(t, rules),
        "kana": lambda t: clean_kana(t, context.kana),
        "address": lambda t: clean_address(t, context.addresses),
    }
    tables = []
    for attribute, reader in readers.items():
        for name in sorted({n for spec in manifest.person_records if (n := getattr(spec, attribute))}):
            texts = _distinct(conformed, name)
            read = [reader(t) for t in texts]
            columns = {
                "field": [name] * len(texts),
                "raw": texts,
                "clean": [r.key for r in read],
                "rule": [attribute] * len(texts),
            }
            text = {column: pa.array(values, pa.string()) for column, values in columns.items()}
            tables.append(pa.table({**text, "flags": flag_texts([r.flags for r in read])}))
    return pa.concat_tables(tables) if tables else _NO_AUDIT


_NO_AUDIT = pa.schema([(c, pa.string()) for c in ("field", "raw", "clean", "rule", "flags")]).empty_table()


def _with_keys(tally: Tally, rows: pa.Table, context: PersonContext) -> pa.Table:
    source = tally.source

    @cache
    def rules() -> NameRules:
        return context.name_rules(source)

    size = rows.num_rows
    columns: dict[str, Any] = {"source": pa.array([source] * size, pa.string()), "record_id": rows.column("record_id")}
    columns |= _each(rows, "name", lambda t: clean_name(t, rules()), {"name": "display", "name_key": "key", **_PARTS}, tally)
    columns |= _each(rows, "kana", lambda t: clean_kana(t, context.kana), _KANA_PARTS, tally)
    columns |= _each(rows, "alias", lambda t: clean_name(t, rules()), {"alias_key": "key"}, tally)
    columns |= _each(rows, "address", lambda t: clean_address(t, context.addresses), _ADDRESS_PARTS, tally)
    columns |= _each(rows, "phone", _usable_phone, {"phone": None})
    columns |= _each(rows, "person_no", lambda t: clean_person_no(t).value, {"person_no": None})
    columns |= _each(rows, "sex", _SEX.get, {"sex": None})
    written = _each(rows, "postcode", lambda t: clean_postcode(t).value, {"postcode": None})["postcode"]
    columns["postcode"] = pc.coalesce(written, columns.pop("address_postcode"))
    for name in ("birth_date", "school_code", "grade", "known_from"):
        columns[name] = rows.column(name)
    _count_readings(tally, columns, context)
    return pa.table(columns)


def _count_readings(tally: Tally, columns: Mapping[str, Any], context: PersonContext) -> None:
    """Count the persons whose name and reading cannot belong together, as far as the register teaches."""
    known = [columns[c] for c in ("family_key", "family_kana_key", "given_key", "given_kana_key")]
    joined = pc.binary_join_element_wise(*known, "\x1f")
    if not len(joined) or joined.null_count == len(joined):
        return
    encoded = (joined.combine_chunks() if isinstance(joined, pa.ChunkedArray) else joined).dictionary_encode()
    families, givens = context.readings
    flags: list[tuple[Flag, ...]] = []
    texts: list[Any] = encoded.dictionary.to_pylist()
    for text in texts:
        family, family_kana, given, given_kana = text.split("\x1f")
        doubt = families.doubtful(family, family_kana) or givens.doubtful(given, given_kana)
        flags.append((Flag.READING_DOUBTFUL,) if doubt else ())
    tally.add("reading", "reading", texts, flags, codes=encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False))


_PARTS = {"family_key": "family_key", "given_key": "given_key"}
_KANA_PARTS = {"kana": "kana", "kana_key": "key", "family_kana_key": "family_key", "given_kana_key": "given_key"}
_ADDRESS_PARTS = {"town_key": "town_key", "block_key": "block_key", "address_postcode": "postcode"}


def _each(rows: pa.Table, name: str, rule: Any, parts: Mapping[str, str | None], tally: Tally | None = None) -> dict[str, Any]:
    """Call `rule` once per distinct text of a column; each part of the answer becomes a column (None: the answer itself).

    With a tally, the flags of the answers are counted over the rows.
    """
    column = rows.column(name).combine_chunks()
    encoded = column.dictionary_encode()
    texts = encoded.dictionary.to_pylist()
    answers = [rule(t) for t in texts]
    if tally is not None:
        codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
        tally.add(name, name, texts, [a.flags for a in answers], codes=codes)
    out: dict[str, Any] = {}
    for target, part in parts.items():
        values = pa.array([a if part is None else getattr(a, part) for a in answers], pa.string())
        out[target] = values.take(encoded.indices)
    return out


def _usable_phone(text: str) -> str | None:
    phone = clean_phone(text)
    return None if _UNUSABLE_PHONE & set(phone.flags) else phone.value


def _distinct(table: pa.Table | None, name: str) -> list[str]:
    if table is None or name not in table.column_names:
        return []
    return [t for t in _text(table.column(name)).unique().to_pylist() if t]
