"""A real `serve --role relay` on loopback: what residents write, mistype or probe with is in no file and no line of its log."""

import base64
import hashlib
import hmac
import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlencode, urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kizuki.push.exchange import FIRST, file_name, pack, public_text
from kizuki.push.lines import Code, ConsentText
from tests.canaries import Canary, scan
from tests.line_double import LineDouble
from tests.repo.source_tree import ROOT

CORE = Ed25519PrivateKey.from_private_bytes(b"c" * 32)
SECRET = "channel-secret"
USER = "U" + "c" * 32
CANARIES = [
    Canary("p1", "name", "印田みはり"),
    Canary("p1", "address", "印町九丁目七七番"),
    Canary("p1", "phone", "09099887766"),
    Canary("p1", "user", USER),
    Canary("p1", "code", "987654321098"),
]


@dataclass
class Served:
    """One relay process: its folder, its address, its log so far in a file."""

    home: Path
    address: str
    log: Path

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, str]:
        """Status and body of one request."""
        place = urlsplit(self.address)
        connection = http.client.HTTPConnection("127.0.0.1", place.port, timeout=20)
        connection.request(method, path, body, {k.replace("_", "-"): v for k, v in headers.items()})
        try:
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def webhook(self, body: bytes, signature: str | None = None) -> int:
        """LINE's call."""
        good = base64.b64encode(hmac.new(SECRET.encode(), body, hashlib.sha256).digest()).decode()
        return self.ask("POST", "/line/webhook", body, X_Line_Signature=signature or good, Content_Type="application/json")[0]


@pytest.fixture
def line() -> Iterator[LineDouble]:
    with LineDouble() as double:
        yield double


@pytest.fixture
def served(tmp_path: Path, line: LineDouble) -> Iterator[Served]:
    home, log = tmp_path / "relay", tmp_path / "log"
    (home / "keys").mkdir(parents=True)
    (home / "in").mkdir()
    for name, text in (("line-token", "test-token"), ("line-secret", SECRET), ("registration-code", "6b" * 32)):
        (home / "keys" / name).write_text(text)
    (home / "core.pub").write_text(public_text(CORE.public_key()))
    first = [ConsentText("2026.1", "受け取りますか。", ("tax",)), Code("0" * 64, "r1", "2030-01-01T00:00:00+09:00")]
    (home / "in" / file_name(1)).write_bytes(pack("to_relay", 1, FIRST, "2026-11-20T12:00:00+09:00", first, key=CORE))
    command = [sys.executable, "-m", "kizuki.cli", "serve", "--role", "relay", "--home", str(home), "--port", "0", "--json"]
    environ = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "KIZUKI_LINE_HOST": line.host}
    environ.pop("DJANGO_SETTINGS_MODULE", None)
    with (
        open(log, "wb") as errors,
        subprocess.Popen(command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, stderr=errors, text=True) as process,
    ):
        assert process.stdout is not None
        told = process.stdout.readline()
        assert told, log.read_text()
        try:
            yield Served(home, json.loads(told)["address"], log)
        finally:
            process.terminate()


def _said(text: str, number: int) -> bytes:
    event = {
        "type": "message",
        "mode": "active",
        "timestamp": int(time.time() * 1000),
        "source": {"type": "user", "userId": USER},
        "webhookEventId": f"01H{number:023d}",
        "deliveryContext": {"isRedelivery": False},
        "replyToken": "r" * 32,
        "message": {"type": "text", "id": "1", "text": text, "quoteToken": "q"},
    }
    return json.dumps({"destination": "U" + "0" * 32, "events": [event]}, ensure_ascii=False).encode()


@pytest.mark.slow
def test_what_residents_write_or_probe_with_is_kept_nowhere(served: Served, line: LineDouble) -> None:
    wait = time.monotonic() + 20
    while list((served.home / "in").glob("*.kzr")) and time.monotonic() < wait:
        time.sleep(0.2)
    assert list((served.home / "in").glob("*.kzr")) == []
    for number, canary in enumerate(CANARIES):
        text, coded = canary.marker, quote(canary.marker)
        assert served.webhook(_said(text, number)) == 200
        assert served.webhook(_said(text, number + 100), signature=coded) in (400, 401, 403)
        assert served.webhook(text.encode()) == 400
        assert served.webhook(json.dumps({"events": [{"type": "message", "text": text}]}).encode()) in (200, 400)
        for path in (f"/{coded}", f"/n/{coded}", f"/consent/{coded}", f"/code/?t={coded}", f"/n/{coded}/ask"):
            assert served.ask("GET", path)[0] < 500
            assert served.ask("POST", path, b"x=" + coded.encode())[0] < 500
        form = urlencode({"code": text, "csrfmiddlewaretoken": text}).encode()
        kind = "application/x-www-form-urlencoded"
        assert served.ask("POST", "/code/", form, Content_Type=kind, Cookie=f"kizuki-relay={coded}")[0] in (403, 422)
        assert served.ask("GET", "/healthz", Host=coded)[0] == 400
    assert len(line.replies) == len(CANARIES)
    assert scan(served.home, CANARIES) == []
    log = served.log.read_text(encoding="utf-8")
    assert [c.field for c in CANARIES if c.marker in log or quote(c.marker) in log] == []
    assert served.ask("GET", "/healthz") == (200, '{"role": "relay"}')
