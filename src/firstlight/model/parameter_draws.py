"""Draws into a model's parameters, which are known by where they lie in memory."""

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from firstlight.init._draw import draw
from firstlight.init.distributions import Array, Distribution
from firstlight.init.shards import held, is_sharded, own_part, pieces
from firstlight.init.stream import Stream


class ParameterDraws:
    """The streams of some parameters: a new one for every draw into one of them."""

    def __init__(self, named: Iterable[tuple[str, Tensor]], seed: int) -> None:
        self._seed = seed
        self._names = {memory(tensor): name for name, tensor in named}
        self._drawn: Counter[Any] = Counter()

    def stream(self, tensor: Tensor) -> Stream | None:
        """Return the stream of the next draw into a parameter, or None for other memory."""
        place = memory(tensor)
        name = self._names.get(place)
        if name is None:
            return None
        self._drawn[place] += 1
        return Stream.named(self._seed, f"{name}:draw {self._drawn[place] - 1}")

    def draw(self, tensor: Tensor, law: Distribution, mean: float) -> bool:
        """Fill what this rank holds of a parameter; return False for other memory."""
        own = own_part(tensor.detach())
        if is_sharded(tensor) and not own.numel():
            return True
        stream = self.stream(tensor)
        if stream is None:
            return False
        shape = tuple(tensor.shape)
        indices = held(tensor) if is_sharded(tensor) else tuple(map(torch.arange, shape))
        if not own.is_complex():
            _fill(own, indices, shape, law, mean, stream)
            return True
        # of a complex number's variance each part has half, and its mean is real
        half = replace(law, scale=law.scale / math.sqrt(2))
        real, imaginary = torch.view_as_real(own).unbind(-1)
        _fill(real, indices, shape, half, mean, stream)
        _fill(imaginary, indices, shape, half, 0.0, Stream.named(stream.key, "imaginary"))
        return True


def _fill(
    own: Tensor,
    indices: tuple[Tensor, ...],
    shape: tuple[int, ...],
    law: Distribution,
    mean: float,
    stream: Stream,
) -> None:
    """Draw the entries of a whole tensor that lie at ``indices``."""
    if len(shape) < 2:  # a vector is one row
        one = torch.zeros(1, dtype=torch.int64)
        indices = (one,) * (2 - len(shape)) + indices
        own = own.unsqueeze(0) if len(shape) else own.view(1, 1)
        shape = (1,) * (2 - len(shape)) + shape

    def add_mean(values: Array, *_: range) -> None:
        values += mean

    for piece in pieces(own, indices, shape):
        draw(piece.tensor, piece.block, law, stream, add_mean if mean else None)


def memory(tensor: Tensor) -> tuple[Any, ...]:
    """Return what a parameter and its ``data`` have in common, and no other tensor.

    Example:
        >>> weight = torch.nn.Parameter(torch.empty(2, 3))
        >>> memory(weight) == memory(weight.data), memory(weight) == memory(weight[:1])
        (True, False)
    """
    own = own_part(tensor)
    shape = tuple(own.shape)
    # of a dimension of one entry the step means nothing, and views have their own idea of it
    steps = tuple(step for step, size in zip(own.stride(), shape, strict=True) if size != 1)
    return own.untyped_storage().data_ptr(), own.storage_offset(), shape, steps
