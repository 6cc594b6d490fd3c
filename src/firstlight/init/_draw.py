"""Random blocks: drawn on one device in one layout, so that a seed means the same everywhere."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from firstlight.init._tensor import rows_per_block, write_rows


def working_tensor(
    tensor: Tensor, shape: tuple[int, ...], generator: torch.Generator | None
) -> Tensor:
    """Empty contiguous tensor to draw into: float64 for float64, else float32.

    It lies on the CPU, or where the generator lives.
    """
    dtype = torch.float64 if tensor.dtype == torch.float64 else torch.float32
    return torch.empty(shape, dtype=dtype, device=generator.device if generator else "cpu")


def draw_rows(
    tensor: Tensor,
    draw: Callable[[Tensor, int], object],
    generator: torch.Generator | None,
) -> Tensor:
    """Fill ``tensor`` block by block; ``draw(block, start)`` fills rows start, start + 1, ...

    The block is a contiguous (rows, inputs) tensor of the working dtype.
    """
    inputs = math.prod(tensor.shape[1:])
    like = working_tensor(tensor, (0,), generator)
    if tensor.is_contiguous() and (tensor.dtype, tensor.device) == (like.dtype, like.device):
        return _draw_in_place(tensor, draw, inputs)

    def rows(start: int, stop: int) -> Tensor:
        block = working_tensor(tensor, (stop - start, inputs), generator)
        draw(block, start)
        return block

    return write_rows(tensor, rows)


def _draw_in_place(tensor: Tensor, draw: Callable[[Tensor, int], object], inputs: int) -> Tensor:
    """Draw straight into the tensor, in the same blocks, and so the same values."""
    if tensor.numel() == 0:
        return tensor
    step = rows_per_block(tensor)
    with torch.no_grad():
        for start in range(0, len(tensor), step):
            part = tensor[start : start + step]
            draw(part.view(len(part), inputs), start)
    return tensor


def centre_tap(tensor: Tensor) -> Tensor:
    """View of the (out, in) matrix at the kernel's centre, index k // 2 as ``dirac_`` has it."""
    for size in reversed(tensor.shape[2:]):
        tensor = tensor.select(-1, size // 2)
    return tensor
