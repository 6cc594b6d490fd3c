"""Networks that bring their start along, under names that a sweep can ask a worker for."""

from collections.abc import Callable, Mapping
from itertools import pairwise

import torch
from torch import nn

from firstlight.init.variance_scaling import variance_scaling_
from firstlight.model.zoo import small_resnet
from firstlight.papers.sinusoidal.variants import (
    Fill,
    distinct,
    moved,
    published,
    same,
    split,
    start,
    waves,
)

Network = Callable[[int, tuple[int, int], int], nn.Module]


def _mlp(*widths: int) -> Network:
    def make(channels: int, size: tuple[int, int], classes: int) -> nn.Module:
        sides = (channels * size[0] * size[1], *widths, classes)
        layers: list[nn.Module] = [nn.Flatten()]
        for inputs, outputs in pairwise(sides):
            layers += [nn.Linear(inputs, outputs), nn.ReLU()]
        return nn.Sequential(*layers[:-1])

    return make


#: square: hidden layers of 256 x 256, whose published rank is 127. expansion: 64 to 256, in which
#: rows repeat up to sign. narrowing: the shapes for which the paper's theorem holds.
NETWORKS: Mapping[str, Network] = {
    "square": _mlp(256, 256, 256, 256),
    "expansion": _mlp(64, 256, 64, 256, 64),
    "narrowing": _mlp(512, 256, 128, 64, 32),
    "resnet": lambda channels, size, classes: small_resnet(channels, size, classes),
}

FREQUENCIES = ("published", "reversed", "low", "half", "permuted", "random")
PHASES = ("published", "zero", "quarter", "random")


def _he(matrix: torch.Tensor, layer: int, generator: torch.Generator) -> torch.Tensor:
    del layer
    return variance_scaling_(matrix, generator=generator)


def _glorot(matrix: torch.Tensor, layer: int, generator: torch.Generator) -> torch.Tensor:
    del layer
    return variance_scaling_(matrix, gain=1.0, mode="fan_avg", generator=generator)


FILLS: Mapping[str, Fill] = {
    "he": _he,
    "glorot": _glorot,
    "published": published,
    "moved": moved,
    "distinct": distinct,
    "same": same,
    "published_first": split(published, distinct),
    "distinct_first": split(distinct, published),
    **{f"waves_{f}_{p}": waves(f, p) for f in FREQUENCIES for p in PHASES},
}


def name(network: str, fill: str) -> str:
    """Return what a sweep calls a network with its start.

    Example:
        >>> name("square", "he")
        'firstlight.papers.sinusoidal.started:square__he'
    """
    return f"{__name__}:{network}__{fill}"


def __getattr__(asked: str) -> Callable[..., nn.Module]:
    """Return the factory of a name."""
    network, _, fill = asked.partition("__")
    if network not in NETWORKS or fill not in FILLS:
        raise AttributeError(asked)
    return lambda channels, size, classes: start(
        NETWORKS[network](channels, size, classes), FILLS[fill]
    )
