"""What should a depthwise filter start as, where every other weight is harmonic?

A depthwise filter sees one channel. Were its taps to sum to zero, as harmonic rows do, it could
not pass its channel's mean: a pure high-pass filter. The rivals differ in the depthwise filters
alone. `python experiments/depthwise.py --data parquet:... --out results/...`
"""

import math
from collections.abc import Callable

import torch
from _run import run
from torch import Tensor, nn

from firstlight.init import harmonic_, harmonic_depthwise_, orthogonal_, variance_scaling_


class Block(nn.Module):
    """1x1 up, depthwise 3x3, 1x1: the inverted residual's three convolutions."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(inputs, outputs, 1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(),
            nn.Conv2d(outputs, outputs, 3, stride, 1, groups=outputs, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(),
            nn.Conv2d(outputs, outputs, 1, bias=False),
            nn.BatchNorm2d(outputs),
        )
        self.skip = nn.Sequential(
            nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
        )

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.body(x) + self.skip(x))


def network(in_channels: int, image_size: tuple[int, int], classes: int) -> nn.Module:  # noqa: ARG001
    """A small MobileNet-like network whose only spatial filters after the stem are depthwise."""
    return nn.Sequential(
        nn.Conv2d(in_channels, 32, 3, 2, 1, bias=False),
        nn.BatchNorm2d(32),
        nn.ReLU(),
        Block(32, 64, 1),
        Block(64, 128, 2),
        Block(128, 128, 1),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(128, classes),
    )


def high_pass(tensor: Tensor, layer: int, generator: torch.Generator) -> Tensor:  # noqa: ARG001
    return harmonic_(tensor, layer=layer)


def he(tensor: Tensor, layer: int, generator: torch.Generator) -> Tensor:  # noqa: ARG001
    return variance_scaling_(tensor, generator=generator)


def orthonormal(tensor: Tensor, layer: int, generator: torch.Generator) -> Tensor:  # noqa: ARG001
    """Orthonormal in groups of as many filters as there are taps."""
    for part in tensor.split(tensor[0].numel()):
        orthogonal_(part, generator=generator)
    return tensor


def identity(tensor: Tensor, layer: int, generator: torch.Generator) -> Tensor:  # noqa: ARG001
    return nn.init.dirac_(tensor, groups=len(tensor))


def half_mean(tensor: Tensor, layer: int, generator: torch.Generator) -> Tensor:  # noqa: ARG001
    """Half of each filter's energy in its mean, half in a harmonic row."""
    return harmonic_(tensor, layer=layer).add_(1 / tensor[0].numel() ** 0.5).div_(math.sqrt(2))


def average_mean(tensor: Tensor, layer: int, generator: torch.Generator) -> Tensor:  # noqa: ARG001
    """The mean's share of a random filter, 1/n, in every filter: what harmonic does."""
    return harmonic_depthwise_(tensor, layer=layer)


RIVALS = [high_pass, average_mean, half_mean, he, orthonormal, identity]


def with_depthwise(depthwise: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """harmonic everywhere but in depthwise filters."""

    def fill_(tensor: Tensor, *, layer: int, generator: torch.Generator) -> Tensor:
        if tensor.ndim == 4 and tensor.shape[1] == 1 and len(tensor) > 0:
            return depthwise(tensor, layer, generator)
        return harmonic_(tensor, layer=layer)

    return fill_


if __name__ == "__main__":
    run(
        __doc__,
        "depthwise:network",
        ["he_normal"],
        {rival.__name__: with_depthwise(rival) for rival in RIVALS},
    )
