"""Pictures layer by layer, schemes side by side; of deep networks a choice of layers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from firstlight.report.audit.spectra import thinned

#: What one page holds at most of one kind: layers, and pictures.
LAYERS, PICTURES = 24, 96

T = TypeVar("T")


@dataclass(frozen=True)
class Row:
    """The pictures of one layer by scheme; a scheme without one is missing."""

    title: str
    cells: Mapping[str, Any]


@dataclass(frozen=True)
class Gallery:
    """First, middle and last layer, and more to choose from.

    Attributes:
        shown: always there.
        more: one at a time.
        total: layers that could be shown.
    """

    shown: tuple[Row, ...]
    more: tuple[Row, ...]
    total: int

    @property
    def kept(self) -> int:
        """How many layers are in the page."""
        return len(self.shown) + len(self.more)


def gallery(
    layers: Sequence[tuple[str, Mapping[str, T]]],
    draw: Callable[[Mapping[str, T]], Mapping[str, Any]],
) -> Gallery:
    """Choose layers evenly, the first and the last among them, and draw those.

    Args:
        layers: the title of each, and by scheme what is drawn.
        draw: makes the pictures of one layer.
    """
    able = [(title, found) for title, found in layers if found]
    widest = max((len(found) for _, found in able), default=1)
    places = thinned(len(able), min(LAYERS, max(3, PICTURES // widest))) if able else []
    rows = [Row(title, draw(found)) for title, found in (able[place] for place in places)]
    always = thinned(len(rows), 3) if rows else []
    return Gallery(
        shown=tuple(rows[index] for index in always),
        more=tuple(row for index, row in enumerate(rows) if index not in always),
        total=len(able),
    )
