"""One step of a core or of a relay in a process of its own, on a real home that a test copies away and puts back.

`python -m tests.integration.resume_driver {core|relay} HOME NOW STEP [MORE …]`. Every fact of the city is replaced by a plain
one (thirty households of one adult who agreed and linked LINE); answers, links, files and notices are the real ones.
"""

import datetime as dt
import json
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

COUNT = 30
STRANGER = "5" * 32
TEXT = "2026.1"


def number(n: int) -> str:
    """The recipient number of household n."""
    return f"{n:032d}"


def open_core(home: Path) -> None:
    """The core of the home; its households, who lives there and who may be told are plain."""
    from kizuki.app import startup

    startup.open_app(home)
    from kizuki.app import consents, exchange_parts, notice_batches, notice_facts, relay_resume, served
    from kizuki.push.candidates import Answer, Homes
    from kizuki.push.safety import Adult
    from tests.marked_city import MarkedView

    view: Any = MarkedView()
    assert exchange_parts and notice_batches and relay_resume and served  # every module that looks is there by now
    for name, module in list(sys.modules.items()):
        if name.startswith("kizuki.") and hasattr(module, "current_view"):
            setattr(module, "current_view", lambda *a, **k: view)  # noqa: B010 (mypy knows these as functions)

    def answers(view: Any, programmes: Any, as_of: Any, asked: Any) -> list[Answer]:
        wanted = range(COUNT) if asked.households is None else sorted(int(h[1:]) for h in asked.households)
        return [Answer(p.id, f"x{n}", "", "該当", False, True) for p in programmes for n in wanted]

    def adults(people: Any) -> Mapping[str, Adult]:
        born = dt.date(1990, 1, 1)
        return {p: Adult(p, "resident", f"x{p[1:]}", born, True, False, False, True, True) for p in people}

    def standings(household_ids: Any, at: Any) -> Any:
        return {h: s for h, s in consents.standing_of(consents.states(at)).items() if h in household_ids}

    members = {f"x{n}": frozenset({f"p{n}"}) for n in range(COUNT)}
    notice_facts.answers = answers
    notice_facts.homes = lambda *a: Homes(members)
    notice_facts.standings = standings
    consents.adults = adults  # type: ignore[attr-defined,assignment]


def set_up(home: Path, now: dt.datetime) -> None:
    """Thirty recipients who agreed and are linked, and the two who decide."""
    from kizuki.records.consent_models import LinkEvent
    from kizuki.records.models import User
    from kizuki.records.notice_models import ConsentEvent, Recipient

    for role in ("notice_officer", "steering", "it"):
        User.objects.get_or_create(username=role, defaults={"role": role})
    before = now - dt.timedelta(days=1)
    for n in range(COUNT):
        who = Recipient.objects.create(recipient_no=number(n), person_id=f"p{n}")
        said = {"answer": "wanted", "scopes": ["tax"], "text_version": TEXT, "channel": "line", "answered_at": before}
        ConsentEvent.objects.create(recipient=who, source_event=f"0:{n}", **said)
        LinkEvent.objects.create(recipient=who, on=True, at=before, source_event=f"0:l{n}")


def batch(home: Path, now: dt.datetime, programme: str) -> int:
    """A batch about the programme, approved by another; returns how many notices."""
    from kizuki.app import notice_batches
    from kizuki.govern.actor import Actor
    from kizuki.records.models import User

    def who(role: str, purpose: str) -> Actor:
        return Actor(User.objects.get(username=role).pk, role, "", role, purpose, "s")

    officer, decider = who("notice_officer", "notice"), who("steering", "steering")
    made = notice_batches.create(officer, home, programme=programme, template="neutral", waves=1, now=now)
    notice_batches.test_send(officer, home, made.pk, now)
    notice_batches.request(officer, home, made.pk, now)
    count = len(notice_batches.recount(home, made, now).chosen)
    notice_batches.approve(decider, home, made.pk, seen=count, now=now)
    return count


def exchange_core(home: Path, now: dt.datetime) -> dict[str, Any]:
    """One exchange; what was written and refused."""
    from dataclasses import asdict

    from kizuki.app.exchange import exchange
    from kizuki.app.exchange_parts import core_parts
    from kizuki.engine.keys import KeyRing
    from kizuki.govern.actor import Actor

    return asdict(exchange(Actor(0, "it", "", "it", "operation", "cli"), home, KeyRing.load(home), now, core_parts()))


def on_paper(home: Path, now: dt.datetime) -> None:
    """Household 4 withdraws on paper; a new recipient is given a code."""
    from kizuki.records.models import User
    from kizuki.records.notice_models import ConsentEvent, Recipient, RegistrationCode

    who = Recipient.objects.get(recipient_no=number(4))
    said = {"answer": "withdrawn", "text_version": TEXT, "channel": "paper", "answered_at": now}
    ConsentEvent.objects.create(recipient=who, **said)
    new = Recipient.objects.create(recipient_no=STRANGER, person_id="p99")
    by, until = User.objects.get(username="it"), now.date() + dt.timedelta(days=60)
    for mark in "de":
        RegistrationCode.objects.create(
            recipient=new, digest=mark * 64, invitation="i", issued_by=by, issued_at=now, expires_on=until
        )


def resume(home: Path, now: dt.datetime, file: str, login: str) -> Any:
    """Ask for, or carry out, the joining again; the code of the refusal where it is refused."""
    from kizuki.app import relay_resume
    from kizuki.app.accounts import actor_named
    from kizuki.app.exchange_parts import core_parts
    from kizuki.terms.errors import KizukiError

    try:
        done = relay_resume.resume(actor_named(login), home, Path(file).read_bytes(), now, core_parts().takers)
    except KizukiError as e:
        return e.code
    return {"done": done.done, **done.counts}


def report(home: Path, now: dt.datetime) -> Any:
    """Notices by programme and status, reasons of the held, who may be told, what the log says of itself."""
    from collections import Counter

    from kizuki.app import audit, consents
    from kizuki.records.models import AuditEvent
    from kizuki.records.notice_models import Notice, NoticeEvent

    kept = Notice.objects.values_list("programme", "status")
    later = now + dt.timedelta(seconds=1)
    return {
        "notices": {f"{p} {s}": n for (p, s), n in Counter(kept).items()},
        "held": dict(Counter(NoticeEvent.objects.filter(status="held").values_list("detail", flat=True))),
        "told": sorted(s.recipient_no for s in consents.standing_of(consents.states(later)).values()),
        "log": (audit.verify().ok, AuditEvent.objects.filter(action="relay.resume").count()),
    }


CORE: Mapping[str, Callable[..., Any]] = {
    "set_up": set_up,
    "batch": batch,
    "exchange": exchange_core,
    "on_paper": on_paper,
    "resume": resume,
    "report": report,
}


def relay_step(home: Path, now: dt.datetime, step: str, *more: str) -> Any:
    """One step of the relay; `send N` leaves all but N of the waiting notices for later."""
    from kizuki.app.relay_startup import open_relay

    relay = open_relay(home)
    from django.db import transaction

    from kizuki.app import relay_answers
    from kizuki.app.relay_exchange import exchange
    from kizuki.app.relay_line import messenger
    from kizuki.app.relay_sender import send_due
    from kizuki.app.relay_state import write_state
    from kizuki.push.lines import Linked
    from kizuki.records.relay.models import Outgoing

    if step == "send":
        kept = [row.pk for row in Outgoing.objects.filter(state="waiting").order_by("pk")[int(more[0]) :]]
        Outgoing.objects.filter(pk__in=kept).update(next_at=now + dt.timedelta(minutes=20))
        return send_due(relay, messenger(relay, os.environ["KIZUKI_LINE_HOST"], dry_run=False), lambda: now).attempts
    if step == "exchange":
        return exchange(relay, now).refused
    if step == "state":
        return write_state(relay, now)
    if step == "report":
        rows = Outgoing.objects.values_list("about", "state", "detail")
        return {"rows": list(rows), "stranger": relay_stranger()}
    with transaction.atomic(using="relay"):
        for n in range(4):
            relay_answers.answer(f"w{n}", number(n), "withdrawn", ((), TEXT, "line"), now)
        assert relay_answers.use_code("d" * 64, now)
        relay_answers.link(relay, "Unew", STRANGER, "d" * 64, now)
        relay_answers.tell_core(Linked(STRANGER, True, now.isoformat(), ""))
        relay_answers.answer("w99", STRANGER, "wanted", (("tax",), TEXT, "line"), now)
        relay_answers.asked("q99", STRANGER, "", "how", now)
    return None


def relay_stranger() -> tuple[bool, list[str]]:
    """Whether the recipient the core has forgotten is sent nothing, and which of their codes still link."""
    from kizuki.records.relay.models import Code, Silence

    quiet = Silence.objects.filter(recipient_no=STRANGER, by_core=True).exists()
    return quiet, sorted(c.digest[0] for c in Code.objects.filter(expires_at__isnull=False))


def main() -> None:
    """Do the step and print what came of it as JSON."""
    role, home, at, step, *more = sys.argv[1:]
    now = dt.datetime.fromisoformat(at)
    if role == "core":
        open_core(Path(home))
        found = CORE[step](Path(home), now, *more)
    else:
        found = relay_step(Path(home), now, step, *more)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
