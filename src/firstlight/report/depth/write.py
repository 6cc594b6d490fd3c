"""Write the figures of a depth study into a folder."""

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from firstlight.errors import OptionError
from firstlight.files import write_atomically
from firstlight.report.canvas import png
from firstlight.report.depth.rates import rates
from firstlight.report.depth.signals import signals
from firstlight.report.depth.sweeps import sweeps
from firstlight.report.depth.training import training

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from firstlight.studies.depth_result import DepthStudy

#: File names, without their ending, and what draws them.
_FIGURES: "dict[str, Callable[[DepthStudy], Figure | None]]" = {
    "signals": signals,
    "training": training,
    "learning-rates": rates,
    "sweeps": sweeps,
}


def write_depth(study: "DepthStudy", out: str | os.PathLike[str]) -> list[Path]:
    """Write the figures of a depth study as PNG, those that it has the numbers for.

    Every file appears whole or not at all, and the same study always gives the same bytes.

    Args:
        study: what ``firstlight.studies.depth_study`` returned.
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
    for name, draw in _FIGURES.items():
        figure = draw(study)
        if figure is not None:
            content = png(figure)
            written.append(folder / f"{name}.png")
            write_atomically(written[-1], partial(Path.write_bytes, data=content))
    return written
