"""Pictures of Table 1 and OUI: layer by layer, a line per scheme."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from matplotlib.figure import Figure

from firstlight.report.canvas import dashes, marker, plain_axes
from firstlight.report.palette import styles

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


def draw_skewed(frame: "pd.DataFrame") -> Mapping[str, Figure]:
    """Draw the share of skewed neurons of degree 0.1 and 0.3 by layer, for normal inputs."""
    figure = Figure(figsize=(9.5, 3.8), layout="constrained")
    titles = {"skewed_10": "degree 0.1", "skewed_30": "degree 0.3"}
    panels = figure.subplots(1, 2, sharey=True)
    for axes, (column, title) in zip(panels, titles.items(), strict=True):
        _lines(axes, frame, column, 100.0)
        plain_axes(axes, f"Skewed neurons of {title}")
        axes.set(ylabel="%", ylim=(-3, 103))
    _legend(figure, panels[-1])
    return {"skewed": figure}


def draw_oui(frame: "pd.DataFrame") -> Mapping[str, Figure]:
    """Draw OUI by layer, for normal inputs."""
    figure = Figure(figsize=(6.2, 3.8), layout="constrained")
    axes = figure.subplots()
    _lines(axes, frame, "oui", 1.0)
    plain_axes(axes, "OUI")
    axes.set_ylim(0, 1.03)
    _legend(figure, axes)
    return {"oui": figure}


def _lines(axes: "Axes", frame: "pd.DataFrame", column: str, scale: float) -> None:
    normal = frame[frame["law"] == "normal"]
    looks = styles(normal["scheme"])
    for scheme, rows in normal.groupby("scheme", sort=False):
        mean = rows.groupby("layer")[column].mean() * scale
        look = looks[str(scheme)]
        axes.plot(
            mean.index,
            mean,
            color=look.light,
            linestyle=dashes(look),
            linewidth=1.6,
            label=str(scheme),
            alpha=0.85,
            **marker(look),
        )
    axes.set_xticks(sorted(set(normal["layer"])))
    axes.set_xlabel("linear layer")


def _legend(figure: Figure, axes: "Axes") -> None:
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside right upper", frameon=False, fontsize=8.5)
