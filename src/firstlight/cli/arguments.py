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


def several_numbers(text: str) -> tuple[float, ...]:
    """Read numbers separated by commas.

    Example:
        >>> from firstlight.cli.arguments import several_numbers
        >>> several_numbers("1,1,0.5")
        (1.0, 1.0, 0.5)
    """
    return tuple(real(part) for part in several(text))


def word_or_whole(text: str) -> str | int:
    """Read a whole number where it is one, else a word.

    Example:
        >>> from firstlight.cli.arguments import word_or_whole
        >>> word_or_whole("4096"), word_or_whole("full")
        (4096, 'full')
    """
    return int(text) if text.removeprefix("-").isdecimal() else text


def share_or_count(text: str) -> float | int:
    """Read a whole number where it is one, else a share.

    Example:
        >>> from firstlight.cli.arguments import share_or_count
        >>> share_or_count("1000"), share_or_count("0.1")
        (1000, 0.1)
    """
    found = word_or_whole(text)
    return real(found) if isinstance(found, str) else found


def pairs(text: str) -> dict[str, str]:
    """Read level=500,month=1.

    Example:
        >>> from firstlight.cli.arguments import pairs
        >>> pairs("level=500, month=1")
        {'level': '500', 'month': '1'}
    """
    found: dict[str, str] = {}
    for part in several(text):
        name, equals, value = (each.strip() for each in part.partition("="))
        if not (name and equals and value) or name in found:
            raise typer.BadParameter(f"expected each dimension once, as in level=500, got {text!r}")
        found[name] = value
    return found


#: What typer is told of an option that is one of these.
INT: dict[str, Any] = {"parser": whole, "metavar": "<int>"}
FLOAT: dict[str, Any] = {"parser": real, "metavar": "<float>"}
FLOATS: dict[str, Any] = {"parser": several_numbers, "metavar": "<floats>"}
