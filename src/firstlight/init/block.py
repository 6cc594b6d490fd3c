"""A part of a larger tensor, as one of several ranks holds it: which one, of what shape."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from firstlight.errors import OptionError
from firstlight.init._numbers import is_whole


@dataclass(frozen=True)
class Block:
    """Which entries of a whole tensor a smaller one holds.

        part = whole[index[0]][:, index[1]]...

    A fill that is given a block writes into the part what it would write there into the whole.

    Attributes:
        shape: of the whole tensor, (out, in, *kernel).
        index: the indices of each of its dimensions that the part holds, with steps above 0.

    Raises:
        OptionError: the shape is not of whole numbers, there is not one range for each dimension,
            one of them leaves the whole, or steps back.

    Example:
        >>> import torch
        >>> from firstlight.init import Block, harmonic_
        >>> whole = harmonic_(torch.empty(64, 32))
        >>> block = Block((64, 32), (range(8, 16), range(20, 24)))
        >>> part = harmonic_(torch.empty(8, 4), block=block)
        >>> torch.equal(part, whole[8:16, 20:24])
        True
    """

    shape: tuple[int, ...]
    index: tuple[range, ...]

    def __post_init__(self) -> None:
        _check_all(self.shape, lambda size: is_whole(size) and size >= 0, "shape", "sizes")
        _check_all(self.index, lambda held: isinstance(held, range), "index", "ranges")
        if len(self.shape) != len(self.index):
            raise OptionError(
                f"a block needs one range for each dimension of {tuple(self.shape)}, "
                f"got {len(self.index)}"
            )
        for size, held in zip(self.shape, self.index, strict=True):
            if held.step < 0 or (len(held) and not 0 <= held[0] <= held[-1] < size):
                raise OptionError(
                    f"a block's ranges must rise within the whole; got {held} in {size}"
                )

    @classmethod
    def whole(cls, shape: tuple[int, ...]) -> "Block":
        """Return the block that is all of a tensor."""
        return cls(tuple(shape), tuple(range(size) for size in shape))

    @property
    def sizes(self) -> tuple[int, ...]:
        """Shape of the part."""
        return tuple(len(held) for held in self.index)

    @property
    def is_whole(self) -> bool:
        """Whether the part is all there is."""
        return self.sizes == tuple(self.shape)

    @property
    def rows(self) -> range:
        """Outputs that the part holds."""
        return self.index[0]

    @property
    def inputs(self) -> int:
        """Number n of the whole's inputs, in * prod(kernel)."""
        return math.prod(self.shape[1:])

    @cached_property
    def columns(self) -> range | Tensor:
        """Inputs that the part holds, of the whole flattened to (out, in * prod(kernel)).

        A range where they are consecutive, or else a tensor of whole numbers.
        """
        first, *kernel = self.index[1:]
        if all(len(held) == size for held, size in zip(kernel, self.shape[2:], strict=True)):
            taps = math.prod(self.shape[2:])
            if first.step == 1 or len(first) < 2 or not taps:
                start = first[0] * taps if len(first) else 0
                return range(start, start + len(first) * taps)
        flat = torch.zeros((), dtype=torch.int64, device="cpu")
        for held, size in zip(self.index[1:], self.shape[1:], strict=True):
            flat = flat[..., None] * size + torch.tensor(held, dtype=torch.int64, device="cpu")
        return flat.flatten()

    @property
    def hull(self) -> range:
        """Return the consecutive columns between the first and the last one held."""
        held = self.columns
        if isinstance(held, range):
            return held
        return range(int(held[0]), int(held[-1]) + 1) if len(held) else range(0)

    def take(self, whole: Tensor) -> Tensor:
        """Return the part as a view of the whole."""
        return cut(whole, self.index)


def _check_all(values: Any, fits: Callable[[Any], bool], what: str, kind: str) -> None:
    """Raise ``OptionError`` unless ``values`` is a tuple (or a list) of what fits."""
    if not isinstance(values, (tuple, list)) or not all(fits(value) for value in values):
        example = "Block((8, 4), (range(0, 2), range(4)))"
        raise OptionError(
            f"a block's {what} must be a tuple of {kind}, as in {example}; got {values!r}"
        )


def cut(tensor: Tensor, index: Iterable[range]) -> Tensor:
    """Return the view of a tensor that holds these indices of its dimensions.

    Example:
        >>> import torch
        >>> cut(torch.arange(6).view(2, 3), (range(1, 2), range(0, 3, 2)))
        tensor([[3, 5]])
    """
    # slice(0, -1) is not empty, though range(0, -1) is
    cuts = (slice(held.start, held.stop, held.step) if len(held) else slice(0) for held in index)
    return tensor[tuple(cuts)]
