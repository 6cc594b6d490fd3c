"""Three kinds of figures: lines with ranges, dots by name, and one thing against another."""

import math
from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import TYPE_CHECKING, Any

from firstlight.report.canvas import QUIET, SOFT, dashes, marker, plain, plain_axes
from firstlight.report.palette import Style, styles

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Values at a place, by place, by name.
Series = Mapping[str, Mapping[float, Sequence[float]]]
#: Draws one panel.
Panel = Callable[["Axes"], None]

_WIDTH, _HEIGHT = 4.6, 3.5
#: Names that a legend within a panel has at most.
_FEW = 5


def sheet(title: str, said: str, panels: Mapping[str, Panel], height: float = _HEIGHT) -> "Figure":
    """Return a figure of panels side by side, each with a title of its own.

    Args:
        title: of the figure.
        said: what is drawn, in small letters.
        panels: what draws each, by its title.
        height: in inches.
    """
    from matplotlib.figure import Figure

    figure = Figure(
        figsize=(_WIDTH * len(panels) + 0.8, height), facecolor="white", layout="constrained"
    )
    figure.suptitle(f"{plain(title)}", x=0.01, ha="left", size=11, weight="bold")
    axes = figure.subplots(1, len(panels), squeeze=False)[0]
    for each, (name, draw) in zip(axes, panels.items(), strict=True):
        plain_axes(each, plain(name))
        draw(each)
        _number(each)
    _legend(figure, list(axes))
    figure.supxlabel(plain(said), size=8, color=QUIET, x=0.99, ha="right")
    return figure


def _number(axes: "Axes") -> None:
    """Write numbers on logarithmic axes of few decades as they are."""
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

    axes.tick_params(which="minor", length=0)
    for axis in (axes.xaxis, axes.yaxis):
        low, high = axis.get_view_interval()
        if axis.get_scale() == "log" and low > 0 and high < 300 * low:
            steps = MaxNLocator(5) if high < 8 * low else LogLocator(subs=(1.0, 2.0, 5.0))
            axis.set_major_locator(steps)
            axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
            axis.set_minor_formatter(NullFormatter())


def label(axes: "Axes", x: str, y: str, *, log_x: bool = False, log_y: bool = False) -> None:
    """Name both axes."""
    axes.set_xlabel(x, size=9, color=SOFT)
    axes.set_ylabel(y, size=9, color=SOFT)
    if log_x:
        axes.set_xscale("log")
    if log_y:
        axes.set_yscale("log")


def lines(
    axes: "Axes",
    series: Series,
    x: str,
    y: str,
    *,
    log_x: bool = False,
    log_y: bool = False,
    marks: bool = True,
) -> None:
    """Draw medians as lines, from the least to the most as a band; values that are none are not."""
    looks = styles(series)
    for name in series:
        style = looks[name]
        known = {
            place: [each for each in values if math.isfinite(each)]
            for place, values in sorted(series[name].items())
        }
        known = {place: values for place, values in known.items() if values}
        places = list(known)
        low, high = ([of(known[each]) for each in places] for of in (min, max))
        axes.fill_between(places, low, high, color=style.light, alpha=0.13, linewidth=0)
        middle = [median(known[each]) for each in places]
        look: dict[str, Any] = marker(style, 5) if marks else {}
        axes.plot(
            places,
            middle,
            color=style.light,
            linestyle=dashes(style),
            linewidth=1.6,
            label=plain(name),
            markeredgecolor="white",
            markeredgewidth=0.5,
            **look,
        )
    label(axes, x, y, log_x=log_x, log_y=log_y)


def dots(axes: "Axes", values: Mapping[str, Sequence[float]], x: str, *, log: bool = False) -> None:
    """Draw single values in a row for each name, their median as a bar; the first one on top."""
    for row, (name, own) in enumerate(values.items()):
        known = [each for each in own if math.isfinite(each)]
        style = styles(values)[name]
        axes.plot(known, [row] * len(known), "o", color=style.light, alpha=0.55, markersize=5)
        if known:
            axes.plot(
                [median(known)], [row], "|", color="black", markersize=13, markeredgewidth=1.6
            )
        if len(known) < len(own):
            axes.annotate(
                f"{len(own) - len(known)} never",
                (1, row),
                xycoords=("axes fraction", "data"),
                size=7.5,
                color=QUIET,
                ha="right",
                va="bottom",
            )
    axes.set_yticks(range(len(values)), [plain(each) for each in values], size=8.5)
    axes.set_ylim(len(values) - 0.4, -0.6)
    axes.grid(axis="x", color="#e6e6e6", linewidth=0.7)
    label(axes, x, "", log_x=log)


def scatter(
    axes: "Axes", points: Mapping[str, Sequence[tuple[float, float]]], x: str, y: str, **logs: bool
) -> None:
    """Draw one thing against another by name."""
    looks = styles(points)
    for name in points:
        style = looks[name]
        known = [each for each in points[name] if all(map(math.isfinite, each))]
        if known:
            axes.plot(*zip(*known, strict=True), **_spot(style), label=plain(name))
    label(axes, x, y, **logs)


def _spot(style: Style) -> dict[str, Any]:
    return {"linestyle": "", "color": style.light, "alpha": 0.75} | marker(style, 5)


def _legend(figure: "Figure", axes: "Sequence[Axes]") -> None:
    """Say which name has which look: once beside the panels where that takes much room."""
    named = [dict(zip(*reversed(each.get_legend_handles_labels()), strict=True)) for each in axes]
    every = {name: handle for each in named for name, handle in each.items()}
    look: dict[str, Any] = {"frameon": False, "fontsize": 7.5, "handlelength": 2.4}
    if len(every) > _FEW:
        figure.legend(every.values(), every.keys(), loc="outside right center", **look)
        return
    for each, own in zip(axes, named, strict=True):
        if own:
            each.legend(own.values(), own.keys(), **look)


def by(frame: Any, name: str, place: str, value: str) -> dict[str, dict[float, list[float]]]:
    """Group a table for ``lines``: values at places by name."""
    found: dict[str, dict[float, list[float]]] = {}
    for one, at, each in zip(frame[name], frame[place], frame[value], strict=True):
        found.setdefault(str(one), {}).setdefault(float(at), []).append(float(each))
    return found
