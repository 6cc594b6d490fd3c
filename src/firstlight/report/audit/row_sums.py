"""The sums S of a weight's rows, coloured by how skewed the units are (arXiv 2505.12909)."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from firstlight.auditing.measures import ActivationSketch
from firstlight.report.audit.histogram import count, place, stacked
from firstlight.report.notation import MINUS, percent, significant

BINS = 31

#: From the middle outwards: the style of a bar, and what it holds.
PARTS = (
    ("skewed-30", "skewed of degree 0.3"),
    ("skewed-10", "of degree 0.1 only"),
    ("balanced", "not skewed"),
)


@dataclass(frozen=True)
class RowSums:
    """One histogram.

    Attributes:
        bars: the style and path of each part.
        marks: predicted thresholds: style, label, height of the label, and place.
        ticks: place and label.
        tallest: units in the highest bar.
        said: the same in words.
    """

    bars: tuple[tuple[str, str], ...]
    marks: tuple[tuple[str, str, int, float], ...]
    ticks: tuple[tuple[float, str], ...]
    tallest: int
    said: str


def reach(sketches: Iterable[ActivationSketch], usual: float) -> float:
    """Choose one axis for all schemes: it holds every S, and thresholds that are not far off.

    Args:
        sketches: of one layer.
        usual: how far the sums of independent weights would reach: where all cancel, the rounding
            errors that are left are not worth a picture.
    """
    found = list(sketches)
    sums = [abs(s) for one in found for s in one.row_sums if math.isfinite(s)]
    widest = max([*sums, usual])
    near = [v for one in found for v in _thresholds(one).values() if v <= 2.5 * widest]
    return 1.06 * max([widest, *near]) or 1.0


def row_sums(sketch: ActivationSketch, limit: float) -> RowSums:
    """Draw the histogram of one layer.

    Args:
        sketch: of its activation.
        limit: how far the axis reaches to both sides.
    """
    units = list(zip(sketch.row_sums, sketch.on_share, strict=False))
    units = [(s, abs(share - 0.5)) for s, share in units if math.isfinite(s)]
    kinds: tuple[Sequence[float], ...] = (
        [s for s, skew in units if skew > 0.3],
        [s for s, skew in units if 0.1 < skew <= 0.3],
        [s for s, skew in units if not skew > 0.1],
    )
    counts = [count(kind, limit, BINS) for kind in kinds]
    return RowSums(
        bars=tuple((style, path) for (style, _), path in zip(PARTS, stacked(counts), strict=True)),
        marks=tuple(_marks(sketch, limit)),
        ticks=(
            (place(-limit, limit), f"{MINUS}{significant(limit, 2)}"),
            (place(0, limit), "0"),
            (place(limit, limit), significant(limit, 2)),
        ),
        tallest=int(np.sum(counts, axis=0).max()),
        said=_said(sketch, [len(kind) for kind in kinds], limit),
    )


def _thresholds(sketch: ActivationSketch) -> dict[str, float]:
    """Return the finite ones by their degree."""
    named = {"0.1": sketch.threshold_10, "0.3": sketch.threshold_30}
    return {k: v for k, v in named.items() if v is not None and math.isfinite(v)}


def _marks(sketch: ActivationSketch, limit: float) -> Iterable[tuple[str, str, int, float]]:
    for degree, value in _thresholds(sketch).items():
        if value <= limit:
            style, height = f"threshold-{degree[-1]}0", 21 if degree == "0.1" else 10
            yield style, "", height, place(-value, limit)
            yield style, f"λ({degree})", height, place(value, limit)


def _said(sketch: ActivationSketch, counts: Sequence[int], limit: float) -> str:
    total = max(sum(counts), 1)
    shares = f"skewed {percent((counts[0] + counts[1]) / total, 0)} % (0.1), "
    shares += f"{percent(counts[0] / total, 0)} % (0.3)"
    found = _thresholds(sketch)
    if not found:
        endless = sketch.threshold_10 is not None
        return f"{shares}; " + ("no |S| is predicted to skew" if endless else "no prediction here")
    beyond = [value for value in found.values() if value > limit]
    levels = ", ".join(
        f"λ({degree})\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}{significant(v)}"
        for degree, v in found.items()
    )
    off = {0: "", len(found): ", beyond this axis"}.get(
        len(beyond), ", the second beyond this axis"
    )
    return f"{shares}; {levels}{off}"
