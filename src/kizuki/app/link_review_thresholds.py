"""しきい値: how far down to look. Hours of work against what would be found, for every floor the city could write.

Two kinds of evidence: what reviewers have decided (with exact intervals, and no figure where nobody has looked), and, in the
synthetic city alone, its truth. The floor is `下限` of definitions/base/linkage/review.yaml.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from kizuki.app.accounts import allow
from kizuki.app.link_evaluation import read_truth
from kizuki.app.link_review import Pair, index_of, rules_of
from kizuki.app.link_review_check import exact_interval, interval_text, share_text
from kizuki.app.release import Actor
from kizuki.app.served import Served
from kizuki.app.snapshot_view import current_view
from kizuki.definitions.link_review import ReviewRules
from kizuki.engine.duck import DuckEngine
from kizuki.engine.sql import load
from kizuki.link.opinions import DIFFERENT, SAME
from kizuki.link.review import AUTOMATIC
from kizuki.records.models import LinkDecision

_MOST_POINTS = 10
REVIEWED, TRUTH = "reviewed", "truth"


@dataclass(frozen=True, slots=True)
class Point:
    """One floor: pairs at or above it, hours to look at them, what share is one person, what share of all that can be found.

    None = not known: nobody has looked at pairs like these. `unseen_errors` = wrong links if the machine joined them unseen.
    """

    floor: float
    pairs: int
    hours: float
    precision: float | None
    interval: tuple[float, float] | None
    recall: float | None

    @property
    def unseen_errors(self) -> float | None:
        """Wrong links to expect if these pairs were joined with nobody looking."""
        return None if self.precision is None else self.pairs * (1 - self.precision)

    @property
    def precision_text(self) -> str:
        """The share that is one person, in words."""
        return share_text(self.precision)

    @property
    def recall_text(self) -> str:
        """The share found, in words."""
        return share_text(self.recall)

    @property
    def interval_text(self) -> str:
        """The interval in words."""
        return interval_text(self.interval)


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The page: points from the highest floor to the lowest, the floor in force, the one the month's hours allow."""

    points: tuple[Point, ...]
    basis: str
    judged: int
    rules: ReviewRules
    affordable: Point | None
    synthetic: bool

    @property
    def pairs_a_month(self) -> int:
        """How many pairs the month's hours are enough for, whatever the floor."""
        return int(self.rules.hours_per_month * 60 / self.rules.minutes_per_pair)


def thresholds(actor: Actor, served: Served, home: Path, basis: str) -> Thresholds:
    """The picture from one kind of evidence. Raises NotPermitted."""
    allow(actor, "link.quality")
    synthetic = served.view.synthetic and (home / "truth" / "people.csv").exists()
    basis = basis if basis in (REVIEWED, TRUTH) else (TRUTH if synthetic else REVIEWED)
    if basis == TRUTH and not synthetic:
        basis = REVIEWED
    pairs = [p for p in index_of(served).by_id.values() if p.state != AUTOMATIC]
    known = _true_pairs(home, served.view.id) if basis == TRUTH else _decided()
    rules = rules_of(served)
    points = _points(pairs, known, rules)
    affordable = next((p for p in reversed(points) if p.hours <= rules.hours_per_month), None)
    return Thresholds(points, basis, sum(p.pair_id in known for p in pairs), rules, affordable, synthetic)


def _decided() -> dict[str, bool]:
    """Pair → whether people found it to be one person."""
    rows = LinkDecision.objects.filter(withdrawn_at=None, answer__in=(SAME, DIFFERENT)).values_list("pair_id", "answer")
    return {pair: answer == SAME for pair, answer in rows}


def _points(pairs: Sequence[Pair], known: Mapping[str, bool], rules: ReviewRules) -> tuple[Point, ...]:
    floors = _floors([p.strength for p in pairs])
    bands = [_band(pairs, known, low, high) for low, high in zip(floors, [float("inf"), *floors], strict=False)]
    guesses = [band.trues for band in bands]
    everything = None if any(g is None for g in guesses) else sum(g for g in guesses if g is not None)
    points, so_far, judged, right, true = [], 0, 0, 0, 0.0
    complete = True
    for floor, band in zip(floors, bands, strict=True):
        so_far, judged, right = so_far + band.pairs, judged + band.judged, right + band.right
        complete = complete and band.trues is not None
        true += band.trues or 0.0
        points.append(
            Point(
                floor=floor,
                pairs=so_far,
                hours=so_far * rules.minutes_per_pair / 60,
                precision=true / so_far if complete and so_far else None,
                interval=exact_interval(right, judged, rules.check.confidence_percent) if judged < so_far else None,
                recall=true / everything if complete and everything else None,
            )
        )
    return tuple(points)


@dataclass(frozen=True, slots=True)
class _Band:
    """Pairs between two floors: how many, how many are known, how many of those are one person."""

    pairs: int
    judged: int
    right: int

    @property
    def trues(self) -> float | None:
        """Pairs of one person to expect here; None where nobody has looked."""
        if not self.pairs:
            return 0.0
        return self.pairs * self.right / self.judged if self.judged else None


def _band(pairs: Sequence[Pair], known: Mapping[str, bool], low: float, high: float) -> _Band:
    inside = [p for p in pairs if low <= p.strength < high]
    words = [known[p.pair_id] for p in inside if p.pair_id in known]
    return _Band(len(inside), len(words), sum(words))


def _floors(strengths: Sequence[float]) -> list[float]:
    """Floors worth comparing, highest first: whole numbers below which some pair lies, at most ten."""
    distinct = sorted({float(int(s // 1)) for s in strengths}, reverse=True)
    if len(distinct) <= _MOST_POINTS:
        return distinct
    step = (len(distinct) - 1) / (_MOST_POINTS - 1)
    return [distinct[round(i * step)] for i in range(_MOST_POINTS)]


@lru_cache(maxsize=2)
def _true_pairs(home: Path, snapshot: str) -> dict[str, bool]:
    """Pair → whether the synthetic city's truth says it is one person; read once per snapshot."""
    with DuckEngine() as engine:
        engine.register("pair_key", current_view(home).cursor().query(load("kizuki.app", "review_truth_keys")))
        engine.register("truth", read_truth(home, None))
        rows = engine.query(load("kizuki.app", "review_truth")).to_pylist()
    return {row["pair_id"]: row["one_person"] for row in rows}
