"""Images: any mode that Pillow reads, 8 and 16 bit, and back at any resolution."""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from firstlight.errors import OptionError, check_choice, number
from firstlight.fields.signals.gridded import Gridded
from firstlight.fields.signals.image_reading import read_pixels
from firstlight.fields.signals.image_writing import check_format, write_pixels
from firstlight.fields.signals.places import Lattice
from firstlight.fields.signals.samples import Samples, Span, held_out_of
from firstlight.fields.signals.signal import (
    Form,
    Predict,
    PredictSamples,
    check_held_out,
    chosen_places,
    options_of,
)
from firstlight.fields.signals.slabs import check_extent, rendered, target_shape
from firstlight.fields.signals.storage import RANGES, stored
from firstlight.files import write_atomically

_CHANNELS = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4, "F": 1}
_TYPES = {8: "uint8", 16: "uint16", 32: "float32"}
#: SSIM looks at windows of 11 x 11, and takes 40 times an image's memory.
_SSIM_SIDE, _SSIM_PIXELS = 11, 2**22
#: A fit is not lost for want of a measure.
_BARE = "SSIM is left out, as it needs torchmetrics: pip install 'firstlight[fields]'"


@dataclass(frozen=True)
class ImageForm(Form):
    """An image's size and how its values are stored.

    Attributes:
        height: in pixels.
        width: in pixels.
        mode: "L", "LA", "RGB", "RGBA", or "F" for grey of any numbers.
        bits: 8 or 16 a channel; 32, float, for "F".
        low: the number that is -1 in the field, for "F" alone.
        high: the number that is 1, for "F" alone.

    Raises:
        OptionError: the numbers do not go together, or are larger than any image.

    Example:
        >>> form = ImageForm(height=4, width=6, mode="RGB", bits=8)
        >>> pixels = form.render(lambda places: torch.ones(len(places), 3), scale=2)
        >>> pixels.shape, pixels.dtype.name, int(pixels.min())
        ((8, 12, 3), 'uint8', 255)
    """

    kind = "image"
    suffix = ".png"

    height: int
    width: int
    mode: str
    bits: int
    low: float = 0.0
    high: float = 0.0

    def __post_init__(self) -> None:
        check_choice(self.mode, _CHANNELS, "an image's mode")
        accepted = (32,) if self.mode == "F" else (8, 16)
        if isinstance(self.bits, bool) or self.bits not in accepted:
            raise OptionError(f"an image of mode {self.mode} has {accepted} bits, got {self.bits}")
        check_extent((self.height, self.width), self.channels, self.dtype)
        if number(self.low, "low") > number(self.high, "high"):
            raise OptionError(f"low must be at most high, got {self.low} and {self.high}")
        if self.mode != "F" and (self.low or self.high):
            raise OptionError(f"only mode F has low and high, not {self.mode}")
        if self.mode == "F":
            object.__setattr__(self, "suffix", ".tif")  # PNG has no floats

    @property
    def channels(self) -> int:
        """Numbers of a pixel."""
        return _CHANNELS[self.mode]

    @property
    def dtype(self) -> np.dtype:
        """Of the numbers of a pixel."""
        return np.dtype(_TYPES[self.bits])

    @property
    def span(self) -> Span:
        """0 is -1, and the largest number of so many bits is 1."""
        return Span(self.low, self.high) if self.mode == "F" else Span(0, 2**self.bits - 1)

    def render(
        self,
        predict: Predict,
        *,
        scale: float | None = None,
        size: tuple[int, int] | None = None,
        **unknown: Any,
    ) -> np.ndarray:
        """Pixels, (height, width, channels), at ``scale`` times the size, or of ``size``."""
        options_of(self, unknown, ("scale", "size"))
        shape = target_shape((self.height, self.width), scale, size)
        return rendered(predict, shape, self.channels, self.span, self.dtype)

    def save(self, predict: Predict, path: Path, **options: Any) -> Path:
        """Write a PNG, TIFF, JPEG (quality 95) or WEBP (lossless), as the name's ending says."""
        options_of(self, options, ("scale", "size"))
        shape = target_shape((self.height, self.width), options.get("scale"), options.get("size"))
        check_extent(shape, self.channels, self.dtype)
        check_format(path, (shape[0], shape[1]), self.channels, self.dtype.name)
        pixels = self.render(predict, size=(shape[0], shape[1]))
        write_atomically(path, lambda temporary: write_pixels(temporary, pixels))
        return path


@dataclass(frozen=True)
class Image(Gridded):
    """An image's pixels at the middles of its cells: y, then x, each from -1 to 1."""

    def measure(self, predict: PredictSamples) -> dict[str, float]:
        """Also "ssim" of the whole picture, from 11 x 11 pixels to 4 million, by torchmetrics.

        Reference: SSIM, IEEE Trans. Image Processing 13 (2004) 600.
        """
        parts = [part for part in (self.train, self.held_out) if part is not None]
        values = [predict(part) for part in parts]
        measured = super().measure(lambda part: values[0 if part is self.train else 1])
        height, width = self.shape
        sized = min(height, width) >= _SSIM_SIDE and height * width <= _SSIM_PIXELS
        if sized and find_spec("torchmetrics"):
            whole = torch.empty(height * width, self.outputs)
            for part, predicted in zip(parts, values, strict=True):
                whole[slice(None) if part.chosen is None else part.chosen.long().cpu()] = (
                    predicted.float().cpu()
                )
            measured["ssim"] = self._ssim(whole)
        return measured

    def _ssim(self, predicted: Tensor) -> float:
        from firstlight.model import _torchvision

        _torchvision.prepare()  # torchmetrics imports torchvision where it finds one
        from torchmetrics.functional.image import structural_similarity_index_measure

        truth = self.train.span.scaled(self.train.values.cpu())
        first, second = (each.t().reshape(1, -1, *self.shape) for each in (predicted, truth))
        value = structural_similarity_index_measure(first, second, data_range=2.0)
        return float(torch.as_tensor(value))


def read_image(source: Any, *, every: int = 1, held_out: float = 0.0, seed: int = 0) -> Image:
    """Read an image as samples of a field of two coordinates.

        scaled = 2 value / (2^bits - 1) - 1

    Pillow's modes become: 1 grey of 0 and 255; P, CMYK, YCbCr, HSV, LAB, RGBX colour (RGB); PA
    and what has a transparent colour gets alpha; La and RGBa lose the multiplication; I of 0 to
    65535 is 16-bit grey; F of 0 to 1 is a share of white in 16 bits; other I and F stay as they
    are, in float32. Arrays, (height, width) or (height, width, 1 to 4), are uint8 or uint16, bool,
    or numbers as in I and F. PNG and TIFF keep 16 bits of colour (but for a transparent colour's
    mask, CMYK and premultiplied alpha); other formats of 16-bit colour come in Pillow's 8 bits.
    EXIF's orientation is applied. Of an animation or several pages the first is read.

    Args:
        source: a path, an array, or a Pillow image as Pillow holds it.
        every: train on each row's and column's every n-th pixel, and hold out the others.
        held_out: or hold out this share, drawn with ``seed``.
        seed: of the held-out pixels.

    Raises:
        FirstlightError: the file is no whole image, or has more than 2^27 pixels.
        OptionError: every and held_out are wrong, or both given.

    Example:
        >>> image = read_image(np.eye(4, dtype=np.uint8), every=2)
        >>> image.form.mode, len(image.train), len(image.held_out), image.spacing
        ('L', 4, 12, (1.0, 1.0))
    """
    check_held_out(every, held_out)
    pixels = read_pixels(source)
    height, width, channels = pixels.shape
    values, span, between = stored(pixels)
    if pixels.dtype.name in RANGES:
        mode = ("L", "LA", "RGB", "RGBA")[channels - 1]
        form = ImageForm(height, width, mode, 8 * pixels.dtype.itemsize)
    else:
        form = ImageForm(height, width, "F", 32, between.low, between.high)
    places = Lattice.cells((height, width))
    samples = Samples(places, values.reshape(-1, channels), span)
    chosen = chosen_places(places, every, held_out, seed)
    train, rest = held_out_of(samples, chosen)
    name = str(source) if isinstance(source, str | Path) else "image"
    return Image(
        name, train, rest, form, every, notes=() if find_spec("torchmetrics") else (_BARE,)
    )
