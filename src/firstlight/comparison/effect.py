"""How large a paired difference is against its spread, and how often it has its sign."""

import math
from collections.abc import Sequence

import numpy as np
from scipy.special import gammaln

from firstlight.comparison.estimate import CONFIDENCE, ROUNDING, Estimate

#: Beyond this t the noncentral t of SciPy loses digits, and its limit is as exact.
_LARGE = 300.0


def effect(differences: Sequence[float]) -> Estimate:
    """Return Hedges' corrected standardized mean of paired differences, with its interval.

    g = J(n - 1) mean / s with J(m) = Γ(m / 2) / (sqrt(m / 2) Γ((m - 1) / 2)), which makes it
    unbiased for the true δ = μ / σ. The interval holds every δ under which neither tail beyond
    t = sqrt(n) mean / s, noncentral t with parameter sqrt(n) δ, is rarer than 2.5 %; it is that
    of δ itself and needs no correction. p stays NaN: the test is that of ``estimate``.

    Fewer than three pairs have no unbiased g: all is NaN. So it is for equal differences, as
    those of deterministic schemes can be: nothing is known of their spread. Where all of them
    are zero, g is 0 without an interval.

    Args:
        differences: one for each pair, independent of each other.

    Example:
        >>> from firstlight.comparison.effect import effect
        >>> [round(number, 3) for number in effect([1.0, 2.0, 3.0])[:3]]
        [1.128, -0.142, 4.105]

    Source: Hedges 1981, doi:10.3102/10769986006002107; Cumming and Finch 2001,
    doi:10.1177/0013164401614002.
    """
    values = np.asarray(differences, dtype=np.float64)
    if len(values) < 3 or not np.isfinite(values).all():
        return Estimate()
    if not values.any():
        return Estimate(0.0)
    size = standardized(values)
    if math.isnan(size):
        return Estimate()
    root, freedom = math.sqrt(len(values)), len(values) - 1
    low, high = (_parameter(root * size, freedom, share) / root for share in _tails())
    return Estimate(_unbiased(freedom) * size, low, high)


def standardized(differences: Sequence[float] | np.ndarray) -> float:
    """Return d_z = mean / s; NaN of fewer than two differences, or of equal ones.

    Example:
        >>> from firstlight.comparison.effect import standardized
        >>> standardized([1.0, 2.0, 3.0]), standardized([1.0, 1.0])
        (2.0, nan)
    """
    values = np.asarray(differences, dtype=np.float64)
    if len(values) < 2 or not np.isfinite(values).all():
        return math.nan
    spread = float(values.std(ddof=1))
    equal = spread <= ROUNDING * np.abs(values).max()
    return math.nan if equal else float(values.mean()) / spread


def wins(differences: Sequence[float]) -> float:
    """Return the share of pairs that are won, ties half: the probability of superiority.

    It needs no spread, and is NaN without pairs or where one has no value.

    Example:
        >>> from firstlight.comparison.effect import wins
        >>> wins([0.1, 0.3, 0.0, -0.2])
        0.625
    """
    values = np.asarray(differences, dtype=np.float64)
    if not len(values) or np.isnan(values).any():
        return math.nan
    return float((np.sign(values).mean() + 1) / 2)


def _unbiased(freedom: int) -> float:
    """Return J, one over the mean of σ / s."""
    log = gammaln(freedom / 2) - gammaln((freedom - 1) / 2)
    return float(math.exp(log) / math.sqrt(freedom / 2))


def _tails() -> tuple[float, float]:
    return (1 + CONFIDENCE) / 2, (1 - CONFIDENCE) / 2


def _parameter(t: float, freedom: int, share: float) -> float:
    """Return the noncentral parameter under which ``share`` of all values lie below ``t``."""
    from scipy import stats  # slow to import, so only here
    from scipy.optimize import brentq

    if t < 0:
        return -_parameter(-t, freedom, 1 - share)
    if t > _LARGE:  # T is the parameter over s, but for an error of size 1
        return float(t * stats.chi.ppf(1 - share, freedom) / math.sqrt(freedom))
    # t + z is the answer where the spread is known; a spread so far off is rarer than any share
    reach = 10.0 + 3.0 * t
    return float(brentq(lambda nc: stats.nct.cdf(t, freedom, nc) - share, -reach, reach))
