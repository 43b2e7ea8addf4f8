"""The audit chain: each event carries an HMAC over its own text and the event before it (pure).

Detects edit, delete, insert and swap by itself; a cut tail or a whole rewrite needs a head kept elsewhere (`Head`).
Source: facts/governance (c); immudb issue 2063 (a value edited in the file while the audit said consistent).
"""

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

GENESIS = "0" * 64


@dataclass(frozen=True, slots=True)
class Link:
    """One stored event: its number, canonical text, the value it continues and its own value (hexadecimal)."""

    seq: int
    body: str
    prev: str
    mac: str


@dataclass(frozen=True, slots=True)
class Head:
    """The end of the chain as noted somewhere else: the file beside the database, or the printed sheet."""

    seq: int
    mac: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """Answer of a verification: events read, whether all holds, the first bad number and what is wrong there (Japanese)."""

    events: int
    ok: bool
    first_bad: int | None = None
    problem: str = ""


def canonical(body: Mapping[str, Any]) -> str:
    """One text for one body: sorted keys, no spaces."""
    return json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def mac(key: bytes, seq: int, prev: str, body: str) -> str:
    """The chained value of one event."""
    return hmac.new(key, f"{seq}|{prev}|{body}".encode(), hashlib.sha256).hexdigest()


def digest(tokens: Sequence[str]) -> str:
    """Ties the list of concerned persons to the event's text, so that a row of that list cannot be dropped or added."""
    return hashlib.sha256("\n".join(sorted(tokens)).encode()).hexdigest()


def verify(links: Iterable[Link], key: bytes, heads: Sequence[Head] = ()) -> Verdict:
    """Walk the chain from its beginning and compare every noted head; stops at the first fault."""
    awaited = {h.seq: h.mac for h in heads if h.seq > 0}
    if len(awaited) < len({(h.seq, h.mac) for h in heads if h.seq > 0}):
        return Verdict(0, False, min(h.seq for h in heads if h.seq > 0), "控えの末尾どうしが食い違っています")
    prev, count = GENESIS, 0
    for link in links:
        problem = _problem(link, count + 1, prev, key)
        if not problem and awaited.get(link.seq, link.mac) != link.mac:
            problem = "控えの末尾と連鎖値が違います（書き直し・分岐）"
        if problem:
            return Verdict(count, False, min(link.seq, count + 1), problem)
        prev, count = link.mac, count + 1
    beyond = [seq for seq in awaited if seq > count]
    if beyond:
        return Verdict(count, False, count + 1, f"末尾が切られています（控えは {max(beyond)} 番まで）")
    return Verdict(count, True)


def _problem(link: Link, expected: int, prev: str, key: bytes) -> str:
    if link.seq != expected:
        return f"{expected} 番が抜けています"
    if link.prev != prev:
        return "直前の記録とつながりません"
    if not hmac.compare_digest(mac(key, link.seq, link.prev, link.body), link.mac):
        return "内容が書き換えられています"
    return ""
