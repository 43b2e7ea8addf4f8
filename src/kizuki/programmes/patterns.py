"""Answers as patterns: the SQL packs all that one answer says into numbers, and here they become verdicts and words again.

A city gives a million answers of which a few thousand differ. Building each sentence once, for the pattern, costs a hundredth
of building it for every household, and a pattern says the same on every engine.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute

from kizuki.terms.states import ProgrammeVerdict

pc: Any = pyarrow.compute  # its functions are generated at run time; the stubs do not know their overloads
Column = Any  # an Arrow array of any type; the stubs do not know its parts
Numbers = npt.NDArray[np.int64]

NO, UNKNOWN, ELIGIBLE = 0, 1, 2
"""States of the first part."""
ALWAYS_TOLD: Final = 3
"""The verdict, the receipt and what was asked for are told of every answer; the conditions only where the answer is not no."""
_LARGEST_KEY: Final = 2**62
_VERDICTS: Final = (ProgrammeVerdict.NOT_ELIGIBLE.value, ProgrammeVerdict.UNKNOWN.value, ProgrammeVerdict.ELIGIBLE.value)
RECEIPT: Final = (False, True, None)
"""What the states of the second part mean: not in receipt, in receipt, unknown."""


@dataclass(frozen=True, slots=True)
class Part:
    """One thing an answer can say, by state: a reason, or something to confirm, as a JSON object; blank = nothing."""

    reasons: tuple[str, ...]
    to_confirm: tuple[str, ...]


VERDICT: Final = Part(("", "", ""), ("", "", ""))


@dataclass(frozen=True)
class Patterns:
    """All that the answers of one programme can say, part by part; `always_open` is to be confirmed whoever is asked about."""

    parts: tuple[Part, ...]
    always_open: tuple[str, ...]

    @cached_property
    def keys(self) -> tuple[tuple[tuple[int, int], ...], ...]:
        """Which parts each key holds and the unit of each part's digit; a key stays below 2^62."""
        keys: list[list[tuple[int, int]]] = [[]]
        unit = 1
        for n, part in enumerate(self.parts):
            size = len(part.reasons)
            if unit * size > _LARGEST_KEY:
                keys.append([])
                unit = 1
            keys[-1].append((n, unit))
            unit *= size
        return tuple(map(tuple, keys))

    def states(self, keys: Sequence[Numbers]) -> list[Numbers]:
        """The state of every part, for patterns given by their keys."""
        found: list[Numbers] = [np.zeros(0, np.int64)] * len(self.parts)
        for places, key in zip(self.keys, keys, strict=True):
            for n, unit in places:
                found[n] = key // unit % len(self.parts[n].reasons)
        return found


def explained(programme: str, answers: pa.Table, patterns: Patterns) -> pa.Table:
    """The `eligibility` rows (terms.tables) of a programme's answers; verdict and texts coded by their distinct values."""
    codes, keys = _distinct([answers.column(f"k{n}") for n in range(len(patterns.keys))])
    states = patterns.states(keys)
    verdict, receipt, asked = states[:ALWAYS_TOLD]
    receiving = np.array(RECEIPT, dtype=object)[receipt]
    unclaimed = (verdict == ELIGIBLE) & (receipt == 0) & (asked == 0)
    reasons = _sentences([p.reasons for p in patterns.parts], states, ())
    to_confirm = _sentences([p.to_confirm for p in patterns.parts], states, patterns.always_open)
    open_ones = (verdict == UNKNOWN).tolist()
    unknown = [text if is_open else "[]" for text, is_open in zip(to_confirm, open_ones, strict=True)]
    columns: dict[str, Column] = {
        "programme": _coded([programme] * len(open_ones), codes),
        "household_id": answers.column("household_id"),
        "person_id": answers.column("person_id"),
        "verdict": _coded([_VERDICTS[v] for v in verdict.tolist()], codes),
        "receiving": pa.array(receiving.tolist(), pa.bool_()).take(codes),
        "unclaimed": pa.array(unclaimed).take(codes),
        "reasons": _coded(reasons, codes),
        "unknown": _coded(unknown, codes),
    }
    return pa.table(columns)


def _distinct(keys: Sequence[Column]) -> tuple[Column, list[Numbers]]:
    """For every row the number of its pattern, and the keys of the patterns."""
    codes: Numbers | None = None
    chosen: list[Numbers] = []
    for column in keys:
        coded = column.combine_chunks().dictionary_encode()
        values, own = coded.dictionary.to_numpy(), coded.indices.to_numpy().astype(np.int64)
        if codes is None:
            codes, chosen = own, [values]
            continue
        both, first, codes = np.unique(codes * max(len(values), 1) + own, return_index=True, return_inverse=True)
        before = both // max(len(values), 1)
        chosen = [*(k[before] for k in chosen), values[own[first]]]
    assert codes is not None
    return pa.array(codes.astype(np.int32)), chosen


def _sentences(pieces: Sequence[Sequence[str]], states: Sequence[Numbers], always: Sequence[str]) -> list[str]:
    """One JSON array per pattern of what its parts say, in their order."""
    said = [(p, state.tolist()) for p, state in zip(pieces, states, strict=True) if any(p)]
    count = len(states[0]) if states else 0
    return ["[" + ",".join([*filter(None, [p[state[row]] for p, state in said]), *always]) + "]" for row in range(count)]


def _coded(texts: Sequence[str], codes: Column) -> Column:
    """The texts of the rows, each distinct text held once."""
    distinct = pa.array(texts, pa.string()).dictionary_encode()
    return pa.DictionaryArray.from_arrays(distinct.indices.take(codes), distinct.dictionary)
