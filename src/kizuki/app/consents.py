"""同意・希望: who may be told now, what residents answered, and what the relay must know of it.

The only writer of `ConsentEvent` and `LinkEvent`. Nothing standing is stored: it is worked out from the answers, the served
snapshot and the seals each time it is asked for, so a withdrawal or a seal put on today holds for the very next batch.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Final

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from kizuki.app import relay_leftovers, scope
from kizuki.app.current_person import redirects
from kizuki.app.notice_adults import adults
from kizuki.app.snapshot_view import current_view
from kizuki.definitions import consent_texts
from kizuki.definitions.consent_texts import ConsentText
from kizuki.definitions.shipped import shipped_definitions
from kizuki.push import consent, lines
from kizuki.push.consent import Event, Held
from kizuki.push.safety import Adult, Candidate, Unsafe, one_of, unsafe
from kizuki.records.consent_models import LinkEvent, RelayTold
from kizuki.records.notice_models import ConsentAnswer, ConsentChannel, ConsentEvent, NoticeChannel, Recipient, RegistrationCode
from kizuki.terms.errors import InputRefused

_TEXT, _CODE, _SILENCE = lines.ConsentText.kind, lines.Code.kind, lines.Silence.kind
_ON, _OFF, _TAKEN_BACK = "on", "off", "taken back"
_BY_NAME: Final = 5000
"""Up to so many people the database is asked about them by name; beyond, reading all answers is quicker."""
_AFTER_ALL: Final = dt.time(23, 59, 59)


@dataclass(frozen=True, slots=True)
class Standing:
    """The one adult of a household who may be told now, what they agreed to, and how they are reached (`line` or `letter`)."""

    recipient_no: str
    person_id: str
    scopes: frozenset[str]
    channel: str


@dataclass(frozen=True, slots=True)
class State:
    """One recipient as they stand now; `held` None = no consent stands, `why_not` = not safe to tell whatever they answered.

    `answer` = the last answer that came in, blank where there is none (linked only).
    """

    recipient_no: str
    adult: Adult
    answer: str
    held: Held | None
    why_not: Unsafe | None
    linked: bool

    @property
    def silent(self) -> bool:
        """Whether the relay must send them nothing."""
        return self.why_not is not None or (self.held is None and bool(self.answer))


def texts() -> Mapping[str, ConsentText]:
    """Every version of the consent text of this home."""
    return _texts(Path(settings.KIZUKI_HOME))


@cache
def _texts(home: Path) -> dict[str, ConsentText]:
    return consent_texts.load(shipped_definitions() / consent_texts.FOLDER, (home / "definitions" / consent_texts.FOLDER,))


def current_text(day: dt.date) -> ConsentText:
    """The version asked on `day`; raises DefinitionError K670 where there is none."""
    return consent_texts.in_force(texts(), day)


def rules() -> Mapping[str, consent.Text]:
    """The versions as the pure rule reads them."""
    return {v: consent.Text(v, t.since, t.until, frozenset(t.scopes)) for v, t in texts().items()}


def standing(household_ids: Collection[str], at: dt.datetime) -> dict[str, Standing]:
    """For each of these households in which somebody may be told at `at`: the one adult to tell. Set-based.

    Absent: nobody there agreed, or whoever agreed is not safe to tell (`push.safety`).
    """
    wanted = frozenset(household_ids)
    if not wanted:
        return {}
    people = scope.living_in(current_view(), wanted)
    found = states(at, people) if len(people) <= _BY_NAME else states(at)
    return {home: chosen for home, chosen in standing_of(found).items() if home in wanted}


def all_standing(at: dt.datetime) -> dict[str, Standing]:
    """`standing` of every household."""
    return standing_of(states(at))


def standing_of(found: Iterable[State]) -> dict[str, Standing]:
    """The one adult of each household, of recipients whose states are known already."""
    by_home: dict[str, list[tuple[Candidate, State]]] = {}
    for state in found:
        if state.held is not None and state.why_not is None:
            candidate = Candidate(state.adult, state.held.since, state.recipient_no)
            by_home.setdefault(state.adult.household_id, []).append((candidate, state))
    chosen = {}
    for home, told in by_home.items():
        first = one_of(c for c, _ in told)
        state = next(s for c, s in told if c is first)
        assert state.held is not None
        channel = NoticeChannel.LINE if state.linked else NoticeChannel.LETTER
        chosen[home] = Standing(state.recipient_no, state.adult.person_id, state.held.scopes, channel.value)
    return chosen


def states(at: dt.datetime, people: Collection[str] | None = None) -> list[State]:
    """Every recipient (of these present ids) who ever answered or was linked, as they stand at `at`.

    One per person, however often ids were merged.
    """
    known = redirects()
    ids = None if people is None else {*people, *(old for old, now in known.items() if now in people)}
    numbers: dict[str, str] = {}
    last: dict[str, str] = {}
    events = []
    answered = ConsentEvent.objects.order_by("answered_at", "pk")
    if ids is not None:
        answered = answered.filter(recipient__person_id__in=ids)
    zone = timezone.get_current_timezone()
    rows = answered.values_list(
        "recipient__person_id", "recipient__recipient_no", "answer", "scopes", "text_version", "answered_at"
    )
    for person, number, answer, scopes, version, when in rows.iterator():
        now = known.get(person, person)
        numbers[now], last[now] = number, answer
        events.append(Event(now, answer, frozenset(scopes), version, when.astimezone(zone)))
    linked = _linked()
    for person, number in Recipient.objects.filter(links__isnull=False).values_list("person_id", "recipient_no").distinct():
        if ids is None or person in ids:
            numbers.setdefault(known.get(person, person), number)
    held = consent.held(events, rules(), at)
    on = timezone.localdate(at)
    facts = adults(numbers)
    return [
        State(number, facts[p], last.get(p, ""), held.get(p), unsafe(facts[p], on), linked.get(number, False))
        for p, number in numbers.items()
    ]


def _linked() -> dict[str, bool]:
    """Recipients the relay told of, with whether they are linked now; at the same instant an end wins."""
    rows = LinkEvent.objects.order_by("at", "-on").values_list("recipient__recipient_no", "on")
    return dict(rows)


def take_in(line: lines.Answer | lines.Linked, source_event: str) -> None:
    """One line of the relay's; a line applied before adds nothing. Raises InputRefused K671 where it cannot be understood."""
    recipient = Recipient.objects.filter(recipient_no=line.recipient_no).first()
    if recipient is None and relay_leftovers.is_stranger(line.recipient_no):
        return  # nobody here consented under this number, so nothing can be sent to it
    if recipient is None:
        raise _not_understood("知らない宛先")
    if isinstance(line, lines.Linked):
        _take_in_link(recipient, line, source_event)
        return
    if line.answer not in ConsentAnswer.values or line.channel not in ConsentChannel.values:
        raise _not_understood("知らない答えか方法")
    ConsentEvent.objects.get_or_create(
        source_event=source_event,
        defaults={
            "recipient": recipient,
            "answer": line.answer,
            "scopes": sorted(line.scopes),
            "text_version": line.text_version[:32],
            "channel": line.channel,
            "answered_at": _instant(line.at),
        },
    )


def _take_in_link(recipient: Recipient, line: lines.Linked, source_event: str) -> None:
    """A link made with a code that is not (or no more) this recipient's is written down as no link."""
    at = _instant(line.at)
    code = RegistrationCode.objects.filter(recipient=recipient, digest=line.code_digest).first() if line.code_digest else None
    good = not line.code_digest or (code is not None and usable(code, at))
    with transaction.atomic():
        _, new = LinkEvent.objects.get_or_create(
            source_event=source_event, defaults={"recipient": recipient, "on": line.on and good, "at": at}
        )
        if new and line.on and good and code is not None and code.used_at is None:
            code.used_at = at
            code.save(update_fields=["used_at"])


def usable(code: RegistrationCode, at: dt.datetime) -> bool:
    """Whether somebody could link with this code at `at`: not taken back by then, within its days, not used earlier."""
    in_time = timezone.localdate(at) <= code.expires_on
    return in_time and (code.revoked_at is None or at < code.revoked_at) and (code.used_at is None or at <= code.used_at)


def _instant(text: str) -> dt.datetime:
    try:
        found = dt.datetime.fromisoformat(text)
    except ValueError as e:
        raise _not_understood("読めない日時") from e
    if found.tzinfo is None:
        raise _not_understood("時差の書かれていない日時")
    return found


def _not_understood(why: str) -> InputRefused:
    return InputRefused(
        "K671", f"中継からの答えの行を取り込めません（{why}）。", "同意", "中継の版と、便の取り違えがないかを確かめてください。"
    )


def lines_to_hand(home: Path, now: dt.datetime) -> list[lines.Line]:
    """What the relay has not been told yet: texts in force, codes made or taken back, and whom to leave in peace."""
    told = {(t.kind, t.key): t.state for t in RelayTold.objects.all().iterator()}
    current = states(now)
    found: list[lines.Line] = [*_texts_to_hand(home, now), *_codes_to_hand(now), *_silences(current)]
    return [line for line in found if _news(line, told)]


def _news(line: lines.Line, told: Mapping[tuple[str, str], str]) -> bool:
    """Whether this differs from what the relay knows; that nothing is off, or a code never sent is dead, is no news."""
    key, state = _told(line)
    before = told.get((line.kind, key), _OFF if line.kind == _SILENCE else _TAKEN_BACK)
    return before != state


def _told(line: lines.Line) -> tuple[str, str]:
    """Key and state of one line, as kept of it."""
    if isinstance(line, lines.ConsentText):
        return line.version, sha256(lines.to_json(line).encode()).hexdigest()
    if isinstance(line, lines.Code):
        return line.digest, line.expires_at or _TAKEN_BACK
    assert isinstance(line, lines.Silence)
    return line.recipient_no, _ON if line.on else _OFF


def _texts_to_hand(home: Path, now: dt.datetime) -> Iterator[lines.ConsentText]:
    for version, text in _texts(home).items():
        if text.in_force(timezone.localdate(now)):
            yield lines.ConsentText(version, text.whole, tuple(text.scopes))


def _codes_to_hand(now: dt.datetime) -> Iterator[lines.Code]:
    """Every code not used yet: until when it links, or that it does no more (expired, taken back, the recipient not safe)."""
    today = timezone.localdate(now)
    rows = RegistrationCode.objects.filter(used_at__isnull=True).values_list(
        "digest", "recipient__recipient_no", "recipient__person_id", "expires_on", "revoked_at"
    )
    codes = list(rows.iterator())
    known = redirects()
    facts = adults({known.get(person, person) for _, _, person, _, _ in codes}) if codes else {}
    for digest, number, person, expires_on, revoked_at in codes:
        dead = revoked_at is not None or expires_on < today or unsafe(facts[known.get(person, person)], today) is not None
        until = dt.datetime.combine(expires_on, _AFTER_ALL, timezone.get_current_timezone())
        yield lines.Code(digest, number, "" if dead else until.isoformat())


def _silences(current: Iterable[State]) -> Iterator[lines.Silence]:
    """Everybody the relay may know of, with whether it must send them nothing."""
    silent = {state.recipient_no: state.silent for state in current}
    known = set(ConsentEvent.objects.values_list("recipient__recipient_no", flat=True)) | set(_linked())
    for number in sorted(known):
        yield lines.Silence(number, silent.get(number, True))  # a number given up for another of the same person stays silent


def as_told(silences: Iterable[tuple[str, bool]]) -> Iterator[tuple[str, str, str]]:
    """Kind, key and state of what is kept of recipients the relay leaves in peace, or not."""
    yield from ((_SILENCE, number, _ON if silent else _OFF) for number, silent in silences)


def codes_as_told(codes: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str, str]]:
    """Kind, key and state of what is kept of codes the relay has, with until when they link."""
    yield from ((_CODE, digest, until or _TAKEN_BACK) for digest, until in codes)


def handed(given: Iterable[lines.Line], seq: int, now: dt.datetime) -> None:
    """The relay was told these lines in file `seq`; call it in the transaction that records the file. Lines of others pass."""
    mine = [line for line in given if line.kind in (_TEXT, _CODE, _SILENCE)]
    rows = [RelayTold(kind=line.kind, key=_told(line)[0], state=_told(line)[1], seq=seq, at=now) for line in mine]
    RelayTold.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["kind", "key"], update_fields=["state", "seq", "at"], batch_size=5000
    )
