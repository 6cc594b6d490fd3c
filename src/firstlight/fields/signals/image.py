"""Images: any mode that Pillow reads, 8 and 16 bit, and back at any resolution."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from firstlight.errors import OptionError, positive
from firstlight.fields.signals.places import Lattice
from firstlight.fields.signals.samples import Span
from firstlight.fields.signals.signal import (
    Form,
    Predict,
)

#: Modes of Pillow that are kept as they are, and what others become.
_KEPT = ("L", "LA", "RGB", "RGBA")
_INSTEAD = {
    "1": "L",
    "P": "RGB",
    "PA": "RGBA",
    "CMYK": "RGB",
    "YCbCr": "RGB",
    "HSV": "RGB",
    "LAB": "RGB",
    "RGBX": "RGB",
    "RGBa": "RGBA",
    "La": "LA",
}
_CHANNELS = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4}
#: Pixels that are rendered at once, which bounds the memory.
_MOST_PIXELS = 2**28


@dataclass(frozen=True)
class ImageForm(Form):
    """An image's size and how its values are stored.

    Attributes:
        height: in pixels.
        width: in pixels.
        mode: "L", "LA", "RGB" or "RGBA".
        bits: 8 or 16 a channel.
    """

    kind = "image"
    suffix = ".png"

    height: int
    width: int
    mode: str
    bits: int

    @property
    def span(self) -> Span:
        """0 is -1, and the largest number of so many bits is 1."""
        return Span(0, 2**self.bits - 1)

    def render(
        self, predict: Predict, *, scale: float = 1.0, size: tuple[int, int] | None = None
    ) -> np.ndarray:
        """Pixels, (height, width, channels), uint8 or uint16, at ``scale`` or of ``size``."""
        height, width = size or (
            max(1, round(side * positive(scale, "scale"))) for side in (self.height, self.width)
        )
        if height * width > _MOST_PIXELS:
            raise OptionError(
                f"an image of {width} x {height} is larger than 2^28 pixels; take a smaller scale"
            )
        values = self.span.restored(predict(Lattice.cells((height, width))))
        pixels = values.round_().clamp_(0, self.span.high).numpy()
        return pixels.astype(f"uint{self.bits}").reshape(height, width, -1)

    def save(self, predict: Predict, path: Path, **options: Any) -> Path:
        """Write an image file of the kind that the name's ending says."""
        pixels = self.render(predict, **options)
        return path
