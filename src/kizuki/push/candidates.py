"""Who is told of a programme they may be entitled to, and why everybody else is not (pure).

Three-valued: only an answer known to be 該当 and known to be unclaimed becomes a notice; whatever is unknown holds it back.
Every answer gets exactly one reason or is chosen; the first reason in the order of `Held` is the one told.
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from kizuki.push.rules import Key, Past, deadline, taking_applications, told
from kizuki.push.schedule import JAPAN, Clock, next_stretch, wave_of
from kizuki.push.states import WAITING
from kizuki.terms.states import ProgrammeVerdict


class Held(StrEnum):
    """Why an answer does not become a notice, in the order asked."""

    NOT_NOTIFIED = "自動の通知をしない制度"
    RECEIVING = "受給中"
    APPLYING = "申請中"
    REFUSED = "最近の却下"
    UNKNOWN = "判定が不明"
    CLOSED = "受付期間の外"
    SAFETY = "安全抑止"
    UNLINKED = "名寄せ未確定"
    NO_CONSENT = "同意なし"
    NO_TAX_CONSENT = "税情報の同意なし"
    NO_NAME_CONSENT = "制度名の同意なし"
    UNDER_WAY = "送り出しの途中"
    COOLDOWN = "同じ制度の間隔"
    CAP = "月の上限"
    NO_DAY = "送れる日がない"


TAX, PROGRAMME_NAME = "tax", "programme_name"
"""Scopes of a consent."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One row of the eligibility table that is not 非該当. `asked` = applying / refused / blank; None = nobody knows."""

    programme: str
    household_id: str
    child_id: str
    verdict: str
    receiving: bool | None
    unclaimed: bool
    asked: str | None = ""

    @property
    def key(self) -> Key:
        """What a notice of it would be about."""
        return (self.programme, self.household_id, self.child_id)


class Standing(Protocol):
    """Who of a household may be told, as consent says (absent where nobody may)."""

    @property
    def recipient_no(self) -> str: ...
    @property
    def person_id(self) -> str: ...
    @property
    def scopes(self) -> Iterable[str]: ...
    @property
    def channel(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Offer:
    """One programme as it may be told of: `named` = the text says its name; `value_yen` = the most it is worth in a year."""

    programme: str
    notifiable: bool
    in_force: bool
    uses_tax: bool
    named: bool
    value_yen: float = 0.0


@dataclass(frozen=True, slots=True)
class Homes:
    """Households as the register and the staff know them now. A household without members in it is not known."""

    members: Mapping[str, frozenset[str]]
    sealed: frozenset[str] = frozenset()
    in_care: frozenset[str] = frozenset()
    unlinked: frozenset[str] = frozenset()
    gone: frozenset[str] = frozenset()
    """`sealed`, `in_care`, `unlinked` are households; `gone` are persons who died or moved out."""

    def unsafe(self, household_id: str, child_id: str, recipient: str | None) -> bool:
        """支援措置, 虐待対応中, 死亡・転出; or a child or recipient who does not live there now."""
        members = self.members.get(household_id, frozenset())
        about = {p for p in (child_id, recipient) if p}
        if not members or household_id in self.sealed or household_id in self.in_care:
            return True
        return not about <= members or bool(about & self.gone)


@dataclass(frozen=True, slots=True)
class Waves:
    """Weeks over which sending is spread by lot; one = all at once."""

    count: int = 1
    seed: str = ""


ALL_AT_ONCE = Waves()


@dataclass(frozen=True, slots=True)
class Question:
    """Everything the choice is made from; `leaves_at` = the earliest a notice could go."""

    offers: Mapping[str, Offer]
    homes: Homes
    standings: Mapping[str, Standing]
    past: Sequence[Past]
    clock: Clock
    leaves_at: dt.datetime
    waves: Waves = ALL_AT_ONCE


@dataclass(frozen=True, slots=True)
class Chosen:
    """One notice to be: to whom, from when, in which week."""

    answer: Answer
    standing: Standing
    wave: int
    not_before: dt.datetime


@dataclass(frozen=True, slots=True)
class Choice:
    """All of them, and how many were held back for which reason."""

    chosen: tuple[Chosen, ...]
    held: Mapping[str, int]
    reasons: Mapping[Key, str] = field(default_factory=dict)


def choose(answers: Iterable[Answer], question: Question) -> Choice:
    """The notices of one planning: highest value and nearest deadline first, so that the cap falls on the least."""
    history = told(question.past)
    chosen: list[Chosen] = []
    reasons: dict[Key, str] = {}
    held: Counter[str] = Counter()
    for answer in sorted(answers, key=lambda a: _order(a, question)):
        why = held_by(answer, question)
        if why is None:
            made = _planned(answer, question)
            if made is None:
                why = Held.NO_DAY
            elif answer.key in history.under_way:
                why = Held.UNDER_WAY
            elif history.too_soon(answer.key, made.not_before, question.clock.rules):
                why = Held.COOLDOWN
            elif history.full(answer.household_id, made.not_before, question.clock.rules):
                why = Held.CAP
            else:
                chosen.append(made)
                history.add(Past(answer.household_id, answer.child_id, answer.programme, WAITING, made.not_before))
        if why is not None:
            held[why.value] += 1
            reasons[answer.key] = why.value
    return Choice(tuple(chosen), dict(held), reasons)


def held_by(answer: Answer, question: Question) -> Held | None:
    """Why the answer may not become a notice whatever the household was told before; None if nothing stands against it."""
    offer = question.offers.get(answer.programme)
    if offer is None or not offer.notifiable:
        return Held.NOT_NOTIFIED
    return _claimed(answer) or _closed(offer, question) or _kept_back(answer, offer, question)


def _claimed(answer: Answer) -> Held | None:
    if answer.receiving:
        return Held.RECEIVING
    if answer.asked == "applying":
        return Held.APPLYING
    if answer.asked == "refused":
        return Held.REFUSED
    known = answer.verdict == ProgrammeVerdict.ELIGIBLE.value and answer.receiving is False and answer.asked is not None
    return None if known and answer.unclaimed else Held.UNKNOWN


def _closed(offer: Offer, question: Question) -> Held | None:
    day = question.leaves_at.astimezone(JAPAN).date()
    open_ = offer.in_force and taking_applications(offer.programme, day, question.clock.rules)
    return None if open_ else Held.CLOSED


def _kept_back(answer: Answer, offer: Offer, question: Question) -> Held | None:
    """Safety, doubt about who is who, consent."""
    standing = question.standings.get(answer.household_id)
    person = standing.person_id if standing else None
    if question.homes.unsafe(answer.household_id, answer.child_id, person):
        return Held.SAFETY
    if answer.household_id in question.homes.unlinked:
        return Held.UNLINKED
    if standing is None:
        return Held.NO_CONSENT
    if offer.uses_tax and TAX not in standing.scopes:
        return Held.NO_TAX_CONSENT
    if offer.named and PROGRAMME_NAME not in standing.scopes:
        return Held.NO_NAME_CONSENT
    return None


def _planned(answer: Answer, question: Question) -> Chosen | None:
    """Week and day; None where no day is known on which it may be sent, or applications close before its week."""
    wave = wave_of(question.waves.seed, answer.household_id, question.waves.count)
    stretch = next_stretch(question.leaves_at + dt.timedelta(weeks=wave), question.clock)
    if stretch is None or not taking_applications(
        answer.programme, stretch.start.astimezone(JAPAN).date(), question.clock.rules
    ):
        return None
    return Chosen(answer, question.standings[answer.household_id], wave, stretch.start)


def _order(answer: Answer, question: Question) -> tuple[float, dt.date, Key]:
    offer, rules = question.offers.get(answer.programme), question.clock.rules
    last = deadline(answer.programme, question.leaves_at.astimezone(JAPAN).date(), rules)
    return (-(offer.value_yen if offer else 0.0), last or dt.date.max, answer.key)
