"""Figures of a study as files in a folder."""

import os
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from firstlight.errors import OptionError
from firstlight.files import write_atomically
from firstlight.report.canvas import png

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def write_figures(
    draws: "Mapping[str, Callable[[], Figure | None]]", out: str | os.PathLike[str]
) -> list[Path]:
    """Draw figures and write them as PNG.

    Every file appears whole or not at all, and the same figure always gives the same bytes.

    Args:
        draws: file names, without their ending, and what draws them; None has nothing to show.
        out: a folder; it is made where missing.

    Returns:
        The files written.

    Raises:
        OptionError: ``out`` is not a folder.
        FirstlightError: the folder cannot be written to.
    """
    folder = Path(out)
    if folder.exists() and not folder.is_dir():
        raise OptionError(f"out must be a folder, got the file {folder}")
    written = []
    for name, draw in draws.items():
        figure = draw()
        if figure is not None:
            written.append(folder / f"{name}.png")
            write_atomically(written[-1], partial(Path.write_bytes, data=png(figure)))
    return written
