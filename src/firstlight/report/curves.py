"""Accuracy and loss against the epoch, as a PNG."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from firstlight.report.canvas import DPI, QUIET, SOFT, dashes, marker, plain, plain_axes, png, short
from firstlight.report.group import Group
from firstlight.report.palette import INK
from firstlight.report.panel import Band, Line, Panel, panels
from firstlight.report.spread import spread

_LEFT, _BOTTOM, _PLOT, _HEIGHT = 0.62, 0.52, 3.9, 3.1  # inches


def curves(group: Group) -> bytes:
    """Draw the curves of ``group``: mean line, 95 % band, single runs, labels at the line ends.

    Args:
        group: all schemes on one model, data set and optimizer.

    Returns:
        A PNG file.
    """
    return png(draw(group))


def draw(group: Group) -> Figure:
    """Draw the figure of :func:`curves`, without Matplotlib's global state."""
    labels = max(len(short(row.scheme)) for row in group.rows) * 0.082 + 0.42
    step = _PLOT + labels + 0.62
    width, height = _LEFT + step + _PLOT + labels, _BOTTOM + _HEIGHT + 0.62
    figure = Figure(figsize=(width, height), dpi=DPI, facecolor="white")
    for index, shown in enumerate(panels(group)):
        left = _LEFT + index * step
        box = (left / width, _BOTTOM / height, _PLOT / width, _HEIGHT / height)
        _draw(figure.add_axes(box), shown)
    top = 1 - 0.14 / height
    title = plain(short(group.title, 90))
    figure.text(_LEFT / width, top, title, va="top", size=11, weight="bold", color=INK[0])
    right = (_LEFT + step + _PLOT + labels - 0.1) / width
    figure.text(right, top, _caption(group), va="top", ha="right", size=8.5, color=QUIET)
    return figure


def _caption(group: Group) -> str:
    if not group.repeated:
        return "single runs, no error band"
    return f"mean and 95 % band over {group.seeds} seeds; thin lines: single runs"


def _draw(axes: Axes, shown: Panel) -> None:
    for line in reversed(shown.lines):  # the best scheme on top
        _draw_runs(axes, line)
        if line.band is not None:
            _draw_mean(axes, line, line.band)
    axes.set(ylim=shown.limits, xlim=shown.reach)
    plain_axes(axes, shown.title)
    axes.set_xlabel("epoch", size=9, color=SOFT)
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True, min_n_ticks=1))
    _label(axes, shown)


def _draw_runs(axes: Axes, line: Line) -> None:
    colour = line.row.style.light
    for curve in (*line.finished, *line.failed):
        axes.plot(range(1, len(curve) + 1), curve, color=colour, linewidth=0.7, alpha=0.3)
    for curve in line.failed:
        if curve:  # a cross where the run ended
            axes.plot(len(curve), curve[-1], marker="x", color=colour, markersize=7, zorder=3)


def _draw_mean(axes: Axes, line: Line, band: Band) -> None:
    style = line.row.style
    steps = np.arange(1, len(band.mean) + 1)
    axes.fill_between(steps, band.low, band.high, color=style.light, alpha=0.13, linewidth=0)
    if len(steps) == 1:  # a band of one epoch is a bar
        axes.vlines(steps, band.low, band.high, color=style.light, alpha=0.4, linewidth=3)
    axes.plot(
        steps,
        band.mean,
        color=style.light,
        linewidth=1.8,
        linestyle=dashes(style),
        markevery=max(1, len(steps) // 10),
        markeredgecolor="white",
        markeredgewidth=0.6,
        **marker(style),
    )


def _label(axes: Axes, shown: Panel) -> None:
    """Write each scheme's name beside the end of its line, with its marker, not overlapping."""
    ends = [(line, line.band.mean[-1]) for line in shown.lines if line.band is not None]
    if not ends:
        axes.text(0.5, 0.5, "no run finished", transform=axes.transAxes, ha="center", color=QUIET)
        return
    low, high = shown.limits
    heights = [min(max((end - low) / (high - low), 0.0), 1.0) for _, end in ends]
    places = spread(heights, gap=0.165 / _HEIGHT, low=0.02, high=0.98)
    left, right = axes.get_xlim()
    edge, inch = (shown.epochs - left) / (right - left), 1 / _PLOT
    outside: dict[str, Any] = {"transform": axes.transAxes, "clip_on": False}
    for (line, _), height, place in zip(ends, heights, places, strict=True):
        style, name = line.row.style, plain(short(line.row.scheme))
        x = [edge + 0.07 * inch, 1 + 0.1 * inch, 1 + 0.16 * inch]
        axes.add_artist(Line2D(x, [height, place, place], color="#b5b5b5", lw=0.7, **outside))
        x = [1 + 0.25 * inch]
        axes.add_artist(Line2D(x, [place], color=style.light, **marker(style), **outside))
        weight = "bold" if line is shown.lines[0] else "normal"
        text = axes.text(1 + 0.35 * inch, place, name, size=8.5, weight=weight, **outside)
        text.set(va="center_baseline", color=INK[0])
