"""Core and relay together on the marked city: consent goes the whole way, and neither side learns what is the other's."""

import datetime as dt
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from kizuki.app import audit, city_rules_told, consents, enquiries, relay_leftovers
from kizuki.app.exchange import Parts
from kizuki.app.exchange import exchange as core_exchange
from kizuki.app.exchange_files import Exchanged
from kizuki.app.relay_exchange import exchange as relay_exchange
from kizuki.app.relay_home import Relay
from kizuki.app.relay_state import FILE, write_state
from kizuki.app.release import Actor
from kizuki.engine.keys import KeyRing
from kizuki.push import codes
from kizuki.records.notice_models import ConsentEvent, Recipient, RegistrationCode
from kizuki.records.relay.models import Link
from tests.integration.test_relay_residents import (
    SECRET,
    USER,
    Client,
    LineDouble,
    LineMessenger,
    deliver,
    event,
    postback,
    serve_with,
)
from tests.marked_city import PEOPLE, MarkedView

pytestmark = pytest.mark.django_db(databases=["default", "relay"])
CODE = codes.draw()
NO = "c0ffee" * 5 + "00"


@pytest.fixture
def line() -> Iterator[LineDouble]:
    with LineDouble() as double:
        yield double


@pytest.fixture
def relay(tmp_path_factory: pytest.TempPathFactory, settings: Any, line: LineDouble) -> Relay:
    from kizuki.web import relay_settings

    for name in ("ROOT_URLCONF", "MIDDLEWARE", "TEMPLATES"):
        setattr(settings, name, getattr(relay_settings, name))
    home = tmp_path_factory.mktemp("relay")
    made = Relay(home, KeyRing.load(home))
    (home / "keys" / "line-token").write_text("test-token", encoding="ascii")
    (home / "keys" / "line-secret").write_text(SECRET, encoding="ascii")
    for place in (made.incoming, made.outgoing):
        place.mkdir()
    serve_with(made, LineMessenger(line.host, "test-token"))
    return made


class Both:
    """The two folders, and whoever carries files between them."""

    def __init__(self, core: Path, relay: Relay, actor: Actor) -> None:
        from kizuki.push.exchange import public_text

        self.core, self.relay, self.actor = core, relay, actor
        (core / "relay").mkdir()
        (core / "relay" / "relay.pub").write_text(public_text(relay.signing_key.public_key()))
        self.parts = Parts(
            (relay_leftovers, city_rules_told, consents),
            {"answer": consents.take_in, "linked": consents.take_in, "asked": enquiries.take_in},
        )
        self.carried: list[bytes] = []

    def go(self) -> Exchanged:
        """Core, carry, relay, carry, core: what the core did at the end."""
        core_exchange(self.actor, self.core, KeyRing.load(self.core), timezone.localtime(), self.parts)
        shutil.copy(self.core / "relay" / "core.pub", self.relay.home / "core.pub")
        shutil.copy(self.core / "keys" / "relay-registration-code", self.relay.home / "keys" / "registration-code")
        self._carry(self.core / "relay" / "out", self.relay.incoming)
        assert relay_exchange(self.relay, timezone.localtime()).refused == []
        self._carry(self.relay.outgoing, self.core / "relay" / "in")
        done = core_exchange(self.actor, self.core, KeyRing.load(self.core), timezone.localtime(), self.parts)
        assert done.refused == []
        return done

    def _carry(self, here: Path, there: Path) -> None:
        for path in here.glob("*.kzr"):
            self.carried.append(path.read_bytes())
            shutil.move(path, there / path.name)


@pytest.fixture
def both(marked_city: MarkedView, app_home: Path, relay: Relay, actor_for: Callable[..., Actor]) -> Both:
    actor = actor_for("it")
    recipient = Recipient.objects.create(recipient_no=NO, person_id="m1")
    RegistrationCode.objects.create(
        recipient=recipient,
        digest=codes.digest(CODE, audit.keys().key(codes.KEY_PURPOSE)),
        invitation="i",
        issued_by_id=_user(actor),
        issued_at=timezone.now(),
        expires_on=timezone.localdate() + dt.timedelta(days=60),
    )
    return Both(app_home, relay, actor)


def _user(actor: Actor) -> int:
    from kizuki.records.models import User

    return User.objects.get(username="it").pk


def dump(alias: str) -> str:
    """Everything in one side's database."""
    connection = connections[alias]
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        rows = []
        for table in tables:
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            rows += [repr([bytes(v) if isinstance(v, memoryview) else v for v in row]) for row in cursor.fetchall()]
    return "\n".join(rows)


def test_consent_goes_the_whole_way_and_each_side_knows_only_its_own(both: Both, relay: Relay, line: LineDouble) -> None:
    both.go()
    page = Client().post("/code/?t=linktoken1", {"code": CODE}).content.decode()
    nonce = page.split("nonce=")[1].split('"')[0]
    assert deliver(event("accountLink", 1, link={"result": "ok", "nonce": nonce})) == 200
    version = consents.current_text(timezone.localdate()).version
    deliver(postback(2, f"answer|wanted|tax|{version}"))
    deliver(postback(3, "ask|documents"))
    assert both.go().taken_lines == 3
    assert both.go().taken_lines == 0
    standing = consents.standing(["h1"], timezone.localtime() + dt.timedelta(seconds=1))["h1"]
    assert (standing.recipient_no, standing.scopes, standing.channel) == (NO, frozenset({"tax"}), "line")
    deliver(event("message", 4, message={"type": "text", "id": "1", "text": "停止", "quoteToken": "q"}))
    both.go()
    assert consents.standing(["h1"], timezone.localtime() + dt.timedelta(seconds=1)) == {}
    assert ConsentEvent.objects.count() == 2
    assert Link.objects.count() == 1

    write_state(relay, timezone.localtime())
    both.carried.append((relay.home / FILE).read_bytes())
    assert b'"kind":"rules"' in b"".join(both.carried) and b'"kind":"told_again"' in both.carried[-1]
    core, relays = dump("default"), dump("relay")
    files = "".join(data.decode() for data in both.carried)
    said = "".join(line.bodies)
    for side in (relays, files, said):
        assert "印" not in side
        assert [p for p in PEOPLE if f"'{p}'" in side or f'"{p}"' in side] == []
    for side in (core, files, relays):
        assert USER not in side
    assert NO not in said
    kept = b"".join(p.read_bytes() for p in sorted(relay.home.rglob("*")) if p.is_file())
    assert "印".encode() not in kept and USER.encode() not in kept
