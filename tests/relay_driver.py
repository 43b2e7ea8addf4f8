"""One relay process of the tests: exchange in, send until nothing is due, exchange out; told where to die by its arguments.

`python tests/relay_driver.py HOME HOST NOW KILL_STEP KILL_AT`: at the KILL_AT-th time it passes KILL_STEP (`any` = any step) it
is killed by SIGKILL. The clock starts at NOW and runs a hundred times as fast, so that pauses between attempts do not last.
"""

import datetime as dt
import os
import signal
import sys
import time
from pathlib import Path

NOTICE = "10000000-0000-4000-8000-000000000001"


def prepare(home: Path, recipients: list[str]) -> None:
    """A relay in which these recipients' LINE accounts are linked (their user id is made of their number)."""
    from kizuki.app.relay_startup import open_relay

    relay = open_relay(home)
    from kizuki.records.relay.models import Link

    (home / "keys" / "line-token").write_text("test-token", encoding="ascii")
    since = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
    Link.objects.bulk_create(
        Link(recipient_no=r, user_sealed=relay.seal_user(f"U{r}", r), user_token=relay.user_token(f"U{r}"), since=since)
        for r in recipients
    )


def prepare_pages(home: Path, code: str) -> None:
    """A relay with one posted code, one consent text, and the notice `NOTICE` already sent."""
    from kizuki.app.relay_startup import open_relay

    relay = open_relay(home)
    from kizuki.app.relay_home import digest_of
    from kizuki.push import codes
    from kizuki.records.relay.models import Code, ConsentText, Outgoing, Template

    key = b"k" * 32
    now = dt.datetime.now(dt.UTC)
    (home / "keys" / "registration-code").write_text(key.hex(), encoding="ascii")
    (home / "core.pub").write_bytes((home / "relay.pub").read_bytes())
    ConsentText.objects.create(version="2026.1", text="市は、お知らせを送ります。" * 20, scopes=["tax", "programme_name"])
    Template.objects.create(template="t-0a", version="2026.1", text="お知らせです。{リンク}\n担当 000-000-0001", named=False)
    Code.objects.create(digest=codes.digest(code, key), recipient_no="0" * 32, expires_at=now + dt.timedelta(days=1))
    Outgoing.objects.create(
        notice_id=NOTICE,
        recipient_no="0" * 32,
        template="t-0a",
        version="2026.1",
        retry_key=NOTICE,
        not_before=now,
        expires_at=now + dt.timedelta(hours=1),
        next_at=now,
        state="accepted",
        page_digest=digest_of(relay.page_key(NOTICE)),
    )


def main() -> None:
    """Run until every notice has ended and everything is written out."""
    home, host, start, kill_step, kill_at = sys.argv[1:]
    os.environ["KIZUKI_LINE_HOST"] = host
    from kizuki.app.relay_startup import open_relay

    relay = open_relay(Path(home))
    from kizuki.app.relay_exchange import exchange
    from kizuki.app.relay_line import messenger
    from kizuki.app.relay_sender import send_due, under_way

    begun, passed = time.monotonic(), 0

    def clock() -> dt.datetime:
        return dt.datetime.fromisoformat(start) + dt.timedelta(seconds=(time.monotonic() - begun) * 100)

    def step(name: str) -> None:
        nonlocal passed
        passed += kill_step in (name, "any")
        if passed == int(kill_at):
            os.kill(os.getpid(), signal.SIGKILL)

    line = messenger(relay, host, dry_run=False)
    exchange(relay, clock(), step)
    while under_way().exists():
        if not send_due(relay, line, clock, step).attempts:
            time.sleep(0.02)
    exchange(relay, clock(), step)
    print(clock().isoformat())


if __name__ == "__main__":
    main()
