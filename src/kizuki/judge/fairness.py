"""Whether a list treats groups alike: selection, the two error rates, precision and E/O of each group against everybody else.

The answer is one of four. A group with too few cases gets 判定できない, because an interval tens of points wide is no
finding and must not pass for one. Ties at the cut are shared out for the figures and pushed to both ends for `ties`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np

from kizuki.judge.case_table import Flags, Floats
from kizuki.judge.validation import MIN_EVENTS

DIFFERS, NOT_SHOWN, ALIKE, UNDECIDED = "差がある", "差があるとはいえない", "差は小さい", "判定できない"
SMALL = 0.1
"""A difference whose whole interval lies within ten points is called small."""
WRONGLY_LISTED_MARGIN = 0.05
"""Wrongly listed children must differ by more than this: with thousands of them, any difference is significant."""
_WIDEST = 0.4
_LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Listed:
    """Who is on the list: the certain places, and (for a cut through equal scores) who shares the rest of the places."""

    sure: Flags
    tied: Flags
    places: int

    @property
    def weight(self) -> Floats:
        """1 on the list, the chance of a place for the tied, 0 off it."""
        shared = self.places / max(int(self.tied.sum()), 1)
        return self.sure + self.tied * shared


def flagged(flag: Flags) -> Listed:
    """A list without ties."""
    return Listed(flag, np.zeros_like(flag), 0)


def top(score: Floats, n: int) -> Listed:
    """The n highest scores; an unknown score is on no list."""
    order = np.where(np.isnan(score), -np.inf, score)
    n = min(n, int(np.isfinite(order).sum()))
    if n == 0:
        return flagged(np.zeros(len(score), dtype=np.bool_))
    cut = -np.partition(-order, n - 1)[n - 1]
    sure = order > cut
    return Listed(sure, order == cut, n - int(sure.sum()))


def compare(listed: Listed, label: Flags, groups: Sequence[str], chance: Floats | None = None) -> list[dict[str, Any]]:
    """One dict per group, by name; intervals are 95 %, the answer allows for as many comparisons as there are groups."""
    held = np.asarray(groups, dtype=object)
    names = sorted(set(groups))
    comparisons = 1 if len(names) <= 2 else len(names)
    return [_group(n, held == n, listed, label, chance=chance, comparisons=comparisons) for n in names]


def _group(
    name: str, inside: Flags, listed: Listed, label: Flags, *, chance: Floats | None, comparisons: int
) -> dict[str, Any]:
    mine, rest = _counts(listed.weight, label, inside), _counts(listed.weight, label, ~inside)
    figures = {
        "selection_rate": (mine["listed"], mine["n"]),
        "tpr": (mine["found"], mine["cases"]),
        "fpr": (mine["listed"] - mine["found"], mine["n"] - mine["cases"]),
        "fnr": (mine["cases"] - mine["found"], mine["cases"]),
        "precision": (mine["found"], mine["listed"]),
    }
    z = NormalDist().inv_cdf(0.5 + _LEVEL / 2)
    out: dict[str, Any] = {"group": name, "n": int(mine["n"]), "events": int(mine["cases"])}
    out |= {k: _share(*v) for k, v in figures.items()}
    out["intervals"] = {k: _rounded(score_interval(*v, z)) for k, v in figures.items()}
    out["ties"] = _ties(listed, label, inside)
    if chance is not None:
        out["e_o"], out["intervals"]["e_o"] = _expected(chance, label, inside)
    return out | _answer(mine, rest, comparisons)


def _counts(weight: Floats, label: Flags, inside: Flags) -> dict[str, float]:
    return {
        "n": float(inside.sum()),
        "listed": float(weight[inside].sum()),
        "cases": float(label[inside].sum()),
        "found": float(weight[inside & label].sum()),
    }


def _answer(mine: Mapping[str, float], rest: Mapping[str, float], comparisons: int) -> dict[str, Any]:
    """The four answers, on cases found and on children wrongly listed; the reason when there is none."""
    if mine["cases"] < MIN_EVENTS or rest["cases"] < MIN_EVENTS or mine["n"] - mine["cases"] < MIN_EVENTS:
        why = f"該当したこどもが、このグループか、それ以外で {MIN_EVENTS}人に足りません。"
        return {"answer": UNDECIDED, "why": why, "difference": None}
    z = NormalDist().inv_cdf(1 - (1 - _LEVEL) / (2 * comparisons))
    found = difference((mine["found"], mine["cases"]), (rest["found"], rest["cases"]), z)
    wrong = difference(
        (mine["listed"] - mine["found"], mine["n"] - mine["cases"]),
        (rest["listed"] - rest["found"], rest["n"] - rest["cases"]),
        z,
    )
    out = {"difference": {"tpr": _rounded(found), "fpr": _rounded(wrong)}}
    if found[0] > 0 or found[1] < 0:
        side = "少なく" if found[1] < 0 else "多く"
        return out | {"answer": DIFFERS, "why": f"該当したこどものうち一覧に入った割合が、ほかより{side}なっています。"}
    if wrong[0] > WRONGLY_LISTED_MARGIN or wrong[1] < -WRONGLY_LISTED_MARGIN:
        side = "多く" if wrong[0] > 0 else "少なく"
        return out | {"answer": DIFFERS, "why": f"該当しないのに一覧に入った割合が、ほかより{side}なっています。"}
    if found[1] - found[0] > _WIDEST:
        return out | {"answer": UNDECIDED, "why": "区間が広すぎ、差の有無をいえません。"}
    if found[0] >= -SMALL and found[1] <= SMALL:
        return out | {"answer": ALIKE, "why": "差があっても10ポイント以内です。"}
    return out | {"answer": NOT_SHOWN, "why": "差が見えていても、偶然の範囲です。差が無いことの証明ではありません。"}


def score_interval(found: float, of: float, z: float) -> tuple[float, float] | None:
    """Wilson's interval, also for counts that share ties."""
    if of <= 0:
        return None
    share, z2 = min(max(found / of, 0.0), 1.0), z * z
    middle = (share + z2 / (2 * of)) / (1 + z2 / of)
    half = z * float(np.sqrt(share * (1 - share) / of + z2 / (4 * of * of))) / (1 + z2 / of)
    return max(0.0, middle - half), min(1.0, middle + half)


def difference(one: tuple[float, float], other: tuple[float, float], z: float) -> tuple[float, float]:
    """Newcombe's hybrid score interval of the difference of two shares (Statistics in Medicine 1998, method 10)."""
    p, q = one[0] / one[1], other[0] / other[1]
    first, second = score_interval(*one, z), score_interval(*other, z)
    assert first is not None and second is not None
    low = p - q - float(np.hypot(p - first[0], second[1] - q))
    high = p - q + float(np.hypot(first[1] - p, q - second[0]))
    return low, high


def _ties(listed: Listed, label: Flags, inside: Flags) -> dict[str, Any]:
    """Cases of the group on the list if the tied places go to them first, by chance, or last."""
    sure = int((listed.sure & inside & label).sum())
    at = int((listed.tied & inside & label).sum())
    others = int(listed.tied.sum()) - at
    cases = int((inside & label).sum())
    found = {
        "worst": sure + max(0, listed.places - others),
        "expected": float(listed.weight[inside & label].sum()),
        "best": sure + min(at, listed.places),
    }
    shares = {k: _share(v, cases) for k, v in found.items()}
    return {"tied": int((listed.tied & inside).sum()) if listed.places else 0, "tpr": shares}


def _expected(chance: Floats, label: Flags, inside: Flags) -> tuple[float | None, list[float] | None]:
    """Expected over observed cases with a 95 % interval (Poisson, log scale); None where nothing was observed."""
    observed = float(label[inside].sum())
    if not observed:
        return None, None
    ratio = float(np.nansum(chance[inside])) / observed
    half = 1.959964 / float(np.sqrt(observed))
    return round(ratio, 4), [round(ratio * float(np.exp(-half)), 4), round(ratio * float(np.exp(half)), 4)]


def _share(found: float, of: float) -> float | None:
    return round(found / of, 4) if of > 0 else None


def _rounded(interval: tuple[float, float] | None) -> list[float] | None:
    return None if interval is None else [round(interval[0], 4), round(interval[1], 4)]
