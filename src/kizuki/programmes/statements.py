"""Households as lines of JSON: each line is judged or refused by itself, and a stream of any length is read line by line.

A refused line says which and why, without any value of it; the lines around it are judged all the same.
"""

import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, NoReturn

from kizuki.definitions.programmes.households import read_household
from kizuki.programmes.judging import Bench
from kizuki.terms.errors import InputRefused

LONGEST_LINE = 1_000_000
_FORM = '{"case": …, "household": {"members": […]}} の形のJSONを、UTF-8で1行に書いてください。'


@dataclass(frozen=True, slots=True)
class Judged:
    """What came of one line: its answers, or why it was refused; `hints` are remarks that refuse nothing."""

    line: int
    answers: tuple[dict[str, Any], ...] = ()
    refused: InputRefused | None = None
    hints: tuple[str, ...] = ()


def judge_lines(lines: BinaryIO, bench: Bench, day: dt.date) -> Iterator[Judged]:
    """One result per line that is not blank, in order."""
    for number, line in enumerate(_lines(lines), start=1):
        try:
            if line is None:
                raise InputRefused("K602", "行が長すぎます。", "", f"1行を{LONGEST_LINE:,}バイトまでにしてください。")
            if line.strip():
                yield _judged(line, number, bench, day)
        except InputRefused as e:
            where = f"標準入力の{number}行目{f'　{e.where}' if e.where else ''}"
            yield Judged(number, refused=InputRefused(e.code, e.what, where, e.fix))


def _lines(lines: BinaryIO) -> Iterator[bytes | None]:
    """Lines; None for one that is too long to be a household."""
    while line := lines.readline(LONGEST_LINE + 1):
        if len(line) <= LONGEST_LINE or line.endswith(b"\n"):
            yield line
            continue
        while (rest := lines.readline(LONGEST_LINE)) and not rest.endswith(b"\n"):
            pass
        yield None


def _judged(line: bytes, number: int, bench: Bench, day: dt.date) -> Judged:
    case = _read(line)
    household = read_household(case["household"], day)
    answers = tuple({"case": case.get("case")} | a.as_dict() for a in bench.judge(household))
    return Judged(number, answers, hints=household.hints)


def _read(line: bytes) -> dict[str, Any]:
    try:
        case = json.loads(line.decode("utf-8-sig"), object_pairs_hook=_once, parse_constant=_no_number)
    except (ValueError, RecursionError) as e:
        raise InputRefused("K602", "世帯を読めません。", "", _FORM) from e
    if not isinstance(case, dict) or not isinstance(case.get("household"), dict):
        raise InputRefused("K602", "世帯を読めません。", "", _FORM)
    return case


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise InputRefused("K603", "同じ項目が二度書かれています。", "", "一つにしてください。")
    return found


def _no_number(constant: str) -> NoReturn:
    """NaN and Infinity are no JSON."""
    raise ValueError(constant)


def as_line(answer: dict[str, Any]) -> str:
    """One answer as a line of JSON; text that is no Unicode (half a surrogate pair) comes back escaped, as it was written."""
    text = json.dumps(answer, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(answer)
    return text
