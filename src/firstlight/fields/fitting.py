"""Fit a field to a signal."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import nn

from firstlight.errors import OptionError
from firstlight.fields.device import usable_device
from firstlight.fields.memory import memory_told
from firstlight.fields.networks.network import Network
from firstlight.fields.packages import needed_for
from firstlight.fields.progress import Progress, Silent
from firstlight.fields.result import Fit
from firstlight.fields.session import Session
from firstlight.fields.signals.signal import Signal
from firstlight.fields.specification import FitSpec


def fit(
    signal: Signal,
    network: Network,
    *,
    device: torch.device | str = "cpu",
    checkpoint: str | Path | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
    watch: Callable[[int, nn.Module], None] | None = None,
    **options: Any,
) -> Fit:
    """Fit a network to a signal and return the field at its best step.

        minimise mean w_i |f(x_i) - y_i|^2,   PSNR = 10 log10(4 / mean squared error)

    The same signal, network and seed give the same field bit for bit on the same machine, unless a
    limit of time ends it. Ctrl-C ends a fit as a limit does, behind the step that is being taken:
    the best so far is returned. A second one does not wait for the step's end.

    Args:
        signal: what ``firstlight.fields.load`` returned.
        network: its specification; ``alpha="auto"`` is chosen here.
        device: where to train.
        checkpoint: file that the fit is written to every half minute; where it is there already,
            the fit goes on from it.
        overwrite: whether a checkpoint that is not this fit's own is replaced.
        progress: what is told how far the fit is.
        watch: called with the steps so far and the network, before the first step and after each;
            it may look at the weights, not change them. Its time does not count.
        **options: of ``FitSpec``: ``target_psnr``, ``steps``, ``seconds``, ``seed``, ``optimizer``,
            ``learning_rate``, ``layer_rates``, ``batch``, ``precision``, ``compile``.

    Returns:
        The field, its PSNR, the curve, why it stopped, and what was chosen.

    Raises:
        OptionError: an option is out of range.
        FirstlightError: the checkpoint belongs to another fit, or cannot be written.

    Example:
        >>> import numpy as np
        >>> from firstlight import fields
        >>> ramp = fields.load(np.linspace(0, 255, 64).astype("uint8").reshape(8, 8), kind="image")
        >>> network = fields.Sine(width=32, depth=3, alpha=1.5)
        >>> fields.fit(ramp, network, target_psnr=20, steps=300, learning_rate=1e-3).stopped
        'target'

    Reference: arXiv 2410.04779.
    """
    if not isinstance(signal, Signal):
        raise OptionError(
            f"signal must be what firstlight.fields.load returns, got {type(signal).__name__}"
        )
    if not isinstance(network, Network):
        raise OptionError(
            "network must be a specification such as firstlight.fields.Sine(), got "
            f"{type(network).__name__}"
        )
    spec = FitSpec.of(options)
    network.check_rates(spec.layer_rates)
    with needed_for("fitting a field"), memory_told("fitting"):
        return Session(
            signal,
            network,
            spec,
            usable_device(device),
            None if checkpoint is None else Path(checkpoint),
            overwrite,
            progress or Silent(),
            watch,
        ).run()
