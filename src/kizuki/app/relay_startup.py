"""Opens the relay's home for this process: its own key, its own database, and nothing of the core's."""

import os
from dataclasses import dataclass
from pathlib import Path

import django
from django.core.management import call_command

from kizuki.app.relay_home import Relay
from kizuki.app.relay_line import Messenger
from kizuki.engine.cache import write_atomic
from kizuki.engine.keys import KeyRing
from kizuki.push.exchange import public_text
from kizuki.records.relay.router import ALIAS
from kizuki.terms.errors import UsageError

SETTINGS_MODULE = "kizuki.web.relay_settings"


def set_up(home: Path) -> None:
    """The relay's settings for this process; its database is left as it is."""
    os.environ["KIZUKI_HOME"] = str(home.absolute())
    os.environ["DJANGO_SETTINGS_MODULE"] = SETTINGS_MODULE
    django.setup()


def open_relay(home: Path) -> Relay:
    """The relay of `home`, its database up to date and its public key laid out for the core.

    Raises UsageError K657 if the core works in this home: the two must never share a folder or a key.
    """
    if (home / "app.db").exists():
        raise UsageError(
            "K657",
            "この置き場所は本体が使っています。中継には使えません。",
            str(home),
            "--home で、中継だけの置き場所を指定してください。",
        )
    keys = KeyRing.load(home)
    set_up(home)
    call_command("migrate", database=ALIAS, verbosity=0, interactive=False)
    relay = Relay(home, keys)
    for place in (relay.incoming, relay.outgoing):
        place.mkdir(parents=True, exist_ok=True)
    write_atomic(home / "relay.pub", (public_text(relay.signing_key.public_key()) + "\n").encode())
    return relay


@dataclass(frozen=True, slots=True)
class Serving:
    """What the pages of this process work with."""

    relay: Relay
    line: Messenger


_SERVING: list[Serving] = []


def serve_with(relay: Relay, line: Messenger) -> None:
    """Fix what the pages of this process work with."""
    _SERVING[:] = [Serving(relay, line)]


def serving() -> Serving:
    """What `serve_with` fixed."""
    return _SERVING[0]
