"""Write the figures of a depth study into a folder."""

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from firstlight.report.depth.rates import rates
from firstlight.report.depth.signals import signals
from firstlight.report.depth.sweeps import sweeps
from firstlight.report.depth.training import training
from firstlight.report.figures import write_figures

if TYPE_CHECKING:
    from firstlight.studies.depth_result import DepthStudy

#: File names, without their ending, and what draws them.
_FIGURES = {
    "signals": signals,
    "training": training,
    "learning-rates": rates,
    "sweeps": sweeps,
}


def write_depth(study: "DepthStudy", out: str | os.PathLike[str]) -> list[Path]:
    """Write the figures of a depth study as PNG, those that it has the numbers for.

    Args:
        study: what ``firstlight.studies.depth_study`` returned.
        out: a folder; it is made where missing.

    Returns:
        The files written.

    Raises:
        OptionError: ``out`` is not a folder.
        FirstlightError: the folder cannot be written to.
    """
    return write_figures({name: partial(draw, study) for name, draw in _FIGURES.items()}, out)
