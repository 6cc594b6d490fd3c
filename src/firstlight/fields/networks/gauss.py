"""Networks of Gaussian functions (arXiv 2111.15135)."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from firstlight.errors import positive
from firstlight.fields.networks.fills import fill_stack_as_torch
from firstlight.fields.networks.network import Network
from firstlight.fields.networks.stack import Stack


@dataclass(frozen=True, kw_only=True)
class Gauss(Network):
    """exp(-(sigma (W x + b))^2) in every layer but the last, which is linear.

    Weights and biases are torch's default draws, U(-1/sqrt(n), 1/sqrt(n)), as published code has.

    Attributes:
        width: neurons of a hidden layer.
        depth: weight layers, the last included.
        alpha: weight scale of every layer but the last, one number or one for each.
        distribution: "uniform", as published, or "normal" draws of the same variance.
        sigma: inverse width of the bell; 20 as in arXiv 2410.04779's rival, others take 30.

    Raises:
        OptionError: an option is not one of those.

    Example:
        >>> network = Gauss(width=64, depth=3, sigma=30.0).build(2, 3, seed=0)
        >>> tuple(network(torch.zeros(5, 2)).shape)
        (5, 3)

    Reference: arXiv 2111.15135.
    """

    family = "gauss"

    sigma: float = 20.0

    def __post_init__(self) -> None:
        super().__post_init__()
        positive(self.sigma, "sigma")

    def blank(self, inputs: int, outputs: int) -> Stack:
        """The network on the meta device."""
        return Stack(self.sizes(inputs, outputs), [self.sigma] * (self.depth - 1), bell)

    def fill(self, module: nn.Module, seed: int) -> None:
        """Draw every number."""
        assert isinstance(module, Stack)
        fill_stack_as_torch(module, self.alphas(), self.distribution, seed)


def bell(z: Tensor) -> Tensor:
    """exp(-z^2)."""
    return torch.exp(-z.square())
