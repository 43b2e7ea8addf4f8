"""The story of the demo: two weeks of notices in わかば市, from the invitation to the application seen in a delivery.

Everything goes through the use cases the screens call, done by the demo users at times of the synthetic city; only what the
residents and the office answer is invented (`app.demo_relay`, `_office_delivers`). Needs the opened app.
"""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kizuki.app import accounts, consents, invitations, letters, notice_batches
from kizuki.app.demo_relay import DryRelay
from kizuki.app.demo_users import ensure_demo_users
from kizuki.app.exchange import exchange, signing_key
from kizuki.app.exchange_parts import core_parts
from kizuki.app.link_export import export_links
from kizuki.app.release import Actor
from kizuki.app.served import served
from kizuki.engine.keys import KeyRing
from kizuki.push.schedule import JAPAN
from kizuki.records.models import User
from kizuki.records.notice_models import Notice, NoticeBatch
from kizuki.synth.city import BEFORE_NOTICES, DEFAULT_TODAY
from kizuki.terms.errors import InputRefused

BEFORE: Final = BEFORE_NOTICES
_PROGRAMME: Final = "medical_single_parent"
_WAITING: Final = "school_aid"
"""A batch left for whoever tries the demo to approve."""
_TEMPLATE: Final = "neutral"
_TITLES: Final = ("宛名番号", "区分", "有効開始", "有効終了")


@dataclass(frozen=True, slots=True)
class Told:
    """What the story came to: how many were written to, agreed, were sent a notice, and applied."""

    invited: int
    agreed: int
    sent: int
    applied: int


def tell(home: Path, progress: Callable[[str], None]) -> Told | None:
    """Play the story on the served snapshot (as of `BEFORE`); None where it has been played, or nobody could be written to."""
    ensure_demo_users(True)
    if NoticeBatch.objects.exists():
        return None
    keys = KeyRing.load(home)
    story = _Story(home, keys, DryRelay(home, keys))
    story.relay.introduce()
    progress("お知らせの案内を送り、答えを待っています…")
    invited = story.invite()
    if not invited:
        return None
    story.exchange(_at(BEFORE, 15))
    agreed = len(consents.all_standing(_at(BEFORE, 16)))
    progress("お知らせを作り、所管課が承認し、中継（試運転）が送っています…")
    story.notify()
    noticed = story.opened()
    applied = _office_delivers(home, story.actor("link_reviewer"), noticed[::2])
    return Told(invited, agreed, Notice.objects.filter(programme=_PROGRAMME, status="accepted").count(), applied)


@dataclass(slots=True)
class _Story:
    home: Path
    keys: KeyRing
    relay: DryRelay
    _heard: int = 0

    def actor(self, login: str) -> Actor:
        user = User.objects.get(username=login)
        purpose = next(iter(p.id for p in accounts.purposes_of(user)), "")
        return accounts.actor(user, purpose=purpose, session="demo")

    def invite(self) -> int:
        """The list of those who receive 児童扶養手当, and a letter with a code to each; nobody where the city has none."""
        now = _at(BEFORE, 10)
        known = served(self.home)
        if not invitations.draw(known, invitations.FIRST, now).people:
            return 0
        made = invitations.make(self.actor("notice_officer"), known, "2026年秋 現況届に同封", invitations.FIRST, now=now)
        desk, printed = self.actor("programme_desk"), 0
        while True:
            try:
                printed += len(letters.print_invitations(desk, made.pk, now=now).letters)
            except InputRefused:  # the last was printed; who cannot be written to stays on the list
                return printed

    def exchange(self, now: dt.datetime) -> None:
        """The core writes, the relay acts, and what it answers is taken in a little later."""
        self._trade(now)
        self._heard = self.relay.carry(signing_key(self.keys), now, self._heard)
        self._trade(now + dt.timedelta(minutes=5))

    def _trade(self, now: dt.datetime) -> None:
        exchange(self.actor("it"), self.home, self.keys, now, core_parts())

    def notify(self) -> None:
        """Two waves of notices about one programme, approved by another person; and a batch that waits for approval."""
        officer, office = self.actor("notice_officer"), self.actor("steering")
        now = _at(BEFORE, 16)
        batch = notice_batches.create(officer, self.home, programme=_PROGRAMME, template=_TEMPLATE, waves=1, now=now)
        if int(batch.counts["candidates"]):
            notice_batches.test_send(officer, self.home, batch.pk, now)
            notice_batches.request(officer, self.home, batch.pk, now)
            count = len(notice_batches.recount(self.home, batch, now).chosen)
            notice_batches.approve(office, self.home, batch.pk, seen=count, now=now + dt.timedelta(minutes=30))
        for days in range(3, 8):
            self.exchange(_at(BEFORE + dt.timedelta(days=days), 9))
        later = _at(DEFAULT_TODAY, 11)
        other = notice_batches.create(officer, self.home, programme=_WAITING, template=_TEMPLATE, waves=2, now=later)
        if int(other.counts["candidates"]):
            notice_batches.test_send(officer, self.home, other.pk, later)
            notice_batches.request(officer, self.home, other.pk, later)

    def opened(self) -> list[str]:
        """Children whose household opened a notice, in a fixed order."""
        found = Notice.objects.filter(programme=_PROGRAMME, opened_at__isnull=False).exclude(child_id="")
        return sorted(found.values_list("child_id", flat=True))


def _office_delivers(home: Path, actor: Actor, children: Sequence[str]) -> int:
    """保険年金課's next file: these children's certificates, as its system would write them; returns how many."""
    wanted = set(children)
    numbers = sorted(
        {
            str(row["record_id"])
            for row in export_links(actor, home)
            if row["source"] == "resident_register" and row["person_id"] in wanted
        }
    )
    if not numbers:
        return 0
    since, until = f"{BEFORE + dt.timedelta(days=7):%Y/%m/%d}", f"{BEFORE.year + 1}/10/31"
    lines = [_TITLES, *((number, "ひとり親", since, until) for number in numbers)]
    folder = home / "inbox" / "medical_subsidy"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"medical_subsidy_{DEFAULT_TODAY:%Y%m%d}_diff_2.csv"
    path.write_bytes("".join(",".join(line) + "\r\n" for line in lines).encode("cp932"))
    return len(numbers)


def _at(day: dt.date, hour: int) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(hour), JAPAN)
