"""PSNR against the step, every run, named where it reaches the target."""

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from firstlight.report.canvas import QUIET, SOFT, plain_axes
from firstlight.report.fields.labels import Label, label_ends, label_top
from firstlight.report.fields.look import Look, Panel, caption, panels, title
from firstlight.report.fields.sheet import Sheet

if TYPE_CHECKING:
    from firstlight.fields.studying.result import Study, StudyRun

#: Runs of lengths farther apart than this have a logarithmic axis.
_APART = 6.0
#: Of a panel, in inches.
_HEIGHT = 3.0


def psnr_curves(study: "Study") -> Figure:
    """Draw one panel for each network of several alphas, and one for all other networks."""
    shown = panels(study)
    looks = [look for panel in shown for look in panel.looks]
    above = 0.42 + max([0.058 * len(_name(look)) for look in looks if _reached(look)], default=0)
    right = 0.3 + max([0.078 * len(_name(look)) for look in looks if not _reached(look)], default=0)
    sheet = Sheet(4.4, _HEIGHT, 2, right=right, above=above)
    said = caption(study, "thick: the median of {seeds} seeds; thin: the others")
    figure, axes = sheet.figure(len(shown), title(study, "PSNR of what is fitted"), said)
    for each, panel in zip(axes, shown, strict=True):
        _draw(each, study, panel)
        name = panel.shown or "networks"
        high = above - 0.2 if any(map(_reached, panel.looks)) else 0.12
        place = 1 + high / _HEIGHT
        each.text(0, place, name, transform=each.transAxes, size=9.5, color=SOFT)
    return figure


def _name(look: Look) -> str:
    """With the steps to the target, where it is reached."""
    run = median_run(look)
    if run.reached is not None:
        return f"{look.label}: {run.reached}"
    return f"{look.label}, collapsed" if run.stopped == "collapsed" else look.label


def _reached(look: Look) -> bool:
    return median_run(look).reached is not None


def _draw(axes: Axes, study: "Study", panel: Panel) -> None:
    for look in panel.looks:
        middle = median_run(look)
        for run in look.row.runs:
            steps, levels = _curve(run)
            thick = run is middle
            axes.plot(
                steps,
                levels,
                color=look.colour,
                linewidth=look.width if thick else 0.7,
                alpha=1.0 if thick else 0.4,
                zorder=3 if look.row.auto else 2,
            )
    _limits(axes, study, panel)
    plain_axes(axes, "")
    axes.set_xlabel("step", size=9, color=SOFT)
    axes.set_ylabel("PSNR, dB", size=9, color=SOFT)
    _names(axes, study, panel)


def _names(axes: Axes, study: "Study", panel: Panel) -> None:
    reached: list[Label] = []
    others: list[Label] = []
    for look in panel.looks:
        run = median_run(look)
        steps, levels = _curve(run)
        if not len(steps):
            continue
        label = Label(_name(look), float(steps[-1]), float(levels[-1]), look.colour, look.weight)
        (others if run.reached is None else reached).append(label)
    label_top(axes, reached)
    label_ends(axes, others)
    if study.target_psnr is not None:
        axes.axhline(study.target_psnr, color="#999999", linewidth=0.8, linestyle=(0, (4, 3)))
        axes.annotate(
            f"target {study.target_psnr:g} dB",
            (0.01, study.target_psnr),
            xycoords=("axes fraction", "data"),
            textcoords="offset points",
            xytext=(0, -4),
            va="top",
            size=7.5,
            color=QUIET,
        )


def median_run(look: Look) -> "StudyRun":
    """The run that stands for all: of the middle number of steps; of two, the slower one."""
    runs = sorted(
        look.row.runs,
        key=lambda run: (np.inf if run.reached is None else run.reached, -run.psnr),
    )
    return runs[len(runs) // 2]


def _curve(run: "StudyRun") -> tuple[np.ndarray, np.ndarray]:
    """Steps from 1 on, so that the axis can be logarithmic, and finite levels."""
    points = np.array([(p.step, p.psnr) for p in run.curve if np.isfinite(p.psnr)])
    if not len(points):
        return np.empty(0), np.empty(0)
    kept = points[points[:, 0] > 0] if len(points) > 1 else points
    return kept[:, 0], kept[:, 1]


def _limits(axes: Axes, study: "Study", panel: Panel) -> None:
    runs = [run for look in panel.looks for run in look.row.runs]
    lengths = [run.curve[-1].step for run in runs if run.curve]
    longest = max([*lengths, 1])
    if longest > _APART * max(1, min([*lengths, longest])):
        axes.set_xscale("log")
        axes.set_xlim(1, longest * 1.03)
        axes.minorticks_off()
        axes.xaxis.set_major_formatter("{x:,.0f}")
    else:
        axes.set_xlim(0, longest * 1.03)
        axes.xaxis.set_major_locator(MaxNLocator("auto", steps=[1, 2, 2.5, 5, 10], integer=True))
    levels = [p.psnr for run in runs for p in run.curve if np.isfinite(p.psnr)]
    levels += [] if study.target_psnr is None else [study.target_psnr]
    if levels:
        low, high = min(levels), max(levels)
        axes.set_ylim(low - 0.02 * (high - low) - 0.1, high + 0.04 * (high - low) + 0.1)
