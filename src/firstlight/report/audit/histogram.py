"""Histograms as SVG paths, in the units of one small picture."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

#: The picture, and where its bars stand in it.
WIDTH, HEIGHT = 260, 118
LEFT, RIGHT, TOP, FLOOR = 4, 256, 28, 98

Counts = NDArray[np.int64]


def place(value: float, reach: float) -> float:
    """Return where a value between -reach and reach lies across the picture.

    Example:
        >>> place(-2.0, 2.0), place(0.0, 2.0), place(2.0, 2.0)
        (4.0, 130.0, 256.0)
    """
    return round(LEFT + (RIGHT - LEFT) * (value + reach) / (2 * reach), 2)


def count(values: Sequence[float], reach: float, bins: int) -> Counts:
    """Count values in equal bins from -reach to reach; what lies outside is in the last ones."""
    edge = np.nextafter(reach, 0.0)
    kept = np.clip(np.asarray(values, dtype=np.float64), -edge, edge)
    return np.histogram(kept, bins, (-reach, reach))[0]


def stacked(layers: Sequence[Sequence[int] | Counts]) -> list[str]:
    """Draw counts on top of each other, the highest bar as high as the picture.

    Args:
        layers: the counts of each part, from the floor up.

    Returns:
        The path of each part.
    """
    tops = np.cumsum(np.array(layers, dtype=np.float64), axis=0)
    unit = (FLOOR - TOP) / max(float(tops[-1].max()), 1.0)
    floors = np.vstack([np.zeros_like(tops[:1]), tops[:-1]])
    return [_path(unit * low, unit * (high - low)) for low, high in zip(floors, tops, strict=True)]


def _path(lows: NDArray[np.float64], heights: NDArray[np.float64]) -> str:
    step = (RIGHT - LEFT) / len(lows)
    return "".join(
        f"M{LEFT + step * index + 0.05 * step:.2f},{FLOOR - low:.2f}"
        f"v{-height:.2f}h{0.9 * step:.2f}v{height:.2f}z"
        for index, (low, height) in enumerate(zip(lows, heights, strict=True))
        if height > 0
    )
