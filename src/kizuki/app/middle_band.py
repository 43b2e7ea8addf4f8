"""中程度の抽出: each month a few children below every list are drawn at random, so that what lists miss is not guessed.

The chance of being drawn grows with the square root of the points that could count, and is written down at the draw.
Caseworkers see the children under 無作為の確認 like any other, without points, rank or why they were in the band. What they
find is weighed by 1/probability: an estimate without bias of how many are missed, with an interval honest about few draws.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from django.db import IntegrityError, transaction

from kizuki.app import aggregate
from kizuki.app.cases import TABS, CaseState, case_states
from kizuki.app.current_person import current_person
from kizuki.app.drawn_children import marked
from kizuki.app.release import Actor, record_output
from kizuki.app.served import Served
from kizuki.app.thresholds import chosen_set
from kizuki.judge.middle_band import draw as draw_rows
from kizuki.judge.middle_band import estimate
from kizuki.records.models import CaseStatus, MiddleBandDraw, MiddleBandPick
from kizuki.terms.errors import InputRefused

MOST: Final = 100
_FOUND: Final = (CaseStatus.MEETING.value, CaseStatus.SUPPORTING.value)
_NOT_FOUND: Final = (CaseStatus.DISMISSED.value,)


@dataclass(frozen=True, slots=True)
class Drawn:
    """One draw: how many were drawn of how many, how many have been looked into, and what was found (None = not finished)."""

    month: str
    band: int
    drawn: int
    waiting: int
    found: int | None


@dataclass(frozen=True, slots=True)
class Standing:
    """The draws of one set, newest first; `sentence` weighs the finished ones, or says why it cannot."""

    criteria: str
    draws: tuple[Drawn, ...]
    band_now: int
    this_month: bool
    month: str
    sentence: str


def standing(served: Served, name: str) -> Standing:
    """What was drawn and found so far; sums only (the caller has passed `aggregate.permitted`)."""
    criteria, states = chosen_set(served, name), case_states()
    draws = list(MiddleBandDraw.objects.filter(criteria=criteria.id).order_by("-month").prefetch_related("picks"))
    month = f"{served.as_of:%Y-%m}"
    return Standing(
        criteria.id,
        tuple(_drawn(d, states) for d in draws[:24]),
        len(_band(served, criteria.id, states)),
        any(d.month == month for d in draws),
        month,
        _sentence(draws, states),
    )


def draw(actor: Actor, served: Served, name: str, wanted: int) -> int:
    """Draw this month's children of one set; returns how many. Raises NotPermitted, InputRefused K564."""
    criteria = chosen_set(served, name)
    aggregate.permitted(actor, "middle_band.draw", served, ("judgement.max_points",), criteria.id)
    band = _band(served, criteria.id, case_states())
    if not 1 <= wanted <= MOST:
        raise InputRefused("K564", "抽出する人数が正しくありません。", "人数", f"1〜{MOST}の数を入れてください。")
    if not band:
        raise InputRefused("K564", "抽出のもとになるこどもがいません。", criteria.name, "次の更新のあとで試してください。")
    seed = secrets.randbelow(2**31)
    people = [r["person_id"] for r in band]
    # only the ratios of the chances matter: the draw is in proportion to their square root
    likely = np.array([float(r["max_points"]) for r in band])
    made = draw_rows(likely / likely.max(), np.arange(len(band)), wanted, seed)
    picked = [(people[row], float(made.inclusion[row])) for row in made.rows]
    subjects = [p for p, _ in picked]
    try:
        with transaction.atomic():
            kept = MiddleBandDraw.objects.create(
                criteria=criteria.id,
                version=criteria.version,
                month=f"{served.as_of:%Y-%m}",
                snapshot=served.view.id,
                band_size=len(band),
                seed=seed,
                drawn_by_id=actor.user_id,
            )
            MiddleBandPick.objects.bulk_create(MiddleBandPick(draw=kept, person_id=p, inclusion=min(i, 1.0)) for p, i in picked)
            record_output(
                actor,
                "middle_band.draw",
                subjects=subjects,
                fields=["judgement.max_points"],
                count=len(subjects),
                reason=criteria.id,
            )
    except IntegrityError as twice:
        raise InputRefused(
            "K564", "今月はもう抽出しています。", criteria.name, "来月の更新のあとで抽出してください。"
        ) from twice
    return len(picked)


def _band(served: Served, criteria: str, states: Mapping[str, CaseState]) -> list[dict[str, Any]]:
    """Who can be drawn: below every list, nobody works with them, not drawn within a year."""
    busy = {p for p, s in states.items() if s.status != TABS[0]} | marked()
    return [r for r in aggregate.sums(served, "middle_band", criteria=criteria) if r["person_id"] not in busy]


def _outcomes(draw: MiddleBandDraw, states: Mapping[str, CaseState]) -> list[tuple[float, int | None]]:
    """Probability and outcome (1 found, 0 not, None still open) of each pick."""
    told = []
    for pick in draw.picks.all():
        state = states.get(current_person(pick.person_id))
        status = state.status if state else ""
        told.append((pick.inclusion, 1 if status in _FOUND else 0 if status in _NOT_FOUND else None))
    return told


def _drawn(draw: MiddleBandDraw, states: Mapping[str, CaseState]) -> Drawn:
    told = [y for _, y in _outcomes(draw, states)]
    waiting = sum(y is None for y in told)
    return Drawn(draw.month, draw.band_size, len(told), waiting, None if waiting else sum(y or 0 for y in told))


def _sentence(draws: Sequence[MiddleBandDraw], states: Mapping[str, CaseState]) -> str:
    """The weighed finds of every finished draw, as an average month."""
    finished = [o for o in (_outcomes(d, states) for d in draws) if o and all(y is not None for _, y in o)]
    if not draws:
        return "まだ抽出していません。抽出すると、一覧の外にどれだけいるかを偏りなく見積もれます。"
    if not finished:
        return "抽出した全員の確認が済むと、一覧の外にいる人数を見積もれます。途中の数で見積もると偏るため、まだ出しません。"
    inclusion = np.array([i for one in finished for i, _ in one]) * len(finished)
    label = np.array([float(y or 0) for one in finished for _, y in one])
    told = estimate(0.0, np.arange(len(label)), inclusion, label, seed=int(finished[0][0][0] * 1e6))
    low, high = (round(v) for v in told["interval"])
    return (
        f"確認の済んだ{len(finished)}か月・{len(label)}人のうち{told['found']}人が支援につながりました。抽出の確率で直すと、一覧の外には"
        f"およそ{told['below_list']:.0f}人（{low}〜{high}人）います。幅が広いうちは、2〜3年ためて見てください。"
    )
