"""The pictures of arXiv 2505.12909, for any network: on/off maps, row sums, weights."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from firstlight.auditing.measures import (
    ActivationMeasures,
    ActivationSketch,
    WeightMeasures,
    WeightSketch,
)
from firstlight.report.audit.gallery import Gallery, gallery
from firstlight.report.audit.histogram import LEFT, RIGHT, place, stacked
from firstlight.report.audit.raster import heat, on_off
from firstlight.report.audit.row_sums import RowSums, reach, row_sums
from firstlight.report.audit.subject import Subject
from firstlight.report.notation import MINUS, percent, significant


@dataclass(frozen=True)
class Pattern:
    """On/off patterns of one layer."""

    picture: bytes
    samples: int
    units: int
    said: str


@dataclass(frozen=True)
class Weights:
    """Heat map and histogram of one weight."""

    picture: bytes
    rows: int
    columns: int
    bars: str
    ticks: tuple[tuple[float, str], ...]
    said: str


def patterns(found: Subject) -> Gallery:
    """Draw which samples switch which units on: Figure 4."""
    layers = [
        (site.label, {s: one for s, one in site.found.items() if one.sketch and any(one.sketch.on)})
        for site in found.sites
    ]
    return gallery(layers, lambda cells: {s: _pattern(one) for s, one in cells.items()})


def _pattern(one: ActivationMeasures) -> Pattern:
    on = one.sketch.on if one.sketch else ()
    share = sum(row.count("1") for row in on) / sum(map(len, on))
    oui = f", OUI {significant(one.oui, 2)}" if one.oui is not None else ""
    said = f"{percent(share, 0)} % on{oui}, {percent(one.skewed_30, 0)} % skewed (0.3)"
    return Pattern(on_off(on), len(on), len(on[0]), said)


def histograms(found: Subject) -> Gallery:
    """Draw the sums of rows and what they predict: Figures 5 and 7."""
    usual = {(s, w.parameter): _usual(w) for m in found.matrices for s, w in m.found.items()}
    layers = [
        (
            site.label,
            {
                scheme: (one.sketch, usual.get((scheme, one.weight), 0.0))
                for scheme, one in site.found.items()
                if one.sketch and one.sketch.row_sums
            },
        )
        for site in found.sites
    ]
    return gallery(layers, _histograms)


def _usual(weight: WeightMeasures) -> float:
    """Return three standard deviations of the sum of a row of independent entries."""
    return 3 * weight.rms * math.sqrt(math.prod(weight.shape[1:])) if weight.finite else 0.0


def _histograms(cells: Mapping[str, tuple[ActivationSketch, float]]) -> dict[str, RowSums]:
    limit = reach([sketch for sketch, _ in cells.values()], max(u for _, u in cells.values()))
    return {scheme: row_sums(sketch, limit) for scheme, (sketch, _) in cells.items()}


def weights(found: Subject) -> Gallery:
    """Draw the weights themselves: Figures 2 and 3."""
    layers = [
        (
            matrix.name,
            {s: one for s, one in matrix.found.items() if one.sketch and any(one.sketch.heat)},
        )
        for matrix in found.matrices
    ]
    return gallery(layers, _drawn)


def _drawn(cells: Mapping[str, WeightMeasures]) -> dict[str, Weights]:
    return {
        scheme: _weights(one.sketch, f"rms {significant(one.rms)}")
        for scheme, one in cells.items()
        if one.sketch
    }


def _weights(sketch: WeightSketch, said: str) -> Weights:
    limit = significant(sketch.limit, 2)
    (bars,) = stacked([sketch.counts])
    return Weights(
        heat(sketch.heat, sketch.limit),
        len(sketch.heat),
        len(sketch.heat[0]),
        bars,
        ticks=((LEFT, f"{MINUS}{limit}"), (place(0.0, 1.0), "0"), (RIGHT, limit)),
        said=said,
    )
