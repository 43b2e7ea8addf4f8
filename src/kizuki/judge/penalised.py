"""Ridge logistic regression whose penalties are learned with it, under agreed signs.

Each group of columns (an item's steps, the unknowns, …) has one penalty λ, the precision of a normal prior on its log-odds
changes. λ follows the fixed point λ = gamma / ‖β‖² (gamma = the group's effective parameters; MacKay 1992,
Fellner & Schall 1986), held towards the λ of its family so that few cases cannot switch an item off or on by chance.
Coefficients with an agreed sign are kept on its side by an active set. Arithmetic is deterministic: no random number is
drawn here.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kizuki.judge.case_table import Floats, Ints
from kizuki.judge.item_bins import Matrix

_BLOCK = 8192
_LAMBDA = (0.3, 1e5)
_STEPS = 14
_PRIOR_DOF = 1.0
_PRIOR_SPREAD = 0.08
"""A family starts from changes of about √0.08 ≈ 0.28 log-odds, with the weight of one parameter."""


@dataclass(frozen=True, slots=True)
class Groups:
    """Per column its group, per group its family, the agreed sign of each column, and how far a group may leave its family.

    `own_dof` is the weight of the family in effective parameters: small = each item decides, infinite = one penalty for all.
    """

    group: Ints
    family: Ints
    signs: NDArray[np.int8]
    own_dof: float


@dataclass(frozen=True, slots=True)
class Fit:
    """Intercept, coefficients, penalties per group and the effective number of parameters."""

    intercept: float
    beta: Floats
    penalty: Floats
    dof: float


@dataclass(frozen=True, slots=True)
class Sample:
    """Rows of the matrix to fit on, their labels and weights (controls that were thinned out count for those left out)."""

    matrix: Matrix
    rows: Ints
    label: Floats
    weight: Floats


def thinned(matrix: Matrix, rows: Ints, label: Floats, *, per_case: int, at_least: int) -> Sample:
    """All cases and every k-th control, weighted by how many each stands for; `label` goes with `rows`."""
    cases, controls = rows[label == 1], rows[label == 0]
    wanted = max(per_case * len(cases), at_least)
    every = max(1, len(controls) // max(wanted, 1))
    kept = controls[::every]
    weight = np.concatenate([np.ones(len(cases)), np.full(len(kept), len(controls) / max(len(kept), 1))])
    labels = np.concatenate([np.ones(len(cases)), np.zeros(len(kept))])
    return Sample(matrix, np.concatenate([cases, kept]), labels, weight)


def fit(sample: Sample, groups: Groups, *, scale: float = 1.0, steps: int = _STEPS) -> Fit:
    """Coefficients and penalties together; `scale` multiplies every penalty (the sample-size guard asks for it)."""
    count = len(groups.family)
    rate = float(np.average(sample.label, weights=sample.weight))
    intercept, beta = float(np.log(rate / (1 - rate))), np.zeros(sample.matrix.shape[1])
    penalty = np.full(count, _PRIOR_DOF / _PRIOR_SPREAD)
    dof = 1.0
    for _ in range(steps):
        intercept, beta, gamma = _newton(sample, intercept, beta, penalty[groups.group] * scale, groups.signs)
        penalty = _penalties(groups, gamma, beta)
        dof = 1.0 + float(gamma.sum())
    return Fit(intercept, beta, penalty * scale, dof)


def polished(sample: Sample, groups: Groups, start: Fit, steps: int = 2) -> Fit:
    """The coefficients under the penalties of `start`, over a larger sample of the same rows."""
    intercept, beta, dof = start.intercept, start.beta, start.dof
    for _ in range(steps):
        intercept, beta, gamma = _newton(sample, intercept, beta, start.penalty[groups.group], groups.signs)
        dof = 1.0 + float(gamma.sum())
    return Fit(intercept, beta, start.penalty, dof)


def linear(matrix: Matrix, rows: Ints, beta: Floats) -> Floats:
    """The matrix times the coefficients over some rows."""
    out = np.empty(len(rows))
    for at in range(0, len(rows), _BLOCK):
        out[at : at + _BLOCK] = matrix[rows[at : at + _BLOCK]] @ beta.astype(np.float32)
    return out


def _newton(
    sample: Sample, intercept: float, beta: Floats, penalty: Floats, signs: NDArray[np.int8]
) -> tuple[float, Floats, Floats]:
    """One step; also gamma, the effective parameters of every column."""
    hessian, gradient = _moments(sample, intercept, beta)
    inner = penalty * beta
    gradient[1:] -= inner
    hessian[np.arange(1, len(hessian)), np.arange(1, len(hessian))] += penalty
    blocked = (signs != 0) & (beta == 0) & (gradient[1:] * signs <= 0)
    free = np.concatenate([[0], 1 + np.flatnonzero(~blocked)])
    inverse = np.linalg.inv(hessian[np.ix_(free, free)])
    change = np.zeros(len(hessian))
    change[free] = inverse @ gradient[free]
    change *= min(1.0, 2.0 / max(float(np.abs(change).max()), 1e-12))
    gamma = np.zeros(len(beta))
    gamma[free[1:] - 1] = np.clip(1 - penalty[free[1:] - 1] * np.diag(inverse)[1:], 0.0, 1.0)
    moved = beta + change[1:]
    wrong = (signs != 0) & (moved * signs < 0)
    moved[wrong] = 0.0
    gamma[wrong] = 0.0
    return intercept + float(change[0]), moved, gamma


def _moments(sample: Sample, intercept: float, beta: Floats) -> tuple[Floats, Floats]:
    """Information matrix and gradient of the log-likelihood, intercept first; summed over blocks in double precision."""
    width = len(beta)
    hessian, gradient = np.zeros((width + 1, width + 1)), np.zeros(width + 1)
    small = beta.astype(np.float32)
    for at in range(0, len(sample.rows), _BLOCK):
        block = sample.matrix[sample.rows[at : at + _BLOCK]]
        chance = 1 / (1 + np.exp(-np.clip(intercept + (block @ small).astype(np.float64), -30, 30)))
        weight = sample.weight[at : at + _BLOCK]
        off = weight * (sample.label[at : at + _BLOCK] - chance)
        curve = weight * chance * (1 - chance)
        root = block * np.sqrt(curve).astype(np.float32)[:, None]
        hessian[1:, 1:] += root.T @ root
        hessian[0, 0] += curve.sum()
        hessian[0, 1:] += curve.astype(np.float32) @ block
        gradient[0] += off.sum()
        gradient[1:] += off.astype(np.float32) @ block
    hessian[1:, 0] = hessian[0, 1:]
    return hessian, gradient


def _penalties(groups: Groups, gamma: Floats, beta: Floats) -> Floats:
    """λ of each group: its own fixed point, held towards its family's, itself held towards the starting spread."""
    own = np.bincount(groups.group, weights=gamma, minlength=len(groups.family))
    size = np.bincount(groups.group, weights=beta * beta, minlength=len(groups.family))
    out = np.empty(len(groups.family))
    for family in range(int(groups.family.max()) + 1 if len(groups.family) else 0):
        members = groups.family == family
        shared = (own[members].sum() + _PRIOR_DOF) / (size[members].sum() + _PRIOR_DOF * _PRIOR_SPREAD)
        if np.isinf(groups.own_dof):
            out[members] = shared
        else:
            out[members] = (own[members] + groups.own_dof) / (size[members] + groups.own_dof / shared)
    return np.clip(out, *_LAMBDA)


def stacked(groups: Sequence[tuple[int, int, int]], own_dof: float) -> Groups:
    """Groups from (columns, family, sign) in the order of the columns."""
    group = np.concatenate([np.full(n, k) for k, (n, _, _) in enumerate(groups)]) if groups else np.zeros(0)
    signs = np.concatenate([np.full(n, s) for n, _, s in groups]) if groups else np.zeros(0)
    family = np.array([f for _, f, _ in groups], dtype=np.int64)
    return Groups(group.astype(np.int64), family, signs.astype(np.int8), own_dof)
