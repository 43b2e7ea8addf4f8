"""One field of a manifest over all rows of a source: writings → typed values and states.

A blank becomes what the field declares it to mean; a cell whose column the layout did not have is 未整備 (not collected),
whatever a blank means, because nobody was asked (G2).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute

from kizuki.cleanse.dates import normalise_date, normalise_serial_date
from kizuki.cleanse.distinct import ABSENT, Codes, Mapped, Writings, map_texts, trimmed_texts
from kizuki.cleanse.kana import stored_kana
from kizuki.cleanse.scalars import clean_bool, clean_code, clean_double, clean_int, clean_person_no, clean_phone, clean_postcode
from kizuki.definitions.sources import Field
from kizuki.terms.states import ValueState

pc: Any = pyarrow.compute  # its functions are generated at run time; the stubs do not know their overloads

ARROW_TYPES: Mapping[str, pa.DataType] = {
    "string": pa.string(),
    "code": pa.string(),
    "int": pa.int64(),
    "double": pa.float64(),
    "bool": pa.bool_(),
    "date": pa.date32(),
}
STATES = tuple(ValueState)
_KNOWN, _ABSENT = STATES.index(ValueState.KNOWN), STATES.index(ValueState.NOT_COLLECTED)
_TEXT_RULES: Mapping[str, Callable[[str], Any]] = {
    "kana": stored_kana,
    "zeropad10": clean_person_no,
    "phone": clean_phone,
    "postcode": clean_postcode,
    "code": clean_code,
    "int": clean_code,
    "double": clean_code,
    "wareki": clean_code,
}
_TYPED_RULES: Mapping[str, Callable[[str], Any]] = {
    "int": clean_int,
    "double": clean_double,
    "bool": clean_bool,
    "date": normalise_date,
}
_CLEAN_PERSON_NO = "^[0-9]{10}$"  # one number per person: worth skipping
_ZERO: Mapping[str, Any] = {"int": 0, "double": 0.0, "bool": False, "code": "0"}


@dataclass(frozen=True)
class CleanField:
    """`values` and `states` per distinct writing, then two more slots: a blank cell, an absent column. `codes` per row."""

    field: Field
    codes: Codes
    texts: pa.Array[Any]
    mapped: Mapped
    values: pa.Array[Any]
    states: npt.NDArray[np.int8]

    @cached_property
    def identity(self) -> npt.NDArray[np.int64]:
        """Per slot: equal numbers exactly for equal value and state."""
        values = _dense(self.values)
        return values * len(STATES) + self.states

    @cached_property
    def key_identity(self) -> npt.NDArray[np.int64]:
        """Per slot: equal numbers exactly for equal values; unreadable writings stay apart instead of becoming one record."""
        values = _dense(self.values)
        unreadable = pc.is_null(self.values).to_numpy(zero_copy_only=False)
        top = len(self.values) + 1
        return np.where(unreadable, top + np.arange(len(self.values)), values)

    @cached_property
    def unreadable(self) -> npt.NDArray[np.bool_]:
        """Per slot: something is written there that could not be read."""
        blank = np.array([True, True])
        empty = np.concatenate([_is_blank(self.texts), blank])
        unread: npt.NDArray[np.bool_] = pc.is_null(self.values).to_numpy(zero_copy_only=False)
        both: npt.NDArray[np.bool_] = np.logical_and(unread, ~empty)
        return both

    def slot_of(self, text: str) -> int:
        """The slot of a writing; ValueError if it is not among them."""
        found = pc.index(self.texts, text).as_py()
        if found < 0:
            raise ValueError(f"{self.field.name}: no such writing")
        return int(found)

    @cached_property
    def slot_texts(self) -> pa.Array[Any]:
        """Per slot: the value as text (dates ISO), the writing itself where it could not be read."""
        blank = pa.array(["", ""], pa.string())
        texts: pa.Array[Any] = pc.coalesce(self.values.cast(pa.string()), pa.concat_arrays([self.texts, blank]))
        return texts

    def text_of(self, rows: npt.NDArray[np.int64]) -> pa.Array[Any]:
        """The value as text for some rows."""
        return self.slot_texts.take(self.codes[rows])

    def value_of(self, rows: npt.NDArray[np.int64]) -> pa.Array[Any]:
        """The values of some rows; texts dictionary-encoded."""
        if not pa.types.is_string(self.values.type):
            return self.values.take(self.codes[rows])
        encoded = self.values.dictionary_encode()
        return pa.DictionaryArray.from_arrays(encoded.indices.take(self.codes[rows]), encoded.dictionary)

    def state_of(self, rows: npt.NDArray[np.int64]) -> pa.Array[Any]:
        """The states of some rows."""
        return pa.DictionaryArray.from_arrays(self.states[self.codes[rows]], pa.array([str(s) for s in STATES]))


def clean_field(field: Field, column: Writings, extra: Sequence[str] = ()) -> CleanField:
    """Cleanse one field; `extra` are writings that corrections bring in addition."""
    texts = column.texts
    missing = sorted(set(extra) - set(texts.to_pylist())) if extra else []
    if missing:
        texts = pa.concat_arrays([texts, pa.array(missing, pa.string())])
    mapped = _mapped(field, texts)
    type_ = ARROW_TYPES[field.type]
    zero = field.blank is ValueState.ZERO
    blank_value = _zero(field) if zero else None
    blank_state = STATES.index(field.blank or ValueState.NOT_ENTERED)
    empty = _is_blank(texts)
    unread = pc.is_null(mapped.values).to_numpy(zero_copy_only=False)
    states = np.where(empty, blank_state, np.where(unread, STATES.index(ValueState.NOT_ENTERED), _KNOWN))
    values = pc.if_else(pa.array(empty), pa.scalar(blank_value, type_), mapped.values)
    slots = pa.array([blank_value, None], type_)
    codes = np.where(column.codes == ABSENT, len(texts) + 1, np.where(column.codes < 0, len(texts), column.codes))
    return CleanField(
        field=field,
        codes=codes.astype(np.int32),
        texts=texts,
        mapped=mapped,
        values=pa.concat_arrays([values.cast(type_), slots]),
        states=np.concatenate([states, [blank_state, _ABSENT]]).astype(np.int8),
    )


def _mapped(field: Field, texts: pa.Array[Any]) -> Mapped:
    # Names, addresses and free text keep their writing; their keys are made later, beside it.
    dated = normalise_serial_date if field.reads_serial_days else None
    rule = (
        dated
        or _TYPED_RULES.get(field.type)
        or _TEXT_RULES.get(field.normaliser)
        or (clean_code if field.type == "code" else None)
    )
    already = _CLEAN_PERSON_NO if rule is clean_person_no else ""
    return map_texts(texts, rule, ARROW_TYPES[field.type], already) if rule else trimmed_texts(texts)


def _zero(field: Field) -> Any:
    # A blank that means zero is the value zero; for a code that is the category "0", and nothing where there is none.
    if field.type == "code" and "0" not in field.categories:
        return None
    return _ZERO.get(field.type)


def _is_blank(texts: pa.Array[Any]) -> npt.NDArray[np.bool_]:
    blank: npt.NDArray[np.bool_] = pc.equal(pc.utf8_trim_whitespace(texts), "").fill_null(True).to_numpy(zero_copy_only=False)
    return blank


def _dense(values: pa.Array[Any]) -> npt.NDArray[np.int64]:
    encoded = values.dictionary_encode()
    indices = encoded.indices.fill_null(len(encoded.dictionary))
    return indices.to_numpy(zero_copy_only=False).astype(np.int64)
