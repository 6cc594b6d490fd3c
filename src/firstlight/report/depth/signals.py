"""Spread and gradients by layer, before training."""

import math
import statistics
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from firstlight.report.canvas import SOFT, dashes, plain_axes
from firstlight.report.depth.look import compared, data_name, groups, heading, looks
from firstlight.report.fields.labels import Label, label_ends
from firstlight.report.fields.sheet import Sheet
from firstlight.report.palette import Style

if TYPE_CHECKING:
    from firstlight.studies.depth_result import DepthRow, DepthStudy

#: Below, a signal is gone, and how far does not matter.
_LEAST = 1e-18


def signals(study: "DepthStudy") -> Figure | None:
    """Draw two panels for each network: activations forward, gradients backward."""
    shown = [rows for rows in groups(study) if rows[0].network.depth > 1]
    if not shown:
        return None
    longest = max(len(row.start.label) for rows in shown for row in compared(rows))
    sheet = Sheet(3.6, 2.4, 2, right=0.35 + 0.078 * longest, above=0.42)
    title = f"Signals before training: {data_name(study)}"
    said = "medians over seeds; below 1e-18 not drawn"
    figure, axes = sheet.figure(2 * len(shown), title, said)
    style = looks(study)
    for number, rows in enumerate(shown):
        forward, backward = axes[2 * number : 2 * number + 2]
        _draw(forward, rows, style, "spread", 0)
        _draw(backward, rows, style, "gradient", -1)
        name = heading(rows[0])
        forward.set_title(name, loc="left", size=9, color=SOFT, pad=6)
        forward.set_ylabel("spread over the first layer's", size=8.5, color=SOFT)
        backward.set_ylabel("gradient over the last layer's", size=8.5, color=SOFT)
    return figure


def _draw(
    axes: Axes, rows: "tuple[DepthRow, ...]", style: dict[str, Style], what: str, base: int
) -> None:
    axes.set_yscale("log")
    ends = []
    for row in compared(rows):
        layers, values = relative(row, what, base)
        look = style[row.start.label]
        kept = values > _LEAST
        axes.plot(layers[kept], values[kept], color=look.light, linestyle=dashes(look), lw=1.5)
        if kept.any():
            label = Label(row.start.label, layers[kept][-1], values[kept][-1], look.light)
            ends.append(label)
    plain_axes(axes, "")
    axes.minorticks_off()
    axes.set_xlim(1, rows[0].network.depth)
    _whole_decades(axes)
    axes.set_xlabel("hidden layer", size=9, color=SOFT)
    label_ends(axes, ends)


def _whole_decades(axes: Axes) -> None:
    """Widen the vertical axis to powers of ten, so that at least two are named."""
    low, high = (math.log10(end) for end in axes.get_ylim())
    axes.set_ylim(10.0 ** min(math.floor(low), -1), 10.0 ** max(math.ceil(high), 0))


def relative(row: "DepthRow", what: str, base: int) -> tuple[np.ndarray, np.ndarray]:
    """Layers, and the median over seeds of a number relative to the one of layer ``base``."""
    curves = []
    for signal in row.found.signals:
        values = getattr(signal, what)
        curves.append([value / values[base] if values[base] else 0.0 for value in values])
    medians = [statistics.median(column) for column in zip(*curves, strict=True)]
    return np.array(row.found.signals[0].layers), np.array(medians)
