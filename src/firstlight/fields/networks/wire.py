"""WIRE: networks of complex Gabor wavelets (arXiv 2301.05187)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn

from firstlight.errors import positive
from firstlight.fields.networks.fills import fill_as_torch
from firstlight.fields.networks.network import Network
from firstlight.fields.networks.stack import full_precision


@dataclass(frozen=True, kw_only=True)
class Wire(Network):
    """exp(j omega z - |sigma z|^2), z = W x + b, in every layer but the last, which is linear.

    Weights and biases are complex but in the first layer; the value is the last layer's real
    part. Hidden layers have width / sqrt(2) neurons, which keeps the number of parameters. All
    draws are torch's default, U(-1/sqrt(n), 1/sqrt(n)), in the real and imaginary part each.

    Attributes:
        width: neurons of a hidden layer of a real network with as many parameters.
        depth: weight layers, the last included.
        alpha: weight scale of every layer but the last, one number or one for each.
        distribution: "uniform", as published, or "normal" draws of the same variance.
        omega: frequency of the wavelet; 20, arXiv 2410.04779's rival has 10.
        sigma: inverse width of the wavelet.

    Raises:
        OptionError: an option is not one of those.

    Example:
        >>> network = Wire(width=64, depth=3).build(2, 3, seed=0)
        >>> tuple(network(torch.zeros(5, 2)).shape)
        (5, 3)

    Reference: arXiv 2301.05187.
    """

    family = "wire"

    omega: float = 20.0
    sigma: float = 10.0

    def __post_init__(self) -> None:
        super().__post_init__()
        positive(self.omega, "omega")
        positive(self.sigma, "sigma")

    def blank(self, inputs: int, outputs: int) -> "Wavelets":
        """The network on the meta device."""
        hidden = max(1, int(self.width / math.sqrt(2)))
        sizes = [inputs, *[hidden] * (self.depth - 1), outputs]
        return Wavelets(sizes, self.omega, self.sigma)

    def fill(self, module: nn.Module, seed: int) -> None:
        """Draw every number."""
        assert isinstance(module, Wavelets)
        alphas = [*self.alphas(), 1.0]
        first = module.first
        options = (self.distribution, seed)
        fill_as_torch(first.weight, alphas[0], *options, "first.weight")
        fan = first.in_features
        fill_as_torch(first.bias[:, None], 1.0, "uniform", seed, "first.bias", fan=fan)
        for number, (layer, alpha) in enumerate(zip(module.layers, alphas[1:], strict=True)):
            fan = layer.weight.shape[1]
            for part, name in enumerate(("real", "imaginary")):
                place = f"layers.{number}.{{}}.{name}"
                fill_as_torch(layer.weight[..., part], alpha, *options, place.format("weight"))
                bias = layer.bias[:, part, None]
                fill_as_torch(bias, 1.0, "uniform", seed, place.format("bias"), fan=fan)


class ComplexLinear(nn.Module):
    """W x + b of complex numbers, kept as pairs: optimizers and files meet real numbers only.

    Attributes:
        weight: (out, in, 2).
        bias: (out, 2).
    """

    def __init__(self, fan_in: int, fan_out: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(fan_out, fan_in, 2, device="meta"))
        self.bias = nn.Parameter(torch.empty(fan_out, 2, device="meta"))

    def forward(self, x: Tensor) -> Tensor:
        """(n, in) to (n, out), complex."""
        weight, bias = torch.view_as_complex(self.weight), torch.view_as_complex(self.bias)
        return torch.addmm(bias, x, weight.t())


class Wavelets(nn.Module):
    """A real first layer, complex ones, and a Gabor wavelet between them.

    Attributes:
        first: the layer that reads the coordinates.
        layers: the others.
    """

    layers: Sequence[ComplexLinear]

    def __init__(self, sizes: Sequence[int], omega: float, sigma: float) -> None:
        super().__init__()
        self.omega, self.sigma = float(omega), float(sigma)
        self.first = nn.Linear(sizes[0], sizes[1], device="meta")
        layers = nn.ModuleList(ComplexLinear(a, b) for a, b in pairwise(sizes[1:]))
        self.layers = cast("Sequence[ComplexLinear]", layers)

    def forward(self, x: Tensor) -> Tensor:
        """Values at coordinates: (n, inputs) to (n, outputs)."""
        with full_precision(x):  # there are no complex numbers of 16 bits
            z = self.first(x)
            x = torch.exp(torch.complex(-(self.sigma**2) * z.square(), self.omega * z))
            for layer in self.layers[:-1]:
                x = gabor(layer(x), self.omega, self.sigma)
            return self.layers[-1](x).real


def gabor(z: Tensor, omega: float, sigma: float) -> Tensor:
    """exp(j omega z - |sigma z|^2) of complex z."""
    real, imaginary = z.real, z.imag
    decay = sigma**2 * (real.square() + imaginary.square()) + omega * imaginary
    return torch.exp(torch.complex(-decay, omega * real))
