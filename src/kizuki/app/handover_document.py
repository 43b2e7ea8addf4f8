"""引継ぎ書 as a document: what is told of one child to the next municipality, by the parts its legal ground covers.

Least data: only the parts chosen; of a fact its sentence, its days and its source. Never points, order, tax, an address, a
facility, or a relative who lived elsewhere.
"""

import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from kizuki.app import explanation as words
from kizuki.app.child_queries import FACTS, HOUSEHOLD
from kizuki.app.kin_panel import KIN, KIND_TITLES, KINSHIP
from kizuki.app.release import Actor, Ask, Released, release_page
from kizuki.app.served import Served, shown
from kizuki.definitions.governance import HandoverPart, HandoverRules

FORMAT: Final = "kizuki-handover-document/1"
IDENTITY, FAMILY = "identity", "household"
_NOTICE: Final = (
    "この引継ぎ書は、記した根拠と目的に必要な限度で渡すものです。記録が無いことは、困りごとが無いという意味ではありません。"
    "支援措置の有無、住所、学校は書いてありません。用が済んだら消してください。"
)


@dataclass(frozen=True, slots=True)
class Wish:
    """What the caseworker asks to hand over."""

    destination: str
    address: str
    basis: str
    parts: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Document:
    """One 引継ぎ書: its canonical bytes, the number of rows of each part, and everybody it names (the child first)."""

    body: bytes
    counts: Mapping[str, int]
    people: tuple[str, ...]

    @property
    def digest(self) -> str:
        """SHA-256 of the bytes: what is approved is what is issued."""
        return hashlib.sha256(self.body).hexdigest()


def build(
    actor: Actor, served: Served, person_id: str, wish: Wish, *, rules: HandoverRules, made_on: dt.date
) -> Document | None:
    """The document from what the actor may read (recorded as one read); None when the snapshot has no such child."""
    child = {"person_id": person_id}
    asks = {
        "household": Ask(HOUSEHOLD, child),
        "facts": Ask(FACTS, {**child, "as_of": served.as_of}),
        "kinship": Ask(KINSHIP, child),
        "kin": Ask(KIN, child),
    }
    got = release_page(actor, asks, action="handover.prepare", reason=wish.reason)
    own = next((r for r in got["household"].rows if r["person_id"] == person_id), None)
    if own is None:
        return None
    family = _family(person_id, got) if FAMILY in wish.parts else []
    made = {IDENTITY: _identity(own), FAMILY: [_member(r) for r in family]}
    since = served.as_of.replace(year=served.as_of.year - rules.years_back, day=min(served.as_of.day, 28))
    facts = [r for r in got["facts"].rows if r["person_id"] == person_id and _recent(r, since)]
    chosen = [part for part in rules.parts if part in wish.parts]
    parts = {part: made[part] if part in made else _facts(rules.parts[part], facts) for part in chosen}
    basis = rules.bases[wish.basis]
    told = {
        "形式": FORMAT,
        "作成日": made_on.isoformat(),
        "データ基準日": served.as_of.isoformat(),
        "引継ぎ元": rules.municipality,
        "引継ぎ先": wish.destination,
        "根拠": {"名称": basis.title, "条文": basis.article},
        "理由": wish.reason,
        "部分": {part: {"名称": rules.parts[part].title, "行": rows} for part, rows in parts.items()},
        "取扱い": _NOTICE,
    }
    body = json.dumps(told, ensure_ascii=False, indent=1).encode()
    counts = {part: len(rows) for part, rows in parts.items()}
    return Document(body, counts, (person_id, *(r["person_id"] for r in family)))


def _identity(own: Mapping[str, Any]) -> list[dict[str, Any]]:
    named = {"氏名": "name", "カナ": "kana", "通称": "alias_name", "生年月日": "birth_date", "性別": "sex"}
    row = {title: _plain(own[column]) for title, column in named.items() if _plain(own[column])}
    return [row | ({"性別": words.sex_text(row["性別"])} if "性別" in row else {})]


def _facts(part: HandoverPart, facts: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [_fact(r) for r in facts if r["source"] in part.sources and r["kind"] in part.kinds]


def _family(child: str, got: Mapping[str, Released]) -> list[Mapping[str, Any]]:
    """Kin the child lives with, or lived with until the day of moving out; lodgers and kin elsewhere are left out."""
    names = {r["person_id"]: r for r in got["household"].rows}
    together = [{**names[r["related_id"]], "kind": r["kind"]} for r in got["kinship"].rows if r["related_id"] in names]
    left = [r["shown_to"] for r in got["kin"].rows if r["basis"] == "household" and isinstance(r["shown_to"], dt.date)]
    until = max(left, default=None) if not together else None
    lived = [r for r in got["kin"].rows if until is not None and r["basis"] == "household" and r["shown_to"] == until]
    kinds = list(KIND_TITLES)
    nearest: dict[str, Mapping[str, Any]] = {}
    for row in sorted((*together, *lived), key=lambda r: kinds.index(str(r["kind"]))):
        if row["kind"] != "cohabitant" and row["person_id"] != child:
            nearest.setdefault(row["person_id"], row)
    return list(nearest.values())


def _member(row: Mapping[str, Any]) -> dict[str, Any]:
    return {"関係": KIND_TITLES[str(row["kind"])], "氏名": _plain(row["name"]), "生年月日": _plain(row["birth_date"])}


def _recent(row: Mapping[str, Any], since: dt.date) -> bool:
    ends = row["ends_on"] if row["fact"] == "spell" else row["starts_on"]
    return isinstance(row["starts_on"], dt.date) and (not isinstance(ends, dt.date) or ends >= since)


def _fact(row: Mapping[str, Any]) -> dict[str, Any]:
    placeless = {**row, "facility": None}
    text = words.spell_text(placeless) if row["fact"] == "spell" else words.event_text(placeless)
    told = {"内容": text, "始まり": _plain(row["starts_on"]), "元データ": words.source_title(row["source"])}
    return told | ({"終わり": _plain(row["ends_on"])} if isinstance(row["ends_on"], dt.date) else {})


def _plain(value: Any) -> str:
    """Text of a cell; a masked or blank one is empty."""
    if isinstance(value, dt.date):
        return value.isoformat()
    return shown(value) or ""


def rows_of(body: Mapping[str, Any], parts: Iterable[str]) -> list[tuple[str, str, list[Mapping[str, Any]]]]:
    """(part, title, rows) of those of the given parts that the document has, in the given order."""
    told: Mapping[str, Any] = body["部分"]
    return [(part, str(told[part]["名称"]), list(told[part]["行"])) for part in parts if part in told]
