"""Accuracy and loss against the epoch, as Plotly figures for the page.

A colour that starts with two dashes names a CSS variable: the page looks it up when it draws, so
that the figure follows the reader's light or dark theme.
"""

import html
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from firstlight.report.panel import Band, Line, Panel

_WIDTH = 2  # of a line, in pixels

#: These shapes cover less of their box than the others.
SIZES = {"star": 12, "triangle-up": 10, "triangle-down": 10}


def figure(shown: Panel, numbers: Mapping[str, int]) -> dict[str, Any]:
    """Build the Plotly figure of one panel, as plain data.

    Args:
        shown: the curves.
        numbers: the number under which the page knows the colour of each scheme.
    """
    traces: list[dict[str, Any]] = []
    for rank, line in reversed(list(enumerate(shown.lines))):
        own = _traces(line, numbers[line.row.scheme], shown.measure)
        # The best scheme lies on top, and comes first where the pointer lists them.
        traces += [trace | {"legendrank": rank} for trace in own]
    limits = {"range": list(shown.limits)}
    epochs: dict[str, Any] = {"title": {"text": "epoch"}, "range": list(shown.reach)}
    epochs |= {"unifiedhovertitle": {"text": "epoch %{x}"}}
    epochs |= {"dtick": 1} if shown.epochs <= 12 else {}
    return {"data": traces, "layout": layout(epochs, limits)}


def layout(x: dict[str, Any], y: dict[str, Any], height: int = 340) -> dict[str, Any]:
    """Build the layout that all figures share: axes without boxes, one label for all lines.

    Args:
        x: more settings of the horizontal axis.
        y: more settings of the vertical axis.
        height: in pixels.
    """
    axis = {"gridcolor": "--grid", "zeroline": False, "fixedrange": False, "ticks": ""}
    spike = {"linecolor": "--soft", "spikecolor": "--soft", "spikethickness": 1}
    return {
        "height": height,
        "margin": {"l": 44, "r": 10, "t": 28, "b": 40},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": "system-ui, sans-serif", "size": 12, "color": "--soft"},
        "showlegend": False,
        "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": "--soft", "activecolor": "--ink"},
        "hovermode": "x unified",
        "hoverlabel": {"bgcolor": "--paper", "bordercolor": "--grid", "font": {"color": "--ink"}},
        "xaxis": axis | {"showgrid": False} | spike | x,
        "yaxis": axis | y,
    }


def _traces(line: Line, number: int, measure: str) -> list[dict[str, Any]]:
    own = {"meta": line.row.scheme, "type": "scatter", "name": html.escape(line.row.scheme)}
    traces = [own | _runs((*line.finished, *line.failed), number)]
    traces += [own | _end(curve, number) for curve in line.failed if curve]
    if line.band is not None:
        if not math.isnan(line.band.low[0]):
            traces.append(own | _area(line.band, number))
        traces.append(own | _mean(line, line.band, number, measure))
    return traces


def _runs(curves: Iterable[Sequence[float]], number: int) -> dict[str, Any]:
    """All single runs as one trace with gaps."""
    x: list[int | None] = []
    y: list[float | None] = []
    for curve in curves:
        x += [*range(1, len(curve) + 1), None]
        y += [*_numbers(curve), None]
    faint = {"color": f"--scheme-{number}", "width": 1}
    return {"x": x, "y": y, "mode": "lines", "line": faint, "opacity": 0.3, "hoverinfo": "skip"}


def _end(curve: Sequence[float], number: int) -> dict[str, Any]:
    """A cross where a failed run ended."""
    marker = {"symbol": "x-thin", "size": 9, "line": {"color": f"--scheme-{number}", "width": 2}}
    end = {"x": [len(curve)], "y": _numbers(curve[-1:]), "mode": "markers", "marker": marker}
    return end | {"hoverinfo": "skip"}


def _area(band: Band, number: int) -> dict[str, Any]:
    steps = list(range(1, len(band.mean) + 1))
    return {
        "x": steps + steps[::-1],
        "y": _numbers(band.high) + _numbers(band.low[::-1]),
        "mode": "lines",
        # A band of one epoch has no area: its edge makes it a bar.
        "line": {"width": 3 if len(steps) == 1 else 0, "color": f"--scheme-{number}-band"},
        "fill": "toself",
        "fillcolor": f"--scheme-{number}-band",
        "hoverinfo": "skip",
    }


def _mean(line: Line, band: Band, number: int, measure: str) -> dict[str, Any]:
    style, digits = line.row.style, 1 if measure == "accuracy" else 3
    intervals = [
        "" if math.isnan(low) else f" [{low:.{digits}f}, {high:.{digits}f}]"
        for low, high in zip(band.low, band.high, strict=True)
    ]
    dash = ",".join(f"{_WIDTH * length:g}px" for length in style.dash)
    return {
        "x": list(range(1, len(band.mean) + 1)),
        "y": _numbers(band.mean),
        "mode": "lines+markers",
        "line": {"color": f"--scheme-{number}", "width": _WIDTH, "dash": dash or "solid"},
        "marker": {
            "symbol": style.marker.plotly,
            "size": SIZES.get(style.marker.plotly, 8),
            "maxdisplayed": 12,
            "line": {"color": "--paper", "width": 1},
        },
        "customdata": intervals,
        "hovertemplate": f"%{{y:.{digits}f}}%{{customdata}}",
    }


def _numbers(values: Iterable[float]) -> list[float | None]:
    """JSON knows no NaN."""
    return [round(float(value), 6) if math.isfinite(value) else None for value in values]
