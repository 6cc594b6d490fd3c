"""Forest plot: each scheme's difference to the baseline with its interval, on one axis.

Positions are percentages of the plot's width, so that the page can draw it at any size, without
a script.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.ticker import MaxNLocator

from firstlight.comparison.statistics import Estimate
from firstlight.report.group import Group, Row
from firstlight.report.notation import MINUS

#: An interval this many times wider than the usual one is cut, so that it does not hide the rest.
_CUT = 6.0


@dataclass(frozen=True)
class Mark:
    """Where the interval of one scheme lies, in percent of the width."""

    row: Row
    low: float
    middle: float | None  # None: beyond the axis, or no run finished
    high: float
    cut_low: bool
    cut_high: bool


@dataclass(frozen=True)
class Forest:
    """Marks, the position of zero, and ticks as (position, label in points)."""

    marks: tuple[Mark, ...]
    zero: float
    ticks: tuple[tuple[float, str], ...]


def forest(group: Group) -> Forest | None:
    """Lay out the differences of ``group`` to its baseline; None where none has an interval."""
    shown = [row for row in group.rows if not math.isnan(row.difference.mean)]
    if all(math.isnan(row.difference.low) for row in shown):
        return None
    low, high = _axis([row.difference for row in shown])

    def place(value: float) -> float:
        return round(4 + 92 * (min(max(value, low), high) - low) / (high - low), 3)

    marks = []
    for row in shown:
        left, middle, right = _ends(row.difference)
        marks.append(
            Mark(
                row,
                low=place(left),
                middle=place(middle) if low <= middle <= high else None,
                high=place(right),
                cut_low=left < low,
                cut_high=right > high,
            )
        )
    values = MaxNLocator(5, steps=[1, 2, 5, 10]).tick_values(100 * low, 100 * high)
    ticks = tuple(
        (place(value / 100), f"{value:+.4g}".replace("-", MINUS) if value else "0")
        for value in values
        if low <= value / 100 <= high
    )
    return Forest(tuple(marks), place(0.0), ticks)


def _ends(difference: Estimate) -> tuple[float, float, float]:
    """A difference of one pair has no interval: its ends are the difference itself."""
    if math.isnan(difference.low) or math.isnan(difference.high):
        return difference.mean, difference.mean, difference.mean
    return difference.low, difference.mean, difference.high


def _axis(differences: Sequence[Estimate]) -> tuple[float, float]:
    """Frame zero and all intervals but the wild ones."""
    ends = np.array([_ends(difference) for difference in differences])
    reach = np.abs(ends).max(axis=1)
    kept = ends[reach <= _CUT * np.median(reach)]
    low, high = min(0.0, kept.min()), max(0.0, kept.max())
    return (low, high) if high > low else (-0.01, 0.01)
