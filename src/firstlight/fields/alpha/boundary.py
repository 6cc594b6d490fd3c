"""The largest weight scale whose level is near the best, found with few looks."""

from collections.abc import Callable

#: Weight scales that are looked at differ by this factor; around the boundary by its root.
STEP = 2 ** (1 / 3)
#: A smaller weight scale must gain so many dB, or smaller ones are not looked at.
_GAIN = 0.15

#: Levels in dB by weight scale.
Levels = dict[float, float]


def search(level: Callable[[float], float], start: float, tolerance: float, most: float) -> Levels:
    """Look at weight scales around ``start``, down to the best and up to where it is lost.

    Args:
        level: of a weight scale, in dB; falls beyond its best.
        start: where to begin, 1 or more.
        tolerance: in dB, what may be lost.
        most: the largest that is looked at.

    Returns:
        Levels by weight scale, ascending.

    Example:
        >>> found = search(lambda alpha: -10 * (alpha - 1.5) ** 2, 1.5, 0.3, 4.0)
        >>> [round(alpha, 2) for alpha in found]
        [1.19, 1.5, 1.68, 1.89]
    """
    levels = {start: level(start)}
    alpha = start
    while alpha > 1:
        alpha, before = max(1.0, alpha / STEP), max(levels.values())
        levels[alpha] = level(alpha)
        if levels[alpha] < before + _GAIN:
            break
    alpha = max(levels)
    while alpha < most and levels[alpha] >= max(levels.values()) - tolerance:
        alpha = min(most, alpha * STEP)
        levels[alpha] = level(alpha)
    inside, beyond = _around(levels, tolerance)
    if inside < beyond:
        alpha = (inside * beyond) ** 0.5
        levels[alpha] = level(alpha)
    return dict(sorted(levels.items()))


def _around(levels: Levels, tolerance: float) -> tuple[float, float]:
    """The largest weight scale near the best, and the next one; the same where there is none."""
    least = max(levels.values()) - tolerance
    inside = max(alpha for alpha, level in levels.items() if level >= least)
    return inside, min((alpha for alpha in levels if alpha > inside), default=inside)


def crossing(levels: Levels, tolerance: float) -> float:
    """The largest weight scale at which the level, a line between its points, is near the best.

    Example:
        >>> crossing({1.0: 20.0, 2.0: 19.0}, 0.25)
        1.25
    """
    inside, beyond = _around(levels, tolerance)
    if inside == beyond:
        return inside
    spare = levels[inside] - max(levels.values()) + tolerance
    return inside + spare / (levels[inside] - levels[beyond]) * (beyond - inside)
