"""Whole-number frequencies within a band, none twice and none with its negative."""

import torch
from torch import Tensor

from firstlight.errors import OptionError
from firstlight.init import Stream

Vector = tuple[int, ...]


def chosen_frequencies(
    count: int, inputs: int, band: int, low: int, low_share: float, seed: int
) -> Tensor:
    """Choose ``count`` vectors of whole numbers from -band to band: (count, inputs), float64.

    One along each axis comes first, then low ones (up to ``low`` in each coordinate), then others
    from the coarsest grid over the whole band that has enough of them. Where there are too few
    low ones, the grid gives more.

    Raises:
        OptionError: the band has fewer.

    Example:
        >>> chosen_frequencies(4, 1, 8, 2, 0.5, seed=0).flatten().tolist()
        [1.0, 2.0, 4.0, 8.0]
    """
    if half_count(band, inputs) < count:
        raise OptionError(
            f"{count} frequencies were asked for, one for each neuron, and a band of {band} has "
            f"{half_count(band, inputs)} in {inputs} dimensions; take a smaller width"
        )
    taken = dict.fromkeys(_axes(inputs)[:count])
    rest = count - len(taken)
    _choose(taken, min(round(low_share * rest), _left(taken, low, 1, inputs)), low, 1, "low", seed)
    steps = (band // across for across in range(1, band + 1))
    missing = count - len(taken)
    step = next(step for step in steps if _left(taken, band // step, step, inputs) >= missing)
    _choose(taken, missing, band // step, step, "high", seed)
    return torch.tensor(list(taken), dtype=torch.float64)


def half_count(most: int, inputs: int) -> int:
    """How many vectors of whole numbers from -most to most there are, of each pair v, -v one.

    Example:
        >>> half_count(1, 2)
        4
    """
    return ((2 * most + 1) ** inputs - 1) // 2


def _axes(inputs: int) -> list[Vector]:
    return [tuple(int(i == axis) for i in range(inputs)) for axis in range(inputs)]


def _left(taken: dict[Vector, None], most: int, step: int, inputs: int) -> int:
    """How many vectors of multiples of ``step`` up to most * step are not taken."""
    on_grid = sum(all(k % step == 0 and abs(k) <= most * step for k in each) for each in taken)
    return half_count(most, inputs) - on_grid


def _choose(
    taken: dict[Vector, None], count: int, most: int, step: int, name: str, seed: int
) -> None:
    """Add ``count`` vectors that are not taken yet, all alike in probability."""
    inputs = len(next(iter(taken)))
    half = half_count(most, inputs)
    stream, start, wanted = Stream.named(seed, f"frequencies.{name}"), 0, len(taken) + count
    while len(taken) < wanted:
        words = stream.words(0, start, 2 * count)
        start += 2 * count
        for word in words.tolist():
            # numbered in the order of their digits, those after 0 are one of each pair
            vector = _digits(half + 1 + word % half, most, step, inputs)
            taken.setdefault(vector)
            if len(taken) == wanted:
                return


def _digits(number: int, most: int, step: int, inputs: int) -> Vector:
    """The vector with this number, from 0 for (-most, ..., -most)."""
    digits = []
    for _ in range(inputs):
        number, digit = divmod(number, 2 * most + 1)
        digits.append((digit - most) * step)
    return tuple(digits[::-1])
