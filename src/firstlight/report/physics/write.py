"""Write the figures of physics-informed networks into a folder."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from firstlight.report.figures import write_figures
from firstlight.report.physics.curves import curves
from firstlight.report.physics.maps import maps
from firstlight.report.physics.step_zero import step_zero

if TYPE_CHECKING:
    from firstlight.physics.study_result import Maps, PinnStudy


def write_pinn(study: "PinnStudy", found: "Maps", out: str | os.PathLike[str]) -> list[Path]:
    """Write loss and error curves, maps, and the losses before training, as PNG.

    Args:
        study: what ``firstlight.physics.study`` returned.
        found: the solutions that it returned beside it.
        out: a folder; it is made where missing.

    Returns:
        The files written.

    Raises:
        OptionError: ``out`` is not a folder.
        FirstlightError: the folder cannot be written to.
    """
    draws = {
        "loss-and-error": lambda: curves(study),
        "solution": lambda: maps(study, found),
        "step-zero": lambda: step_zero(study),
    }
    return write_figures(draws, out)
