"""個票: one child on one screen, built from four released queries and the human decisions about the child.

Every panel reads the same released facts, so the panel of unused programmes can never contradict the timeline.
"""

import datetime as dt
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from kizuki.app import explanation as words
from kizuki.app.child_queries import FACTS, HOUSEHOLD, PROGRAMMES, REASONS
from kizuki.app.feeds_board import FEEDS, late_feeds
from kizuki.app.handover_in import Told, told_of
from kizuki.app.kin_panel import HOMES, KIN, KINSHIP, Home, Relative, children_among, homes, kinds_in_household, relatives
from kizuki.app.known_families import sees_judgements
from kizuki.app.programme_unknowns import Missing, missing, settled_by
from kizuki.app.release import Actor, Ask, Released, in_scope, release_page
from kizuki.app.served import Definitions, Served, shown
from kizuki.app.since_last import Since, since_last
from kizuki.app.stops import stopped_sets

RECENT_YEARS: Final = 2
VOICE_UNKNOWN: Final = "本人・保護者の声（データには含まれません。会って確かめてください）"


@dataclass(frozen=True, slots=True)
class Fact:
    """One spell or event as words, with its source; `ends_on` None and `is_spell` = continuing."""

    lane: str
    text: str
    starts_on: dt.date
    ends_on: dt.date | None
    is_spell: bool
    source: str
    delivery_id: str
    tone: str
    kind: str
    status: str
    value: float | None
    value_unknown: bool

    def in_force(self, on: dt.date) -> bool:
        """A spell running on that day (its end is exclusive)."""
        return self.is_spell and self.starts_on <= on and (self.ends_on is None or self.ends_on > on)

    @property
    def source_title(self) -> str:
        """Name of the source."""
        return words.source_title(self.source)

    @property
    def when(self) -> str:
        """2026/4/1～ or 2025/4/1～2026/3/31 (last day included), or the day of an event; 2026年10月 for monthly records."""
        if not self.is_spell:
            return words.date_text(self.starts_on)
        last = self.ends_on - dt.timedelta(days=1) if self.ends_on else None
        return f"{words.date_text(self.starts_on)}～{words.date_text(last)}"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why the child is a candidate (or what could not be answered): sentence, source and the value's own date."""

    criteria: str
    criteria_title: str
    entry: str
    entry_title: str
    text: str
    source_title: str
    observed: str
    old: bool
    delivery_id: str
    unknown: bool
    unknown_reason: str
    weight: int
    ask: tuple[str, ...] = ()

    @property
    def lowers(self) -> bool:
        """下げた要素: something that protects the child, or help that is there already."""
        return self.weight < 0


@dataclass(frozen=True, slots=True)
class Judged:
    """One criteria set's answer for the child."""

    criteria: str
    title: str
    version: str
    verdict: str
    rank: int | None
    unknowable: tuple[str, ...]
    reasons: tuple[Reason, ...]
    unknowns: tuple[Reason, ...]
    lowered: tuple[Reason, ...] = ()
    similar: bool = False


@dataclass(frozen=True, slots=True)
class Member:
    """One person of the household, with what is in force for them today."""

    person_id: str
    name: Any
    relation: Any
    age: str
    notes: tuple[str, ...]
    is_self: bool
    is_child: bool
    kinship: str


@dataclass(frozen=True, slots=True)
class Offer:
    """A programme the family may use: eligible and unused, or usable once what is `missing` is known (each fact once)."""

    programme: str
    title: str
    certain: bool
    because: tuple[str, ...]
    missing: tuple[Missing, ...] = ()

    @property
    def asks(self) -> tuple[str, ...]:
        """What to do about each missing fact, each sentence once."""
        return tuple(dict.fromkeys(ask for one in self.missing for ask in one.asks))

    @property
    def one_answer(self) -> bool:
        """Whether a single answer decides it."""
        return bool(settled_by(self.missing))


@dataclass(frozen=True, slots=True)
class ChildPage:
    """Everything the page shows; `facts` newest first."""

    person_id: str
    name: Any
    kana: Any
    alias_name: Any
    birth: Any
    age: str
    sex: str
    school: str
    address: Any
    gone: str
    judged: tuple[Judged, ...]
    unknowns: tuple[str, ...]
    members: tuple[Member, ...]
    relatives: tuple[Relative, ...]
    homes: tuple[Home, ...]
    offers: tuple[Offer, ...]
    facts: tuple[Fact, ...]
    gaps: Mapping[str, dt.date]
    household_ids: frozenset[str]
    masked: bool
    as_of: dt.date
    stopped: tuple[str, ...] = ()
    change: tuple[str, ...] = ()
    earlier: str = ""
    asks_before_move: bool = False

    @property
    def lowered(self) -> tuple[Reason, ...]:
        """What lowered the answer of the sets that list the child, the same sentence once."""
        return tuple({r.text: r for j in self.judged if j.rank is not None for r in j.lowered}.values())

    @property
    def similar(self) -> bool:
        """Whether some listing set's points were learned from past cases."""
        return any(j.similar for j in self.judged if j.rank is not None)

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """All reasons that hold in candidate sets, the same sentence once."""
        seen: dict[tuple[str, str], Reason] = {}
        for judged in self.judged:
            if judged.rank is not None:
                for reason in judged.reasons:
                    seen.setdefault((judged.criteria, reason.text), reason)
        return tuple(seen.values())


def child_page(actor: Actor, served: Served, person_id: str) -> ChildPage | None:
    """The page of one child; None when the snapshot has no such person (any more). Raises NotPermitted K702 out of scope."""
    child = {"person_id": person_id}
    got = release_page(
        actor,
        {
            "household": Ask(HOUSEHOLD, child),
            "facts": Ask(FACTS, {**child, "as_of": served.as_of}),
            "reasons": Ask(REASONS, child),
            "programmes": Ask(PROGRAMMES, child),
            "kinship": Ask(KINSHIP, child),
            "homes": Ask(HOMES, child),
            "feeds": Ask(FEEDS),
            "kin": Ask(KIN, child),  # last: it is about more persons, and the tables at hand are laid out anew
        },
        action="child.view",
    )
    own = next((row for row in got["household"].rows if row["person_id"] == person_id), None)
    if own is None:
        return None
    elsewhere = tuple(map(_told_elsewhere, told_of(actor, person_id)))
    kin = got["kin"].rows
    may_open = in_scope(actor, children_among(kin, served.as_of))
    page = _page(own, got, served, relatives(kin, served.as_of, may_open))
    page = replace(page, **_use(actor, served, person_id, got["reasons"].rows))
    facts = sorted((*page.facts, *elsewhere), key=lambda f: (f.starts_on, f.text), reverse=True)
    return replace(page, facts=tuple(facts))


def _use(actor: Actor, served: Served, person_id: str, reasons: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What the page says about the judgements as such: sets under 緊急停止, what changed, whether the old town can be asked."""
    stopped = stopped_sets()
    since = since_last(served, stopped) if sees_judgements(actor) else Since()
    change = since.of(person_id)
    return {
        "stopped": tuple(served.definitions.criteria_title(c) for c in sorted(stopped)),
        "change": change.sentences(served.definitions) if change is not None else (),
        "earlier": since.earlier,
        "asks_before_move": any(r["unknown_reason"] == "moved_in" for r in reasons),
    }


def _page(own: Mapping[str, Any], got: Mapping[str, Released], served: Served, kin: tuple[Relative, ...]) -> ChildPage:
    person_id, as_of = own["person_id"], served.as_of
    facts = got["facts"].rows
    own_facts = _facts(r for r in facts if r["person_id"] == person_id and r["fact"] != "coverage")
    judged = _judged(got["reasons"].rows, served)
    birth = own["birth_date"] if isinstance(own["birth_date"], dt.date) else None
    late = [
        f"{f.title}のデータは{f.as_of_text}時点のものです（届きが遅れています）" for f in late_feeds(got["feeds"].rows, served)
    ]
    return ChildPage(
        person_id=person_id,
        name=own["name"],
        kana=own["kana"],
        alias_name=own["alias_name"],
        birth=words.date_text(birth) if birth else own["birth_date"],
        age=words.age_text(birth, as_of),
        sex=words.sex_text(shown(own["sex"])),
        school=_school(facts, person_id, as_of),
        address=own["address"],
        gone=_gone(own),
        judged=judged,
        unknowns=_unknowns(judged, late),
        members=_members(got["household"].rows, facts, person_id, as_of, kinds_in_household(got["kinship"].rows)),
        relatives=kin,
        homes=homes(got["homes"].rows),
        offers=_offers(got["programmes"].rows, own_facts, served.definitions, as_of),
        facts=own_facts,
        gaps=_gaps(r for r in facts if r["fact"] == "coverage"),
        household_ids=frozenset(filter(None, (shown(r["household_id"]) for r in got["household"].rows))),
        masked=any(part.withheld for part in got.values()),
        as_of=as_of,
    )


def judged_child(actor: Actor, served: Served, person_id: str, criteria: str) -> tuple[Any, Judged] | None:
    """Name and one criteria set's full answer for one child (the evidence page); None when it did not judge the child."""
    child = {"person_id": person_id}
    got = release_page(actor, {"household": Ask(HOUSEHOLD, child), "reasons": Ask(REASONS, child)}, action="judgement.view")
    own = next((row for row in got["household"].rows if row["person_id"] == person_id), None)
    answer = next((j for j in _judged(got["reasons"].rows, served) if j.criteria == criteria), None)
    return (own["name"], answer) if own is not None and answer is not None else None


def window_start(page: ChildPage, *, whole_life: bool) -> dt.date:
    """First day drawn: two years back by default (older history prejudices a reader), or the first record."""
    recent = page.as_of.replace(day=1)
    recent = recent.replace(year=recent.year - RECENT_YEARS)
    if not whole_life or not page.facts:
        return recent
    return min([recent, *(f.starts_on for f in page.facts)])


def _facts(rows: Iterable[Mapping[str, Any]]) -> tuple[Fact, ...]:
    lane_of = {source: lane for lane, sources in words.LANES for source in sources}
    facts = [_fact(row, lane_of) for row in rows if isinstance(row["starts_on"], dt.date)]
    return tuple(sorted(facts, key=lambda f: (f.starts_on, f.text), reverse=True))


def _fact(row: Mapping[str, Any], lane_of: Mapping[str, str]) -> Fact:
    spell = row["fact"] == "spell"
    ends = row["ends_on"]
    return Fact(
        lane=lane_of.get(row["source"], "住民"),
        text=words.spell_text(row) if spell else words.event_text(row),
        starts_on=row["starts_on"],
        ends_on=ends if isinstance(ends, dt.date) else None,
        is_spell=spell,
        source=row["source"],
        delivery_id=row["delivery_id"] or "",
        tone="record" if spell else words.event_tone(row),
        kind=str(row["kind"]),
        status=shown(row["status"]) or "",
        value=row["value"] if isinstance(row["value"], int | float) else None,
        value_unknown=str(row["value_state"]) in ("not_entered", "not_collected"),
    )


def _told_elsewhere(told: Told) -> Fact:
    """What another municipality said, under its own name: it opens no programme and answers no criterion here."""
    return Fact(
        lane=told.lane,
        text=f"{told.origin}：{told.text}",
        starts_on=told.starts_on,
        ends_on=told.ends_on,
        is_spell=told.is_spell,
        source=f"転入前の情報（{told.origin}の引継ぎ書 受領{told.document}）",
        delivery_id="",
        tone="record",
        kind="told_elsewhere",
        status="",
        value=None,
        value_unknown=False,
    )


def _gaps(rows: Iterable[Mapping[str, Any]]) -> dict[str, dt.date]:
    """Lane → first day from which any of its sources can know the child."""
    first = {row["source"]: row["starts_on"] for row in rows if isinstance(row["starts_on"], dt.date)}
    return {
        lane: min(first[s] for s in sources if s in first) for lane, sources in words.LANES if any(s in first for s in sources)
    }


def _school(rows: Sequence[Mapping[str, Any]], person_id: str, as_of: dt.date) -> str:
    for kind in ("enrolment", "childcare"):
        for row in rows:
            if row["person_id"] == person_id and row["kind"] == kind and _in_force(row, as_of):
                return words.spell_text(row)
    return "在籍の記録なし"


def _in_force(row: Mapping[str, Any], as_of: dt.date) -> bool:
    starts, ends = row["starts_on"], row["ends_on"]
    return isinstance(starts, dt.date) and starts <= as_of and (not isinstance(ends, dt.date) or ends > as_of)


def _gone(own: Mapping[str, Any]) -> str:
    return {"moved_out": "転出", "deceased": "死亡"}.get(str(own["resident_status"]), "")


def _judged(rows: Sequence[Mapping[str, Any]], served: Served) -> tuple[Judged, ...]:
    sets: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        sets.setdefault(row["criteria"], []).append(row)
    answers = [_judged_set(criteria, entries, served) for criteria, entries in sets.items()]
    return tuple(sorted(answers, key=lambda j: (j.rank is None, j.rank or 0, j.criteria)))


def _judged_set(criteria: str, rows: Sequence[Mapping[str, Any]], served: Served) -> Judged:
    entries = [_reason(row, served) for row in rows if row["entry"] is not None]
    entries.sort(key=lambda r: (-r.weight, r.text))
    first = rows[0]
    return Judged(
        criteria=criteria,
        title=served.definitions.criteria_title(criteria),
        version=first["version"],
        verdict=str(first["verdict"]),
        rank=first["rank"] if isinstance(first["rank"], int) else None,
        unknowable=served.definitions.unknowable(criteria),
        reasons=tuple(r for r in entries if not r.unknown and not r.lowers),
        unknowns=tuple(r for r in entries if r.unknown),
        lowered=tuple(r for r in entries if not r.unknown and r.lowers),
        similar=served.definitions.similar_wording(criteria),
    )


def _reason(row: Mapping[str, Any], served: Served) -> Reason:
    source = served.definitions.source(row["source"])
    observed = row["observed_on"] if isinstance(row["observed_on"], dt.date) else None
    code = shown(row["unknown_reason"]) or ""
    unknown = row["answer"] == "unknown"
    return Reason(
        criteria=row["criteria"],
        criteria_title=served.definitions.criteria_title(row["criteria"]),
        entry=str(row["entry"]),
        entry_title=served.definitions.entry_title(row["criteria"], str(row["entry"])),
        text=str(row["text"]),
        source_title=source.title,
        observed=words.date_text(observed),
        old=words.is_old(observed, served.as_of, source.fresh_days),
        delivery_id=row["delivery_id"] or "",
        unknown=unknown,
        unknown_reason=words.UNKNOWN_REASONS.get(code, code),
        weight=row["weight"] if isinstance(row["weight"], int) else 0,
        ask=served.definitions.to_ask(row["criteria"], str(row["entry"])) if unknown else (),
    )


def _unknowns(judged: Sequence[Judged], late: Sequence[str]) -> tuple[str, ...]:
    """What nobody here knows: unanswered entries once each, late feeds, and the voices no feed carries."""
    lines: dict[str, None] = {}
    for answer in judged:
        for reason in answer.unknowns:
            lines.setdefault(f"{reason.text}（{reason.unknown_reason}）" if reason.unknown_reason else reason.text)
    blind = [
        f"{j.title}：{'、'.join(j.unknowable)}（データでは分かりません）" for j in judged if j.rank is not None and j.unknowable
    ]
    return (*lines, *late, *blind, VOICE_UNKNOWN)


def _members(
    household: Sequence[Mapping[str, Any]],
    facts: Sequence[Mapping[str, Any]],
    person_id: str,
    as_of: dt.date,
    kinship: Mapping[str, str],
) -> tuple[Member, ...]:
    members = []
    for row in household:
        birth = row["birth_date"] if isinstance(row["birth_date"], dt.date) else None
        is_self = row["person_id"] == person_id
        theirs = [f for f in facts if f["fact"] == "spell" and f["person_id"] == row["person_id"] and _in_force(f, as_of)]
        notes = dict.fromkeys(words.spell_text(f) for f in theirs if _tells(f, of_self=is_self))
        members.append(
            Member(
                person_id=row["person_id"],
                name=row["name"],
                relation=row["relation"],
                age=words.age_text(birth, as_of),
                notes=tuple(notes),
                is_self=is_self,
                is_child=birth is not None and words.age_years(birth, as_of) < 18,
                kinship=kinship.get(row["person_id"], ""),
            )
        )
    births = {row["person_id"]: str(row["birth_date"]) for row in household}
    return tuple(sorted(members, key=lambda m: (not m.is_self, births[m.person_id])))


_LEFT_TO_TIMELINE: Final = frozenset({"child_allowance", "child_allowance_recipient"})
"""Nearly every family has these: in the household panel they would only hide what differs."""


def _tells(fact: Mapping[str, Any], *, of_self: bool) -> bool:
    """Whether a running spell says something in the household panel (the child's own school stands in the header)."""
    if fact["kind"] == "medical_subsidy":
        return bool(fact["status"] != "こども")
    return fact["kind"] not in _LEFT_TO_TIMELINE and not (of_self and fact["kind"] == "enrolment")


def _offers(
    rows: Sequence[Mapping[str, Any]], facts: Sequence[Fact], definitions: Definitions, as_of: dt.date
) -> tuple[Offer, ...]:
    """Eligible and unused first, then what a single answer would settle; never one whose receipt is in force today."""
    running = [f for f in facts if f.in_force(as_of)]
    offers = []
    for row in rows:
        kind, statuses = definitions.received_as(row["programme"])
        if row["receiving"] is True or any(f.kind == kind and (not statuses or f.status in statuses) for f in running):
            continue
        certain = row["unclaimed"] is True
        if not certain and str(row["verdict"]) != "不明":
            continue
        offers.append(
            Offer(
                programme=row["programme"],
                title=definitions.programme_title(row["programme"]),
                certain=certain,
                because=_texts(row["reasons"]),
                missing=missing(shown(row["unknown"])),
            )
        )
    return tuple(sorted(offers, key=lambda o: (not o.certain, not o.one_answer, len(o.missing), o.programme)))


def _texts(encoded: Any) -> tuple[str, ...]:
    """Sentences of a JSON array column; a masked cell has none."""
    text = shown(encoded)
    if not text:
        return ()
    entries = json.loads(text)
    return tuple(dict.fromkeys(str(e.get("文") or e.get("確認すること") or "") for e in entries))
