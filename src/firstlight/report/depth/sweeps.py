"""What happens where noise, negative rate or omega are not what they should be."""

import statistics
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from firstlight.report.canvas import SOFT, plain_axes
from firstlight.report.depth.look import MOST, data_name, heading
from firstlight.report.depth.training import chance
from firstlight.report.fields.labels import Label, label_ends
from firstlight.report.fields.sheet import Sheet

if TYPE_CHECKING:
    from firstlight.studies.depth_result import DepthRow, DepthStudy
    from firstlight.studies.depth_start import DepthStart

_OURS, _GAUSSIAN = "diagonal_plus_noise", "edge_of_chaos"
_RATE = f"{_OURS}:negative_rate="


class _Sweep(NamedTuple):
    axis: str
    logarithmic: bool
    lines: "tuple[tuple[str, str, Callable[[DepthStart], float | None]], ...]"


def _noise(start: "DepthStart") -> float | None:
    return start.noise if start.scheme == _OURS and start.omega == 1 else None


def _gaussian(start: "DepthStart") -> float | None:
    return start.scale if start.scheme == _GAUSSIAN else None


def _negative_rate(start: "DepthStart") -> float | None:
    return float(start.scheme.removeprefix(_RATE)) if start.scheme.startswith(_RATE) else None


def _omega(start: "DepthStart") -> float | None:
    return start.omega if start.scheme == _OURS and start.noise == 1 else None


_BLUE, _RED = "#0072B2", "#D55E00"
_SWEEPS = (
    _Sweep(
        "times sigma* (Gaussian: times the critical sigma_w)",
        True,
        ((_OURS, _RED, _noise), (f"Gaussian, {_GAUSSIAN}", _BLUE, _gaussian)),
    ),
    _Sweep("negative rate p", True, ((_OURS, _RED, _negative_rate),)),
    _Sweep("diagonal over omega", False, ((_OURS, _RED, _omega),)),
)


def sweeps(study: "DepthStudy") -> Figure | None:
    """Draw a panel for each network and sweep; None where there is no sweep."""
    shown = [
        (rows, sweep)
        for rows in study.groups()
        for sweep in _SWEEPS
        if any(len(points(rows, value)) > 1 for _, _, value in sweep.lines)
    ][:MOST]
    if not shown:
        return None
    sheet = Sheet(3.9, 2.8, 2, right=2.1, above=0.42)
    title = f"Starts that are off: {data_name(study)}"
    said = "line: mean over seeds, each at its best learning rate; points: seeds"
    figure, axes = sheet.figure(len(shown), title, said)
    for each, (rows, sweep) in zip(axes, shown, strict=True):
        _draw(each, rows, sweep)
        chance(each, study)
        each.set_title(heading(rows[0]), loc="left", size=9, color=SOFT, pad=6)
        each.set_xlabel(sweep.axis, size=9, color=SOFT)
        each.set_ylabel("test accuracy, %", size=9, color=SOFT)
    return figure


def points(
    rows: "tuple[DepthRow, ...]", value: "Callable[[DepthStart], float | None]"
) -> list[tuple[float, list[float]]]:
    """What was swept, in order, each with the accuracies of the seeds in per cent."""
    found = []
    for row in rows:
        x = value(row.start)
        if x is not None and row.found.runs:
            found.append((x, [100 * each for each in row.accuracies(row.best_rate)]))
    return sorted(found)


def _draw(axes: Axes, rows: "tuple[DepthRow, ...]", sweep: _Sweep) -> None:
    ends: list[Label] = []
    swept_at: set[float] = set()
    for name, colour, value in sweep.lines:
        swept = points(rows, value)
        if len(swept) < 2:
            continue
        places = [x for x, _ in swept]
        swept_at.update(places)
        means = [statistics.fmean(each) for _, each in swept]
        axes.plot(places, means, color=colour, lw=1.8)
        for x, each in swept:
            axes.plot([x] * len(each), each, ".", color=colour, markersize=4, alpha=0.6)
        ends.append(Label(name, places[-1], means[-1], colour))
    if sweep.logarithmic:
        axes.set_xscale("log")
        axes.set_xticks(sorted(swept_at), [f"{x:g}" for x in sorted(swept_at)])
    plain_axes(axes, "")
    axes.minorticks_off()
    axes.set_ylim(0, 100)
    label_ends(axes, ends)
