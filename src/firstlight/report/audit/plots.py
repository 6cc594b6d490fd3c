"""Panels as Plotly figures for the page."""

import html
import math
from collections.abc import Mapping, Sequence
from typing import Any

from firstlight.report.audit.panel import Line, Panel, ticks
from firstlight.report.interactive import SIZES, layout
from firstlight.report.notation import significant
from firstlight.report.palette import Style

_WIDTH = 2  # of a line, in pixels


def plot(
    shown: Panel, looks: Mapping[str, Style], numbers: Mapping[str, int], names: Sequence[str] = ()
) -> dict[str, Any]:
    """Build the figure of one panel, as plain data.

    Args:
        shown: the lines.
        looks: of every scheme.
        numbers: the number under which the page knows the colour of each scheme.
        names: of the places on the horizontal axis, where they have any.
    """
    traces = [_trace(shown, line, looks[line.scheme], numbers[line.scheme]) for line in shown.lines]
    where = "%{customdata}" if names else "%{x}"
    x: dict[str, Any] = {"title": {"text": shown.x, "standoff": 6}, "range": list(shown.reach)}
    x |= {"unifiedhovertitle": {"text": where}, "tickformat": "d"}
    if shown.log_x:
        x |= {"type": "log", "range": [math.log10(end) for end in shown.reach]}
        x |= _ticks(ticks(*shown.reach))
    else:
        x |= {"dtick": 1} if shown.count <= 12 else {"nticks": 8}
    made = layout(x, _vertical(shown), height=240)
    if shown.reference is not None:
        line = {"color": "--soft", "width": 1, "dash": "4px,3px"}
        level = {"y0": shown.reference, "y1": shown.reference}
        made["shapes"] = [
            {"type": "line", "xref": "paper", "x0": 0, "x1": 1, **level, "line": line}
        ]
    # what all lines share is in the page once
    shared = {"customdata": [html.escape(name) for name in names]} if names else {}
    return {"shared": shared, "data": traces, "layout": made}


def _vertical(shown: Panel) -> dict[str, Any]:
    low, high = shown.limits
    if shown.scale == "log":
        ends = [math.log10(low), math.log10(high)]
        return {"type": "log", "range": ends} | _ticks(ticks(low, high))
    percent = {"tickformat": ".0%"} if shown.scale == "share" else {}
    return {"range": [low, high]} | percent


def _ticks(values: Sequence[float]) -> dict[str, Any]:
    return {"tickvals": list(values), "ticktext": [significant(value) for value in values]}


def _trace(shown: Panel, line: Line, style: Style, number: int) -> dict[str, Any]:
    colour = f"--scheme-{number}"
    dash = ",".join(f"{_WIDTH * length:g}px" for length in style.dash) or "solid"
    symbol = style.marker.plotly
    trace: dict[str, Any] = {
        "meta": line.scheme,
        "type": "scatter",
        "name": html.escape(line.scheme) + (", predicted" if line.predicted else ""),
        "x": line.x,
        "y": [_rounded(shown.drawn(value)) for value in line.values],
        "mode": "lines+markers",
        "line": {"color": colour, "width": _WIDTH, "dash": dash},
        "marker": {
            "symbol": symbol,
            "size": SIZES.get(symbol, 8) - 1,
            "maxdisplayed": 16,
            "line": {"color": "--paper", "width": 1},
        },
        "hovertemplate": "%{y:.1%}" if shown.scale == "share" else "%{y:.3~g}",
    }
    if line.predicted:
        trace["line"] |= {"width": 1, "dash": "dot"}
        trace["marker"] |= {"symbol": f"{symbol}-open", "line": {"color": colour, "width": 1.2}}
    if any(shown.drawn(value) != value for value in line.values):  # zeros keep their name
        trace |= {"text": [significant(v) for v in line.values], "hovertemplate": "%{text}"}
    return trace


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.4g}")
