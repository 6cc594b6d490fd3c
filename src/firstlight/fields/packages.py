"""What neural fields need that a plain installation lacks."""

from collections.abc import Iterator
from contextlib import contextmanager

from firstlight.errors import FirstlightError

#: What the extra ``fields`` installs: the names that are imported, and those that pip knows.
PACKAGES = {
    "h5netcdf": "h5netcdf",
    "h5py": "h5py",
    "igl": "libigl",
    "matplotlib": "matplotlib",
    "PIL": "pillow",
    "psutil": "psutil",
    "safetensors": "safetensors",
    "skimage": "scikit-image",
    "soundfile": "soundfile",
    "tifffile": "tifffile",
    "torchmetrics": "torchmetrics",
    "trimesh": "trimesh",
    "xarray": "xarray",
}


@contextmanager
def needed_for(what: str) -> Iterator[None]:
    """Say which package is missing, and what installs it.

    Raises:
        FirstlightError: something within imports a package of the extra that is not installed.

    Example:
        >>> with needed_for("reading an image"):
        ...     raise ModuleNotFoundError("No module named 'PIL'", name="PIL")
        Traceback (most recent call last):
        firstlight.errors.FirstlightError: reading an image needs pillow: pip install \
'firstlight[fields]'
    """
    try:
        yield
    except ModuleNotFoundError as error:
        package = PACKAGES.get((error.name or "").partition(".")[0])
        if package is None:
            raise
        raise FirstlightError(
            f"{what} needs {package}: pip install 'firstlight[fields]'"
        ) from error
