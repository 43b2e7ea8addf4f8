"""What core and relay tell each other: one frozen class per kind of line, to and from JSON (D11).

No line may carry a name, address, birthday, income or readable programme: the fields here are the whole vocabulary, and none
of them can hold such a thing. `template` is opaque (`t-` and hexadecimal), `recipient_no` random, codes are digests.
Times are ISO 8601 with offset. A line unknown to the reader refuses the file (K650): the two sides must be of one version.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar, Final

from kizuki.terms.errors import InputRefused


@dataclass(frozen=True, slots=True)
class Template:
    """To the relay: one immutable text. `named` texts may name a programme and go only to those whose consent covers it.

    `text` is complete but for `{リンク}`, which stands in it exactly once: the relay puts the one-time address there.
    """

    kind: ClassVar[str] = "template"
    template: str
    version: str
    text: str
    named: bool


@dataclass(frozen=True, slots=True)
class ConsentText:
    """To the relay: one immutable text of the consent page, and the scopes it asks about."""

    kind: ClassVar[str] = "consent_text"
    version: str
    text: str
    scopes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Code:
    """To the relay: the digest of one posted registration code, and whom it links; `expires_at` blank = taken back."""

    kind: ClassVar[str] = "code"
    digest: str
    recipient_no: str
    expires_at: str


@dataclass(frozen=True, slots=True)
class Send:
    """To the relay: send one notice between two instants, once; `retry_key` goes to LINE unchanged at every attempt.

    `about` = a keyed token of what it is about, for this recipient alone: two notices of one token are about the same, and
    nothing can be read back from it. Blank = not told.
    """

    kind: ClassVar[str] = "send"
    notice_id: str
    recipient_no: str
    template: str
    version: str
    retry_key: str
    not_before: str
    expires_at: str
    about: str = ""


@dataclass(frozen=True, slots=True)
class Cancel:
    """To the relay: do not send this notice, if it has not been tried yet."""

    kind: ClassVar[str] = "cancel"
    notice_id: str


@dataclass(frozen=True, slots=True)
class Silence:
    """To the relay: from now send this recipient nothing (withdrawn, sealed, left). `on` False takes it back."""

    kind: ClassVar[str] = "silence"
    recipient_no: str
    on: bool


@dataclass(frozen=True, slots=True)
class Stop:
    """To the relay: 緊急停止 of every notice not yet tried. `on` False takes it back."""

    kind: ClassVar[str] = "stop"
    on: bool


@dataclass(frozen=True, slots=True)
class Rules:
    """To the relay: when and how often the city sends. The highest `number` holds; `since` = when the core first said so.

    Times of day (`20:00`) are those of Japan. `years` = years whose holidays are entered, `closed_days` = the days of those
    years on which nothing is sent; in any other year nothing is sent.
    """

    kind: ClassVar[str] = "rules"
    number: int
    since: str
    quiet_from: str
    quiet_to: str
    weekends: bool
    years: tuple[int, ...]
    closed_days: tuple[str, ...]
    monthly_cap: int
    cooldown_days: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """From the relay: what became of one notice: `accepted`, `unknown`, `failed`, `blocked`, `expired`, `cancelled`, `held`."""

    kind: ClassVar[str] = "outcome"
    notice_id: str
    status: str
    at: str
    detail: str


@dataclass(frozen=True, slots=True)
class Opened:
    """From the relay: the one-time address in a notice was opened for the first time."""

    kind: ClassVar[str] = "opened"
    notice_id: str
    at: str


@dataclass(frozen=True, slots=True)
class Linked:
    """From the relay: a recipient's LINE account was linked (`on`), or the link is gone (blocked, unlinked)."""

    kind: ClassVar[str] = "linked"
    recipient_no: str
    on: bool
    at: str
    code_digest: str


@dataclass(frozen=True, slots=True)
class Answer:
    """From the relay: a recipient's wish (`wanted`, `unwanted`, `withdrawn`) with its scopes and the text they had read."""

    kind: ClassVar[str] = "answer"
    event: str
    recipient_no: str
    answer: str
    scopes: tuple[str, ...]
    text_version: str
    channel: str
    at: str


@dataclass(frozen=True, slots=True)
class Asked:
    """From the relay: a recipient pressed an enquiry button. `notice_id` blank = from the menu, not from a notice."""

    kind: ClassVar[str] = "asked"
    event: str
    recipient_no: str
    notice_id: str
    topic: str
    at: str


@dataclass(frozen=True, slots=True)
class Applied:
    """In the relay's state: one file of the core's it has applied."""

    kind: ClassVar[str] = "applied"
    seq: int
    digest: str


@dataclass(frozen=True, slots=True)
class Written:
    """In the relay's state: one file it wrote for the core, with how many lines it held."""

    kind: ClassVar[str] = "written"
    seq: int
    digest: str
    lines: int


@dataclass(frozen=True, slots=True)
class ToldAgain:
    """In the relay's state: line `number` (from 0) of the file `seq` it wrote, as JSON."""

    kind: ClassVar[str] = "told_again"
    seq: int
    number: int
    line: str


@dataclass(frozen=True, slots=True)
class KnownNotice:
    """In the relay's state: where one notice stands (the relay's own states); `at` = when it was first tried, else due."""

    kind: ClassVar[str] = "known_notice"
    notice_id: str
    recipient_no: str
    about: str
    status: str
    maybe_sent: bool
    at: str


@dataclass(frozen=True, slots=True)
class KnownRecipient:
    """In the relay's state: one recipient it knows; `silenced` = the core's word, not their own answer."""

    kind: ClassVar[str] = "known_recipient"
    recipient_no: str
    silenced: bool


@dataclass(frozen=True, slots=True)
class KnownCode:
    """In the relay's state: one registration code; `expires_at` blank = taken back, `used` = it has linked somebody."""

    kind: ClassVar[str] = "known_code"
    digest: str
    recipient_no: str
    expires_at: str
    used: bool


@dataclass(frozen=True, slots=True)
class InForce:
    """In the relay's state: whether everything is stopped there, and the number of the rules it goes by (0 = none came)."""

    kind: ClassVar[str] = "in_force"
    stopped: bool
    rules_number: int


ToRelay = Template | ConsentText | Code | Send | Cancel | Silence | Stop | Rules
FromRelay = Outcome | Opened | Linked | Answer | Asked
OfState = Applied | Written | ToldAgain | KnownNotice | KnownRecipient | KnownCode | InForce
Line = ToRelay | FromRelay | OfState
TO_RELAY: Final = (Template, ConsentText, Code, Send, Cancel, Silence, Stop, Rules)
FROM_RELAY: Final = (Outcome, Opened, Linked, Answer, Asked)
OF_STATE: Final = (Applied, Written, ToldAgain, KnownNotice, KnownRecipient, KnownCode, InForce)
_BY_KIND: Final[Mapping[str, type[Any]]] = {k.kind: k for k in (*TO_RELAY, *FROM_RELAY, *OF_STATE)}


def to_json(line: Line) -> str:
    """The line as canonical JSON on one line."""
    return json.dumps({"kind": line.kind, **asdict(line)}, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def from_json(text: str) -> Line:
    """The line; raises InputRefused K650 where it is not exactly one of the known kinds with exactly its fields."""
    try:
        found = json.loads(text)
        kind = _BY_KIND[found.pop("kind")]
        if found.keys() != {f.name for f in fields(kind)}:
            raise KeyError
        line: Line = kind(**{name: tuple(v) if isinstance(v, list) else v for name, v in found.items()})
    except (ValueError, KeyError, TypeError, AttributeError) as e:
        raise InputRefused(
            "K650", "中継との便に、知らない行があります。", fix="本体と中継を同じ版にして、書き出し直してください。"
        ) from e
    return line
