"""過去の表: what was known of each child on past days, and what began in the year after, from the served snapshot.

A day looks back on itself: items are made from what was known the day before it (`known_by`), the points by the criteria in
force now. The outcome windows all close by the day up to which the sources of the outcome reach, so no half-seen year counts.
Nationality and the like are carried beside the items, for fairness only, and never among them.
"""

import csv
import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
import pyarrow as pa
from sqlglot import exp

from kizuki.app.judging import judge_all
from kizuki.definitions.criteria import CriteriaSet
from kizuki.definitions.item_windows import sayable
from kizuki.definitions.loader import Definitions
from kizuki.engine.duck import DuckEngine
from kizuki.engine.keys import KeyRing
from kizuki.engine.sql import bind, load
from kizuki.judge.case_table import CaseTable, Flags, Floats, Ints, number_item
from kizuki.judge.selection import active, without_learned
from kizuki.mart.items import base_selects, build_items, months_before
from kizuki.terms.errors import InputRefused, UsageError

WINDOW_MONTHS: Final = 12
PERIODS: Final = 5
"""At most so many past years: older ones tell of other offices and other feeds."""
STAFF: Final = "staff_points"
GROUPS: Final[Mapping[str, str]] = {
    "sex": "性別",
    "age": "年齢",
    "area": "地区",
    "nationality": "国籍（点検だけに使う）",
    "moved_in": "転入",
    "single_parent": "大人が一人の世帯",
}
_MART = ("person", "household_member", "residence", "spell", "event", "seal")
_MONTHLY = 3
"""Months within which a child whose records come every month must have one, to count as watched."""
_RULE = pa.schema(
    [(k, pa.string()) for k in ("rule", "of", "whose", "within", "source", "kind", "code")]
    + [("at_least", pa.float64()), ("monthly", pa.int32())]
)
_AGE_BANDS = ((0, "0〜2歳"), (3, "3〜5歳"), (6, "6〜11歳"), (12, "12〜14歳"), (15, "15〜17歳"))
MOVED_IN: Final = "転入1年未満"
_SEXES = {"1": "男", "2": "女"}
_NATIONS = {"1": "日本国籍", "2": "外国籍"}
_KNOWN = ("known", "zero")


@dataclass(frozen=True, slots=True)
class Day:
    """One past day: the children judged, their items (NaN = unknown), judgements by set, and the groups of each."""

    as_of: dt.date
    people: tuple[str, ...]
    items: Mapping[str, Floats]
    judged: Mapping[str, Mapping[str, tuple[int, bool]]]
    groups: Mapping[str, Mapping[str, str]]
    households: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class History:
    """One criteria set's past: rows in order of day; `listed` = was on the list, `label` NaN = the outcome is not known."""

    criteria: CriteriaSet
    cases: CaseTable
    people: tuple[str, ...]
    households: tuple[str, ...]
    listed: Flags
    groups: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class _Outcomes:
    """Children of one past day: who had it already, for whom it began within the year, and of whom the records can tell."""

    had: frozenset[str]
    began: frozenset[str]
    told: frozenset[str]


class Published(Protocol):
    """What a past day is made from: one published snapshot."""

    @property
    def id(self) -> str: ...

    @property
    def as_of(self) -> dt.date: ...

    def tables(self, *names: str) -> Mapping[str, pa.Table]: ...


class PastDays:
    """Makes each past day once, for all criteria sets; close it when done (it holds the mart in an engine of its own)."""

    def __init__(self, view: Published, definitions: Definitions) -> None:
        self.view = view
        # learned points have seen this very past: only the staff's can be tried on it
        self.definitions = definitions = without_learned(definitions)
        self.sets = {c.id: c for c in active(definitions, view.as_of)}
        self.engine = DuckEngine("2500MB")
        for name, table in view.tables(*_MART, "coverage").items():
            self.engine.register(name, table)
        self.engine.materialise("past_reach", load("kizuki.app", "past_reach"))
        self.engine.unregister("coverage")
        reach = self.engine.query(exp.select("*").from_("past_reach")).to_pylist()
        self.reach = {r["source"]: (r["covered_from"], r["covered_until"]) for r in reach}
        self._made: dict[dt.date, Day] = {}

    def __enter__(self) -> "PastDays":
        return self

    def __exit__(self, *_: object) -> None:
        self.engine.close()

    def criteria(self, name: str) -> CriteriaSet:
        """A set in force; raises UsageError K560 if there is none of that name."""
        if name not in self.sets:
            known = "、".join(self.sets)
            raise UsageError("K560", "その判定基準はありません。", name, f"使えるのは：{known}")
        return self.sets[name]

    def history(self, name: str) -> History:
        """The past of one set; raises InputRefused K561 where no record shows its outcome or too little past is held."""
        criteria = self.criteria(name)
        days = self.days_of(criteria)
        rows = [part for day in days for part in self._rows(criteria, self._day(day), closed=day != days[-1])]
        return _history(criteria, rows, [d.isoformat() for d in days], self._names(days[0]))

    def today(self, name: str) -> History:
        """The snapshot's own day alone: the children at risk now, their outcomes still open."""
        criteria = self.criteria(name)
        day = self._day(self.view.as_of)
        rows = list(self._rows(criteria, day, closed=False))
        return _history(criteria, rows, [self.view.as_of.isoformat()], self._names(self.view.as_of))

    def _names(self, as_of: dt.date) -> list[str]:
        """The items learned from: those a condition can name, as a table with others could not be written as a criteria set."""
        return sorted(sayable(self.definitions.items) & self._day(as_of).items.keys())

    def days_of(self, criteria: CriteriaSet) -> list[dt.date]:
        """The past as-of days, oldest first, then the snapshot's own (whose outcome is still open)."""
        held = [self.reach.get(o.source) for o in criteria.text.outcomes]
        if not held or any(h is None for h in held):
            raise InputRefused(
                "K561",
                "起きたことを確かめる記録が、データマートにありません。",
                criteria.name,
                "判定基準の「検証の記録」と、その元データの受領を確かめてください。",
            )
        first = max(h[0] for h in held if h)
        end = min(self.view.as_of, *(h[1] for h in held if h))
        past = [months_before(end, WINDOW_MONTHS * k) for k in range(PERIODS, 0, -1)]
        past = [day for day in past if months_before(day, WINDOW_MONTHS) >= first]
        if not past:
            raise InputRefused(
                "K561", "過去の記録が2年分に足りません。", criteria.name, "記録がたまってから、もう一度実行してください。"
            )
        return [*past, self.view.as_of]

    def _day(self, as_of: dt.date) -> Day:
        if as_of not in self._made:
            self._made[as_of] = self._make(as_of)
        return self._made[as_of]

    def _make(self, as_of: dt.date) -> Day:
        known = as_of - dt.timedelta(days=1)
        self._cover(as_of)
        items = build_items(self.engine, self.definitions, as_of, known_by=known)
        with DuckEngine() as apart:
            apart.register("item", items)
            judged = judge_all(apart, self.definitions, self.view.as_of)["judgement"]
        base = next(s for s in base_selects(("person",), as_of) if s.name == "item_child")
        self.engine.materialise("item_child", bind(load("kizuki.mart", base.name), as_of=as_of, known=known))
        found = self.engine.query(bind(load("kizuki.app", "past_group"), as_of=as_of, known=known)).to_pylist()
        self.engine.drop("item_child")
        people, values = _wide(items, [i for i, d in self.definitions.items.items() if d.judged])
        alone = dict(zip(people, values["single_adult_household"], strict=True)) if "single_adult_household" in values else {}
        groups = {r["person_id"]: _groups(r, as_of, alone.get(r["person_id"])) for r in found}
        homes = {r["person_id"]: r["household_id"] or r["person_id"] for r in found}
        return Day(as_of, people, values, _judged(judged), groups, homes)

    def _cover(self, as_of: dt.date) -> None:
        """The table `coverage` as it would have been on that day."""
        known = as_of - dt.timedelta(days=1)
        self.engine.materialise("coverage", bind(load("kizuki.app", "past_coverage"), as_of=as_of, known=known))

    def _rows(self, criteria: CriteriaSet, day: Day, *, closed: bool) -> Iterator[dict[str, Any]]:
        """One dict per child the set judged that day and who was at risk of the outcome's beginning."""
        seen = self._outcomes(criteria, day.as_of)
        answers = day.judged.get(criteria.id, {})
        for place, person in enumerate(day.people):
            if person not in answers or person in seen.had:
                continue
            known = float(person in seen.began) if person in seen.told else np.nan
            points, listed = answers[person]
            yield {
                "day": day,
                "place": place,
                "person": person,
                "points": points,
                "listed": listed,
                "label": known if closed else np.nan,
            }

    def _outcomes(self, criteria: CriteriaSet, as_of: dt.date) -> _Outcomes:
        rules = list(_outcome_rules(criteria))
        self.engine.register("outcome_rule", pa.Table.from_pylist(rules, _RULE))
        self._cover(as_of)
        until = months_before(as_of, -WINDOW_MONTHS)
        known = as_of - dt.timedelta(days=1)
        days = {"as_of": as_of, "until": until, "since": months_before(as_of, WINDOW_MONTHS), "known": known}
        found = self.engine.query(bind(load("kizuki.app", "past_outcome"), **days)).to_pylist()
        wanted: dict[str, Any] = {
            "sources": len({r["source"] for r in rules}),
            "monthly": len({r["kind"] for r in rules if r["monthly"]}),
        }
        wanted |= {"as_of": as_of, "until": until, "lately": months_before(until, _MONTHLY)}
        seen = self.engine.query(bind(load("kizuki.app", "past_watched"), **wanted))
        self.engine.unregister("outcome_rule")
        had, began, unclear = ({r["person_id"] for r in found if r[flag]} for flag in ("had_before", "began", "unclear"))
        watched = {str(p) for p in seen.column("person_id").to_pylist()}
        return _Outcomes(frozenset(had), frozenset(began), frozenset(watched - (unclear - began)))


def write_history(past: History, path: Path, keys: KeyRing) -> int:
    """The table `judge learn` takes as CSV: children and households as tokens, an empty cell = unknown. Returns the rows."""
    names = [c.name for c in past.cases.items]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["child", "household", "as_of", "outcome", *names])
        columns = [c.values for c in past.cases.items]
        for row, person in enumerate(past.people):
            tokens = [keys.token("pseudonym", p) for p in (person, past.households[row])]
            cells = [_cell(past.cases.label[row]), *(_cell(c[row]) for c in columns)]
            writer.writerow([*tokens, past.cases.periods[int(past.cases.period[row])], *cells])
    return len(past.people)


def _cell(value: float) -> str:
    return "" if np.isnan(value) else f"{value:g}"


def _outcome_rules(criteria: CriteriaSet) -> Iterator[dict[str, Any]]:
    for place, outcome in enumerate(criteria.text.outcomes):
        for code in outcome.codes or (None,):
            own = {"rule": str(place), "of": outcome.of, "whose": outcome.whose, "within": outcome.within or None}
            own |= {"source": outcome.source, "kind": outcome.kind, "code": code}
            yield own | {"at_least": outcome.at_least, "monthly": int(outcome.monthly)}


def _wide(items: pa.Table, names: Sequence[str]) -> tuple[tuple[str, ...], dict[str, Floats]]:
    """People in order of id, and each item over them: NaN where unknown, 0 where the question does not arise (対象外)."""
    names_of, place = _coded(items.column("person_id"))
    states, state = _coded(items.column("state"))
    ids, of = _coded(items.column("item"))
    value = np.asarray(items.column("value").cast(pa.float64()).to_numpy(zero_copy_only=False), dtype=np.float64)
    kind = np.array([0 if s in _KNOWN else 1 if s == "not_applicable" else 2 for s in states] or [2])[state]
    zero = np.array([s == "zero" for s in states] or [False])[state]
    told = np.where(kind == 0, np.where(zero, 0.0, value), np.where(kind == 1, 0.0, np.nan))
    order = np.argsort(np.asarray(names_of), kind="stable") if names_of else np.array([], dtype=np.int64)
    people = tuple(names_of[k] for k in order)
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    at = {name: k for k, name in enumerate(ids)}
    wide = {}
    for name in names:
        mine = of == at.get(name, -1)
        column = np.full(len(people), np.nan)
        column[rank[place[mine]]] = told[mine]
        wide[name] = column
    return people, wide


def _coded(column: Any) -> tuple[list[str], Ints]:
    """The distinct texts of a column and the place of each row's among them: millions of rows, a few words."""
    found = column.combine_chunks().cast(pa.string()).dictionary_encode()
    places = np.asarray(found.indices.to_numpy(zero_copy_only=False), dtype=np.int64)
    return [str(word) for word in found.dictionary.to_pylist()], places


def _judged(rows: pa.Table) -> dict[str, dict[str, tuple[int, bool]]]:
    """criteria → person → points and whether listed."""
    out: dict[str, dict[str, tuple[int, bool]]] = {}
    for r in rows.select(["person_id", "criteria", "points", "rank"]).to_pylist():
        out.setdefault(r["criteria"], {})[r["person_id"]] = (int(r["points"]), r["rank"] is not None)
    return out


def _groups(row: Mapping[str, Any], as_of: dt.date, alone: float | None) -> dict[str, str]:
    came, born = row["resident_from"], row["birth_date"]
    new = came is not None and came > born and came > months_before(as_of, WINDOW_MONTHS)
    band = [label for low, label in _AGE_BANDS if row["age_years"] >= low]
    single = "不明" if alone is None or np.isnan(alone) else "大人が一人" if alone else "それ以外"
    return {
        "sex": _SEXES.get(str(row["sex"]), "不明"),
        "age": band[-1] if band else "不明",
        "area": row["town"] or "不明",
        "nationality": _NATIONS.get(str(row["resident_type"]), "不明"),
        "moved_in": MOVED_IN if new else "それ以外",
        "single_parent": single,
    }


def _history(criteria: CriteriaSet, rows: list[dict[str, Any]], periods: list[str], names: Sequence[str]) -> History:
    at = {p: k for k, p in enumerate(periods)}
    days: list[Day] = [r["day"] for r in rows]
    homes = tuple(d.households.get(r["person"], r["person"]) for d, r in zip(days, rows, strict=True))
    _, cluster = np.unique(np.asarray(homes or [""]), return_inverse=True)
    columns = [number_item(STAFF, np.array([float(r["points"]) for r in rows]))]
    for name in names:
        columns.append(number_item(name, np.array([d.items[name][r["place"]] for d, r in zip(days, rows, strict=True)])))
    label = np.array([r["label"] for r in rows], dtype=np.float64)
    period = np.array([at[d.as_of.isoformat()] for d in days], dtype=np.int64)
    cases = CaseTable(tuple(columns), label, period, tuple(periods), cluster[: len(rows)].astype(np.int64))
    found = [d.groups.get(r["person"], {}) for d, r in zip(days, rows, strict=True)]
    return History(
        criteria,
        cases,
        tuple(r["person"] for r in rows),
        homes,
        np.array([r["listed"] for r in rows], dtype=np.bool_),
        {g: tuple(one.get(g, "不明") for one in found) for g in GROUPS},
    )
