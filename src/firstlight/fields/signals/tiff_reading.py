"""TIFF files of 16 bits that Pillow does not know, or reads wrong."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from firstlight.errors import FirstlightError
from firstlight.fields.signals.image_limits import FAILURES, check_size

_MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def needs_tifffile(path: Path) -> bool:
    """Whether a file is a TIFF of 16-bit planes, or of grey and alpha of 16 bits."""
    with path.open("rb") as file:
        if file.read(4) not in _MAGIC:
            return False
    import tifffile

    try:
        with _first_page(path) as page:
            planes = page.planarconfig == tifffile.PLANARCONFIG.SEPARATE
            channels = page.samplesperpixel
            return page.bitspersample == 16 and (channels == 2 or (channels > 1 and planes))
    except (tifffile.TiffFileError, *FAILURES):
        return False  # Pillow may know better, and says what is wrong where it does not


def read_tiff(path: Path) -> tuple[np.ndarray, int]:
    """Pixels of the first page, (height, width, channels), uint16, and their orientation.

    Raises:
        FirstlightError: not 1 to 4 channels of unsigned integers, damaged, or too large.
    """
    import tifffile

    try:
        with _first_page(path) as page:
            check_size((page.imagewidth, page.imagelength), path)
            if page.dtype != np.uint16 or page.imagedepth != 1 or page.samplesperpixel > 4:
                raise FirstlightError(
                    f"cannot read {path} as an image: its {page.samplesperpixel} channels of "
                    f"{page.dtype} are none; save it as an array for a volume"
                )
            pixels = page.asarray().reshape(page.shape)
            if page.planarconfig == tifffile.PLANARCONFIG.SEPARATE:
                pixels = np.moveaxis(pixels, 0, -1)
            tag = page.tags.get("Orientation")
            return pixels, int(tag.value) if tag else 1
    except tifffile.TiffFileError as error:
        raise FirstlightError(f"cannot read {path} as an image: {error}") from error


@contextmanager
def _first_page(path: Path) -> Iterator[Any]:
    import tifffile

    logger = logging.getLogger("tifffile")  # tells of damage, which the caller's error says
    silent = logger.disabled
    logger.disabled = True
    try:
        with tifffile.TiffFile(path) as tiff:
            yield tiff.pages.first
    finally:
        logger.disabled = silent
