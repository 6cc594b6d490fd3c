"""Test accuracy along training, each start at its best learning rate."""

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from firstlight.report.canvas import QUIET, SOFT, dashes, plain_axes
from firstlight.report.depth.look import compared, data_name, groups, heading, looks
from firstlight.report.fields.labels import Label, label_ends
from firstlight.report.fields.sheet import Sheet
from firstlight.report.palette import Style

if TYPE_CHECKING:
    from firstlight.studies.depth_result import DepthRow, DepthStudy


def training(study: "DepthStudy") -> Figure | None:
    """Draw a panel for each network; None where nothing was trained."""
    shown = [rows for rows in groups(study) if any(row.found.runs for row in rows)]
    if not shown:
        return None
    longest = max(len(row.start.label) for rows in shown for row in compared(rows))
    sheet = Sheet(4.2, 2.8, 2, right=0.35 + 0.078 * longest, above=0.42)
    title = f"Accuracy along training: {data_name(study)}"
    said = "line: mean over seeds, each start at its best rate; band: least to most"
    figure, axes = sheet.figure(len(shown), title, said)
    for each, rows in zip(axes, shown, strict=True):
        _draw(each, rows, looks(study))
        chance(each, study)
        each.set_title(heading(rows[0]), loc="left", size=9, color=SOFT, pad=6)
        each.set_xlabel("step", size=9, color=SOFT)
        each.set_ylabel("test accuracy, %", size=9, color=SOFT)
    return figure


def _draw(axes: Axes, rows: "tuple[DepthRow, ...]", style: dict[str, Style]) -> None:
    ends = []
    for row in compared(rows):
        runs = [run for run in row.at(row.best_rate) if run.diverged is None]
        if not runs:
            continue
        look = style[row.start.label]
        steps = runs[0].steps
        curves = 100 * np.array([run.accuracy for run in runs])
        mean = curves.mean(0)
        axes.plot(steps, mean, color=look.light, linestyle=dashes(look), lw=1.6)
        axes.fill_between(steps, curves.min(0), curves.max(0), color=look.light, alpha=0.1, lw=0)
        ends.append(Label(row.start.label, steps[-1], float(mean[-1]), look.light))
    plain_axes(axes, "")
    axes.set_xlim(0, max([label.x for label in ends], default=1))
    axes.set_ylim(0, 100)
    label_ends(axes, ends)


def chance(axes: Axes, study: "DepthStudy") -> None:
    """Mark what guessing reaches."""
    level = 100 * study.chance
    axes.axhline(level, color="#999999", linewidth=0.8, linestyle=(0, (4, 3)))
    axes.annotate(
        "chance",
        (0.01, level),
        xycoords=("axes fraction", "data"),
        textcoords="offset points",
        xytext=(0, -3),
        va="top",
        size=7.5,
        color=QUIET,
    )
