"""Spectrum of the initial function, measured and predicted, beside what the samples resolve."""

import math
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from firstlight.report.canvas import QUIET, SOFT, plain_axes
from firstlight.report.fields.look import Look, panels, title
from firstlight.report.fields.sheet import Sheet
from firstlight.report.palette import INK

if TYPE_CHECKING:
    from firstlight.fields.analysis.spectrum import InitialSpectrum
    from firstlight.fields.studying.result import Study

#: How far below the largest power is drawn.
_DEPTH = 1e-7


def spectra(study: "Study") -> Figure | None:
    """Draw a small panel for each row, all with the same axes, from 2 cycles on.

    The window puts the constant part at 0 and 1.

    Returns:
        The figure; None where no row was looked at.
    """
    shown = [
        (look, panel.shown)
        for panel in panels(study)
        for look in panel.looks
        if look.row.runs[0].start is not None
    ]
    if not shown:
        return None
    found = [_spectra(look) for look, _ in shown]
    sheet = Sheet(2.35, 1.75, 4, left=0.62, right=0.12, above=0.58)
    heading = title(study, "Spectrum before training")
    said = "colour: measured, a line for each coordinate; dashes: predicted; grey: above Nyquist"
    figure, axes = sheet.figure(len(shown), heading, said)
    top = 3 * max(max(_shares(each, each.measured)) for row in found for each in row)
    several = len({name for _, name in shown}) > 1
    for number, (each, (look, name), rows) in enumerate(zip(axes, shown, found, strict=True)):
        _draw(each, look, rows, top)
        label = f"{name}, {look.label}" if name and several else look.label
        each.set_title(label, loc="left", size=9, color=look.colour, pad=17, weight=look.weight)
        if number % sheet.across(len(shown)) == 0:
            each.set_ylabel("share of the power", size=8.5, color=SOFT)
        if number + sheet.across(len(shown)) >= len(shown):
            each.set_xlabel("cycles across the signal", size=8.5, color=SOFT)
    return figure


def _spectra(look: Look) -> "tuple[InitialSpectrum, ...]":
    start = look.row.runs[0].start
    assert start is not None
    return start.spectra


def _shares(spectrum: "InitialSpectrum", power: "tuple[float, ...]") -> list[float]:
    """Power from 2 cycles on, over the measured one; the last has one sign only."""
    total = math.fsum(spectrum.measured[2:]) or 1.0
    return [each / total for each in power[2:-1]]


def _draw(axes: Axes, look: Look, rows: "tuple[InitialSpectrum, ...]", top: float) -> None:
    longest = max(len(each.measured) for each in rows) - 2
    axes.set_xscale("log")
    axes.set_yscale("log")
    for each in rows:
        cycles = np.arange(2, len(each.measured) - 1)
        axes.plot(
            cycles, _shares(each, each.measured), color=look.colour, lw=1.1, alpha=0.8, zorder=2
        )
        if each.predicted is not None:
            shares = _shares(each, each.predicted)
            axes.plot(cycles, shares, color=INK[0], lw=1, ls=(0, (3, 2)), zorder=3)
    limit = min(each.nyquist for each in rows)
    if limit < longest:
        axes.axvspan(limit, longest, color="#efefef", zorder=0, linewidth=0)
    plain_axes(axes, "", size=9)
    axes.set(xlim=(2, longest), ylim=(top * _DEPTH, top))
    axes.minorticks_off()
    axes.xaxis.set_major_formatter("{x:g}")
    axes.text(0, 1.05, _above(rows), transform=axes.transAxes, size=7.5, color=QUIET)


def _above(rows: "tuple[InitialSpectrum, ...]") -> str:
    """The share above the sampling's limit, of the coordinate that has most of it."""
    measured = [each.above for each in rows if each.above is not None]
    predicted = [each.predicted_above for each in rows if each.predicted_above is not None]
    if not measured:
        return "Nyquist frequency beyond what is shown"
    said = f"above Nyquist {_percent(max(measured))}"
    return said + (f", predicted {_percent(max(predicted))}" if predicted else "")


def _percent(share: float) -> str:
    return f"{100 * share:#.2g}".rstrip(".") + " %" if share >= 1e-4 else "< 0.01 %"
