"""Standing consent from what people answered (pure): the latest answer decides, and whatever cannot be relied upon decides no.

Source: facts/push §4–5 (版のある同意文, 範囲 税情報・制度名, 撤回は次の送信より前に効く).
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

WANTED, UNWANTED, WITHDRAWN = "wanted", "unwanted", "withdrawn"
TAX, PROGRAMME_NAME = "tax", "programme_name"
SCOPES: Final = frozenset({TAX, PROGRAMME_NAME})
"""What a consent may cover: 税情報 for the judgement, and naming the programme in the message."""


@dataclass(frozen=True, slots=True)
class Text:
    """One version of the consent text as far as consent depends on it; `until` (exclusive) blank = still in use."""

    version: str
    since: dt.date
    until: dt.date | None
    scopes: frozenset[str]

    def in_force(self, day: dt.date) -> bool:
        """Whether somebody could read this text on `day`."""
        return self.since <= day and (self.until is None or day < self.until)


@dataclass(frozen=True, slots=True)
class Event:
    """One answer of one person, from whichever channel; `key` names whose."""

    key: str
    answer: str
    scopes: frozenset[str]
    text_version: str
    answered_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Held:
    """A consent that stands: what it covers, under which text, since when."""

    scopes: frozenset[str]
    text_version: str
    since: dt.datetime


def held(events: Iterable[Event], texts: Mapping[str, Text], at: dt.datetime) -> dict[str, Held]:
    """Who has a standing consent at `at`, whatever the order and however often each answer arrived.

    The latest answer of a person decides. At the same instant 撤回 and 不要 win over 要, and two 要 cover only what both cover.
    An answer 要 that nobody could have given (a text unknown or not in force that day, a scope the text does not ask about)
    leaves nothing standing, and so does a 要 dated after `at`; a 撤回 or 不要 dated after `at` (a clock ran ahead) counts
    at once.
    """
    latest: dict[str, list[Event]] = {}
    for event in events:
        found = latest.get(event.key)
        if found is None or event.answered_at > found[0].answered_at:
            latest[event.key] = [event]
        elif event.answered_at == found[0].answered_at:
            found.append(event)
    standing = {}
    for key, last in latest.items():
        whole = _held(last, texts, at)
        if whole is not None:
            standing[key] = whole
    return standing


def _held(last: list[Event], texts: Mapping[str, Text], at: dt.datetime) -> Held | None:
    """What the answers of one instant leave standing."""
    if any(e.answer != WANTED or e.answered_at > at or not given_validly(e, texts) for e in last):
        return None
    scopes = frozenset.intersection(*(e.scopes for e in last))
    return Held(scopes, min(e.text_version for e in last), last[0].answered_at)


def given_validly(event: Event, texts: Mapping[str, Text]) -> bool:
    """Whether this 要 could have been given: its text was in force that day and asks about every scope named."""
    text = texts.get(event.text_version)
    return text is not None and text.in_force(event.answered_at.date()) and event.scopes <= (text.scopes & SCOPES)
