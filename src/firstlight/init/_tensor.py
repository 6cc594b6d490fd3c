"""What every fill shares: checking its tensor, its fans, and writing rows into it."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from firstlight import theory
from firstlight.errors import OptionError, check_choice, positive
from firstlight.init.block import Block

Gain = float | str | Callable[[Tensor], Tensor]

#: Elements of one working block: 2 MiB of float64, which stays in a core's cache ...
_BLOCK = 2**18
#: ... or as many as each of torch's threads wants, and as a GPU, which waits for every call.
_PER_THREAD, _ON_GPU = 2**16, 2**24


def part_of(tensor: Tensor, scheme: str, block: Block | None = None, min_inputs: int = 1) -> Block:
    """Check that ``tensor`` can be filled; return which block of its whole it is.

    Raises:
        OptionError: no tensor, fewer than two dimensions, not a real floating dtype, on the meta
            device, expanded, made in inference mode, no Block or one of another shape, or fewer
            than ``min_inputs`` inputs.
    """
    check_fillable(tensor, scheme)
    if block is None:
        block = Block.whole(tuple(tensor.shape))
    elif not isinstance(block, Block):
        raise OptionError(
            f"{scheme} expected a Block as block=, got {type(block).__name__}; make one with "
            "Block(shape of the whole, one range for each dimension), from firstlight.init"
        )
    elif block.sizes != tuple(tensor.shape):
        raise OptionError(
            f"{scheme} got a block of shape {block.sizes} for a tensor of {tuple(tensor.shape)}"
        )
    if block.inputs < min_inputs:
        raise OptionError(
            f"{scheme} needs at least {min_inputs} inputs per output, got {block.inputs}; "
            "take another scheme for it"
        )
    return block


def check_fillable(tensor: Tensor, scheme: str) -> None:
    """Raise ``OptionError`` for what no fill can write."""
    if not isinstance(tensor, Tensor):
        raise OptionError(f"{scheme} expected a torch.Tensor, got {type(tensor).__name__}")
    if tensor.ndim < 2:
        raise OptionError(
            f"{scheme} expected a tensor with 2 or more dimensions (out, in, *kernel), "
            f"got shape {tuple(tensor.shape)}"
        )
    if not tensor.dtype.is_floating_point:
        raise OptionError(f"{scheme} expected a floating-point tensor, got {tensor.dtype}")
    check_writable(tensor, f"{scheme} cannot fill the tensor: it")
    if tensor.layout != torch.strided:
        raise OptionError(f"{scheme} expected a dense tensor, got layout {tensor.layout}")
    if any(
        size > 1 and step == 0 for size, step in zip(tensor.shape, tensor.stride(), strict=True)
    ):
        raise OptionError(
            f"{scheme} cannot fill an expanded tensor, whose entries share memory; clone it first"
        )


def check_writable(tensor: Tensor, name: str) -> None:
    """Raise ``OptionError`` for a tensor without memory, or one that may not be written now."""
    if tensor.is_meta:
        raise OptionError(
            f"{name} is on the meta device and holds no values; "
            "call module.to_empty(device=...) first"
        )
    if tensor.is_inference() and not torch.is_inference_mode_enabled():
        raise OptionError(f"{name} was made in inference mode and cannot be written outside of it")


def fan(tensor: Tensor | Block, mode: str) -> float:
    """Number of inputs or outputs of one unit, counted as ``torch.nn.init`` does.

    fan_in = in * prod(kernel), fan_out = out * prod(kernel), fan_avg = (fan_in + fan_out) / 2.
    """
    receptive = math.prod(tensor.shape[2:])
    fan_in, fan_out = tensor.shape[1] * receptive, tensor.shape[0] * receptive
    fans = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}
    check_choice(mode, fans, "mode")
    return fans[mode]


def gain_value(gain: Gain, *, zero_sum: bool = False) -> float:
    """Turn ``gain`` into a number; a name or a callable is looked up in ``theory.gain``."""
    if isinstance(gain, str) or callable(gain):
        return theory.gain(gain, zero_sum=zero_sum)
    return positive(gain, "gain")


def rows_per_block(tensor: Tensor, columns: int) -> int:
    """Return how many rows of so many columns make one working block."""
    block = max(_BLOCK, _PER_THREAD * torch.get_num_threads())
    if tensor.device.type == "cuda":
        block = _ON_GPU
    return max(1, min(len(tensor), block // max(1, columns)))


def write_rows(tensor: Tensor, rows: Callable[[int, int], Tensor], step: int = 0) -> Tensor:
    """Fill ``tensor`` from ``rows(start, stop)`` -> (stop - start, n), ``step`` rows at a time.

    Only in-place copies write, so any dtype, device and stride is respected and at most one
    block exists beside the tensor.
    """
    if tensor.numel() == 0:
        return tensor
    m = tensor.shape[0]
    step = step or rows_per_block(tensor, math.prod(tensor.shape[1:]))
    with torch.no_grad():
        for start in range(0, m, step):
            target = tensor[start : start + step]
            target.copy_(rows(start, min(start + step, m)).view(target.shape))
    return tensor


def centre_index(kernel: tuple[int, ...]) -> int:
    """Index of the centre among the flattened taps of a kernel, k // 2 along each dimension."""
    index = 0
    for size in kernel:
        index = index * size + size // 2
    return index


def centre_tap(tensor: Tensor, part: Block) -> Tensor:
    """View of the (out, in) matrix at the kernel's centre, index k // 2 as ``dirac_`` has it.

    It is empty where the part does not hold that tap.
    """
    for held, size in zip(reversed(part.index[2:]), reversed(part.shape[2:]), strict=True):
        if size // 2 not in held:
            return tensor.new_empty((0, 0))
        tensor = tensor.select(-1, held.index(size // 2))
    return tensor
