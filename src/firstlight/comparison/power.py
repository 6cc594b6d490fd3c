"""How many paired seeds find a difference, and how small a difference some seeds find."""

import math

import numpy as np

from firstlight.comparison.estimate import CONFIDENCE
from firstlight.errors import OptionError, number, positive, whole_number

#: Beyond so many seeds Student's t is the normal distribution to more digits than are shown.
_MANY = 100_000


def power_of(effect: float, seeds: int, tests: int = 1) -> float:
    """Return how often a paired t-test finds a true standardized difference.

    P(|T| > t(1 - α / 2, n - 1)) with T noncentral t of n - 1 degrees of freedom and parameter
    sqrt(n) δ, where α = 0.05 / ``tests``: what Bonferroni asks of each, and Holm of the first.

    Args:
        effect: δ = μ / σ of the paired differences.
        seeds: n, at least 2.
        tests: made at once.

    Raises:
        OptionError: fewer seeds than 2.

    Example:
        >>> from firstlight.comparison.power import power_of
        >>> round(power_of(0.5, 34), 3)
        0.808

    Source: Cohen 1988, Statistical Power Analysis for the Behavioral Sciences, chapter 2.
    """
    from scipy import stats  # slow to import, so only here

    freedom = whole_number(seeds, "seeds", 2, 10**9) - 1
    critical = float(stats.t.isf(_level(tests) / 2, freedom))
    parameter = math.sqrt(seeds) * abs(effect)
    if parameter > 1e3 or critical > 1e3:  # SciPy's noncentral t loses digits: its limit
        return float(stats.chi.cdf(math.sqrt(freedom) * parameter / critical, freedom))
    upper = stats.nct.sf(critical, freedom, parameter)
    lower = stats.nct.cdf(-critical, freedom, parameter)
    return float(upper + np.nan_to_num(lower))  # the far tail can underflow


def seeds_needed(difference: float, spread: float, power: float = 0.8, tests: int = 1) -> int:
    """Return the fewest paired seeds with which a t-test finds a true difference.

    The smallest n >= 2 for which ``power_of(difference / spread, n, tests)`` reaches ``power``.
    From the difference and the spread that a few seeds showed it is a rough guide: three seeds
    know a spread to within a factor of 0.5 to 6.

    Args:
        difference: the true mean difference, not 0.
        spread: standard deviation of the paired differences.
        power: share of experiments that are to find it.
        tests: made at once; the level is 0.05 / ``tests``.

    Raises:
        OptionError: an argument out of range.

    Example:
        >>> from firstlight.comparison.power import seeds_needed
        >>> seeds_needed(0.005, 0.01), seeds_needed(0.005, 0.01, tests=5)
        (34, 51)

    Source: see ``power_of``.
    """
    from scipy.special import ndtri

    effect = positive(abs(number(difference, "difference")), "difference's size")
    effect /= _checked(spread, power, tests)
    if power_of(effect, 2, tests) >= power:
        return 2
    quantiles = float(ndtri(power) - ndtri(_level(tests) / 2))
    enough = max(2, math.ceil((quantiles / effect) ** 2))
    if enough > _MANY:
        return enough
    while power_of(effect, enough, tests) < power:
        enough *= 2
    few = 2
    while enough - few > 1:
        middle = (few + enough) // 2
        if power_of(effect, middle, tests) >= power:
            enough = middle
        else:
            few = middle
    return enough


def _checked(spread: float, power: float, tests: int) -> float:
    """Return ``spread``; raise ``OptionError`` where a t-test cannot be planned so."""
    whole_number(tests, "tests", 1, 10**6)
    if not _level(tests) < number(power, "power") < 1:
        raise OptionError(
            f"power must be above the level {_level(tests):g} and below 1, got {power!r}"
        )
    return positive(spread, "spread")


def _level(tests: int) -> float:
    return (1 - CONFIDENCE) / tests
