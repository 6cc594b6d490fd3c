"""Printing to the terminal, to a pipe, or to what takes it no more."""

import os
import sys
from io import StringIO, TextIOWrapper
from typing import Any

import typer
from rich.console import Console

from firstlight.errors import FirstlightError

#: Wider than any line: what reads from a pipe breaks lines itself, or none.
_NO_END = 100_000


def console(width: int = _NO_END) -> Console:
    """Return a console as wide as the terminal; ``width`` is that of a pipe, which has none."""
    has_width = "COLUMNS" in os.environ or _is_terminal()
    return Console(width=None if has_width else width)


def _is_terminal() -> bool:
    return sys.stdout is not None and sys.stdout.isatty()


class _Memory(StringIO):
    """Takes what standard output would, and looks like it."""

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """That of standard output."""
        return getattr(sys.stdout, "encoding", None) or "utf-8"

    def isatty(self) -> bool:
        """Return whether standard output is a terminal."""
        return _is_terminal()


def rendered(part: Any) -> str:
    """Return what a renderable looks like there; no blanks at the ends of lines in a pipe."""
    target = console()
    target.file = _Memory()
    target.print(part, markup=False, highlight=False)
    text = target.file.getvalue()
    return text if target.is_terminal else "\n".join(line.rstrip() for line in text.split("\n"))


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
