"""Pixels of image files, Pillow's images and arrays: (height, width, channels)."""

import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from firstlight.errors import FirstlightError
from firstlight.fields.signals.image_limits import FAILURES, check_size, too_large
from firstlight.fields.signals.tiff_reading import needs_tifffile, read_tiff

if TYPE_CHECKING:
    from PIL import Image

#: What Pillow's modes of 8 bits become; with transparency, "L" becomes "LA" and "RGB" "RGBA".
_BECOMES = {"1": "L", "L": "L", "LA": "LA", "La": "LA"}  # all others are colours
_WITH_ALPHA = {"L": "LA", "LA": "LA", "RGB": "RGBA"}


def read_pixels(source: Any) -> np.ndarray:
    """Pixels, (height, width, channels): uint8, uint16, or float32 with one channel.

    1 to 4 channels are grey, grey and alpha, RGB, RGBA. ``read_image`` says what becomes what.

    Raises:
        FirstlightError: this is no image, or not a whole one, or too large a one.
    """
    from PIL import Image

    read: Callable[[Any], np.ndarray]
    if isinstance(source, str | Path):
        read, what = _of_file, f"{source} as an image"
    elif isinstance(source, Image.Image):
        read, what = _of_pillow, "this Pillow image"
    else:
        read, what = _of_array, "this array as an image"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of damaged metadata, and of sizes, checked here
            return read(source)
    except FirstlightError:
        raise
    except Image.DecompressionBombError as error:
        raise too_large(what) from error
    except FAILURES as error:
        raise _unreadable(what, error) from error


def _unreadable(what: str, error: Exception) -> FirstlightError:
    reason = error.strerror if isinstance(error, OSError) else None
    return FirstlightError(f"cannot read {what}: {' '.join(str(reason or error).split())}")


def _open(path: Path) -> "Image.Image":
    """Open a file by its content; EPS is left out because reading it runs Ghostscript."""
    from PIL import Image

    Image.init()
    if path.stat().st_size == 0:
        raise FirstlightError(f"cannot read {path} as an image: the file is empty")
    try:
        image = Image.open(path, formats=[name for name in Image.ID if name != "EPS"])
    except Image.UnidentifiedImageError as error:
        raise FirstlightError(
            f"cannot read {path} as an image: its content is of no format known here"
        ) from error
    check_size(image.size, path)
    return image


def _of_file(source: str | Path) -> np.ndarray:
    path = Path(source)
    if needs_tifffile(path):
        return _turned(*read_tiff(path))
    with _open(path) as image:
        rawmodes = [_rawmode(tile) for tile in image.tile]
        deep = bool(rawmodes) and all(_is_deep(name) for name in rawmodes)
        if deep and rawmodes[0].startswith("LA"):  # 4 bytes a pixel, as RGBA has
            _set_rawmodes(image, lambda _: "RGBA")
            pixels = np.array(image).view(">u2").astype(np.uint16)
            return _upright(pixels, image)
        if not deep:
            return _of_pillow(image)
        pixels = np.array(image).astype(np.uint16)
        with _open(path) as again:
            _set_rawmodes(again, _other_half)
            pixels <<= 8
            pixels |= np.asarray(again)
        return _upright(pixels, image)


def _rawmode(tile: Any) -> str:
    return str(tile.args[0] if isinstance(tile.args, tuple) else tile.args)


def _is_deep(rawmode: str) -> bool:
    """Whether Pillow would keep only the upper byte of each of a pixel's 16-bit numbers."""
    return rawmode[:-1] in ("RGB;16", "RGBA;16", "RGBX;16", "LA;16")


def _other_half(rawmode: str) -> str:
    """The byte order that makes Pillow take the lower byte of 16-bit numbers for the upper one."""
    order = rawmode[-1].replace("N", "L" if sys.byteorder == "little" else "B")
    return rawmode[:-1] + ("B" if order == "L" else "L")


def _set_rawmodes(image: Any, change: Callable[[str], str]) -> None:
    tiles = []
    for tile in image.tile:
        if isinstance(tile.args, tuple):
            tiles.append(tile._replace(args=(change(tile.args[0]), *tile.args[1:])))
        else:
            tiles.append(tile._replace(args=change(tile.args)))
    image.tile = tiles


def _upright(pixels: np.ndarray, image: "Image.Image") -> np.ndarray:
    try:
        orientation = image.getexif().get(0x0112, 1)
    except FAILURES:  # damaged metadata of a picture that is whole
        orientation = 1
    return _turned(pixels, orientation)


def _turned(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """Pixels with the first row on top, by EXIF's orientation."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return pixels[::-1] if orientation in (3, 4, 7, 8) else pixels


def _of_pillow(image: "Image.Image") -> np.ndarray:
    check_size(image.size, "the picture")
    image.load()
    if image.mode.startswith("I;16"):
        inverse = getattr(image, "tag_v2", {}).get(262) == 0  # white is 0, which Pillow leaves so
        pixels = np.array(image).astype(np.uint16)
        return _upright((65535 - pixels if inverse else pixels)[..., None], image)
    if image.mode in ("I", "F"):
        return _upright(_of_numbers(np.array(image)[..., None]), image)
    mode = _BECOMES.get(image.mode, "RGB")
    if image.has_transparency_data:
        mode = _WITH_ALPHA[mode]
    pixels = np.array(image if image.mode == mode else image.convert(mode))
    return _upright(pixels.reshape(*pixels.shape[:2], -1), image)


def _of_numbers(numbers: np.ndarray) -> np.ndarray:
    """Whole numbers of 16 bits and shares of white as 16 bits, other grey as float32."""
    whole = numbers.dtype.kind in "iu"
    finite = int(np.isfinite(numbers).sum())
    if finite < numbers.size:
        raise FirstlightError(
            f"{numbers.size - finite} of {numbers.size} pixels are NaN or infinite; replace them, "
            "for example by numpy.nan_to_num"
        )
    least, most = numbers.min(), numbers.max()
    if whole and least >= 0 and most <= 65535:
        return numbers.astype(np.uint16)
    if not whole and least >= 0 and most <= 1:
        return np.rint(numbers.astype(np.float32) * np.float32(65535)).astype(np.uint16)
    if numbers.shape[-1] > 1 or max(-float(least), float(most)) > 1e38:
        raise FirstlightError(
            f"an image's colours must be uint8, uint16 or from 0 to 1, got {numbers.dtype.name} "
            f"from {least:.4g} to {most:.4g}; scale them, or read them as a volume"
        )
    return numbers.astype(np.float32)


def _of_array(source: Any) -> np.ndarray:
    array = np.asarray(source)
    pixels = array[..., None] if array.ndim == 2 else array
    if pixels.ndim != 3 or pixels.size == 0 or pixels.shape[2] > 4:
        raise FirstlightError(
            "an image must have the shape (height, width) or (height, width, 1 to 4 channels), "
            f"got {array.shape}"
        )
    check_size(pixels.shape[:2], "this array")
    if pixels.dtype == np.bool_:
        return pixels.astype(np.uint8) * 255
    if pixels.dtype in (np.uint8, np.uint16):
        return pixels.astype(pixels.dtype.newbyteorder("="), order="C")
    if pixels.dtype.kind not in "iuf":
        raise FirstlightError(f"an image must be of numbers, got the type {pixels.dtype}")
    return _of_numbers(pixels)
