"""Two rows of the register side by side: since when and until when each was a resident, under which name, where, with whom.

Of housemates only how many there are, and how many the other side's households know as well: they are not part of the pair.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from kizuki.app.explanation import date_text
from kizuki.app.release import MASKED, Query

PERIODS: Final = Query(
    name="review_history",
    tables=("review_history",),
    columns={
        name: f"review_history.{name}"
        for name in (
            *("person_id", "side", "kind", "valid_from", "valid_to", "name", "kana", "status", "address"),
            *("relation", "members", "met_again"),
        )
    },
    subject="person_id",
)
PERIOD_PLACES: Final = Query(
    name="review_history_place",
    tables=("review_history",),
    columns={name: f"review_history.{name}" for name in ("other_person_id", "address")},
    subject="other_person_id",
)
_KINDS: Final = (("stay", "住民だった期間"), ("name", "氏名"), ("address", "住所"), ("household", "世帯"))
_STATES: Final = {"resident": "在住", "moved_out": "転出", "deceased": "死亡", "non_resident": "住民でない"}
_SIDES: Final = ("record", "resident")
_HIDDEN: Final = "支援措置のため表示しません"
_NOT_SHOWN: Final = "この役割では表示しません"


@dataclass(frozen=True, slots=True)
class Period:
    """One line of a cell: from when to when, what, and whether the other side has the very same."""

    span: str
    text: str
    shared: bool


@dataclass(frozen=True, slots=True)
class Kind:
    """One row of the table: a kind of entry on both sides; `hidden` says why nothing is shown."""

    title: str
    later: tuple[Period, ...]
    earlier: tuple[Period, ...]
    hidden: str


@dataclass(frozen=True, slots=True)
class Residents:
    """Both histories, and what they say together."""

    kinds: tuple[Kind, ...]
    notes: tuple[str, ...]


def residents_of(periods: Sequence[Mapping[str, Any]], places: Sequence[Mapping[str, Any]]) -> Residents | None:
    """The histories of both sides; None for a pair that is not of two residents."""
    if not periods:
        return None
    closed = any(row["address"] is MASKED for row in (*periods, *places))
    kinds = tuple(_kind(kind, title, periods, closed) for kind, title in _KINDS)
    return Residents(kinds, _notes(periods))


def _kind(kind: str, title: str, periods: Sequence[Mapping[str, Any]], closed: bool) -> Kind:
    if kind == "address" and closed:
        return Kind(title, (), (), _HIDDEN)
    by_side = {side: [p for p in periods if p["side"] == side and p["kind"] == kind] for side in _SIDES}
    if any(_masked(kind, p) for rows in by_side.values() for p in rows):
        return Kind(title, (), (), _NOT_SHOWN)
    told = {side: {_told(kind, p) for p in rows} for side, rows in by_side.items()}
    both = told["record"] & told["resident"] if kind in ("name", "address") else set()
    found = [tuple(_period(kind, p, both) for p in by_side[side]) for side in _SIDES]
    return Kind(title, found[0], found[1], "")


def _period(kind: str, row: Mapping[str, Any], both: set[str]) -> Period:
    first, last = date_text(row["valid_from"]), date_text(row["valid_to"])
    text = _told(kind, row)
    return Period(f"{first or '（始まりは不明）'}～{last}", text, text in both)


def _masked(kind: str, row: Mapping[str, Any]) -> bool:
    shown = {"stay": ("status",), "name": ("name", "kana"), "address": ("address",), "household": ("relation", "members")}
    return any(row[column] is MASKED for column in shown[kind])


def _told(kind: str, row: Mapping[str, Any]) -> str:
    if kind == "stay":
        return _STATES.get(row["status"], "")
    if kind == "name":
        return "　".join(text for text in (row["name"], f"（{row['kana']}）" if row["kana"] else "") if text)
    if kind == "address":
        return row["address"] or "住所の記載なし"
    again = f"、うち{row['met_again']}人は相手の世帯にも同じ氏名・生年月日でいる" if row["met_again"] else ""
    return f"{row['relation'] or '続柄の記載なし'}（{row['members'] or 1}人の世帯{again}）"


def _notes(periods: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """What the two stays say of each other: one person is not a resident twice on one day."""
    stays = {side: [p for p in periods if p["side"] == side and p["kind"] == "stay"] for side in _SIDES}
    if not all(stays.values()):
        return ()
    if any(_overlap(a, b) for a in stays["record"] for b in stays["resident"]):
        return (
            "二つの番号が、同じ日に住民だった期間があります。別の人（同じ日に生まれた同姓同名）か、二重の登録です。"
            "住民記録の担当課に確かめられないときは、保留してください。",
        )
    return ("二つの番号が住民だった期間は重なりません。転出して戻った人なら、こうなります。",)


def _overlap(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    first, last = dt.date.min, dt.date.max
    begins = [row["valid_from"] or first for row in (one, other)]
    ends = [row["valid_to"] or last for row in (one, other)]
    return max(begins) < min(ends)
