"""The median of few runs, and an interval that needs no bell curve."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

#: How surely an interval should hold the median, where there are runs enough.
_LEVEL = 0.95


class Median(NamedTuple):
    """A median over independent runs.

    Attributes:
        median: of the values.
        low: an order statistic below it.
        high: one above it.
        coverage: chance that such an interval holds the true median, whatever the distribution.
    """

    median: float
    low: float
    high: float
    coverage: float


def median_of(values: Sequence[float]) -> Median:
    """Estimate a median from order statistics.

        P(x_(k) <= median <= x_(n+1-k)) = 1 - 2 sum_{i<k} C(n, i) / 2^n

    k is the largest with a chance of 95 % or more, or else 1: three runs have from the least to the
    largest, and 75 %; it takes six runs for 95 %.

    Args:
        values: at least one; infinite ones count as larger than all others.

    Example:
        >>> median_of([0.3, 0.1, 0.2])
        Median(median=0.2, low=0.1, high=0.3, coverage=0.75)
    """
    ordered = sorted(math.inf if math.isnan(value) else value for value in values)
    count = len(ordered)
    k = max([1, *(k for k in range(1, count // 2 + 1) if _coverage(count, k) >= _LEVEL)])
    middle = ordered[count // 2] if count % 2 else float(np.mean(ordered[count // 2 - 1 :][:2]))
    return Median(middle, ordered[k - 1], ordered[count - k], max(0.0, _coverage(count, k)))


def _coverage(count: int, k: int) -> float:
    return 1 - 2 * sum(math.comb(count, i) for i in range(k)) / 2**count
