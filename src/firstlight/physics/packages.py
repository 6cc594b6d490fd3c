"""What physics-informed networks need that a plain installation lacks."""

from collections.abc import Iterator
from contextlib import contextmanager

from firstlight.errors import FirstlightError

#: What the extra ``physics`` installs: the names that are imported, and those that pip knows.
PACKAGES = {
    "deepxde": "deepxde",
    "matplotlib": "matplotlib",
    "safetensors": "safetensors",
    "skopt": "scikit-optimize",
    "sklearn": "scikit-learn",
}


@contextmanager
def needed_for(what: str) -> Iterator[None]:
    """Say which package is missing, and what installs it.

    Raises:
        FirstlightError: something within imports a package that is not installed.

    Example:
        >>> from firstlight.physics.packages import needed_for
        >>> with needed_for("firstlight.physics"):
        ...     raise ModuleNotFoundError("No module named 'deepxde'", name="deepxde")
        Traceback (most recent call last):
        firstlight.errors.FirstlightError: firstlight.physics needs deepxde: pip install \
'firstlight[physics]'
    """
    try:
        yield
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing == "firstlight":
            raise
        package = PACKAGES.get(missing, missing)
        raise FirstlightError(
            f"{what} needs {package}: pip install 'firstlight[physics]'"
        ) from error
