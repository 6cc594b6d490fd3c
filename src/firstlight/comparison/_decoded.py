"""Images of a folder, decoded once into one file that is mapped into memory."""

import logging
import math
import os
import shutil
import time
import warnings
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from filelock import FileLock  # torch needs it, too
from PIL import Image

from firstlight.comparison import _image_files
from firstlight.comparison._folder import File, Listing, shown
from firstlight.comparison.ahead import ahead
from firstlight.comparison.mapped import Mapped
from firstlight.errors import FirstlightError
from firstlight.files import write_atomically

_log = logging.getLogger("firstlight")

_TOLD_EVERY = 30.0  # seconds


class _Decoded(NamedTuple):
    """One image: bytes (C, H, W), and sum and sum of squares of each channel (2, C)."""

    pixels: np.ndarray
    sums: np.ndarray


def load(found: Listing, cache: Path, note: Callable[[str], None] = _log.info) -> Mapped:
    """Map the images of ``found``; decode them first where ``cache`` does not have them.

    The file is there whole or not at all. Of several processes one decodes, the others wait.

    Args:
        found: the files.
        cache: folder for decoded images.
        note: is told what takes long.

    Raises:
        FirstlightError: an image is broken or has another size, or the disk is full.
    """
    path = cache / f"{found.key()}.npy"
    images = _opened(path)
    if images is not None:
        return images
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with FileLock(cache / f"{path.stem}.lock"):
            if _opened(path) is None:  # while this one waited
                for left in cache.glob(f".{path.stem}.*"):  # by a process that was killed
                    left.unlink()
                _decode(found, path, note)
    except OSError as error:
        raise FirstlightError(f"cannot write to {cache}: {error.strerror or error}") from error
    images = _opened(path)
    if images is None:
        raise FirstlightError(f"{path} was written and cannot be read; is something deleting it?")
    return images


def _sums_of(path: Path) -> Path:
    return path.with_name(f"{path.stem}.sums.npy")


def _opened(path: Path) -> Mapped | None:
    """Map a file of an earlier call; None where it is missing or damaged."""
    try:
        return Mapped(np.load(path, mmap_mode="r"), np.load(_sums_of(path)))
    except (OSError, ValueError, EOFError):
        return None


def _decode(found: Listing, path: Path, note: Callable[[str], None]) -> None:
    """Decode all files to ``path``, with their sums beside it."""
    files, options = found.files, found.options
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        colour = not all(map(partial(_is_grey, options.root), files))
        decode = partial(_image, options.root, options.size, colour)
        shape = (len(files), *decode(files[0]).pixels.shape)
        _check_space(math.prod(shape), path.parent)
        note(f"decoding {len(files)} images of {shown(options.root)} to {path}, once")
        images = ahead(decode, files, workers=_processors(), depth=8 * _processors())

        def write(temporary: Path) -> None:
            with closing(_checked(images, found, shape)) as checked:
                sums = _write(temporary, checked, shape, note)
            # before the images have their name: where they are, their sums are, too
            write_atomically(_sums_of(path), lambda file: np.save(file, sums))

        with closing(images):
            write_atomically(path, write)


def _check_space(needed: int, folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise FirstlightError(
            f"decoded images need {needed / 1e9:.1f} GB, {folder} has {free / 1e9:.1f} GB left; "
            "free some, name another data_root, or ask for a smaller size"
        )


def _processors() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _is_grey(root: Path, file: File) -> bool:
    return _image_files.is_grey(root / file.name, shown(root / file.name))


def _image(root: Path, size: int | None, colour: bool, file: File) -> _Decoded:
    path = root / file.name
    pixels = _image_files.decode(path, shown(path), size, colour)
    pixels = np.ascontiguousarray(pixels.transpose(2, 0, 1))
    flat = pixels.reshape(len(pixels), -1)
    squares = np.square(flat, dtype=np.int32).sum(1, dtype=np.int64)
    return _Decoded(pixels, np.stack([flat.sum(1, dtype=np.int64), squares]))


def _checked(
    images: Iterator[_Decoded], found: Listing, shape: tuple[int, ...]
) -> Generator[_Decoded, None, None]:
    """Refuse an image of another size than the first."""
    for file, image in zip(found.files, images, strict=True):
        if image.pixels.shape != shape[1:]:
            (height, width), (first_height, first_width) = image.pixels.shape[1:], shape[2:]
            raise FirstlightError(
                f"{shown(found.options.root / file.name)}: image is {width} x {height}, the first "
                f"is {first_width} x {first_height}; ask for one size, as in folder:PATH:size=64"
            )
        yield image


def _write(
    path: Path, images: Iterator[_Decoded], shape: tuple[int, ...], note: Callable[[str], None]
) -> np.ndarray:
    """Write a file of NumPy's with all images one by one; return their sums (N, 2, C)."""
    sums = np.empty((shape[0], 2, shape[1]), np.int64)
    told = time.monotonic()
    try:
        with path.open("wb") as file:
            header = {"descr": "|u1", "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(file, header)
            for number, image in enumerate(images):
                file.write(image.pixels.data)
                sums[number] = image.sums
                if time.monotonic() > told + _TOLD_EVERY:
                    told = time.monotonic()
                    note(f"decoded {number + 1} of {shape[0]} images")
            file.flush()
            os.fsync(file.fileno())  # or its name could outlive its bytes
    except BaseException:
        path.unlink(missing_ok=True)  # it may be all that the disk can hold
        raise
    return sums
