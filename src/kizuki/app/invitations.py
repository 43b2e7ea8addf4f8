"""案内の名簿: whom to ask whether they want notices, 児童扶養手当の受給者 first, and the code posted to each.

A list is drawn once from the served snapshot; whoever must not be told (支援措置, 転出 …) is left out and counted. The code
exists in clear only while its letter is being made: kept is a keyed digest.
"""

import datetime as dt
import secrets
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from django.db import IntegrityError, transaction
from django.utils import timezone

from kizuki.app import audit, consents
from kizuki.app.accounts import allow
from kizuki.app.current_person import redirects
from kizuki.app.notice_adults import adults
from kizuki.app.release import Actor, record_output
from kizuki.app.served import Served
from kizuki.definitions.programmes.text import Receipt
from kizuki.engine.sql import bind, load
from kizuki.push import codes
from kizuki.push.safety import Adult, Candidate, one_of, unsafe
from kizuki.records.consent_models import Invitation, Invited
from kizuki.records.notice_models import Recipient, RegistrationCode
from kizuki.terms.errors import InputRefused

VALID_DAYS: Final = 90
"""How long a posted code links: long enough for a letter left lying, short enough that a lost one dies."""
FIRST: Final = "single_parent_allowance"
"""Whom 和泉市 asks first: the seed's own order."""
_LETTERS: Final = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""Characters of a recipient's number: none that is mistaken for another on paper or by telephone."""
_NUMBER_LENGTH: Final = 8
_RECEIVER: Final = "_recipient"
ALREADY, SECOND = "すでに答えている", "同じ世帯のもう一人"


@dataclass(frozen=True, slots=True)
class Draw:
    """Whom a list would invite, and how many were left out for which reason; `looked_at` = everybody who receives."""

    looked_at: int
    people: tuple[str, ...]
    left_out: Mapping[str, int]


def choices(served: Served) -> list[tuple[str, str]]:
    """(id, name) of the programmes whose receivers can be invited, 児童扶養手当 first."""
    known = {p: found.on(served.as_of) for p, found in served.definitions.loaded.programmes.items()}
    named = [(p, found.name) for p, found in known.items() if found.text.receipt is not None]
    return sorted(named, key=lambda pair: (pair[0] != FIRST, pair[1]))


def draw(served: Served, programme: str, now: dt.datetime) -> Draw:
    """Whom a list would invite now; tells nobody's name. Raises InputRefused K672 for a programme without receivers."""
    people = _receivers(served, programme)
    facts = adults(people, served.view)
    on = timezone.localdate(now)
    answered = {s.adult.household_id for s in consents.states(now) if s.answer}
    left_out: Counter[str] = Counter()
    by_home: dict[str, list[Adult]] = {}
    for adult in facts.values():
        why_not = unsafe(adult, on)
        if why_not is not None:
            left_out[why_not.value] += 1
        elif adult.household_id in answered:
            left_out[ALREADY] += 1
        else:
            by_home.setdefault(adult.household_id, []).append(adult)
    chosen = [one_of(Candidate(a, now, a.person_id) for a in home).adult.person_id for home in by_home.values()]
    left_out[SECOND] += sum(len(home) - 1 for home in by_home.values())
    return Draw(len(facts), tuple(sorted(chosen)), {why: n for why, n in left_out.items() if n})


def _receivers(served: Served, programme: str) -> frozenset[str]:
    found = served.definitions.programme(programme)
    if found is None or found.text.receipt is None:
        raise InputRefused("K672", "受給者の分かる制度を選んでください。", "案内の名簿", "一覧から選び直してください。")
    kind = found.text.receipt.kind
    query = bind(load("kizuki.app", "invitation_receivers"), receiver=f"{kind}{_RECEIVER}", kind=kind, as_of=served.view.as_of)
    rows = [r for r in served.view.cursor().query(query).to_pylist() if _paid(found.text.receipt, r["status"])]
    payees = frozenset(r["person_id"] for r in rows if r["payee"])
    return payees or frozenset(r["person_id"] for r in rows)


def _paid(receipt: Receipt, status: str | None) -> bool:
    """Whether a spell of this status is one in which the programme is in use (停止 and 却下 are not)."""
    return status in receipt.statuses if receipt.statuses else status not in (*receipt.applied, *receipt.refused)


def make(actor: Actor, served: Served, name: str, programme: str, *, now: dt.datetime | None = None) -> Invitation:
    """Draw a list under a name. Raises NotPermitted K701 and InputRefused K672 (no name, one used before, nobody to invite)."""
    allow(actor, "invitation.make")
    name = name.strip()[:64]
    if not name:
        raise InputRefused("K672", "名簿に名前がありません。", "案内の名簿", "「2026年秋 現況届同封」のように付けてください。")
    now = now or timezone.now()
    drawn = draw(served, programme, now)
    if not drawn.people:
        raise InputRefused("K672", "案内できる人がいません。", "案内の名簿", "外れた理由の件数を確かめてください。")
    counts = {"looked_at": drawn.looked_at, "invited": len(drawn.people), "left_out": dict(drawn.left_out)}
    record_output(
        actor,
        "invitation.make",
        subjects=drawn.people,
        fields=["recipient"],
        count=len(drawn.people),
        reason=f"案内の名簿：{name}",
    )
    try:
        with transaction.atomic():
            made = Invitation.objects.create(
                name=name, programme=programme, snapshot=served.view.id, counts=counts, made_by_id=actor.user_id, made_at=now
            )
            numbers = recipients(drawn.people)
            Invited.objects.bulk_create([Invited(invitation=made, recipient=r) for r in numbers], batch_size=5000)
    except IntegrityError as e:
        raise InputRefused("K672", "その名前の名簿は、もうあります。", "案内の名簿", "別の名前を付けてください。") from e
    return made


def recipients(people: Collection[str]) -> list[Recipient]:
    """The recipients of these persons (present ids), made with a random number where there is none yet."""
    known = redirects()
    have = {known.get(r.person_id, r.person_id): r for r in Recipient.objects.all().iterator()}
    missing = [p for p in people if p not in have]
    made = Recipient.objects.bulk_create([Recipient(recipient_no=_number(), person_id=p) for p in missing], batch_size=5000)
    have |= {r.person_id: r for r in made}
    return [have[p] for p in sorted(people)]


def _number() -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(_NUMBER_LENGTH))


def issue(actor: Actor, invitation: Invitation, people: Iterable[Recipient], now: dt.datetime) -> dict[int, str]:
    """A fresh code for each recipient (by their row), whose earlier unused codes die; call it in the letter's transaction."""
    key = audit.keys().key(codes.KEY_PURPOSE)
    chosen = list(people)
    drawn = {r.pk: codes.draw() for r in chosen}
    unused = RegistrationCode.objects.filter(recipient__in=chosen, used_at__isnull=True, revoked_at__isnull=True)
    unused.update(revoked_at=now)
    until = timezone.localdate(now) + dt.timedelta(days=VALID_DAYS)
    RegistrationCode.objects.bulk_create(
        [
            RegistrationCode(
                recipient_id=row,
                digest=codes.digest(code, key),
                invitation=invitation.name,
                issued_by_id=actor.user_id,
                issued_at=now,
                expires_on=until,
            )
            for row, code in drawn.items()
        ],
        batch_size=5000,
    )
    return drawn


@transaction.atomic
def close(actor: Actor, invitation_id: int) -> Invitation:
    """End a list: its codes link no more, and no letter of it is printed. Raises NotPermitted K701 and InputRefused K672."""
    allow(actor, "invitation.make")
    found = Invitation.objects.select_for_update().filter(pk=invitation_id, closed_at__isnull=True).first()
    if found is None:
        raise InputRefused("K672", "この名簿は、もう締め切ったか、ありません。", "案内の名簿", "一覧を確かめてください。")
    found.closed_at = timezone.now()
    found.save(update_fields=["closed_at"])
    live = RegistrationCode.objects.filter(invitation=found.name, used_at__isnull=True, revoked_at__isnull=True)
    ended = live.update(revoked_at=found.closed_at)
    record_output(actor, "invitation.make", subjects=[], fields=["recipient"], count=ended, reason=f"名簿の締切：{found.name}")
    return found


def revoke(actor: Actor, number: str) -> int:
    """Take back every unused code of one recipient (a letter went astray); returns how many. Raises NotPermitted K701."""
    allow(actor, "consent.enter")
    live = RegistrationCode.objects.filter(recipient__recipient_no=number, used_at__isnull=True, revoked_at__isnull=True)
    record_output(actor, "consent.enter", subjects=[], fields=["recipient"], count=live.count(), reason="登録番号の取消し")
    return live.update(revoked_at=timezone.now())


def listing(actor: Actor) -> list[Invitation]:
    """Every list with its counts; no person. Raises NotPermitted K701."""
    allow(actor, "consent.view")
    return list(Invitation.objects.select_related("made_by").order_by("-pk")[:200])
