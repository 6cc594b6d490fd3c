"""The loss before the first step, over seeds."""

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from firstlight.report.canvas import SOFT, plain, plain_axes, short
from firstlight.report.fields.sheet import Sheet
from firstlight.report.palette import styles

if TYPE_CHECKING:
    from firstlight.physics.study_result import PinnRow, PinnStudy


def step_zero(study: "PinnStudy") -> Figure | None:
    """Draw every seed's loss and error as a dot, and their medians as lines."""
    rows = [row for row in study.rows if row.step_zero is not None]
    if not rows:
        return None
    names = max(len(short(row.scheme)) for row in rows)
    sheet = Sheet(3.4, 0.5 + 0.4 * len(rows), 2, left=0.3 + 0.078 * names)
    count = max(len(row.step_zero.losses) for row in rows if row.step_zero)
    figure, axes = sheet.figure(
        2, f"{plain(study.problem)}: before the first step", f"{count} seeds; lines: medians"
    )
    looks = styles(row.scheme for row in rows)
    for panel, name in zip(axes, ("loss", "relative L2 error"), strict=True):
        plain_axes(panel, name)
        panel.set_xscale("log")
        panel.autoscale(False, axis="x")
        panel.tick_params(which="minor", length=0, labelsize=7.5, colors=SOFT)
        everything = []
        for place, row in enumerate(reversed(rows)):
            known = _known(row, name)
            everything += list(known)
            colour = looks[row.scheme].light
            # spread by their order, not by chance: the same study gives the same bytes
            heights = place + 0.28 * np.sin(2.4 * np.arange(len(known)))
            panel.scatter(known, heights, s=9, color=colour, alpha=0.6, linewidth=0)
            if len(known):
                panel.vlines(np.median(known), place - 0.38, place + 0.38, color=colour, lw=2)
        if everything:  # said, for values all alike have no extent of their own
            panel.set_xlim(min(everything) / 1.3, 1.3 * max(everything))
        panel.set_yticks(range(len(rows)), [plain(short(row.scheme)) for row in reversed(rows)])
        panel.set_ylim(-0.6, len(rows) - 0.4)
        panel.grid(axis="y", visible=False)
        panel.tick_params(axis="y", labelsize=8, colors=SOFT)
    return figure


def _known(row: "PinnRow", name: str) -> np.ndarray:
    """The values that a logarithm can show."""
    if row.step_zero is None:
        return np.empty(0)
    values = row.step_zero.losses if name == "loss" else row.step_zero.errors
    return np.array([value for value in values if np.isfinite(value) and value > 0])
