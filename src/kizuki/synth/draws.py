"""Random numbers by purpose: one seed, one independent stream per name; changing one part leaves the others as they were."""

import zlib
from typing import Any

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[Any]
Floats = npt.NDArray[Any]


class Streams:
    """Independent generators derived from the city's seed and a stream name."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def of(self, name: str) -> np.random.Generator:
        """The generator of one purpose; asking twice gives the same sequence again."""
        return np.random.Generator(np.random.PCG64(np.random.SeedSequence([self.seed, zlib.crc32(name.encode())])))


def pick(rng: np.random.Generator, weights: Floats, size: int) -> Ints:
    """Positions drawn with the given weights (faster than `Generator.choice` for large draws)."""
    cumulative = np.cumsum(np.asarray(weights, float))
    out: Ints = np.searchsorted(cumulative, rng.random(size) * cumulative[-1], side="right").astype(np.int32)
    return out


def logistic(x: Floats) -> Floats:
    """1 / (1 + e^-x)."""
    return 1.0 / (1.0 + np.exp(-x))


def intercept_for(linear: Floats, share: float) -> float:
    """The constant that makes the mean of logistic(constant + linear) equal to `share` (bisection)."""
    low, high = -25.0, 25.0
    for _ in range(60):
        middle = (low + high) / 2
        if float(np.mean(logistic(middle + linear))) < share:
            low = middle
        else:
            high = middle
    return (low + high) / 2
