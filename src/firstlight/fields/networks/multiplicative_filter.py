"""Multiplicative filter networks: products of waves (Fathony et al., ICLR 2021)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from firstlight.errors import OptionError, check_choice, positive
from firstlight.fields.networks.fills import fill_as_torch, fill_bias
from firstlight.fields.networks.network import Network
from firstlight.fields.networks.stack import affine, full_precision, linears
from firstlight.init import Stream, variance_scaling_

#: The published Gamma law of the Gabor filters' sharpness.
_SHAPE, _RATE = 6.0, 1.0


@dataclass(frozen=True, kw_only=True)
class MultiplicativeFilter(Network):
    """A linear layer and a product with a filter of the coordinates, again and again.

        h_1 = g_1(x),  h_{k+1} = (W_k h_k + b_k) g_{k+1}(x),  y = W h + b
        "fourier":  g(x) = sin(O x + p)
        "gabor":    g(x) = sin(O x + p) exp(-gamma/2 |x - mu|^2)

    O is torch's default times input_scale / sqrt(filters), and sqrt(gamma) for Gabor; p is
    U(-pi, pi), mu U(-1, 1), gamma Gamma(shape / filters, rate); hidden weights are
    U(-sqrt(weight_scale / width), sqrt(weight_scale / width)), all else torch's default.

    Attributes:
        width: neurons of a hidden layer.
        depth: weight layers from a coordinate to the value: depth - 1 filters, depth - 2 linear
            layers between them, and the last.
        alpha: weight scale of every layer but the last, one number or one for each; the k-th is
            that of filter k and of the linear layer before it.
        distribution: "uniform", as published, or "normal" draws of the same variance, of weights.
        filter: "fourier" or "gabor".
        input_scale: frequency of the filters.
        weight_scale: n times the squared bound of the hidden weights.
        shape: of gamma's law; None is the published 6. Gabor's alone, as ``rate``.
        rate: of gamma's law; None is the published 1.

    Raises:
        OptionError: an option is not one of those, or the filter does not use it.

    Example:
        >>> network = MultiplicativeFilter(width=64, depth=3, filter="gabor").build(2, 3, seed=0)
        >>> tuple(network(torch.zeros(5, 2)).shape)
        (5, 3)

    Reference: Fathony et al., "Multiplicative filter networks", ICLR 2021 (OpenReview OmtmcPkkhT).
    """

    family = "multiplicative_filter"

    filter: str = "fourier"
    input_scale: float = 256.0
    weight_scale: float = 1.0
    shape: float | None = None
    rate: float | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice(self.filter, ("fourier", "gabor"), "filter")
        positive(self.input_scale, "input_scale")
        positive(self.weight_scale, "weight_scale")
        for name in ("shape", "rate"):
            value = getattr(self, name)
            if value is None:
                continue
            if self.filter != "gabor":
                raise OptionError(f"filter {self.filter!r} has no {name}; it is gabor's")
            positive(value, name)

    def weight_layers(self) -> int:
        """Every filter's wave, behind Gabor's centres and sharpness; then the linear layers."""
        return (self.depth - 1) * (2 if self.filter == "gabor" else 1) + self.depth - 1

    def blank(self, inputs: int, outputs: int) -> "Products":
        """The network on the meta device."""
        return Products(self.sizes(inputs, outputs), self.filter == "gabor")

    def fill(self, module: nn.Module, seed: int) -> None:
        """Draw every number."""
        assert isinstance(module, Products)
        alphas = self.alphas()
        for number, (each, alpha) in enumerate(zip(module.filters, alphas, strict=True)):
            self._fill_filter(each, alpha, seed, f"filters.{number}")
        for number, (layer, alpha) in enumerate(zip(module.layers, alphas[1:], strict=True)):
            variance_scaling_(
                layer.weight,
                gain=alpha * math.sqrt(self.weight_scale / 3),
                distribution=self.distribution,
                generator=Stream.named(seed, f"layers.{number}.weight"),
            )
            fill_bias(layer.bias, 1 / math.sqrt(self.width), seed, f"layers.{number}.bias")
        fill_as_torch(module.last.weight, 1.0, self.distribution, seed, "last.weight")
        fill_bias(module.last.bias, 1 / math.sqrt(self.width), seed, "last.bias")

    def _fill_filter(self, each: "Filter", alpha: float, seed: int, name: str) -> None:
        filters = self.depth - 1
        scale = alpha * self.input_scale / math.sqrt(filters)
        fill_as_torch(each.wave.weight, scale, self.distribution, seed, f"{name}.wave.weight")
        fill_bias(each.wave.bias, math.pi, seed, f"{name}.wave.bias")
        if each.gamma is None or each.mu is None:
            return
        fill_bias(each.mu.view(-1), 1.0, seed, f"{name}.mu")
        drawn = _gamma(
            (self.shape or _SHAPE) / filters,
            self.rate or _RATE,
            len(each.gamma),
            Stream.named(seed, f"{name}.gamma"),
        )
        with torch.no_grad():
            each.gamma.copy_(drawn)
            each.wave.weight.mul_(drawn.sqrt()[:, None])


class Filter(nn.Module):
    """One g.

    Attributes:
        wave: the linear layer in the sine.
        mu: centres, (width, inputs), or None for a plain sine.
        gamma: sharpness, (width,), or None for a plain sine.
    """

    def __init__(self, inputs: int, width: int, gabor: bool) -> None:
        super().__init__()
        self.wave = nn.Linear(inputs, width, device="meta")
        self.mu = nn.Parameter(torch.empty(width, inputs, device="meta")) if gabor else None
        self.gamma = nn.Parameter(torch.empty(width, device="meta")) if gabor else None

    def forward(self, x: Tensor) -> Tensor:
        """(n, inputs) to (n, width)."""
        wave = torch.sin(self.wave(x))
        if self.mu is None or self.gamma is None:
            return wave
        square = x.square().sum(-1, keepdim=True) + self.mu.square().sum(-1)
        distance = torch.addmm(square, x, self.mu.t(), alpha=-2)
        return wave * torch.exp(-0.5 * self.gamma * distance)


class Products(nn.Module):
    """Filters, the layers between them, and the last layer.

    Attributes:
        filters: one more than layers.
        layers: between the filters.
        last: from the last product to the values.
    """

    filters: Sequence[Filter]
    layers: Sequence[nn.Linear]

    def __init__(self, sizes: list[int], gabor: bool) -> None:
        super().__init__()
        inputs, width, outputs = sizes[0], sizes[1], sizes[-1]
        filters = nn.ModuleList(Filter(inputs, width, gabor) for _ in sizes[1:-1])
        self.filters = cast("Sequence[Filter]", filters)
        self.layers = linears(sizes[1:-1])
        self.last = nn.Linear(width, outputs, device="meta")

    def forward(self, x: Tensor) -> Tensor:
        """Values at coordinates: (n, inputs) to (n, outputs)."""
        with full_precision(x):
            filters = [each(x) for each in self.filters]
        h = filters[0]
        for layer, values in zip(self.layers, filters[1:], strict=True):
            h = affine(layer, h) * values
        return affine(self.last, h)


def _gamma(shape: float, rate: float, count: int, stream: Stream) -> Tensor:
    """Draws of Gamma(shape, rate): its inverse distribution function at uniform numbers."""
    from scipy.special import gammaincinv

    words = stream.words(0, 0, count) >> np.uint64(11)
    uniform = (words.astype(np.float64) + 0.5) / 2**53
    return torch.from_numpy(gammaincinv(shape, uniform) / rate).float()
