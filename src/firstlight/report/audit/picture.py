"""Panels as a PNG: small multiples under one key, for print and for pages without JavaScript."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import (
    FixedFormatter,
    FixedLocator,
    MaxNLocator,
    NullLocator,
    PercentFormatter,
)

from firstlight.report.audit.panel import Line, Panel, ticks
from firstlight.report.audit.raster import indexed
from firstlight.report.canvas import DPI, QUIET, SOFT, dashes, marker, plain, plain_axes, png, short
from firstlight.report.notation import significant
from firstlight.report.palette import INK, Style

_COLUMNS, _STEP, _ROW = 3, (3.3, 2.35), 1.62  # inches
_LEFT, _WIDTH, _TOP = 0.55, 2.6, 0.45


def picture(title: str, panels: Sequence[Panel], looks: Mapping[str, Style]) -> bytes:
    """Draw all panels in rows of three.

    Args:
        title: above all.
        panels: what to draw; none gives a picture that says so.
        looks: of every scheme.

    Returns:
        A PNG file.
    """
    return indexed(png(draw(title, panels, looks)))


def draw(title: str, panels: Sequence[Panel], looks: Mapping[str, Style]) -> Figure:
    """Draw the figure of :func:`picture`, without Matplotlib's global state."""
    columns = max(1, min(_COLUMNS, len(panels)))
    rows = max(1, math.ceil(len(panels) / columns))
    width = _COLUMNS * _STEP[0]
    key = _key(panels, looks)
    lines = math.ceil(len(key) / max(1, int(width / 2.2)))
    top = _TOP + 0.22 * lines
    height = top + rows * _STEP[1] + 0.05
    figure = Figure(figsize=(width, height), dpi=DPI, facecolor="white")
    place: dict[str, Any] = {"va": "top", "size": 11, "weight": "bold", "color": INK[0]}
    figure.text(0.14 / width, 1 - 0.14 / height, plain(short(title, 90)), **place)
    for index, shown in enumerate(panels):
        left = (index % columns) * _STEP[0] + _LEFT
        low = height - top - (index // columns) * _STEP[1] - _ROW - 0.25
        box = (left / width, low / height, _WIDTH / width, _ROW / height)
        _draw(figure.add_axes(box), shown, looks)
    if key:
        _draw_key(figure, key, max(1, math.ceil(len(key) / lines)))
    else:
        figure.text(0.14 / width, 0.4, "no activation was measured", color=QUIET, size=9)
    return figure


def _key(panels: Sequence[Panel], looks: Mapping[str, Style]) -> list[Line2D]:
    drawn = {line.scheme for panel in panels for line in panel.lines}
    key = [
        Line2D([], [], label=plain(short(scheme)), linewidth=1.6, **_look(looks[scheme]))
        for scheme in looks
        if scheme in drawn
    ]
    if any(line.predicted for panel in panels for line in panel.lines):
        hollow: dict[str, Any] = {"marker": "o", "markersize": 5, "markerfacecolor": "white"}
        look: dict[str, Any] = {"color": QUIET, "linewidth": 0.9, "linestyle": ":", **hollow}
        key.append(Line2D([], [], label="predicted (hollow)", **look))
    return key


def _draw_key(figure: Figure, key: list[Line2D], columns: int) -> None:
    width, height = figure.get_size_inches()
    at = (0.06 / width, 1 - 0.36 / height)
    figure.legend(
        handles=key,
        loc="upper left",
        bbox_to_anchor=at,
        ncols=columns,
        frameon=False,
        fontsize=8.5,
        handlelength=2.6,
        borderaxespad=0.3,
        columnspacing=1.6,
        labelcolor=INK[0],
    )


def _draw(axes: Axes, shown: Panel, looks: Mapping[str, Style]) -> None:
    plain_axes(axes, shown.title, size=8.5)
    if shown.scale == "log":
        axes.set_yscale("log")
        _ticks(axes.yaxis, shown.limits)
    elif shown.scale == "share":
        axes.yaxis.set_major_formatter(PercentFormatter(1.0, symbol=" %"))
    if shown.reference is not None:
        axes.axhline(shown.reference, color="#999999", linewidth=0.8, linestyle=(0, (4, 3)))
    for line in sorted(shown.lines, key=lambda line: line.predicted):
        _draw_line(axes, shown, line, looks[line.scheme])
    axes.set(ylim=shown.limits, xlim=shown.reach)
    if shown.log_x:
        axes.set_xscale("log")
        _ticks(axes.xaxis, shown.reach)
    else:
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True, min_n_ticks=1))
    axes.set_xlabel(shown.x, size=7.5, color=SOFT, labelpad=2)
    if shown.note:
        corner: dict[str, Any] = {"transform": axes.transAxes, "ha": "right", "va": "bottom"}
        axes.text(1.0, 1.0, shown.note, size=6.5, color=QUIET, **corner)


def _ticks(axis: Axis, limits: tuple[float, float]) -> None:
    places = ticks(*limits)
    axis.set_major_locator(FixedLocator(places))
    axis.set_major_formatter(FixedFormatter([significant(place) for place in places]))
    axis.set_minor_locator(NullLocator())


def _draw_line(axes: Axes, shown: Panel, line: Line, style: Style) -> None:
    heights = [shown.drawn(value) for value in line.values]
    y = [math.nan if height is None else height for height in heights]
    look = _look(style)
    look |= {"markevery": max(1, len(y) // 10), "linewidth": 1.6 if len(y) < 50 else 1.1}
    if line.predicted:
        look |= {"linestyle": ":", "linewidth": 0.9, "markerfacecolor": "none", "markersize": 5.5}
        look |= {"markeredgecolor": style.light, "markeredgewidth": 0.9}
    axes.plot(line.x, y, **look)


def _look(style: Style) -> dict[str, Any]:
    edge = {"markeredgecolor": "white", "markeredgewidth": 0.5}
    return {"color": style.light, "linestyle": dashes(style), **marker(style, 5), **edge}
