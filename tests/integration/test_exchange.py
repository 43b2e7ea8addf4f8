"""The exchange with the relay: whatever point it is broken off at, each line goes once and each answer is applied once."""

import datetime as dt
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kizuki.app import exchange as exchange_module
from kizuki.app import exchange_files
from kizuki.app.exchange import Parts, exchange, signing_key
from kizuki.app.exchange_files import Exchanged
from kizuki.app.release import Actor
from kizuki.engine.keys import KeyRing
from kizuki.push.exchange import FIRST, file_name, pack, public_text, unpack
from kizuki.push.lines import Line, Opened, Stop
from kizuki.records.models import User
from kizuki.records.notice_models import NoticeStop, RelayFile
from kizuki.terms.errors import InputRefused, UsageError

NOW = dt.datetime(2026, 11, 20, 10, 0, tzinfo=dt.UTC)
RELAY = Ed25519PrivateKey.from_private_bytes(b"r" * 32)
pytestmark = pytest.mark.django_db


class Stops:
    """Says one Stop for each NoticeStop row not yet handed; the row itself remembers (in its reason)."""

    def lines_to_hand(self, home: Path, now: dt.datetime) -> list[Line]:
        return [Stop(True) for _ in NoticeStop.objects.filter(reason="new")]

    def handed(self, lines: Sequence[Line], seq: int, now: dt.datetime) -> None:
        NoticeStop.objects.filter(reason="new").update(reason=f"handed {seq}")


class Broken(BaseException):
    """The process ends here."""


@pytest.fixture
def actor(actor_for: Callable[..., Actor]) -> Actor:
    return actor_for("it")


@pytest.fixture
def home(app_home: Path) -> Path:
    folder = app_home
    (folder / "relay" / "in").mkdir(parents=True)
    (folder / "relay" / "relay.pub").write_text(public_text(RELAY.public_key()))
    return folder


def _stop(programme: str) -> None:
    by, _ = User.objects.get_or_create(username="steering-1")
    NoticeStop.objects.create(programme=programme, reason="new", stopped_by=by)


Exchange = Callable[..., Exchanged]


@pytest.fixture
def trade(home: Path, actor: Actor) -> Exchange:
    """One exchange of the home, with the given takers."""

    def go(takers: dict[str, Callable[[Any, str], None]] | None = None) -> Exchanged:
        return exchange(actor, home, KeyRing.load(home), NOW, Parts((Stops(),), takers or {}))

    return go


def _sent(home: Path) -> list[tuple[int, int]]:
    key = signing_key(KeyRing.load(home)).public_key()
    files = sorted((home / "relay" / "out").glob("*.kzr"))
    return [(e.seq, len(e.lines)) for e in (unpack(f.read_bytes(), "to_relay", key=key) for f in files)]


def _arrive(home: Path, seq: int, previous: str, *lines: Line) -> bytes:
    data = pack("from_relay", seq, previous, NOW.isoformat(), lines, key=RELAY)
    (home / "relay" / "in" / file_name(seq)).write_bytes(data)
    return data


def test_without_the_relays_key_nothing_is_exchanged(home: Path, trade: Exchange) -> None:
    (home / "relay" / "relay.pub").unlink()
    with pytest.raises(UsageError, match="K655"):
        trade()
    assert (home / "relay" / "core.pub").read_text().strip() == public_text(signing_key(KeyRing.load(home)).public_key())


def test_nothing_to_say_writes_no_file(home: Path, trade: Exchange) -> None:
    assert trade().written == 0
    assert _sent(home) == []


@pytest.mark.parametrize(
    ("module", "step"),
    [
        (exchange_module, "lay_aside"),
        (exchange_module, "record_output"),
        (exchange_module, "digest"),
        (exchange_files, "file_name"),
        (exchange_files, "sync_folder"),
    ],
)
def test_broken_off_at_any_step_each_line_goes_once(
    home: Path, trade: Exchange, monkeypatch: pytest.MonkeyPatch, module: Any, step: str
) -> None:
    _stop("a")
    real = getattr(module, step)

    def breaks(*given: Any, **more: Any) -> Any:
        raise Broken

    monkeypatch.setattr(module, step, breaks)
    with pytest.raises(Broken):
        trade()
    monkeypatch.setattr(module, step, real)
    trade()
    _stop("b")
    trade()
    assert _sent(home) == [(1, 1), (2, 1)]
    assert [f.name for f in (home / "relay" / "out").iterdir() if f.name.startswith(".")] == []
    assert RelayFile.objects.count() == 2


def test_an_answer_is_applied_once_however_often_it_comes(home: Path, trade: Exchange) -> None:
    taken: list[str] = []
    takers = {"opened": lambda line, event: taken.append(event)}
    data = _arrive(home, 1, FIRST, Opened("n1", "t"), Opened("n2", "t"))
    assert trade(takers).taken_lines == 2
    (home / "relay" / "in" / file_name(1)).write_bytes(data)
    assert trade(takers).taken_lines == 0
    assert taken == ["1:0", "1:1"]


def test_a_gap_waits_and_a_forged_file_is_refused_with_nothing_of_it_applied(home: Path, trade: Exchange) -> None:
    taken: list[str] = []
    takers = {"opened": lambda line, event: taken.append(event)}
    first = pack("from_relay", 1, FIRST, "", [Opened("n1", "t")], key=RELAY)
    _arrive(home, 2, exchange_module.digest(first), Opened("n2", "t"))
    assert "K653" in trade(takers).refused[0]
    forged = pack("from_relay", 1, FIRST, "", [Opened("x", "t")], key=Ed25519PrivateKey.generate())
    (home / "relay" / "in" / file_name(1)).write_bytes(forged)
    assert "K651" in trade(takers).refused[0]
    assert taken == []
    (home / "relay" / "in" / file_name(1)).write_bytes(first)
    assert trade(takers).taken_files == 2
    assert taken == ["1:0", "2:0"]


def test_a_line_that_cannot_be_applied_leaves_the_whole_file_for_later(home: Path, trade: Exchange) -> None:
    def refuses(line: Opened, event: str) -> None:
        User.objects.get_or_create(username=f"mark-{event.replace(':', '-')}")
        if line.notice_id == "unknown":
            raise InputRefused("K650", "知らない番号です。")

    _arrive(home, 1, FIRST, Opened("n1", "t"), Opened("unknown", "t"))
    assert trade({"opened": refuses}).refused
    assert not User.objects.filter(username__startswith="mark-").exists()
    assert not RelayFile.objects.exists()
    assert (home / "relay" / "in" / file_name(1)).exists()


def test_the_handing_is_in_the_log_before_the_file_has_its_name(
    home: Path, trade: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kizuki.app import audit

    _stop("a")
    seen: list[list[tuple[int, int]]] = []
    real = audit.record
    monkeypatch.setattr(audit, "record", lambda *a, **k: (seen.append(_sent(home)), real(*a, **k))[1])
    trade()
    assert seen == [[]]
    assert _sent(home) == [(1, 1)]


def test_a_relay_begun_anew_is_not_taken_for_files_applied_before(home: Path, trade: Exchange) -> None:
    taken: list[str] = []
    takers = {"opened": lambda line, event: taken.append(event)}
    first = _arrive(home, 1, FIRST, Opened("n1", "t"))
    _arrive(home, 2, exchange_module.digest(first), Opened("n2", "t"))
    assert trade(takers).taken_files == 2
    _arrive(home, 1, FIRST, Opened("n3", "t"))
    assert "K654" in trade(takers).refused[0]
    assert taken == ["1:0", "2:0"]
