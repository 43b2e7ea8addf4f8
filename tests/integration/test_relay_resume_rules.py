"""What joining a restored core to its relay refuses, and what it keeps: stops, codes taken back, notices asked back in vain."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.utils import timezone

from kizuki.app import audit, city_rules_told, notice_stops, relay_leftovers
from kizuki.app.exchange_parts import core_parts
from kizuki.app.relay_resume import Resumed, read_state, resume
from kizuki.app.release import Actor
from kizuki.cli.relay import COUNTS
from kizuki.push import lines
from kizuki.push.exchange import FIRST, STATE, pack, public_text
from kizuki.push.lines import (
    Applied,
    InForce,
    KnownCode,
    KnownNotice,
    KnownRecipient,
    Line,
    Opened,
    ToldAgain,
    Written,
    to_json,
)
from kizuki.records.consent_models import RelayLeftover, RelayResume, RelayTold
from kizuki.records.models import User
from kizuki.records.notice_models import NoticeStop, Recipient, RegistrationCode, RelayFile
from kizuki.terms.errors import InputRefused, NotPermitted
from tests.marked_city import MarkedView

RELAY = Ed25519PrivateKey.from_private_bytes(b"r" * 32)
A, B, C, D = (letter * 64 for letter in "abcd")
pytestmark = pytest.mark.django_db


@dataclass
class Core:
    """The restored core and those who join it."""

    home: Path
    actor_for: Callable[..., Actor]

    def by(self, role: str, *said: Line, seq: int = 0, mark: str = FIRST, key: Ed25519PrivateKey = RELAY) -> Resumed:
        now = timezone.localtime()
        data = pack(STATE, seq, mark, "2026-11-25T10:00:00+09:00", said, key=key)
        return resume(self.actor_for(role), self.home, data, now, core_parts().takers)

    def by_two(self, *said: Line, seq: int = 0, mark: str = FIRST) -> dict[str, int]:
        asked = self.by("it", *said, seq=seq, mark=mark)
        done = self.by("steering", *said, seq=seq, mark=mark)
        assert (asked.done, done.done, asked.counts) == (False, True, done.counts)
        assert set(done.counts) <= set(COUNTS), "the terminal has words for each"
        return done.counts


@pytest.fixture
def core(marked_city: MarkedView, app_home: Path, actor_for: Callable[..., Actor]) -> Core:
    (app_home / "relay" / "in").mkdir(parents=True)
    (app_home / "relay" / "out").mkdir()
    (app_home / "relay" / "relay.pub").write_text(public_text(RELAY.public_key()))
    return Core(app_home, actor_for)


def wrote(seq: int, mark: str, direction: str = "to_relay") -> None:
    RelayFile.objects.create(direction=direction, seq=seq, digest=mark, lines=1, at=timezone.now())


def again(seq: int, mark: str, *said: Line) -> list[Line]:
    return [Written(seq, mark, len(said)), *(ToldAgain(seq, n, to_json(x)) for n, x in enumerate(said))]


def test_only_the_relays_own_newest_state_is_taken(core: Core, tmp_path: Path) -> None:
    wrote(1, A)
    wrote(5, B, "from_relay")
    for said, seq, mark in (
        ([Applied(1, A)], 5, B),  # nothing behind
        ([Applied(1, A), Applied(2, B)], 4, B),  # older than what was read here
        ([Applied(1, A), Applied(2, B)], 5, C),  # another's
        ([Applied(1, A), Written(5, C, 1)], 6, D),
    ):
        with pytest.raises(InputRefused, match="K668"):
            core.by("it", *said, seq=seq, mark=mark)
    with pytest.raises(InputRefused, match="K651"):
        core.by("it", Applied(2, B), seq=5, mark=B, key=Ed25519PrivateKey.generate())
    with pytest.raises(NotPermitted):
        core.by("auditor", Applied(2, B), seq=5, mark=B)
    with pytest.raises(InputRefused, match="K668"):
        read_state(tmp_path / "nothing")
    assert not RelayResume.objects.exists()


def test_a_copy_too_old_to_read_every_withdrawal_again_is_not_joined(core: Core) -> None:
    kept = again(3, C, Opened("n3", "2026-11-25T10:00:00+09:00"))
    for lost in ([], [Written(2, B, 2), ToldAgain(2, 0, to_json(Opened("n2", "2026-11-25T10:00:00+09:00")))]):
        with pytest.raises(InputRefused, match="K669"):
            core.by("it", Written(1, A, 0), *lost, *kept, seq=3, mark=C)
    assert not RelayFile.objects.exists()


def test_asking_changes_nothing_and_a_changed_record_is_asked_for_anew(core: Core) -> None:
    said = [Applied(1, A), InForce(True, 7)]
    first = core.by("it", *said)
    assert not first.done and first.counts["stop_kept"] == 1
    assert not NoticeStop.objects.exists() and not RelayFile.objects.exists()
    notice_stops_of(core)
    with pytest.raises(InputRefused, match="K668"):
        core.by("steering", *said)
    assert not RelayFile.objects.exists()
    assert audit.verify().ok


def notice_stops_of(core: Core) -> None:
    by = User.objects.get(username="it")
    NoticeStop.objects.create(programme=notice_stops.ALL, reason="事故", stopped_by=by, told_at=timezone.now())


def test_a_stop_the_copy_has_forgotten_stays_until_two_lift_it(core: Core) -> None:
    assert core.by_two(Applied(1, A), InForce(True, 0))["stop_kept"] == 1
    assert notice_stops.stopped_programmes() == {notice_stops.ALL}
    again_to_relay = core_parts().writers[-1].lines_to_hand(core.home, timezone.localtime())
    assert [x for x in again_to_relay if isinstance(x, lines.Stop)] == [], "the relay knows"


def test_a_stop_the_relay_has_not_is_told_again(core: Core) -> None:
    core.actor_for("it")
    notice_stops_of(core)
    core.by_two(Applied(1, A), InForce(False, 0))
    found = core_parts().writers[-1].lines_to_hand(core.home, timezone.localtime())
    assert [x.on for x in found if isinstance(x, lines.Stop)] == [True]


def test_codes_and_silences_stay_as_the_relay_was_told(core: Core) -> None:
    known = Recipient.objects.create(recipient_no="r1", person_id="m1")
    by = User.objects.get(pk=core.actor_for("it").user_id)
    for mark in (A, B):
        RegistrationCode.objects.create(
            recipient=known, digest=mark, invitation="i", issued_by=by, issued_at=timezone.now(),
            expires_on=timezone.localdate() + dt.timedelta(days=60),
        )  # fmt: skip
    said = [Applied(1, A), KnownRecipient("r1", True), KnownRecipient("r2", False), KnownCode(A, "r1", "", False)]
    until = (timezone.localtime() + dt.timedelta(days=9)).isoformat()
    said += [KnownCode(C, "r2", until, False), KnownCode(D, "r2", until, True)]
    counts = core.by_two(*said)
    assert (counts["codes_taken_back"], counts["unknown_codes"], counts["unknown_recipients"]) == (1, 1, 1)
    assert RegistrationCode.objects.get(digest=A).revoked_at and not RegistrationCode.objects.get(digest=B).revoked_at
    assert {(t.kind, t.key, t.state) for t in RelayTold.objects.exclude(kind="rules")} == {
        ("silence", "r1", "on"), ("code", A, "taken back"),
    }  # fmt: skip
    told = relay_leftovers.lines_to_hand(core.home, timezone.localtime())
    assert told == [lines.Silence("r2", True), lines.Code(C, "r2", "")]
    relay_leftovers.handed(told, 2, timezone.now())
    assert relay_leftovers.lines_to_hand(core.home, timezone.localtime()) == []


def test_a_forgotten_notice_under_way_is_taken_back_and_its_end_is_noted(core: Core) -> None:
    at = timezone.localtime().isoformat()
    ended = [KnownNotice(f"n-{s}", "r1", "f" * 32, s, False, at) for s in ("cancelled", "expired", "failed")]
    core.by_two(Applied(1, A), KnownNotice("n1", "r1", "e" * 32, "waiting", False, at), *ended)
    assert [x.key for x in RelayLeftover.objects.filter(kind="notice")] == ["n1"], "what never went is no matter"
    assert lines.Cancel("n1") in relay_leftovers.lines_to_hand(core.home, timezone.localtime())
    core_parts().takers["outcome"](lines.Outcome("n1", "cancelled", at, ""), "9:0")
    assert RelayLeftover.objects.get(kind="notice").status == "cancelled"


def test_the_rules_are_told_again_under_a_higher_number(core: Core) -> None:
    ahead = int(timezone.now().timestamp()) + 10**6
    core.by_two(Applied(1, A), InForce(False, ahead))
    (line,) = city_rules_told.lines_to_hand(core.home, timezone.localtime())
    assert isinstance(line, lines.Rules) and line.number == ahead + 1
