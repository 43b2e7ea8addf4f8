"""How a core put back from an older copy finds its place again beside the relay (pure).

The relay says which files it has applied and written, and what it knows. Nothing here decides to send: what the relay has, it
keeps; what it has not, the core hands over again under the same number.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from kizuki.push.exchange import Envelope
from kizuki.push.lines import Applied, InForce, KnownCode, KnownNotice, KnownRecipient, Line, ToldAgain, Written, from_json
from kizuki.terms.errors import InputRefused

NOT_SENT = frozenset({"failed", "blocked", "expired", "cancelled", "held"})
"""States of the relay in which a notice certainly did not go."""


@dataclass(slots=True)
class Stated:
    """What the relay's state says: files by number, lines by file, and what it knows."""

    seq: int
    digest: str
    applied: dict[int, str] = field(default_factory=dict)
    written: dict[int, Written] = field(default_factory=dict)
    told: dict[int, list[ToldAgain]] = field(default_factory=lambda: defaultdict(list))
    notices: list[KnownNotice] = field(default_factory=list)
    recipients: list[KnownRecipient] = field(default_factory=list)
    codes: list[KnownCode] = field(default_factory=list)
    in_force: InForce = field(default_factory=lambda: InForce(False, 0))

    def add(self, line: Line) -> None:
        """Put one line where it belongs."""
        match line:
            case Applied():
                self.applied[line.seq] = line.digest
            case Written():
                self.written[line.seq] = line
            case ToldAgain():
                self.told[line.seq].append(line)
            case KnownNotice():
                self.notices.append(line)
            case KnownRecipient():
                self.recipients.append(line)
            case KnownCode():
                self.codes.append(line)
            case InForce():
                self.in_force = line

    @property
    def last_applied(self) -> int:
        """The last file of the core's the relay has; 0 = none."""
        return max(self.applied, default=0)


def stated(envelope: Envelope) -> Stated:
    """The relay's state as read."""
    found = Stated(envelope.seq, envelope.previous)
    for line in envelope.lines:
        found.add(line)
    return found


def common(own: Mapping[int, str], applied: Mapping[int, str]) -> int:
    """The last number under which both sides have the very same file; 0 = none."""
    return max((seq for seq, mark in applied.items() if own.get(seq) == mark), default=0)


def to_read(state: Stated, last: int, mark: str) -> Sequence[tuple[Written, list[Line]]]:
    """The files after number `last` (digest `mark`) this side has to read again, in order, with their lines.

    Raises InputRefused: K668 the state is older than what was read here, or of another relay; K669 lines are no longer kept.
    """
    if state.seq < last or (state.seq == last and state.digest != mark):
        raise refused("中継の状態のほうが古いか、別の中継のものです。")
    known = state.written.get(last)
    if known is not None and known.digest != mark:
        raise refused("別の中継の状態か、ここで読んだ便と続きません。")
    found = []
    for seq in range(last + 1, state.seq + 1):
        file, told = state.written.get(seq), sorted(state.told.get(seq, ()), key=lambda t: t.number)
        if file is None or [t.number for t in told] != list(range(file.lines)):
            raise InputRefused(
                "K669",
                f"控えが古く、中継が {seq}番の便の中身をもう持っていません。",
                f"{seq}番",
                "運んだ便の控えの、この番号からあとを relay/in に置いて relay exchange を動かしてから、やり直してください。",
            )
        found.append((file, [from_json(t.line) for t in told]))
    return found


def refused(why: str) -> InputRefused:
    """Why nothing is joined again (K668)."""
    return InputRefused(
        "K668", why, "中継の状態", "中継で relay state を動かし直し、できたばかりのファイルを指定してください。"
    )
