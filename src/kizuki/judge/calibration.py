"""Whether probabilities mean what they say: intercept, slope, expected over observed, Brier, and bins for a picture."""

from typing import Any

import numpy as np

from kizuki.judge.case_table import Floats

_BINS = 10


def calibration(points: Floats, label: Floats) -> dict[str, Any]:
    """`points` are logits nobody was trained on. Slope 1 and intercept 0 are perfect; E/O has a 95 % interval."""
    chance = 1 / (1 + np.exp(-points))
    expected, observed = float(chance.sum()), float(label.sum())
    intercept, slope = _slope(points, label)
    half = 1.959964 / np.sqrt(max(observed, 0.5))
    ratio = expected / observed if observed else None
    return {
        "intercept": _rounded(_shift(points, label)),
        "slope": _rounded(slope),
        "slope_intercept": _rounded(intercept),
        "expected": round(expected, 1),
        "observed": int(observed),
        "e_o": _rounded(ratio),
        "e_o_interval": None if ratio is None else [_rounded(ratio * np.exp(-half)), _rounded(ratio * np.exp(half))],
        "brier": round(float(((chance - label) ** 2).mean()), 6),
        "brier_of_base_rate": round(float(((label.mean() - label) ** 2).mean()), 6),
        "bins": _bins(chance, label),
    }


def _slope(points: Floats, label: Floats) -> tuple[float | None, float | None]:
    """Logistic regression of the outcome on the points; None where it cannot be told."""
    if not 0 < label.mean() < 1 or float(points.std()) < 1e-9:
        return None, None
    design = np.column_stack([np.ones(len(points)), points])
    beta = np.array([0.0, 1.0])
    for _ in range(30):
        chance = 1 / (1 + np.exp(-np.clip(design @ beta, -30, 30)))
        curve = (design * (chance * (1 - chance))[:, None]).T @ design + 1e-9 * np.eye(2)
        step = np.linalg.solve(curve, design.T @ (label - chance))
        beta = beta + np.clip(step, -2, 2)
        if float(np.abs(step).max()) < 1e-10:
            break
    return float(beta[0]), float(beta[1])


def _shift(points: Floats, label: Floats) -> float | None:
    """Calibration in the large: the shift of the points that would make expected equal observed."""
    if not 0 < label.mean() < 1:
        return None
    shift = 0.0
    for _ in range(50):
        chance = 1 / (1 + np.exp(-np.clip(points + shift, -30, 30)))
        shift += float(np.clip((label.sum() - chance.sum()) / (chance * (1 - chance)).sum(), -2, 2))
    return shift


def _bins(chance: Floats, label: Floats) -> list[dict[str, Any]]:
    """Tenths of the rows by probability: how many, what was expected, what came."""
    order = np.argsort(chance, kind="stable")
    return [
        {"n": len(part), "expected": round(float(chance[part].mean()), 5), "observed": round(float(label[part].mean()), 5)}
        for part in np.array_split(order, _BINS)
        if len(part)
    ]


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(float(value), 4)
