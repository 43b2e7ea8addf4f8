"""How many past cases a rule needs before it may be published: Riley's three criteria (Statistics in Medicine 2019;
BMJ 2020;368:m441).

The expected fit comes from an anticipated C statistic by the binormal model of Riley, Van Calster & Collins (2021).
"""

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

_SHRINKAGE = 0.9
_OPTIMISM = 0.05
_MARGIN = 0.05


@dataclass(frozen=True, slots=True)
class Required:
    """Rows and cases needed for so many candidate parameters."""

    parameters: int
    rows: int
    events: int


def required(parameters: int, prevalence: float, c_statistic: float) -> Required:
    """The largest of the three criteria: shrinkage ≥ 0.9, optimism in R² ≤ 0.05, overall risk within ±0.05."""
    return required_for_fit(parameters, prevalence, expected_fit(prevalence, c_statistic))


def required_for_fit(parameters: int, prevalence: float, fit: float) -> Required:
    """The same from an anticipated Cox–Snell R²."""
    null = prevalence * math.log(prevalence) + (1 - prevalence) * math.log(1 - prevalence)
    most = 1 - math.exp(2 * null)
    overall = (1.959964 / _MARGIN) ** 2 * prevalence * (1 - prevalence)
    mild = fit / (fit + _OPTIMISM * most)
    rows = max(*(parameters / ((s - 1) * math.log(1 - fit / s)) for s in (_SHRINKAGE, mild)), overall)
    return Required(parameters, math.ceil(rows), math.ceil(rows * prevalence))


def expected_fit(prevalence: float, c_statistic: float) -> float:
    """Cox–Snell R² of a rule with this C statistic whose linear predictor is normal among cases and among the others."""
    apart = math.sqrt(2) * NormalDist().inv_cdf(min(max(c_statistic, 0.501), 0.999))
    at = np.array([NormalDist().inv_cdf(q) for q in (np.arange(400) + 0.5) / 400])
    base = math.log(prevalence / (1 - prevalence)) - apart**2 / 2

    def log_likelihood(shift: float, case: bool) -> float:
        logit = base + apart * (at + shift)
        return float((-np.logaddexp(0, -logit) if case else -np.logaddexp(0, logit)).mean())

    model = prevalence * log_likelihood(apart, True) + (1 - prevalence) * log_likelihood(0.0, False)
    null = prevalence * math.log(prevalence) + (1 - prevalence) * math.log(1 - prevalence)
    return max(1 - math.exp(-2 * (model - null)), 1e-9)
