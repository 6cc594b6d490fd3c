"""Printing to the terminal, to a pipe, or to what takes it no more."""

import os
import sys
from io import TextIOWrapper
from typing import Any

import typer
from rich.console import Console

from firstlight.errors import FirstlightError

#: Wider than any line: what reads from a pipe breaks lines itself, or none.
_NO_END = 100_000


def console(width: int = _NO_END) -> Console:
    """Return a console as wide as the terminal; ``width`` is that of a pipe, which has none."""
    has_width = "COLUMNS" in os.environ or (sys.stdout is not None and sys.stdout.isatty())
    return Console(width=None if has_width else width)


def rendered(target: Console, *parts: Any) -> str:
    """Return what the parts look like there; no blanks at the ends of lines in a pipe."""
    with target.capture() as captured:
        for part in parts:
            target.print(part, markup=False, highlight=False)
    text = captured.get()
    if target.is_terminal:
        return text
    return "\n".join(line.rstrip() for line in text.split("\n"))


def put(text: str, what: str) -> None:
    """Print ``what``, whatever characters it holds.

    Raises:
        FirstlightError: the disk is full, or the like. A reader who leaves early, as ``head`` does,
            is no error.
    """
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a name may hold any character
    try:
        typer.echo(text.rstrip("\n"))
    except BrokenPipeError:
        raise  # as with | head: the end that is wanted
    except OSError as error:
        raise FirstlightError(f"cannot print the {what}: {error.strerror}") from error
