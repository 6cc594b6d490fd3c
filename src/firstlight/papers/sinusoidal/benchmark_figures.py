"""The trainings of Table 3 drawn: curves of every network, and ranks over all of them."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from firstlight.comparison.ranks import rank
from firstlight.comparison.statistics import band
from firstlight.papers.sinusoidal.benchmark_judge import setting_means
from firstlight.report.critical_difference import draw_critical_difference
from firstlight.report.palette import styles


def draw_curves(frame: pd.DataFrame) -> dict[str, Figure]:
    """Draw accuracy and loss by epoch: a row of panels per form, mean and 95 % band."""
    return {f"curves-{form}": _curves(part) for form, part in frame.groupby("form", sort=False)}


def draw_ranks(frame: pd.DataFrame) -> dict[str, Figure]:
    """Draw the curves, and the average ranks over networks and optimizers of each form."""
    found = draw_curves(frame)
    for form, part in frame.groupby("form", sort=False):
        table = setting_means(part)
        if table["setting"].nunique() > 1 and table["scheme"].nunique() > 2:
            title = f"Average rank over {table['setting'].nunique()} settings, {form}"
            found[f"ranks-{form}"] = draw_critical_difference(rank(table), title=title)
    return found


def _curves(frame: pd.DataFrame) -> Figure:
    settings = list(dict.fromkeys(zip(frame["network"], frame["optimizer"], strict=True)))
    schemes = list(dict.fromkeys(frame["scheme"]))
    figure = Figure(figsize=(3.1 * len(settings) + 0.6, 5.2), layout="constrained")
    rows = figure.subplots(2, len(settings), squeeze=False)
    for column, (network, optimizer) in enumerate(settings):
        part = frame[(frame["network"] == network) & (frame["optimizer"] == optimizer)]
        _panel(rows[0][column], part, schemes, "accuracy", 100.0)
        _panel(rows[1][column], part, schemes, "loss", 1.0)
        rows[0][column].set_title(f"{network}\n{optimizer}", fontsize=9)
        rows[1][column].set_xlabel("epoch", fontsize=8)
    rows[0][0].set_ylabel("accuracy in %", fontsize=8)
    rows[1][0].set_ylabel("loss", fontsize=8)
    handles, labels = rows[0][0].get_legend_handles_labels()
    figure.legend(
        handles, labels, loc="outside lower center", ncols=len(labels), frameon=False, fontsize=8
    )
    return figure


def _panel(axes: Axes, frame: pd.DataFrame, schemes: list[str], name: str, scale: float) -> None:
    for scheme, style in zip(schemes, styles(schemes).values(), strict=True):
        good = frame[(frame["scheme"] == scheme) & (frame["status"] == "ok")]
        if not len(good):
            continue
        curves = scale * np.array(good[name].tolist())
        mean, low, high = band(curves)
        epochs = np.arange(1, len(mean) + 1)
        dash = (0, style.dash) if style.dash else "-"
        axes.plot(
            epochs, mean, color=style.light, linestyle=dash, marker=style.marker.matplotlib,
            markersize=3, linewidth=1.4, label=scheme,
        )  # fmt: skip
        if len(curves) > 1:
            axes.fill_between(epochs, low, high, color=style.light, alpha=0.12, linewidth=0)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=7)
    if name == "accuracy":  # a band of few seeds may be wider than anything that can be
        axes.set_ylim(bottom=0)
