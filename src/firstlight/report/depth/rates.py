"""Test accuracy at the end against the learning rate."""

import statistics
from typing import TYPE_CHECKING

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from firstlight.report.canvas import SOFT, dashes, marker, plain_axes
from firstlight.report.depth.look import compared, data_name, groups, heading, looks
from firstlight.report.depth.training import chance
from firstlight.report.fields.labels import Label, label_ends
from firstlight.report.fields.sheet import Sheet
from firstlight.report.palette import Style

if TYPE_CHECKING:
    from firstlight.studies.depth_result import DepthRow, DepthStudy


def rates(study: "DepthStudy") -> Figure | None:
    """Draw a panel for each network; None where one rate, or nothing, was tried."""
    shown = [rows for rows in groups(study) if any(len(row.rates) > 1 for row in rows)]
    if not shown:
        return None
    longest = max(len(row.start.label) for rows in shown for row in compared(rows))
    sheet = Sheet(4.2, 2.8, 2, right=0.35 + 0.078 * longest, above=0.42)
    title = f"Accuracy against learning rate: {data_name(study)}"
    figure, axes = sheet.figure(len(shown), title, "after the last step, mean over seeds")
    for each, rows in zip(axes, shown, strict=True):
        _draw(each, rows, looks(study))
        chance(each, study)
        each.set_title(heading(rows[0]), loc="left", size=9, color=SOFT, pad=6)
        each.set_xlabel("learning rate", size=9, color=SOFT)
        each.set_ylabel("test accuracy, %", size=9, color=SOFT)
    return figure


def _draw(axes: Axes, rows: "tuple[DepthRow, ...]", style: dict[str, Style]) -> None:
    ends = []
    for row in compared(rows):
        if not row.rates:
            continue
        look = style[row.start.label]
        means = [100 * statistics.fmean(row.accuracies(rate)) for rate in row.rates]
        axes.plot(
            row.rates,
            means,
            color=look.light,
            linestyle=dashes(look),
            lw=1.5,
            markeredgecolor="white",
            markeredgewidth=0.5,
            **marker(look, 5),
        )
        ends.append(Label(row.start.label, row.rates[-1], means[-1], look.light))
    axes.set_xscale("log")
    plain_axes(axes, "")
    axes.minorticks_off()
    axes.set_ylim(0, 100)
    label_ends(axes, ends)
