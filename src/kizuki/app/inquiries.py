"""転入元への照会: what only the previous municipality can know about a moved-in child, as a list to ask and a letter to send.

Asked is only what could decide a 要確認, for the time before the move; each question names the item, its period here and there,
and why it is asked. A household under 支援措置 gets no letter: a question sent to the place someone fled from tells where they
went.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from kizuki.app.release import MASKED, Actor, Ask, Query, SealState, release_page, seal_state
from kizuki.app.served import Served
from kizuki.definitions.criteria import CriteriaSet
from kizuki.definitions.expression import terms_of
from kizuki.definitions.items import ItemDefinition
from kizuki.definitions.loader import Definitions
from kizuki.mart.items import window

CHILD: Final = Query(
    name="inquiry_child",
    tables=("person", "residence"),
    columns={
        "person_id": "person.person_id",
        "name": "person.name",
        "kana": "person.kana",
        "birth_date": "person.birth_date",
        "resident_from": "person.resident_from",
        "address": "residence.address",
    },
    subject="person_id",
)
ITEMS: Final = Query(
    name="inquiry_items",
    tables=("item",),
    columns={
        "person_id": "item.person_id",
        "item": "item.item",
        "unknown_reason": "item.unknown_reason",
        "source": "item.source",
    },
    subject="person_id",
)
ENTRIES: Final = Query(
    name="inquiry_entries",
    tables=("judgement_reason", "judgement"),
    columns={
        "person_id": "judgement_reason.person_id",
        "criteria": "judgement_reason.criteria",
        "entry": "judgement_reason.entry",
        "version": "judgement.version",
    },
    subject="person_id",
)
_BIRTH_LIMIT = dt.date(1900, 1, 2)


@dataclass(frozen=True, slots=True)
class Question:
    """One thing to ask: the item, the days it covers before the move (None = since birth), and the judgements it decides."""

    item: str
    title: str
    meaning: str
    office: str
    since: dt.date | None
    until: dt.date
    criteria: tuple[str, ...]

    @property
    def period(self) -> str:
        """2025/11/21から2026/9/9まで, or 出生から…"""
        first = "出生" if self.since is None else _day(self.since)
        return f"{first}から{_day(self.until)}まで"


@dataclass(frozen=True, slots=True)
class Inquiry:
    """What to ask about one child, and the letter; `held` says why there is none."""

    person_id: str
    questions: tuple[Question, ...]
    letter: str = ""
    held: str = ""


def inquiry(actor: Actor, person_id: str, served: Served) -> Inquiry:
    """The prepared 照会 for one child; no questions where nothing from before the move could decide.

    Raises NotPermitted as every release does.
    """
    params = {"person_id": person_id}
    asked = {name: Ask(query, params) for name, query in (("child", CHILD), ("items", ITEMS), ("entries", ENTRIES))}
    page = release_page(actor, asked, action="child.view", reason="転入元への照会の準備")
    child = page["child"].rows[0] if page["child"].rows else {}
    moved = child.get("resident_from")
    if not isinstance(moved, dt.date):
        return Inquiry(person_id, (), held="転入日を確かめられません。")
    unknown = {str(r["item"]) for r in page["items"].rows}
    entries = [(str(r["criteria"]), str(r["entry"]), str(r["version"])) for r in page["entries"].rows]
    found = questions(served.definitions.loaded, entries, unknown, moved=moved, as_of=served.as_of)
    if not found:
        return Inquiry(person_id, ())
    # asked of the seal itself, not of the masked cell: a sealed child without an address has nothing to mask
    if seal_state(actor, [person_id]) is not SealState.NONE or child.get("name") is MASKED:
        return Inquiry(person_id, found, held="支援措置などにより、照会文は用意しません。担当課長に相談してください。")
    purpose = served.definitions.loaded.governance.purposes[actor.purpose]
    return Inquiry(person_id, found, letter=letter(child, found, ground=purpose.legal_basis, as_of=served.as_of))


def questions(
    definitions: Definitions,
    entries: Iterable[tuple[str, str, str]],
    unknown: Collection[str],
    *,
    moved: dt.date,
    as_of: dt.date,
) -> tuple[Question, ...]:
    """The items to ask for: those unknown since before the move that an unknown entry (criteria, entry, version) reads."""
    deciding: dict[str, list[str]] = {}
    for criteria, entry, version in entries:
        found = _version(definitions.criteria.get(criteria), version)
        for term in () if found is None else (t for e in found.entries if e.id == entry for t in terms_of(e.condition)):
            if term.id in unknown and found is not None and found.name not in deciding.setdefault(term.id, []):
                deciding[term.id].append(found.name)
    items: Mapping[str, ItemDefinition] = definitions.items
    return tuple(_question(items, name, names, definitions, (moved, as_of)) for name, names in sorted(deciding.items()))


def _version(main: CriteriaSet | None, version: str) -> CriteriaSet | None:
    return None if main is None else next((c for c in main.versions if c.version == version), None)


def _question(
    items: Mapping[str, ItemDefinition],
    name: str,
    criteria: Sequence[str],
    definitions: Definitions,
    days: tuple[dt.date, dt.date],
) -> Question:
    item, (moved, as_of) = items[name], days
    counted = items[item.difference.before] if item.difference is not None else item  # of a change, the earlier part is missing
    since = window(counted, as_of)[0] + dt.timedelta(days=1)
    source = definitions.sources.get(counted.source)
    return Question(
        item=name,
        title=counted.title,
        meaning=counted.meaning,
        office=source.name if source is not None else counted.source,
        since=None if since <= _BIRTH_LIMIT else min(since, moved),
        until=moved - dt.timedelta(days=1),
        criteria=tuple(criteria),
    )


def letter(child: Mapping[str, Any], asked: Sequence[Question], *, ground: str, as_of: dt.date) -> str:
    """The letter as plain text: who is asked about, on what ground, and the questions by field; the addressee is left open.

    Which judgements the answers decide is not told: the other municipality needs the facts, not our view of the child.
    """
    lines = [
        _day(as_of),
        "（照会先の市区町村）こども家庭支援 御担当 様",
        "",
        "転入したこどもについての照会",
        "",
        "次のこどもと家庭の支援の要否を確かめるため、貴団体での記録を照会します。",
        f"根拠：{ground}",
        "",
        f"氏名　　　：{child['name']}（{child['kana'] or '—'}）",
        f"生年月日　：{_day(child['birth_date'])}",
        f"転入した日：{_day(child['resident_from'])}",
        "",
        "照会する事項（記録の有無が分からないときは「不明」と記入してください。空欄は「無し」とみなしません）",
    ]
    for office in dict.fromkeys(q.office for q in asked):
        lines.append(f"【{office}】")
        lines += [text for q in asked if q.office == office for text in (f"・{q.meaning}　{q.period}", "　　回答：")]
    lines += ["", "回答は、支援の要否の確認にだけ使い、照会した記録とともに保管します。"]
    return "\n".join(lines) + "\n"


def _day(day: dt.date | None) -> str:
    return "" if day is None else f"{day.year}年{day.month}月{day.day}日"
