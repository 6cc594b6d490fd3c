"""Layers one after another with a function between them: what most field networks are."""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn


class Stack(nn.Module):
    """f(c_l (W_l x + b_l)) for all layers but the last, which is linear.

    The factor c_l is part of the matrix product (``addmm``), so it costs nothing. A new stack is
    on the meta device.

    Attributes:
        layers: the linear layers.
        factors: c_l of every layer but the last.
        function: f.
    """

    layers: Sequence[nn.Linear]

    def __init__(
        self,
        sizes: Sequence[int],
        factors: Sequence[float],
        function: Callable[[Tensor], Tensor],
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.layers = linears(sizes, bias=bias)
        self.factors, self.function = list(factors), function

    def forward(self, x: Tensor) -> Tensor:
        """Values at coordinates: (n, inputs) to (n, outputs)."""
        for number, (layer, factor) in enumerate(zip(self.layers, self.factors, strict=False)):
            # phases of many turns need all digits: mixed precision begins after the first layer
            with full_precision(x) if number == 0 else nullcontext():
                x = self.function(affine(layer, x, factor))
        return affine(self.layers[-1], x)


def linears(sizes: Sequence[int], *, bias: bool = True) -> Sequence[nn.Linear]:
    """Linear layers from each size to the next, on the meta device, in a ``ModuleList``."""
    layers = (nn.Linear(a, b, bias=bias, device="meta") for a, b in pairwise(sizes))
    return cast("Sequence[nn.Linear]", nn.ModuleList(layers))


def affine(
    layer: nn.Linear, x: Tensor, factor: float = 1.0, weight: Tensor | None = None
) -> Tensor:
    """Apply factor (W x + b), with another W than the layer's where one is given."""
    matrix = (layer.weight if weight is None else weight).t()
    if layer.bias is None:
        product = x @ matrix
        return product if factor == 1 else product * factor
    return torch.addmm(layer.bias, x, matrix, beta=factor, alpha=factor)


def full_precision(x: Tensor) -> torch.autocast:
    """A context without mixed precision on the device of ``x``."""
    return torch.autocast(x.device.type, enabled=False)
