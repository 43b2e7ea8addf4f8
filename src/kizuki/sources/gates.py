"""Whole-file gates: when something is wrong with a delivery as a delivery, it waits for a person and yesterday's data stay.

Limits come from the manifest (保留の基準). The smallest counts keep a source of a few dozen rows from being held over two
people.
"""

import math
from typing import Any

import pyarrow as pa
import pyarrow.compute

from kizuki.definitions.sources import SourceManifest
from kizuki.sources.received import Previous, Reason, Received

pc: Any = pyarrow.compute  # its functions are made at run time; the stubs do not know their overloads

MIN_BAD_LINES = 10
MIN_CHANGED_ROWS = 10
MIN_MISSING_KEYS = 5
_CONFIRM = "内容を確かめ、正しければ「保留の解除」、誤りなら「返却」を選んでください。"


def decide(received: Received, previous: Previous, manifest: SourceManifest) -> Received:
    """The delivery as it stands, or held with the first gate that closes. Refused files pass through."""
    if received.status != "accepted":
        return received
    for gate in (_bad_lines, _going_back, _volume, _missing_keys):
        reason = gate(received, previous, manifest)
        if reason is not None:
            return received.held(reason)
    return received


def _bad_lines(received: Received, _: Previous, manifest: SourceManifest) -> Reason | None:
    data_lines = received.accepted + received.quarantined
    limit = manifest.gates.bad_percent
    if received.quarantined < MIN_BAD_LINES or received.quarantined * 100 <= limit * data_lines:
        return None
    message = f"不備のある行が{received.quarantined}行（上限{limit:g}%）あります。"
    return Reason("K112", message, "不備の理由を見て、書き出しの設定を確かめてください。" + _CONFIRM)


def _going_back(received: Received, previous: Previous, _: SourceManifest) -> Reason | None:
    if received.as_of is None or previous.as_of is None or received.as_of >= previous.as_of:
        return None
    message = f"データの時点（{received.as_of}）が、すでに受け取った時点（{previous.as_of}）より前です。"
    return Reason("K113", message, "古いファイルでないか確かめてください。" + _CONFIRM)


def _volume(received: Received, previous: Previous, manifest: SourceManifest) -> Reason | None:
    last = previous.rows.get(received.kind)
    if not last:  # nothing to compare with: the first file, or one whose predecessor was empty
        return None
    full = received.kind == "full"
    percent = manifest.gates.full_change_percent if full else manifest.gates.diff_change_percent
    # A difference file counts events, which scatter by about the square root even when nothing is wrong.
    scatter = 0.0 if full else 6 * math.sqrt(last) + MIN_CHANGED_ROWS
    change = abs(received.rows - last)
    if change < max(MIN_CHANGED_ROWS, scatter) or change * 100 <= percent * last:
        return None
    message = f"行数が前回の{last}行から{received.rows}行に変わりました（許容±{percent:g}%）。"
    return Reason("K114", message, _CONFIRM)


def _missing_keys(received: Received, previous: Previous, manifest: SourceManifest) -> Reason | None:
    if received.kind != "full" or received.table is None:
        return None
    known = previous.known_keys()
    if known is None or not len(known):
        return None
    here = keys_of(received.table, manifest)
    missing = len(known) - (pc.sum(pc.is_in(known, value_set=here)).as_py() or 0)
    limit = manifest.gates.missing_percent
    allowed = len(known) * limit / 100
    if missing < MIN_MISSING_KEYS or missing <= allowed + 2 * math.sqrt(allowed):
        return None
    message = f"前回の全件にあった鍵のうち{missing}件が消えています（上限{limit:g}%）。"
    return Reason("K115", message, "全件が途中で切れていないか確かめてください。" + _CONFIRM)


def key_fields(manifest: SourceManifest) -> tuple[str, ...]:
    """Fields that identify a record from one full extract to the next; dates are left out as their spelling may change."""
    if manifest.gates.missing_key:
        return manifest.gates.missing_key
    stable = tuple(k for k in manifest.primary_key if manifest.field(k).type != "date")
    return stable or manifest.primary_key


def keys_of(table: pa.Table, manifest: SourceManifest) -> "pa.Array[Any]":
    """The distinct keys of a landing table, without leading zeros (some systems drop them)."""
    columns = []
    for name in key_fields(manifest):
        column: Any = table[name].combine_chunks()
        values = column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
        stripped = pc.utf8_trim_whitespace(values)
        zeros = manifest.field(name).normaliser == "zeropad10"
        columns.append(pc.utf8_ltrim(stripped, characters="0") if zeros else stripped)
    joined = columns[0] if len(columns) == 1 else pc.binary_join_element_wise(*columns, "\x1f")
    keys: pa.Array[Any] = pc.unique(joined)
    return keys
