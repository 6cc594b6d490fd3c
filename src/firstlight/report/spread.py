"""Labels side by side without overlapping."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression


def spread(positions: Sequence[float], gap: float, low: float, high: float) -> NDArray[np.float64]:
    """Move labels as little as possible so that they keep ``gap`` from each other.

    Minimises sum_i (y_i - x_i)^2 with y_(i+1) - y_i >= gap and low <= y <= high, in the order of
    the positions. With z_i = y_i - i gap this is isotonic regression, and bounds are a clip.
    Where the room is too small for all gaps, the gap shrinks.

    Example:
        >>> spread([1.0, 1.1, 5.0], gap=1.0, low=0.0, high=10.0).round(2).tolist()
        [0.55, 1.55, 5.0]
    """
    x = np.asarray(positions, dtype=np.float64)
    gap = min(gap, (high - low) / max(1, len(x) - 1))
    order = np.argsort(x, kind="stable")
    steps = gap * np.arange(len(x))
    fitted = isotonic_regression(x[order] - steps).x
    placed = np.empty_like(x)
    placed[order] = np.clip(fitted, low, high - steps[-1]) + steps
    return placed
