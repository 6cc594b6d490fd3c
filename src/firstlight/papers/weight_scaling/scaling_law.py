"""The neural-field scaling-law start (arXiv 2403.19205) for a sine network."""

from dataclasses import dataclass

import torch
from torch import nn

from firstlight import fields
from firstlight.fields.networks.stack import Stack


@dataclass(frozen=True, kw_only=True)
class ScalingLawSine(fields.Sine):
    """A sine network whose last weights are Gaussian, of variance n^(-3/2), n inputs.

    The other layers are SIREN's: the rule is for the last one, where others have the variance 1/n.

    Example:
        >>> module = ScalingLawSine(width=256, depth=3, alpha=1.0, omega_0=30.0).build(2, 64)
        >>> round(module.layers[-1].weight.detach().std().item() * 256**0.75, 1)
        1.0

    Reference: arXiv 2403.19205.
    """

    family = "sine with scaling-law start"

    def fill(self, module: nn.Module, seed: int) -> None:
        """Draw every number, then the last weights anew."""
        super().fill(module, seed)
        assert isinstance(module, Stack)
        last = module.layers[-1].weight
        generator = torch.Generator().manual_seed(seed)
        drawn = torch.randn(last.shape, generator=generator)
        with torch.no_grad():
            last.copy_(drawn * last.shape[1] ** -0.75)
