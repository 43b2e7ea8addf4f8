"""点検: a random sample of the links the machine made, every month, judged by people who do not know which they are.

The sample is recorded with its seed, its size and the chance each link had, so that anybody can draw it again. What people
found is the live precision, with an exact interval (Clopper and Pearson 1934), per month and over all months.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from django.db import transaction

from kizuki.app import audit
from kizuki.app.accounts import allow
from kizuki.app.link_reasons import reason_of
from kizuki.app.link_review import NEW, Answers, Pair
from kizuki.app.release import Actor
from kizuki.app.served import Served
from kizuki.link.opinions import DIFFERENT, SAME
from kizuki.link.review import month_seed
from kizuki.records.models import LinkDecision, LinkOpinion, LinkSample, LinkSampleMember, ReviewAnswer


@dataclass(frozen=True, slots=True)
class Found:
    """What people found among some sampled links, and the interval of the precision (None of nothing)."""

    title: str
    drawn: int
    right: int
    wrong: int
    held: int
    interval: tuple[float, float] | None

    @property
    def judged(self) -> int:
        """Links somebody could tell about."""
        return self.right + self.wrong

    @property
    def left(self) -> int:
        """Links nobody has settled yet."""
        return self.drawn - self.judged - self.held

    @property
    def precision(self) -> float | None:
        """Share found right; None before anything is judged."""
        return self.right / self.judged if self.judged else None

    @property
    def precision_text(self) -> str:
        """The share in words."""
        return share_text(self.precision)

    @property
    def interval_text(self) -> str:
        """The interval in words."""
        return interval_text(self.interval)


@dataclass(frozen=True, slots=True)
class Month:
    """One month's sample: how it was drawn and what was found."""

    sample: LinkSample
    found: Found

    @property
    def chance_text(self) -> str:
        """The chance every link had of being drawn."""
        return share_text(self.sample.probability)


@dataclass(frozen=True, slots=True)
class CheckBoard:
    """The page of the monthly check."""

    months: tuple[Month, ...]
    total: Found
    by_rule: tuple[Found, ...]
    confidence: float


def draw(served: Served, answers: Answers) -> LinkSample | None:
    """This month's sample, drawn at the first call of the month and then kept; None where the machine joined nothing."""
    month = f"{served.as_of:%Y-%m}"
    kept = LinkSample.objects.filter(month=month).first()
    lots = answers.index.lots
    if kept is not None or not lots:
        return kept
    check = answers.rules.check
    chosen, eligible = lots[: check.monthly], lots[0].eligible
    with transaction.atomic():
        sample, created = LinkSample.objects.get_or_create(
            month=month,
            defaults={
                "seed": month_seed(audit.keys(), served.as_of),
                "eligible": eligible,
                "drawn": len(chosen),
                "probability": len(chosen) / eligible,
                "left_out": " ".join(check.left_out_rules),
                "snapshot": served.view.id,
            },
        )
        if created:
            LinkSampleMember.objects.bulk_create(
                LinkSampleMember(sample=sample, pair_id=p.pair_id, rule=p.rule) for p in chosen
            )
    return sample


def check_list(served: Served, answers: Answers) -> list[Pair]:
    """What is left of the month's check, mixed with undecided pairs, so that no answer can be taken for granted."""
    sample = draw(served, answers)
    if sample is None:
        return []
    members = sample.members.order_by("pair_id").values_list("pair_id", flat=True)
    spoken = set(LinkOpinion.objects.filter(pair_id__in=list(members), undone_at=None).values_list("pair_id", flat=True))
    left = [answers.index.by_id[m] for m in members if m in answers.index.by_id and m not in spoken | answers.settled]
    # two residents are never the machine's: such a pair would be known for what it is
    open_pairs = (p for p in answers.listed(NEW) if not answers.of_residents(p)) if left else ()
    others = iter(sorted(open_pairs, key=lambda p: p.pair_id))
    every = answers.rules.check.mixed_one_in
    mixed: list[Pair] = []
    for place, pair in enumerate(left, start=1):
        mixed.append(pair)
        if place % every == 0 and (other := next(others, None)) is not None:
            mixed.append(other)
    # by the token, which says nothing: otherwise every fourth pair would be known for what it is
    return sorted(mixed, key=lambda p: p.pair_id)


def board(actor: Actor, served: Served) -> CheckBoard:
    """Every month's sample and what was found, and all months together. Raises NotPermitted."""
    allow(actor, "link.quality")
    answers = Answers(actor, served)
    draw(served, answers)
    percent, words, members = answers.rules.check.confidence_percent, _words(), _members()
    by_rule: dict[str, list[LinkSampleMember]] = {}
    for member in members:
        by_rule.setdefault(member.rule, []).append(member)
    rules = tuple(_found(_title(served, r), m, words, percent) for r, m in sorted(by_rule.items()))
    return CheckBoard(months(answers), _found("すべての月", members, words, percent), rules, percent)


def months(answers: Answers) -> tuple[Month, ...]:
    """Every month's sample and what was found, newest first."""
    words, by_month = _words(), dict[str, list[LinkSampleMember]]()
    for member in _members():
        by_month.setdefault(member.sample.month, []).append(member)
    percent = answers.rules.check.confidence_percent
    return tuple(Month(m[0].sample, _found(title, m, words, percent)) for title, m in by_month.items())


def _members() -> list[LinkSampleMember]:
    return list(LinkSampleMember.objects.select_related("sample").order_by("-sample__month", "pair_id"))


def _words() -> dict[str, str]:
    """Pair → the settled word, or hold where somebody could not tell."""
    held = LinkOpinion.objects.filter(answer=ReviewAnswer.HOLD, undone_at=None, decision=None)
    words = dict.fromkeys(held.values_list("pair_id", flat=True), str(ReviewAnswer.HOLD))
    return words | dict(LinkDecision.objects.filter(withdrawn_at=None).values_list("pair_id", "answer"))


def _found(title: str, members: Sequence[LinkSampleMember], words: Mapping[str, str], percent: float) -> Found:
    said = [words.get(m.pair_id, "") for m in members]
    right, wrong = said.count(SAME), said.count(DIFFERENT)
    held = said.count(str(ReviewAnswer.HOLD))
    return Found(title, len(members), right, wrong, held, exact_interval(right, right + wrong, percent))


def _title(served: Served, rule: str) -> str:
    """The words of a rule; one no longer known by its code."""
    reason = reason_of(served.definitions.loaded, rule)
    return rule if reason is None else reason.title


def share_text(share: float | None) -> str:
    """98.5%; 100% only for all of them, however many there are."""
    if share is None:
        return "まだ分からない"
    text = f"{share * 100:.1f}"
    return "99.9%以上" if share < 1 and text == "100.0" else f"{text.removesuffix('.0')}%"


def interval_text(interval: tuple[float, float] | None) -> str:
    """94.0～99.9%."""
    return "—" if interval is None else f"{interval[0] * 100:.1f}～{interval[1] * 100:.1f}%"


def exact_interval(found: int, of: int, percent: float) -> tuple[float, float] | None:
    """The Clopper–Pearson interval of a share, by halving: exact near 100 %, where other intervals are not."""
    if not of:
        return None
    tail = (1 - percent / 100) / 2
    low = 0.0 if found == 0 else _halve(lambda p: 1 - _at_most(found - 1, of, p) >= tail)
    high = 1.0 if found == of else _halve(lambda p: _at_most(found, of, p) <= tail)
    return low, high


def _at_most(count: int, of: int, share: float) -> float:
    """Chance of at most `count` successes out of `of`."""
    if share <= 0:
        return 1.0
    if share >= 1:
        return 1.0 if count >= of else 0.0
    logs = (math.log(share), math.log1p(-share))
    ways = (math.lgamma(of + 1) - math.lgamma(k + 1) - math.lgamma(of - k + 1) for k in range(count + 1))
    return min(1.0, sum(math.exp(w + k * logs[0] + (of - k) * logs[1]) for k, w in enumerate(ways)))


def _halve(high_enough: Callable[[float], bool]) -> float:
    """The least share for which the condition holds (it holds from some share on)."""
    low, high = 0.0, 1.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (low, middle) if high_enough(middle) else (middle, high)
    return high


def progress(served: Served, answers: Answers) -> tuple[int, int]:
    """(settled or held, drawn) of this month's check; (0, 0) where the machine joined nothing."""
    sample = draw(served, answers)
    if sample is None:
        return 0, 0
    words = _words()
    members = sample.members.values_list("pair_id", flat=True)
    return sum(m in words for m in members), sample.drawn
