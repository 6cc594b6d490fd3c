"""Small pictures with one pixel for each number, as PNG."""

from collections.abc import Sequence
from functools import cache
from io import BytesIO

import numpy as np
from matplotlib import colormaps
from numpy.typing import NDArray
from PIL import Image

#: Purple below zero, orange above: also the colour-blind tell them apart.
_COLOURS = "PuOr_r"
_ZOOM = 4
_STEPS, _LOST = 255, (128, 128, 128)


def on_off(on: Sequence[str]) -> bytes:
    r"""Draw on/off patterns: a row for each sample, a column for each unit, white where on.

    Example:
        >>> on_off(["10", "01"])[:4]
        b'\x89PNG'
    """
    bits = np.array([[letter == "1" for letter in row] for row in on], dtype=np.uint8)
    return _png(_large(Image.fromarray(255 * bits).convert("1")))


def heat(rows: Sequence[Sequence[float]], limit: float) -> bytes:
    """Draw numbers from -limit (purple) through 0 (white) to limit (orange), grey where not finite.

    Args:
        rows: the numbers.
        limit: what has the full colour.
    """
    values = np.array(rows, dtype=np.float64)
    finite = np.isfinite(values)
    shares = np.where(finite, values, 0.0) / (limit or 1.0)
    middle = (_STEPS - 1) / 2
    steps = np.where(finite, middle + middle * shares.clip(-1, 1), _STEPS)
    image = Image.fromarray(steps.round().astype(np.uint8))
    image.putpalette(_palette().tobytes())
    return _png(_large(image))


def stops(count: int = 9) -> list[str]:
    """Return colours from one end of the scale to the other, as CSS writes them."""
    places = np.linspace(0, _STEPS - 1, count).round().astype(int)
    return ["#" + bytes(_palette()[place].tolist()).hex() for place in places]


def indexed(picture: bytes) -> bytes:
    """Make a drawing of few colours a third as large: one byte for each pixel."""
    image = Image.open(BytesIO(picture)).convert("RGB")
    return _png(image.quantize(256, dither=Image.Dither.NONE))


@cache
def _palette() -> NDArray[np.uint8]:
    colours = colormaps[_COLOURS](np.linspace(0, 1, _STEPS))[:, :3]
    whole = (255 * colours).round().astype(np.uint8)
    return np.vstack([whole, np.array([_LOST], dtype=np.uint8)])


def _large(image: Image.Image) -> Image.Image:
    """Make every pixel a square: what prints or shows a picture may smooth its pixels."""
    return image.resize((_ZOOM * image.width, _ZOOM * image.height), Image.Resampling.NEAREST)


def _png(image: Image.Image) -> bytes:
    buffer = BytesIO()
    image.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
