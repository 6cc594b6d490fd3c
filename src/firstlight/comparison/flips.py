"""The sign-flip test: what the differences would be if each pair's order were a coin's."""

import math
from collections.abc import Sequence

import numpy as np

#: Up to so many pairs all 2^n flips are tried.
EXACT = 16

_DRAWS, _SEED = 10_000, 0


def flip_test(differences: Sequence[float] | np.ndarray) -> float:
    """Return the two-sided p of the mean of paired differences, under flips of their signs.

    The share of sign patterns whose |sum| is no less than the one found: all 2^n up to n = 16;
    beyond that (1 + hits) / (1 + 10,000) of random ones under a fixed seed. It asks for no
    normal distribution, only that a difference be as likely as its negative.

    No p is below ``smallest_p(n)``: five seeds reach 0.0625, so that six are the fewest with
    which this test can call anything significant at 5 %. NaN without pairs, or where one has no
    finite value; 1 where all are zero. Equal differences, which leave the t test undefined, are
    no exception here.

    Args:
        differences: one for each pair, independent of each other.

    Example:
        >>> from firstlight.comparison.flips import flip_test
        >>> flip_test([1.0, 2.0, 3.0]), flip_test([1.0, 2.0, -3.0])
        (0.25, 1.0)

    Source: Fisher 1935, The Design of Experiments, section 21; for random flips Phipson and
    Smyth 2010, arXiv:1603.05766.
    """
    sizes = np.sort(np.abs(np.asarray(differences, dtype=np.float64)))  # in any order the same
    if not len(sizes) or not np.isfinite(sizes).all():
        return math.nan
    if sizes[-1] == 0:
        return 1.0
    scale = sizes[-1]
    found = abs(float((np.asarray(differences, dtype=np.float64) / scale).sum()))
    least = found - 1e-9 * len(sizes)  # sums that differ by rounding are alike
    if len(sizes) <= EXACT:
        return float((np.abs(_all(sizes / scale)) >= least).mean())
    signs = np.random.default_rng(_SEED).choice([-1.0, 1.0], (_DRAWS, len(sizes)))
    hits = int((np.abs(signs @ (sizes / scale)) >= least).sum())
    return (1 + hits) / (1 + _DRAWS)


def smallest_p(pairs: int) -> float:
    """Return the bound that no p of so many pairs is below: 2^(1 - n), reached with one sign.

    Beyond 16 pairs flips are drawn, and it is 1 / 10,001.

    Example:
        >>> from firstlight.comparison.flips import smallest_p
        >>> [smallest_p(pairs) for pairs in (3, 5, 6)]
        [0.25, 0.0625, 0.03125]
    """
    return 2.0 ** (1 - pairs) if pairs <= EXACT else 1 / (1 + _DRAWS)


def _all(sizes: np.ndarray) -> np.ndarray:
    """Return the sums under all patterns, but for the one sign that |sum| does not see."""
    sums = sizes[:1]
    for size in sizes[1:]:
        sums = np.concatenate([sums + size, sums - size])
    return sums
