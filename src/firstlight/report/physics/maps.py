"""Solutions beside the reference, and where they are wrong."""

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from firstlight.report.canvas import QUIET, SOFT, plain, plain_axes, short
from firstlight.report.fields.sheet import Sheet
from firstlight.report.palette import INK, styles

if TYPE_CHECKING:
    from firstlight.physics.study_result import Maps, PinnStudy


#: The least error that a logarithm is asked to show.
_TINY = 1e-16


def maps(study: "PinnStudy", found: "Maps") -> Figure | None:
    """Draw the reference, each start's solution and its absolute error; lines in one dimension.

    Of each start the run in the middle is shown. Solutions share one scale, errors another.
    """
    count = len(found.coordinates)
    if count == 1:
        return _lines(study, found)
    return _images(study, found) if count == 2 else None


def _caption(study: "PinnStudy") -> str:
    return (
        f"of {len(study.seeds)} seeds, the one of the middle error"
        if study.seeds[1:]
        else "one seed"
    )


def _images(study: "PinnStudy", found: "Maps") -> Figure:
    rows = study.rows
    alone = len(rows) == 1
    sheet = Sheet(2.7, 1.9, 3 if alone else 2, left=0.6, right=0.75, above=0.36, below=0.42)
    title = f"{plain(study.problem)}: solution and absolute error"
    figure, axes = sheet.figure(3 if alone else 2 * (1 + len(rows)), title, _caption(study))
    if not alone:
        axes.pop(1).set_axis_off()  # beside the reference there is no error
    reference = found.solution.values
    low, high = float(reference.min()), float(reference.max())
    errors = {row.scheme: np.abs(found.values[row.scheme] - reference) for row in rows}
    known = [np.nanmax(each) for each in errors.values() if np.isfinite(each).any()]
    most = float(max([*known, 1e-30]))
    _image(axes[0], found, reference, "reference", "RdBu_r", low, high)
    for place, row in enumerate(rows):
        name = plain(short(row.scheme))
        values, error = found.values[row.scheme], errors[row.scheme]
        _image(axes[1 + 2 * place], found, values, name, "RdBu_r", low, high)
        text = f"|error|, relative L2 {row.middle.error:.2g}"
        _image(axes[2 + 2 * place], found, error, text, "magma", 0.0, most)
    return figure


def _image(
    axes: Axes, found: "Maps", values: Any, title: str, colours: str, low: float, high: float
) -> None:
    # time runs to the right, as a reader expects; two lengths keep x to the right
    across, up = (1, 0) if found.coordinates[1] == "t" else (0, 1)
    first, second = found.solution.axes[across], found.solution.axes[up]
    drawn = values if across else values.T
    image = axes.imshow(
        drawn,
        origin="lower",
        aspect="auto",
        extent=(first[0], first[-1], second[0], second[-1]),
        cmap=colours,
        vmin=low,
        vmax=high,
        interpolation="nearest",
    )
    axes.set_title(title, loc="left", size=8.5, color=SOFT, pad=4)
    axes.set_xlabel(found.coordinates[across], size=8, color=SOFT, labelpad=1)
    axes.set_ylabel(found.coordinates[up], size=8, color=SOFT, labelpad=1)
    axes.tick_params(labelsize=7, length=2, colors=SOFT)
    figure: Any = axes.figure
    box = axes.get_position()
    beside = figure.add_axes((box.x1 + 0.012, box.y0, 0.014, box.height))
    bar = figure.colorbar(image, cax=beside)
    bar.ax.tick_params(labelsize=7, length=2, colors=SOFT)
    bar.outline.set_visible(False)


def _lines(study: "PinnStudy", found: "Maps") -> Figure:
    sheet = Sheet(4.2, 2.8, 2)
    title = f"{plain(study.problem)}: solution and absolute error"
    figure, (left, right) = sheet.figure(2, title, _caption(study))
    x, reference = found.solution.axes[0], found.solution.values
    left.plot(x, reference, color=INK[0], lw=3, alpha=0.3, label="reference")
    looks = styles(row.scheme for row in study.rows)
    errors: list[float] = []
    for row in study.rows:
        values, colour = found.values[row.scheme], looks[row.scheme].light
        left.plot(x, values, color=colour, lw=1.2, label=plain(short(row.scheme)))
        error = np.maximum(np.abs(values - reference), _TINY)
        errors += list(error[np.isfinite(error)])
        right.plot(x, error, color=colour, lw=1.2)
    plain_axes(left, "solution")
    plain_axes(right, "|error|")
    if errors:  # said, for values all alike have no extent of their own
        right.set_ylim(min(errors) / 1.5, 1.5 * max(errors))
    right.set_yscale("log")
    for axes in (left, right):
        axes.set_xlabel(found.coordinates[0], size=9, color=SOFT)
    left.legend(fontsize=7.5, frameon=False, labelcolor=QUIET)
    return figure
