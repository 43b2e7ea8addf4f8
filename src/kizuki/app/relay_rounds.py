"""The relay's round beside its pages: take in, send what is due, write out, again. A fault is told and tried again."""

import datetime as dt
import sys
import threading
from dataclasses import dataclass, field
from typing import Final

from django.db import connections
from django.utils import timezone

from kizuki.app import relay_city_rules, relay_exchange
from kizuki.app.exchange_files import Exchanged
from kizuki.app.relay_clock import agreed
from kizuki.app.relay_exchange import OUT
from kizuki.app.relay_home import CODE_KEY, LINE_SECRET, Relay
from kizuki.app.relay_line import Messenger
from kizuki.app.relay_sender import Sent, anything_due, send_due
from kizuki.push import retry
from kizuki.records.relay.models import ExchangedFile, Outgoing, Pending, Seen, Ticket, WrongTries
from kizuki.terms.errors import KizukiError

_FAULT_PAUSE_ROUNDS: Final = 6
_REPEATED: Final = dt.timedelta(days=30)
_KEPT: Final = dt.timedelta(days=100)
_CLEAR_EVERY: Final = dt.timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class Round:
    """What one round did."""

    exchanged: Exchanged
    sent: Sent


def check_ready(relay: Relay, *, dry_run: bool) -> None:
    """Raise UsageError K658 or K662 before anything is served, rather than at the first resident."""
    relay_exchange.core_key(relay)
    if not dry_run:
        relay.secret(LINE_SECRET)
        relay.secret(CODE_KEY)


def clear_old(now: dt.datetime) -> None:
    """Let go of what no longer serves: events LINE will not repeat, tickets and counts that have run out, lines long told."""
    Seen.objects.filter(at__lt=now - _REPEATED).delete()
    Ticket.objects.filter(expires_at__lt=now - _REPEATED).delete()
    WrongTries.objects.filter(hour__lt=now - _REPEATED).delete()
    kept = max(
        _KEPT, dt.timedelta(days=relay_city_rules.in_force().cooldown_days) + _REPEATED
    )  # what the interval is counted from
    Outgoing.objects.filter(state__in=retry.FINAL, expires_at__lt=now - kept).delete()
    told = ExchangedFile.objects.filter(direction=OUT, at__lt=now - _KEPT).order_by("-seq").first()
    if told is not None:
        Pending.objects.filter(seq__lte=told.seq).delete()


def tidied(line: Messenger, last: dt.datetime | None, now: dt.datetime) -> dt.datetime:
    """Clear what is old every few hours, by a clock LINE agrees with (a wrong one clears too much); when last done.

    Raises RunFailed K666, K667: then nothing was cleared.
    """
    if last is not None and abs(now - last) <= _CLEAR_EVERY:
        return last
    clear_old(agreed(line)())
    return now


def one_round(relay: Relay, line: Messenger) -> Round:
    """In, send, out; raises RunFailed K666 or K667 (nothing is sent by a doubtful clock) after the files have gone."""
    done = relay_exchange.exchange(relay, timezone.localtime())
    sent = send_due(relay, line, agreed(line)) if anything_due(timezone.localtime()) else Sent()
    if sent.ended:
        after = relay_exchange.exchange(relay, timezone.localtime())
        done.written, done.written_lines = after.written, done.written_lines + after.written_lines
    return Round(done, sent)


@dataclass(slots=True)
class Rounds:
    """The thread that goes round every `pause` seconds until stopped."""

    relay: Relay
    line: Messenger
    pause: float
    stopping: threading.Event = field(default_factory=threading.Event)
    thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin."""
        self.thread = threading.Thread(target=self._run, name="relay-rounds", daemon=True)
        self.thread.start()

    def stop(self) -> None:
        """End after the round under way."""
        self.stopping.set()
        if self.thread is not None:
            self.thread.join(timeout=60)

    def _run(self) -> None:
        said = ""
        cleared: dt.datetime | None = None
        while not self.stopping.is_set():
            wait = self.pause
            try:
                done = one_round(self.relay, self.line)
                trouble = "\n".join(done.exchanged.refused)
                now = timezone.localtime()
                cleared = tidied(self.line, cleared, now)
            except KizukiError as e:
                trouble, wait = str(e), self.pause * _FAULT_PAUSE_ROUNDS
            except Exception as e:  # a full disk, a locked database: its class, never its message, which may hold a value
                trouble, wait = (
                    f"中継の回りで誤りがありました（{type(e).__name__}）。続けます。",
                    self.pause * _FAULT_PAUSE_ROUNDS,
                )
            if trouble and trouble != said:
                print(trouble, file=sys.stderr, flush=True)
            said = trouble
            self.stopping.wait(wait)
        connections.close_all()
