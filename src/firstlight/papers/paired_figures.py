"""Differences between starts drawn: one panel for each pair, one row for each setting."""

from collections.abc import Sequence
from textwrap import fill

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from firstlight.papers.paired import Difference, differences
from firstlight.report.canvas import QUIET, SOFT
from firstlight.report.palette import INK

#: (scheme, baseline, what the panel is called).
Pair = tuple[str, str, str]

_ROW, _PANEL, _FRAME = 0.17, 2.2, 0.8  # inches
_COLUMNS, _LETTERS = 4, 32  # panels in a row, letters of a title's line


def draw_differences(frame: pd.DataFrame, pairs: Sequence[Pair], by: Sequence[str]) -> Figure:
    """Draw the mean difference of each pair in each setting, with its 95 % interval.

    Filled marks are told apart at 5 % after correction over the settings of their panel.

    Args:
        frame: one row per run: scheme, seed, status, accuracy_max and the columns of ``by``.
        pairs: those without runs in common are left out.
        by: what makes a setting.

    Example:
        >>> frame = pd.DataFrame({"model": "mlp", "seed": [0, 1] * 2, "status": "ok",
        ...                       "scheme": ["a", "a", "b", "b"],
        ...                       "accuracy_max": [0.5, 0.6, 0.4, 0.4]})
        >>> figure = draw_differences(frame, [("a", "b", "a - b")], ["model"])
        >>> [axes.get_title() for axes in figure.axes]
        ['a - b']
    """
    panels = [(title, differences(frame, one, other, by)) for one, other, title in pairs]
    panels = [panel for panel in panels if panel[1]]
    settings = list(dict.fromkeys(each.setting for _, found in panels for each in found))
    columns = min(_COLUMNS, len(panels))
    rows = -(-len(panels) // columns)
    size = (_PANEL * columns + 2.0, (_ROW * len(settings) + _FRAME) * rows)
    figure = Figure(figsize=size, layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False, sharey=True).ravel()
    for axes, (title, found) in zip(grid, panels, strict=False):
        axes.set_title(fill(title, _LETTERS), fontsize=8)
        _panel(axes, found, settings)
    for axes in grid[len(panels) :]:
        axes.set_visible(False)
    return figure


def _panel(axes: Axes, found: Sequence[Difference], settings: Sequence[tuple[str, ...]]) -> None:
    rows = {setting: at for at, setting in enumerate(settings)}
    axes.axvline(0, color=SOFT, linewidth=1)
    for each in found:
        at = rows[each.setting]
        mean, low, high, _ = (100 * value for value in each.estimate)
        axes.plot([low, high], [at, at], color=INK[0], linewidth=1)
        face = INK[0] if each.told_apart else "white"
        axes.plot(mean, at, "o", markersize=4, color=INK[0], markerfacecolor=face)
    axes.set_yticks(range(len(settings)), [", ".join(setting) for setting in settings])
    axes.set_ylim(len(settings) - 0.5, -0.5)
    axes.tick_params(labelsize=7, length=0, colors=QUIET)
    axes.set_xlabel("points", fontsize=7, color=QUIET)
    axes.spines[["top", "right", "left"]].set_visible(False)
