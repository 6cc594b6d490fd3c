"""Compare networks and weight scales on one signal: speed, held-out quality, and why."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from firstlight.errors import OptionError
from firstlight.fields.device import usable_device
from firstlight.fields.networks.network import Network
from firstlight.fields.signals.signal import Signal
from firstlight.fields.studying.budget import Budget
from firstlight.fields.studying.progress import Silent, StudyProgress
from firstlight.fields.studying.result import Study
from firstlight.fields.studying.rows import checked_alphas, named
from firstlight.fields.studying.runner import Runner

#: Steps at which a network is looked at.
PROBES = (0, 1, 3, 10, 30, 100, 300, 1000, 3000, 10000)


def study(
    signal: Signal,
    networks: Network | Mapping[str, Network],
    *,
    alphas: Sequence[float] | None = None,
    target_psnr: float | None = 40.0,
    steps: int = 2000,
    seeds: int | Sequence[int] = 3,
    learning_rates: Sequence[float] = (1e-4,),
    points: int = 256,
    probes: Sequence[int] = PROBES,
    device: torch.device | str = "cpu",
    out: str | Path | None = None,
    progress: StudyProgress | None = None,
    **options: Any,
) -> Study:
    """Fit networks to a signal at equal budgets and say how fast and how well each does it.

    Every row gets the same steps and the same seeds. Where several learning rates are given, each
    row takes its own: the one that needs the fewest steps to the target on a seed of its own, or
    has the highest PSNR where none reaches it; they are tried from the lowest until one is clearly
    worse, by 1 dB or a quarter more steps. The first seed of a row is looked at more closely:
    the spectrum of the initial function, tangent kernel and gradients by layer along training.

    With ``out``, each finished run is a file under ``out``/runs, and a later call with the same
    signal and options does only what is missing. Ctrl-C keeps what is finished, and is passed on.

    Args:
        signal: with samples held out (``every`` or ``held_out``) to judge quality between samples.
        networks: one, or several by name; ``sized_like`` gives equal parameters.
        alphas: weight scales that every network is compared at; sine networks also at the one that
            ``choose_alpha`` takes. None: the networks as they are.
        target_psnr: at which a fit ends, in dB; None takes all steps.
        steps: at which a fit ends anyway.
        seeds: how many, or which.
        learning_rates: to choose from for each row.
        points: samples that the tangent kernel is computed on, 2 to 4096.
        probes: steps at which tangent kernel and gradients are looked at.
        device: where to train.
        out: folder for finished runs and ``study.json``; None keeps nothing.
        progress: what is told how far the study is.
        **options: of ``FitSpec``, the others: ``optimizer``, ``batch``, ``precision``, ...

    Returns:
        Rows of runs with medians and ranges over seeds.

    Raises:
        OptionError: an option is out of range.
        FirstlightError: the folder cannot be written to.

    Example:
        >>> import numpy as np
        >>> from firstlight import fields
        >>> waves = 127 + 120 * np.sin(np.arange(16) / 2)[:, None] * np.sin(np.arange(16) / 3)
        >>> image = fields.load(waves.astype("uint8"), kind="image", every=2)
        >>> networks = {
        ...     "sine": fields.Sine(width=16, depth=3, alpha=1.5),
        ...     "gauss": fields.Gauss(width=16, depth=3),
        ... }
        >>> found = fields.study(image, networks, target_psnr=None, steps=3, seeds=1, points=8)
        >>> [(row.label, row.parameters) for row in found.rows]
        [('sine', 337), ('gauss', 337)]

    Reference: arXiv 2410.04779.
    """
    if not isinstance(signal, Signal):
        raise OptionError(
            f"signal must be what firstlight.fields.load returns, got {type(signal).__name__}"
        )
    budget = Budget.of(target_psnr, steps, seeds, learning_rates, probes, points, options)
    given, scales = named(networks), checked_alphas(alphas)
    folder = None if out is None else Path(out)
    runner = Runner(signal, budget, usable_device(device), folder, progress or Silent())
    return runner.run(given, scales)
