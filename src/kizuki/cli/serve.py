"""`kizuki serve`: the screens, on this machine only unless another address is given."""

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from kizuki.cli.options import AsJson, Home
from kizuki.terms.errors import UsageError

app = typer.Typer()
THREADS = 6


class Role(StrEnum):
    """Which side of the push this process is (D11)."""

    CORE = "core"
    RELAY = "relay"


@app.command()
def serve(
    home: Home = Path("var"),
    port: Annotated[int, typer.Option("--port", help="待ち受ける番号。")] = 8000,
    host: Annotated[str, typer.Option("--host", help="待ち受けるアドレス。省くとこの端末だけ。")] = "127.0.0.1",
    role: Annotated[Role, typer.Option("--role", help="core＝本体の画面、relay＝LINEとの中継。")] = Role.CORE,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="中継で、LINEに送らずに送ったことにします（試すとき）。")] = False,
    restored: Annotated[str, typer.Option("--restored", help="控えから始め直すとき、本体の relay/continue.txt の1行。")] = "",
    as_json: AsJson = False,
) -> None:
    """画面を開きます。最後に公開された一覧を表示し、新しい公開があれば自動で切り替えます。"""
    if role == Role.RELAY:
        from kizuki.cli import serve_relay

        serve_relay.serve(home, host=host, port=port, trial=serve_relay.Trial(dry_run, restored), as_json=as_json)
        return
    if dry_run or restored:
        raise UsageError(
            "K663", "--dry-run と --restored は中継のためのものです。", "serve", "--role relay とともに指定してください。"
        )
    from kizuki.app import startup

    startup.open_app(home)
    startup.check_demo()
    listen(home, host=host, port=port, as_json=as_json)


def bound(application: Any, host: str, port: int) -> tuple[Any, str]:
    """The server holding its port, not yet answering, and its address; raises UsageError K791 if the port is taken."""
    from django.conf import settings
    from waitress.server import create_server

    # behind the https front its word on scheme and caller is taken, nobody else's; otherwise every page redirects for ever
    front: dict[str, Any] = {}
    if settings.SECURE_SSL_REDIRECT:
        told = {"x-forwarded-proto", "x-forwarded-for"}
        front = {"trusted_proxy": settings.KIZUKI_PROXY, "trusted_proxy_headers": told}
    try:
        # staff machines are few and pages short: six threads serve a city office, and DuckDB keeps its own
        server = create_server(application, host=host, port=port, threads=THREADS, ident=None, **front)
    except OSError as e:
        raise UsageError(
            "K791", "この番号では待ち受けできません。", f"{host}:{port}", "--port で別の番号を指定してください。"
        ) from e
    return server, f"http://{'localhost' if host in ('127.0.0.1', '::1') else host}:{server.effective_port}/"


def listen(home: Path, *, host: str = "127.0.0.1", port: int = 8000, as_json: bool = False) -> None:
    """Load everything, then listen until stopped; the app of `home` must be open.

    Raises UsageError K791 if the port is taken.
    """
    from django.core.wsgi import get_wsgi_application

    from kizuki.app import startup

    application = get_wsgi_application()
    print("公開データを読み込んでいます…", file=sys.stderr, flush=True)
    snapshot = startup.warm(home, THREADS)
    server, address = bound(application, host, port)
    if as_json:
        print(json.dumps({"address": address, "snapshot": snapshot}), flush=True)
    if snapshot is None:
        print("公開されたデータがまだありません。kizuki run のあと、自動で表示されます。", file=sys.stderr)
    print(f"画面を開けます：{address}（止めるには Ctrl+C）", file=sys.stderr, flush=True)
    server.run()
