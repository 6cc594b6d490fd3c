"""Write the figures of a study into a folder."""

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from firstlight.errors import OptionError
from firstlight.files import write_atomically
from firstlight.report.canvas import png
from firstlight.report.fields.gradients import gradients
from firstlight.report.fields.kernels import kernels
from firstlight.report.fields.psnr_curves import psnr_curves
from firstlight.report.fields.spectra import spectra
from firstlight.report.fields.trade_off import trade_off

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from firstlight.fields.studying.result import Study

#: File names, without their ending, and what draws them.
_FIGURES: "dict[str, Callable[[Study], Figure | None]]" = {
    "trade-off": trade_off,
    "psnr-curves": psnr_curves,
    "spectra": spectra,
    "tangent-kernel": kernels,
    "gradient-shares": gradients,
}


def write_study(study: "Study", out: str | os.PathLike[str]) -> list[Path]:
    """Write the figures of a study as PNG, those that it has the numbers for.

    Every file appears whole or not at all, and the same study always gives the same bytes.

    Args:
        study: what ``firstlight.fields.study`` returned.
        out: a folder; it is made where missing.

    Returns:
        The files written.

    Raises:
        OptionError: ``out`` is not a folder, or the study has no rows.
        FirstlightError: the folder cannot be written to.
    """
    folder = Path(out)
    if folder.exists() and not folder.is_dir():
        raise OptionError(f"out must be a folder, got the file {folder}")
    if not study.rows:
        raise OptionError("expected a study with at least one row, got none; nothing to draw")
    written = []
    for name, draw in _FIGURES.items():
        figure = draw(study)
        if figure is not None:
            content = png(figure)
            written.append(folder / f"{name}.png")
            write_atomically(written[-1], partial(Path.write_bytes, data=content))
    return written
