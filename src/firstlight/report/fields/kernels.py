"""Tangent kernel: eigenvalues at the start, and the condition number along training."""

import math
from typing import TYPE_CHECKING

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from firstlight.report.canvas import QUIET, SOFT, plain_axes
from firstlight.report.fields.labels import Label, label_ends
from firstlight.report.fields.look import Look, Panel, panels, title
from firstlight.report.fields.sheet import Sheet

if TYPE_CHECKING:
    from firstlight.fields.studying.result import Study

#: Eigenvalues that are drawn: below is rounding.
_LEAST = 1e-8


def kernels(study: "Study") -> Figure | None:
    """Draw two panels for each panel of rows.

    Returns:
        The figure; None where no row was looked at.
    """
    shown = [panel for panel in panels(study) if any(_kernels(look) for look in panel.looks)]
    if not shown:
        return None
    longest = max(len(look.label) for panel in shown for look in panel.looks)
    sheet = Sheet(3.7, 2.8, 2, right=0.35 + 0.078 * longest, above=0.42)
    heading = title(study, "Tangent kernel")
    figure, axes = sheet.figure(
        2 * len(shown), heading, "lines: the first seed; dashes: Adam's kernel, in closed form"
    )
    for number, panel in enumerate(shown):
        start, along = axes[2 * number : 2 * number + 2]
        _draw_start(start, panel)
        _draw_condition(along, panel)
        name = f"{panel.shown}: " if len(shown) > 1 and panel.name else ""
        for each, what in (
            (start, "eigenvalues at the start"),
            (along, "condition number along training"),
        ):
            each.set_title(name + what, loc="left", size=9.5, color=SOFT, pad=6)
    return figure


def _kernels(look: Look) -> list[tuple[int, float]]:
    """Step and condition number of every snapshot that has a kernel; infinite ones as NaN."""
    return [
        (each.step, each.kernel.condition if math.isfinite(each.kernel.condition) else math.nan)
        for each in look.row.runs[0].snapshots
        if each.kernel is not None
    ]


def _draw_start(axes: Axes, panel: Panel) -> None:
    axes.set_xscale("log")
    axes.set_yscale("log")
    ends, lowest = [], 0.5
    for look in panel.looks:
        run = look.row.runs[0]
        first = next((each.kernel for each in run.snapshots if each.kernel and not each.step), None)
        closed = None if run.start is None else run.start.closed_form
        for kernel, dashes in ((first, "-"), (closed, (0, (3, 2)))):
            if kernel is None:
                continue
            values = [max(each, _LEAST) for each in kernel.eigenvalues]
            lowest = min(lowest, *values)
            numbers = range(1, len(values) + 1)
            width = look.width if dashes == "-" else 1.0
            axes.plot(numbers, values, color=look.colour, lw=width, ls=dashes)
            if dashes == "-":
                end = Label(look.label, len(values), values[-1], look.colour, look.weight)
                ends.append(end)
    plain_axes(axes, "")
    axes.set_ylim(lowest / 1.6, 1.6)
    axes.set_xlim(1, None)
    axes.margins(x=0)
    axes.minorticks_off()
    axes.xaxis.set_major_formatter("{x:g}")
    axes.set_xlabel("number, the largest first", size=9, color=SOFT)
    axes.set_ylabel("eigenvalue over the largest", size=9, color=SOFT)
    label_ends(axes, ends)


def _draw_condition(axes: Axes, panel: Panel) -> None:
    steps = sorted({step for look in panel.looks for step, _ in _kernels(look)})
    places = {step: place for place, step in enumerate(steps)}
    axes.set_yscale("log")
    ends = []
    for look in panel.looks:
        found = [(places[step], value) for step, value in _kernels(look)]
        axes.plot(
            *zip(*found, strict=True) if found else ([], []),
            color=look.colour,
            lw=look.width,
            marker="o",
            markersize=4,
            markeredgecolor="white",
            markeredgewidth=0.5,
        )
        seen = [(place, value) for place, value in found if not math.isnan(value)]
        ends += [Label(look.label, *seen[-1], look.colour, look.weight)] if seen else []
    plain_axes(axes, "")
    _whole_decades(axes)
    axes.set_xticks(range(len(steps)), [f"{step:,}" for step in steps])
    axes.yaxis.set_minor_locator(NullLocator())
    axes.set_xlabel("step", size=9, color=SOFT)
    axes.set_ylabel("largest over smallest eigenvalue", size=9, color=SOFT)
    never = [look.label for look in panel.looks if not _is_finite(look)]
    if never:
        said = f"infinite: {', '.join(never)}"
        axes.text(0.02, 0.03, said, transform=axes.transAxes, size=8, color=QUIET)
    label_ends(axes, ends)


def _is_finite(look: Look) -> bool:
    """Whether any of a row's condition numbers is."""
    return any(not math.isnan(value) for _, value in _kernels(look))


def _whole_decades(axes: Axes) -> None:
    """Widen the vertical axis to powers of ten, so that at least two are named."""
    low, high = axes.get_ylim()
    ends = math.floor(math.log10(low)), math.ceil(math.log10(high))
    axes.set_ylim(10.0 ** ends[0], 10.0 ** max(ends[1], ends[0] + 1))
