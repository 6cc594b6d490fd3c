"""Several tests at once: how much less each of them says."""

import math
from collections.abc import Sequence


def holm(p: Sequence[float]) -> list[float]:
    """Adjust p-values so that all tests together err with the level of one (Holm 1979).

    The k-th smallest of m, counted from 0, becomes the largest of (m - j) p_j over j <= k, at
    most 1. NaN, a test that could not be made, stays NaN and does not count.

    Example:
        >>> from firstlight.comparison.holm import holm
        >>> holm([0.25, 0.0625, 0.5])
        [0.5, 0.1875, 0.5]
    """
    adjusted, largest = [math.nan] * len(p), 0.0
    known = sorted((value, index) for index, value in enumerate(p) if not math.isnan(value))
    for rank, (value, index) in enumerate(known):
        largest = max(largest, min(1.0, (len(known) - rank) * value))
        adjusted[index] = largest
    return adjusted
