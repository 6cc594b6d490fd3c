"""Picture of ranks: a mark per shape of every model."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from matplotlib.figure import Figure

from firstlight.report.canvas import plain_axes
from firstlight.report.palette import styles

if TYPE_CHECKING:
    import pandas as pd


def draw(frame: "pd.DataFrame") -> Mapping[str, Figure]:
    """Draw rank over full rank against m / n, under the formula and harmonic."""
    figure = Figure(figsize=(6.4, 3.8), layout="constrained")
    axes = figure.subplots()
    looks = styles(["sinusoidal", "harmonic"])
    for scheme in ("harmonic", "sinusoidal"):
        rows = frame[(frame["scheme"] == scheme) & (frame["refused"] == "")]
        look = looks[scheme]
        axes.scatter(
            rows["m"] / rows["n"],
            rows["rank"] / rows["full_rank"],
            s=30,
            color=look.light,
            marker=look.marker.matplotlib,
            label=scheme,
            alpha=0.65,
            linewidth=0,
        )
    plain_axes(axes, "Rank over what the shape allows, each shape of each model")
    axes.set(xscale="log", xlabel="outputs m / inputs n", ylim=(0, 1.05))
    axes.legend(frameon=False, fontsize=8.5, loc="lower left")
    return {"rank": figure}
