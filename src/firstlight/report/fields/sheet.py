"""A figure of several axes, laid out in inches, with a title and a caption."""

from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from firstlight.report.canvas import DPI, QUIET
from firstlight.report.palette import INK

#: Above all axes, for title and caption.
_HEAD = 0.62


@dataclass(frozen=True)
class Sheet:
    """Sizes in inches.

    Attributes:
        width: of the axes.
        height: of the axes.
        columns: at most so many side by side.
        left: room for the vertical axis of each.
        right: room for names beside each.
        above: room for the title, and names, of each.
        below: room for the horizontal axis of each.
    """

    width: float
    height: float
    columns: int
    left: float = 0.66
    right: float = 0.2
    above: float = 0.32
    below: float = 0.5

    def across(self, count: int) -> int:
        """How many of ``count`` axes stand side by side, so that rows are about equally full."""
        return -(-count // -(-count // self.columns))

    def figure(self, count: int, title: str, caption: str) -> tuple[Figure, list[Axes]]:
        """Make a figure of ``count`` axes, row by row."""
        rows = -(-count // self.columns)
        columns = self.across(count)
        wider = self.left + self.width + self.right
        down = self.above + self.height + self.below
        wide = max(columns * wider, 0.1 * len(title) + 0.4, 0.07 * len(caption) + 0.4)
        high = _HEAD + rows * down
        figure = Figure(figsize=(wide, high), dpi=DPI, facecolor="white")
        axes = []
        for number in range(count):
            row, column = divmod(number, columns)
            bottom = high - _HEAD - (row + 1) * down + self.below
            box = (column * wider + self.left, bottom, self.width, self.height)
            x, y, width, height = box
            axes.append(figure.add_axes((x / wide, y / high, width / wide, height / high)))
        top = 1 - 0.13 / high
        figure.text(0.16 / wide, top, title, va="top", size=11, weight="bold", color=INK[0])
        under = 1 - 0.38 / high
        figure.text(0.16 / wide, under, caption, va="top", size=8.5, color=QUIET)
        return figure, axes
