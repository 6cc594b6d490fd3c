"""Write the report of a comparison into a directory."""

import os
import re
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from firstlight.errors import OptionError
from firstlight.files import write_atomically
from firstlight.report.group import groups

if TYPE_CHECKING:
    from firstlight.comparison import Comparison


def write(comparison: "Comparison", out: str | os.PathLike[str]) -> list[Path]:
    """Write ``curves-<model>-<data>-<optimizer>.png`` for each group, and ``report.html``.

    Every file appears whole or not at all, and the same comparison always gives the same bytes, but
    for the command on the page, which names ``out``.

    Args:
        comparison: what ``firstlight.compare`` returned.
        out: a directory; it is made where missing.

    Returns:
        The files written, ``report.html`` last.

    Raises:
        OptionError: the comparison has no runs, or ``out`` is not a directory.
        FirstlightError: the directory cannot be written to.
    """
    # Plotly and Jinja2 take a while to load; the table in the terminal needs neither.
    from firstlight.report.curves import curves
    from firstlight.report.html import page

    directory = folder(out)
    if not comparison.results:
        raise OptionError("expected a comparison with at least one run, got none; nothing to write")
    shown = groups(comparison)
    names = file_names(f"curves-{group.model}-{group.data}-{group.optimizer}" for group in shown)
    pictures = [curves(group) for group in shown]
    files = {f"{name}.png": picture for name, picture in zip(names, pictures, strict=True)}
    files["report.html"] = encoded(page(comparison, shown, pictures, os.fspath(out)))
    return put(directory, files)


def folder(out: str | os.PathLike[str]) -> Path:
    """Return ``out`` as a path.

    Raises:
        OptionError: it is a file.
    """
    directory = Path(out)
    if directory.exists() and not directory.is_dir():
        raise OptionError(f"out must be a directory, got the file {directory}")
    return directory


def encoded(text: str) -> bytes:
    """Return ``text`` in UTF-8; a path in it may hold any bytes."""
    return text.encode(errors="backslashreplace")


def put(directory: Path, files: Mapping[str, bytes]) -> list[Path]:
    """Write files into a directory, each whole or not at all, and return their paths.

    Raises:
        FirstlightError: the directory cannot be written to.
    """
    for name, content in files.items():
        write_atomically(directory / name, partial(Path.write_bytes, data=content))
    return [directory / name for name in files]


def file_names(names: Iterable[str]) -> list[str]:
    """Turn names into file names that are safe on every system, and all different.

    Example:
        >>> file_names(["curves-torchvision:resnet18-digits", "curves-a/b", "curves-a?b"])
        ['curves-torchvision_resnet18-digits', 'curves-a_b', 'curves-a_b-2']
    """
    taken: set[str] = set()
    safe = []
    for name in names:
        stem = re.sub(r"[^A-Za-z0-9.-]+", "_", name)[:120]
        found, number = stem, 1
        while found.lower() in taken:
            number += 1
            found = f"{stem}-{number}"
        taken.add(found.lower())
        safe.append(found)
    return safe
