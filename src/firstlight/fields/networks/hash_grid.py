"""Multiresolution hash encoding before a small ReLU network (arXiv 2201.05989)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from firstlight.errors import OptionError, whole_number
from firstlight.fields.networks.fills import fill_vector
from firstlight.fields.networks.hash_encoding import HashEncoding
from firstlight.fields.networks.network import Facts, Network
from firstlight.fields.networks.stack import Stack, full_precision
from firstlight.init import Stream, variance_scaling_

#: Bound of a table's first values.
_BOUND = 1e-4
#: The finest grid that float32 coordinates can tell apart.
_FINEST = 2**22


@dataclass(frozen=True, kw_only=True)
class HashGrid(Network):
    """Features from tables of several resolutions, d-linearly between grid points, then ReLUs.

        N_l = floor(base b^l),  b = (finest / base)^(1 / (levels - 1))
        row of a grid point:  its number where all fit in a table of T = 2^log2_table rows,
                              else (x_1 p_1 xor x_2 p_2 xor ...) mod T

    Table values are U(-1e-4, 1e-4); weights are Glorot's and there are no biases, as published.
    Learning rates of 1e-2 are usual, a hundred times a sine network's.

    Attributes:
        width: neurons of a hidden layer.
        depth: weight layers after the tables, the last included.
        alpha: weight scale of every layer but the last, one number or one for each; tables have
            none.
        distribution: "uniform", as published, or "normal" draws of the same variance, of weights.
        levels: number of tables.
        features: values in a row.
        log2_table: binary logarithm of the most rows in a table.
        base: cells along an axis of the coarsest grid.
        finest: cells along an axis of the finest grid; None: one cell for each training sample.

    Raises:
        OptionError: an option is not one of those, or is so large that no memory holds it.

    Example:
        >>> network = HashGrid(levels=4, log2_table=10, finest=64).build(2, 3, seed=0)
        >>> tuple(network(torch.zeros(5, 2)).shape)
        (5, 3)

    Reference: arXiv 2201.05989.
    """

    family = "hash_grid"

    width: int = 64
    depth: int = 3
    levels: int = 16
    features: int = 2
    log2_table: int = 19
    base: int = 16
    finest: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        whole_number(self.levels, "levels", 1, 64)
        whole_number(self.features, "features", 1, 64)
        whole_number(self.log2_table, "log2_table", 1, 28)
        whole_number(self.base, "base", 1, _FINEST)
        if self.finest is not None:
            whole_number(self.finest, "finest", self.base, _FINEST)

    def weight_layers(self) -> int:
        """The tables, which come first, and the layers."""
        return 1 + self.depth

    def with_room(self, parameters: int, inputs: int, outputs: int) -> "HashGrid":
        """With the largest tables, of a power of two, that leave the layers their width."""
        network = self
        while network.log2_table > 1 and network.parameters(inputs, outputs) > parameters:
            network = replace(network, log2_table=network.log2_table - 1)
        return network

    def resolved(self, signal: Facts) -> "HashGrid":
        """With the finest grid as a number."""
        if self.finest is not None:
            return self
        cells = round(2 / min(signal.spacing))
        return replace(self, finest=min(max(cells, self.base), _FINEST))

    def check_resolved(self) -> None:
        """Raise ``OptionError`` for a finest grid that depends on a signal."""
        self.resolutions()

    def resolutions(self) -> list[int]:
        """Cells along an axis, from the coarsest grid to the finest.

        Example:
            >>> HashGrid(levels=3, finest=64).resolutions()
            [16, 32, 64]
        """
        if self.finest is None:
            raise OptionError("finest=None needs a signal: call resolved(signal), or give a number")
        growth = math.log(self.finest / self.base) / max(1, self.levels - 1)
        # the small excess keeps the floor of a whole number that rounding made smaller
        return [
            math.floor(self.base * math.exp(growth * level) * (1 + 1e-12))
            for level in range(self.levels)
        ]

    def blank(self, inputs: int, outputs: int) -> "Grids":
        """The network on the meta device."""
        encoding = HashEncoding(inputs, self.resolutions(), self.features, 2**self.log2_table)
        width = self.levels * self.features
        return Grids(encoding, [width, *self.sizes(inputs, outputs)[1:]])

    def fill(self, module: nn.Module, seed: int) -> None:
        """Draw every number."""
        assert isinstance(module, Grids)
        module.encoding.reset()
        table = module.encoding.table.view(-1)
        fill_vector(table, _BOUND / math.sqrt(3), "uniform", seed, "encoding.table")
        alphas = [*self.alphas(), 1.0]
        for number, (layer, alpha) in enumerate(zip(module.stack.layers, alphas, strict=True)):
            variance_scaling_(
                layer.weight,
                mode="fan_avg",
                gain=alpha,
                distribution=self.distribution,
                generator=Stream.named(seed, f"stack.layers.{number}.weight"),
            )


class Grids(nn.Module):
    """The encoding, then layers without biases.

    Attributes:
        encoding: the tables.
        stack: the layers.
    """

    def __init__(self, encoding: HashEncoding, sizes: Sequence[int]) -> None:
        super().__init__()
        self.encoding = encoding
        self.stack = Stack(sizes, [1.0] * (len(sizes) - 2), torch.relu, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Values at coordinates: (n, inputs) to (n, outputs)."""
        with full_precision(x):
            features = self.encoding(x)
        return self.stack(features)
