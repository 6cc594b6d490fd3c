"""How deep and how narrow a network can be under which start: signals, then training."""

from pathlib import Path
from typing import Any

from firstlight.comparison.data import load
from firstlight.studies.depth_options import DepthOptions
from firstlight.studies.depth_progress import DepthProgress, Silent
from firstlight.studies.depth_result import DepthStudy
from firstlight.studies.depth_runner import DepthRunner


def depth_study(
    *,
    out: str | Path | None = None,
    data_root: str | Path | None = None,
    progress: DepthProgress | None = None,
    **options: Any,
) -> DepthStudy:
    """Compare starts of deep, narrow networks before training and through it.

    Before training: how far activations spread in each layer, how gradients shrink or grow, and
    the factor chi per layer beside mean-field theory. Then every start trains at every learning
    rate with every seed, all at once as stacked products; a tenth of the training samples chooses
    the rate of each start, the test set judges it. With ``out``, each finished network and start
    is a file under ``out``/runs, and a later call does only what is missing.

    Args:
        out: folder for finished parts and ``study.json``; None keeps nothing.
        data_root: folder for downloaded data.
        progress: what is told how far the study is.
        **options: of ``DepthOptions``: widths, depths, activations, schemes, data, seeds, ...

    Returns:
        A row for each network and start.

    Raises:
        OptionError: an option is out of range.
        FirstlightError: the data cannot be loaded, or the folder cannot be written to.

    Example:
        >>> found = depth_study(
        ...     widths=[8], depths=[5], schemes=["diagonal_plus_noise", "he_normal"],
        ...     seeds=2, learning_rates=[1e-3], steps=2,
        ... )
        >>> [(row.start.label, len(row.found.runs)) for row in found.rows]
        [('diagonal_plus_noise', 2), ('he_normal', 2)]

    Reference: arXiv 2509.23085; mean field: arXiv 1611.01232.
    """
    asked = DepthOptions.of(**options)
    loaded = load(asked.data, data_root)
    folder = None if out is None else Path(out)
    return DepthRunner(asked, loaded, folder, progress or Silent()).run()
