"""Write the figures of a study into a folder."""

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from firstlight.errors import OptionError
from firstlight.report.fields.gradients import gradients
from firstlight.report.fields.kernels import kernels
from firstlight.report.fields.psnr_curves import psnr_curves
from firstlight.report.fields.spectra import spectra
from firstlight.report.fields.trade_off import trade_off
from firstlight.report.figures import write_figures

if TYPE_CHECKING:
    from firstlight.fields.studying.result import Study

#: File names, without their ending, and what draws them.
_FIGURES = {
    "trade-off": trade_off,
    "psnr-curves": psnr_curves,
    "spectra": spectra,
    "tangent-kernel": kernels,
    "gradient-shares": gradients,
}


def write_study(study: "Study", out: str | os.PathLike[str]) -> list[Path]:
    """Write the figures of a study as PNG, those that it has the numbers for.

    Args:
        study: what ``firstlight.fields.study`` returned.
        out: a folder; it is made where missing.

    Returns:
        The files written.

    Raises:
        OptionError: ``out`` is not a folder, or the study has no rows.
        FirstlightError: the folder cannot be written to.
    """
    if not study.rows:
        raise OptionError("expected a study with at least one row, got none; nothing to draw")
    return write_figures({name: partial(draw, study) for name, draw in _FIGURES.items()}, out)
