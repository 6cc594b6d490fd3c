"""Reading what is typed on the command line."""

from typing import Any

import typer


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


def several(text: str) -> list[str]:
    """Split a list at its commas.

    Example:
        >>> from firstlight.cli.arguments import several
        >>> several("sgd, adamw")
        ['sgd', 'adamw']
    """
    return [name.strip() for name in text.split(",")]
