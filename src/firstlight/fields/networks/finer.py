"""FINER: sine networks of variable period (arXiv 2312.02434)."""

import math
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from firstlight import init
from firstlight.errors import OptionError, positive
from firstlight.fields.networks.fills import fill_bias
from firstlight.fields.networks.network import Network
from firstlight.fields.networks.stack import Stack
from firstlight.init import Stream


@dataclass(frozen=True, kw_only=True)
class Finer(Network):
    """sin(omega (|z| + 1) z), z = W x + b, in every layer but the last, which is linear.

    Weights are SIREN's. The first layer's biases are U(-k, k): a larger k reaches faster parts of
    the function. The others' are torch's default.

    Attributes:
        width: neurons of a hidden layer.
        depth: weight layers, the last included.
        alpha: weight scale of every layer but the last, one number or one for each.
        distribution: "uniform", as published, or "normal" draws of the same variance.
        omega: factor in the sine.
        k: bound of the first layer's biases; None is torch's 1/sqrt(inputs), the default of the
            published code.
        through_period: whether gradients flow through |z| + 1 too; the published code holds it
            constant.

    Raises:
        OptionError: an option is not one of those.

    Example:
        >>> network = Finer(width=64, depth=3, k=5.0).build(2, 3, seed=0)
        >>> tuple(network(torch.zeros(5, 2)).shape)
        (5, 3)

    Reference: arXiv 2312.02434.
    """

    family = "finer"

    omega: float = 30.0
    k: float | None = None
    through_period: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        positive(self.omega, "omega")
        if self.k is not None:
            positive(self.k, "k")
        if not isinstance(self.through_period, bool):
            raise OptionError(f"through_period must be True or False, got {self.through_period!r}")

    def blank(self, inputs: int, outputs: int) -> Stack:
        """The network on the meta device."""
        function = partial(
            variable_sine, omega=float(self.omega), through_period=self.through_period
        )
        return Stack(self.sizes(inputs, outputs), [1.0] * (self.depth - 1), function)

    def fill(self, module: nn.Module, seed: int) -> None:
        """Draw every number."""
        assert isinstance(module, Stack)
        for number, (layer, alpha) in enumerate(
            zip(module.layers, [*self.alphas(), 1.0], strict=True)
        ):
            init.siren_(
                layer.weight,
                first=number == 0,
                omega=self.omega,
                alpha=alpha,
                distribution=self.distribution,
                generator=Stream.named(seed, f"layers.{number}.weight"),
            )
            bound = 1 / math.sqrt(layer.in_features)
            if number == 0 and self.k is not None:
                bound = self.k
            fill_bias(layer.bias, bound, seed, f"layers.{number}.bias")


def variable_sine(z: Tensor, omega: float, through_period: bool) -> Tensor:
    """sin(omega (|z| + 1) z)."""
    stretch = (z if through_period else z.detach()).abs() + 1
    return torch.sin(omega * stretch * z)
