"""Share of the squared gradient by weight layer, at the start and along training."""

import math
import re
from typing import TYPE_CHECKING

from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from firstlight.report.canvas import SOFT, plain, plain_axes
from firstlight.report.fields.labels import Label, label_ends
from firstlight.report.fields.look import Look, panels, title
from firstlight.report.fields.sheet import Sheet

if TYPE_CHECKING:
    from firstlight.fields.studying.result import Snapshot, Study


def gradients(study: "Study") -> Figure | None:
    """Draw a small panel of stacked bars for each row.

    Returns:
        The figure; None where no row was looked at.
    """
    shown = [
        (look, panel.shown)
        for panel in panels(study)
        for look in panel.looks
        if look.row.runs[0].snapshots
    ]
    if not shown:
        return None
    longest = max(len(name) for look, _ in shown for name in _layers(look))
    sheet = Sheet(2.2, 1.75, 4, left=0.55, right=0.35 + 0.068 * longest, above=0.42)
    heading = title(study, "Squared gradient by layer")
    said = "each layer's share, its biases included; the first seed"
    figure, axes = sheet.figure(len(shown), heading, said)
    several = len({name for _, name in shown}) > 1
    for number, (each, (look, name)) in enumerate(zip(axes, shown, strict=True)):
        _draw(each, look)
        label = f"{name}, {look.label}" if name and several else look.label
        each.set_title(label, loc="left", size=9, color=look.colour, pad=6, weight=look.weight)
        if number % sheet.across(len(shown)) == 0:
            each.set_ylabel("share, %", size=8.5, color=SOFT)
        if number + sheet.across(len(shown)) >= len(shown):
            each.set_xlabel("step", size=8.5, color=SOFT)
    return figure


def _layers(look: Look) -> list[str]:
    names = [name for name, _ in look.row.runs[0].snapshots[0].shares]
    return [_layer(name) for name in names]


def _layer(name: str) -> str:
    """A module's name, for reading.

    Example:
        >>> _layer("stack.layers.0"), _layer("encoding")
        ('layer 1', 'encoding')
    """
    found = re.search(r"(?:^|\.)layers\.(\d+)$", name)
    return f"layer {int(found[1]) + 1}" if found else plain(name)


def _draw(axes: Axes, look: Look) -> None:
    snapshots = [each for each in look.row.runs[0].snapshots if _is_known(each)]
    names = _layers(look)
    colours = [_colour(number, len(names)) for number in range(len(names))]
    for place, snapshot in enumerate(snapshots):
        bottom = 0.0
        for (_, share), colour in zip(snapshot.shares, colours, strict=True):
            axes.bar(place, 100 * share, 0.82, bottom, color=colour, linewidth=0)
            bottom += 100 * share
    plain_axes(axes, "", size=9)
    axes.grid(visible=False)
    axes.set(xlim=(-0.5, max(0.5, len(snapshots) - 0.5)), ylim=(0, 100))
    axes.set_xticks(range(len(snapshots)), [_short(each.step) for each in snapshots])
    axes.set_yticks((0, 50, 100))
    if snapshots:
        label_ends(axes, _ends(snapshots[-1], names, colours, len(snapshots) - 0.59), size=7.5)


def _ends(last: "Snapshot", names: list[str], colours: list[str], x: float) -> list[Label]:
    """The name of each layer beside the middle of its last bar."""
    ends, bottom = [], 0.0
    for (_, share), name, colour in zip(last.shares, names, colours, strict=True):
        ends.append(Label(name, x, bottom + 50 * share, colour))
        bottom += 100 * share
    return ends


def _is_known(snapshot: "Snapshot") -> bool:
    return all(math.isfinite(share) for _, share in snapshot.shares)


def _short(step: int) -> str:
    return f"{step // 1000}k" if step >= 1000 and step % 1000 == 0 else str(step)


def _colour(number: int, count: int) -> str:
    return to_hex(colormaps["viridis"](0.75 * number / max(1, count - 1)))
