"""The picture of docs/scale.md: time against ranks, filled in place or drawn once and sent."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib
from _scale_model import LINK, MODELS, fitted, per_rank
from matplotlib.figure import Figure

RANKS = tuple(2**power for power in range(3, 13))


def draw(measured: Mapping[str, Any], path: Path) -> None:
    """Write the picture as PNG: lines are computed, dots were run."""
    costs, beside = fitted(measured)
    drawing = measured["rivals"]["normal_"]
    with matplotlib.rc_context(
        {"font.size": 9, "axes.spines.top": False, "axes.spines.right": False}
    ):
        figure = Figure(figsize=(9, 3.2), layout="constrained")
        panels = figure.subplots(1, len(MODELS), sharey=True)
        for axes, (name, model) in zip(panels, MODELS.items(), strict=True):
            for scheme, colour in (("he_normal", "#0072b2"), ("harmonic", "#d55e00")):
                seconds = [per_rank(model, n, 1, scheme, costs, beside)[0] for n in RANKS]
                axes.loglog(RANKS, seconds, color=colour, label=f"{scheme}, in place")
                run = [
                    (row["ranks"], row["seconds"])
                    for row in measured["starts"]
                    if (row["model"], row["scheme"], row["tensor"]) == (name, scheme, 1)
                ]
                axes.loglog(*zip(*run, strict=True), "o", color=colour, ms=4)
            once = model.parameters * drawing + 4 * model.parameters / LINK
            axes.loglog(RANKS, [once] * len(RANKS), color="#777777", ls="--", label="drawn, sent")
            axes.set(title=name, xlabel="ranks")
            axes.set_xticks((8, 64, 512, 4096), ("8", "64", "512", "4096"))
            axes.minorticks_off()
            axes.grid(alpha=0.3)
        axes.legend(frameon=False)
        figure.axes[0].set_ylabel("seconds, one thread on each rank")
        figure.savefig(path, dpi=150)
