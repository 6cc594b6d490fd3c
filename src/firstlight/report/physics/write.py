"""Write the figures of physics-informed networks into a folder."""

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from firstlight.errors import OptionError
from firstlight.files import write_atomically
from firstlight.report.canvas import png
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
    folder = Path(out)
    if folder.exists() and not folder.is_dir():
        raise OptionError(f"out must be a folder, got the file {folder}")
    figures = {
        "loss-and-error": curves(study),
        "solution": maps(study, found),
        "step-zero": step_zero(study),
    }
    written = []
    for name, figure in figures.items():
        if figure is not None:
            written.append(folder / f"{name}.png")
            write_atomically(written[-1], partial(Path.write_bytes, data=png(figure)))
    return written
