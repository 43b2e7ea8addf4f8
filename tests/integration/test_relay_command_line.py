"""`serve --role relay` and `doctor` in a relay's home: what is missing is said before anything is served."""

import http.client
import json
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

from tests.functional.conftest import ROOT


def kizuki(*args: str) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    return subprocess.run(
        [sys.executable, "-m", "kizuki.cli", *args], env=environ, capture_output=True, text=True, check=False, timeout=60
    )


def test_what_a_relay_needs_is_said_one_after_the_other(tmp_path: Path) -> None:
    serve = ("serve", "--role", "relay", "--home", str(tmp_path), "--port", "0")
    assert "keys/line-token" in kizuki(*serve).stderr
    seen = kizuki("doctor", "--home", str(tmp_path))
    assert seen.returncode != 0
    assert "✕ LINEの接続の鍵" in seen.stdout and "✕ 本体の公開鍵" in seen.stdout
    (tmp_path / "keys" / "line-token").write_text("t")
    assert "K662" in kizuki(*serve).stderr
    (tmp_path / "core.pub").write_bytes((tmp_path / "relay.pub").read_bytes())
    assert "keys/line-secret" in kizuki(*serve).stderr
    assert "K664" in kizuki(*serve, "--dry-run", "--restored", "x").stderr
    for name in ("line-token", "line-secret", "registration-code"):
        (tmp_path / "keys" / name).write_text("t")
        (tmp_path / "keys" / name).chmod(0o600)
    seen = kizuki("doctor", "--home", str(tmp_path))
    assert seen.returncode == 0, seen.stdout
    assert "○ 送るお知らせ：送る前 0件、結果不明 0件です。" in seen.stdout
    assert (
        "○ 送るきまり：本体からまだ届いていないので、安全の側の決まりで送ります。20:00〜09:00・土日・法律の祝日は"
        in seen.stdout
    )


def test_the_relays_state_is_written_and_a_core_with_nothing_to_join_is_left_as_it_is(tmp_path: Path) -> None:
    relay, core = tmp_path / "relay", tmp_path / "core"
    assert "K662" in kizuki("relay", "state", "--home", str(relay)).stderr
    assert "K655" in kizuki("relay", "exchange", "--home", str(core)).stderr
    (relay / "core.pub").write_bytes((core / "relay" / "core.pub").read_bytes())
    (core / "relay" / "relay.pub").write_bytes((relay / "relay.pub").read_bytes())
    assert "state.kzs を書きました" in kizuki("relay", "state", "--home", str(relay)).stdout
    assert "K657" in kizuki("relay", "state", "--home", str(core)).stderr
    state = str(relay / "state.kzs")
    assert "K776" in kizuki("relay", "resume", state, "--home", str(core), "--user", "nobody").stderr
    environ = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    code = (
        "import sys; from pathlib import Path; from kizuki.app import startup; startup.open_app(Path(sys.argv[1]))\n"
        "from kizuki.records.models import User; User.objects.create(username='it-1', role='it')"
    )
    subprocess.run([sys.executable, "-c", code, str(core)], env=environ, check=True)
    refused = kizuki("relay", "resume", state, "--home", str(core), "--user", "it-1")
    assert refused.returncode == 4 and "K668" in refused.stderr
    assert "K668" in kizuki("relay", "resume", str(tmp_path / "no"), "--home", str(core), "--user", "it-1").stderr


def test_the_relays_options_are_refused_for_the_core(tmp_path: Path) -> None:
    for more in (("--dry-run",), ("--restored", "1:a")):
        found = kizuki("serve", "--home", str(tmp_path), *more)
        assert found.returncode == 2
        assert "K663" in found.stderr


def test_behind_the_https_front_pages_answer_and_a_forged_word_changes_nothing(tmp_path: Path) -> None:
    kizuki("serve", "--role", "relay", "--dry-run", "--home", str(tmp_path))
    (tmp_path / "core.pub").write_bytes((tmp_path / "relay.pub").read_bytes())
    command = ["serve", "--role", "relay", "--dry-run", "--json", "--port", "0", "--home", str(tmp_path)]
    for front, expected in (("127.0.0.1", 200), ("192.0.2.1", 301)):
        environ = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "KIZUKI_HTTPS": "1", "KIZUKI_PROXY": front}
        with subprocess.Popen(
            [sys.executable, "-m", "kizuki.cli", *command],
            env=environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        ) as server:
            assert server.stdout is not None
            address = urlsplit(json.loads(server.stdout.readline())["address"])
            connection = http.client.HTTPConnection("127.0.0.1", address.port or 0, timeout=20)
            connection.request("GET", "/healthz", headers={"Host": "localhost", "X-Forwarded-Proto": "https"})
            assert connection.getresponse().status == expected
            connection.close()
            server.terminate()
