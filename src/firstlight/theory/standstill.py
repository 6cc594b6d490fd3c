"""Where a map of variances stands still, and how fast it gets there."""

import math
from collections.abc import Callable

#: Steps of the search, as a factor; below SMALL, where maps are straight lines, it is 10.
STEP, SMALL = 10**0.125, 1e-4
#: Below it a variance that nothing feeds is 0; below TINY, too, once it stands still.
FLOOR, TINY = 1e-14, 1e-10
#: A variance that moves by less than this part of itself stands still.
ROUNDING = 1e-12


def first_standstill(advance: Callable[[float], float], start: float, limit: float) -> float:
    """First fixed point of a map from ``start`` on, in the direction in which it moves.

    Args:
        advance: maps a variance to that of the next layer.
        start: above 0.
        limit: beyond which it grows without bound.

    Returns:
        The fixed point; 0.0 where variances die out, infinity where they pass the limit.

    Example:
        >>> first_standstill(lambda q: 0.5 * q + 1, start=1.0, limit=1e6)
        2.0
    """
    from scipy.optimize import brentq  # slow to import, so only here

    def growth(q: float) -> float:
        return advance(q) - q

    here, first = start, growth(start)
    if abs(first) <= ROUNDING * start:
        return start
    up = first > 0
    while True:
        step = STEP if here > SMALL else 10.0
        following = here * step if up else here / step
        if following > limit:
            return math.inf
        if not up and following < FLOOR:
            if advance(0.0) <= 0:
                return 0.0
            return float(brentq(growth, 0.0, here, xtol=1e-30))
        moved = growth(following)
        # What grows by a constant moves relatively little, but never less.
        if abs(moved) <= min(ROUNDING * following, 0.1 * abs(first)):
            return following if up or following > TINY or advance(0.0) > 0 else 0.0
        if (moved > 0) != up:
            low, high = sorted((here, following))
            return float(brentq(growth, low, high, xtol=1e-15 * low))
        here = following


def contraction_length(slope: float, tolerance: float) -> float:
    """Steps over which a distance that shrinks by ``slope`` per step falls by the factor e.

        -1 / ln |slope|; infinite from 1 - tolerance on, and 0 where the slope is 0.

    Example:
        >>> contraction_length(math.exp(-0.25), 1e-6), contraction_length(1.0, 1e-6)
        (4.0, inf)
    """
    if abs(slope) >= 1 - tolerance:
        return math.inf
    return -1 / math.log(abs(slope)) if slope else 0.0
