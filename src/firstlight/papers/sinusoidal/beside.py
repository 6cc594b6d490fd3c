"""A published number beside ours: the text of an interval, and whether the two agree."""

import math
from collections.abc import Sequence

import numpy as np
from scipy import stats

from firstlight.comparison.estimate import CONFIDENCE, estimate
from firstlight.papers.finding import Verdict

#: Fewer runs say nothing about their own scatter.
FEWEST = 4


def interval(values: Sequence[float], digits: int = 1, unit: str = "") -> str:
    """Return mean and 95 % interval over runs as text; that of a percentage ends at 0 and 100.

    Example:
        >>> interval([1.0, 2.0, 3.0], unit="%")
        '2.0% [0.0, 4.5]'
    """
    mean, low, high, _ = estimate(values)
    if unit.strip() == "%":
        low, high = max(low, 0.0), min(high, 100.0)
    shown = f"{mean:.{digits}f}{unit}"
    return shown if math.isnan(low) else f"{shown} [{low:.{digits}f}, {high:.{digits}f}]"


def scatter(values: Sequence[float]) -> tuple[float, float]:
    """Return where a further single run of the same kind falls with 95 % probability.

        mean ± t(0.975, n - 1) s sqrt(1 + 1/n)

    Example:
        >>> low, high = scatter([1.0, 2.0, 3.0])
        >>> round(low, 2), round(high, 2)
        (-2.97, 6.97)
    """
    found = np.asarray(values, dtype=np.float64)
    reach = stats.t.ppf((1 + CONFIDENCE) / 2, len(found) - 1) * found.std(ddof=1)
    half = float(reach) * math.sqrt(1 + 1 / len(found))
    return float(found.mean()) - half, float(found.mean()) + half


def agrees(published: float, values: Sequence[float], digits: int = 1) -> Verdict:
    """Judge a published number, of one run and rounded, by how single runs scatter here.

    Args:
        published: rounded to ``digits``.
        values: of runs here; fewer than four leave it open.
        digits: behind the point.

    Example:
        >>> runs = [1.0, 1.1, 0.9, 1.0]
        >>> agrees(1.1, runs), agrees(2.0, runs), agrees(1.0, runs[:1])
        ('same', 'differs', 'open')
    """
    if len(values) < FEWEST:
        return "open"
    low, high = scatter(values)
    half_digit = 0.5 * 10.0**-digits
    return "same" if low - half_digit <= published <= high + half_digit else "differs"
