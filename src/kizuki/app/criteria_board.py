"""The criteria sets of the city as people read them: every version with its state, and one version in plain Japanese."""

import datetime as dt
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from kizuki.app.city_definitions import definitions_of
from kizuki.definitions.criteria import CriteriaSet, Entry, failed_examples
from kizuki.definitions.loader import Definitions
from kizuki.judge.selection import left_out

IN_FORCE, COMING, ENDED, ON_TRIAL = "施行中", "予定", "終了", "試行中"
_BASES: Final = {"years": "満年齢で", "fy_end": "年度末の年齢で"}
_ORDERS: Final = {"younger": "年齢の低い順", "older": "年齢の高い順", "random": "無作為の順"}


@dataclass(frozen=True, slots=True)
class VersionRow:
    """One version of one set in the list."""

    criteria: CriteriaSet
    state: str

    @property
    def key(self) -> str:
        """`absence@2026.1`, as the comparison and the command line name it."""
        return f"{self.criteria.id}@{self.criteria.version}"


@dataclass(frozen=True, slots=True)
class EntryWords:
    """One entry in words; `unused` where the city's sources cannot answer it."""

    entry: Entry
    effect: str
    said: str
    unused: bool


@dataclass(frozen=True, slots=True)
class ExampleWords:
    """One example in words, and whether it holds."""

    name: str
    situation: str
    expected: str
    holds: bool


@dataclass(frozen=True, slots=True)
class Sheet:
    """One version in plain Japanese."""

    criteria: CriteriaSet
    state: str
    period: str
    rule: str
    order: str
    parts: str
    entries: tuple[EntryWords, ...]
    examples: tuple[ExampleWords, ...]


def definitions_now(home: Path) -> Definitions:
    """The definitions as the files of the home stand at this moment (the snapshot may still be made with earlier ones)."""
    return _loaded(home, _stamp(home))


def _stamp(home: Path) -> tuple[tuple[str, int, int], ...]:
    folder = home / "definitions"
    found = ((path, path.stat()) for path in sorted(folder.rglob("*.yaml")))
    return tuple((str(path), stat.st_mtime_ns, stat.st_size) for path, stat in found)


@lru_cache(maxsize=4)
def _loaded(home: Path, stamp: tuple[tuple[str, int, int], ...]) -> Definitions:
    del stamp  # the key: changed files are read again
    return definitions_of(home)


def names(definitions: Definitions) -> dict[str, str]:
    """What staff call each set, by its ID."""
    return {name: main.name for name, main in definitions.criteria.items()}


def state_of(criteria: CriteriaSet, today: dt.date) -> str:
    """施行中, 予定, 終了 or 試行中."""
    if criteria.valid_from > today:
        return COMING
    if criteria.valid_to is not None and criteria.valid_to <= today:
        return ENDED
    return ON_TRIAL if criteria.text.trial else IN_FORCE


def board(definitions: Definitions, today: dt.date) -> list[VersionRow]:
    """Every version of every set, by set; within a set the newest first."""
    sets = definitions.criteria.values()
    return [VersionRow(v, state_of(v, today)) for main in sets for v in reversed(main.versions)]


def find(definitions: Definitions, criteria: str, version: str) -> CriteriaSet | None:
    """One version of one set."""
    main = definitions.criteria.get(criteria)
    return next((v for v in main.versions if v.version == version), None) if main else None


def sheet(criteria: CriteriaSet, definitions: Definitions, today: dt.date) -> Sheet:
    """One version in words."""
    unused = {e.id for e in left_out(criteria, definitions)}
    failed = set(failed_examples(criteria))
    until = f"{criteria.valid_to:%Y/%m/%d} の前日まで" if criteria.valid_to else "終わりの定めなし"
    names = {name: c.name for name, c in definitions.criteria.items()}
    return Sheet(
        criteria=criteria,
        state=state_of(criteria, today),
        period=f"{criteria.valid_from:%Y/%m/%d} から、{until}",
        rule=_rule(criteria),
        order="、".join(_ORDERS[o] for o in criteria.order),
        parts="、".join(names.get(p, p) for p in criteria.combines),
        entries=tuple(EntryWords(e, _effect(e, criteria), _said(e), e.id in unused) for e in criteria.entries),
        examples=tuple(
            ExampleWords(x.name, _situation(x.situation, x.others), _expected(x.expected.value, x.points), x.name not in failed)
            for x in criteria.text.examples
        ),
    )


def _rule(criteria: CriteriaSet) -> str:
    ages = criteria.ages
    who = f"{_BASES[ages.basis]}{ages.low}歳から{ages.high}歳までのこどもについて、"
    if criteria.combines:
        return f"{who}下の段を上から見て、当てはまる最も高い段を結果とします。段の高さが{criteria.threshold}以上なら該当です。"
    return (
        f"{who}下の項目の点を足し、{criteria.threshold}点以上なら該当です。"
        "分からない項目しだいで届くときは要確認、届きようがなければ非該当です。"
    )


def _effect(entry: Entry, criteria: CriteriaSet) -> str:
    if criteria.combines:
        return f"段 {entry.points}"
    told = f"{entry.points}点足す" if entry.points > 0 else f"{-entry.points}点引く（下げる要素）"
    family = entry.text.family
    return f"{told}（「{family}」は合わせて{criteria.text.caps[family]}点まで）" if family else told


def _said(entry: Entry) -> str:
    """The sentence of the child's page, with what is filled in marked as such."""
    return "".join(part if isinstance(part, str) else f"《{part.title}》" for part in entry.explanation)


def _situation(situation: dict[str, str], others: str) -> str:
    told = "、".join(f"{title} {value}" for title, value in situation.items())
    return f"{told or '何も無い'}（ほかは{'不明' if others == '不明' else '無し'}）"


def _expected(verdict: str, points: int | None) -> str:
    return verdict if points is None else f"{verdict}（{points}点）"
