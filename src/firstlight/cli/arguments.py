"""Reading what is typed on the command line."""

import re
import sys
from pathlib import Path
from typing import Any

import typer

from firstlight.errors import OptionError


def whole(text: str | int) -> int:
    """Read a whole number.

    Example:
        >>> from firstlight.cli.arguments import whole
        >>> whole("7")
        7
    """
    return _parsed(text, int, "a whole number")


def real(text: str | float) -> float:
    """Read a number.

    Example:
        >>> from firstlight.cli.arguments import real
        >>> real("1e-3")
        0.001
    """
    return _parsed(text, float, "a number")


def _parsed(text: Any, kind: type, name: str) -> Any:
    try:
        return kind(text)
    except ValueError:
        raise typer.BadParameter(f"expected {name}, got {text!r}") from None


def shape(text: str) -> tuple[int, ...]:
    """Read the shape of a sample.

    Raises:
        OptionError: it is not one.

    Example:
        >>> from firstlight.cli.arguments import shape
        >>> shape("3x224x224")
        (3, 224, 224)
    """
    if not re.fullmatch(r"[1-9]\d{0,9}(x[1-9]\d{0,9})*", text):
        raise OptionError(f"--input must be the shape of a sample as in 3x224x224, got {text!r}")
    return tuple(int(side) for side in text.split("x"))


def folder(value: str | Path) -> Path:
    """Read the name of a folder; ~ is the user's own.

    Example:
        >>> from firstlight.cli.arguments import folder
        >>> folder("results").name
        'results'
    """
    if not str(value):  # Path("") would be the current folder
        raise typer.BadParameter("expected the name of a folder, got ''")
    return Path(value).expanduser()


def file(value: str | Path) -> Path:
    """Read the name of a file; ~ is the user's own folder.

    Example:
        >>> from firstlight.cli.arguments import file
        >>> file("photo.png").name
        'photo.png'
    """
    if not Path(value).name:
        raise typer.BadParameter(f"expected the name of a file, got {str(value)!r}")
    return Path(value).expanduser()


def find_own_code() -> None:
    """Look for module:factory in the folder of the call, where it usually is."""
    sys.path.append(str(Path.cwd()))


def several(text: str) -> list[str]:
    """Split a list at its commas.

    Example:
        >>> from firstlight.cli.arguments import several
        >>> several("sgd, adamw")
        ['sgd', 'adamw']
    """
    return [name.strip() for name in text.split(",")]
