"""Layers one after another with a function between them: what most field networks are."""

from collections.abc import Callable
from contextlib import nullcontext
from itertools import pairwise

import torch
from torch import Tensor, nn


class Stack(nn.Module):
    """f(c_l (W_l x + b_l)) for all layers but the last, which is linear.

    The factor c_l is part of the matrix product (``addmm``), so it costs nothing.

    Attributes:
        layers: the linear layers.
        factors: c_l of every layer but the last.
        function: f.
    """

    def __init__(
        self, sizes: list[int], factors: list[float], function: Callable[[Tensor], Tensor]
    ) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            nn.Linear(fan_in, fan_out, device="meta") for fan_in, fan_out in pairwise(sizes)
        )
        self.layers.to_empty(device="cpu")
        self.factors, self.function = factors, function

    def forward(self, x: Tensor) -> Tensor:
        """Values at coordinates: (n, inputs) to (n, outputs)."""
        for number, (layer, factor) in enumerate(zip(self.layers, self.factors, strict=False)):
            # phases of many turns need all digits: mixed precision begins after the first layer
            with torch.autocast(x.device.type, enabled=False) if number == 0 else nullcontext():
                z = torch.addmm(layer.bias, x, layer.weight.t(), beta=factor, alpha=factor)
                x = self.function(z)
        last = self.layers[-1]
        return torch.addmm(last.bias, x, last.weight.t())
