"""One step of 1,000 notices in a process of its own, to be killed anywhere: approve, hand over, take in."""

import datetime as dt
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

NOW = dt.datetime(2026, 11, 25, 1, 0, tzinfo=dt.UTC)
LATER = NOW + dt.timedelta(minutes=10)
COUNT = 1000


@dataclass(frozen=True)
class Standing:
    """As `app.consents.Standing`."""

    recipient_no: str
    person_id: str
    scopes: frozenset[str]
    channel: str = "line"


def prepare(home: Path) -> None:
    """The app of the home with a city of 1,000 households that agreed, every fact replaced by a plain one."""
    from kizuki.app import startup

    startup.open_app(home)
    from kizuki.app import notice_batches, notice_facts, notice_last_look, notice_outbox, notice_plan
    from kizuki.push.candidates import Answer, Homes
    from tests.marked_city import MarkedView

    view: Any = MarkedView()
    for module in (notice_batches, notice_last_look, notice_outbox, notice_plan):
        setattr(module, "current_view", lambda *a: view)  # noqa: B010 (mypy knows these as functions)

    def answers(view: Any, programmes: Any, as_of: Any, asked: Any) -> list[Answer]:
        wanted = range(COUNT) if asked.households is None else sorted(int(h[1:]) for h in asked.households)
        return [Answer(p.id, f"x{n}", "", "該当", False, True) for p in programmes for n in wanted]

    def standings(household_ids: Any, at: Any) -> Mapping[str, Standing]:
        return {h: Standing(f"r{h[1:]}", f"p{h[1:]}", frozenset({"tax"})) for h in household_ids}

    members = {f"x{n}": frozenset({f"p{n}"}) for n in range(COUNT)}
    notice_facts.answers = answers
    notice_facts.homes = lambda *a: Homes(members)
    notice_facts.standings = standings


def approve(home: Path) -> None:
    """Make and approve the batch, unless that has been done."""
    from kizuki.app import notice_batches
    from kizuki.govern.actor import Actor
    from kizuki.records.models import User
    from kizuki.records.notice_models import BatchStatus, NoticeBatch, Recipient

    users = [User.objects.get_or_create(username=r, defaults={"role": r})[0] for r in ("notice_officer", "steering")]
    officer = Actor(users[0].pk, "notice_officer", "", "notice_officer", "notice", "s")
    decider = Actor(users[1].pk, "steering", "", "steering", "steering", "s")
    if Recipient.objects.count() == 0:
        Recipient.objects.bulk_create(Recipient(recipient_no=f"r{n}", person_id=f"p{n}") for n in range(COUNT))
    made = NoticeBatch.objects.first() or notice_batches.create(
        officer, home, programme="school_aid", template="neutral", waves=1, now=NOW
    )
    if made.tested_at is None:
        notice_batches.test_send(officer, home, made.pk, NOW)
    if made.requested_at is None:
        notice_batches.request(officer, home, made.pk, NOW)
    if NoticeBatch.objects.get(pk=made.pk).status == BatchStatus.WAITING:
        print("step", flush=True)
        notice_batches.approve(decider, home, made.pk, seen=COUNT, now=NOW)


def hand(home: Path) -> None:
    """One file to the relay, recorded with its notices; the relay keeps the first line of each notice (as D11 says)."""
    from django.db import transaction

    from kizuki.app import notice_outbox
    from kizuki.push.lines import to_json
    from kizuki.records.notice_models import RelayFile

    print("step", flush=True)
    found = notice_outbox.lines_to_hand(home, LATER)
    seq = RelayFile.objects.count() + 1
    (home / f"out-{seq}.jsonl").write_text("".join(to_json(x) + "\n" for x in found), encoding="utf-8")
    with transaction.atomic():
        notice_outbox.handed(found, seq, LATER)
        RelayFile.objects.create(direction="to_relay", seq=seq, digest="d", lines=len(found), at=LATER)


def take_in(home: Path) -> None:
    """The relay's answer to every notice it was given, each line in a transaction of its own."""
    from kizuki.app import notice_outbox
    from kizuki.push.lines import Outcome, Send, from_json

    print("step", flush=True)
    seen: set[str] = set()
    for path in sorted(home.glob("out-*.jsonl")):
        for text in path.read_text(encoding="utf-8").splitlines():
            line = from_json(text)
            if isinstance(line, Send) and line.notice_id not in seen:
                seen.add(line.notice_id)
                notice_outbox.take_in(
                    Outcome(line.notice_id, "accepted", LATER.isoformat(), "200"), f"in:{line.notice_id[:36]}"
                )


if __name__ == "__main__":
    place = Path(sys.argv[1])
    prepare(place)
    {"approve": approve, "hand": hand, "take_in": take_in}[sys.argv[2]](place)
