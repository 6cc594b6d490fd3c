"""Which blocks of its whole a DTensor's rank holds, and fills that write those blocks alone.

A random fill of a DTensor takes a ``Stream``: torch's generators differ from rank to rank, and so
would what should be copies.
"""

import functools
import inspect
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Any, ParamSpec

import torch
from torch import Tensor

from firstlight.errors import OptionError
from firstlight.init.block import Block, cut
from firstlight.init.stream import Stream

P = ParamSpec("P")


@dataclass(frozen=True, eq=False)
class Piece:
    """Memory of this rank, and which block of the whole tensor it is."""

    tensor: Tensor
    block: Block


def is_sharded(tensor: Any) -> bool:
    """Return whether ``tensor`` is a DTensor, without importing what that takes."""
    return is_kind(type(tensor), "DTensor")  # type: ignore[arg-type]


@lru_cache(4096)  # asked of every tensor, many times
def is_kind(kind: type, name: str) -> bool:
    """Return whether a class, or one that it inherits from, bears a name.

    Example:
        >>> is_kind(bool, "int")
        True
    """
    return any(base.__name__ == name for base in kind.__mro__)


def own_part(tensor: Tensor) -> Tensor:
    """Return what this rank holds of a DTensor; any other tensor as it is."""
    return tensor.to_local() if is_sharded(tensor) else tensor  # type: ignore[attr-defined]


def held(tensor: Any) -> tuple[Tensor, ...]:
    """Return, for every dimension of a DTensor, the indices of the whole that this rank holds.

    They are found as the values would be: by distributing 0, 1, 2 ... with the tensor's own mesh
    and placements, of which every rank keeps its part and sends nothing. So any placement that
    torch knows is understood: uneven, strided, or sharded over several axes of the mesh.

    Raises:
        OptionError: the tensor is no DTensor, or a partial sum, of which no rank holds any entry.
    """
    if not is_sharded(tensor):
        raise OptionError(f"expected a DTensor, got {type(tensor).__name__}")
    from torch.distributed.tensor import Partial

    placements, mesh = tuple(tensor.placements), tensor.device_mesh
    if any(isinstance(placement, Partial) for placement in placements):
        raise OptionError(
            f"a DTensor with placements {placements} holds partial sums, which "
            "cannot be filled; redistribute it first"
        )
    return tuple(_held(mesh, placements, dim, size) for dim, size in enumerate(tensor.shape))


@lru_cache(256)  # a model's weights have few shapes, and asking torch takes as long as a small fill
def _held(mesh: Any, placements: tuple[Any, ...], dim: int, size: int) -> Tensor:
    from torch.distributed.tensor import Replicate, distribute_tensor

    every = torch.arange(size, device="cpu")
    cuts = [getattr(placement, "dim", None) == dim for placement in placements]
    if mesh.get_coordinate() is None:  # a rank outside of the mesh holds nothing at all
        return every[:0]
    if not any(cuts):
        return every
    on_first = [
        _on_first_dim(placement) if here else Replicate()
        for placement, here in zip(placements, cuts, strict=True)
    ]
    every = every.to(mesh.device_type)
    return distribute_tensor(every, mesh, on_first, src_data_rank=None).to_local().cpu()


def _on_first_dim(placement: Any) -> Any:
    from torch.distributed.tensor import Shard

    if type(placement) is Shard:
        return Shard(0)
    return type(placement)(0, split_factor=placement.split_factor)  # a strided shard


def pieces(local: Tensor, indices: Sequence[Tensor], shape: Sequence[int]) -> Iterator[Piece]:
    """Cut what a rank holds into blocks: one, unless its indices are not evenly spaced.

    Args:
        local: the rank's own memory, (len(indices[0]), len(indices[1]), ...).
        indices: for each dimension, which indices of the whole it holds.
        shape: of the whole.

    Example:
        >>> import torch
        >>> rows = torch.tensor([0, 1, 6, 7])
        >>> found = pieces(torch.empty(4, 3), (rows, torch.arange(3)), (8, 3))
        >>> [piece.block.rows for piece in found]
        [range(0, 2), range(6, 8)]
    """
    runs = [evenly(torch.arange(len(each), device="cpu"), each) for each in indices]
    for chosen in product(*runs):
        view = cut(local, (position for position, _ in chosen))
        yield Piece(view, Block(tuple(shape), tuple(index for _, index in chosen)))


def evenly(positions: Tensor, indices: Tensor) -> list[tuple[range, range]]:
    """Cut pairs of whole numbers into the longest runs in which both rise by steps of their own.

    Example:
        >>> import torch
        >>> evenly(torch.tensor([0, 1, 2]), torch.tensor([4, 6, 9]))
        [(range(0, 2), range(4, 7, 2)), (range(2, 3), range(9, 10))]
    """
    pairs = torch.stack([positions, indices])
    steps = pairs.diff()
    if steps.numel() and bool((steps == 1).all()):  # as nearly always
        position, index = pairs[:, 0].tolist()
        return [(range(position, position + len(indices)), range(index, index + len(indices)))]
    turns = ((steps.diff() != 0).any(0).nonzero().flatten() + 1).tolist()  # where steps change
    first, last = 0, pairs.shape[1] - 1
    runs = []
    while first <= last:
        stop = first
        if first < last and bool((steps[:, first] > 0).all()):
            after = bisect_right(turns, first)
            stop = turns[after] if after < len(turns) else last
        runs.append((_rise(pairs[0], first, stop), _rise(pairs[1], first, stop)))
        first = stop + 1
    return runs


def _rise(values: Tensor, first: int, last: int) -> range:
    """Return the values between two places as a range; they are evenly spaced."""
    start, stop = int(values[first]), int(values[last])
    return range(start, stop + 1, max(1, (stop - start) // max(1, last - first)))


def blockwise(fill: Callable[P, Tensor]) -> Callable[P, Tensor]:
    """Make a fill that takes a ``block`` take DTensors, too: of those it writes what is held."""
    random = "generator" in inspect.signature(fill).parameters
    fill_block: Callable[..., Tensor] = fill

    @functools.wraps(fill)
    def filled(*args: P.args, **kwargs: P.kwargs) -> Tensor:
        whole: Any = args[0] if args else kwargs.get("tensor")
        if not is_sharded(whole):
            return fill(*args, **kwargs)
        _check_for_shards(fill.__name__, random, kwargs)
        options = {name: kwargs[name] for name in kwargs if name not in ("tensor", "block")}
        found = list(pieces(whole.to_local(), held(whole), whole.shape))
        for piece in found or [_nothing(whole)]:
            fill_block(piece.tensor, *args[1:], block=piece.block, **options)
        return whole

    return filled


def _nothing(whole: Any) -> Piece:
    """Return no entries: a rank that holds none refuses the same arguments as the others."""
    shape = tuple(whole.shape)
    block = Block(shape, (range(0), *map(range, shape[1:])))
    return Piece(torch.empty(block.sizes, dtype=whole.dtype, device="cpu"), block)


def _check_for_shards(scheme: str, random: bool, options: Mapping[str, Any]) -> None:
    """Raise ``OptionError`` for arguments with which ranks would not agree on a DTensor."""
    if options.get("block") is not None:
        raise OptionError(
            f"{scheme} finds the blocks of a DTensor by itself, and got block= as well; leave it "
            "out, or give the rank's own tensor, to_local()"
        )
    generator = options.get("generator")
    if random and not isinstance(generator, Stream):
        raise OptionError(
            f"{scheme} on a DTensor needs a Stream, from which every rank draws its own part, got "
            f"generator={generator!r}; give generator=Stream.named(seed, name), from "
            "firstlight.init"
        )
