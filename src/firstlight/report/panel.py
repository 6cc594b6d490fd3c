"""What one panel of curves shows: each scheme's mean, band and single runs, and the limits.

Both the PNG and the HTML draw a panel, so that they show the same thing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from firstlight.comparison.statistics import band
from firstlight.report.group import Group, Row

#: One value per epoch.
Curve = NDArray[np.float64]

Measure = Literal["accuracy", "loss"]


class Band(NamedTuple):
    """Mean over seeds and its 95 % interval, one value per epoch; NaN where undefined."""

    mean: Curve
    low: Curve
    high: Curve


@dataclass(frozen=True)
class Line:
    """The curves of one scheme. Only finished runs enter the mean; failed ones are drawn too."""

    row: Row
    band: Band | None
    finished: tuple[tuple[float, ...], ...]
    failed: tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Panel:
    """All curves of one measure in one group."""

    measure: Measure
    title: str
    lines: tuple[Line, ...]
    epochs: int
    limits: tuple[float, float]

    @property
    def reach(self) -> tuple[float, float]:
        """The limits of the epochs, with room for markers; one or two epochs get more."""
        pad = max(0.5 if self.epochs < 3 else 0.0, 0.03 * self.epochs)
        return 1 - pad, self.epochs + pad


def panels(group: Group) -> tuple[Panel, Panel]:
    """Collect the curves of ``group``: accuracy in percent, and loss."""
    accuracy = tuple(_line(row, "accuracy", 100.0) for row in group.rows)
    loss = tuple(_line(row, "loss", 1.0) for row in group.rows)
    epochs = max(run.spec.epochs for run in group.runs)
    return (
        Panel("accuracy", "Validation accuracy, %", accuracy, epochs, _limits(accuracy, 100.0)),
        Panel("loss", "Validation loss", loss, epochs, _limits(loss, np.inf)),
    )


def _line(row: Row, measure: Measure, scale: float) -> Line:
    def curves(runs: Sequence) -> tuple[tuple[float, ...], ...]:
        return tuple(tuple(scale * value for value in getattr(run, measure)) for run in runs)

    finished = curves(row.finished)
    mean = Band(*band(np.array(finished))) if finished else None
    return Line(row, mean, finished, curves(row.failed))


def _limits(lines: Sequence[Line], ceiling: float) -> tuple[float, float]:
    """Frame all finished runs, and of the bands as much as leaves the runs readable.

    The band of two seeds can be a hundred times wider than the runs that it stands for.
    """
    values = [value for line in lines for curve in line.finished for value in curve]
    if not values:
        return 0.0, min(ceiling, 1.0)
    low, high = min(values), max(values)
    room = 0.5 * (high - low) or 0.05 * abs(high) or 1.0
    bands = [line.band for line in lines if line.band is not None]
    edges = np.concatenate([edge for found in bands for edge in (found.low, found.high)])
    edges = np.append(edges[np.isfinite(edges)], (low, high))
    low = max(edges.min(), low - room, 0.0)
    high = min(edges.max(), high + room, ceiling)
    margin = 0.04 * (high - low) or room
    return low - margin, high + margin
