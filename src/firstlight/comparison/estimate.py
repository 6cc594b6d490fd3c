"""A mean of independent measurements, its interval, and its test against zero."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import stdtr, stdtrit

#: Share of intervals that hold the true mean, and 1 - the level of every test.
CONFIDENCE = 0.95

#: Differences that spread less than this share of the largest are equal but for rounding.
ROUNDING = 1e-12


class Estimate(NamedTuple):
    """A mean, its interval, and how likely data like these are where the true mean is zero."""

    mean: float = math.nan
    low: float = math.nan
    high: float = math.nan
    p: float = math.nan


def band(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return mean, low and high over the runs, at every epoch by itself.

    Student's t: mean ± t(0.975, n - 1) * s / sqrt(n); NaN for low and high of fewer than two
    runs. Equal values have an interval of no width.

    Args:
        values: (runs, epochs) or (runs,), at least one run, independent of each other.

    Example:
        >>> import numpy as np
        >>> from firstlight.comparison.estimate import band
        >>> mean, low, high = band(np.array([[1.0, 5.0], [2.0, 5.0], [3.0, 5.0]]))
        >>> mean.round(3).tolist(), low.round(3).tolist(), high.round(3).tolist()
        ([2.0, 5.0], [-0.484, 5.0], [4.484, 5.0])
    """
    values = np.asarray(values, dtype=np.float64)
    mean = values.mean(axis=0)
    if len(values) < 2:
        return mean, np.full_like(mean, np.nan), np.full_like(mean, np.nan)
    spread = values.std(axis=0, ddof=1)
    equal = spread <= ROUNDING * np.abs(values).max(axis=0)  # but for rounding
    error = np.where(equal, 0.0, spread / math.sqrt(len(values)))
    half = stdtrit(len(values) - 1, (1 + CONFIDENCE) / 2) * error
    return mean, mean - half, mean + half


def estimate(values: Sequence[float]) -> Estimate:
    """Estimate a mean with its interval, see ``band``, and test it against zero.

    Of fewer than two values nothing but the mean is known. Values without spread leave the test
    undefined: p is NaN, or 1 where all of them are zero.

    Args:
        values: independent measurements.

    Example:
        >>> from firstlight.comparison.estimate import estimate
        >>> [round(number, 3) for number in estimate([1.0, 2.0, 3.0])]
        [2.0, -0.484, 4.484, 0.074]
    """
    if not len(values) or not np.isfinite(values).all():
        return Estimate()
    mean, low, high = (float(part) for part in band(np.asarray(values)))
    if low < high:
        t = mean / (np.std(values, ddof=1) / math.sqrt(len(values)))
        p = 2 * float(stdtr(len(values) - 1, -abs(t)))
    else:  # no spread, or one value
        p = 1.0 if low == 0 else math.nan
    return Estimate(mean, low, high, p)
