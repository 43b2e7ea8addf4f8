"""How far the review of links has come, in counts alone: for the IT office and the command line."""

from pathlib import Path
from typing import Any

from kizuki.app import link_review as lists
from kizuki.app.link_review_check import months
from kizuki.app.release import Actor
from kizuki.app.served import served
from kizuki.records.models import LinkDecision

_NOBODY = Actor(0, "", "", "", "", "")
"""Whose own answers are nobody's: every pair somebody still has to look at is counted."""


def review_counts(home: Path) -> dict[str, Any]:
    """The JSON of the `link review` verb. Raises RunFailed before the first publication."""
    now = served(home)
    answers = lists.Answers(_NOBODY, now)
    waiting = {name: answers.count(name) for name in (lists.NEW, lists.SECOND, lists.SPLIT, lists.HELD)}
    standing = LinkDecision.objects.filter(withdrawn_at=None)
    return {
        "snapshot": now.view.id,
        "waiting": waiting,
        "by_condition": {line.step.title: line.count for line in lists.lines_of(answers)},
        "decided": standing.count(),
        "by_answer": {word: standing.filter(answer=word).count() for word in ("same", "different")},
        "withdrawn": LinkDecision.objects.exclude(withdrawn_at=None).count(),
        "tonight": lists.waits_for_the_night(),
        "hours_left": round(sum(waiting.values()) * answers.rules.minutes_per_pair / 60, 1),
        "check": [
            {
                "month": month.sample.month,
                "drawn": month.found.drawn,
                "right": month.found.right,
                "wrong": month.found.wrong,
                "undecided": month.found.held,
                "left": month.found.left,
                "precision": month.found.precision,
                "interval": month.found.interval,
                "probability": month.sample.probability,
            }
            for month in months(answers)
        ],
    }
