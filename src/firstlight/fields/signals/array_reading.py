"""Arrays of .npy and .npz files, which are data and never code."""

import zipfile
import zlib
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from firstlight.errors import FirstlightError
from firstlight.fields.signals.signal import unreadable

#: The largest array that is read: a small .npz file can claim any size.
_MOST_BYTES = 2**32
_FAILURES = (
    OSError,
    ValueError,
    EOFError,
    MemoryError,
    RuntimeError,
    zlib.error,
    zipfile.BadZipFile,
)


def read_array(source: Any) -> np.ndarray:
    """A file's array or an array itself, with at least one number, of any type but objects.

    Raises:
        FirstlightError: the file is none of NumPy's, holds pickled objects, no or several arrays,
            is not whole, or claims more than 4 GiB.
    """
    if isinstance(source, str | Path):
        path = Path(source)
        try:
            array = _of_file(path)
        except _FAILURES as error:
            reason = error.strerror if isinstance(error, OSError) else None
            raise unreadable(path, "an array", reason or error) from error
    else:
        path = Path("this array")
        try:
            array = np.asarray(source)
        except (ValueError, TypeError, RuntimeError) as error:
            raise FirstlightError(f"cannot make an array of this: {error}") from error
    _check(path, array.shape, array.dtype)
    return array


def _of_file(path: Path) -> np.ndarray:
    with path.open("rb") as file:
        start = file.read(6)
        if start.startswith(b"PK"):
            return _of_archive(path)
        if start != b"\x93NUMPY":
            raise ValueError("it is empty" if not start else "it is no .npy or .npz file")
    with path.open("rb") as file:
        return _of_stream(path, file)


def _of_archive(path: Path) -> np.ndarray:
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if name.endswith(".npy")]
        if len(names) != 1:
            listed = ", ".join(name[:-4] for name in names[:8]) or "none"
            raise ValueError(
                f"it must hold one array, and holds {len(names)} ({listed}); load it with "
                "numpy.load and give the array"
            )
        with archive.open(names[0]) as file:
            return _of_stream(path, file)  # type: ignore[arg-type]


def _of_stream(path: Path, file: BinaryIO) -> np.ndarray:
    """Read an array whose header is looked at first."""
    readers = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    version = np.lib.format.read_magic(file)
    if version not in readers:
        raise ValueError(f"its format {version} is not for plain numbers")
    shape, fortran, dtype = readers[version](file)
    _check(path, shape, dtype)
    count = int(np.prod(shape, dtype=object))
    data = bytearray(file.read(count * dtype.itemsize))
    if len(data) != count * dtype.itemsize:
        raise ValueError(f"it ends after {len(data)} of {count * dtype.itemsize} bytes")
    return np.frombuffer(data, dtype).reshape(shape, order="F" if fortran else "C")


def _check(path: Path, shape: tuple[int, ...], dtype: np.dtype) -> None:
    if dtype.hasobject:
        raise FirstlightError(
            f"cannot read {path}: it holds Python objects, which can run code; make it an array "
            "of numbers"
        )
    count = int(np.prod(shape, dtype=object))
    if count < 1:
        raise FirstlightError(f"cannot read {path}: the array of {shape} has no number in it")
    if count * dtype.itemsize > _MOST_BYTES:
        raise FirstlightError(
            f"cannot read {path}: an array of {shape} {dtype.name} is larger than 4 GiB; give a "
            "part of it"
        )
