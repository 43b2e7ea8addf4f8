"""データ受領・鮮度: per source how fresh its data is, what was held or returned, and what to do. No personal content."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from kizuki.app import explanation as words
from kizuki.app.deliveries import delivery_ledger
from kizuki.app.release import Actor, Query, release
from kizuki.app.served import Served, Source

FEEDS: Final = Query(
    name="feed_board",
    tables=("feed",),
    columns={
        "source": "feed.source",
        "last_as_of": "feed.last_as_of",
        "last_received_at": "feed.last_received_at",
        "state": "feed.state",
        "deliveries": "feed.deliveries",
        "rows": "feed.rows",
        "quarantined": "feed.quarantined",
    },
    subject=None,
)

STATE_TITLES: Final[Mapping[str, str]] = {"fresh": "届いている", "late": "遅れ", "never": "未着", "off": "停止中"}
STATUS_TITLES: Final[Mapping[str, str]] = {
    "accepted": "受入れ",
    "held": "保留",
    "refused": "返却",
    "duplicate": "同じ内容（取込済み）",
}
NEXT_STEP: Final[Mapping[str, str]] = {
    "accepted": "行の保留があるときは、理由を元の課に伝え、次の届けで直してもらいます。",
    "held": "元の課に理由を確かめ、受け入れるか返すかを決めます。決めるまで、この届けは使いません。",
    "refused": "元の課に理由を伝え、直した届けをもう一度受け取ります。",
    "duplicate": "することはありません。",
}


@dataclass(frozen=True, slots=True)
class Feed:
    """One source on the board."""

    source: Source
    state: str
    last_as_of: dt.date | None
    last_received_at: str
    deliveries: int
    rows: int
    quarantined: int

    @property
    def title(self) -> str:
        return self.source.title

    @property
    def state_title(self) -> str:
        return STATE_TITLES.get(self.state, self.state)

    @property
    def as_of_text(self) -> str:
        """Date of the newest data, or 未着."""
        return words.date_text(self.last_as_of) or "未着"

    @property
    def received_text(self) -> str:
        """When the newest delivery came in, to the minute."""
        return words.instant_text(self.last_received_at)

    @property
    def late(self) -> bool:
        return self.state in ("late", "never")


@dataclass(frozen=True, slots=True)
class Delivery:
    """One delivery of the ledger: counts and reasons, never a value."""

    delivery: str
    file: str
    as_of: str
    received_at: str
    status: str
    status_title: str
    lines: int
    accepted: int
    quarantined: int
    reasons: tuple[Mapping[str, Any], ...]
    next_step: str


def feeds_board(actor: Actor, served: Served) -> tuple[Feed, ...]:
    """All sources, late ones first."""
    rows = release(actor, FEEDS, action="feed.view").rows
    return tuple(sorted(_feeds(rows, served), key=lambda f: (not f.late, f.state == "off")))


def late_feeds(rows: Sequence[Mapping[str, Any]], served: Served) -> tuple[Feed, ...]:
    """Of released feed rows, those in force whose data is late or never came."""
    return tuple(f for f in _feeds(rows, served) if f.late)


def _feeds(rows: Sequence[Mapping[str, Any]], served: Served) -> list[Feed]:
    by_source = {row["source"]: row for row in rows}
    known = [s.id for s in served.definitions.sources()]
    feeds = []
    for source in [*known, *(s for s in by_source if s not in known)]:
        row = by_source.get(source, {})
        feeds.append(
            Feed(
                source=served.definitions.source(source),
                state=str(row.get("state") or "never"),
                last_as_of=row.get("last_as_of"),
                last_received_at=str(row.get("last_received_at") or ""),
                deliveries=int(row.get("deliveries") or 0),
                rows=int(row.get("rows") or 0),
                quarantined=int(row.get("quarantined") or 0),
            )
        )
    return feeds


def deliveries(actor: Actor, home: Path, source: str, *, limit: int = 60) -> tuple[Delivery, ...]:
    """Newest deliveries of one source, from the receipt ledger; reading it needs the same right as the board."""
    release(actor, FEEDS, action="feed.view")
    found: list[dict[str, Any]] = []
    for event in delivery_ledger(home).read():
        if event.get("source") != source:
            continue
        if event.get("event") == "received":
            found.append(event)
            continue
        for earlier in found:  # a later decision (released, returned) says where the held delivery stands now
            if earlier["delivery"] == event["delivery"] and earlier.get("status") == "held":
                earlier["status"] = event.get("status", earlier["status"])
    return tuple(_delivery(e) for e in reversed(found[-limit:]))


def _delivery(entry: Mapping[str, Any]) -> Delivery:
    status = str(entry.get("status", ""))
    return Delivery(
        delivery=str(entry.get("delivery", "")),
        file=str(entry.get("file", "")),
        as_of=words.instant_text(str(entry.get("as_of") or "")),
        received_at=words.instant_text(str(entry.get("received_at") or "")),
        status=status,
        status_title=STATUS_TITLES.get(status, status),
        lines=int(entry.get("lines") or 0),
        accepted=int(entry.get("accepted") or 0),
        quarantined=int(entry.get("quarantined") or 0),
        reasons=tuple(entry.get("reasons") or ()),
        next_step=NEXT_STEP.get(status, ""),
    )
