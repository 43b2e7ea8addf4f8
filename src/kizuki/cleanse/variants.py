"""異体字: which characters count as the same when names are compared. Display and exports never pass through here.

Three tables, from strict to loose: the MJ縮退マップ (generated, own licence), a city's own table (loader), and a short list of
pairs the map keeps apart although the same family writes both (斎/斉, 嶋/島, 龍/竜).
"""

import csv
import gzip
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path

from kizuki.terms.errors import DefinitionError

_DATA = files("kizuki.cleanse").joinpath("data")


@cache
def official_variants() -> dict[int, str]:
    """Code point → comparison character from the MJ縮退マップ, ready for `str.translate`."""
    text = gzip.decompress(_DATA.joinpath("mj_variants.tsv.gz").read_bytes()).decode("utf-8")
    return {ord(a): b for a, b in (line.split("\t") for line in text.splitlines())}


@cache
def loose_variants() -> dict[int, str]:
    """Code point → character for the pairs we add for searching and reviewing."""
    lines = _DATA.joinpath("loose_pairs.tsv").read_text(encoding="utf-8").splitlines()
    pairs = (line.split("\t")[:2] for line in lines if line and not line.startswith("#"))
    return {ord(a): b for a, b in pairs}


def fold(text: str, own: Mapping[int, str] | None = None) -> str:
    """Comparison form: the official map, then the city's own table; idempotent."""
    if text.isascii():
        return text
    folded = text.translate(official_variants())
    return folded.translate(own) if own else folded


def fold_loose(text: str) -> str:
    """Folded further by the loose pairs; for searching and review. Linkage lets a 姓 differ by it only beside the same 名."""
    return text.translate(loose_variants())


def load_own_table(path: Path) -> dict[int, str]:
    """A city's own 同定・代替 table: UTF-8 CSV with the columns `文字,比較文字`, one character each.

    Raises DefinitionError K201 naming the line that is not one character to one character.
    """
    step: dict[str, str] = {}
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        for row in reader:
            source, target = row.get("文字") or "", row.get("比較文字") or ""
            if len(source) != 1 or len(target) != 1:
                where = f"{path.name} {reader.line_num}行目"
                raise DefinitionError(
                    "K201", "異体字表の行を読めません。", where, "「文字」「比較文字」に1文字ずつ書いてください。"
                )
            step[fold(source)] = fold(target)
    return _closed(step)


def _closed(step: Mapping[str, str]) -> dict[int, str]:
    # A chain A→B→C must land on C at once, or folding twice would differ from folding once.
    table: dict[int, str] = {}
    for source, target in step.items():
        seen = {source}
        while target in step and target not in seen:
            seen.add(target)
            target = step[target]
        if target in seen:
            target = min(seen)
        if target != source:
            table[ord(source)] = target
    return table
