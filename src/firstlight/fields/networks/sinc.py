"""Networks of sinc functions (arXiv 2402.08784)."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from firstlight.errors import positive
from firstlight.fields.networks.fills import fill_stack_as_torch
from firstlight.fields.networks.network import Network
from firstlight.fields.networks.stack import Stack

#: Below this the quotient loses digits, and its series of three terms has all of float32's.
_SMALL = 0.2


@dataclass(frozen=True, kw_only=True)
class Sinc(Network):
    """sinc(omega (W x + b)) in every layer but the last, which is linear.

        sinc(u) = sin(pi u) / (pi u),  normalised, as ``torch.sinc``

    Weights and biases are torch's default draws, U(-1/sqrt(n), 1/sqrt(n)).

    Attributes:
        width: neurons of a hidden layer.
        depth: weight layers, the last included.
        alpha: weight scale of every layer but the last, one number or one for each.
        distribution: "uniform", as published, or "normal" draws of the same variance.
        omega: factor of the pre-activations; 8 as in arXiv 2410.04779's rival. Where sinc is not
            normalised, this is pi omega.

    Raises:
        OptionError: an option is not one of those.

    Example:
        >>> network = Sinc(width=64, depth=3).build(2, 3, seed=0)
        >>> tuple(network(torch.zeros(5, 2)).shape)
        (5, 3)

    Reference: arXiv 2402.08784.
    """

    family = "sinc"

    omega: float = 8.0

    def __post_init__(self) -> None:
        super().__post_init__()
        positive(self.omega, "omega")

    def blank(self, inputs: int, outputs: int) -> Stack:
        """The network on the meta device."""
        factors = [math.pi * self.omega] * (self.depth - 1)
        return Stack(self.sizes(inputs, outputs), factors, sine_quotient)

    def fill(self, module: nn.Module, seed: int) -> None:
        """Draw every number."""
        assert isinstance(module, Stack)
        fill_stack_as_torch(module, self.alphas(), self.distribution, seed)


def sine_quotient(u: Tensor) -> Tensor:
    """sin(u) / u, with finite derivatives at 0; the second one of ``torch.sinc`` is none.

    Example:
        >>> sine_quotient(torch.tensor([0.0, torch.pi])).abs().round()
        tensor([1., 0.])
    """
    small = u.abs() < _SMALL
    # what is not chosen must be finite as well: its gradient is multiplied by 0
    far = torch.where(small, 1.0, u)
    square = torch.where(small, u, 0.0).square()
    return torch.where(small, 1 - square / 6 * (1 - square / 20), torch.sin(far) / far)
