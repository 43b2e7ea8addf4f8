"""`kizuki serve --role relay`: the residents' pages and LINE's calls, and beside them the round of exchange and sending."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path

PAUSE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Trial:
    """How this start differs from every other: nothing is sent, or the database is an older copy (`number:digest`)."""

    dry_run: bool = False
    restored: str = ""


def serve(home: Path, *, host: str, port: int, trial: Trial, as_json: bool) -> None:
    """Open the relay's home and serve until stopped.

    Raises UsageError: K657 the core's home, K658 keys missing, K659 the LINE client missing, K662 the core's key missing,
    K664 nothing to go on after, K791 the port is taken; RunFailed K905 if another relay runs in this home.
    """
    from kizuki.app.relay_startup import open_relay
    from kizuki.engine.lock import exclusive

    relay = open_relay(home)
    with exclusive(home / "relay.lock"):
        from django.conf import settings
        from django.core.wsgi import get_wsgi_application
        from django.utils import timezone

        from kizuki.app import relay_city_rules, relay_restore
        from kizuki.app.relay_line import messenger
        from kizuki.app.relay_rounds import Rounds, check_ready
        from kizuki.app.relay_startup import serve_with
        from kizuki.cli.serve import bound

        line = messenger(relay, settings.KIZUKI_LINE_HOST, dry_run=trial.dry_run)
        check_ready(relay, dry_run=trial.dry_run)
        if trial.restored:
            doubtful = relay_restore.restored(trial.restored, timezone.localtime())
            print(f"控えから始めます。送ったかもしれないお知らせ：{doubtful}件", file=sys.stderr, flush=True)
        serve_with(relay, line)
        server, address = bound(get_wsgi_application(), host, port)
        if as_json:
            print(json.dumps({"address": address, "role": "relay", "dry_run": trial.dry_run}), flush=True)
        if trial.dry_run:
            print("試しの運転です。LINEには何も送りません。", file=sys.stderr, flush=True)
        print(f"中継を始めました：{address}（止めるには Ctrl+C）", file=sys.stderr, flush=True)
        print(relay_city_rules.standing(timezone.localtime()), file=sys.stderr, flush=True)
        rounds = Rounds(relay, line, PAUSE_SECONDS)
        rounds.start()
        try:
            server.run()
        finally:
            rounds.stop()
