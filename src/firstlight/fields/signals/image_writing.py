"""Image files by the ending of their name, each number of bits kept or refused."""

import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from firstlight.errors import FirstlightError, OptionError


@dataclass(frozen=True)
class Format:
    """What a kind of file can hold.

    Attributes:
        name: Pillow's name of it.
        types: of numbers.
        alpha: whether it has transparency.
        side: pixels of its longest side.
        options: of Pillow's ``save``.
    """

    name: str
    types: tuple[str, ...]
    alpha: bool
    side: int
    options: dict[str, object]


_PNG = Format("PNG", ("uint8", "uint16"), True, 2**31 - 1, {})
_TIFF = Format("TIFF", ("uint8", "uint16", "float32"), True, 2**31 - 1, {})
_JPEG = Format("JPEG", ("uint8",), False, 65500, {"quality": 95})
_WEBP = Format("WEBP", ("uint8",), True, 16383, {"lossless": True})
#: By the ending of a file's name.
FORMATS = {
    ".png": _PNG,
    ".tif": _TIFF,
    ".tiff": _TIFF,
    ".jpg": _JPEG,
    ".jpeg": _JPEG,
    ".webp": _WEBP,
}
#: PNG's number for 1 to 4 channels.
_COLOURS = (0, 4, 2, 6)


def check_format(path: Path, shape: tuple[int, int], channels: int, dtype: str) -> Format:
    """The format of a file that holds such pixels; raise ``OptionError`` where there is none."""
    known = FORMATS.get(path.suffix.lower())
    if known is None:
        raise OptionError(
            f"an image is written as {', '.join(FORMATS)}; got the name {path.name!r}"
        )
    if dtype not in known.types:
        other = ".tif" if dtype == "float32" else ".png or .tif"
        raise OptionError(f"{known.name} cannot hold {dtype}; name the file {other}")
    if channels in (2, 4) and not known.alpha:
        raise OptionError(f"{known.name} cannot hold transparency; name the file .png")
    if max(shape) > known.side:
        raise OptionError(
            f"{known.name} holds at most {known.side} pixels a side, got {max(shape)}; "
            "name the file .png"
        )
    return known


def write_pixels(path: Path, pixels: np.ndarray) -> None:
    """Write (height, width, channels) into a file of the format that its ending says."""
    height, width, channels = pixels.shape
    known = check_format(path, (height, width), channels, pixels.dtype.name)
    if known is _TIFF:
        _write_tiff(path, pixels)
    elif pixels.dtype == np.uint16:
        with path.open("wb") as file:
            _write_png16(file, pixels)
    else:
        from PIL import Image

        image = Image.fromarray(pixels[..., 0] if channels == 1 else pixels)
        try:
            image.save(path, format=known.name, **known.options)
        except ValueError as error:
            raise FirstlightError(f"cannot write {path}: {error}") from error


def _write_tiff(path: Path, pixels: np.ndarray) -> None:
    import tifffile

    channels = pixels.shape[2]
    tifffile.imwrite(
        path,
        pixels[..., 0] if channels == 1 else pixels,
        photometric="rgb" if channels > 2 else "minisblack",
        planarconfig="contig" if channels > 1 else None,
        extrasamples=["unassalpha"] if channels in (2, 4) else None,
        metadata=None,
    )


def _write_png16(file: BinaryIO, pixels: np.ndarray) -> None:
    """PNG with 16 bits a channel, which Pillow writes of grey only; each row less the one above."""
    height, width, channels = pixels.shape
    file.write(b"\x89PNG\r\n\x1a\n")
    colour = _COLOURS[channels - 1]
    _write_chunk(file, b"IHDR", struct.pack(">IIBBBBB", width, height, 16, colour, 0, 0, 0))
    packer, above = zlib.compressobj(), np.zeros((1, 2 * width * channels), np.uint8)
    step = max(1, 2**22 // above.size)
    for start in range(0, height, step):
        part = pixels[start : start + step].astype(">u2", order="C")
        rows = np.concatenate([above, part.view(np.uint8).reshape(len(part), -1)])
        lines = np.full((len(part), 1 + above.size), 2, np.uint8)  # 2 names the filter
        np.subtract(rows[1:], rows[:-1], out=lines[:, 1:])
        above = rows[-1:]
        _write_chunk(file, b"IDAT", packer.compress(lines.tobytes()))
    _write_chunk(file, b"IDAT", packer.flush())
    _write_chunk(file, b"IEND", b"")


def _write_chunk(file: BinaryIO, name: bytes, data: bytes) -> None:
    file.write(struct.pack(">I", len(data)) + name + data)
    file.write(struct.pack(">I", zlib.crc32(name + data)))
