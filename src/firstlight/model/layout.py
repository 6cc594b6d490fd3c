"""Where the entries of a logical matrix lie in the tensor that stores it, dimension by dimension.

A query matrix is some rows of a fused projection, a gate some rows of an LSTM's weight, an
expert's matrix one slice of three dimensions, turned perhaps. Each is found by splitting, instead
of the values, their indices: as expanded tensors, which take no memory.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import torch
from torch import Tensor

from firstlight.init.block import Block, cut
from firstlight.init.shards import Piece, evenly
from firstlight.model.kinds import Matrix, Part


@dataclass(frozen=True, eq=False)
class Axis:
    """What one dimension of the stored tensor is in the matrix.

    Attributes:
        dim: the dimension of the matrix; None where the matrix lies at one index of the tensor's.
        index: which of the tensor's indices the matrix has, in its order.
    """

    dim: int | None
    index: Tensor


@dataclass(frozen=True, eq=False)
class Layout:
    """A matrix of shape ``shape`` in a tensor of as many dimensions as there are ``axes``."""

    shape: tuple[int, ...]
    axes: tuple[Axis, ...]

    def pieces(self, local: Tensor, held: Sequence[Tensor]) -> Iterator[Piece]:
        """Cut the entries of the matrix that a rank holds into blocks of it.

        Args:
            local: the rank's part of the tensor.
            held: for each of the tensor's dimensions, which indices it holds.
        """
        runs = [_meet(axis, own) for axis, own in zip(self.axes, held, strict=True)]
        for chosen in product(*runs):
            yield self._piece(local, [position for position, _ in chosen], chosen)

    def _piece(self, local: Tensor, positions: list[range], chosen: Any) -> Piece:
        view = cut(local, positions)
        own = [axis.dim for axis in self.axes]
        for dim in reversed(range(len(own))):
            if own[dim] is None:
                view = view.select(dim, 0)
        kept = [dim for dim in own if dim is not None]
        view = view.permute(sorted(range(len(kept)), key=kept.__getitem__))
        index = [range(size) for size in self.shape]
        for axis, (_, block) in zip(self.axes, chosen, strict=True):
            if axis.dim is not None:
                index[axis.dim] = block
        for dim in range(len(self.shape)):
            if dim not in kept:
                view = view.unsqueeze(dim)
        return Piece(view, Block(self.shape, tuple(index)))


def layouts(treatment: Matrix, shape: Sequence[int]) -> list[Layout | None]:
    """Return how each matrix lies in a tensor; None for one that mixes the tensor's dimensions.

    Example:
        >>> from torch import nn
        >>> from firstlight.model.slots import slots
        >>> slot = slots(nn.MultiheadAttention(8, 2))[0]
        >>> [at.axes[0].index[0].item() for at in layouts(slot.treatment, (24, 8))]
        [0, 8, 16]
    """
    by_dim = [treatment.split(_indices(shape, dim)) for dim in range(len(shape))]
    return [_layout(parts) for parts in zip(*by_dim, strict=True)]


def _indices(shape: Sequence[int], dim: int) -> Tensor:
    """Return a tensor of this shape that holds everywhere its index in one dimension."""
    line = torch.arange(shape[dim], device="cpu")
    return line.view([-1 if d == dim else 1 for d in range(len(shape))]).expand(*shape)


def _layout(parts: Sequence[Part]) -> Layout | None:
    axes = [_axis(part) for part in parts]
    found = [axis for axis in axes if axis is not None]
    dims = [axis.dim for axis in found if axis.dim is not None]
    if len(found) < len(axes) or len(set(dims)) < len(dims):
        return None
    return Layout(parts[0].shape, tuple(found))


def _axis(part: Part) -> Axis | None:
    """Read off along which dimension of the matrix the tensor's index changes."""
    view = part.view
    if not view.numel():
        return None
    moving = [d for d in range(view.ndim) if view.stride(d) and view.shape[d] > 1]
    line = view[tuple(slice(None) if d in moving else 0 for d in range(view.ndim))]
    if part.runs and moving and set(moving) <= {0, 1}:
        return Axis(0, _whole_rows(view))
    if len(moving) > 1:
        return None
    if not moving:
        return Axis(None, line.reshape(1))
    return Axis(moving[0] - (1 if part.runs else 0), line.clone())


def _whole_rows(view: Tensor) -> Tensor:
    for dim in reversed(range(2, view.ndim)):
        view = view.select(dim, 0)
    return view.reshape(-1)


def _meet(axis: Axis, held: Tensor) -> list[tuple[range, range]]:
    """Return where in the rank's part the axis's indices lie, and which of the matrix they are."""
    if axis.dim is None:
        where = (held == axis.index).nonzero().flatten()
        return evenly(where, torch.zeros_like(where))
    if not len(held):
        return []
    size = int(max(held.max(), axis.index.max())) + 1
    place = torch.full((size,), -1, device="cpu")
    place[axis.index] = torch.arange(len(axis.index), device="cpu")
    mine = place[held]
    on = (mine >= 0).nonzero().flatten()
    return evenly(on, mine[on])
