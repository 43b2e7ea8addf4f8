"""試算・比較: any version of a criteria set judged on the served snapshot, and two versions held against each other.

Everything here is computed on the items of the snapshot, without writing anything; what leaves for screens are counts
(`shown_count`). Which children enter or leave is told by `criteria_comparison`, through the one door.
"""

import dataclasses
import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
from sqlglot import exp

from kizuki.app.judging import judge_sets
from kizuki.app.snapshot_view import SnapshotView
from kizuki.definitions.criteria import CriteriaSet
from kizuki.definitions.expression import terms_of
from kizuki.definitions.items import ItemDefinition
from kizuki.definitions.loader import Definitions
from kizuki.engine.duck import DuckEngine
from kizuki.judge.selection import as_applied, with_parts
from kizuki.mart.items import build_items
from kizuki.terms.errors import InputRefused
from kizuki.terms.states import JudgementVerdict
from kizuki.terms.tables import JUDGEMENT, JUDGEMENT_REASON, MART_TABLES

SMALL: Final = 7
"""Counts up to this are not told exactly; larger ones are rounded: subtracting two trials finds nobody."""
_ROUND: Final = 5
_AGES: Final = ("age_years", "age_fy_end")
_LISTED: Final = (JudgementVerdict.CANDIDATE.value, JudgementVerdict.TO_CONFIRM.value)


def shown_count(number: int, unit: str = "人") -> str:
    """A count of people (or of `unit`) as a screen may show it: 0人, 7人以下, 約25人."""
    if number == 0:
        return f"0{unit}"
    return f"{SMALL}{unit}以下" if number <= SMALL else f"約{round(number / _ROUND) * _ROUND:,}{unit}"


def shown_change(before: int, after: int) -> str:
    """A change of two counts in words that reveal no more than both counts do."""
    change = after - before
    if abs(change) <= SMALL:
        return "ほぼ変わらない（差は7人以下）"
    return f"約{round(abs(change) / _ROUND) * _ROUND:,}人{'増える' if change > 0 else '減る'}"


@dataclass(frozen=True, slots=True)
class Judged:
    """One version's answers on a snapshot: verdict and 確認順 by child, the household of each, and reasons if asked for."""

    criteria: CriteriaSet
    verdicts: Mapping[str, str]
    ranks: Mapping[str, int]
    reasons: pa.Table

    def listed(self, capacity: int | None = None) -> frozenset[str]:
        """Children on the list: 該当 and 要確認, the first `capacity` of them if given."""
        on = (p for p, v in self.verdicts.items() if v in _LISTED)
        return frozenset(p for p in on if capacity is None or self.ranks[p] <= capacity)

    def count(self, verdict: JudgementVerdict) -> int:
        """Children with this verdict."""
        return sum(v == verdict.value for v in self.verdicts.values())

    def counts(self) -> dict[str, int]:
        """Children by verdict (該当, 要確認, 非該当)."""
        return {v.value: self.count(v) for v in JudgementVerdict}


def judged(view: SnapshotView, definitions: Definitions, criteria: CriteriaSet, *, reasons: bool = False) -> Judged:
    """One version judged on the snapshot as if it were in force on its day.

    Items the snapshot does not hold yet (a period nobody asked for before) are computed from its mart. Raises InputRefused
    K582 where a combination's parts are not in force that day.
    """
    asked = dataclasses.replace(definitions, items={**definitions.items, **{i.id: i for i in criteria.derived}})
    version = as_applied(dataclasses.replace(criteria, valid_from=dt.date.min, valid_to=None, others=()), asked)
    sets = with_parts(version, asked, view.as_of)
    if not sets or not version.entries:
        raise InputRefused(
            "K582",
            f"「{criteria.name}」の版 {criteria.version} は、このデータでは試算できません。",
            "試算",
            "組合せのもとの判定が使えるか、受け取っている元データの項目があるかを確かめてください。",
        )
    with DuckEngine() as engine:
        engine.register("item", _items(view, asked, sets))
        found = judge_sets(engine, sets, asked, reasons=reasons)
    mine = _of(found[JUDGEMENT.name], criteria.id).to_pydict()
    verdicts = dict(zip(mine["person_id"], mine["verdict"], strict=True))
    ranks = {p: r for p, r in zip(mine["person_id"], mine["rank"], strict=True) if r is not None}
    return Judged(criteria, verdicts, ranks, _of(found[JUDGEMENT_REASON.name], criteria.id))


def _of(table: pa.Table, criteria: str) -> pa.Table:
    return table.filter(pc.equal(table.column("criteria"), pa.scalar(criteria)))


def _items(view: SnapshotView, definitions: Definitions, sets: Iterable[CriteriaSet]) -> pa.Table:
    """The item rows the versions read, made from the mart where the snapshot has none."""
    wanted = {t.id for c in sets if not c.combines for e in c.entries for t in terms_of(e.condition)} | set(_AGES)
    wanted |= {p.id for c in sets if not c.combines for e in c.entries for p in e.explanation if not isinstance(p, str)}
    kept = exp.select("*").from_("item").where(exp.column("item").isin(*(exp.Literal.string(i) for i in sorted(wanted))))
    rows = view.cursor().query(kept)
    held = {str(i) for i in pc.unique(rows.column("item")).to_pylist()}
    missing = _with_sides(wanted - held, definitions.items)
    if not missing or not rows.num_rows:
        return rows
    only = dataclasses.replace(definitions, items={i: definitions.items[i] for i in sorted(missing)})
    names = [t.name for t in MART_TABLES if t.name != "item"]
    with DuckEngine() as engine:
        for name, table in view.tables(*names).items():
            engine.register(name, table)
        made = build_items(engine, only, view.as_of)
    made = made.filter(pc.is_in(made.column("item"), pa.array(sorted(wanted - held))))
    return pa.concat_tables([rows.cast(made.schema), made])


def _with_sides(names: Collection[str], items: Mapping[str, ItemDefinition]) -> set[str]:
    """Items and, for a difference, the two it is made of."""
    found = {n for n in names if n in items}
    for name in list(found):
        change = items[name].difference
        found |= {change.now, change.before} if change is not None else set()
    return found


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two versions on one snapshot: who enters, leaves and stays, and what it means for the work."""

    old: Judged
    new: Judged
    entering: frozenset[str]
    leaving: frozenset[str]
    staying: frozenset[str]
    households: Mapping[str, str]

    @property
    def old_households(self) -> int:
        """Households on the old list; siblings are one."""
        return self._homes(self.leaving | self.staying)

    @property
    def new_households(self) -> int:
        """Households on the new list."""
        return self._homes(self.entering | self.staying)

    def _homes(self, people: Collection[str]) -> int:
        return len({self.households.get(p, p) for p in people})

    def moves(self) -> dict[tuple[str, str], int]:
        """Children by (old verdict, new verdict); 対象外 where one version does not judge the child."""
        found: dict[tuple[str, str], int] = {}
        for person in self.old.verdicts.keys() | self.new.verdicts.keys():
            pair = (self.old.verdicts.get(person, "対象外"), self.new.verdicts.get(person, "対象外"))
            found[pair] = found.get(pair, 0) + 1
        return found


def compared(
    view: SnapshotView,
    definitions: Definitions,
    versions: tuple[CriteriaSet, CriteriaSet],
    *,
    capacity: int | None = None,
    reasons: bool = False,
) -> Comparison:
    """Two versions on the snapshot; `capacity` compares only the first so many of each list."""
    old, new = (judged(view, definitions, v, reasons=reasons) for v in versions)
    before, after = old.listed(capacity), new.listed(capacity)
    return Comparison(old, new, after - before, before - after, before & after, households_of(view))


def households_of(view: SnapshotView) -> dict[str, str]:
    """The household each person belongs to now."""
    now = exp.column("known_to").is_(exp.null()).and_(exp.column("valid_to").is_(exp.null()))
    rows = view.cursor().query(exp.select("person_id", "household_id").from_("household_member").where(now)).to_pydict()
    return dict(zip(rows["person_id"], rows["household_id"], strict=True))


def nightly_trials(view: SnapshotView) -> list[dict[str, Any]]:
    """What the night found for the versions on trial: criteria, version and how many children by verdict (for counts only)."""
    columns = [exp.column(c) for c in ("criteria", "version", "verdict")]
    query = exp.select(*columns, exp.alias_(exp.Count(this=exp.Star()), "children")).from_("judgement_trial")
    rows: list[dict[str, Any]] = view.cursor().query(query.group_by(*columns)).to_pylist()
    return rows


def version_of(definitions: Definitions, name: str, today: dt.date) -> CriteriaSet:
    """`absence` (the version in force today or, failing that, the newest) or `absence@2027.1`; raises InputRefused K583."""
    criteria, _, version = name.partition("@")
    main: CriteriaSet | None = definitions.criteria.get(criteria)
    found: CriteriaSet | None = None
    if main is not None and version:
        found = next((c for c in main.versions if c.version == version), None)
    elif main is not None:
        found = main.on(today) or main.versions[-1]
    if found is None:
        raise InputRefused("K583", "その判定基準の版がありません。", "版の指定", "一覧にある判定基準ID@版 で指定してください。")
    return found
