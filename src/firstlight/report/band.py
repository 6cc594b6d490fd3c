"""The mean curve over seeds with its pointwise 95 % band."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Curve = NDArray[np.float64]


@dataclass(frozen=True)
class Band:
    """Mean over seeds and its 95 % interval, one value per epoch; NaN where undefined."""

    mean: Curve
    low: Curve
    high: Curve


def band(curves: Sequence[Sequence[float]]) -> Band:
    """Average curves of equal length: mean ± t_{0.975, n-1} * s / sqrt(n) at every epoch.

    Args:
        curves: one sequence of values per seed, all of the same length.

    Example:
        >>> found = band([[0.1, 0.4], [0.3, 0.4]])
        >>> found.mean.round(2).tolist(), found.low.round(2).tolist()
        ([0.2, 0.4], [-1.07, 0.4])
    """
    values = np.asarray(curves, dtype=np.float64)
    mean = values.mean(axis=0)
    n = len(values)
    if n < 2:
        return Band(mean, np.full_like(mean, np.nan), np.full_like(mean, np.nan))
    half = stats.t.ppf(0.975, n - 1) * values.std(axis=0, ddof=1) / np.sqrt(n)
    return Band(mean, mean - half, mean + half)
