"""世帯パネルの続き: those related to the child who live elsewhere, who in the household is kin, and where the child has lived.

What is known of kin elsewhere is their name, age and whether they live in the city: never a place. The relation is always told
with what shows it and in which period; a register's 続柄 is evidence of living together, not a family register (戸籍).
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from kizuki.app import explanation as words
from kizuki.app.release import Query

KIN: Final = Query(
    name="child_kin",
    tables=("kinship", "person"),
    columns={
        "person_id": "kinship.related_id",
        "kind": "kinship.kind",
        "basis": "kinship.basis",
        "shown_from": "kinship.valid_from",
        "shown_to": "kinship.valid_to",
        "name": "person.name",
        "birth_date": "person.birth_date",
        "resident_status": "person.resident_status",
        "source": "kinship.source",
        "delivery_id": "kinship.delivery_id",
    },
    subject="person_id",
    kin=True,
)
KINSHIP: Final = Query(
    name="child_kinship",
    tables=("kinship",),
    columns={
        "person_id": "kinship.person_id",
        "related_id": "kinship.related_id",
        "kind": "kinship.kind",
        "basis": "kinship.basis",
        "shown_from": "kinship.valid_from",
        "shown_to": "kinship.valid_to",
        "source": "kinship.source",
        "delivery_id": "kinship.delivery_id",
    },
    subject="person_id",
)
HOMES: Final = Query(
    name="child_homes",
    tables=("residence",),
    columns={
        "person_id": "residence.person_id",
        "lived_from": "residence.valid_from",
        "lived_to": "residence.valid_to",
        "town": "residence.town",
        "source": "residence.source",
        "delivery_id": "residence.delivery_id",
    },
    subject="person_id",
)

KIND_TITLES: Final[Mapping[str, str]] = {
    "parent": "親",
    "parent_or_partner": "親または親の配偶者",
    "sibling": "きょうだい",
    "step_sibling": "親の配偶者のこども",
    "guardian": "手当の受給者・保護者",
    "grandparent": "祖父母",
    "relative": "親族",
    "cohabitant": "同居人（親族でない、または続柄の記載なし）",
}
"""Kinds of relation, the nearest first: of several kinds told of one person the first is shown."""

_BASIS_TITLES: Final[Mapping[str, str]] = {"household": "同居の続柄", "same_parent": "同じ親のこども"}
_STATUS_TITLES: Final[Mapping[str, str]] = {
    "resident": "市内・別世帯",
    "moved_out": "転出",
    "deceased": "死亡",
    "non_resident": "住民記録なし",
}
_KINDS: Final = tuple(KIND_TITLES)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What shows a relation: 住民記録（同居の続柄）2019/4/1～2025/5/31."""

    text: str
    delivery_id: str


@dataclass(frozen=True, slots=True)
class Relative:
    """One person related to the child who lives elsewhere; `linked` = the reader may open this child's own page."""

    person_id: str
    relation: str
    name: Any
    age: str
    now: str
    evidence: tuple[Evidence, ...]
    linked: bool


@dataclass(frozen=True, slots=True)
class Home:
    """One stretch at one address; `away_before` = days between the previous home and this one spent outside the city."""

    period: str
    town: Any
    away_before: int
    current: bool


def relatives(rows: Sequence[Mapping[str, Any]], as_of: dt.date, may_open: frozenset[str]) -> tuple[Relative, ...]:
    """One entry per related person, nearest relation first."""
    by_person: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        by_person.setdefault(row["person_id"], []).append(row)
    entries = [(_nearest(told), _relative(person, told, as_of, may_open)) for person, told in by_person.items()]
    return tuple(entry for _, entry in sorted(entries, key=lambda e: (e[0], e[1].person_id)))


def children_among(rows: Sequence[Mapping[str, Any]], as_of: dt.date) -> frozenset[str]:
    """The related persons who are minors now and live in the city: those who may have a page."""
    born = {r["person_id"]: r["birth_date"] for r in rows if r["resident_status"] == "resident"}
    return frozenset(p for p, b in born.items() if isinstance(b, dt.date) and words.age_years(b, as_of) < 18)


def kinds_in_household(rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Member → relation to the child in words, with what shows it; members without any row are not in it."""
    by_person: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        by_person.setdefault(row["related_id"], []).append(row)
    found = {}
    for person, told in by_person.items():
        shown = dict.fromkeys(_basis(r) for r in sorted(told, key=lambda r: _KINDS.index(str(r["kind"]))))
        found[person] = f"{_title(told)}：{'、'.join(shown)}"
    return found


def homes(rows: Sequence[Mapping[str, Any]]) -> tuple[Home, ...]:
    """Every home in the city, newest first; a gap between two is time spent elsewhere, of which nothing is known here."""
    made: list[Home] = []
    reached: dt.date | None = None
    for row in sorted(rows, key=lambda r: r["lived_from"]):
        ends = row["lived_to"] if isinstance(row["lived_to"], dt.date) else None
        away = (row["lived_from"] - reached).days if reached is not None else 0
        made.append(Home(_period(row["lived_from"], ends), row["town"], max(away, 0), ends is None))
        reached = ends
    return tuple(reversed(made))


def _relative(person: str, told: Sequence[Mapping[str, Any]], as_of: dt.date, may_open: frozenset[str]) -> Relative:
    first = told[0]
    birth = first["birth_date"] if isinstance(first["birth_date"], dt.date) else None
    return Relative(
        person_id=person,
        relation=_title(told),
        name=first["name"],
        age=words.age_text(birth, as_of),
        now=_STATUS_TITLES.get(str(first["resident_status"]), "不明"),
        evidence=tuple(
            Evidence(f"{_basis(r)} {_period(r['shown_from'], r['shown_to'])}", r["delivery_id"] or "")
            for r in sorted(told, key=lambda r: (_KINDS.index(str(r["kind"])), r["shown_from"]))
        ),
        linked=person in may_open,
    )


def _nearest(told: Sequence[Mapping[str, Any]]) -> int:
    return min(_KINDS.index(str(r["kind"])) for r in told)


def _title(told: Sequence[Mapping[str, Any]]) -> str:
    return KIND_TITLES[_KINDS[_nearest(told)]]


def _basis(row: Mapping[str, Any]) -> str:
    """住民記録（同居の続柄）; a source of its own name tells who receives an allowance or is the guardian."""
    how = _BASIS_TITLES.get(str(row["basis"]))
    return words.source_title(row["source"]) + (f"（{how}）" if how else "")


def _period(starts: Any, ends: Any) -> str:
    last = ends - dt.timedelta(days=1) if isinstance(ends, dt.date) else None
    return f"{words.date_text(starts)}～{words.date_text(last)}"
