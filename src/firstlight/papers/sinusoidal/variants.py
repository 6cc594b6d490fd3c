"""Sines with other frequencies and phases, and copies of one start in every layer of a shape."""

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn

from firstlight.init import harmonic_, sinusoidal_

#: Fills a matrix (m, n); the second argument numbers the layers, the third is a generator.
Fill = Callable[[Tensor, int, torch.Generator], object]


class Waves(NamedTuple):
    """Rows a sin(2 pi f_i j / n + phi_i): what each row's frequency and phase is.

    Attributes:
        frequency: published (i), reversed (m + 1 - i), low (1 .. m / 8, each of them eight times),
            half (i / 2), permuted, or random (whole numbers drawn from 1 .. n / 2).
        phase: published (2 pi i / m), zero, quarter (0 and pi / 2 in turn) or random.
    """

    frequency: str = "published"
    phase: str = "published"

    def __str__(self) -> str:
        return f"{self.frequency} frequencies, {self.phase} phases"


def fill_waves(matrix: Tensor, waves: Waves, generator: torch.Generator) -> Tensor:
    """Fill with sines of variance 2 / (m + n), as the published formula has it.

    Example:
        >>> w = fill_waves(torch.empty(8, 32), Waves(), torch.Generator())
        >>> bool((w - sinusoidal_(torch.empty(8, 32))).abs().max() < 1e-6)
        True
    """
    m, n = len(matrix), matrix[0].numel()
    i = torch.arange(1, m + 1, dtype=torch.float64)
    j = torch.arange(1, n + 1, dtype=torch.float64)
    frequency = {
        "published": lambda: i,
        "reversed": lambda: m + 1 - i,
        "low": lambda: (i - 1) // 8 + 1,
        "half": lambda: i / 2,
        "permuted": lambda: i[torch.randperm(m, generator=generator)],
        "random": lambda: torch.randint(
            1, max(2, n // 2), (m,), generator=generator, dtype=torch.float64
        ),
    }[waves.frequency]()
    phase = {
        "published": lambda: 2 * math.pi * i / m,
        "zero": lambda: torch.zeros_like(i),
        "quarter": lambda: (i % 2) * math.pi / 2,
        "random": lambda: 2 * math.pi * torch.rand(m, generator=generator, dtype=torch.float64),
    }[waves.phase]()
    values = torch.sin(2 * math.pi * frequency[:, None] * j / n + phase[:, None])
    scale = math.sqrt(2 / (m + n)) / max(float(values.std(correction=0)), 1e-12)
    return matrix.copy_((values * scale).view_as(matrix))


def waves(frequency: str, phase: str) -> Fill:
    """Return a fill of ``Waves``."""

    def fill(matrix: Tensor, layer: int, generator: torch.Generator) -> Tensor:
        del layer
        return fill_waves(matrix, Waves(frequency, phase), generator)

    return fill


def same(matrix: Tensor, layer: int, generator: torch.Generator) -> Tensor:
    """Harmonic with one number for all layers: equal shapes have equal weights."""
    del layer, generator
    return harmonic_(matrix, layer=0)


def distinct(matrix: Tensor, layer: int, generator: torch.Generator) -> Tensor:
    """Harmonic as it is: every layer has weights of its own."""
    del generator
    return harmonic_(matrix, layer=layer)


def published(matrix: Tensor, layer: int, generator: torch.Generator) -> Tensor:
    """The published formula: equal shapes have equal weights."""
    del layer, generator
    return sinusoidal_(matrix)


def split(first: Fill, later: Fill) -> Fill:
    """Return a fill that is ``first`` in the first layer and ``later`` in all others.

    Example:
        >>> mixed = split(published, distinct)
        >>> one = mixed(torch.empty(4, 16), 0, torch.Generator())
        >>> bool(torch.equal(one, sinusoidal_(torch.empty(4, 16))))
        True
    """

    def fill(matrix: Tensor, layer: int, generator: torch.Generator) -> object:
        return (later if layer else first)(matrix, layer, generator)

    return fill


def moved(matrix: Tensor, layer: int, generator: torch.Generator) -> Tensor:
    """The published formula with its columns turned by a seventh part in each further layer."""
    del generator
    inputs = matrix[0].numel()
    flat = sinusoidal_(torch.empty(len(matrix), inputs))
    return matrix.copy_(flat.roll(layer * max(1, inputs // 7), 1).view_as(matrix))


@torch.no_grad()
def start(network: nn.Module, fill: Fill) -> nn.Module:
    """Give every weight matrix and kernel a fill; biases zero. Draws follow torch's seed."""
    generator = torch.Generator().manual_seed(torch.initial_seed() % 2**63)
    layer = 0
    for module in network.modules():
        if isinstance(module, nn.Linear | nn.Conv2d):
            fill(module.weight, layer, generator)
            if module.bias is not None:
                module.bias.zero_()
            layer += 1
    return network
