"""Bootstrap intervals over questions (Efron 1979): of a mean, and of the difference of two systems on the same questions."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from eval.limits import BOOTSTRAP_SEED, CONFIDENCE, RESAMPLES

_CELLS = 4_000_000
"""Drawn at once: bounds memory to some tens of megabytes."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean with its percentile interval."""

    mean: float
    low: float
    high: float

    @property
    def is_difference(self) -> bool:
        """Whether it leaves zero out."""
        return self.low > 0 or self.high < 0


def interval(values: Sequence[float]) -> Interval:
    """Of the mean of independent values, at least one. Always the same for the same values."""
    array = np.asarray(values, np.float64)
    assert len(array), "a mean needs values"
    rng = np.random.default_rng(BOOTSTRAP_SEED)
    means = np.concatenate([_resampled(array, rng, count) for count in _portions(len(array))])
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return Interval(float(array.mean()), float(low), float(high))


def paired(first: Sequence[float], second: Sequence[float]) -> Interval:
    """Of the mean difference first - second, question by question: far narrower than two intervals side by side."""
    assert len(first) == len(second), "paired values belong to the same questions"
    return interval(np.subtract(first, second).tolist())


def _resampled(values: np.ndarray, rng: np.random.Generator, count: int) -> np.ndarray:
    return values[rng.integers(0, len(values), (count, len(values)))].mean(axis=1)


def _portions(size: int) -> list[int]:
    at_once = max(1, min(RESAMPLES, _CELLS // size))
    full, rest = divmod(RESAMPLES, at_once)
    return [at_once] * full + ([rest] if rest else [])
