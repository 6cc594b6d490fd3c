"""A sine network whose weight scales are trained with its weights."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from firstlight import fields
from firstlight.errors import not_negative
from firstlight.fields.networks.stack import Stack

#: Adam's rate of everything else.
RATE = 1e-4


@dataclass(frozen=True, kw_only=True)
class TrainedSine(fields.Sine):
    """A sine network whose alphas are trained with the weights.

        alpha_l / start_l W_l,  W_l drawn at start_l

    While alpha_l is start_l this is the plain network, bit for bit.

    Attributes:
        alpha_rate: Adam's rate of the alphas where all else has 1e-4; 0 keeps them.

    Example:
        >>> network = TrainedSine(width=8, depth=3, alpha=1.5, omega_0=30.0, alpha_rate=1e-2)
        >>> network.layer_rates()
        (1.0, 1.0, 100.0, 1.0, 1.0, 100.0, 1.0)
    """

    family = "sine with trained alpha"

    alpha_rate: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        not_negative(self.alpha_rate, "alpha_rate")

    def fill(self, module: nn.Module, seed: int) -> None:
        """Draw every number, then give each scaled weight its alpha."""
        super().fill(module, seed)
        assert isinstance(module, Stack)
        for layer, alpha in zip(module.layers, self.alphas(), strict=False):
            scaled = Scaled(alpha, trained=self.alpha_rate > 0)
            parametrize.register_parametrization(layer, "weight", scaled)

    def weight_layers(self) -> int:
        """Every alpha is a module with a number of its own."""
        return len(self.layer_rates())

    def layer_rates(self) -> tuple[float, ...]:
        """Return what ``fit`` wants: a factor for each module with parameters of its own."""
        modules = self.build(2, 1).modules()
        own = [each for each in modules if any(True for _ in each.parameters(recurse=False))]
        return tuple(self.alpha_rate / RATE if isinstance(one, Scaled) else 1.0 for one in own)


class Scaled(nn.Module):
    """Multiplies a weight by a trained number over its start."""

    def __init__(self, start: float, *, trained: bool) -> None:
        super().__init__()
        self.start, self.alpha = start, nn.Parameter(torch.tensor(start), requires_grad=trained)

    def forward(self, weight: Tensor) -> Tensor:
        """Scale a weight."""
        return weight * (self.alpha / self.start)
