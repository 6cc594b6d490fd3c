"""Loss beside error along the training, every run: one is never shown without the other."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from firstlight.report.canvas import SOFT, plain, plain_axes, short
from firstlight.report.fields.labels import Label, label_ends
from firstlight.report.fields.sheet import Sheet
from firstlight.report.palette import Style, styles

if TYPE_CHECKING:
    from firstlight.physics.result import Look, PinnRun
    from firstlight.physics.study_result import PinnRow, PinnStudy

    Of = Callable[[Look], float]


def curves(study: "PinnStudy") -> Figure:
    """Draw the training loss on the left and the relative L2 error on the right."""
    looks = styles(row.scheme for row in study.rows)
    names = max(len(short(row.scheme)) for row in study.rows)
    seeds = len(study.seeds)
    caption = f"thick: the middle of {seeds} seeds; thin: the others" if seeds > 1 else "one seed"
    caption += "; a line marks the end of Adam" if _switches(study) else ""
    sheet = Sheet(4.2, 3.0, 2, right=0.3 + 0.078 * names)
    figure, axes = sheet.figure(2, f"{plain(study.problem)}: {plain(study.equation)}", caption)
    _panel(axes[0], study, looks, "training loss", lambda look: look.loss)
    _panel(axes[1], study, looks, "relative L2 error", lambda look: look.error)
    return figure


def _switches(study: "PinnStudy") -> bool:
    return bool(study.options["adam_steps"] and study.options["lbfgs_steps"])


def _panel(axes: Axes, study: "PinnStudy", looks: dict[str, Style], title: str, of: "Of") -> None:
    plain_axes(axes, title)
    axes.set_yscale("log")
    axes.autoscale(False, axis="y")
    axes.tick_params(which="minor", length=0, labelleft=False)
    labels = []
    for row in study.rows:
        colour = looks[row.scheme].light
        for run in row.runs:
            steps, values = _curve(run, of)
            thick = run is row.middle
            axes.plot(
                steps,
                values,
                color=colour,
                linewidth=1.8 if thick else 0.7,
                alpha=1.0 if thick else 0.4,
                zorder=3 if thick else 2,
            )
            if thick and len(steps):
                name = plain(short(row.scheme)) + _fate(row)
                labels.append(Label(name, float(steps[-1]), float(values[-1]), colour))
    if _switches(study):
        axes.axvline(study.options["adam_steps"], color="#999999", lw=0.8, ls=(0, (4, 3)))
    longest = max([look.step for row in study.rows for run in row.runs for look in run.looks] + [1])
    axes.set_xlim(0, longest * 1.02)
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.set_xlabel("step", size=9, color=SOFT)
    heights = [each for row in study.rows for run in row.runs for each in _curve(run, of)[1]]
    if heights:  # said, for values all alike have no extent of their own
        axes.set_ylim(min(heights) / 1.5, 1.5 * max(heights))
    label_ends(axes, labels)


def _fate(row: "PinnRow") -> str:
    return ", collapsed" if row.middle.stopped == "collapsed" else ""


def _curve(run: "PinnRun", of: "Of") -> tuple[np.ndarray, np.ndarray]:
    points = [(look.step, of(look)) for look in run.looks]
    kept = np.array([each for each in points if np.isfinite(each[1]) and each[1] > 0])
    return (kept[:, 0], kept[:, 1]) if len(kept) else (np.empty(0), np.empty(0))
