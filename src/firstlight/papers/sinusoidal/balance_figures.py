"""Histograms of row sums, skewed neurons apart from the others."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from firstlight.report.canvas import QUIET, plain_axes

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

#: Degree at which neurons count as skewed in the pictures.
_DEGREE = 0.3
_SKEWED, _OTHERS = "#0072B2", "#E69F00"  # blue and orange, as in the paper
_BINS = 40


def draw_threshold(frame: "pd.DataFrame") -> Mapping[str, Figure]:
    """Draw a histogram of S for each scheme at the largest width, one seed."""
    chosen = frame[(frame["width"] == frame["width"].max()) & (frame["seed"] == 0)]
    schemes = list(dict.fromkeys(chosen["scheme"]))
    figure = Figure(figsize=(3.1 * len(schemes), 3.2), layout="constrained")
    for axes, scheme in zip(np.ravel(figure.subplots(1, len(schemes))), schemes, strict=True):
        rows = chosen[chosen["scheme"] == scheme]
        histogram(axes, rows)
        plain_axes(axes, scheme)
        axes.set_xlabel("row sum S")
    _legend(figure)
    return {"row-sums": figure}


def draw_layers(frame: "pd.DataFrame") -> Mapping[str, Figure]:
    """Draw a grid: layers across, the number of sinusoidal layers down; one seed."""
    depth = int(frame["layer"].max())
    one = frame[frame["seed"] == 0]
    figure = Figure(figsize=(2.5 * depth, 2.0 * (depth + 1)), layout="constrained")
    grid = figure.subplots(depth + 1, depth, squeeze=False)
    for k in range(depth + 1):
        for layer in range(1, depth + 1):
            axes = grid[k][layer - 1]
            rows = one[(one["sinusoidal_layers"] == k) & (one["layer"] == layer)]
            histogram(axes, rows)
            kind = "sinusoidal" if layer <= k else "Glorot"
            plain_axes(axes, f"layer {layer}, {kind}", size=8.5)
    _legend(figure)
    return {"layers": figure}


def histogram(axes: "Axes", rows: "pd.DataFrame") -> None:
    """Stack the skewed neurons of one layer on the others, by their row sums."""
    skewed = (rows["on_share"] - 0.5).abs() > _DEGREE
    parts = [rows["row_sum"][~skewed], rows["row_sum"][skewed]]
    # sums of rounding errors are zero
    reach = max(float(rows["row_sum"].abs().max()), 1e-2)
    bins = np.linspace(-reach, reach, _BINS + 1)
    axes.hist(parts, bins=list(bins), stacked=True, color=[_OTHERS, _SKEWED])
    share = f"{100 * float(skewed.mean()):.1f} %"
    axes.text(0.98, 0.95, share, transform=axes.transAxes, ha="right", va="top", size=8)


def _legend(figure: Figure) -> None:
    note = f"neurons by row sum: blue skewed of degree {_DEGREE}, orange not; their share in %"
    figure.supxlabel(note, size=8.5, color=QUIET)
