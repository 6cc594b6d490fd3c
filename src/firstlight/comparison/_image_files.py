"""Encoded images to bytes; files are data, so what they claim is checked before it is done."""

import os
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import numpy as np
from PIL import Image, UnidentifiedImageError

from firstlight.errors import FirstlightError

#: Largest image that is decoded: a small file can claim to unpack to any size.
MAX_PIXELS = 4096 * 4096

_FORMATS = ("JPEG", "PNG", "BMP", "GIF", "WEBP")
_MODES = {"1": "L", "L": "L", "LA": "L"} | dict.fromkeys(
    ("RGB", "RGBA", "P", "CMYK", "YCbCr"), "RGB"
)


def decode(source: Path | IO[bytes], place: str, size: int | None, colour: bool) -> np.ndarray:
    """Decode one image to (H, W, 1) or (H, W, 3).

    Args:
        source: where its bytes are.
        place: what messages call it.
        size: of the square that its centre is scaled to, antialiased; None keeps it as it is.
        colour: give a grey image three channels, too.

    Raises:
        FirstlightError: it is no image, broken, too large, or has more than 8 bits.
    """
    with _opened(source, place) as image:
        converted = image.convert("RGB" if colour else _MODES[image.mode])
        if size is not None:
            # cut, then scale: the other way round, a long line would unpack to any size
            side = min(converted.size)
            left, top = ((length - side) // 2 for length in converted.size)
            box = (left, top, left + side, top + side)
            converted = converted.resize((size, size), Image.Resampling.BILINEAR, box)
        pixels = np.asarray(converted)
    return pixels.reshape(*pixels.shape[:2], -1)


def is_grey(source: Path | IO[bytes], place: str) -> bool:
    """Return what the head of an image says, without decoding it."""
    with _opened(source, place) as image:
        return _MODES[image.mode] == "L"


def short(text: object) -> str:
    """Return the first words of what may be long, in one line."""
    printable = os.fsencode(str(text)).decode("utf-8", "replace")  # a file's name may be any bytes
    return textwrap.shorten(printable, 120, placeholder=" ...")


@contextmanager
def _opened(source: Path | IO[bytes], place: str) -> Iterator[Image.Image]:
    """Open an image that is none too large; name its place in whatever is wrong with it."""
    try:
        with Image.open(source, formats=_FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise ValueError(
                    f"{image.width} x {image.height} pixels are more than the limit of {MAX_PIXELS}"
                )
            if image.mode not in _MODES:
                raise ValueError(f"an image must be 8-bit grey or RGB, got mode {image.mode!r}")
            yield image
    except UnidentifiedImageError as error:
        kinds = ", ".join(_FORMATS)
        raise FirstlightError(f"{place}: cannot identify image as one of {kinds}") from error
    except (OSError, ValueError, SyntaxError, Warning, Image.DecompressionBombError) as error:
        raise FirstlightError(f"{place}: {short(error)}") from error
