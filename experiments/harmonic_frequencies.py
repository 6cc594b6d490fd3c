"""Which frequencies should harmonic_ take where it needs few, and in which order of rows?

Every variant pairs a sine and a cosine of one frequency and keeps every promise of harmonic_;
they differ in the frequencies alone. Variance is matched in every layer, so nothing but structure
can matter. `python experiments/harmonic_frequencies.py --data parquet:... --out results/...`
"""

import math
from collections.abc import Callable

import torch
from _run import run
from torch import Tensor

from firstlight.init import harmonic_
from firstlight.init._sine import fill_sines
from firstlight.init._tensor import matrix_shape


def variant(frequencies: Callable[[int, int, int], Tensor]) -> Callable[..., Tensor]:
    """A fill whose pairs take ``frequencies(pairs, highest, layer)``."""

    def fill_(tensor: Tensor, *, layer: int = 0) -> Tensor:
        m, n = matrix_shape(tensor, "variant", min_inputs=3)
        highest = (n - 1) // 2
        pairs = min(-(-m // 2), highest)
        if m > 2 * highest:  # all frequencies are taken: there is nothing to choose
            return harmonic_(tensor, layer=layer)
        chosen = frequencies(pairs, highest, layer)

        def rows(start: int, stop: int) -> tuple[Tensor, Tensor]:
            i = torch.arange(start, stop)
            frequency = chosen[i // 2]
            phase = torch.frac(0.6180339887 * layer + 0.7548776662 * frequency.double() ** 2)
            return frequency, phase + (i % 2).double() / 4

        return fill_sines(tensor, rows, math.sqrt(2 / n))

    return fill_


def lowest(pairs: int, _highest: int, _layer: int) -> Tensor:
    """Return 1, 2, 3, ... as the published formula has it."""
    return 1 + torch.arange(pairs)


def even(pairs: int, highest: int, _layer: int) -> Tensor:
    """Return the whole band in even steps, in rising order."""
    return 1 + ((torch.arange(pairs) + 0.5) * highest / pairs).long()


def shuffled(pairs: int, highest: int, layer: int) -> Tensor:
    """Return a random choice for every layer."""
    return 1 + torch.randperm(highest, generator=torch.Generator().manual_seed(layer))[:pairs]


if __name__ == "__main__":
    run(
        __doc__,
        "small_resnet",
        ["harmonic", "he_normal", "orthogonal", "sinusoidal"],
        {function.__name__: variant(function) for function in (lowest, even, shuffled)},
        precision="bf16",
    )
