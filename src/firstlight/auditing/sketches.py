"""Small pictures of a weight matrix and of an activation, as data."""

from dataclasses import dataclass


@dataclass(frozen=True)
class WeightSketch:
    """A small picture of a weight matrix.

    Attributes:
        heat: entries of evenly chosen rows and columns.
        counts: how many entries fall into each of equal bins.
        limit: the bins reach from -limit to limit.
    """

    heat: tuple[tuple[float, ...], ...]
    counts: tuple[int, ...]
    limit: float


@dataclass(frozen=True)
class ActivationSketch:
    """A small picture of how samples switch the units before an activation.

    Attributes:
        on: for some samples, a string of "1" and "0": which of some units are on.
        row_sums: the sums S of the rows of the weight before, for some units; () where there is
            no single weight, or a norm stands between.
        on_share: the share of observations for which each of these units is on.
        threshold_10, threshold_30: the predicted |S| above which a unit is skewed of degree 0.1
            and 0.3 (arXiv 2505.12909); None where theory does not apply, infinite where no unit is.
    """

    on: tuple[str, ...]
    row_sums: tuple[float, ...] = ()
    on_share: tuple[float, ...] = ()
    threshold_10: float | None = None
    threshold_30: float | None = None
