"""Figures of the entries: lines with their seeds, and points with their intervals."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from firstlight.comparison.statistics import band
from firstlight.report.canvas import SOFT, dashes, marker, plain, plain_axes, short
from firstlight.report.fields.labels import Label, label_ends
from firstlight.report.fields.sheet import Sheet
from firstlight.report.palette import Style, styles

if TYPE_CHECKING:
    import pandas as pd


#: Places on an axis that are all named.
_FEW = 6


@dataclass(frozen=True)
class Panel:
    """One set of axes.

    Attributes:
        title: above it.
        lines: by name, each x and the values of the seeds there.
        across: what x is.
        up: what the values are.
        log: "", "x", "y" or "xy".
        limits: of the vertical axis.
        level: a faint line across, such as chance.
    """

    title: str
    lines: Mapping[str, Sequence[tuple[float, Sequence[float]]]]
    across: str
    up: str
    log: str = ""
    limits: tuple[float, float] | None = None
    level: float | None = None


def series(
    frame: "pd.DataFrame", name: str, x: str, value: str, factor: float = 1.0
) -> dict[str, list[tuple[float, list[float]]]]:
    """Lines of a panel from a table: a line for each ``name``, the seeds' values at each ``x``."""
    found: dict[str, list[tuple[float, list[float]]]] = {}
    for (label, place), own in frame.groupby([name, x], sort=True):
        values = [factor * each for each in own[value].dropna()]
        if values:
            found.setdefault(str(label), []).append((float(place), values))
    return found


def lines(title: str, caption: str, panels: Sequence[Panel]) -> Figure:
    """Draw a line through the mean (on a logarithmic axis: median) of the seeds, who are points."""
    names = sorted({name for panel in panels for name in panel.lines})
    looks = styles(names)
    sheet = Sheet(3.7, 2.7, 3, right=0.3 + 0.078 * max(len(short(name)) for name in names))
    figure, axes = sheet.figure(len(panels), title, caption)
    for each, panel in zip(axes, panels, strict=True):
        _draw(each, panel, looks)
    return figure


def _draw(axes: Axes, panel: Panel, looks: Mapping[str, Style]) -> None:
    ends = []
    for name, places in panel.lines.items():
        look = looks[name]
        middle = np.median if "y" in panel.log else np.mean
        xs = [x for x, _ in places]
        ys = [float(middle(values)) for _, values in places]
        axes.plot(xs, ys, color=look.light, linestyle=dashes(look), lw=1.5, **marker(look, 4.5))
        for x, values in places:
            if len(values) > 1:
                axes.plot([x] * len(values), values, ".", color=look.light, ms=3, alpha=0.5)
        ends.append(Label(plain(short(name)), xs[-1], ys[-1], look.light))
    if "x" in panel.log:
        axes.set_xscale("log")
        _name_few(axes, sorted({x for places in panel.lines.values() for x, _ in places}))
    if "y" in panel.log:
        axes.set_yscale("log")
    plain_axes(axes, plain(panel.title))
    axes.minorticks_off()
    if panel.level is not None:
        axes.axhline(panel.level, color="#999999", lw=0.8, dashes=(4, 3))
    if panel.limits:
        axes.set_ylim(panel.limits)
    axes.set_xlabel(panel.across, size=9, color=SOFT)
    axes.set_ylabel(panel.up, size=9, color=SOFT)
    label_ends(axes, ends)


def _name_few(axes: Axes, places: Sequence[float]) -> None:
    """Write few places on a logarithmic axis as they are, if they have room."""
    ratios = [after / before for before, after in pairwise(places)]
    if len(places) <= _FEW and min(ratios, default=1.0) > (places[-1] / places[0]) ** 0.08:
        axes.set_xticks(places, [f"{place:g}" for place in places])


@dataclass(frozen=True)
class Dots:
    """One set of axes with a row for each name.

    Attributes:
        title: above it.
        rows: by name, the values of the seeds.
        across: what the values are.
        level: a faint line, such as chance.
        log: whether the axis is logarithmic.
        limits: that values cannot pass, where intervals end, too.
    """

    title: str
    rows: Mapping[str, Sequence[float]]
    across: str
    level: float | None = None
    log: bool = False
    limits: tuple[float, float] = (-np.inf, np.inf)


def dots(title: str, caption: str, panels: Sequence[Dots]) -> Figure:
    """Draw each name's seeds in a row, best mean first, and the mean's 95 % interval under them."""
    names = sorted({name for panel in panels for name in panel.rows})
    looks = styles(names)
    high = 0.3 + 0.26 * max(len(panel.rows) for panel in panels)
    left = 0.35 + 0.078 * max(len(short(name, 44)) for name in names)
    figure, axes = Sheet(3.3, high, 2, left=left).figure(len(panels), title, caption)
    for each, panel in zip(axes, panels, strict=True):
        _draw_dots(each, panel, looks)
    return figure


def _draw_dots(axes: Axes, panel: Dots, looks: Mapping[str, Style]) -> None:
    ordered = sorted(panel.rows, key=lambda name: float(np.mean(panel.rows[name])))
    for height, name in enumerate(ordered):
        values, colour = np.asarray(panel.rows[name], dtype=float), looks[name].light
        middle, low, high = band(values)
        if panel.log:
            middle, low, high = np.median(values), values.min(), values.max()
        if np.isfinite(low):
            low, high = np.clip((low, high), *panel.limits)
            axes.hlines(height, low, high, color=colour, alpha=0.35, lw=4)
        axes.plot(values, [height] * len(values), ".", color=colour, ms=4, alpha=0.6)
        axes.plot([middle], [height], color=colour, **marker(looks[name], 5.5))
    if panel.log:
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_major_formatter("{x:g}")
        axes.xaxis.set_minor_formatter(NullFormatter())
    plain_axes(axes, plain(panel.title))
    axes.grid(axis="x", color="#e6e6e6", linewidth=0.7)
    if panel.level is not None:
        axes.axvline(panel.level, color="#999999", lw=0.8, dashes=(4, 3))
    axes.set_yticks(range(len(ordered)), [plain(short(name, 44)) for name in ordered])
    axes.set_ylim(-0.6, len(ordered) - 0.4)
    axes.set_xlabel(panel.across, size=9, color=SOFT)
