"""Random Fourier features before a ReLU network (arXiv 2006.10739)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from firstlight.errors import positive, whole_number
from firstlight.fields.networks.fills import fill_vector
from firstlight.fields.networks.network import Network
from firstlight.fields.networks.stack import Stack, full_precision
from firstlight.init import Stream, variance_scaling_

#: Standard deviation of the biases in the published code.
_BIAS = 0.01
_MOST_FEATURES = 2**14


@dataclass(frozen=True, kw_only=True)
class FourierFeatures(Network):
    """ReLU layers over random waves of the coordinates.

        [sin(2 pi B v), cos(2 pi B v)],  v = (x + 1) / 2 in [0, 1],  B ~ N(0, sigma^2), fixed

    Weights are Glorot's and biases N(0, 0.01^2), as the published code draws them; the published
    network ends with a sigmoid, this one is linear as all others here.

    Attributes:
        width: neurons of a hidden layer.
        depth: weight layers after the waves, the last included.
        alpha: weight scale of every layer but the last, one number or one for each; B has none.
        distribution: "normal", as published, or "uniform" draws of the same variance.
        features: waves, each as a sine and a cosine.
        sigma: standard deviation of the frequencies, in cycles across the signal.

    Raises:
        OptionError: an option is not one of those.

    Example:
        >>> network = FourierFeatures(width=64, depth=3, features=32).build(2, 3, seed=0)
        >>> tuple(network(torch.zeros(5, 2)).shape)
        (5, 3)

    Reference: arXiv 2006.10739.
    """

    family = "fourier_features"

    distribution: str = "normal"
    features: int = 256
    sigma: float = 10.0

    def __post_init__(self) -> None:
        super().__post_init__()
        whole_number(self.features, "features", 1, _MOST_FEATURES)
        positive(self.sigma, "sigma")

    def blank(self, inputs: int, outputs: int) -> "Waves":
        """The network on the meta device."""
        return Waves(inputs, [2 * self.features, *self.sizes(inputs, outputs)[1:]])

    def fill(self, module: nn.Module, seed: int) -> None:
        """Draw every number."""
        assert isinstance(module, Waves)
        fan_in = module.frequencies.shape[1]
        stream = Stream.named(seed, "frequencies")
        variance_scaling_(module.frequencies, gain=self.sigma * math.sqrt(fan_in), generator=stream)
        alphas = [*self.alphas(), 1.0]
        for number, (layer, alpha) in enumerate(zip(module.stack.layers, alphas, strict=True)):
            name = f"stack.layers.{number}"
            variance_scaling_(
                layer.weight,
                mode="fan_avg",
                gain=alpha,
                distribution=self.distribution,
                generator=Stream.named(seed, f"{name}.weight"),
            )
            fill_vector(layer.bias, _BIAS, "normal", seed, f"{name}.bias")


class Waves(nn.Module):
    """Fixed waves, then layers.

    Attributes:
        frequencies: B, (features, inputs), in cycles across the signal.
        stack: the layers.
    """

    frequencies: Tensor

    def __init__(self, inputs: int, sizes: Sequence[int]) -> None:
        super().__init__()
        frequencies = torch.empty(sizes[0] // 2, inputs, device="meta")
        self.register_buffer("frequencies", frequencies)
        self.stack = Stack(sizes, [1.0] * (len(sizes) - 2), torch.relu)

    def forward(self, x: Tensor) -> Tensor:
        """Values at coordinates: (n, inputs) to (n, outputs)."""
        with full_precision(x):
            # 2 pi B (x + 1) / 2
            phases = (math.pi * (x + 1)) @ self.frequencies.t()
            waves = torch.cat((torch.sin(phases), torch.cos(phases)), -1)
        return self.stack(waves)
