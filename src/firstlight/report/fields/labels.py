"""Names beside lines and points, where they hide nothing."""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.lines import Line2D
from matplotlib.transforms import Bbox

from firstlight.report.canvas import any_letters
from firstlight.report.spread import spread

#: Height of a line of text, in inches.
_LINE = 0.155
#: Left, bottom, right and top.
Box = tuple[float, float, float, float]
#: Offset in points, horizontal and vertical alignment.
Place = tuple[float, float, str, str]
#: Where a label may stand beside its point.
_PLACES: tuple[Place, ...] = tuple(
    (side * across, up * high, "left" if side > 0 else "right", "bottom" if up > 0 else "top")
    for across, high in ((7, 5), (9, 14), (12, 24), (16, 36), (26, 8), (40, 18))
    for up in (1, -1)
    for side in (1, -1)
)
#: What each point of distance costs, in the area that a name may rather hide.
_DISTANCE = 1.5
#: How much dearer it is to hide another name.
_ON_A_NAME = 1000.0
#: Names farther from their point than this have a line to it.
_FAR = 12.0


class Label(NamedTuple):
    """A name and the place in data coordinates that it belongs to."""

    text: str
    x: float
    y: float
    colour: str
    weight: str = "normal"


def label_ends(axes: Axes, labels: Sequence[Label], size: float = 8.0) -> None:
    """Write names at the right of the axes, in the order of the heights, with leaders to them."""
    if not labels:
        return
    figure: Any = axes.figure
    box = axes.get_position()
    width = box.width * figure.get_figwidth()
    height = box.height * figure.get_figheight()
    data, inverse = _pixels(axes), axes.transAxes.inverted()
    ends = [inverse.transform(data.transform((each.x, each.y))) for each in labels]
    heights = [min(max(float(y), 0.0), 1.0) for _, y in ends]
    places = spread(heights, gap=_LINE / height, low=0.0, high=1.0)
    outside: dict[str, Any] = {"transform": axes.transAxes, "clip_on": False}
    for each, (x, _), level, place in zip(labels, ends, heights, places, strict=True):
        knee = [min(float(x) + 0.04 / width, 1.0), 1 + 0.08 / width, 1 + 0.13 / width]
        axes.add_artist(Line2D(knee, [level, place, place], color="#b5b5b5", lw=0.7, **outside))
        text = axes.text(1 + 0.17 / width, place, each.text, size=size, **outside)
        text.set(va="center_baseline", color=each.colour, weight=each.weight)


def label_top(axes: Axes, labels: Sequence[Label], size: float = 8.0) -> None:
    """Write slanted names above the axes, in the order of their x, with leaders to their points."""
    if not labels:
        return
    figure: Any = axes.figure
    box = axes.get_position()
    width = box.width * figure.get_figwidth()
    height = box.height * figure.get_figheight()
    data, inverse = _pixels(axes), axes.transAxes.inverted()
    ends = [inverse.transform(data.transform((each.x, each.y))) for each in labels]
    places = spread([float(x) for x, _ in ends], gap=0.24 / width, low=0.0, high=1.0)
    outside: dict[str, Any] = {"transform": axes.transAxes, "clip_on": False}
    for each, (x, y), place in zip(labels, ends, places, strict=True):
        knee = [float(y), 1.0, 1 + 0.07 / height]
        line = Line2D([float(x), float(x), place], knee, color="#b5b5b5", lw=0.7, **outside)
        axes.add_artist(line)
        text = axes.text(place, 1 + 0.09 / height, each.text, size=size, **outside)
        text.set(rotation=42, rotation_mode="anchor", va="bottom", ha="left")
        text.set(color=each.colour, weight=each.weight)


def label_points(
    axes: Axes,
    labels: Sequence[Label],
    lines: Sequence[Sequence[tuple[float, float]]] = (),
    size: float = 8.0,
) -> None:
    """Write each name beside its point, where it hides no other name, no point and no line.

    Args:
        axes: with everything drawn and its limits set.
        labels: the names.
        lines: through data coordinates.
        size: of the letters.
    """
    figure: Any = axes.figure
    renderer: Any = FigureCanvasAgg(figure).get_renderer()
    data, dot = _pixels(axes), figure.dpi / 72
    points = [data.transform((each.x, each.y)) for each in labels]
    taken = [_around(point, 4 * dot) for point in points]
    for line in lines:
        taken += _along(data.transform(line), 2 * dot) if len(line) > 1 else []
    room = _Room(axes.get_window_extent(renderer), taken, dot)
    for each, point in zip(labels, points, strict=True):
        text = axes.annotate(
            each.text,
            (each.x, each.y),
            xytext=(0, 0),
            textcoords="offset points",
            size=size,
            color=each.colour,
            weight=each.weight,
        )
        with any_letters():
            extent = text.get_window_extent(renderer)
        x, y, horizontal, vertical = place = room.take(point, extent.width, extent.height)
        text.xyann = (x, y)
        text.set(ha=horizontal, va=vertical)
        if max(abs(x), abs(y)) > _FAR:
            _lead(axes, each, place)


class _Room:
    """What is free in the axes; boxes are (left, bottom, right, top), in pixels."""

    def __init__(self, frame: Bbox, taken: Sequence[Box], dot: float) -> None:
        self._frame, self._taken, self._dot = np.array([frame.extents]), list(taken), dot
        self._names: list[Box] = []

    def take(self, point: Sequence[float], width: float, height: float) -> Place:
        """Choose a place for a name beside a point, and keep others from it."""
        boxes = [self._box(point, width, height, place) for place in _PLACES]
        costs = [self._cost(box, place) for box, place in zip(boxes, _PLACES, strict=True)]
        best = int(np.argmin(costs))
        self._names.append(boxes[best])
        return _PLACES[best]

    def _box(self, point: Sequence[float], width: float, height: float, place: Place) -> Box:
        x, y, horizontal, vertical = place
        left = point[0] + x * self._dot - (width if horizontal == "right" else 0)
        bottom = point[1] + y * self._dot - (height if vertical == "top" else 0)
        return left, bottom, left + width, bottom + height

    def _cost(self, box: Box, place: Place) -> float:
        """Area of what a name hides there, and of what sticks out of the axes."""
        area = (box[2] - box[0]) * (box[3] - box[1])
        outside = area - _common(box, self._frame)
        distance = _DISTANCE * (abs(place[0]) + abs(place[1]))
        names = _ON_A_NAME * _common(box, np.array(self._names).reshape(-1, 4))
        return names + _common(box, np.array(self._taken).reshape(-1, 4)) + outside + distance


def _common(box: Box, others: np.ndarray) -> float:
    """Area that a box shares with others, (n, 4)."""
    low, high = np.maximum(box[:2], others[:, :2]), np.minimum(box[2:], others[:, 2:])
    return float(np.maximum(high - low, 0).prod(1).sum())


def _pixels(axes: Axes) -> Any:
    """From data to pixels; asking for the limits makes Matplotlib set them, which it puts off."""
    axes.get_xlim()
    axes.get_ylim()
    return axes.transData


def _lead(axes: Axes, label: Label, place: Place) -> None:
    """A line from a point to its name."""
    axes.annotate(
        "",
        (label.x, label.y),
        xytext=place[:2],
        textcoords="offset points",
        arrowprops={"arrowstyle": "-", "color": "#b5b5b5", "lw": 0.7, "shrinkA": 0, "shrinkB": 4},
    )


def _around(point: Sequence[float], reach: float) -> Box:
    return point[0] - reach, point[1] - reach, point[0] + reach, point[1] + reach


def _along(corners: Any, step: float) -> list[Box]:
    """Small boxes along a line of pixels."""
    found = []
    for (x, y), (end_x, end_y) in pairwise(corners):
        count = max(2, int(math.hypot(end_x - x, end_y - y) / step))
        parts = [number / count for number in range(count + 1)]
        found += [
            _around((x + part * (end_x - x), y + part * (end_y - y)), step / 2) for part in parts
        ]
    return found
