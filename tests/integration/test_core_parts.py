"""Every kind of line the relay may send has a taker in the core, and the verb carries an exchange out on a real home."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.utils import timezone

from kizuki.app.exchange import exchange, signing_key
from kizuki.app.exchange_parts import CORE_TAKERS, CORE_WRITERS, core_parts
from kizuki.app.release import Actor
from kizuki.engine.keys import KeyRing
from kizuki.push.exchange import FIRST, file_name, pack, public_text, unpack
from kizuki.push.lines import FROM_RELAY, TO_RELAY, Linked
from tests.marked_city import MarkedView
from tests.repo.source_tree import ROOT

RELAY = Ed25519PrivateKey.from_private_bytes(b"r" * 32)


def test_every_kind_has_a_taker_and_none_is_for_the_other_way() -> None:
    assert set(CORE_TAKERS) == {kind.kind for kind in FROM_RELAY}
    assert not set(CORE_TAKERS) & {kind.kind for kind in TO_RELAY}


def test_every_part_has_what_the_exchange_calls() -> None:
    parts = core_parts()
    assert len(parts.writers) == len(CORE_WRITERS)
    assert all(callable(w.lines_to_hand) and callable(w.handed) for w in parts.writers)
    assert all(callable(take_in) for take_in in parts.takers.values())


@pytest.mark.django_db
def test_the_parts_as_they_are_wired_write_and_take_in(
    marked_city: MarkedView, app_home: Path, actor_for: Callable[..., Actor]
) -> None:
    (app_home / "relay" / "in").mkdir(parents=True)
    (app_home / "relay" / "relay.pub").write_text(public_text(RELAY.public_key()))
    keys, now = KeyRing.load(app_home), timezone.localtime()
    assert exchange(actor_for("it"), app_home, keys, now, core_parts()).written == 1
    file = (app_home / "relay" / "out" / file_name(1)).read_bytes()
    first = unpack(file, "to_relay", key=signing_key(keys).public_key())
    assert [line.kind for line in first.lines] == ["rules", "consent_text"]
    assert exchange(actor_for("it"), app_home, keys, now, core_parts()).written == 0
    stray = pack("from_relay", 1, FIRST, "", [Linked("nobody", True, now.isoformat(), "")], key=RELAY)
    (app_home / "relay" / "in" / file_name(1)).write_bytes(stray)
    assert "K671" in exchange(actor_for("it"), app_home, keys, now, core_parts()).refused[0]


def test_the_verb_says_what_is_missing(tmp_path: Path) -> None:
    """First the relay's key; the core's own key is laid out for it by then."""
    environ = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    environ.pop("DJANGO_SETTINGS_MODULE", None)
    command = [sys.executable, "-m", "kizuki.cli", "relay", "exchange", "--home", str(tmp_path), "--json"]
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
    assert (done.returncode, "K655" in done.stderr) == (2, True)
    assert (tmp_path / "relay" / "core.pub").exists()
