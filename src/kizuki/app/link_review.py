"""名寄せの審査: which pair comes next, how much is left, and the desk's counts.

The order was made by the night from the city's own words (`definitions/base/linkage/review.yaml`); the answers are in the app
database. Nothing personal is read here: a pair's two sides come through `release` (`link_review_pair`).
"""

import threading
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from kizuki.app import scope
from kizuki.app.accounts import allow
from kizuki.app.explanation import SOURCE_TITLES
from kizuki.app.link_review_night import careful_sources, review_rules_of
from kizuki.app.release import Actor
from kizuki.app.served import Served
from kizuki.definitions.link_review import Harm, OrderStep, ReviewRules, TwoPeople
from kizuki.engine.sql import load
from kizuki.link.opinions import DIFFERENT, SAME, Opinion, Outcome, Standing, weigh
from kizuki.link.review import AUTOMATIC, WAITING
from kizuki.records.models import LinkDecision, LinkOpinion

NEW, SECOND, SPLIT, HELD, CHECK = "new", "second", "split", "held", "check"
LISTS: Final[Mapping[str, str]] = {
    NEW: "これから見る組",
    SECOND: "もう一人の確認",
    SPLIT: "意見が分かれた組",
    HELD: "保留した組",
    CHECK: "今月の点検",
}
"""The lists a reviewer works through, in the order of the tabs."""
_LIST_OF: Final = {Standing.OPEN: NEW, Standing.SECOND: SECOND, Standing.SPLIT: SPLIT, Standing.HELD: HELD}


@dataclass(frozen=True, slots=True)
class Pair:
    """One record and resident, as the order and the counts know them."""

    pair_id: str
    person_id: str
    other_person_id: str
    source: str
    state: str
    group_id: str
    rule: str
    strength: float
    evidence: str
    harms: tuple[str, ...]
    place: int
    lot: str
    eligible: int

    @property
    def people(self) -> tuple[str, str]:
        """The persons of both sides."""
        return self.person_id, self.other_person_id


@dataclass(frozen=True, slots=True)
class Index:
    """All pairs of one snapshot; `waiting` in the order of the queue, `lots` in the order of the month's draw."""

    snapshot: str
    by_id: Mapping[str, Pair]
    waiting: tuple[Pair, ...]
    lots: tuple[Pair, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the desk: a condition of the order, in the city's words, and how many pairs it still holds."""

    step: OrderStep
    count: int


@dataclass(frozen=True, slots=True)
class Desk:
    """The reviewer's first page."""

    counts: Mapping[str, int]
    lines: tuple[Line, ...]
    of_residents: int
    settled: int
    tonight: int
    minutes_left: float
    mine_today: int


_LOCK = threading.Lock()
_INDEX: list[Index] = []


def index_of(served: Served) -> Index:
    """The pairs of the served snapshot; made at the first request after a publication, then kept."""
    with _LOCK:
        if not _INDEX or _INDEX[0].snapshot != served.view.id:
            _INDEX[:] = [_make_index(served)]
        return _INDEX[0]


def _make_index(served: Served) -> Index:
    pairs = []
    for row in served.view.cursor().query(load("kizuki.app", "review_index")).to_pylist():
        known = {"place": row["place"] or 0, "lot": row["lot"] or "", "eligible": row["eligible"] or 0}
        pairs.append(Pair(**{**row, **known, "harms": tuple(row["harms"].split())}))
    waiting = tuple(sorted((p for p in pairs if p.state == WAITING), key=lambda p: p.place))
    lots = tuple(sorted((p for p in pairs if p.state == AUTOMATIC), key=lambda p: (p.lot, p.pair_id)))
    return Index(served.view.id, {p.pair_id: p for p in pairs}, waiting, lots)


def rules_of(served: Served) -> ReviewRules:
    """The rules of review the served snapshot was made with."""
    return review_rules_of(served.definitions.loaded)


def source_title(served: Served, source: str) -> str:
    """How a record's office is named to a reviewer: which of the careful ones it is does not help to tell two people apart."""
    if source in careful_sources(served.definitions.loaded):
        return rules_of(served).careful_title
    return SOURCE_TITLES.get(source, source)


class Answers:
    """The standing answers at this moment, by pair, and what they come to."""

    def __init__(self, actor: Actor, served: Served) -> None:
        self.actor = actor
        self.rules = rules_of(served)
        self.register: str = served.definitions.loaded.linkage["linkage"].rules.register_source
        self.index = index_of(served)
        self.sealed = scope.seals(actor, scope.people_of(served.view)).sealed
        self.opinions: dict[str, list[Opinion]] = {}
        rows = LinkOpinion.objects.filter(undone_at=None, decision=None).values_list("pair_id", "by_id", "answer")
        for pair_id, by, answer in rows:
            self.opinions.setdefault(pair_id, []).append(Opinion(by, answer))
        words = dict(LinkDecision.objects.filter(withdrawn_at=None).values_list("pair_id", "answer"))
        self.settled = frozenset(words)
        known = (self.index.by_id[p] for p, word in words.items() if word == SAME and p in self.index.by_id)
        self.placed = {p.group_id: p.pair_id for p in known if not self.of_residents(p)}

    def needed(self, pair: Pair) -> dict[str, int]:
        """How many people each word takes: two where the city says so, seals as they are now."""
        two = self.rules.two_people
        careful = (TwoPeople.SEALED in two and self.touches_seal(pair)) or (
            TwoPeople.RESIDENTS in two and self.of_residents(pair)
        )
        if pair.state == AUTOMATIC:  # saying "same" changes nothing; taking apart does
            return {SAME: 1, DIFFERENT: 2 if careful or TwoPeople.UNLINK in two else 1}
        return dict.fromkeys((SAME, DIFFERENT), 2 if careful else 1)

    def of_residents(self, pair: Pair) -> bool:
        """Whether the pair is of two rows of the register (one person may have any number of them)."""
        return pair.source == self.register

    def touches_seal(self, pair: Pair) -> bool:
        """Whether anybody of the pair is under 支援措置 now."""
        return not self.sealed.isdisjoint(pair.people)

    def taken(self, pair: Pair) -> bool:
        """Whether people have found another resident to be the person of the same record."""
        return self.placed.get(pair.group_id, pair.pair_id) != pair.pair_id

    def outcome(self, pair: Pair) -> Outcome:
        """Where the pair stands."""
        return weigh(self.opinions.get(pair.pair_id, ()), self.needed(pair))

    def mine(self, pair_id: str) -> str:
        """This reviewer's standing answer about a pair not settled yet; empty if there is none."""
        return next((o.answer for o in self.opinions.get(pair_id, ()) if o.reviewer == self.actor.user_id), "")

    def listed(self, name: str) -> Iterable[Pair]:
        """The pairs of one list this reviewer can work on, in order."""
        if name == NEW:
            touched = self.settled | self.opinions.keys()
            return (p for p in self.index.waiting if p.pair_id not in touched and not self.taken(p))
        return self._touched(name)

    def _touched(self, name: str) -> list[Pair]:
        """Pairs somebody has answered: only those still in the snapshot, and never one's own definite answer again."""
        found = [self.index.by_id[p] for p in self.opinions if p in self.index.by_id and p not in self.settled]
        chosen = [p for p in found if not self.taken(p) and _LIST_OF.get(self.outcome(p).standing) == name]
        open_to_me = [p for p in chosen if self.mine(p.pair_id) not in (SAME, DIFFERENT)]
        return sorted(open_to_me, key=lambda p: (p.place or len(self.index.waiting) + 1, p.pair_id))

    def count(self, name: str) -> int:
        """How many pairs a list holds for this reviewer."""
        return sum(1 for _ in self.listed(name))


def desk(actor: Actor, served: Served, answers: Answers | None = None) -> Desk:
    """Counts of every list, what is left by the conditions of the order, and what tonight will carry over."""
    allow(actor, "link.review")
    answers = answers or Answers(actor, served)
    standing = LinkDecision.objects.filter(withdrawn_at=None)
    counts = {name: answers.count(name) for name in (NEW, SECOND, SPLIT, HELD)}
    return Desk(
        counts=counts,
        lines=lines_of(answers),
        of_residents=sum(answers.of_residents(p) for p in answers.listed(NEW)),
        settled=standing.count(),
        tonight=waits_for_the_night(),
        minutes_left=sum(counts.values()) * answers.rules.minutes_per_pair,
        mine_today=LinkOpinion.objects.filter(by_id=actor.user_id, undone_at=None, at__date=_today()).count(),
    )


def lines_of(answers: Answers) -> tuple[Line, ...]:
    """Pairs nobody has answered, by the first condition of the order that holds."""
    by_harm = Counter(_first_harm(p, answers.rules) for p in answers.listed(NEW))
    return tuple(Line(step, by_harm[step.harm]) for step in answers.rules.order)


def waits_for_the_night() -> int:
    """Words the next night will write into the key master: settled or taken back, not yet written."""
    from kizuki.app.link_review_words import unwritten, unwritten_withdrawals

    return unwritten().count() + unwritten_withdrawals().count()


def next_pair(answers: Answers, name: str, after: str = "", pairs: Sequence[Pair] | None = None) -> str | None:
    """The pair that follows `after` in a list (the first again at its end); None when the list is done."""
    ids = [p.pair_id for p in (pairs if pairs is not None else answers.listed(name))]
    if after in ids:
        place = ids.index(after)
        rest = ids[place + 1 :] + ids[:place]
        return rest[0] if rest else None
    seen = answers.index.by_id.get(after)
    if seen is not None and seen.place and pairs is None:
        return next((i for i in ids if answers.index.by_id[i].place > seen.place), ids[0] if ids else None)
    return ids[0] if ids else None


def previous_pair(answers: Answers, name: str, before: str, pairs: Sequence[Pair] | None = None) -> str | None:
    """The pair before this one in the same list, if there is one."""
    ids = [p.pair_id for p in (pairs if pairs is not None else answers.listed(name))]
    if before in ids:
        return ids[ids.index(before) - 1] if ids.index(before) else None
    return None


def _first_harm(pair: Pair, rules: ReviewRules) -> Harm:
    return next((step.harm for step in rules.order if step.harm in pair.harms), Harm.OTHER)


def _today() -> object:
    from django.utils import timezone

    return timezone.localdate()
